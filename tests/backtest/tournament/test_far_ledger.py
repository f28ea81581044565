"""The ledger in an object store counts as on a disk, whoever writes at once and whatever breaks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from make_lake import session_tables
from s3_store import BUCKET, bad_way, store, surroundings
from small_store import SmallStore, small_store

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.locked import box_of
from gexlab.backtest.tournament.counting import count_trials, counted_returns, ledger
from gexlab.backtest.tournament.ledger import Trial, delete_trial, record_trials
from gexlab.backtest.tournament.lockbox import lockbox_of, mark_opened, set_lockbox
from gexlab.data import open_lake, rebuild, vacuum, verify, write_sessions
from gexlab.data.base.errors import LedgerError
from gexlab.data.lake.mirror import folder_of_lake
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = f"s3://{BUCKET}/some/lake"
WRITER = Path(__file__).with_name("ledger_writer.py")


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallStore]:
    """A store, reached by a way on which every tenth request fails."""
    with small_store() as served, bad_way(served.address, 0.1, 3) as (way, _):
        _go(monkeypatch, way, tmp_path / "mirror")
        monkeypatch.setattr("gexlab.data.lake.s3_client._FIRST_PAUSE", 0.001)
        yield served


def _go(monkeypatch: pytest.MonkeyPatch, address: str, mirror: Path) -> None:
    for name, value in surroundings(address, mirror).items():
        monkeypatch.setenv(name, value)


def _trial(number: int, underlying: str = "SPX", **changes: Any) -> Trial:
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    returns = np.random.default_rng(number).standard_normal(len(days)) * 0.01
    name = f"t{number}"
    made = Trial(name, name, "test", underlying, "data", days, returns, {"sharpe": 0.5})
    return replace(made, **changes) if changes else made


def _done(path: Path, seed: int) -> list[Any]:
    """Make changes of every kind; return what each gave."""
    draw, told = random.Random(seed), list[Any]()
    for _ in range(12):
        numbers = [draw.randrange(9) for _ in range(draw.randint(1, 4))]
        name = draw.choice(("SPX", "SPY", "GLD"))
        what = draw.choice(("record", "record", "record", "delete", "set", "open"))
        try:
            if what == "record":
                made = [_trial(n, name, world=draw.choice(("", "", "s0"))) for n in numbers]
                told.append(record_trials(path, made))
            elif what == "delete":
                told.append(delete_trial(path, f"t{numbers[0]}", "wrong prices"))
            elif what == "set":
                box = set_lockbox(path, name, date(2020, 2, 1 + numbers[0]))
                told.append((box.number, box.underlying, box.first))
            else:
                found = lockbox_of(path, name)
                told.append(found is None or bool(mark_opened(path, found, {"n": numbers[0]})))
        except LedgerError as error:
            told.append(str(error).rpartition("lake")[2].partition(" has ")[2])
    return told


def _said(path: Path) -> Any:
    """Return all that a ledger says, but for when."""
    whole = ledger(path)
    # entries ascend; a trial that was recorded already may take a number on a disk
    timed = ("recorded_at", "deleted_at", "last_recorded", "entry")
    tables = [
        [{k: v for k, v in row.items() if k not in timed} for row in rows]
        for rows in (whole.markets, whole.data, whole.entries, whole.deletions)
    ]
    span = date(2020, 1, 1), date(2020, 12, 31)
    returns = [
        (name, days.tolist(), values.tolist()) for name, days, values in counted_returns(
            path, "SPX", *span
        )
    ]  # fmt: skip
    boxes = [lockbox_of(path, name) for name in ("SPX", "GLD")]
    opened = [None if b is None else (b.number, b.first, b.opened) for b in boxes]
    return [whole.trials, tables, returns, opened, count_trials(path, "SPX", *span)]


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.slow)
                                          for n in range(3, 40))])  # fmt: skip
def test_both_kinds_of_ledger_say_the_same(far: SmallStore, tmp_path: Path, seed: int) -> None:
    """Whatever was done to them, and read through whichever mirror."""
    there, here = folder_of_lake(ADDRESS), tmp_path / "lake"
    assert _done(there, seed) == _done(here, seed)
    assert _said(there) == _said(here)
    assert sorted(far.objects) == sorted(k for k in far.objects if "/trials/" in k)
    os.environ["GEXLAB_CACHE"] = str(tmp_path / "another")
    assert _said(folder_of_lake(ADDRESS)) == _said(here)


def test_writers_at_once_lose_and_double_nothing(far: SmallStore) -> None:
    """Two of them the same trials, each of which has one number."""
    path, numbers = folder_of_lake(ADDRESS), dict[int, set[int]]()

    def write(first: int) -> None:
        for number in range(first, first + 4):
            (given,) = record_trials(path, [_trial(number)])
            numbers.setdefault(number, set()).add(given)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 4, 4, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(12))
    assert sorted(given for each in numbers.values() for given in each) == list(range(1, 13))
    assert sorted(e["trial_id"] for e in ledger(path).entries) == sorted(f"t{n}" for n in range(12))
    logs = [key for key in far.objects if "/_delta_log/" in key]
    assert len(logs) == 12  # what was there already is not written again
    assert len([key for key in far.objects if key.endswith(".parquet")]) == 12


def test_harm_is_found_and_never_becomes_a_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_store() as served:
        _go(monkeypatch, served.address, tmp_path / "mirror")
        _harm(served)


def _harm(far: SmallStore) -> None:
    lake = open_lake(ADDRESS, create=True)
    write_sessions(lake, "SPX", next(iter(session_tables(1, 4, seed=4))))
    path = lake.root
    for number in range(2):
        record_trials(path, [_trial(number)])
    assert not verify(ADDRESS).damaged
    draw, said = random.Random(1), ledger(path).entries
    keys = sorted(key for key in far.objects if "/trials/" in key)
    assert len(keys) == 5
    for turn, key in enumerate(keys):
        whole = far.objects.pop(key)
        at = draw.randrange(len(whole))
        flipped = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        for harmed in (flipped, whole[:at], None, far.objects[draw.choice(sorted(far.objects))]):
            far.objects.pop(key, None)
            if harmed is not None:
                far.objects[key] = harmed
            (found,) = verify(ADDRESS).damaged
            last = "newest.json", key.rpartition("/")[2]  # the mark tells that a commit is gone
            assert "/trials/" in found.file, key
            assert found.file.endswith(last), key
            try:
                assert ledger(path).entries == said, key
            except LedgerError:
                with pytest.raises(LedgerError, match=ADDRESS):
                    record_trials(path, [_trial(10 + turn)])
        far.objects[key] = whole
    assert not verify(ADDRESS).damaged
    # what no commit names goes, what one does stays
    far.objects["some/lake/trials/left-by-a-killed-writer.parquet"] = b"PAR1"
    assert vacuum(ADDRESS, retention=0.0, grace=0.0).files == 1
    assert sorted(key for key in far.objects if "/trials/" in key) == keys
    assert cli.run(["ledger", "--lake", ADDRESS, "--json"]) == 0


def test_other_programs_read_it(far: SmallStore, tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    path = folder_of_lake(ADDRESS)
    for number in range(3):
        record_trials(path, [_trial(number), _trial(number, "GLD")])
    delete_trial(path, "t1", "wrong prices")
    for key, content in far.objects.items():
        file = tmp_path / "copy" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    table = deltalake.DeltaTable(str(tmp_path / "copy" / "some" / "lake" / "trials"))
    rows = table.to_pyarrow_table() if hasattr(table, "to_pyarrow_table") else table.to_table()
    names = rows.column("statement").to_pylist()
    assert table.version() == 3
    assert (names.count("put_entry"), names.count("delete_entries")) == (6, 1)
    assert set(rows.column("trial_id").to_pylist()) == {"t0", "t1", "t2", None}


def test_a_store_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gexlab.data.lake.s3_client._TRIES", 2)
    _go(monkeypatch, "http://127.0.0.1:9", tmp_path)
    path = folder_of_lake(ADDRESS)
    for asked in (lambda: ledger(path), lambda: record_trials(path, [_trial(1)])):
        with pytest.raises(LedgerError, match=f"cannot read the ledger {ADDRESS}/trials"):
            asked()


def _start(name: str, number: int, mirror: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), ADDRESS, name, str(number)]
    where = {**os.environ, "GEXLAB_CACHE": str(mirror)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=where)


@pytest.mark.slow
def test_killed_writers_on_a_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four at once, half of them the same trials, others killed, one request in ten fails."""
    pytest.importorskip("moto")
    with store() as address, bad_way(address, 0.1, 8) as (way, told):
        _go(monkeypatch, way, tmp_path / "mirror")
        # two of them share a mirror
        running = [_start(f"w{k % 2}", 15, tmp_path / f"m{k % 3}") for k in range(4)]
        said, draw = set[str](), random.Random(5)
        for k in range(10):
            victim = _start(f"k{k}", 1000, tmp_path / f"m{k % 3}")
            assert victim.stdout is not None
            said.add(victim.stdout.readline().strip())
            time.sleep(draw.uniform(0.0, 0.5))
            victim.send_signal(signal.SIGKILL)
            rest, _ = victim.communicate()
            said |= {line.strip() for line in rest.splitlines(keepends=True) if line[-1] == "\n"}
        for writer in running:
            out, _ = writer.communicate(timeout=300)
            assert writer.returncode == 0
            said |= set(out.split())
        recorded = [entry["trial_id"] for entry in ledger(folder_of_lake(ADDRESS)).entries]
        assert len(recorded) == len(set(recorded))
        assert {name for name in said if name} <= set(recorded)
        assert len([name for name in recorded if name[0] == "w"]) == 30
        sys.stdout.write(json.dumps({**told, "recorded": len(recorded)}) + "\n")


