"""Cboe's downloadable quote table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..base.date_dialect import moments_of
from ..base.errors import InputFileError
from ..base.sql import bound_sql
from .cboe_symbols import OLD_HEADER, old_table
from .layout import OCC_ROOT, OCC_UNDERLYING
from .vendor_preset import Dialect, InputFile, Preset, RawTable, Timing

if TYPE_CHECKING:
    import duckdb

__all__ = ["PRESET"]

_NEW_YORK: Final = "America/New_York"
_HEAD_BYTES: Final = 1 << 16
_SIDE: Final = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")
_HEADER: Final = ("Expiration Date", "Calls", *_SIDE, "Strike", "Puts", *_SIDE)
_SPELLED: Final = {"Vol": "Volume", "Open Int": "Open Interest"}
#: SPX (S&P 500 INDEX),2684.79,+2.17, as it was until 2019.
_FIRST: Final = re.compile(r"\),(\d[\d.]*),[-+]?[\d.]+")
_LAST: Final = re.compile(r"\bLast: *\$?([0-9][0-9,]*\.?[0-9]*)")
#: The moment stands after a word, with commas or 'at' before the time of day; until 2018 alone,
#: with an '@'.
_DATE: Final = re.compile(
    r"(?:\bDate: *([A-Z][a-z]{2,8} \d{1,2},? \d{4})(?:,? at|,)? +|([A-Z][a-z]{2} \d{2} \d{4}) @ )"
    r"(\d{1,2}:\d{2}(?: [AP]M)?) +E[SD]?T\b"
)


@dataclass(frozen=True, slots=True)
class _Preamble:
    """What stands above the table: the spot, the printed moment, and how many lines to skip."""

    spot: float
    printed: datetime
    lines: int
    old: bool = False


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
    tables = []
    for file in files:
        head = _preamble(file)
        if head.old:
            tables.append(_old(connection, file, head))
            continue
        given = {
            "files": [str(file.path)],
            "lines": head.lines,
            "spot": head.spot,
            "printed": head.printed,
        }
        query, given = bound_sql("vendors/cboe_quote_table", given)
        relation = connection.sql(query, params=given)
        tables.append(RawTable(relation, (file,)))
    return tables


def _preamble(file: InputFile) -> _Preamble:
    with file.path.open("rb") as stream:
        text = stream.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    starts = ("Expiration Date,", "Calls,")
    at = next((i for i, line in enumerate(lines) if line.startswith(starts)), None)
    if at is None or at > 20:
        raise InputFileError(
            f"{file.label}: expected Cboe's quote table, with a header line that begins with "
            "'Expiration Date,Calls'; found none: download the table again, or choose another "
            "vendor"
        )
    names = tuple(name.strip() for name in lines[at].rstrip(",").split(","))
    spelled = tuple(_SPELLED.get(name, name) for name in names)
    if spelled != _HEADER and names != OLD_HEADER:
        raise InputFileError(
            f"{file.label}: expected the columns {', '.join(_HEADER)}; found "
            f"{', '.join(names)[:200]}: the format is not known, map it with --vendor columns"
        )
    above = " ".join(lines[:at])
    old = names == OLD_HEADER
    return _Preamble(_spot(above, file), _printed(above, file), at + 1, old)


def _old(connection: duckdb.DuckDBPyConnection, file: InputFile, head: _Preamble) -> RawTable:
    """Return a table of the years before 2019."""
    import duckdb

    text = file.path.read_text(encoding="utf-8-sig", errors="replace")
    view = f"cboe_old_{uuid4().hex}"
    connection.register(view, old_table(text.splitlines()[head.lines :]))
    nothing = duckdb.ConstantExpression(None).cast("VARCHAR")
    relation = connection.view(view).select(
        duckdb.StarExpression(),
        *(nothing.alias(name) for name in ("iv", "delta", "gamma")),
        duckdb.ConstantExpression(head.spot).alias("spot"),
        duckdb.ConstantExpression(head.printed).alias("printed"),
        duckdb.ConstantExpression(0).alias("file_index"),
        duckdb.SQLExpression("row_number() OVER ()").alias("file_row"),
    )
    return RawTable(relation, (file,))


def _spot(text: str, file: InputFile) -> float:
    found = _LAST.search(text) or _FIRST.search(text)
    if found is None:
        raise InputFileError(
            f"{file.label}: expected the underlying's price ('Last: 3990.56') above the table, "
            "found none: download the table again"
        )
    return float(found[1].replace(",", ""))


def _printed(text: str, file: InputFile) -> datetime:
    found = _DATE.search(text)
    moments = (
        {} if found is None else moments_of([f"{found[1] or found[2]} {found[3]}"], zone=_NEW_YORK)
    )
    if not moments:
        raise InputFileError(
            f"{file.label}: expected the moment of printing ('Date: December 12, 2022 at 8:30 PM "
            "EST') above the table, found none: keep the lines above the header as they were "
            "downloaded"
        )
    return datetime.fromtimestamp(next(iter(moments.values())) / 1_000_000, UTC)


PRESET: Final = Preset(
    name="cboe_quote_table",
    doc=(
        "The quote table that Cboe's delayed-quotes page downloads as CSV: some lines with the "
        "underlying's last price and the moment of printing (New York), then a call and a put in "
        "each row. Volatility in decimals, 0 where there is none. A table printed after the close "
        "carries the close's quotes; one printed during the session those of its printing. The "
        "root in the option symbol decides AM or PM. A last sale of 0 is missing."
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
    timing=Timing(timezone="America/New_York", oi_lag_sessions=1, settlement="third_friday"),
    dialect=Dialect(order="MDY"),
    reader=_read,
    cites=(
        "Open interest is published once a day: OPRA prints that of the previous session at about "
        "06:30 New York time (docs.thetadata.us, option open interest; MarketDataApp/documentation "
        "issue 173), and the table shows the figure of that morning all day. The table states the "
        "moment at which it was printed."
    ),
)
