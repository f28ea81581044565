"""Plain files are read without a database, and give what the database gives."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data.tables import reader
from gexlab.data.tables.plain_files import plain_file
from gexlab.data.tables.reader import Scalar

CELLS = (
    "", "1", "-1.5", "007", "1e5", "2025-01-02", "01/02/2025", "2025-01-02 09:30:00-05:00", "12:30",
    "abc", "null", "NaN", "true", ".", "-", "A B", "+1", "inf", "SPX_W", "20250102", "9:30 AM",
)  # fmt: skip
NAMES = ("session", "Close", "value", "Adj Close", "1", "date.x", "10:30", "x-y", "_", "Time")
MOMENT = pd.Timestamp("2025-01-02 15:30:01.123456").to_pydatetime()


def both(
    path: Path, columns: list[str], where: dict[str, Scalar] | None = None
) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Return a table as it is read without and with DuckDB."""
    asked = {name: [name] for name in columns}
    return (
        reader._plain_frame(path, asked, (), where or {}),
        reader._frame_by_sql(path, asked, (), where or {}),
    )


def random_text(rng: np.random.Generator) -> tuple[str, list[str]]:
    """Return a table of text, plain or nearly so, and its columns."""
    width = int(rng.integers(2, 6))
    names = [str(n) for n in rng.permutation(NAMES)[:width]]
    kinds = [rng.permutation(CELLS)[: rng.integers(1, 5)] for _ in names]
    lines = [",".join(names)]
    lines += [",".join(str(rng.choice(kind)) for kind in kinds) for _ in range(rng.integers(1, 40))]
    newline = "\r\n" if rng.random() < 0.3 else "\n"
    return newline.join(lines) + (newline if rng.random() < 0.7 else ""), names


def compare_texts(folder: Path, seeds: range) -> int:
    """Return how many random tables were plain: all of them are the same in both ways."""
    plain = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        text, names = random_text(rng)
        path = folder / "t.csv"
        path.write_text(text, encoding="utf-8", newline="")
        quick, slow = both(path, names)
        if quick is not None:
            plain += 1
            pd.testing.assert_frame_equal(quick, slow, obj=f"seed {seed}: {text!r}")
    return plain


def test_plain_text(tmp_path: Path) -> None:
    assert compare_texts(tmp_path, range(25)) > 20


@pytest.mark.slow
def test_much_plain_text(tmp_path: Path) -> None:
    assert compare_texts(tmp_path, range(1000, 5000)) > 3500


