"""Rows of rebuilt files: those that count, in the order of a sort by pandas."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data.base.errors import LakeError
from gexlab.data.lake.derived_rows import read_rows
from gexlab.data.lake.derived_tables import Piece

KEYS = ["underlying", "dealer_model", "session", "book"]


def piece(path: Path, days: list[date]) -> Piece:
    """Return a file of one part, of which some sessions count."""
    return Piece(str(path), tuple(days), whole=False, groups=None)


def written(folder: Path, rng: np.random.Generator, name: str, days: list[date]) -> pd.DataFrame:
    """Write a file of one dealer model and book, some rows a session; return its rows."""
    count = rng.integers(1, 4, len(days))
    sessions = [day for day, n in zip(days, count, strict=True) for _ in range(n)]
    frame = pd.DataFrame(
        {
            "underlying": "SPX",
            "session": sessions,
            "book": str(rng.choice(["as_of_close", "post_expiry"])),
            "dealer_model": str(rng.choice(["naive", "Inverted"])),
            "value": rng.normal(size=len(sessions)),
            "note": [None if v < 0 else f"é{v:.3f}" for v in rng.normal(size=len(sessions))],
        }
    )
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if rng.random() < 0.5:  # however text is kept
        table = table.set_column(0, "underlying", table.column("underlying").dictionary_encode())
    pq.write_table(table, folder / name, row_group_size=7)
    return frame


@pytest.mark.parametrize("seed", range(8))
def test_rows_that_count_in_order(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    every = [date(2024, 12, 20) + timedelta(days=i) for i in range(30)]
    files, kept = [], []
    for number in range(int(rng.integers(1, 5))):
        days = [day for day in every if rng.random() < 0.5]
        if seed % 2:
            days = [days[i] for i in rng.permutation(len(days))]
        frame = written(tmp_path, rng, f"{number}.parquet", days)
        counted = [day for day in days if rng.random() < (1.0 if seed < 2 else 0.7)]
        files.append(piece(tmp_path / f"{number}.parquet", counted))
        kept.append(frame[frame["session"].isin(counted)])
    wanted = pd.concat(kept).sort_values(KEYS, kind="stable").reset_index(drop=True)
    found = read_rows(files)
    assert found.schema.metadata is None
    assert found.schema.types[:3] == [pa.string(), pa.date32(), pa.string()]
    pd.testing.assert_frame_equal(found.to_pandas(), wanted)


def test_nothing_counts(tmp_path: Path) -> None:
    written(tmp_path, np.random.default_rng(1), "a.parquet", [date(2025, 1, 2)])
    found = read_rows([piece(tmp_path / "a.parquet", [])])
    assert (found.num_rows, found.num_columns) == (0, 6)


def test_files_that_cannot_be_read_together(tmp_path: Path) -> None:
    day = date(2025, 1, 2)
    written(tmp_path, np.random.default_rng(1), "a.parquet", [day])
    whole = tmp_path / "a.parquet"
    for name, message in (
        ("b", "other columns than .*a.parquet"),
        ("c", "c.parquet: "),
        ("d", "d.parquet: "),
    ):
        path = tmp_path / f"{name}.parquet"
        if name == "b":
            pq.write_table(pq.read_table(whole).drop_columns(["note"]), path)
        elif name == "c":
            path.write_bytes(whole.read_bytes()[:-9])
        with pytest.raises(LakeError, match=message) as caught:
            read_rows([piece(whole, [day]), piece(path, [day])])
        assert f"{name}.parquet" in str(caught.value)
        assert "\n" not in str(caught.value)
