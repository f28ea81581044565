"""The ledger of trials: what counts together, and what a kill leaves."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s3_store import BUCKET, surroundings
from small_store import small_store

from gexlab.backtest.tournament.counting import (
    count_trials,
    counted_returns,
    effective_trials,
    ledger,
)
from gexlab.backtest.tournament.ledger import Trial, delete_trial, record_trials
from gexlab.backtest.tournament.ledger_store import ledger_file
from gexlab.data.base.errors import GexlabError, LedgerError
from gexlab.data.lake.mirror import folder_of_lake

WRITER = Path(__file__).with_name("ledger_writer.py")


@pytest.fixture(params=["disk", "store"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Folder of a ledger on a disk, or what stands for an address of a store."""
    if request.param == "disk":
        yield tmp_path
        return
    with small_store() as served:
        for name, value in surroundings(served.address, tmp_path).items():
            monkeypatch.setenv(name, value)
        yield folder_of_lake(f"s3://{BUCKET}/a lake")


def _trial(
    trial_id: str,
    first: str = "2020-01-01",
    last: str = "2020-12-31",
    *,
    underlying: str = "SPX",
    data_id: str = "data",
    world: str = "",
    seed: int = 0,
) -> Trial:
    days = np.arange(first, np.datetime64(last) + 1, dtype="datetime64[D]")
    returns = np.random.default_rng(seed).standard_normal(len(days)) * 0.01
    returns[0] = np.nan
    metrics = {"sharpe": 0.5, "sharpe_low": float("nan")}
    return Trial(trial_id, trial_id, "test", underlying, data_id, days, returns, metrics, {}, world)


def _count(ledger: Path, underlying: str = "SPX", year: int = 2020, world: str = "") -> int:
    span = date(year, 1, 1), date(year, 12, 31)
    return count_trials(ledger, underlying, *span, world=world).trials


def _returns(ledger: Path) -> dict[str, tuple[Any, Any]]:
    found = counted_returns(ledger, "SPX", date(2020, 1, 1), date(2020, 12, 31))
    return {trial: (days, returns) for trial, days, returns in found}


def test_a_trial_is_recorded_once_and_keeps_its_number(place: Path) -> None:
    assert record_trials(place, [_trial("a"), _trial("b", seed=1)]) == (1, 2)
    assert record_trials(place, [_trial("c", seed=2)]) == (3,)
    assert record_trials(place, [_trial("b", seed=1), _trial("a")]) == (2, 1)
    found = ledger(place)
    assert [e["trial_id"] for e in found.entries] == ["a", "b", "c"]
    assert found.entries[0]["metrics"] == {"sharpe": 0.5, "sharpe_low": None}
    kept = _returns(place)
    assert set(kept) == {"a", "b", "c"}
    days, returns = kept["b"]
    want = _trial("b", seed=1)
    assert (days == want.sessions).all()
    assert returns == pytest.approx(want.returns.astype(np.float32), nan_ok=True)


def test_the_same_trial_on_a_file_that_grew_by_a_day_counts_once(place: Path) -> None:
    assert record_trials(place, [_trial("a", data_id="monday")]) == (1,)
    grown = _trial("a", last="2021-01-01", data_id="tuesday")
    assert record_trials(place, [grown]) == (1,)
    assert _count(place) == 1
    found = ledger(place)
    assert [d["trials"] for d in found.data] == [1, 1]
    assert found.trials == 1


def test_overlapping_sessions_of_stand_ins_count_together(place: Path) -> None:
    for k, name in enumerate(("SPX", "spy", "ES", "QQQ")):
        record_trials(place, [_trial(name, underlying=name, seed=k)])
    earlier = _trial("earlier", "2019-01-01", "2019-12-31")
    assert record_trials(place, [earlier]) == (1,)  # no session of it is in 2020
    assert record_trials(place, [_trial("touches", "2019-06-01", "2020-01-01")]) == (5,)
    assert _count(place, "SPY") == 4
    assert _count(place, "NDX") == 1
    assert _count(place, "SPX", 2019) == 2
    assert _count(place, "GLD") == 0
    stated = [["QQQ", "SPX"]]
    span = date(2020, 1, 1), date(2020, 12, 31)
    assert count_trials(place, "SPX", *span, stand_ins=stated).trials == 5


def test_simulated_markets_count_apart(place: Path) -> None:
    record_trials(place, [_trial("a"), _trial("a", world="s0"), _trial("b", world="s0")])
    assert [_count(place, world=w) for w in ("", "s0", "s1")] == [1, 2, 0]
    assert [m["simulated"] for m in ledger(place).markets] == [False, True]


def test_returns_are_stored_once_per_digest(tmp_path: Path) -> None:
    record_trials(tmp_path, [_trial("a"), _trial("b"), _trial("c", data_id="other")])
    with sqlite3.connect(ledger_file(tmp_path)) as ledger:
        assert ledger.execute("SELECT count(*) FROM returns").fetchone() == (1,)
        assert ledger.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
        assert ledger.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ledger.close()


