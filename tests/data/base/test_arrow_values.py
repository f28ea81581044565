"""Arrow's values as Python's and numpy's: the same as Arrow's own, without pandas."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from gexlab.data.base.arrow_values import plain, records_of, values_of

MOMENT = datetime(2024, 3, 1, 20, 59, 59, 123456, tzinfo=UTC)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
@pytest.mark.parametrize("chunked", [False, True])
def test_moments_are_those_that_arrow_gives(unit: str, zone: str | None, *, chunked: bool) -> None:
    column = pa.array([MOMENT, None, datetime(1969, 12, 31, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    column = column.cast(pa.timestamp(unit, "UTC"), safe=False)
    column = column.view(pa.timestamp(unit, zone))
    given = pa.chunked_array([column, column[:1]]) if chunked else column
    assert values_of(given) == given.to_pylist()
    assert all((value.tzinfo is None) == (zone is None) for value in values_of(column[:1]))


def test_a_moment_beyond_python_is_no_other_moment() -> None:
    for number in (2**62, -(2**62)):
        with pytest.raises(OverflowError):
            values_of(pa.array([number], pa.timestamp("us", "UTC")))


def test_rows_are_dictionaries_in_order() -> None:
    table = pa.table({"session": [date(2024, 3, 1), None], "flip": [5.0, None], "n": [1, None]})
    assert records_of(table) == table.to_pylist()
    assert records_of(table.slice(0, 0)) == []


COLUMNS = {
    "number": pa.array([1.5, None, float("nan"), -0.0] * 5),
    "count": pa.array([1, 2, -(2**62), 7] * 5),
    "code": pa.array([1, 0, 3, 7] * 5, pa.int8()),
    "flag": pa.array([True, False, False, True, True] * 4),
    "day": pa.array([date(2024, 2, 29), date(1969, 12, 31)] * 10),
    "moment": pa.array(
        [MOMENT, datetime(1969, 12, 31, tzinfo=UTC)] * 10, pa.timestamp("us", "UTC")
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_numbers_are_those_that_arrow_gives(name: str) -> None:
    whole = COLUMNS[name]
    stored = {"day": pa.int32(), "moment": pa.int64()}.get(name, whole.type)
    for column in (whole, whole[3:], whole[3:17], whole[:0], whole[9:9]):
        expected = column.cast(stored).to_numpy(zero_copy_only=False)
        cut = len(column) // 2
        pieces = pa.chunked_array([column[:cut], column[cut:]])
        for given in (column, pa.chunked_array([column]), pieces):
            np.testing.assert_array_equal(plain(given), expected)
            assert plain(given).dtype == expected.dtype
    assert not len(plain(pa.chunked_array([], whole.type)))


@pytest.mark.parametrize("kind", [pa.float64(), pa.int32(), pa.int64(), pa.date32()])
def test_numbers_without_null_are_arrows_own_memory(kind: pa.DataType) -> None:
    column = pa.array([1, 2, 3], pa.int32()).cast(kind)
    for given in (column, column[1:], pa.chunked_array([column])):
        found = plain(given)
        assert found.ctypes.data == column.buffers()[1].address + found.itemsize * (3 - len(found))


@pytest.mark.parametrize("index", [pa.int8(), pa.int32(), pa.uint16()])
def test_words_are_no_numbers_but_their_indices_are(index: pa.DataType) -> None:
    words = pa.array(["b", None, "a", "b"]).dictionary_encode().cast(pa.dictionary(index, "string"))
    assert plain(words.indices, -1).tolist() == [0, -1, 1, 0]
    assert plain(words[1:].indices, 9).tolist() == [9, 1, 0]
    for given in (words, words[:0], pa.chunked_array([words, words])):
        with pytest.raises(TypeError, match="indices"):
            plain(given, -1)


def test_missing_stands_for_null_alone() -> None:
    days = pa.array([date(1970, 1, 3), None, date(1970, 1, 1), None])
    assert plain(days, -1).tolist() == [2, -1, 0, -1]
    assert plain(days[1:], -1).tolist() == [-1, 0, -1]
    assert plain(pa.nulls(3, pa.int64()), 7).tolist() == [7, 7, 7]
    assert np.isnan(plain(pa.nulls(2, pa.float64()))).all()
    with pytest.raises(ValueError, match="NaN"):
        plain(pa.array([1, None]))


@pytest.mark.parametrize("kind", [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()])
def test_numbers_without_a_sign_stay_what_they_are(kind: pa.DataType) -> None:
    """Read with a sign, 255 of eight bits would be -1; beside int64, uint64 would become floats."""
    most = min(2**kind.bit_width - 1, 2**63 - 1)
    found = plain(pa.array([0, most, 1], kind))
    assert found.dtype == np.int64
    assert found.tolist() == [0, most, 1]
    holed = plain(pa.array([most, None], kind), -1)
    assert holed.tolist() == [most, -1]
    assert plain(pa.array([], kind)).dtype == np.int64
    with pytest.raises(ValueError, match="NaN"):
        plain(pa.array([most, None], kind))


def test_a_number_beyond_whole_numbers_is_no_negative_one() -> None:
    with pytest.raises(OverflowError, match="2\\^63"):
        plain(pa.array([2**63], pa.uint64()))
