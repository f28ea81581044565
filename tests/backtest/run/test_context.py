"""A run reads each of its inputs once, and all of them as they were at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.backtest import leakcheck
from gexlab.backtest import test as run_tests
from gexlab.backtest.hypotheses import test as test_module
from gexlab.backtest.run.context import open_run
from gexlab.data import explain, rebuild
from gexlab.data.lake import lake as lake_module
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes import rebuilt_rows as rows_module
from gexlab.data.tables import bars, intraday_bars, reader, series
from gexlab.reports.cli import demo as demo_module
from gexlab.reports.nightly.nightly import nightly

CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "etf"
bars = "bars.parquet"
intraday = "intraday.parquet"

[regime]
dealer_model = "signed"
positions = "positions.parquet"
definition = { rate_curve = "curve.csv" }

[series]
vix = { path = "vix.csv", known = "close" }

[inference]
bootstrap = 100
"""


def write_inputs(folder: Path) -> None:
    """Write positions, a curve, a series and intraday bars beside a small market, and a config."""
    lake = open_lake(folder / "lake")
    chains = pd.concat(pd.read_parquet(file) for file in lake.chain_files("MKT"))
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -0.5})
    chains[key].assign(position=sign * chains["open_interest"]).to_parquet(
        folder / "positions.parquet"
    )
    days = [f"{entry.session}" for entry in lake.sessions("MKT")]
    first = pd.Timestamp(days[0]) - pd.Timedelta(days=4)
    curve = pd.DataFrame({"session": [f"{first.date()}", *days], "rate": 0.02})
    curve["rate"] += 0.0001 * curve.index
    curve.to_csv(folder / "curve.csv", index=False)
    values = [15.0 + i % 7 for i in range(len(days))]
    pd.DataFrame({"session": days, "value": values}).to_csv(folder / "vix.csv", index=False)
    daily = pd.read_parquet(folder / "bars.parquet")
    opens = [pd.Timestamp(f"{day} 10:00", tz="America/New_York") for day in days]
    halves = [
        daily.assign(timestamp=[moment + pd.Timedelta(hours=h) for moment in opens]) for h in (0, 1)
    ]
    pd.concat(halves).drop(columns="session").to_parquet(folder / "intraday.parquet", index=False)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each input was read, by its name."""
    found: Counter[str] = Counter()

    def wrap(module: Any, name: str, named: Callable[..., str]) -> None:
        original = getattr(module, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            found[named(*args, **kwargs)] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, counted)

    for module in (bars, intraday_bars, series, reader):  # positions and rates: the reader's own
        wrap(module, "read_table", lambda path, *_, **__: Path(path).name)
    wrap(lake_module, "read_record", lambda root, name, record: f"manifest of {name}")
    wrap(
        rows_module,
        "rows_of",
        lambda lake, name, table, stores, book=None: f"{table} of {book}",
    )
    return found


def test_a_night_reads_each_input_once(tmp_path: Path, counts: Counter[str]) -> None:
    write_lake(tmp_path, "XNYS", sessions=12)
    write_inputs(tmp_path)
    inputs = {
        "bars.parquet", "intraday.parquet", "vix.csv", "curve.csv", "positions.parquet",
        "manifest of MKT", "regimes of post_expiry",
    }  # fmt: skip
    for ran in (True, False):  # with everything to do, and with nothing
        counts.clear()
        assert nightly(tmp_path / "config.toml").ran is ran
        assert inputs <= set(counts)
        assert set(counts.values()) == {1}, counts


def test_a_closed_lockbox_lets_each_input_be_read_once(
    tmp_path: Path, counts: Counter[str]
) -> None:
    write_lake(tmp_path, "XNYS", sessions=12)
    write_inputs(tmp_path)
    path = tmp_path / "config.toml"
    with open_run(path) as run:
        days = run.market.sessions
    counts.clear()
    boxed = CONFIG + f"\n[tournament]\nlockbox = {days[-4]:%Y-%m-%d}\n"
    path.write_text(boxed, encoding="utf-8")
    with open_run(path) as run:
        market = run.market
    assert list(market.sessions) == list(days[:-4])
    assert market.regime.table.index[-1] < days[-4]
    assert max(table.index[-1] for table in market.series.values()) < days[-4]
    assert market.intraday is not None
    assert market.intraday.frame["session"].max() < days[-4]
    assert [(n.code, n.count) for n in market.notices] == [("lockbox", 4)]
    assert {"bars.parquet", "intraday.parquet", "regimes of post_expiry"} <= set(counts)
    assert set(counts.values()) == {1}, counts


def test_the_demo_reads_each_input_once(
    tmp_path: Path, counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gexlab.data import simulate as simulated

    def small(lake: Path, **_: Any) -> Any:
        counts.clear()
        made = simulated.simulate("S1", years=0.12, seed=5, lake=lake, contracts=200, intraday=30)
        counts.clear()  # what the simulation itself reads
        return made

    monkeypatch.setattr(simulated, "demo_market", small)
    demo_module.demo(tmp_path / "demo")
    inputs = {"bars.parquet", "intraday.parquet", "manifest of SIM"}
    assert inputs | {"regimes of as_of_close", "regimes of post_expiry"} <= set(counts)
    assert set(counts.values()) == {1}, counts


def test_a_run_sees_nothing_newer_than_its_beginning(tmp_path: Path) -> None:
    """Chains that come in while a run is under way are the next run's."""
    write_lake(tmp_path, "XNYS", sessions=12)
    write_inputs(tmp_path)
    before = open_lake(tmp_path / "lake").manifest("MKT").sessions
    with open_run(tmp_path / "config.toml") as run:
        later = tmp_path / "later"
        later.mkdir()
        write_lake(later, "XNYS", sessions=14)
        files = sorted((later / "lake" / "chains").rglob("*.parquet"))
        from gexlab.data.ingest.ingest import ingest

        ingest(files, vendor="canonical", underlying="MKT", lake=tmp_path / "lake")
        assert run.market.regime.rows.lake.manifest("MKT").sessions == before
        assert all(file.is_file() for file in run.market.regime.rows.lake.chain_files("MKT"))
        ident = run.content_id
    assert len(open_lake(tmp_path / "lake").manifest("MKT").sessions) == 14
    with open_run(tmp_path / "config.toml") as run:
        assert run.content_id != ident


