"""The three header lines of yfinance: names of prices, tickers, and the name of the date."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from ..base.errors import InputFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["three_headers"]


def three_headers(path: Path) -> list[str] | None:
    """Return the columns of a table that yfinance wrote with three header lines, else None.

    Raises
    ------
    InputFileError
        If it holds several tickers side by side.
    """
    if path.suffix.lower() not in (".csv", ".txt", ".tsv"):
        return None
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        first, second, third = (next(csv.reader([stream.readline()]), []) for _ in range(3))
    if not first or first[0] != "Price" or not second or second[0] != "Ticker":
        return None
    if len(set(second[1:])) > 1:
        raise InputFileError(
            f"{path}: yfinance's three header lines name several tickers "
            f"({', '.join(dict.fromkeys(second[1:]))[:100]}): download one at a time, with "
            "multi_level_index=False"
        )
    return [third[0] if third and third[0] else "Date", *first[1:]]
