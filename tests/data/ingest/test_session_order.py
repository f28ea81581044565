"""The order that sessions enter the lake in: beside DuckDB's, and what sorting leaves alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gexlab.data.ingest.arrow_arrays import codes_of
from gexlab.data.ingest.session_order import canonical_sessions
from gexlab.data.lake.parts import CHAIN_SCHEMA
from gexlab.data.lake.session_stream import sorted_rows

DAYS = (date(2026, 1, 5), date(2026, 1, 6))


def _rows(rng: np.random.Generator, count: int, strikes: int) -> Any:
    """Return dated rows of two sessions: few contracts, so that many rows share one."""
    session = np.sort(rng.integers(0, 2, count))
    moments = np.array([f"{day}T21:00" for day in DAYS], "datetime64[us]")[session]
    some = rng.random((4, count)) < 0.5
    return pa.table(
        {
            "file_index": np.zeros(count, np.int64),
            "session": pa.array(np.array(DAYS)[session]),
            "quote_ts": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
            "settlement": pa.array(["PM"] * count).dictionary_encode(),
            "right": pa.array(rng.choice(["P", "C"], count)).dictionary_encode(),
            "known_at": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
            "expiry": pa.array([date(2026, 2, 20)] * count),
            "expiry_ts": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
            "strike": 100.0 + rng.integers(0, strikes, count),
            "open_interest": pa.array(rng.integers(0, 3, count) * 1.0, mask=some[0]),
            "bid": pa.array(rng.integers(0, 3, count) * 1.0, mask=some[1]),
            "iv": pa.array(rng.integers(1, 3, count) * 0.1, mask=some[2]),
            "volume": pa.array(rng.integers(0, 50, count) * 1.0, mask=some[3]),
            "spot": np.where(session == 0, 100.0, 101.0),
        }
    )


@pytest.mark.parametrize(("count", "strikes"), [(1, 1), (40, 3), (500, 4), (500, 200)])
def test_rows_of_one_contract_are_ordered_as_duckdb_orders_them(count: int, strikes: int) -> None:
    rng = np.random.default_rng(count + strikes)
    for pieces in (1, 3):
        rows = _rows(rng, count, strikes)
        step = -(-count // pieces)
        cut = pa.concat_tables([rows.slice(i, step) for i in range(0, count, step)])
        found, replaced, repeated = canonical_sessions(cut, "SPX", ["x"], np.array([0]))
        plain = found.cast(CHAIN_SCHEMA)
        assert plain == sorted_rows(plain)
        assert (replaced, len(found) + repeated) == (0, count)
        kept = {tuple(row.values()) for row in plain.select(rows.column_names[1:]).to_pylist()}
        assert kept == {tuple(row.values()) for row in rows.drop_columns("file_index").to_pylist()}


@pytest.mark.parametrize(
    "words",
    [["C", "P", "C"], ["C", None, "P"], ["C", "CALL"], ["", "CP"], ["認", "C"], [None], []],
)
def test_codes_are_those_of_the_words(words: list[str | None]) -> None:
    known = {"C": 0, "P": 1, "CALL": 2, "認": 3}
    padded = pa.table({"right": pa.array(["P", *words, "C"], pa.string())}).slice(1, len(words))
    found = codes_of(padded, "right", lambda word: known.get(word, -1))
    assert found.tolist() == [-1 if word is None else known.get(word, -1) for word in words]
