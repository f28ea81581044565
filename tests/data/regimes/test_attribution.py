"""The parts of a change of net gamma: each against a plain formula, all against the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_rows import definition_of
from lakes import lake_of
from reference_book import SECONDS_PER_YEAR, Settings
from reference_calendar import expiry_moment, next_session, session_close
from reference_data import spx_2026, spx_2026_sessions
from reference_greeks import gamma
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import attribute_changes

BEFORE, AFTER = date(2023, 7, 10), date(2023, 7, 11)
EXPIRY = date(2023, 9, 29)
PARTS = (
    "expired",
    "spot",
    "time",
    "volatility",
    "forwards",
    "open_interest",
    "coverage",
    "residual",
)


def contract(**changed: Any) -> dict[str, Any]:
    usual = {
        "expiry": EXPIRY,
        "settlement": "PM",
        "strike": 100.0,
        "right": "C",
        "open_interest": 50.0,
        "iv": 0.2,
    }
    return usual | changed


def chain_of(session: date, spot: float, contracts: Sequence[dict[str, Any]]) -> pd.DataFrame:
    chain = pd.DataFrame(list(contracts))
    return chain.assign(
        underlying="SPX",
        session=session,
        quote_ts=session_close(session),
        expiry_ts=[expiry_moment(c["expiry"], c["settlement"]) for c in contracts],
        bid=math.nan,
        ask=math.nan,
        spot=spot,
        multiplier=100.0,
        known_at=session_close(session) + pd.Timedelta(hours=4),
    )


def years(session: date, expiry: date = EXPIRY) -> float:
    left = expiry_moment(expiry, "PM") - session_close(session)
    return float(left.total_seconds()) / SECONDS_PER_YEAR


def dollars(spot: float, strike: float, time: float, volatility: float, contracts: float) -> float:
    """Dollar gamma per 1 % of one line without carry."""
    per_unit = float(gamma(spot, spot, strike, time, volatility, 0.0))
    return per_unit * contracts * 100.0 * spot * spot * 0.01


def change_of(tmp_path: Path, *chains: pd.DataFrame, **chosen: Any) -> dict[Any, Any]:
    settings = Settings(**({"parity": False} | chosen))
    lake = lake_of(tmp_path, "SPX", *chains)
    rows = attribute_changes(lake, "SPX", book="as_of_close", definition=definition_of(settings))
    assert len(rows) == 1
    row: dict[Any, Any] = rows.to_dict("records")[0]
    return row


def test_time_alone(tmp_path: Path) -> None:
    found = change_of(
        tmp_path, chain_of(BEFORE, 100.0, [contract()]), chain_of(AFTER, 100.0, [contract()])
    )
    start = dollars(100.0, 100.0, years(BEFORE), 0.2, 50.0)
    end = dollars(100.0, 100.0, years(AFTER), 0.2, 50.0)
    assert found["before"] == pytest.approx(start, rel=1e-13)
    assert found["after"] == pytest.approx(end, rel=1e-13)
    assert found["time"] == pytest.approx(end - start, rel=1e-10)
    for name in PARTS:
        if name != "time":
            assert found[name] == pytest.approx(0.0, abs=1e-12 * start), name


def test_a_put_loses_by_open_interest_and_spot_in_either_order(tmp_path: Path) -> None:
    """Two factors beside time: each gets the mean over the orders, here written out."""
    found = change_of(
        tmp_path,
        chain_of(BEFORE, 100.0, [contract(right="P", strike=95.0)]),
        chain_of(AFTER, 97.0, [contract(right="P", strike=95.0, open_interest=80.0)]),
    )

    def net(spot: int, time: int, interest: int) -> float:
        session = (BEFORE, AFTER)[time]
        held = (50.0, 80.0)[interest]
        return -dollars((100.0, 97.0)[spot], 95.0, years(session), 0.2, held)

    spot = (
        2 * (net(1, 0, 0) - net(0, 0, 0))
        + (net(1, 1, 0) - net(0, 1, 0))
        + (net(1, 0, 1) - net(0, 0, 1))
        + 2 * (net(1, 1, 1) - net(0, 1, 1))
    ) / 6.0
    interest = (
        2 * (net(0, 0, 1) - net(0, 0, 0))
        + (net(1, 0, 1) - net(1, 0, 0))
        + (net(0, 1, 1) - net(0, 1, 0))
        + 2 * (net(1, 1, 1) - net(1, 1, 0))
    ) / 6.0
    assert found["spot"] == pytest.approx(spot, rel=1e-10)
    assert found["open_interest"] == pytest.approx(interest, rel=1e-10)
    assert found["volatility"] == pytest.approx(0.0, abs=1e-12 * abs(interest))


def test_what_expired_what_was_opened_and_what_cannot_be_told(tmp_path: Path) -> None:
    near = contract(expiry=AFTER, open_interest=7.0)
    opened = contract(strike=110.0, open_interest=9.0)
    blind = contract(strike=120.0, open_interest=11.0)
    before = chain_of(BEFORE, 100.0, [contract(), near, blind | {"iv": math.nan}])
    after = chain_of(AFTER, 100.0, [contract(), opened, blind])
    found = change_of(tmp_path, before, after)
    assert found["expired"] == pytest.approx(
        -dollars(100.0, 100.0, years(BEFORE, AFTER), 0.2, 7.0), rel=1e-12
    )
    assert found["open_interest"] == pytest.approx(
        dollars(100.0, 110.0, years(AFTER), 0.2, 9.0), rel=1e-12
    )
    assert found["coverage"] == pytest.approx(
        dollars(100.0, 120.0, years(AFTER), 0.2, 11.0), rel=1e-12
    )


def test_a_closed_position_is_open_interest(tmp_path: Path) -> None:
    other = contract(strike=90.0)
    before = chain_of(BEFORE, 100.0, [contract(), other])
    absent = chain_of(AFTER, 100.0, [other])
    zero = chain_of(AFTER, 100.0, [contract(open_interest=0.0), other])
    lost = -dollars(100.0, 100.0, years(BEFORE), 0.2, 50.0)
    for i, after in enumerate((absent, zero)):
        found = change_of(tmp_path / str(i), before, after)
        assert found["open_interest"] == pytest.approx(lost, rel=1e-10)
        assert found["coverage"] == 0.0


def test_carry_that_passes_with_time_is_not_a_change_of_forwards(tmp_path: Path) -> None:
    found = change_of(
        tmp_path,
        chain_of(BEFORE, 100.0, [contract()]),
        chain_of(AFTER, 103.0, [contract(iv=0.25)]),
        rate=0.05,
        dividend_yield=0.01,
    )
    assert found["forwards"] == pytest.approx(0.0, abs=1e-12 * found["gross"])
    assert found["volatility"] < 0.0  # less gamma near the money at a higher volatility


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("source", ["otm", "own"])
def test_parts_add_up_on_anything(tmp_path: Path, session: date, source: str) -> None:
    rng = np.random.default_rng(23)
    before = random_chain(rng, session, Oddities(roots_known=False))
    after = later_chain(rng, before, next_session(session))
    lake = lake_of(tmp_path, "SPX", before, after)
    definition = definition_of(Settings(rate=0.03, dividend_yield=0.01, iv_source=source))
    for book in ("as_of_close", "post_expiry"):
        (row,) = attribute_changes(lake, "SPX", book=book, definition=definition).to_dict("records")
        assert_adds_up(row)
        assert row["open_interest"] != 0.0


def later_chain(rng: np.random.Generator, before: pd.DataFrame, session: date) -> pd.DataFrame:
    """The same contracts a session later: some gone, amounts and volatilities changed."""
    close = session_close(session)
    after = before[(before["expiry_ts"] > close) & (rng.random(len(before)) < 0.9)].copy()
    after["open_interest"] = np.round(after["open_interest"] * rng.uniform(0.5, 1.5, len(after)))
    after["iv"] = after["iv"] * rng.uniform(0.9, 1.1, len(after))
    return after.assign(
        session=session,
        quote_ts=close,
        known_at=close + pd.Timedelta(hours=5),
        spot=before["spot"] * 1.01,
    )


def assert_adds_up(row: dict[Any, Any]) -> None:
    total = math.fsum(row[name] for name in PARTS)
    assert total == pytest.approx(row["after"] - row["before"], abs=1e-12 * row["gross"])
    assert abs(row["residual"]) <= 1e-9 * row["gross"]


def check_real(shared_data: Path, tmp_path: Path, sessions: list[date]) -> None:
    lake = lake_of(tmp_path, "SPX", *(spx_2026(shared_data, day) for day in sessions))
    definition = definition_of(Settings(rate=0.043, dividend_yield=0.012))
    for book in ("as_of_close", "post_expiry"):
        rows = attribute_changes(lake, "SPX", book=book, definition=definition)
        assert len(rows) == len(sessions) - 1
        for row in rows.to_dict("records"):
            assert_adds_up(row)
        assert (rows["residual"].abs() / rows["gross"]).max() <= 1e-13


def test_real_sessions_add_up(shared_data: Path, tmp_path: Path) -> None:
    check_real(shared_data, tmp_path, spx_2026_sessions(shared_data)[3:6])


@pytest.mark.slow
def test_all_real_sessions_add_up(shared_data: Path, tmp_path: Path) -> None:
    check_real(shared_data, tmp_path, spx_2026_sessions(shared_data))


def test_one_session_has_nothing_to_compare_with(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of(BEFORE, 100.0, [contract()]))
    assert attribute_changes(lake, "SPX").empty
    assert attribute_changes(lake, "SPX", last=BEFORE - timedelta(days=1)).empty
