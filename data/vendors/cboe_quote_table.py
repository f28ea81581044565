"""Cboe's downloadable quote table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ..base.errors import InputFileError
from ..base.sql import load_sql
from .layout import OCC_ROOT, OCC_UNDERLYING
from .preset import InputFile, Preset, RawTable, Timing

if TYPE_CHECKING:
    import duckdb

__all__ = ["PRESET"]

_HEAD_BYTES: Final = 1 << 16
_SIDE: Final = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")
_HEADER: Final = ("Expiration Date", "Calls", *_SIDE, "Strike", "Puts", *_SIDE)
_LAST: Final = re.compile(r"\bLast: *\$?([0-9][0-9,]*\.?[0-9]*)")
_DATE: Final = re.compile(
    r"\bDate: *([A-Z][a-z]+ \d{1,2}, \d{4}) at (\d{1,2}:\d{2} [AP]M) +E[SD]?T\b"
)


@dataclass(frozen=True, slots=True)
class _Preamble:
    """What stands above the table: the spot, the printed moment, and how many lines to skip."""

    spot: float
    printed: datetime
    lines: int


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
    tables = []
    for file in files:
        head = _preamble(file)
        relation = connection.sql(
            load_sql("vendors/cboe_quote_table"),
            params={
                "files": [str(file.path)],
                "lines": head.lines,
                "spot": head.spot,
                "printed": head.printed,
            },
        )
        tables.append(RawTable(relation, (file,)))
    return tables


def _preamble(file: InputFile) -> _Preamble:
    with file.path.open("rb") as stream:
        text = stream.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith("Expiration Date,")), None)
    if at is None or at > 20:
        raise InputFileError(
            f"{file.label}: expected Cboe's quote table, with a header line that begins with "
            "'Expiration Date,Calls'; found none: download the table again, or choose another "
            "vendor"
        )
    names = tuple(name.strip() for name in lines[at].split(","))
    if names != _HEADER:
        raise InputFileError(
            f"{file.label}: expected the columns {', '.join(_HEADER)}; found "
            f"{', '.join(names)[:200]}: the format is not known, map it with --vendor columns"
        )
    above = " ".join(lines[:at])
    return _Preamble(_spot(above, file), _printed(above, file), at + 1)


def _spot(text: str, file: InputFile) -> float:
    found = _LAST.search(text)
    if found is None:
        raise InputFileError(
            f"{file.label}: expected the underlying's price ('Last: 3990.56') above the table, "
            "found none: download the table again"
        )
    return float(found[1].replace(",", ""))


def _printed(text: str, file: InputFile) -> datetime:
    found = _DATE.search(text)
    try:
        if found is None:
            raise ValueError
        local = datetime.strptime(f"{found[1]} {found[2]}", "%B %d, %Y %I:%M %p")  # noqa: DTZ007
    except ValueError as error:
        raise InputFileError(
            f"{file.label}: expected the moment of printing ('Date: December 12, 2022 at 8:30 PM "
            "EST') above the table, found none: download the table again"
        ) from error
    return local.replace(tzinfo=ZoneInfo("America/New_York"))


PRESET: Final = Preset(
    name="cboe_quote_table",
    doc=(
        "The quote table that Cboe's delayed-quotes page downloads as CSV: some lines with the "
        "underlying's last price and the moment of printing (New York), then a call and a put in "
        "each row. Volatility in decimals, 0 where there is none. A table printed after the close "
        "carries the close's quotes; one printed during the session those of its printing. The "
        "root in the option symbol decides AM or PM. A last sale of 0 is none."
    ),
    columns={
        "underlying": OCC_UNDERLYING,
        "quote_ts": "printed",
        "known_at": "printed",
        "root": OCC_ROOT,
        "expiry": "expiry",
        "strike": "strike",
        "right": "right",
        "open_interest": "open_interest",
        "volume": "volume",
        "bid": "bid",
        "ask": "ask",
        "last": "last",
        "iv": "iv",
        "delta": "delta",
        "gamma": "gamma",
        "spot": "spot",
    },
    constants={"multiplier": 100.0},
    timing=Timing(timezone="America/New_York", oi_lag_sessions=1, settlement="third_friday"),
    reader=_read,
    cites=(
        "Open interest is published once a day: OPRA prints that of the session before at about "
        "06:30 New York time (docs.thetadata.us, option open interest; MarketDataApp/documentation "
        "issue 173), and the table shows the figure of that morning all day. The table states the "
        "moment at which it was printed."
    ),
)
