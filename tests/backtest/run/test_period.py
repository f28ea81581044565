"""A period by configuration is the same as files cut by hand, for every input and every reader."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from small_markets import write_lake

from gexlab.backtest.hypotheses.datasets import load_dataset
from gexlab.backtest.hypotheses.registry import hypothesis_names
from gexlab.backtest.hypotheses.test import hypotheses_document
from gexlab.backtest.hypotheses.test import test as run_tests
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.config_sections import StrategyConfig
from gexlab.backtest.run.documents import results_document
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.simulate import simulate
from gexlab.reports.page.report import report_page

_FILES = {"bars": "session", "minutes": "session", "vix": "session", "other": "session",
          "funds": "session"}  # fmt: skip


def _config(folder: Path, source: str = "lake", **data: Any) -> Config:
    series = {
        "vix": {"path": "vix.parquet", "known": "close"},
        "other_gex": {"path": "other.parquet", "known": "next_open"},
        "letf": {"path": "funds.parquet", "known": "close"},
    }
    regime: dict[str, Any] = {"source": source}
    if source == "series":
        regime["series"] = {"path": "other.parquet", "known": "next_open"}
    return parse_config(
        {
            "data": {
                "lake": "lake", "underlying": "SIM", "instrument": "index",
                "bars": "bars.parquet", "intraday": "minutes.parquet", **data,
            },
            "regime": regime,
            "series": series,
            "inference": {"bootstrap": 100},
        },
        folder,
    )  # fmt: skip


def _write_series(folder: Path, sessions: pd.DatetimeIndex, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for name, level in (("vix", 20.0), ("other", 0.0), ("funds", 5.0)):
        value = level + np.cumsum(rng.normal(size=len(sessions)))
        frame = pd.DataFrame({"session": sessions, "value": np.abs(value) if level else value})
        frame.to_parquet(folder / f"{name}.parquet", index=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated market with chains, bars, minutes and three series."""
    folder = tmp_path_factory.mktemp("whole")
    simulate("S1", years=0.45, seed=5, lake=folder / "lake", contracts=200, intraday=30)
    rebuild(folder / "lake", "SIM")
    bars = pd.read_parquet(folder / "lake" / "bars.parquet")
    bars.to_parquet(folder / "bars.parquet", index=False)
    minutes = pd.read_parquet(folder / "lake" / "intraday.parquet")
    minutes.to_parquet(folder / "minutes.parquet", index=False)
    _write_series(folder, pd.DatetimeIndex(bars["session"]), 3)
    return folder


@pytest.fixture(scope="module")
def sessions(whole: Path) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.read_parquet(whole / "bars.parquet")["session"])


