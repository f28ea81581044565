"""Cboe's quote tables of the years before 2019: the contract stands in one cell of text."""

from __future__ import annotations

import csv
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OLD_HEADER", "old_table"]

_SIDE: Final = ("Last Sale", "Net", "Bid", "Ask", "Vol", "Open Int")
OLD_HEADER: Final = ("Calls", *_SIDE, "Puts", *_SIDE)
#: 18 Dec 2700.00 (SPX1821L2700-E): root, year, day, a letter for right and month, strike, exchange.
_CONTRACT: Final = re.compile(r".*\((.+?)(\d{2})(\d{2})([A-X])(\d+(?:\.\d+)?)(?:-(\w))?\)")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWX"
_COLUMNS: Final = (
    "contract", "right", "expiry", "strike", "last", "bid", "ask", "volume", "open_interest",
)  # fmt: skip


def old_table(lines: Iterable[str]) -> Any:
    """Return the contracts of an old table, the call of a row first.

    Parameters
    ----------
    lines : iterable of str
        Below the header.

    Returns
    -------
    pyarrow.Table
        Text; columns of `cboe_quote_table`'s rows. Rows of single exchanges, which repeat the
        consolidated ones, have a contract of another root.
    """
    rows = []
    for cells in csv.reader(lines):
        for side in (cells[:7], cells[7:14]):
            row = _row(side)
            if row is not None:
                rows.append(row)
    columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
    return pa.table(
        {n: pa.array(list(c), pa.string()) for n, c in zip(_COLUMNS, columns, strict=True)}
    )


def _row(cells: list[str]) -> tuple[str | None, ...] | None:
    found = _CONTRACT.match(cells[0]) if len(cells) == 7 else None
    if found is None:
        return None
    root, year, day, letter, strike, exchange = found.groups()
    place = _LETTERS.index(letter)
    try:
        expiry = date(2000 + int(year), place % 12 + 1, int(day))
    except ValueError:
        return None
    right = "C" if place < 12 else "P"
    name = root if exchange in (None, "E") else f"{root}_{exchange}"
    symbol = f"{name[:6]}{expiry:%y%m%d}{right}{round(float(strike) * 1000):08d}"
    last, _, bid, ask, volume, interest = cells[1:]
    sold = None if last in ("0", "0.0") else last
    return symbol, right, expiry.isoformat(), strike, sold, bid, ask, volume, interest