INPUTS = {
    "bars.parquet", "intraday.parquet", "vix.csv", "curve.csv", "positions.parquet",
    "manifest of MKT", "regimes of post_expiry",
}  # fmt: skip


@pytest.mark.parametrize("name", ["test", "leakcheck"])
def test_a_command_reads_each_input_once(
    tmp_path: Path, counts: Counter[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # hypotheses read the dataset alone
    monkeypatch.setattr(test_module, "run_hypotheses", lambda *_, **__: ())
    write_lake(tmp_path, "XNYS", sessions=12)
    write_inputs(tmp_path)
    for _ in range(2):  # with everything to rebuild, and with nothing
        counts.clear()
        if name == "test":
            run_tests(["screenshot-vs-dynamic"], tmp_path / "config.toml")
        else:
            leakcheck(tmp_path / "config.toml", cuts=2)
        assert set(counts) >= INPUTS
        assert set(counts.values()) == {1}, counts


def test_an_explanation_reads_its_lake_once(tmp_path: Path, counts: Counter[str]) -> None:
    write_lake(tmp_path, "XNYS", sessions=6)
    rebuild(tmp_path / "lake", "MKT")
    session = open_lake(tmp_path / "lake").sessions("MKT")[3].session
    counts.clear()
    assert len(explain(tmp_path / "lake", "MKT", session).contracts)
    assert counts["manifest of MKT"] == 1, counts
