"""The main strategies of several backtests as one book, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data import NotEnoughDataError, plain, short_repr, trading_calendar
from ..execution.timing import session_rows
from .combined_book import BookWeights, CombinedBook, combined_book

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..run.results import BacktestResult

__all__ = ["UnderlyingsBook", "book_of_underlyings", "underlyings_book_document"]


@dataclass(frozen=True, slots=True)
class UnderlyingsBook:
    """One book over the main strategies of several underlyings.

    Attributes
    ----------
    book : CombinedBook
        Its components are the underlyings.
    weights : str or mapping of str to float
        How the capital was divided.
    strategies : mapping of str to str
        Main strategy of each underlying.
    known : mapping of str to int
        Sessions in which each underlying has a return.
    shared : int
        Sessions in which all of them have one.
    left_out : tuple of str
        Underlyings without a result.
    year : int
        Sessions a year.
    level : float
        Coverage of the interval.
    """

    book: CombinedBook
    weights: BookWeights | Mapping[str, float]
    strategies: Mapping[str, str]
    known: Mapping[str, int]
    shared: int
    left_out: tuple[str, ...]
    year: int
    level: float
    __repr__ = short_repr


def book_of_underlyings(
    results: Mapping[str, BacktestResult],
    weights: BookWeights | Mapping[str, float] = "equal",
    *,
    left_out: Sequence[str] = (),
) -> UnderlyingsBook:
    """Return one book over the main strategy of each of several backtests.

    Each return is in the currency of its underlying; exchange rates act on none. A session in which
    some underlying's return is over missing bars counts in growth and drawdown, and not in Sharpe
    ratio, volatility and correlation, as in a backtest. Of calendars that differ the year is the
    longest.

    Parameters
    ----------
    results : mapping of str to BacktestResult
        By underlying.
    weights : {"equal", "inverse_volatility"} or mapping of str to float
        As for `combined_book`.
    left_out : sequence of str
        Underlyings that have no result; the others share the whole capital.

    Returns
    -------
    UnderlyingsBook

    Raises
    ------
    NotEnoughDataError
        If there is no result.
    UnknownNameError
        If a weight is of no underlying, or the weights' name is not known.
    """
    if not results:
        raise NotEnoughDataError("a backtest of at least one underlying")
    returns = pd.DataFrame({name: found.main.returns for name, found in results.items()})
    returns = returns.sort_index().rename_axis("session")
    longer = pd.Index([], dtype=returns.index.dtype)
    spanned: set[np.datetime64] = set()
    for found in results.values():
        rows = _rows(found)
        days = found.main.returns.index
        longer = longer.union(days[np.diff(rows) != 1])
        calendar = trading_calendar(found.data.calendar).sessions
        spanned.update(calendar[rows[0] + 1 : rows[-1] + 1])
    year = max(found.data.sessions_per_year for found in results.values())
    level = next(iter(results.values())).provenance.level
    book = combined_book(
        returns, weights, year=year, level=level,
        single=~returns.index.isin(longer), sessions=len(spanned),
    )  # fmt: skip
    there = returns.notna()
    return UnderlyingsBook(
        book,
        weights,
        {name: found.main.spec.name for name, found in results.items()},
        {name: int(there[name].sum()) for name in results},
        int(there.all(axis=1).sum()),
        tuple(left_out),
        year,
        level,
    )


def _rows(result: BacktestResult) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the place of each bar in the calendar, that of the first equity included."""
    days = pd.DatetimeIndex(result.main.equity.index)
    return session_rows(trading_calendar(result.data.calendar), days)


def underlyings_book_document(found: UnderlyingsBook) -> dict[str, Any]:
    """Return what a command says of a book over underlyings; undefined is None.

    Parameters
    ----------
    found : UnderlyingsBook

    Returns
    -------
    dict of str to object
        ``weights, known {names, sessions, shared}, left_out, underlyings, correlation, level,
        sessions_per_year`` and the metrics.
    """
    book = found.book
    document = {
        "weights": found.weights,
        "known": {
            "names": len(found.known),
            "sessions": len(book.returns),
            "shared": found.shared,
        },
        "left_out": list(found.left_out),
        "underlyings": {
            name: {
                "strategy": found.strategies[name],
                "sessions": sessions,
                "share": float(book.weights[name].mean()),
                "contribution": float(book.contribution[name]),
            }
            for name, sessions in found.known.items()
        },
        "correlation": {
            name: {other: float(row[other]) for other in found.known}
            for name, row in book.correlation.iterrows()
        },
        "level": found.level,
        "sessions_per_year": found.year,
        **{name: int(value) if name == "n" else value for name, value in book.metrics.items()},
    }
    said: dict[str, Any] = plain(document)
    return said
