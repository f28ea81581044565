"""The morning's book at every bar, against the twin and against the frozen book."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from engine_rows import definition_of
from hypothesis import given
from hypothesis import strategies as st
from lakes import lake_of
from property_search import examples
from reference_book import Settings
from reference_calendar import next_session, session_close, session_open
from reference_moved import state_at
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data.base.errors import InputFileError, LakeError
from gexlab.data.exposure.profile_kernel import Mixture, net_and_gross_at
from gexlab.data.exposure.repricing import moved, reprice
from gexlab.data.regimes.intraday_recheck import intraday_regimes
from gexlab.data.regimes.sessions import evaluated_sessions, job_of

WITH_CARRY = Settings(rate=0.03, dividend_yield=0.01)
MOVES = (0.0, 0.004, -0.011, 0.03, -0.06, 0.002)


def bars_of(day: date, spot: float, count: int = 6) -> pd.DataFrame:
    """Bars of 65 minutes from the open on; the last one ends at the close of a whole day."""
    starts = [session_open(day) + pd.Timedelta(minutes=65 * i) for i in range(count)]
    starts = [start for start in starts if start < session_close(day)]
    closes = [spot * math.exp(move) for move in MOVES[: len(starts)]]
    return pd.DataFrame({"session": pd.Timestamp(day), "ts": starts, "close": closes})


@pytest.mark.parametrize("session", SESSIONS[:4])
@pytest.mark.parametrize(
    "chosen",
    [WITH_CARRY, Settings(iv_source="own"), Settings(iv_dynamics="sticky_moneyness")],
    ids=["carry", "own", "sticky_moneyness"],
)
def test_every_bar_equals_the_twin(tmp_path: Path, session: date, chosen: Settings) -> None:
    chain = random_chain(np.random.default_rng(17), session, Oddities())
    lake, day = lake_of(tmp_path, "SPX", chain), next_session(session)
    bars = bars_of(day, float(chain["spot"].iloc[0]))
    found = intraday_regimes(lake, "SPX", bars, definition=definition_of(chosen)).frame
    assert len(found) == len(bars)
    for start, spot, row in zip(bars["ts"], bars["close"], found.itertuples(), strict=True):
        moment = min(start + pd.Timedelta(minutes=65), session_close(day))
        net, gross, flip = state_at(chain, moment, spot, chosen, "naive")
        assert row.close_ts == moment
        assert row.net_gex == pytest.approx(net, abs=1e-10 * gross)
        assert row.gross_gex == pytest.approx(gross, rel=1e-10)
        assert row.flip == pytest.approx(flip, rel=1e-8, nan_ok=True)
        assert row.flip_distance == pytest.approx(math.log(spot / flip), abs=1e-8, nan_ok=True)


@pytest.mark.parametrize("dynamics", ["sticky_strike", "sticky_moneyness"])
def test_unmoved_book_equals_the_frozen_one(tmp_path: Path, dynamics: str) -> None:
    chain = random_chain(np.random.default_rng(5), SESSIONS[0], Oddities())
    definition = definition_of(Settings(iv_dynamics=dynamics))
    lake = lake_of(tmp_path, "SPX", chain)
    (evaluation,) = evaluated_sessions(lake, job_of(lake, "SPX", definition))
    for name, result in evaluation.results.items():
        moment = np.array([evaluation.context.valuations[name]])
        state = reprice(evaluation.prepared, definition, moment, np.array([result.book.spot]))
        assert state.net_gex[0] == pytest.approx(result.net_gex, rel=1e-12)
        assert state.gross_gex[0] == pytest.approx(result.gross_gex, rel=1e-12)
        flip = result.flip.level if result.flip else math.nan
        assert state.flip[0] == pytest.approx(flip, rel=1e-8, nan_ok=True)


def test_0dte_is_gone_at_the_close_and_alive_before(tmp_path: Path) -> None:
    """One call that dies at the next session's close: gamma until then, nothing after."""
    session, day = date(2023, 7, 10), date(2023, 7, 11)
    lake = lake_of(tmp_path, "SPX", one_call(session, day))
    found = intraday_regimes(lake, "SPX", bars_of(day, 100.0)).frame
    assert (found["gross_gex"].to_numpy()[:-1] > 0.0).all()
    last = found.iloc[-1]
    assert last["close_ts"] == session_close(day)
    assert last["gross_gex"] == 0.0
    assert math.isnan(last["net_gex"])
    assert last["regime"] == "abstain"
    # The first bar ends 325 minutes before the close: T = 325 / 525,600 years, d1 = v / 2.
    v = 0.2 * math.sqrt(325 / 525_600)
    density = math.exp(-v * v / 8.0) / math.sqrt(2.0 * math.pi)
    assert found["net_gex"].iloc[0] == pytest.approx(10 * 100 * density / (100 * v) * 100**2 * 0.01)


