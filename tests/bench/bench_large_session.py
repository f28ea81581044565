"""How much memory one large session takes: its ingest and its rebuild, each in its own process.

    python tests/bench/bench_large_session.py [--rows 5000000] [--snapshots 500] [--limit 1000]

A session of so many rows, in so many snapshots of the same contracts, is written as Parquet,
ingested and rebuilt with all tables. Peaks are resident memory, start-up included. Exit code 1
where one is above the limit (MB), or rows are missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import duckdb
from watched import gexlab

from gexlab.data.lake.lake import open_lake

MAP: Final = """
[columns]
quote_ts = "at"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
bid = "bid"
ask = "ask"
spot = "spot"
[timing]
timezone = "UTC"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""
#: Snapshots over the hours of 2026-06-12, each of 40 expiries and as many strikes as it takes.
MAKE: Final = """
    COPY (
        SELECT
            TIMESTAMP '2026-06-12 13:31:00' + to_microseconds(n * 23000000000 // $snapshots) AS at,
            DATE '2026-06-19' + CAST(7 * (i % 40) AS INTEGER) AS expiry,
            CAST(2000 + 5 * (i // 80) AS DOUBLE) AS strike,
            CASE WHEN i // 40 % 2 = 0 THEN 'C' ELSE 'P' END AS cp,
            CAST(hash(i) % 20000 AS INTEGER) AS oi,
            0.1 + (hash(n, i) % 4000) / 10000.0 AS iv,
            (hash(i, n, 3) % 100000) / 100.0 AS bid,
            (hash(i, n, 3) % 100000) / 100.0 + 0.15 AS ask,
            2000 + 5 * ($contracts // 160) + n / 1000 AS spot
        FROM range($snapshots) AS snapshots(n), range($contracts) AS contracts(i)
        ORDER BY n, i
    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def measure(folder: Path, rows: int, snapshots: int) -> dict[str, Any]:
    """Return seconds, processor time and peaks of the ingest and of the rebuild."""
    path, lake = folder / "session.parquet", folder / "lake"
    (folder / "map.toml").write_text(MAP)
    sizes = {"snapshots": snapshots, "contracts": rows // snapshots}
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute(MAKE.format(path=path), sizes)
    command = ("ingest", path, "--vendor", "columns", "--map", folder / "map.toml")
    taken = {
        "ingest": gexlab(*command, "--underlying", "SPX", "--lake", lake),
        "rebuild": gexlab("rebuild", "--lake", lake, "--underlying", "SPX"),
    }
    (entry,) = open_lake(lake).sessions("SPX")
    found: dict[str, Any] = {
        "rows": entry.rows, "snapshots": snapshots, "contracts": sizes["contracts"],
        "file_mb": round(path.stat().st_size / 1e6),
    }  # fmt: skip
    for name, run in taken.items():
        found[name] = {
            "seconds": round(run.seconds, 1),
            "cpu_seconds": round(run.processor, 1),
            "peak_mb": round(run.client),
        }
    return found


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--snapshots", type=int, default=500)
    parser.add_argument("--limit", type=float, default=1000.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), given.rows, given.snapshots)
    sys.stdout.write(json.dumps(found) + "\n")
    peaks = [found[run]["peak_mb"] for run in ("ingest", "rebuild")]
    return int(max(peaks) > given.limit or found["rows"] != given.rows)


if __name__ == "__main__":
    sys.exit(main())
