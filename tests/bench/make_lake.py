"""Generate a lake for benchmarks: sessions of an index chain with a known number of contracts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gexlab.data.calendar.trading import TradingCalendar, trading_calendar
from gexlab.data.exposure.greeks import black_price, delta, gamma
from gexlab.data.lake.delta_log import TableShape
from gexlab.data.lake.derived_tables import REBUILDS, TABLES
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.parts import CHAIN_SCHEMA
from gexlab.data.lake.versions import Change, commit, newest, table_files
from gexlab.data.lake.writer import lake_writer

#: Sessions ahead on which contracts expire: dailies, then weeklies, monthlies and far ones.
_AHEAD = (*range(11), *range(13, 60, 5), *range(65, 260, 21), 300, 340, 380, 420, 460, 500)
_FIRST = date(2014, 1, 2)


def _days(calendar: TradingCalendar, first: date, sessions: int) -> list[date]:
    start = calendar.position(first)
    return [day.item() for day in calendar.sessions[start : start + sessions]]


def _expiries(calendar: TradingCalendar, day: date) -> list[date]:
    start = calendar.position(day)
    return [calendar.sessions[start + ahead].item() for ahead in _AHEAD]


def _strikes(spot: float, count: int) -> npt.NDArray[np.float64]:
    """Return strikes 5 points apart around spot, with a tenth of them spread wider."""
    near = np.round(spot / 5) * 5 + 5 * (np.arange(count) - 0.55 * count)
    return np.unique(np.maximum(near, 5.0))


def _session(
    calendar: TradingCalendar, day: date, spot: float, contracts: int, rng: np.random.Generator
) -> pa.Table:
    expiries = _expiries(calendar, day)
    strikes = _strikes(spot, contracts // (2 * len(expiries)) + 1)
    groups = [(e, calendar.expiry_ts(e, "PM")) for e in expiries]
    n = len(strikes) * 2
    close = calendar.close_of(day)
    years = np.array([(end - close).total_seconds() for _, end in groups]) / (365 * 86400)
    strike = np.tile(np.repeat(strikes, 2), len(groups))[:contracts]
    time = np.repeat(np.maximum(years, 1 / 17520), n)[:contracts]
    is_call = np.arange(strike.size) % 2 == 0
    iv = np.round(0.15 + 0.5 * np.abs(np.log(strike / spot)) / np.sqrt(0.05 + time), 4)
    price = black_price(spot, strike, time, iv, 0.0, is_call=is_call)
    size = strike.size

    def same(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.array([value], kind).take(pa.array(np.zeros(size, np.int32)))

    def each(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(values)), n)[:size]))

    columns: dict[str, pa.Array] = {
        "underlying": same("SPX", pa.string()),
        "session": same(day, pa.date32()),
        "quote_ts": same(close, pa.timestamp("us", tz="UTC")),
        "root": same("SPXW", pa.string()),
        "expiry": each([e for e, _ in groups], pa.date32()),
        "settlement": same("PM", pa.string()),
        "expiry_ts": each([end for _, end in groups], pa.timestamp("us", tz="UTC")),
        "strike": pa.array(strike),
        "right": pa.array(np.where(is_call, "C", "P")),
        "open_interest": pa.array(np.floor(rng.exponential(800.0, size))),
        "oi_asof": same(calendar.shift(day, -1), pa.date32()),
        "volume": pa.array(np.floor(rng.exponential(100.0, size))),
        "bid": pa.array(np.floor(price * 20) / 20),
        "ask": pa.array(np.floor(price * 20) / 20 + 0.1),
        "last": pa.nulls(size, pa.float64()),
        "iv": pa.array(iv),
        "iv_outside": pa.nulls(size, pa.float64()),
        "delta": pa.array(np.round(delta(spot, spot, strike, time, iv, 0.0, is_call=is_call), 4)),
        "gamma": pa.array(np.round(gamma(spot, spot, strike, time, iv, 0.0), 4)),
        "spot": same(spot, pa.float64()),
        "multiplier": same(100.0, pa.float64()),
        "known_at": same(close + timedelta(hours=3), pa.timestamp("us", tz="UTC")),
        "source": same("bench:0", pa.string()),
    }
    return pa.table([columns[name] for name in CHAIN_SCHEMA.names], schema=CHAIN_SCHEMA)


def session_tables(sessions: int, contracts: int, seed: int = 1) -> Iterator[pa.Table]:
    """Yield one canonical table per session, `contracts` rows each."""
    rng = np.random.default_rng(seed)
    calendar = trading_calendar()
    spot = 2000.0
    for day in _days(calendar, _FIRST, sessions):
        spot *= float(np.exp(0.01 * rng.standard_normal() + 0.0003))
        yield _session(calendar, day, round(spot, 2), contracts, rng)


def make_lake(folder: Path, sessions: int, contracts: int) -> Path:
    """Write a lake, unless the folder already holds one of that many sessions."""
    lake = open_lake(folder, create=True)
    held = lake.manifest("SPX").sessions
    if len(held) != sessions:
        with lake_writer(lake, "SPX") as writer:
            for table in session_tables(sessions, contracts):
                writer.add(table)
            writer.commit()
    return folder


if __name__ == "__main__":
    make_lake(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))


def forget_rebuilt(root: Path) -> None:
    """Take all rebuilt rows out of a lake's newest version, as if nothing had been rebuilt."""
    version = newest(root)
    tables = [name for name in (*TABLES, REBUILDS) if name in version.tables]
    shape = TableShape(pa.schema([]), ())
    changes = [Change(name, shape, (), tuple(table_files(root, version, name))) for name in tables]
    if any(change.remove for change in changes):
        commit(root, version, changes, operation="forget", underlying=None, sessions=0)
