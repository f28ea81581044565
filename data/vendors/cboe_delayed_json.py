"""Cboe's delayed quotes as JSON: what the collector stores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..base.errors import InputFileError
from ..base.sql import bound_sql
from .layout import OCC_ROOT, OCC_UNDERLYING
from .vendor_preset import InputFile, Preset, RawTable, Sql, Timing

if TYPE_CHECKING:
    import duckdb

__all__ = ["PRESET"]


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
    return [_contracts(connection, file, f"cboe_delayed_{uuid4().hex}") for file in files]


def _contracts(connection: duckdb.DuckDBPyConnection, file: InputFile, table: str) -> RawTable:
    import duckdb

    query, given = bound_sql("vendors/cboe_delayed_json", {"files": [str(file.path)]})
    found = connection.sql(query, params=given)
    try:
        # the file is one object: reading it as a whole finds out whether it is complete
        found.create(table)
    except duckdb.Error as error:
        raise InputFileError(
            f"{file.label}: expected Cboe's delayed quotes, {{'timestamp', 'data': {{'options': "
            f"[...]}}}}; found something else ({_reason(error)}): download it again"
        ) from error
    return RawTable(connection.table(table), (file,))


def _reason(error: Exception) -> str:
    """Return what DuckDB says, without the name of a temporary copy."""
    return re.sub(r' in file "[^"]*",?', "", str(error).splitlines()[0])[:300]


PRESET: Final = Preset(
    name="cboe_delayed_json",
    doc=(
        "The JSON that Cboe's delayed-quotes page loads (_SPX.json): one object with the stamp of "
        "the file (UTC), the underlying's price and its last trade (New York time), and one entry "
        "per contract. Quotes are those of the underlying's last trade, at the latest the close; "
        "the rows are known from the stamp on. Volatility in decimals, 0 where there is none. The "
        "root in the option symbol decides AM or PM. A last trade price of 0 is missing."
    ),
    columns={
        "underlying": OCC_UNDERLYING,
        "quote_ts": "quoted",
        "known_at": "stamp",
        "root": OCC_ROOT,
        "expiry": Sql("CAST(try_strptime(right(contract, 15)[1:6], '%y%m%d') AS DATE)"),
        "strike": Sql("TRY_CAST(right(contract, 8) AS DOUBLE) / 1000"),
        "right": Sql("right(contract, 9)[1]"),
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
    reader=_read,
    cites=(
        "The file holds OPRA's figure of its morning (open interest of the previous session, "
        "printed at about 06:30 New York time: docs.thetadata.us, option open interest), and its "
        "own stamp."
    ),
)
