"""One book over the main strategies of several underlyings, by hand."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from gexlab.backtest import (
    BacktestResult,
    UnderlyingsBook,
    book_of_underlyings,
    underlyings_book_document,
)
from gexlab.data import NotEnoughDataError, UnknownNameError, trading_calendar
from gexlab.reports.terminal.underlyings_book import show_underlyings_book

CALENDAR = trading_calendar("XNYS")
FIRST = CALENDAR.position(pd.Timestamp("2024-01-03").date())


def ran(rows: list[int], returns: list[float], name: str = "fade") -> BacktestResult:
    """Return what the book reads of a backtest with bars in these sessions."""
    days = pd.DatetimeIndex(CALENDAR.sessions[[FIRST + row for row in rows]].astype("M8[ns]"))
    main = SimpleNamespace(
        returns=pd.Series(returns, days[1:]),
        equity=pd.Series(1e6, days),
        spec=SimpleNamespace(name=name),
    )
    data = SimpleNamespace(calendar="XNYS", sessions_per_year=252)
    said = SimpleNamespace(main=main, data=data, provenance=SimpleNamespace(level=0.95))
    return cast("BacktestResult", said)


def two() -> UnderlyingsBook:
    """Return a book of A, and of B whose third session has no bar."""
    first = ran([0, 1, 2, 3, 4], [0.02, 0.04, 0.0, 0.01])
    return book_of_underlyings(
        {"A": first, "B": ran([0, 1, 3, 4], [-0.02, 0.03, 0.01], "follow")}, left_out=["C"]
    )


def test_two_names_by_hand() -> None:
    """Half of each; the return of B over two sessions is in the growth and not in the ratio."""
    found = two()
    assert list(found.book.returns) == pytest.approx([0.0, 0.02, 0.015, 0.01])
    said = underlyings_book_document(found)
    assert said["known"] == {"names": 2, "sessions": 4, "shared": 3}
    assert said["left_out"] == ["C"]
    assert said["underlyings"] == {
        "A": {"strategy": "fade", "sessions": 4, "share": 0.5,
              "contribution": pytest.approx(0.035)},
        "B": {"strategy": "follow", "sessions": 3, "share": 0.5,
              "contribution": pytest.approx(0.01)},
    }  # fmt: skip
    # 0, .02 and .01: a mean of .01 and a deviation of .01
    assert (said["n"], said["sharpe"]) == (3, pytest.approx(252**0.5))
    assert said["volatility"] == pytest.approx(0.01 * 252**0.5)
    assert said["cagr"] == pytest.approx((1.02 * 1.015 * 1.01) ** (252 / 4) - 1)
    assert said["max_drawdown"] == 0.0
    assert said["correlation"]["A"]["B"] is None  # three sessions are too few for one
    assert said["mean_correlation"] is None


def test_correlation_and_given_weights() -> None:
    steps = np.random.default_rng(1).normal(0, 0.01, 40)
    rows = list(range(41))
    runs = {"A": ran(rows, list(steps)), "B": ran(rows, list(-steps / 2))}
    said = underlyings_book_document(book_of_underlyings(runs))
    assert said["correlation"]["B"] == {"A": pytest.approx(-1), "B": pytest.approx(1)}
    assert said["mean_correlation"] == pytest.approx(-1)
    assert said["sharpe"] == pytest.approx(steps.mean() / steps.std(ddof=1) * 252**0.5)
    # without its tenth bar, B has a return over two sessions, which nothing of A is like
    gap = [*list(-steps[:9] / 2), 0.5, *list(-steps[11:] / 2)]
    holed = {"A": runs["A"], "B": ran([row for row in rows if row != 10], gap)}
    found = underlyings_book_document(book_of_underlyings(holed))
    assert (found["mean_correlation"], found["known"]["shared"]) == (pytest.approx(-1), 39)
    given = book_of_underlyings(runs, {"B": 1.0})
    np.testing.assert_allclose(given.book.returns, -steps / 2)
    with pytest.raises(UnknownNameError, match="unknown component"):
        book_of_underlyings(runs, {"C": 1.0})
    with pytest.raises(NotEnoughDataError):
        book_of_underlyings({})


@pytest.mark.parametrize(("shared", "expected"), [(20, None), (21, pytest.approx(1))])
def test_twenty_one_shared_sessions_make_a_correlation(shared: int, expected: Any) -> None:
    steps = list(np.random.default_rng(2).normal(0, 0.01, 30))
    later = ran(list(range(30 - shared, 31)), steps[30 - shared :])
    found = book_of_underlyings({"A": ran(list(range(31)), steps), "B": later})
    said = underlyings_book_document(found)
    assert (said["known"]["shared"], said["mean_correlation"]) == (shared, expected)


def test_the_book_on_a_terminal() -> None:
    out = io.StringIO()
    show_underlyings_book(Console(file=out, width=160), two())
    said: Any = " ".join(out.getvalue().split())
    assert "A fade 4 50.0 % 3.50 %" in said
    assert "2 names, 4 sessions (3 of all names): Sharpe 15.87 [" in said
    assert "not in the book: C" in said
