"""Write one file of many underlyings, of the form of `us_universe_2026.parquet`, and its map."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gexlab.data import trading_calendar

__all__ = ["make_universe"]

#: Weeks to the Fridays on which contracts expire.
_WEEKS: Final = (0, 1, 2, 4, 8, 13, 26, 52)
#: Fewest contracts of an expiration.
_LEAST: Final = 20
_FIRST: Final = np.datetime64("2021-01-04", "D")
_GROUP: Final = 1_000_000
_MAP: Final = """
[columns]
session = "quote_date"
underlying = "underlying"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
volume = "volume"
iv = "iv_pct"
spot = "spot"

[scale]
iv = 0.01

[constants]
multiplier = 100

[timing]
calendar = "XNYS"
timezone = "America/New_York"
quote_time = "close"
oi_lag_sessions = 1
known_at = "20:00"
settlement = "PM"
"""


def make_universe(folder: Path, names: int, sessions: int, contracts: int) -> tuple[Path, Path]:
    """Write the file, by name and session as vendors sort theirs, unless it is there.

    Returns
    -------
    tuple of Path
        The file and its map.
    """
    file = folder / f"universe-{names}x{sessions}x{contracts}.parquet"
    mapping = folder / "universe.map.toml"
    mapping.write_text(_MAP)
    if file.exists():
        return file, mapping
    every = np.asarray(trading_calendar("XNYS").sessions).astype("datetime64[D]")
    start = int(np.searchsorted(every, _FIRST))
    days = every[start : start + sessions]
    waiting: list[pa.Table] = []
    writer: pq.ParquetWriter | None = None
    draft = file.with_suffix(".draft")
    for number in range(names):
        waiting.append(_of_name(number, days, contracts))
        if sum(map(len, waiting)) >= _GROUP or number == names - 1:
            table = pa.concat_tables(waiting)
            writer = writer or pq.ParquetWriter(draft, table.schema, compression="zstd")
            writer.write_table(table, row_group_size=len(table))
            waiting = []
    assert writer is not None
    writer.close()
    draft.rename(file)
    return file, mapping


def _of_name(number: int, days: npt.NDArray[np.datetime64], contracts: int) -> pa.Table:
    """Return the chains of one name: its own price, volatility and tilt of open interest."""
    draw = np.random.default_rng([20, number])
    sigma = 0.15 + 0.5 * draw.random()
    first = float(np.round(20 * np.exp(2.5 * draw.random()), 2))
    steps = sigma / np.sqrt(252) * draw.standard_normal(len(days))
    spot = np.round(first * np.exp(np.cumsum(steps)), 2)
    expiries = min(len(_WEEKS), max(1, contracts // _LEAST))
    strikes = -(-contracts // (2 * expiries))
    rung = max(0.5, np.round(0.05 * first) / 2)
    friday = days + ((4 - (days.astype(np.int64) + 3)) % 7).astype("timedelta64[D]")
    size = (len(days), expiries, strikes, 2)
    week, place, put = np.ogrid[:expiries, :strikes, :2]
    strike = rung * np.maximum(
        1, np.round(spot / rung)[:, None] + np.arange(strikes) - strikes // 2
    )
    strike = np.broadcast_to(strike[:, None, :, None], size)
    expiry = friday[:, None] + (7 * np.asarray(_WEEKS[:expiries])).astype("timedelta64[D]")
    years = np.maximum((expiry - days[:, None]).astype(np.int64), 1) / 365
    away = np.abs(np.log(strike / spot[:, None, None, None]))
    smile = 100 * sigma * (1 + 0.4 * away / np.sqrt(years)[:, :, None, None])
    tilt = 1 + 0.8 * np.sin(np.arange(len(days)) / 17 + number)[:, None, None, None] * (1 - 2 * put)
    interest = np.floor(draw.exponential(800.0, size) * tilt) + 1
    del week, place
    rows = int(np.prod(size))
    per_session = rows // len(days)
    kept = (np.arange(rows) % per_session) < contracts
    name = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(kept.sum(), np.int32)), [f"N{number:04}"]
    )

    def each(values: npt.NDArray[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
        return np.broadcast_to(values.reshape(shape), size).reshape(rows)[kept]

    return pa.table(
        {
            "quote_date": pa.array(each(days, (len(days), 1, 1, 1))),
            "underlying": name.cast(pa.string()),
            "expiry": pa.array(each(expiry, (len(days), expiries, 1, 1))),
            "strike": pa.array(strike.reshape(rows)[kept]),
            "cp": pa.array(each(np.array(["C", "P"], object), (1, 1, 1, 2)), pa.string()),
            "iv_pct": pa.array(np.round(np.broadcast_to(smile, size).reshape(rows)[kept], 2)),
            "oi": pa.array(interest.reshape(rows)[kept].astype(np.int32)),
            "volume": pa.array((interest.reshape(rows)[kept] // 7).astype(np.int32)),
            "spot": pa.array(each(spot, (len(days), 1, 1, 1))),
        }
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for key, value in (("names", 200), ("sessions", 500), ("contracts", 40)):
        parser.add_argument(f"--{key}", type=int, default=value)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    make_universe(asked.folder, asked.names, asked.sessions, asked.contracts)
