"""A book over expirations and over time, against the twin's books at other moments."""

from __future__ import annotations

import math
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from engine_rows import definition_of
from lakes import lake_of
from reference_book import Settings
from reference_book import value_book as twin_book
from reference_calendar import is_monthly, next_session, session_close, session_open
from reference_moved import state_at
from reference_profile import contract_exposures, dealer_positions
from small_chains import Oddities, random_chain

from gexlab.data.base.schema import Book
from gexlab.data.exposure.time_structure import BookState, TimeStructure
from gexlab.data.regimes.time_structure import time_structure

SETTINGS = Settings(rate=0.03, dividend_yield=0.01)
#: A Thursday before a monthly that Good Friday moves to it, and the Friday of a monthly.
SESSIONS = (date(2022, 4, 13), date(2022, 6, 17))


@lru_cache(maxsize=4)
def chain_of(session: date) -> pd.DataFrame:
    return random_chain(np.random.default_rng(41), session, Oddities())


def structure_of(tmp_path: Path, session: date, book: Book = "post_expiry") -> TimeStructure:
    lake = lake_of(tmp_path, "SPX", chain_of(session))
    found: TimeStructure = time_structure(
        lake, "SPX", session, book=book, definition=definition_of(SETTINGS), sessions=4
    )
    return found


def assert_state(found: BookState, chain: pd.DataFrame, moment: pd.Timestamp) -> None:
    spot = float(chain["spot"].iloc[0])
    net, gross, flip = state_at(chain, moment, spot, SETTINGS, "naive")
    assert found.moment == moment
    assert found.net_gex == pytest.approx(net, abs=1e-10 * gross, nan_ok=True)
    assert found.gross_gex == pytest.approx(gross, rel=1e-10)
    assert found.flip == pytest.approx(flip, rel=1e-8, nan_ok=True)


@pytest.mark.parametrize("session", SESSIONS)
def test_book_after_the_next_expiration(tmp_path: Path, session: date) -> None:
    """The next session's PM contracts are the first to die in the morning's book."""
    found = structure_of(tmp_path, session)
    assert found.after_next_expiration is not None
    assert_state(
        found.after_next_expiration, chain_of(session), session_close(next_session(session))
    )


def test_book_after_the_next_monthly(tmp_path: Path) -> None:
    """April 2022: Good Friday, so that the AM and PM monthlies die on the Thursday."""
    found = structure_of(tmp_path, SESSIONS[0])
    assert found.after_next_monthly is not None
    assert_state(found.after_next_monthly, chain_of(SESSIONS[0]), session_close(date(2022, 4, 14)))


def test_book_after_the_monthly_two_years_out(tmp_path: Path) -> None:
    """On the evening of a monthly the next one listed is that of January 2024: nothing is left."""
    found = structure_of(tmp_path, SESSIONS[1])
    assert found.after_next_monthly is not None
    assert_state(found.after_next_monthly, chain_of(SESSIONS[1]), session_open(date(2024, 1, 19)))
    assert found.after_next_monthly.gross_gex == 0.0


@pytest.mark.parametrize("book", ["post_expiry", "as_of_close"])
def test_decay(tmp_path: Path, book: Book) -> None:
    session = SESSIONS[0]
    found = structure_of(tmp_path, session, book)
    day = session if book == "as_of_close" else next_session(session)
    for state in found.decay:
        day = next_session(day)
        moment = session_open(day) if book == "post_expiry" else session_close(day)
        assert_state(state, chain_of(session), moment)
    assert len(found.decay) == 4


def test_0dte_alone(tmp_path: Path) -> None:
    session = SESSIONS[1]
    found, chain = structure_of(tmp_path, session), chain_of(session)
    today = chain[chain["expiry"] == next_session(session)]
    assert_state(found.zero_dte, today, session_open(next_session(session)))
    assert 0.0 < found.zero_dte.gross_gex < found.today.gross_gex


def test_by_expiry_and_roll_off(tmp_path: Path) -> None:
    session = SESSIONS[0]
    found = structure_of(tmp_path, session)
    book = twin_book(chain_of(session), "post_expiry", SETTINGS)
    used = book.contracts[book.contracts["used"]]
    amount, unit = dealer_positions(used, "naive"), contract_exposures(book, used)
    frame = used[["expiry", "settlement", "dies"]].assign(
        net=amount * unit, gross=np.abs(amount) * unit
    )
    sums = frame.groupby(["expiry", "settlement"])[["net", "gross"]].sum()
    assert [(e.expiry, e.settlement) for e in found.by_expiry] == list(sums.index)
    for mine, (_, wanted) in zip(found.by_expiry, sums.iterrows(), strict=True):
        assert mine.net_gex == pytest.approx(wanted["net"], rel=1e-9)
        assert mine.gross_gex == pytest.approx(wanted["gross"], rel=1e-9)
        assert mine.monthly == is_monthly(mine.expiry)
    dying = frame.groupby("dies")[["net", "gross"]].sum()
    assert [r.session for r in found.roll_off] == list(dying.index)
    total = frame["gross"].sum()
    for rolled, (_, wanted) in zip(found.roll_off, dying.iterrows(), strict=True):
        assert rolled.net_gex == pytest.approx(wanted["net"], rel=1e-9)
        assert rolled.share == pytest.approx(wanted["gross"] / total, rel=1e-9)
    assert math.fsum(r.share for r in found.roll_off) == pytest.approx(1.0)


def test_an_empty_book_has_nothing_to_follow(tmp_path: Path) -> None:
    session = SESSIONS[0]
    lake = lake_of(tmp_path, "SPX", chain_of(session).assign(open_interest=0.0))
    found = time_structure(lake, "SPX", session, sessions=1)
    assert found.today.regime == "abstain"
    assert found.by_expiry == ()
    assert found.roll_off == ()
    assert found.after_next_expiration is None
    assert found.after_next_monthly is None
    assert math.isnan(found.decay[0].net_gex)
