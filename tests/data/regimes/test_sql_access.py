"""SQL over a lake answers, and cannot write, look outside or change its settings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gexlab.data.base.errors import LakeError, QueryError
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.query import VIEWS, query
from gexlab.data.regimes.rebuild import rebuild

DAYS = [date(2026, 7, 1), date(2026, 7, 2)]


@pytest.fixture
def lake(tmp_path: Path, make_chain: Callable[..., Any]) -> Lake:
    found = open_lake(tmp_path / "lake", create=True)
    write_sessions(found, "SPX", make_chain(DAYS, strikes=4), source="made")
    return found


def _state(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_chains_are_counted(lake: Lake) -> None:
    answer = query(lake, "SELECT session, count(*) AS n FROM chains GROUP BY 1 ORDER BY 1")
    # 4 strikes, a call and a put each
    assert answer.to_pylist() == [{"session": day, "n": 8} for day in DAYS]


def test_missing_is_null(lake: Lake) -> None:
    answer = query(lake, "SELECT root, volume FROM chains LIMIT 1")
    assert answer.to_pylist() == [{"root": None, "volume": None}]


def test_rebuilt_tables_are_views(lake: Lake) -> None:
    rebuild(lake, "SPX")
    rows = query(lake, "SELECT session, book, flip FROM regimes ORDER BY 1, 2").to_pylist()
    assert [(r["session"], r["book"]) for r in rows] == [
        (day, book) for day in DAYS for book in ("as_of_close", "post_expiry")
    ]
    levels = query(lake, "SELECT count(*) AS n FROM profile").to_pylist()
    # two sessions, two books, 401 levels
    assert levels == [{"n": 2 * 2 * 401}]


def test_a_rebuilt_table_before_any_rebuild_says_what_to_do(lake: Lake) -> None:
    with pytest.raises(LakeError, match="gexlab rebuild"):
        query(lake, "SELECT * FROM regimes")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW chains",
        "DELETE FROM chains",
        "COPY chains TO 'x.csv'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "EXPORT DATABASE 'x'",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW chains",
        "",
        "selec 1",
    ],
)
def test_only_one_select(lake: Lake, statement: str) -> None:
    before = _state(lake.root)
    with pytest.raises(QueryError):
        query(lake, statement)
    assert _state(lake.root) == before


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{outside}')",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM read_blob('{outside}')",
        "SELECT * FROM read_parquet('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_text('{lake}/chains/_delta_log/00000000000000000000.json')",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "SELECT * FROM query('SELECT * FROM read_text(''{outside}'')')",
    ],
)
def test_nothing_outside_the_chains_is_read(lake: Lake, tmp_path: Path, statement: str) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n", encoding="utf-8")
    asked = statement.format(outside=outside, folder=tmp_path, lake=lake.root)
    with pytest.raises(QueryError) as caught:
        query(lake, asked)
    assert "\n" not in str(caught.value)


def test_python_variables_are_no_tables(lake: Lake) -> None:
    lake_name = [1, 2, 3]
    assert lake_name
    with pytest.raises(QueryError):
        query(lake, "SELECT * FROM lake_name")


def test_a_misspelt_name_lists_what_there_is(lake: Lake) -> None:
    with pytest.raises(QueryError, match="chains, regimes"):
        query(lake, "SELECT * FROM chain")


def test_an_empty_lake_has_no_chains(tmp_path: Path) -> None:
    empty = open_lake(tmp_path / "empty", create=True)
    with pytest.raises(QueryError):
        query(empty, "SELECT * FROM chains")
    assert query(empty, "SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_views_are_the_documented_ones() -> None:
    assert VIEWS[:2] == ("chains", "regimes")
