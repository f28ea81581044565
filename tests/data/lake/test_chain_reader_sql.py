"""The scans that a rebuild reads state their common columns in the same words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gexlab.data.base.sql import load_sql
from gexlab.data.lake.chain_reader import _pieces, _plain


def _columns(query: str) -> list[str]:
    """Return the expressions of a query's columns, without comments and white space."""
    text = re.sub(r"--[^\n]*", "", load_sql(query))
    body = text[text.index("SELECT") + len("SELECT") : text.index("FROM")]
    depth, found = 0, [""]
    for character in body:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [" ".join(column.split()) for column in found]


def test_positions_add_two_columns_to_the_scan_and_change_none() -> None:
    plain = _columns("lake/rebuild_scan")
    positioned = _columns("lake/rebuild_scan_positions")
    assert len(plain) == 17
    assert positioned[: len(plain)] == plain
    assert [column.split()[-1] for column in positioned[len(plain) :]] == [
        'r."position"',
        "position_known_us",
    ]


def test_peers_scan_differs_only_where_their_rules_do() -> None:
    plain = set(_columns("lake/rebuild_scan"))
    own = [column.split()[-1] for column in _columns("peers/scan") if column not in plain]
    assert own == ["root", "iv_quoted", "gamma"]


def test_dates_moments_flags_and_nulls_become_plain_numbers() -> None:
    moment = datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
    batch = pa.record_batch(
        {
            "session": pa.array([date(1970, 1, 3)] * 2),
            "quote_us": pa.array([moment] * 2, pa.timestamp("us", tz="UTC")),
            "known_us": pa.array([moment] * 2, pa.timestamp("ns", tz="UTC")),
            "morning": [False, True],
            "call": [True, True],
            "bid": pa.array([None, 1.5]),
            "oi_asof": pa.array([date(1969, 12, 31)] * 2),
        }
    )
    (piece,) = _pieces(_plain(batch))
    assert {name: values.tolist() for name, values in piece.items() if name != "bid"} == {
        "session": [2, 2],
        "quote_us": [2_000_000] * 2,
        "known_us": [2_000_000] * 2,
        "oi_asof": [-1, -1],
        "kind": [2, 3],
    }
    np.testing.assert_array_equal(piece["bid"], [np.nan, 1.5])
    assert piece["kind"].dtype == np.uint8


def test_a_root_has_a_number_of_its_own_and_none_where_it_is_unknown(tmp_path: Path) -> None:
    expression = next(
        c for c in _columns("lake/rebuild_scan") if c.endswith("AS root_number")
    ).removesuffix("AS root_number")
    file = tmp_path / "roots.parquet"
    pq.write_table(pa.table({"root": ["SPX", None, "SPXW", "SPX", None]}), file)
    with duckdb.connect() as connection:
        found = (
            connection.read_parquet(str(file)).select(duckdb.SQLExpression(expression)).fetchall()
        )
    first, none, weekly, again, nothing = (row[0] for row in found)
    assert (none, nothing) == (0, 0)
    assert first == again > 0
    assert weekly not in (0, first)