@pytest.fixture(scope="module")
def by_hand(
    whole: Path, sessions: pd.DatetimeIndex, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same market, every file cut after a session."""
    last, folder = sessions[-12], tmp_path_factory.mktemp("cut")
    for name, column in _FILES.items():
        frame = pd.read_parquet(whole / f"{name}.parquet")
        frame[pd.to_datetime(frame[column]) <= last].to_parquet(
            folder / f"{name}.parquet", index=False
        )
    lake = open_lake(folder / "lake", create=True)
    files = open_lake(whole / "lake").chain_files("SIM")
    rows = pq.ParquetDataset([str(f) for f in files], partitioning=None).read()
    keep = [day <= last.date() for day in rows["session"].to_pylist()]
    write_sessions(lake, "SIM", rows.filter(keep))
    rebuild(lake, "SIM")
    return folder


#: What names files and clocks in a hypothesis's document.
_OF_THE_FILES: dict[str, Any] = {"seconds": 0, "content_id": ""}


def _told(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without what names files and clocks."""
    return {key: value for key, value in document.items() if key != "provenance"}


@pytest.mark.parametrize("source", ["lake", "series"])
def test_backtest(whole: Path, by_hand: Path, sessions: pd.DatetimeIndex, source: str) -> None:
    mine = backtest(_config(whole, source, end=sessions[-12].date(), simulated=True))
    cut = backtest(_config(by_hand, source, simulated=True))
    assert _told(results_document(mine)) == _told(results_document(cut))
    assert [asdict(n) for n in mine.notices] == [asdict(n) for n in cut.notices]


@pytest.fixture(scope="module")
def documents(
    whole: Path, by_hand: Path, sessions: pd.DatetimeIndex
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    end = sessions[-12].date()
    mine = run_tests(None, _config(whole, end=end, simulated=True))
    cut = run_tests(None, _config(by_hand, simulated=True))
    found = (hypotheses_document(mine), hypotheses_document(cut))
    return {a["name"]: (a | _OF_THE_FILES, b | _OF_THE_FILES) for a, b in zip(*found, strict=True)}


@pytest.mark.parametrize("name", hypothesis_names())
def test_hypotheses(name: str, documents: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    mine, cut = documents[name]
    assert mine == cut


def test_tables_of_the_report(whole: Path, by_hand: Path, sessions: pd.DatetimeIndex) -> None:
    """Quality, coverage, diagnostics and the last session: every table of the page."""
    config = _config(whole, end=sessions[-12].date(), simulated=True)
    page = report_page(backtest(config), config)
    other = _config(by_hand, simulated=True)
    cut = report_page(backtest(other), other)
    tables = [{t.id: t for s in p.sections for t in s.tables} for p in (page, cut)]
    different = {
        name for name in tables[0] if name != "tab-provenance" and name != "tab-truth"
        and tables[0][name] != tables[1].get(name)
    }  # fmt: skip
    assert not different


def test_minutes_after_the_last_daily_bar_get_no_old_gamma(
    whole: Path, sessions: pd.DatetimeIndex, tmp_path: Path
) -> None:
    bars = pd.read_parquet(whole / "bars.parquet")
    short = tmp_path / "bars.parquet"
    bars[pd.to_datetime(bars["session"]) <= sessions[-12]].to_parquet(short, index=False)
    market = load_market(_config(whole, bars=str(short)))
    assert market.intraday is not None
    assert market.intraday.frame["session"].max() == sessions[-12]


def test_what_lies_before_the_start_warms_up_and_counts_in_nothing(
    whole: Path, sessions: pd.DatetimeIndex
) -> None:
    start = sessions[60]
    everything = load_dataset(_config(whole), recheck=False)
    part = load_dataset(_config(whole, start=start.date()), recheck=False)
    assert part.gex.dropna().index.min() >= start
    assert part.warmed.dropna().index.min() < start
    pd.testing.assert_series_equal(part.warmed, everything.warmed)
    counted = part.bars.index >= start
    # the regression of vol-damping, done again in pandas and statsmodels
    from gexlab.backtest.hypotheses.features import daily
    from gexlab.backtest.hypotheses.vol_damping import fit_damping

    fit = fit_damping(daily(part), daily(part).gex_rank)
    bars = part.bars
    log_vol = pd.Series(
        0.5 * np.log(np.log(bars["high"] / bars["low"]) ** 2 / (4 * np.log(2))), index=bars.index
    )
    known = part.warmed.dropna()
    least = max(20, len(known) // 4)
    rank = known.rolling(252, min_periods=least).rank(pct=True).reindex(bars.index) - 0.5
    ret = np.log(bars["close"]).diff()
    frame = pd.DataFrame(
        {
            "y": log_vol.shift(-1),
            **{f"h{k}": log_vol.rolling(k).mean() for k in (1, 5, 22)},
            "vix": np.log(pd.read_parquet(whole / "vix.parquet").set_index("session")["value"]),
            "loss": ret.clip(upper=0.0).where(ret.notna()),
            "gex": rank,
        }
    )[counted].dropna()
    own = sm.OLS(frame["y"], sm.add_constant(frame.drop(columns="y"))).fit()
    assert fit.n == len(frame)
    assert fit.coefficient("gex").value == pytest.approx(own.params["gex"], rel=1e-8)


#: Inputs of which no hypothesis reads anything before the start, to what stands in their files.
_FROM_THE_START = {"minutes": "minutes.parquet", "other": "other.parquet"}


def test_hypotheses_from_a_start(whole: Path, sessions: pd.DatetimeIndex, tmp_path: Path) -> None:
    """Minutes and the other vendor's series cut at the start by hand change no hypothesis."""
    start, names = sessions[30], ["momentum-interaction", "close-reversal", "letf-rebalance",
                                  "screenshot-vs-dynamic", "vendor-parity"]  # fmt: skip
    _linked(whole, tmp_path, but=_FROM_THE_START)
    for name in _FROM_THE_START:
        frame = pd.read_parquet(whole / f"{name}.parquet")
        frame[pd.to_datetime(frame["session"]) >= start].to_parquet(
            tmp_path / f"{name}.parquet", index=False
        )
    mine, cut = (
        hypotheses_document(
            run_tests(
                names,
                _config(folder, start=start.date(), simulated=True),
                surrogates=60,
                simulations=0,
            )
        )
        for folder in (whole, tmp_path)
    )
    assert [d["n"] > 0 for d in mine] == [True] * len(names)
    assert [d | _OF_THE_FILES for d in mine] == [d | _OF_THE_FILES for d in cut]


def _cut_before(whole: Path, first: pd.Timestamp, folder: Path) -> Path:
    """Return a folder with every file of a market, the lake included, from a session on."""
    folder.mkdir()
    for name, column in _FILES.items():
        frame = pd.read_parquet(whole / f"{name}.parquet")
        frame[pd.to_datetime(frame[column]) >= first].to_parquet(
            folder / f"{name}.parquet", index=False
        )
    lake = open_lake(folder / "lake", create=True)
    files = open_lake(whole / "lake").chain_files("SIM")
    rows = pq.ParquetDataset([str(f) for f in files], partitioning=None).read()
    keep = [day >= first.date() for day in rows["session"].to_pylist()]
    write_sessions(lake, "SIM", rows.filter(keep))
    rebuild(lake, "SIM")
    return folder


#: Sessions before the start that are kept, the window of a rank, and whether they are all that the
#: strategies read: the close before the first session for rules, its values for a rank.
_KEPT = [(1, 0, True), (0, 0, False), (20, 20, True), (12, 20, False)]


@pytest.mark.parametrize(
    ("source", "kept", "window", "enough"),
    [
        pytest.param(source, *kept, marks=() if (source, i) == ("series", 0) else pytest.mark.slow)
        for source in ("lake", "series")
        for i, kept in enumerate(_KEPT)
    ],
)
def test_backtest_from_a_start(
    source: str, kept: int, window: int, enough: bool, whole: Path, sessions: pd.DatetimeIndex,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Every input cut by hand at once, but for what warms up: the whole of results and notices."""
    start = sessions[80]
    cut = _cut_before(whole, sessions[80 - kept], tmp_path / "cut")
    told = []
    for folder in (whole, cut):
        config = _config(folder, source, start=start.date(), simulated=True)
        if window:
            ranked = StrategyConfig(name="ranked", filter="percentile", window=window)
            config = config.model_copy(update={"strategies": (ranked,)})
        result = backtest(config)
        told.append((_told(results_document(result)), [asdict(n) for n in result.notices]))
    assert (told[0] == told[1]) is enough


@pytest.mark.slow
def test_tables_of_the_report_from_a_start(
    whole: Path, sessions: pd.DatetimeIndex, tmp_path: Path
) -> None:
    """64 sessions warm up what diagnostics trail; files and the truth of the market differ."""
    start = sessions[80].date()
    cut = _cut_before(whole, sessions[16], tmp_path / "cut")
    tables = []
    for folder in (whole, cut):
        config = _config(folder, start=start, simulated=True)
        page = report_page(backtest(config), config)
        tables.append({t.id: t for s in page.sections for t in s.tables})
    different = {name for name, table in tables[0].items() if table != tables[1].get(name)}
    assert different <= {"tab-provenance", "tab-truth"}, different
    assert set(tables[1]) <= set(tables[0])


def _linked(whole: Path, folder: Path, *, but: Any) -> None:
    """Give a folder the files of a market, as links."""
    for name in _FILES:
        if name not in but:
            (folder / f"{name}.parquet").symlink_to(whole / f"{name}.parquet")
    if "lake" not in but:
        (folder / "lake").symlink_to(whole / "lake")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DatetimeIndex]:
    """A market on which the hypotheses have data, from a start with a year before it."""
    folder = tmp_path_factory.mktemp("long")
    simulate("S1", years=3.1, seed=5, lake=folder / "lake", contracts=320, intraday=10,
             start=date(2020, 1, 2))  # fmt: skip
    rebuild(folder / "lake", "SIM")
    bars = pd.read_parquet(folder / "lake" / "bars.parquet")
    bars.to_parquet(folder / "bars.parquet", index=False)
    minutes = pd.read_parquet(folder / "lake" / "intraday.parquet")
    minutes.to_parquet(folder / "minutes.parquet", index=False)
    days = pd.DatetimeIndex(bars["session"])
    _write_series(folder, days, 3)
    return folder, days


#: Input to how many sessions before the start it reaches, and the hypotheses that reach further:
#: moving averages over 200 sessions, medians and quantiles of all that came before, and ranks over
#: 252 values of GEX.
_RANKED = {"vol-damping", "beyond-leverage", "era-split", "fragility-tail"}
_REACH: dict[str, tuple[int, set[str]]] = {
    "minutes": (0, set()),
    "other": (0, set()),
    "vix": (0, {"flip-placebo", "beyond-leverage"}),
    "funds": (1, set()),
    "bars": (22, {"fragility-tail", "flip-placebo"}),
    "lake": (1, _RANKED),
}
#: What a hypothesis says of the sessions that count. Its nulls are drawn along the whole path of
#: prices, whose length before the start moves the draws.
_COUNTED = ("estimate", "std_error", "t_stat", "n", "low", "high")


@pytest.mark.slow
@pytest.mark.parametrize("name", _REACH)
def test_sixteen_hypotheses_from_a_start(
    name: str, long: tuple[Path, pd.DatetimeIndex], tmp_path: Path
) -> None:
    """Each input cut by hand where its windows begin says the same as the start of the period."""
    whole, days = long
    at = 300
    reach, further = _REACH[name]
    first = days[at - reach]
    _linked(whole, tmp_path, but={name})
    if name == "lake":
        lake = open_lake(tmp_path / "lake", create=True)
        files = open_lake(whole / "lake").chain_files("SIM")
        rows = pq.ParquetDataset([str(f) for f in files], partitioning=None).read()
        keep = [day >= first.date() for day in rows["session"].to_pylist()]
        write_sessions(lake, "SIM", rows.filter(keep))
    else:
        frame = pd.read_parquet(whole / f"{name}.parquet")
        frame[pd.to_datetime(frame["session"]) >= first].to_parquet(
            tmp_path / f"{name}.parquet", index=False
        )
    start = days[at].date()
    mine, cut = (
        hypotheses_document(
            run_tests(
                None, _config(folder, start=start, simulated=True), surrogates=60, simulations=0
            )
        )
        for folder in (whole, tmp_path)
    )
    # the last session of this market has no two strikes with open interest near its close
    assert {d["name"] for d in mine if not d["n"]} <= {"pin-distance"}
    for one, other in zip(mine, cut, strict=True):
        if one["name"] not in further:
            told, wanted = (
                [np.nan if document[key] is None else document[key] for key in _COUNTED]
                for document in (one, other)
            )
            assert told == pytest.approx(wanted, rel=1e-7, nan_ok=True), one["name"]


def test_positions_cut_by_hand(tmp_path: Path) -> None:
    """Dealers' positions after the end act on nothing; nor do those before the start."""
    bars = write_lake(tmp_path, "XNYS", sessions=16)
    files = open_lake(tmp_path / "lake").chain_files("MKT")
    chains = pd.concat(pd.read_parquet(file) for file in files)
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -0.5})
    positions = chains[key].assign(position=sign * chains["open_interest"])
    start, end = bars["session"].iloc[3], bars["session"].iloc[-4]
    day = pd.to_datetime(positions["session"])
    positions.to_parquet(tmp_path / "all.parquet")
    positions[(day >= start) & (day <= end)].to_parquet(tmp_path / "cut.parquet")
    told = []
    for name in ("all", "cut"):
        document = {
            "data": {
                "lake": "lake", "underlying": "MKT", "instrument": "future",
                "bars": "bars.parquet", "start": start.date(), "end": end.date(),
            },
            "regime": {"dealer_model": "signed", "positions": f"{name}.parquet"},
            "inference": {"bootstrap": 100},
        }  # fmt: skip
        result = backtest(parse_config(document, tmp_path))
        told.append(_told(results_document(result)))
    assert told[0]["regime"]["counts"]["abstain"] == 0
    assert told[0] == told[1]
