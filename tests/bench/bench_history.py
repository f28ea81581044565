"""A long history in the guide's shape: time and memory of its ingest, each size in its own process.

    python tests/bench/bench_history.py [--rows 1000000 5000000] [--folder DIR]

Made files like those of philippdubach/options-dataset-hist: a Parquet file a year (integers beside
decimals between years) and the closes of the underlying beside them, joined for the spot. What the
53 million rows of the original would take is extrapolated from the largest size, and called so.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest

WHOLE = 53_000_000
MAP = """
[join.spot]
files = "{prices}"
columns = {{ session = "date", spot = "close" }}
where = {{ symbol = "SPY" }}
"""
#: One row per contract and session: 20 Fridays, calls and puts.
MAKE = """
    SELECT
        'SPY' || strftime(expiration, '%y%m%d') || side || lpad((strike * 1000)::VARCHAR, 8, '0')
            AS contract_id,
        'SPY' AS symbol, expiration, strike::{strike} AS strike,
        CASE side WHEN 'C' THEN 'call' ELSE 'put' END AS type,
        2.0 + (n % 97) / 10.0 AS bid, 2.1 + (n % 97) / 10.0 AS ask, n % 501 AS volume,
        (n * 7919 % 40000)::{interest} AS open_interest, day AS date,
        0.12 + (n % 41) / 400.0 AS implied_volatility
    FROM (
        SELECT *, (day + ((12 - dayofweek(day)) % 7 + 7 * (n % 20 + 1))::INTEGER)::DATE
            AS expiration,
            CASE n % 2 WHEN 0 THEN 'C' ELSE 'P' END AS side, (200 + n // 40)::INTEGER AS strike
        FROM (SELECT unnest($days) AS day), range($contracts) AS r (n)
    )
    ORDER BY date, contract_id
"""


def make(folder: Path, rows: int, years: range) -> None:
    """Write the files."""
    sessions = [d.astype(object) for d in trading_calendar().sessions.astype("datetime64[D]")]
    days = [d for d in sessions if d.year in years]
    contracts = max(rows // len(days), 1)
    (folder / "spy").mkdir()
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for year in years:
            kinds = ("INTEGER", "BIGINT") if year % 2 else ("DOUBLE", "DOUBLE")
            query = MAKE.format(strike=kinds[0], interest=kinds[1])
            mine = {"days": [d for d in days if d.year == year], "contracts": contracts}
            relation = connection.sql(query, params=mine)
            relation.write_parquet(str(folder / "spy" / f"options_{year}.parquet"))
        prices = connection.sql(
            "SELECT 'SPY' AS symbol, unnest($days) AS date, 450.0 AS close", params={"days": days}
        )
        prices.write_parquet(str(folder / "prices.parquet"))
    (folder / "spot.toml").write_text(MAP.format(prices=folder / "prices.parquet"), "utf-8")


def measured(folder: Path) -> dict[str, Any]:
    """Ingest the files here; return seconds of the processor and peak memory."""
    start = time.process_time()
    result = ingest(
        [folder / "spy"], vendor="options_hist", underlying="SPY", lake=folder / "lake",
        mapping=folder / "spot.toml",
    )  # fmt: skip
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert result.rows_written == result.rows_read
    return {"rows": result.rows_written, "sessions": result.sessions,
            "seconds_per_million": round(seconds / result.rows_written * 1e6, 3),
            "peak_mb": round(peak)}  # fmt: skip


def main() -> None:
    """Print a line for each size, and what the whole history would take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        sys.stdout.write(json.dumps(measured(given.one)))
        return
    found: dict[str, Any] = {}
    for rows in given.rows:
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            make(Path(name), rows, range(2020, 2025))
            call = [sys.executable, __file__, "--one", name]
            found = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
        sys.stdout.write(json.dumps(found) + "\n")
    whole = round(found["seconds_per_million"] * WHOLE / 1e6)
    sys.stdout.write(f"extrapolated, not measured: {WHOLE} rows in {whole} processor seconds\n")


if __name__ == "__main__":
    main()
