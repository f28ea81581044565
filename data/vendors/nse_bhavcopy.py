"""NSE's daily derivatives report, the UDiFF common bhavcopy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..base.sql import load_sql
from .layout import Layout, long_table
from .vendor_preset import InputFile, Preset, RawTable, Sql, Timing

if TYPE_CHECKING:
    import duckdb

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "session": ("TradDt",),
        "kind": ("FinInstrmTp",),
        "symbol": ("TckrSymb",),
        "expiry": ("XpryDt",),
        "strike": ("StrkPric",),
        "right": ("OptnTp",),
        "last": ("SttlmPric",),
        "spot": ("UndrlygPric",),
        "units": ("OpnIntrst",),
        "volume": ("TtlTradgVol",),
        "multiplier": ("NewBrdLotQty",),
    },
    optional=frozenset({"symbol"}),
)


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
    from .table_reader import read_tables

    return [_options(long_table(table, _LAYOUT)) for table in read_tables(connection, files)]


def _options(table: RawTable) -> RawTable:
    """Tell options from futures."""
    named = "symbol" in table.relation.columns
    query = load_sql("vendors/nse_named" if named else "vendors/nse_unnamed")
    relation = table.relation.query("report", query)
    assert relation is not None
    return replace(table, relation=relation, head=None)


PRESET: Final = Preset(
    name="nse_bhavcopy",
    doc=(
        "The National Stock Exchange of India's report of the derivatives market in the common "
        "(UDiFF) format, as CSV or Parquet. Futures in it are left aside. Open interest is in "
        "units of the underlying: it is divided by the lot size of its row, which is the "
        "multiplier (it changes: 25, 75, 65 for NIFTY in 2025 and 2026). No quotes and no "
        "volatility; last is the exchange's settlement price, from which volatility is solved."
    ),
    columns={
        **{name: name for name in _LAYOUT.shared if name not in ("kind", "symbol", "units")},
        "underlying": "underlying",
        "open_interest": Sql(
            "number_of_text(CAST(units AS VARCHAR), 'open_interest', file_index) / nullif("
            "number_of_text(CAST(multiplier AS VARCHAR), 'multiplier', file_index), 0)"
        ),
    },
    timing=Timing(
        calendar="XBOM",
        quote_time="close",
        known_at="next_open",
        oi_lag_sessions=0,
        settlement="PM",
        last_is_settlement=True,
    ),
    optional=frozenset({"underlying"}),
    reader=_read,
    cites=(
        "The report states open interest and its change on the day; the figure less its change "
        "is the figure of the previous session, contract by contract (exact in 62 of 64 pairs of "
        "neighbouring sessions; a special Sunday session lies in one of the others). The "
        "exchange's end-of-day specification lists the files in the evening of their date; the "
        "open of the next session is later than all of them."
    ),
)
