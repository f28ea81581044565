"""The quality checks: quiet on clean sessions, loud on each kind of defect."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_defects import DEFECTS
from synthetic_chains import clean_market, table

from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.quality import looks
from gexlab.data.quality.check import check, coverage, findings, findings_frame
from gexlab.data.quality.finding import Finding
from gexlab.data.quality.messages import CHECKS
from gexlab.data.quality.thresholds import Thresholds


def look(chains: pd.DataFrame, folder: Path, bars: pd.DataFrame | None = None) -> list[Finding]:
    lake = open_lake(folder, create=True)
    write_sessions(lake, "SPX", table(chains))
    return findings(lake, "SPX", bars=bars, calendar="XNYS")


def alarms(found: list[Finding]) -> list[Finding]:
    return [f for f in found if f.severity != "info"]


def test_every_check_has_a_limit_and_a_meaning() -> None:
    assert {field.name for field in fields(Thresholds)} == set(CHECKS)
    assert all(c.meaning.endswith(".") and c.value for c in CHECKS.values())


def test_every_check_on_rows_is_planted() -> None:
    elsewhere = {
        "no_carry",
        "no_parity",
        "parity_outside_guard",
        "naive_single_stock",
        "expired_today",
        "unknown_deliverable",
        "spot_implied",
    }
    assert {d.check for d in DEFECTS.values()} == set(CHECKS) - elsewhere


@pytest.mark.parametrize("seed", range(2))
def test_clean_sessions_raise_no_alarm(tmp_path: Path, seed: int) -> None:
    chains, bars = clean_market(np.random.default_rng(seed))
    assert alarms(look(chains, tmp_path, bars)) == []


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_each_planted_defect_is_caught(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(sum(name.encode()))
    chains, bars = clean_market(rng, sessions=4)
    days = sorted(chains.session.unique())
    defect = DEFECTS[name]
    spoilt = defect.plant(chains, days[2], rng)
    found = look(spoilt, tmp_path, bars)
    shown = days[3] if defect.day_after else days[2]
    on = {f.session for f in found if f.check == defect.check}
    assert (shown in on) or (name == "holiday" and on)


def test_a_finding_counts_and_weighs(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(1), sessions=2)
    day = max(chains.session)
    rows = (chains.session == day) & (chains.strike == 5000) & (chains.expiry > day)
    spoilt = chains.copy()
    spoilt.loc[rows, "bid"] = -1.0
    [finding] = [f for f in look(spoilt, tmp_path) if f.check == "negative_quotes"]
    assert finding.session == day
    assert finding.count == rows.sum()
    assert finding.open_interest == chains.open_interest[rows].sum()
    assert finding.severity == "warning"
    share = rows.sum() / (chains.session == day).sum()
    assert finding.detail == f"share of rows: {share:.4g}, limit 0"


def test_limits_are_configuration(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(1), sessions=2)
    chains.loc[chains.session == max(chains.session), "multiplier"] = 10.0
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(chains))

    def names(limits: Thresholds) -> set[str]:
        return {f.check for f in findings(lake, "SPX", thresholds=limits, calendar="XNYS")}

    assert "multiplier_change" in names(Thresholds())
    assert "multiplier_change" not in names(replace(Thresholds(), multiplier_change=3.0))


def test_no_carry_needs_rates_of_zero_and_no_parity(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(1), sessions=2)
    chains[["bid", "ask"]] = np.nan
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(chains))

    def found(**definition: float) -> int:
        all_of_them = findings(lake, "SPX", calendar="XNYS", **definition)  # type: ignore[arg-type]
        return sum(f.check == "no_carry" for f in all_of_them)

    assert found(rate=0.0) == 2
    assert found(rate=0.04) == 0
    assert found() == 2  # as a rebuild: without rates they are 0


def test_naive_is_no_rule_for_single_stocks(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(1), sessions=1)
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(chains))

    def first(model: str, instrument: str) -> Finding:
        found = findings(lake, "SPX", calendar="XNYS", dealer_model=model, instrument=instrument)
        return found[0]

    assert first("naive", "share").check == "naive_single_stock"
    assert first("naive", "share").session is None
    assert first("signed", "share").check != "naive_single_stock"
    assert first("naive", "index").check != "naive_single_stock"


def test_blocks_do_not_change_what_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    chains, bars = clean_market(rng)
    day = sorted(chains.session.unique())[3]
    spoilt = DEFECTS["copied"].plant(chains, day, rng)
    whole = look(spoilt, tmp_path, bars)
    monkeypatch.setattr(looks, "_BLOCK_ROWS", 2000)
    monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "another"))
    assert look(spoilt, tmp_path, bars) == whole


def test_check_looks_at_all_underlyings(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(1), sessions=2)
    lake = open_lake(tmp_path, create=True)
    for name in ("SPX", "XSP"):
        write_sessions(lake, name, table(chains.assign(underlying=name)))
    result = check(lake)
    assert result.sessions == {"SPX": 2, "XSP": 2}
    assert set(result.findings) == {"SPX", "XSP"}
    assert result.counts()["error"] == 0
    assert check(lake, "XSP").sessions == {"XSP": 2}


def test_coverage_states_what_there_is(tmp_path: Path) -> None:
    chains, _ = clean_market(np.random.default_rng(2), sessions=3)
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(chains))
    frame = coverage(lake, "SPX").set_index("session")
    assert len(frame) == 3
    for day, rows in chains.groupby("session"):
        live = rows[rows.expiry_ts > rows.quote_ts]
        held = live[live.open_interest > 0]
        row = frame.loc[pd.Timestamp(str(day))]
        assert row.contracts == len(rows)
        assert row.live == len(live)
        assert row.expiries == live.expiry.nunique()
        assert row.open_interest == rows.open_interest.sum()
        assert row.volatility_known == live.iv.notna().mean()
        assert row.two_sided == ((live.bid > 0) & (live.ask >= live.bid)).mean()
        assert row.lowest_strike == pytest.approx(held.strike.min() / rows.spot.iloc[0], rel=1e-12)
        assert row.highest_strike == pytest.approx(held.strike.max() / rows.spot.iloc[0], rel=1e-12)


def test_findings_as_a_table() -> None:
    some = [Finding(date(2026, 8, 7), "two", "error", 3, math.nan, "x")]
    frame = findings_frame(some)
    assert list(frame.columns) == [
        "session", "check", "severity", "count", "open_interest", "detail",
    ]  # fmt: skip
    assert len(findings_frame([])) == 0