_CONFIG = """
[data]
lake = "{lake}"
underlying = "SIM"
instrument = "future"
bars = "{folder}/bars.parquet"
[inference]
bootstrap = 100
[tournament]
lockbox = 2020-01-01
placebos = 20
folds = {{ train = 25, test = 10 }}
[grid]
filters = ["sign", "always"]
"""


@pytest.mark.slow
def test_commands_count_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backtest, grid, tournament and lockbox on one lake, on a disk and in a store."""
    simulate("S1", years=0.3, seed=5, lake=tmp_path / "lake", contracts=200, intraday=None)
    rebuild(tmp_path / "lake", "SIM")
    last = open_lake(tmp_path / "lake").sessions("SIM")[-8].session
    said = dict[str, Any]()
    with small_store() as served:
        _go(monkeypatch, served.address, tmp_path / "mirror")
        for file in (f for f in (tmp_path / "lake").rglob("*") if f.is_file()):
            key = f"some/lake/{file.relative_to(tmp_path / 'lake').as_posix()}"
            served.objects[key] = file.read_bytes()
        for lake in (str(tmp_path / "lake"), ADDRESS):
            config = tmp_path / f"{len(said)}.toml"
            text = _CONFIG.format(lake=lake, folder=tmp_path / "lake")
            config.write_text(text.replace("2020-01-01", str(last)), encoding="utf-8")
            told: list[Any] = [backtest(config).provenance.trial_numbers]
            for command in ("grid", "tournament", "backtest"):
                out = str(tmp_path / f"{len(said)}-{command}")
                assert cli.run([command, str(config), "--out", out]) == 0
            contest = json.loads(
                (tmp_path / f"{len(said)}-tournament" / "tournament.json").read_text()
            )
            told += [contest[n] for n in ("ledger_trials", "effective_trials", "in_ledger")]
            settings = load_config(config)
            box, path = box_of(settings), settings.ledger_path
            assert box is not None
            assert path is not None
            told.append((box.number, box.underlying, box.first))
            found = ledger(path)
            told += [found.trials, [(e["trial_id"], e["name"], e["source"]) for e in found.entries]]
            told.append([m["effective_trials"] for m in found.markets])
            said[lake] = told
    near, far = said.values()
    assert near == far
    assert (near[3], near[4]) == (True, (1, "SIM", last))
