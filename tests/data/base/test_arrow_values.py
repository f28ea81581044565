"""Arrow's values as Python's: the same as Arrow's own, without pandas."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from gexlab.data.base.arrow_values import records_of, values_of

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
