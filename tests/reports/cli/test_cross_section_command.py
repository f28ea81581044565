"""``gexlab cross-section --long-short`` from a lake to its files and the ledger."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_markets import MANY_NAMES_MAP

from gexlab.data import ingest, rebuild, trading_calendar
from gexlab.reports.cli import app as cli

NAMES = [f"N{i:02d}" for i in range(12)]
SESSIONS = 30
LISTS = """
signals = ["net_to_gross", "regime"]
quantiles = [0.2, 0.3]
weights = "equal"
holds = [1, 5]
fees_bps = [0, 5]
"""
COMMAND = ("cross-section", "--lake", "lake", "--long-short")


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run([*COMMAND, *words])
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a lake of twelve thin names."""
    made = tmp_path_factory.mktemp("names")
    calendar = trading_calendar("XNYS")
    start = calendar.position(pd.Timestamp("2024-01-03").date())
    days = calendar.sessions[start : start + SESSIONS]
    rng = np.random.default_rng(6)
    spots = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (SESSIONS, len(NAMES))), axis=0))
    rows = [
        (str(day), name, "2024-04-19", strike, right, int(rng.integers(5, 500)), 0.3, spots[t, i])
        for i, name in enumerate(NAMES)
        for t, day in enumerate(days)
        for strike in (90, 100, 110)
        for right in "CP"
    ]
    columns = ["date", "name", "expiry", "strike", "cp", "oi", "iv", "spot"]
    pd.DataFrame(rows, columns=columns).to_parquet(made / "chains.parquet", index=False)
    (made / "map.toml").write_text(MANY_NAMES_MAP)
    ingest([made / "chains.parquet"], vendor="columns", underlying="*", lake=made / "lake",
           mapping=made / "map.toml")  # fmt: skip
    rebuild(made / "lake", "*")
    (made / "portfolios.toml").write_text(LISTS)
    return made


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def recorded(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "ledger" / "trials.sqlite") as ledger:
        return [row[0] for row in ledger.execute("SELECT trial_id FROM entries ORDER BY 1")]


def test_files_json_and_ledger(folder: Path) -> None:
    words = ("--portfolios", "portfolios.toml", "--json")
    code, out, err = run(*words, "--out", "out")
    assert code == 0, err
    said = json.loads(out)
    assert said["out"] == "out"
    found = said["long_short"]
    assert set(found) == {
        "trials", "best", "best_by_luck", "sentence", "book", "left_out", "names", "sessions",
        "level", "seconds",
    }  # fmt: skip
    # two quantiles of one signal, and a label that has none, each held twice as long, at two fees
    assert (found["trials"], found["names"]) == ((2 + 1) * 2 * 2, 12)
    assert f"{found['trials']} long-short portfolios of 12 names" in found["sentence"]
    # a session to fill at, and one to earn in, come before the first return
    assert found["sessions"] == SESSIONS - 2
    files = {file.name for file in (folder / "out").iterdir()}
    assert files == {
        f"{name}.parquet"
        for name in ("names", "market", "sectors", "trials", "returns", "correlation")
    }
    trials = pd.read_parquet("out/trials.parquet").set_index("trial_id")
    assert found["best"]["sharpe"] == pytest.approx(trials["sharpe"].max())
    assert trials.loc[found["best"]["trial_id"], "sharpe"] == trials["sharpe"].max()
    returns = pd.read_parquet("out/returns.parquet")
    assert returns.shape == (found["sessions"], found["trials"])
    book = returns.mean(axis=1)
    assert found["book"]["sharpe"] == pytest.approx(book.mean() / book.std(ddof=1) * 252**0.5)
    assert set(pd.read_parquet("out/correlation.parquet").index) == set(trials.index)
    assert recorded(folder) == sorted(trials.index)
    # again, and without --out: the same trials, counted once
    code, out, _ = run(*words)
    again = json.loads(out)
    assert [row["trial_id"] for row in again["long_short"].pop("table")] == list(trials.index)
    assert len(again["names"]) == 12 * SESSIONS
    assert again["long_short"] | {"seconds": 0} == found | {"seconds": 0}
    assert recorded(folder) == sorted(trials.index)


