"""What dealers trade: its sign in the four cases, its size against the twin."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_rows import definition_of
from lakes import lake_of
from reference_book import Settings, value_book
from reference_calendar import next_session, session_close
from reference_greeks import delta
from reference_moved import book_at
from reference_profile import dealer_positions, volatility_mover
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import hedge_flows
from gexlab.data.exposure.hedge_flow import HedgeFlow, Move, hedge_flow
from gexlab.data.lake.lake import Lake
from gexlab.data.regimes.session_evaluation import SessionEvaluation
from gexlab.data.regimes.sessions import evaluated_sessions, job_of

BEFORE = date(2023, 7, 10)


def one_option(right: str, *, expiry: date = date(2023, 9, 29)) -> pd.DataFrame:
    """Ten contracts at the money."""
    return pd.DataFrame(
        {
            "underlying": "SPX",
            "session": [BEFORE],
            "quote_ts": session_close(BEFORE),
            "expiry": expiry,
            "settlement": "PM",
            "expiry_ts": session_close(expiry),
            "strike": 100.0,
            "right": right,
            "open_interest": 10.0,
            "iv": 0.2,
            "bid": math.nan,
            "ask": math.nan,
            "spot": 100.0,
            "multiplier": 100.0,
            "known_at": session_close(BEFORE),
        }
    )


def evaluation_of(lake: Lake, settings: Settings, dealer: str) -> SessionEvaluation:
    job = job_of(lake, "SPX", definition_of(settings), dealer=dealer)
    return next(iter(evaluated_sessions(lake, job)))


def flow_of(
    tmp_path: Path,
    chain: pd.DataFrame,
    *,
    dealer: str = "naive",
    settings: Settings = Settings(),  # noqa: B008
    **move: Any,
) -> tuple[HedgeFlow, SessionEvaluation]:
    found = evaluation_of(lake_of(tmp_path, "SPX", chain), settings, dealer)
    book = found.results["as_of_close"].book
    there = Move(**({"spot": book.spot, "moment_us": book.valuation_us} | move))
    return hedge_flow(found.prepared, book, definition_of(settings), there), found


@pytest.mark.parametrize(
    ("right", "dealer", "buys_into_rise"),
    [
        ("C", "all_short", True),
        ("P", "all_short", True),
        ("C", "all_long", False),
        ("P", "all_long", False),
    ],
    ids=["short call", "short put", "long call", "long put"],
)
def test_the_four_cases(tmp_path: Path, right: str, dealer: str, buys_into_rise: bool) -> None:
    """Short gamma buys into a rise and sells into a fall; long gamma does the opposite."""
    chain = one_option(right)
    rise, found = flow_of(tmp_path / "up", chain, dealer=dealer, spot=103.0)
    fall, _ = flow_of(tmp_path / "down", chain, dealer=dealer, spot=97.0)
    assert (found.results["as_of_close"].net_gex < 0.0) == buys_into_rise
    assert (rise.dollars > 0.0) == buys_into_rise
    assert (fall.dollars < 0.0) == buys_into_rise


def test_a_short_call_by_hand(tmp_path: Path) -> None:
    """From 100 to 103 at once: N(d1) of both spots, a thousand shares short."""
    found, _ = flow_of(tmp_path, one_option("C"), dealer="all_short", spot=103.0)
    v = 0.2 * math.sqrt(81 / 365)

    def normal(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2.0))

    before, after = normal(v / 2), normal(math.log(1.03) / v + v / 2)
    assert found.delta_before == pytest.approx(-1000 * before, rel=1e-12)
    assert found.shares == pytest.approx(1000 * (after - before), rel=1e-11)
    assert found.dollars == pytest.approx(1000 * (after - before) * 103.0, rel=1e-11)


@pytest.mark.parametrize(("spot", "settled"), [(103.0, 1.0), (97.0, 0.0), (100.0, 0.5)])
def test_what_expires_is_followed_to_its_end_and_unwound(
    tmp_path: Path, spot: float, settled: float
) -> None:
    expiry = date(2023, 7, 11)
    end = round(session_close(expiry).timestamp() * 1e6)
    chain = one_option("C", expiry=expiry)
    found, _ = flow_of(tmp_path, chain, dealer="all_long", spot=spot, moment_us=end)
    assert found.delta_after == 1000 * settled
    assert found.unwind_dollars == 1000 * settled * spot


@pytest.mark.parametrize("session", SESSIONS[:2])
@pytest.mark.parametrize(
    "chosen",
    [
        Settings(rate=0.03, dividend_yield=0.01),
        Settings(iv_source="own"),
        Settings(iv_dynamics="sticky_moneyness"),
    ],
    ids=["carry", "own", "sticky_moneyness"],
)
def test_full_repricing_equals_the_twin(tmp_path: Path, session: date, chosen: Settings) -> None:
    chain = random_chain(np.random.default_rng(43), session, Oddities())
    moment = session_close(session) + pd.Timedelta(hours=12)  # nothing dies in the night
    spot, shift = float(chain["spot"].iloc[0]) * 1.02, 0.015
    found, _ = flow_of(
        tmp_path,
        chain,
        settings=chosen,
        spot=spot,
        moment_us=round(moment.timestamp() * 1e6),
        volatility_shift=shift,
    )
    start = value_book(chain, "as_of_close", chosen)
    used = start.contracts[start.contracts["used"]]
    before = shares(used, start.spot, used["volatility"].to_numpy(), chosen, 1.0)
    later = book_at(chain, moment, chosen)
    living = later.contracts[later.contracts["used"]]
    moved = volatility_mover(later, living)(math.log(spot / later.spot)) + shift
    after = shares(living, spot, moved, chosen, spot / later.spot)
    assert found.delta_before == pytest.approx(before, rel=1e-9)
    assert found.delta_after == pytest.approx(after, rel=1e-9)
    assert found.settled_delta == 0.0


def shares(
    used: pd.DataFrame, spot: float, volatility: Any, settings: Settings, lift: float
) -> float:
    forward, strike, years = (
        used[c].to_numpy(dtype=np.float64) for c in ("forward", "strike", "years")
    )
    is_call = (used["right"] == "C").to_numpy()
    each = delta(spot, forward * lift, strike, years, volatility, settings.rate, is_call=is_call)
    return float(np.sum(dealer_positions(used, "naive") * each))


def test_small_moves_follow_the_greeks(tmp_path: Path) -> None:
    """A basis point of spot, a minute, a hundredth of a volatility point: gamma, charm, vanna."""
    chain = random_chain(np.random.default_rng(47), SESSIONS[2], Oddities())
    chain = chain[chain["expiry"] > next_session(SESSIONS[2])]
    chosen = Settings(rate=0.03, dividend_yield=0.01)
    _, found = flow_of(tmp_path, chain, settings=chosen)
    result = found.results["as_of_close"]
    book, exposure = result.book, result.exposure

    def dollars(**move: Any) -> float:
        there = Move(**({"spot": book.spot, "moment_us": book.valuation_us} | move))
        return hedge_flow(found.prepared, book, definition_of(chosen), there).shares * book.spot

    gross = exposure.gross_gex
    up, down = dollars(spot=book.spot * 1.0001), dollars(spot=book.spot * 0.9999)
    assert (up - down) / 2 == pytest.approx(-exposure.net_gex * 0.01, abs=1e-7 * gross)
    minute = dollars(moment_us=book.valuation_us + 60_000_000)
    assert minute == pytest.approx(-float(exposure.charm.sum()) / 1440, rel=1e-3)
    up, down = dollars(volatility_shift=1e-4), dollars(volatility_shift=-1e-4)
    assert (up - down) / 2 == pytest.approx(-float(exposure.vanna.sum()) * 0.01, rel=1e-5)


def test_flow_of_a_session(tmp_path: Path) -> None:
    """The book of the evening before, moved to the close; a share of the volume of the bars."""
    lake, day = lake_of(tmp_path, "SPX", one_option("C")), date(2023, 7, 11)
    index = pd.DatetimeIndex([pd.Timestamp(BEFORE), pd.Timestamp(day)], name="session")
    bars = pd.DataFrame({"close": [100.0, 103.0], "volume": [9.0, 2_000.0]}, index=index)
    found = hedge_flows(lake, "SPX", bars, dealer="all_short")
    (row,) = found.to_dict("records")
    assert row["session"] == pd.Timestamp(day)
    assert row["known_at"] == session_close(day)
    assert row["dollar_volume"] == 206_000.0
    assert row["flow_dollars"] > 0.0
    assert row["flow_share"] == pytest.approx(row["flow_dollars"] / 206_000.0)
    assert row["gamma_dollars"] == pytest.approx(row["flow_dollars"], rel=0.3)
    assert row["unwind_dollars"] == 0.0
    known = pd.Series([1e6], index=index[1:])
    given = hedge_flows(lake, "SPX", bars, dealer="all_short", dollar_volume=known)
    assert given["flow_share"].iloc[0] == pytest.approx(row["flow_dollars"] / 1e6)
    without = hedge_flows(lake, "SPX", bars[["close"]], dealer="all_short")
    assert math.isnan(without["flow_share"].iloc[0])


def test_a_flow_is_not_known_before_its_chain(tmp_path: Path) -> None:
    late = session_close(date(2023, 7, 13))
    lake = lake_of(tmp_path, "SPX", one_option("C").assign(known_at=late))
    index = pd.DatetimeIndex([pd.Timestamp("2023-07-11")], name="session")
    found = hedge_flows(lake, "SPX", pd.DataFrame({"close": [103.0]}, index=index))
    assert found["known_at"].item() == late
