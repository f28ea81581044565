"""Answers in SQL to JSON, CSV and Parquet: nothing lost, nothing interpreted."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data.base.errors import QueryError
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.regimes.query import query, stream
from gexlab.reports.terminal.answers import first_rows, write_answer, write_json


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path / "lake", create=True)


def _json(lake: Lake, sql: str) -> Any:
    held = io.StringIO()
    with stream(lake, sql) as answer:
        write_json(answer, held)
    return json.loads(held.getvalue(), parse_constant=_refuse, object_pairs_hook=_pairs)


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_values_reach_json_whole(lake: Lake) -> None:
    sql = """
    SELECT sum(x) AS total, 170141183460469231731687303715884105727::HUGEINT AS huge,
        1 AS n, 2 AS n, 1.25::DECIMAL(9, 2) AS price, 'nan'::DOUBLE AS undefined,
        INTERVAL '3 days' AS gap, 340282366920938463463374607431768211455::UHUGEINT AS wide,
        DATE '2026-07-01' AS day, DATE '290000-01-01' AS far,
        'infinity'::TIMESTAMP AS never, [1, NULL] AS list,
        '\u202e[/x]' AS text, 'a\\xFF'::BLOB AS bytes
    FROM range(5) AS t(x)
    """
    assert _json(lake, sql) == [
        {
            "total": 10,
            "huge": 170141183460469231731687303715884105727,
            "n": 1,
            "n_1": 2,
            "price": 1.25,
            "undefined": None,
            "gap": "3 days",
            "wide": "340282366920938463463374607431768211455",
            "day": "2026-07-01",
            "far": "290000-01-01",
            "never": "infinity",
            "list": [1, None],
            "text": "\u202e[/x]",
            "bytes": "61ff",
        }
    ]
    assert _json(lake, "SELECT 1 AS a WHERE false") == []


def test_files_hold_every_row(lake: Lake, tmp_path: Path) -> None:
    # three batches; texts that a spreadsheet would run, and numbers that it must not lose
    sql = (
        "SELECT x, -x AS minus, '=1+' || x AS text, '-' || x AS number, "
        '(x * 10)::HUGEINT AS "@huge" FROM range(40000) AS t(x)'
    )
    for ending in ("csv", "json", "parquet"):
        with stream(lake, sql) as answer:
            assert write_answer(answer, tmp_path / f"rows.{ending}") == 40_000
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["x", "minus", "text", "number", "'@huge"]
    assert rows[7] == ["6", "-6", "'=1+6", "-6", "60"]
    assert len(rows) == 40_001
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.slice(6, 1).to_pylist()[0]["text"] == "=1+6"
    assert json.loads((tmp_path / "rows.json").read_text())[6]["@huge"] == 60


def test_a_failure_leaves_no_file(lake: Lake, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    late = "SELECT CASE WHEN x = 39999 THEN error('late') ELSE x END FROM range(40000) AS t(x)"
    for ending in ("csv", "json", "parquet"):
        with (
            pytest.raises(QueryError, match="late"),
            stream(lake, late) as answer,
        ):
            write_answer(answer, tmp_path / f"rows.{ending}")
    assert sorted(tmp_path.rglob("*")) == before


def test_rows_that_are_not_shown_are_counted(lake: Lake) -> None:
    with stream(lake, "SELECT x FROM range(100000) AS t(x)") as answer:
        assert first_rows(answer, 2) == ([(0,), (1,)], 100_000)


def test_arrow_reads_the_lake_as_duckdb_would(tmp_path: Path) -> None:
    # comparisons with NaN: for DuckDB it is larger than every number
    from gexlab.data.lake.sql_worker import open_connection

    rows = pa.table(
        {
            "a": [1.0, float("nan"), None, -2.0],
            "d": [date(2026, 1, i) for i in (1, 2, 3, 4)],
            "s": ["x", None, "y", "'"],
        }
    )
    pq.write_table(rows, tmp_path / "rows.parquet")
    files = {"t": [{"files": [str(tmp_path / "rows.parquet")], "sessions": None}]}
    with open_connection(files, 256 << 20) as connection:
        for condition, expected in {
            "a > 0.5": 2,
            "a = 'nan'::DOUBLE": 1,
            "a <> 1": 2,
            "a IS NULL": 1,
            "a IN (1, -2)": 2,
            "a < 'nan'::DOUBLE": 2,
            "d >= DATE '2026-01-03' AND s IS NOT NULL": 2,
            "s = ''''": 1,
            "s IS DISTINCT FROM 'x'": 3,
        }.items():
            found = connection.table("t").filter(condition).fetchall()
            assert len(found) == expected, condition


def test_a_cut_part_shows_only_the_sessions_that_count(tmp_path: Path) -> None:
    from gexlab.data.lake.sql_worker import open_connection

    rows = pa.table({"session": [date(2026, 1, 1), date(2026, 1, 2)], "a": [1, 2]})
    pq.write_table(rows, tmp_path / "rows.parquet")
    file = [str(tmp_path / "rows.parquet")]
    sources: list[dict[str, Any]] = [
        {"files": file, "sessions": None},
        {"files": file, "sessions": ["2026-01-02"]},
    ]
    with open_connection({"t": sources}, 256 << 20) as connection:
        assert sorted(connection.table("t").project("a").fetchall()) == [(1,), (2,), (2,)]


def test_an_answer_that_is_too_large_says_so(lake: Lake) -> None:
    from gexlab.data.regimes.query import Limits

    with pytest.raises(QueryError, match="larger than 64 MB"):
        query(lake, "SELECT x FROM range(10000000) AS t(x)", limits=Limits(memory=64 << 20))