CONFIG = """
[data]
lake = "lake"

[grid]
book = ["post_expiry", "as_of_close"]

[grid.long_short]
signals = ["net_to_gross", "regime"]
quantiles = [0.2, 0.3]
weights = "equal"
holds = [1, 5]
fees_bps = [0, 5]
"""


def test_the_portfolios_are_a_grid_of_a_universe(folder: Path) -> None:
    """`gexlab grid` gives what `cross-section --long-short` gives, by two books, as a grid."""
    (folder / "grid.toml").write_text(CONFIG)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert cli.run(["grid", "grid.toml", "--out", "grid", "--json"]) == 0, err.getvalue()
    said = json.loads(out.getvalue())
    assert (said["trials"], said["duplicates"], said["computed"]) == (24, 0, 24)
    assert said["underlyings"] == NAMES
    assert (said["long_short"]["names"], said["long_short"]["not_in_it"]) == (12, {})
    files = {file.name for file in (folder / "grid").iterdir()}
    assert files == {
        "trials.parquet", "grid.json", "grid.html", "returns.parquet", "correlation.parquet",
    }  # fmt: skip
    trials = pd.read_parquet("grid/trials.parquet").set_index("trial_id")
    assert said["best"]["sharpe"] == trials["sharpe"].max()
    assert run("--portfolios", "portfolios.toml", "--out", "alone", "--json")[0] == 0
    alone = pd.read_parquet("alone/trials.parquet").set_index("trial_id")
    mine = trials.loc[alone.index]
    assert set(mine["book"]) == {"post_expiry"}
    assert set(trials["book"]) == {"post_expiry", "as_of_close"}
    for name in ("sharpe", "sharpe_low", "turnover", "break_even_bps", "fees_bps", "quantile"):
        pd.testing.assert_series_equal(mine[name], alone[name])
    returns = pd.read_parquet("grid/returns.parquet")
    pd.testing.assert_frame_equal(returns[alone.index], pd.read_parquet("alone/returns.parquet"))
    assert set(trials.index) <= set(recorded(folder))
    page = (folder / "grid" / "grid.html").read_text()
    assert "24 trials on 12 underlyings" in page
    assert said["sentence"][:40] in page


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("signals", "signal", "did you mean 'signals'"),
        ('lake = "lake"', 'lakes = "lake"', "did you mean 'lake'"),
        ("holds = [1, 5]", "holds = [0]", "holds: expected a whole number of sessions"),
        ("[grid]", '[grid]\nfilters = ["sign"]', "unknown key 'grid.filters'"),
        ('lake = "lake"', 'lake = "lake"\nstart = 2030-01-01', "regimes between 2030-01-01"),
        ('lake = "lake"', 'lake = "lake"\nunderlying = "Q*"', "Q*"),
    ],
)
def test_a_wrong_universe_is_one_line(folder: Path, was: str, now: str, told: str) -> None:
    (folder / "wrong-grid.toml").write_text(CONFIG.replace(was, now, 1))
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert cli.run(["grid", "wrong-grid.toml", "--out", "no", "--json"]) == 1
    assert told in json.loads(out.getvalue())["error"]["message"]
    assert not (folder / "no").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"holds = [1", "is no TOML"),
        (b"holds = \xff", "is no TOML"),
        (b"hold = [1]", "did you mean 'holds'"),
        (b'holds = ["1"]', "holds: expected a whole number of sessions, 1 to 250, found '1'"),
        (b"holds = [[1]]", "found [1]"),
        (b"signals = [1]", "unknown signal"),
        (b"signals = [[1], [2]]", "unknown signal"),
        (b"quantiles = [nan]", "found nan"),
        (b"fees_bps = {}", "fees_bps: expected"),
        (b"[weights]\nequal = 1", "unknown weights"),
        (b"sides = 2024-01-02", "unknown side"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_line(folder: Path, text: bytes | None, told: str) -> None:
    file = folder / "wrong.toml"
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_bytes(text)
    before = sorted(folder.iterdir())
    code, out, err = run("--portfolios", "wrong.toml", "--out", "none", "--json")
    assert (code, len(err.strip().splitlines())) == (1, 1), err
    assert told in err
    assert told in json.loads(out)["error"]["message"]
    assert sorted(folder.iterdir()) == before
