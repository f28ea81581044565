"""Row groups as they are decoded here are what Arrow reads: that is the plain twin."""

from __future__ import annotations

from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data.lake.row_groups import Asked, row_group, unpacked

ROWS = 3_000
NAN = int(np.array(np.nan).view(np.int64))
NEVER = -5
WORDS = {"AM": 1, "PM": 2, "x" * 300: 2**64 - 1}
ASKED = (
    Asked("whole", NAN),
    Asked("sparse", NAN),
    Asked("none", NAN),
    Asked("many", NAN),
    Asked("day", NEVER),
    Asked("moment", NEVER),
    Asked("word", 7, WORDS.__getitem__),
    Asked("runs", NAN),
)


def table(seed: int, *, required: bool = False) -> pa.Table:
    """Columns that all come with few or many values, in runs or not, missing or not."""
    random = np.random.default_rng(seed)

    def some(values: Any) -> Any:
        return [values[i] for i in random.integers(0, len(values), ROWS)]

    hole = random.random(ROWS) < random.choice([0.01, 0.5, 0.99])
    # missing in long stretches and in short ones
    hole[ROWS // 3 : ROWS // 2] = random.random() < 0.5
    columns = {
        "whole": pa.array(np.round(random.normal(size=ROWS), 2)),
        "sparse": pa.array(np.round(random.normal(size=ROWS), 1), mask=hole),
        "none": pa.nulls(ROWS, pa.float64()),
        "many": pa.array(random.normal(size=ROWS), mask=hole),
        "day": pa.array(random.integers(-400, 400, ROWS), pa.int32(), mask=hole).cast(pa.date32()),
        "moment": pa.array(np.sort(random.integers(-(2**60), 2**60, ROWS)), pa.int64()),
        "word": pa.array(some([*WORDS, None])),
        "runs": pa.array(np.repeat(random.normal(size=ROWS // 100), 100)),
    }
    if required:
        full = {"whole", "moment", "runs"}
        fields = [pa.field(n, c.type, nullable=n not in full) for n, c in columns.items()]
        return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields))
    return pa.table(columns)


def bits_of(column: pa.ChunkedArray, asked: Asked) -> list[int]:
    """What Arrow reads, value by value."""
    if asked.number_of is not None:
        signed = {w: n if n < 2**63 else n - 2**64 for w, n in WORDS.items()}
        return [asked.missing if w is None else signed[w] for w in column.to_pylist()]
    plain = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    return [
        asked.missing if value is None else int(np.array(value).view(np.int64))
        for value in plain.to_pylist()
    ]


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("page", [150, 4_000, 1_000_000])
@pytest.mark.parametrize("coded", [True, ["word", "day"]])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_rows_are_what_arrow_reads(
    seed: int, coded: Any, page: int, required: bool, tmp_path: Path
) -> None:
    rows, file = table(seed, required=required), tmp_path / "made.parquet"
    pq.write_table(
        rows, file, compression="zstd", use_dictionary=coded, store_schema=False,
        data_page_size=page, write_batch_size=64, row_group_size=ROWS * 2 // 3,
        dictionary_pagesize_limit=9_000,
    )  # fmt: skip
    with FileIO(file) as stream:
        kept, before = pq.read_metadata(stream), 0
        for number in range(kept.num_row_groups):
            group = row_group(stream, kept, number, rows.column_names)
            assert group is not None
            for begin, end in [(0, group.rows), (1, 2), (777, 778), (130, 901), (5, group.rows)]:
                packed = unpacked(group, ASKED, begin, end)
                for first, last in [(begin, end), (begin, (begin + end + 1) // 2)]:
                    bits, missing = packed.rows(first, last)
                    for asked, found, lacking in zip(ASKED, bits, missing, strict=True):
                        expected = rows[asked.name].slice(before + first, last - first)
                        assert found.tolist() == bits_of(expected, asked), asked.name
                        assert lacking == expected.null_count
            before += group.rows


@pytest.mark.parametrize(
    "other",
    [
        {"compression": "snappy"},
        {"data_page_version": "2.0"},
        {"use_dictionary": False},
        {"use_dictionary": False, "column_encoding": {"moment": "DELTA_BINARY_PACKED"}},
        {"use_dictionary": False, "column_encoding": {"many": "BYTE_STREAM_SPLIT"}},
    ],
)
def test_other_layouts_are_told(other: dict[str, Any], tmp_path: Path) -> None:
    rows, file = table(0), tmp_path / "other.parquet"
    pq.write_table(rows, file, **{"compression": "zstd"} | other)
    with FileIO(file) as stream:
        assert row_group(stream, pq.read_metadata(stream), 0, rows.column_names) is None


def test_lists_are_told(tmp_path: Path) -> None:
    file = tmp_path / "lists.parquet"
    pq.write_table(pa.table({"x": [[1.0, 2.0], [3.0]]}), file, compression="zstd")
    with FileIO(file) as stream:
        kept = pq.read_metadata(stream)
        assert row_group(stream, kept, 0, kept.schema.names) is None


def test_damage_is_an_error_or_other_values_never_a_crash(tmp_path: Path) -> None:
    """Digests find it before; this is about memory that is not ours."""
    rows, file = table(3), tmp_path / "torn.parquet"
    pq.write_table(rows, file, compression="zstd", store_schema=False, write_batch_size=64)
    whole, random = file.read_bytes(), np.random.default_rng(0)
    kept, outcomes = pq.read_metadata(file), []
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for _ in range(300):
        torn = bytearray(whole)
        for place in random.integers(4, end, random.integers(1, 4)).tolist():
            torn[place] = int(random.integers(0, 256))
        file.write_bytes(torn)
        with FileIO(file) as stream:
            try:
                group = row_group(stream, kept, 0, rows.column_names)
                if group is not None:
                    unpacked(group, ASKED, 0, ROWS).rows(0, ROWS)
                outcomes.append("none" if group is None else "read")
            except (OSError, KeyError, UnicodeDecodeError):
                outcomes.append("error")
    assert {"none", "error"} <= set(outcomes)
    file.write_bytes(whole[:2_000])
    with FileIO(file) as stream, pytest.raises(OSError, match="ends before"):
        row_group(stream, kept, 0, rows.column_names)
