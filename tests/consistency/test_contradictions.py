"""Contradictions that no other test holds, and that the table of all of them is true."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contradictions import INSTANCES, KINDS, LOOKED_FOR
from small_markets import write_lake

from gexlab.backtest.hypotheses.datasets import traded_value
from gexlab.backtest.hypotheses.protocol import Dataset, Settings
from gexlab.backtest.hypotheses.registry import hypothesis
from gexlab.backtest.hypotheses.run import run_one
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.data.base.errors import CalendarError
from gexlab.data.calendar.market_facts import market_facts
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.reports.cli import app as cli
from gexlab.reports.page.report import report_page

TESTS = Path(__file__).resolve().parents[1]
_QUICK = Settings(resampling=Resampling(replications=99), surrogates=60)


# The table


def test_every_named_test_exists() -> None:
    lost = []
    for case in (*INSTANCES, *LOOKED_FOR):
        assert case.tests, case.what
        for named in case.tests:
            path, _, name = named.partition("::")
            file = TESTS / path
            source = file.read_text(encoding="utf-8") if file.is_file() else ""
            if not re.search(rf"^def {name}\(", source, re.MULTILINE):
                lost.append(named)
    assert not lost


def test_every_kind_was_gone_after() -> None:
    parts = {"A1", "A2", "A3", "B", "C1", "C2", "C3", "D1", "D2", "D3", "D4", "D5", "E"}
    assert {case.kind for case in INSTANCES} == parts | {"F1", "F2", "F3", "F4"}
    further = Counter(case.kind for case in LOOKED_FOR)
    assert set(further) == set(KINDS)
    assert min(further.values()) >= 3
    assert len({case.what for case in (*INSTANCES, *LOOKED_FOR)}) == len(INSTANCES) + len(
        LOOKED_FOR
    )


# A: the period


def _run(folder: Path, start: pd.Timestamp) -> tuple[Any, dict[str, Any]]:
    document = {
        "data": {
            "lake": "lake", "underlying": "MKT", "instrument": "future", "bars": "bars.parquet",
            "start": start.date(),
        },
        "inference": {"bootstrap": 100},
    }  # fmt: skip
    config = parse_config(document, folder)
    result = backtest(config)
    page = report_page(result, config)
    return result, {t.id: t for section in page.sections for t in section.tables}


@pytest.mark.slow
def test_what_is_wrong_before_the_start_is_not_told(tmp_path: Path) -> None:
    """Chains without open interest and missing bars before the start are nobody's business."""
    told = []
    for name, faults in (("sound", [12]), ("faulty", [2, 3, 12])):
        folder = tmp_path / name
        folder.mkdir()
        bars = write_lake(folder, "XNYS", sessions=16)
        days = bars["session"].dt.strftime("%Y-%m-%d")
        chains = pd.read_csv(folder / "chains.csv")
        chains.loc[chains["session"].isin(days.iloc[faults]), "oi"] = np.nan
        chains.to_csv(folder / "chains.csv", index=False)
        ingest(
            [str(folder / "chains.csv")], vendor="columns", underlying="MKT",
            lake=folder / "lake", mapping=folder / "map.toml",
        )  # fmt: skip
        rebuild(folder / "lake", "MKT")
        if name == "faulty":
            bars.drop(index=[1, 5]).to_parquet(folder / "bars.parquet", index=False)
        told.append(_run(folder, bars["session"].iloc[7]))
    (sound, tables), (faulty, others) = told
    counts = {n.code: n.count for n in faulty.notices}
    assert counts["abstaining_sessions"] == faulty.regime.counts["abstain"] == 1
    assert [(n.code, n.count, n.detail) for n in faulty.notices] == [
        (n.code, n.count, n.detail) for n in sound.notices
    ]
    assert others["tab-quality"] == tables["tab-quality"]
    assert others["tab-lake-findings"] == tables["tab-lake-findings"]
    assert others["tab-regimes"] == tables["tab-regimes"]


# C: identity


def test_a_rebuilt_lake_refuses_the_calendar_that_a_fresh_one_refuses(tmp_path: Path) -> None:
    write_lake(tmp_path, "XLON", sessions=8)
    lake = tmp_path / "lake"
    before = regimes(lake, "MKT")
    with pytest.raises(CalendarError, match="contradicts"):
        rebuild(lake, "MKT", calendar="24/7")
    assert rebuild(lake, "MKT").rebuilt == 0
    pd.testing.assert_frame_equal(regimes(lake, "MKT"), before)


# E: constants


