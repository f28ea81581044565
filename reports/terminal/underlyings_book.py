"""One book over several underlyings, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..page.formats import count, fixed, percent
from .tables import simple_table

if TYPE_CHECKING:
    from rich.console import Console

    from ...backtest import UnderlyingsBook

__all__ = ["show_underlyings_book"]

#: Underlyings whose correlations are shown one by one; of more the mean is said, and JSON has all.
_SIDE_BY_SIDE: Final = 8


def show_underlyings_book(console: Console, found: UnderlyingsBook) -> None:
    """Print shares, contributions and correlations of a book, and its metrics below.

    Parameters
    ----------
    console : Console
    found : UnderlyingsBook
    """
    book, names = found.book, list(found.known)
    beside = names if 1 < len(names) <= _SIDE_BY_SIDE else []
    numbers = ("sessions", "share", "contribution", *(f"corr. {name}" for name in beside))
    table = simple_table(
        "underlying", "main strategy", *numbers, right=numbers,
        title="One book of the main strategies: one capital, shared anew before each session",
    )  # fmt: skip
    correlation = book.correlation.loc[names, beside].to_numpy("float64")
    for name, row in zip(names, correlation, strict=True):
        table.add_row(
            name, found.strategies[name], count(found.known[name]),
            percent(float(book.weights[name].mean())), percent(float(book.contribution[name]), 2),
            *(fixed(float(value), 2) for value in row),
        )  # fmt: skip
    console.print(table)
    m = book.metrics
    ratio, low, high = (fixed(m[k], 2) for k in ("sharpe", "sharpe_low", "sharpe_high"))
    console.print(
        f"{len(names)} names, {count(len(book.returns))} sessions ({count(found.shared)} of all "
        f"names): Sharpe {ratio} [{low}, {high}], growth {percent(m['cagr'])} a year, volatility "
        f"{percent(m['volatility'])}, max drawdown {percent(m['max_drawdown'])}, mean correlation "
        f"{fixed(m['mean_correlation'], 2)}",
        markup=False,
    )
    if found.left_out:
        console.print(f"not in the book: {', '.join(found.left_out)}", style="red", markup=False)
