"""How fast an ingest is, beside DuckDB's plain scan and sorted copy of the same file.

    python tests/bench/bench_ingest.py [--rows 2000000] [--json]
    python tests/bench/bench_ingest.py --memory 10000000 60000000 [--folder DIR]

Parity is checked first. A made chain of sessions x 10,000 contracts is written as Parquet and as
CSV and ingested with a column map into a fresh lake. CPU seconds stand beside the wall clock's, for
machines that are busy with other things. With ``--memory``, files of several sizes are ingested,
each in a process of its own whose peak memory is printed: it may not grow with the file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import open_lake

CONTRACTS = 10_000
MAP = """
[columns]
session = "quote_date"
known_at = "ts_utc"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
delta = "delta"
gamma = "gamma"
bid = "bid"
ask = "ask"
spot = "spot"
[timing]
timezone = "UTC"
quote_time = "close"
oi_lag_sessions = 1
settlement = "third_friday"
"""
#: One row per contract and session: 20 expiries x 250 strikes x 2, numbers with realistic digits.
MAKE = """
    SELECT
        day AS quote_date, CAST(day AS TIMESTAMP) + INTERVAL 23 HOUR AS ts_utc,
        'SPX' AS underlying, 7431.46 + n AS spot,
        day + CAST(7 * (1 + i // 500) AS INTEGER) AS expiry,
        CAST(5000 + 20 * (i // 2 % 250) AS DOUBLE) AS strike,
        CASE WHEN i % 2 = 0 THEN 'C' ELSE 'P' END AS cp,
        CAST(hash(i, n) % 20000 AS INTEGER) AS oi,
        0.1 + (hash(n, i) % 4000) / 10000.0 AS iv,
        (hash(i, n, 1) % 10000) / 10000.0 AS delta,
        (hash(i, n, 2) % 10000) / 1e6 AS gamma,
        (hash(i, n, 3) % 100000) / 100.0 AS bid,
        (hash(i, n, 3) % 100000) / 100.0 + 0.15 AS ask
    FROM days, range($contracts) AS contracts(i)
    WHERE n BETWEEN $first AND $last
    ORDER BY n, i
"""
#: Sessions that are made at a time.
CHUNK = 50
CHILD = """
import sys
from gexlab.data.ingest.ingest import ingest
path, lake, mapping = sys.argv[1:]
print(ingest([path], vendor="columns", underlying="SPX", lake=lake, mapping=mapping).rows_written)
"""
SCAN = "SELECT count(*), {sums} FROM '{path}'"
#: The same rows in the lake's order and compression.
COPY = """
    COPY (FROM '{path}' ORDER BY quote_date, expiry, strike, cp)
    TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false)
"""


def make(folder: Path, rows: int) -> dict[str, Path]:
    """Write the made chain in both formats; return the paths by format."""
    count = rows // CONTRACTS
    sessions = trading_calendar().sessions[-max(count, 5000) :][:count]
    paths = {"parquet": folder / "chain.parquet", "csv": folder / "chain.csv"}
    with duckdb.connect(config={"threads": 1}) as connection, ExitStack() as stack:
        days = pa.table({"day": sessions, "n": range(count)})
        connection.register("days", days)
        text = stack.enter_context(paths["csv"].open("wb"))
        parquet: Any = None
        for first in range(0, count, CHUNK):
            span = {"contracts": CONTRACTS, "first": first, "last": first + CHUNK - 1}
            table = connection.sql(MAKE, params=span).to_arrow_table()
            parquet = parquet or stack.enter_context(
                pq.ParquetWriter(paths["parquet"], table.schema, compression="zstd")
            )
            parquet.write_table(table)
            part = folder / "part.csv"
            connection.from_arrow(table).write_csv(str(part), header=first == 0)
            text.write(part.read_bytes())
            part.unlink()
    return paths


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def scan(path: Path) -> int:
    """Read every column of a file with DuckDB, in its own types; return the rows."""
    with duckdb.connect() as connection:
        columns = connection.sql(f"FROM '{path}'").columns
        maxima = ", ".join(f"max({name})" for name in columns)
        (row,) = connection.execute(SCAN.format(sums=maxima, path=path)).fetchall()
    return int(row[0])


def copy(path: Path) -> None:
    """Let DuckDB write the rows of a file, sorted and compressed as the lake has them."""
    out = path.with_name("copy.parquet")
    with duckdb.connect() as connection:
        connection.execute(COPY.format(path=path, out=out))
    out.unlink()


def timed(work: Callable[[], object], times: int = 2) -> tuple[float, float]:
    """Return the least wall clock seconds of some runs, and the CPU seconds of that one."""
    runs = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), _cpu()
        work()
        runs.append((time.perf_counter() - wall, _cpu() - cpu))
    return min(runs)


def bench(rows: int) -> dict[str, dict[str, float]]:
    """Return seconds, rows a second and the ratios to DuckDB's scan and copy, by format."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "map.toml").write_text(MAP)
        paths = make(folder, rows)
        parity(folder, paths)
        for kind, path in paths.items():
            count = scan(path)
            scanned, scan_cpu = timed(lambda path=path: scan(path))  # type: ignore[misc]
            copied, copy_cpu = timed(lambda path=path: copy(path))  # type: ignore[misc]
            took, cpu = timed(lambda path=path: _fresh(folder, path))  # type: ignore[misc]
            found[kind] = {
                "rows": count,
                "seconds": round(took, 3),
                "cpu_seconds": round(cpu, 3),
                "rows_per_second": round(count / took),
                "scan_seconds": round(scanned, 3),
                "scan_cpu_seconds": round(scan_cpu, 3),
                "share_of_scan_speed": round(scanned / took, 3),
                "share_of_scan_cpu": round(scan_cpu / cpu, 3),
                "copy_seconds": round(copied, 3),
                "copy_cpu_seconds": round(copy_cpu, 3),
                "share_of_copy_speed": round(copied / took, 3),
                "share_of_copy_cpu": round(copy_cpu / cpu, 3),
            }
    return found


def memory(sizes: Sequence[int], parent: Path | None) -> list[dict[str, object]]:
    """Return what ingests of files of several sizes took, each in a process of its own."""
    found: list[dict[str, object]] = []
    for rows in sizes:
        with tempfile.TemporaryDirectory(dir=parent) as name:
            folder = Path(name)
            (folder / "map.toml").write_text(MAP)
            for kind, path in make(folder, rows).items():
                found.append({"format": kind, "rows": rows} | _watched(folder, path))
                shutil.rmtree(folder / "lake")
                path.unlink()
    return found


def _watched(folder: Path, path: Path) -> dict[str, float]:
    """Ingest a file in a child; return its time and its peak memory."""
    began = time.perf_counter()
    arguments = [str(path), str(folder / "lake"), str(folder / "map.toml")]
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0
    assert child.stdout is not None
    return {
        "rows_written": int(child.stdout.read()),
        "file_megabytes": round(path.stat().st_size / 1e6),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_megabytes": round(used.ru_maxrss / 1024),
    }


def parity(folder: Path, paths: dict[str, Path]) -> None:
    """Both formats must give the same lake, and every row of the file."""
    states = []
    for path in paths.values():
        result = _fresh(folder, path)
        assert result.rows_written == result.rows_read == scan(path)
        sessions = open_lake(folder / "lake").sessions("SPX")
        states.append([(e.session, e.rows, e.fingerprint) for e in sessions])
    assert states[0] == states[1]


def _fresh(folder: Path, path: Path) -> IngestResult:
    shutil.rmtree(folder / "lake", ignore_errors=True)
    return ingest(
        [path],
        vendor="columns",
        underlying="SPX",
        lake=folder / "lake",
        mapping=folder / "map.toml",
    )


def main() -> None:
    """Print a line per format, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory", type=int, nargs="+", metavar="ROWS")
    parser.add_argument("--folder", type=Path, help="where --memory puts its files")
    given = parser.parse_args()
    if given.memory:
        sys.stdout.writelines(json.dumps(row) + "\n" for row in memory(given.memory, given.folder))
        return
    found = bench(given.rows)
    if given.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for kind, row in found.items():
        sys.stdout.write(
            f"ingest {kind}: {row['rows']:,.0f} rows in {row['seconds']:.2f} s "
            f"({row['rows_per_second']:,.0f} rows/s; CPU {row['cpu_seconds']:.2f} s); DuckDB scan "
            f"{row['scan_seconds']:.2f} s (CPU {row['scan_cpu_seconds']:.2f} s): "
            f"{row['share_of_scan_speed']:.2f} of its speed; its sorted copy "
            f"{row['copy_seconds']:.2f} s (CPU {row['copy_cpu_seconds']:.2f} s): "
            f"{row['share_of_copy_speed']:.2f} of its speed, "
            f"{row['share_of_copy_cpu']:.2f} by processor time\n"
        )


if __name__ == "__main__":
    main()