@pytest.mark.parametrize(
    "text",
    [
        "session;value\n2025-01-02;1\n",
        "session,value\n2025-01-02,'1'\n",
        'session,value\n2025-01-02,"1"\n',
        "session,value\n2025-01-02,1\n\n2025-01-03,2\n",
        "session,value\n2025-01-02,1,2\n",
        "session,value\n2025-01-02\n",
        "session, value\n2025-01-02, 1\n",
        "# made by hand\nsession,value\n2025-01-02,1\n",
        "\ufeffsession,value\n2025-01-02,1\n",
        "session,Session\n2025-01-02,1\n",
        "session,\n2025-01-02,1\n",
        "session\n2025-01-02\n",
        "session,value\n",
        "session,value\n2025-01-02,1\r2025-01-03,2\n",
        "session|value\n2025-01-02|1,5\n",
        "session\tvalue\n2025-01-02\t1,5\n",
        "",
    ],
)
def test_what_could_mean_something_else_is_left_to_the_database(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert plain_file(path) is None


def arrays() -> dict[str, pa.Array]:
    """Return a column of each type, with a value and a missing one."""
    found: dict[str, pa.Array] = {}
    for unit in ("s", "ms", "us"):
        for zone in (None, "UTC", "America/New_York"):
            found[f"stamp {unit} {zone}"] = pa.array(
                [MOMENT.replace(microsecond=0), None], pa.timestamp(unit, zone)
            )
    for zone in (None, "Asia/Tokyo"):
        found[f"stamp ns {zone}"] = pa.array([1_735_832_400_123_456_789, None], "int64").cast(
            pa.timestamp("ns", zone)
        )
    numbers = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    found |= {kind: pa.array([1, None], kind) for kind in numbers}
    found |= {kind: pa.array([1.25, None], kind) for kind in ("float32", "float64")}
    found |= {
        "day": pa.array([MOMENT.date(), None], "date32"),
        "day64": pa.array([MOMENT.date(), None], "date64"),
        "truth": pa.array([True, None]),
        "text": pa.array(["é", None]),
        "large": pa.array(["", None], pa.large_string()),
        "view": pa.array(["a", None], pa.string_view()),
        "category": pa.array(["a", None]).dictionary_encode(),
        "half": pa.array([1.5, None], pa.float16()),
        "decimal": pa.array([Decimal("1.10"), None]),
        "clock": pa.array([MOMENT.time(), None], "time64[us]"),
        "bytes": pa.array([b"a", None]),
        "nothing": pa.nulls(2),
        "list": pa.array([[1], None]),
    }
    return found


def test_types_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    columns = {name: column for name, column in arrays().items() if name != "list"}
    pq.write_table(pa.table(columns), path)
    left = {name for name in columns if both(path, [name])[0] is None}
    assert left == {"half", "decimal", "clock", "bytes", "nothing"}
    quick, slow = both(path, [name for name in columns if name not in left])
    assert quick is not None
    pd.testing.assert_frame_equal(quick, slow)


def _written(frame: pd.DataFrame, **how: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        frame.to_parquet(path, **how)

    return write


FRAME = pd.DataFrame(
    {"value": [1.5, np.nan, 3.0], "who": ["a", None, "b"], "n": [1, 2, 3]},
    index=pd.DatetimeIndex(["2025-01-02", "2025-01-03", "2025-01-06"], name="session"),
)


@pytest.mark.parametrize("where", [None, {"who": "b"}, {"WHO": "b"}, {"n": 2}, {"who": "z"}])
def test_frames_with_an_index(tmp_path: Path, where: dict[str, Scalar] | None) -> None:
    path = tmp_path / "t.parquet"
    FRAME.to_parquet(path)
    quick, slow = both(path, ["session", "value", "who"], where)
    assert (quick is None) == (where == {"n": 2})  # numbers as text are the database's
    if quick is not None:
        pd.testing.assert_frame_equal(quick, slow)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(
            _written(FRAME.reset_index(), use_deprecated_int96_timestamps=True), id="int96"
        ),
        pytest.param(lambda path: pq.write_table(pa.table(arrays()), path), id="nested"),
        pytest.param(
            _written(FRAME.assign(Value=1.0).rename(columns={"n": "session"})), id="same names"
        ),
        pytest.param(lambda path: path.write_bytes(b"PAR1"), id="damaged"),
    ],
)
def test_rare_parquet_is_left_to_the_database(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "t.parquet"
    write(path)
    assert plain_file(path) is None or both(path, ["session"])[0] is None


def test_folders_that_name_columns_are_left_to_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "who=a"
    folder.mkdir()
    FRAME.reset_index()[["session", "value"]].to_parquet(folder / "t.parquet")
    assert plain_file(folder / "t.parquet") is None
    found = reader.read_table(folder / "t.parquet", {"who": ["who"]})
    assert list(found["who"]) == ["a"] * 3


def test_large_files_are_left_to_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FRAME.to_csv(tmp_path / "t.csv")
    FRAME.to_parquet(tmp_path / "t.parquet")
    assert plain_file(tmp_path / "t.csv")
    assert plain_file(tmp_path / "t.parquet")
    for name in ("_LONGEST_TEXT", "_LONGEST_PARQUET"):
        monkeypatch.setattr(f"gexlab.data.tables.plain_files.{name}", 10)
    assert plain_file(tmp_path / "t.csv") is None
    assert plain_file(tmp_path / "t.parquet") is None