def test_effective_trials_are_clusters(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    base = rng.standard_normal((500, 3))
    copies = base[:, [0, 0, 0, 1, 1, 2]] + 0.3 * rng.standard_normal((500, 6))
    assert effective_trials(copies) == 3
    assert effective_trials(np.column_stack([base[:, 0], -base[:, 0]])) == 2
    assert effective_trials(base[:, :1]) == 1
    half = copies.copy()
    half[:250, 1] = np.nan  # compared where both are
    assert effective_trials(half) == 3
    record_trials(tmp_path, [_trial(f"{k}", seed=k % 2) for k in range(6)])
    found = count_trials(tmp_path, "SPX", date(2020, 1, 1), date(2020, 2, 1))
    assert (found.trials, found.effective) == (6, 2)


def test_deleting_leaves_a_trace_and_the_count(place: Path) -> None:
    record_trials(place, [_trial("a"), _trial("b", seed=1)])
    assert delete_trial(place, "a", "wrong prices") == 1
    found = ledger(place)
    assert [e["trial_id"] for e in found.entries] == ["b"]
    assert [(d["trial_id"], d["reason"]) for d in found.deletions] == [("a", "wrong prices")]
    assert (found.markets[0]["trials"], found.markets[0]["deleted"]) == (2, 1)
    assert found.markets[0]["effective_trials"] == 2
    with pytest.raises(LedgerError, match="no trial 'a'"):
        delete_trial(place, "a", "again")
    with pytest.raises(GexlabError, match="reason"):
        delete_trial(place, "b", " ")
    # made again, it is there again, under its number
    assert record_trials(place, [_trial("a")]) == (1,)
    again = ledger(place)
    assert len(again.entries) == 2
    assert again.markets[0]["deleted"] == 0
    assert len(_returns(place)["a"][0]) == 366


def test_what_is_no_trial_is_refused() -> None:
    day = np.array(["2020-01-02"], dtype="datetime64[D]")
    with pytest.raises(GexlabError, match="as many returns as sessions"):
        Trial("a", "a", "test", "SPX", "d", day, np.zeros(2))
    with pytest.raises(GexlabError, match="must rise"):
        Trial("a", "a", "test", "SPX", "d", np.repeat(day, 2), np.zeros(2))


def test_a_ledger_that_is_absent_or_foreign_is_said(tmp_path: Path) -> None:
    assert ledger(tmp_path / "none").trials == 0
    with pytest.raises(LedgerError, match="no ledger at"):
        count_trials(tmp_path / "none", "SPX", date(2020, 1, 1), date(2020, 1, 2))
    assert not (tmp_path / "none").exists()
    ledger_file(tmp_path).write_bytes(b"no database" * 100)
    with pytest.raises(LedgerError, match=r"cannot write the ledger .*not a database"):
        record_trials(tmp_path, [_trial("a")])
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"cannot write the ledger .*\[ledger\] path"):
        record_trials(tmp_path / "file", [_trial("a")])
    later = tmp_path / "later.sqlite"
    with sqlite3.connect(later) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(LedgerError, match="later version"):
        record_trials(later, [_trial("a")])


def _start(ledger: Path, name: str, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), str(ledger), name, str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")


def _whole(ledger: Path, said: set[str]) -> None:
    """Hold that the ledger has every trial that was shown, each once, and is intact."""
    with sqlite3.connect(ledger_file(ledger)) as opened:
        recorded = [row[0] for row in opened.execute("SELECT trial_id FROM entries")]
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        orphans = "SELECT count(*) FROM entries WHERE returns NOT IN (SELECT digest FROM returns)"
        assert opened.execute(orphans).fetchone() == (0,)
    opened.close()
    assert len(recorded) == len(set(recorded))
    assert said <= set(recorded)


def _kills(ledger: Path, number: int, seed: int) -> int:
    """Kill so many writers, each beside another that goes on; return what was shown."""
    draw = random.Random(seed)
    said: set[str] = set()
    for k in range(number):
        victim = _start(ledger, f"k{k}", 100_000)
        assert victim.stdout is not None
        said.add(victim.stdout.readline().strip())
        time.sleep(draw.uniform(0.0, 0.05))
        os.kill(victim.pid, signal.SIGKILL)
        rest, _ = victim.communicate()
        # a last line cut short by the kill was not shown
        said |= {line for line in rest.splitlines(keepends=True) if line.endswith("\n")}
    said = {line.strip() for line in said if line.strip()}
    _whole(ledger, said)
    return len(said)


def test_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    assert _kills(tmp_path, 10, seed=1) >= 10


@pytest.mark.slow
def test_two_hundred_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    assert _kills(tmp_path, 200, seed=2) >= 200


def test_eight_concurrent_writers(tmp_path: Path) -> None:
    # half of them write the same trials
    writers = [_start(tmp_path, f"w{k % 4}", 15) for k in range(8)]
    said = set()
    for writer in writers:
        out, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0
        said |= set(out.split())
    assert len(said) == 60
    _whole(tmp_path, said)
    assert ledger(tmp_path).trials == 60