def _pinned(calendar: str) -> Dataset:
    """Closes near strikes at the monthly expirations of a calendar, anywhere otherwise."""
    known = trading_calendar(calendar)
    first = known.position(pd.Timestamp("2015-01-05").date(), at_or_before=True)
    days = known.sessions[first : first + 1_200]
    rng = np.random.default_rng(19)
    close = 9_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.008, len(days))))
    months = pd.period_range("2015-01", "2019-12", freq="M")
    monthly = {known.monthly_expiration(m.year, m.month) for m in months}
    there = np.array([day in monthly for day in days.tolist()])
    near = np.rint(close / 50.0) * 50.0 + rng.uniform(-6.0, 6.0, len(days))
    close = np.where(there, near, close)
    index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="session")
    bars = pd.DataFrame(
        {"open": close, "high": close * 1.004, "low": close * 0.996, "close": close}, index=index
    )
    gex = pd.Series(rng.normal(1.0, 1.0, len(days)), index=index)
    table = pd.DataFrame({"flip": np.nan}, index=index)
    facts = market_facts(calendar)
    return Dataset(bars=bars, gex=gex, table=table, strike_step=50.0, facts=facts)


@pytest.mark.parametrize("calendar", ["XTAI", "XBOM"])
def test_pins_are_looked_for_at_the_markets_own_expirations(calendar: str) -> None:
    own = _pinned(calendar)
    found = run_one(hypothesis("pin-distance"), own, _QUICK)
    assert found.verdict == "supported", found.reason
    assert found.reason.count("58 expirations") == 1 or "59 expirations" in found.reason
    elsewhere = run_one(hypothesis("pin-distance"), replace(own, facts=market_facts()), _QUICK)
    assert elsewhere.verdict == "not supported"


@pytest.mark.parametrize(
    ("underlying", "value"), [("SPX", 400e9), ("NIFTY", None), ("TXO", None), ("BTC", None)]
)
def test_value_traded_is_known_of_the_sp_500_alone(underlying: str, value: float | None) -> None:
    document: dict[str, Any] = {
        "data": {"underlying": underlying, "bars": "bars.parquet", "instrument": "index"},
        "regime": {"source": "series", "series": {"path": "gex.parquet", "known": "next_open"}},
    }
    found = traded_value(parse_config(document))
    assert (found == value) if value is not None else np.isnan(found)
    document["data"]["traded_value"] = 3e9
    assert traded_value(parse_config(document)) == 3e9


# F: sentences


def test_the_terminal_names_each_hypothesis_that_needs_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lake(tmp_path, "24/7", sessions=50)
    (tmp_path / "run.toml").write_text(
        '[data]\nlake = "lake"\nunderlying = "MKT"\ninstrument = "future"\n'
        'bars = "bars.parquet"\n[inference]\nbootstrap = 100\n',
        encoding="utf-8",
    )
    names = ["momentum-split", "vendor-parity", "letf-rebalance", "fade-follow"]
    words = [*names, str(tmp_path / "run.toml"), "--out", str(tmp_path / "tests")]
    assert cli.run(["test", *words]) == 0
    said = capsys.readouterr().out
    for name in names[:3]:
        assert re.search(rf"^{name} needs: ", said, re.MULTILINE)
    assert "3 needs data" in said
    assert said.startswith("4 hypotheses on 50 sessions with GEX")
    assert not re.search(r"^fade-follow needs", said, re.MULTILINE)


def test_all_hypotheses_on_fifty_sessions() -> None:
    import markets

    from gexlab.backtest.hypotheses.registry import hypothesis_names

    dataset = markets.market(50, 3)
    close = dataset.bars["close"]
    side = np.where(np.arange(50) % 5 < 2, 1.01, 0.99)
    table = pd.DataFrame({"flip": close * side, "pin_strike": close.round(-1)})
    legs = pd.DataFrame({"call": dataset.gex.abs() + 2.0, "put": dataset.gex.abs() + 1.0})
    short = replace(dataset, table=table, legs=legs, strike_step=10.0)
    for name in hypothesis_names():
        result = run_one(hypothesis(name), short, _QUICK)
        assert "unexpected" not in result.verdict, (name, result.verdict)
        assert result.verdict.split(":")[0] in ("supported", "not supported", "needs data")


def test_pins_without_strikes_do_not_ask_for_the_lake_that_is_there() -> None:
    there = replace(_pinned("XTAI"), strike_step=float("nan"))
    said = run_one(hypothesis("pin-distance"), there, _QUICK).verdict
    assert said.startswith("needs data: neighbouring strikes")
    assert "regime.source" not in said
    absent = run_one(hypothesis("pin-distance"), replace(there, table=None), _QUICK).verdict
    assert "chains (regime.source = lake)" in absent


def test_a_reason_has_one_interval_of_its_estimate() -> None:
    """What else the reason of a regression says of the estimate is called by its name."""
    import markets

    result = run_one(hypothesis("momentum-split"), markets.market(300, 3), _QUICK)
    assert result.outcome is not None
    intervals = re.findall(r"\([-+\d.]+ to [-+\d.]+\)", result.reason)
    assert len(intervals) == 1
    assert "1.96 of its errors reach from" in result.reason
