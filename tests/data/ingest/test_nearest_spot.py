"""Files that state each expiry's own future: that of the nearest expiry is the spot."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data.base.sql import load_sql
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.reports.cli import app as cli

#: Expiration to its future and its number of strikes: the median of the rows is another's.
FUTURES = {(2024, 3, 29): (45500.0, 9), (2024, 1, 12): (44000.0, 3), (2024, 6, 28): (47000.0, 9)}


def _micros(*at: int) -> int:
    year, month, day, hour = at
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1e6)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    lines = ["exchange,symbol,timestamp,type,strike_price,expiration,open_interest,mark_iv,"
             "underlying_price"]  # fmt: skip
    for (year, month, day), (future, strikes) in FUTURES.items():
        word = datetime(year, month, day, tzinfo=UTC).strftime("%-d%b%y").upper()
        lines += [
            f"deribit,BTC-{word}-{strike}-{right[0].upper()},{_micros(2024, 1, 10, 20)},{right},"
            f"{strike},{_micros(year, month, day, 8)},{interest},60,{future}"
            for strike in range(44000, 44000 + 500 * strikes, 500)
            for right, interest in (("call", 100), ("put", 70))
        ]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    folder = tmp_path / "lake"
    words = ["--vendor", "columns", "--map", "tardis_options_chain", "--underlying", "BTC"]
    assert cli.run(["ingest", str(tmp_path / "a.csv"), *words, "--lake", str(folder)]) == 0
    return folder


def test_the_future_of_the_nearest_expiry_is_the_spot(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_lake(lake)
    rebuild(opened, "BTC")
    assert set(regimes(opened, "BTC")["spot"]) == {44000.0}
    capsys.readouterr()
    assert cli.run(["check", "--lake", str(lake), "--underlying", "BTC"]) == 0
    assert "several_spots" not in capsys.readouterr().out
    assert cli.run(["regimes", "--lake", str(lake), "--underlying", "BTC"]) == 0
    assert "44,000.0" in capsys.readouterr().out


@pytest.mark.parametrize("query", ["implied_spot", "nearest_spot"])
def test_rows_stay_in_file_order(tmp_path: Path, query: str) -> None:
    """Row groups whose last rows are few: a join handed these on after the next ones."""
    group, groups = 2 * 2048 + 10, 6
    rows = np.arange(group * groups)
    day = np.datetime64("2024-01-10") + rows // 3000
    table = pa.table(
        {
            "file_row": rows,
            "session": day,
            "expiry": day + 30,
            "quote_ts": day.astype("datetime64[us]"),
            "strike": 100.0 + rows % 40 // 2,
            "right": np.where(rows % 2, "C", "P"),
            "bid": np.full(rows.size, 1.0),
            "ask": np.full(rows.size, 1.5),
            "last": np.full(rows.size, 1.2),
        }
    )
    table = table.append_column("spot", pa.array(rows * 0.0 + 50.0, mask=rows % 7 == 0))
    table = table.append_column("underlying", pa.array(["X"] * rows.size))
    table = table.append_column("expiry_ts", table["expiry"].cast(pa.timestamp("us")))
    parts = []
    with duckdb.connect(config={"threads": 2}) as connection:
        for index in range(2):
            path = tmp_path / f"{index}.parquet"
            whole = table.append_column("file_index", pa.array([index] * rows.size))
            pq.write_table(whole, path, row_group_size=group)
            parts.append(connection.read_parquet(str(path)))
        parts[0].union(parts[1]).create_view("typed")
        asked = {"settled": False, "files": [0, 1]} if query == "implied_spot" else None
        found = connection.sql(load_sql(f"ingest/{query}"), params=asked)
        got = found.select("file_index", "file_row").to_arrow_table()
    assert got["file_index"].to_pylist() == [0] * rows.size + [1] * rows.size
    assert got["file_row"].to_pylist() == [*rows.tolist(), *rows.tolist()]