def one_call(session: date, expiry: date) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "underlying": "SPX",
            "session": [session],
            "quote_ts": session_close(session),
            "expiry": expiry,
            "settlement": "PM",
            "expiry_ts": session_close(expiry),
            "strike": 100.0,
            "right": "C",
            "open_interest": 10.0,
            "iv": 0.2,
            "bid": math.nan,
            "ask": math.nan,
            "spot": 100.0,
            "multiplier": 100.0,
            "known_at": session_open(expiry) + pd.Timedelta(minutes=90),
        }
    )


def test_a_bar_is_not_known_before_its_chain(tmp_path: Path) -> None:
    """The chain became public 90 minutes after the open: bars that end earlier wait for it."""
    day = date(2023, 7, 11)
    lake = lake_of(tmp_path, "SPX", one_call(date(2023, 7, 10), day))
    found = intraday_regimes(lake, "SPX", bars_of(day, 100.0)).frame
    minutes = (found["known_at"] - session_open(day)).dt.total_seconds() / 60.0
    assert minutes.tolist() == [90.0, 130.0, 195.0, 260.0, 325.0, 390.0]


def test_later_bars_change_nothing(tmp_path: Path) -> None:
    chain = random_chain(np.random.default_rng(3), SESSIONS[0], Oddities())
    lake, day = lake_of(tmp_path, "SPX", chain), next_session(SESSIONS[0])
    bars = bars_of(day, float(chain["spot"].iloc[0]))
    whole = intraday_regimes(lake, "SPX", bars).frame
    cut = intraday_regimes(lake, "SPX", bars.head(3)).frame
    pd.testing.assert_frame_equal(whole.head(3), cut)


def test_sessions_without_a_book_are_counted(tmp_path: Path) -> None:
    chain = random_chain(np.random.default_rng(3), SESSIONS[0], Oddities())
    lake, day = lake_of(tmp_path, "SPX", chain), next_session(SESSIONS[0])
    spot = float(chain["spot"].iloc[0])
    later = bars_of(next_session(next_session(day)), spot)
    found = intraday_regimes(lake, "SPX", pd.concat([bars_of(day, spot), later]))
    assert (found.sessions, found.without_book) == (1, 1)
    with pytest.raises(LakeError, match="no session of the bars"):
        intraday_regimes(lake, "SPX", later)


def test_bars_of_another_instrument_are_refused(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", one_call(date(2023, 7, 10), date(2023, 7, 11)))
    with pytest.raises(InputFileError, match="expected prices near the chain's spot 100"):
        intraday_regimes(lake, "SPX", bars_of(date(2023, 7, 11), 10.0))


@examples(50)
@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.integers(0, 2**32 - 1))
def test_a_moved_mixture_is_the_same_function(move: float, u: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(0.1, 9.0, 20)
    mixture = Mixture(
        rng.normal(0.0, 0.1, 20),
        1.0 / rng.uniform(0.05, 0.5, 20),
        sizes * rng.choice([-1.0, 1.0], 20),
        sizes,
    )
    there = net_and_gross_at(u + move, *_terms(mixture))
    seen = net_and_gross_at(u, *_terms(moved(mixture, move)))
    np.testing.assert_allclose(seen, there, rtol=1e-11, atol=1e-13 * there[1])


def _terms(mixture: Mixture) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return mixture.centre, mixture.inverse_width, mixture.net, mixture.gross


def test_a_gate_that_fails_in_the_morning_is_no_regime_at_any_bar(tmp_path: Path) -> None:
    """A chain that repeats the session before it: numbers there are, and no regime."""
    before = random_chain(np.random.default_rng(17), SESSIONS[0], Oddities())
    second = next_session(SESSIONS[0])
    step = session_close(second) - session_close(SESSIONS[0])
    copy = before.assign(
        session=second, quote_ts=before["quote_ts"] + step, known_at=before["known_at"] + step
    )
    day = next_session(second)
    found = {}
    for name, chains in (("sound", [before]), ("copy", [before, copy])):
        lake = lake_of(tmp_path / name, "SPX", *chains)
        on = second if name == "sound" else day
        found[name] = intraday_regimes(
            lake, "SPX", bars_of(on, float(before["spot"].iloc[0]))
        ).frame
    assert len(found["copy"]) == 6
    assert found["copy"]["net_gex"].notna().all()
    assert set(found["copy"]["regime"]) == {"abstain"}
    assert "abstain" not in set(found["sound"]["regime"])
