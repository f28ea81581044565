"""Tables that are made without pandas are those that Arrow makes."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gexlab.data.lake.arrow_tables import (
    Coded,
    Gapped,
    PlainTable,
    array_of,
    as_table,
    coded_words,
    table_of,
)

MOMENT = pa.timestamp("us", tz="UTC")


def test_arrays_are_what_arrow_makes_of_them() -> None:
    columns = {
        "number": np.array([1.5, np.nan, -0.0, np.inf]),
        "strided": np.arange(8.0)[::2],
        "count": np.array([1, -(2**62), 0, 7]),
        "flag": np.array([True, False, True, True]),
        "day": np.array(["2024-02-29", "NaT", "1969-12-31", "1970-01-01"], "datetime64[D]"),
        "moment": np.array(["2024-02-29T01:02:03.000004", "NaT"] * 2, "datetime64[us]"),
        "word": np.array(["AM", "PM", "all", ""]),
        "reason": np.array([None, "Grüße", "", "x"], np.object_),
    }
    made = table_of(columns, {"moment": MOMENT})
    expected = pa.table(
        {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    )
    place = expected.schema.get_field_index("moment")
    expected = expected.set_column(place, "moment", expected["moment"].cast(MOMENT))
    assert made.schema == expected.schema
    assert made.equals(expected)
    made.validate(full=True)


def test_lists_are_what_arrow_makes_of_them() -> None:
    east = timezone(timedelta(hours=9))
    rows: list[dict[str, Any]] = [
        {
            "d": date(2024, 2, 29),
            "t": datetime(2024, 1, 1, 5, tzinfo=east),
            "n": 3,
            "x": 0.5,
            "s": "é",
        },
        {"d": None, "t": None, "n": None, "x": None, "s": None},
        {"d": date(1900, 1, 1), "t": datetime(1960, 1, 1, tzinfo=UTC), "n": 0, "x": -0.0, "s": ""},
    ]
    kinds = {"d": pa.date32(), "t": MOMENT, "n": pa.int64(), "x": pa.float64(), "s": pa.string()}
    for some in (rows, rows[:1], rows[1:2], []):
        made = table_of({name: [row[name] for row in some] for name in kinds}, kinds)
        made.validate(full=True)
        assert made.equals(pa.Table.from_pylist(some, schema=pa.schema(list(kinds.items()))))


@pytest.mark.parametrize(
    "words",
    [
        ["PM", None, "PM", "AM"],
        np.array(["PM", "AM", "PM", "PM"]),
        Coded(["é", None, "é"], np.array([0, 2, 1, 0])),
    ],
)
def test_words_that_recur_are_coded(words: Any) -> None:
    made = as_table(PlainTable({"word": words}, {}))["word"].chunk(0)
    made.validate(full=True)
    assert pa.types.is_dictionary(made.type)
    plain = ["é", "é", None, "é"] if isinstance(words, Coded) else words
    assert made.to_pylist() == list(plain)
    assert made.dictionary.to_pylist() == [w for w in dict.fromkeys(plain) if w is not None]


@pytest.mark.parametrize("words", [["x", None, "y"], np.array([str(i) for i in range(99)]), []])
def test_words_that_do_not_recur_are_plain(words: Any) -> None:
    made = as_table(PlainTable({"word": words}, {}))["word"].chunk(0)
    made.validate(full=True)
    assert made.to_pylist() == list(words)
    assert pa.types.is_string(made.type) or not len(words)


def test_coded_values() -> None:
    days = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]
    made = table_of({"session": Coded(days, np.array([0, 0, 2]))}, {"session": pa.date32()})
    assert made["session"].to_pylist() == [days[0], days[0], days[2]]


def test_one_word_for_all_rows() -> None:
    whose = np.zeros(3, np.int64)
    made = table_of({"book": Coded(["x"], whose), "no": Coded([None], whose)})
    made.validate(full=True)
    assert made.to_pydict() == {"book": ["x"] * 3, "no": [None] * 3}


@pytest.mark.parametrize("size", [0, 3])
def test_doubles_whose_gaps_are_known(size: int) -> None:
    values = np.array([math.nan, 1.0, math.inf])[:size]
    made = table_of({"x": Gapped(values, np.isnan(values)), "y": Gapped(np.ones(size), None)})
    made.validate(full=True)
    assert made["x"].chunk(0).equals(pa.array(values, from_pandas=True))
    assert made["y"].to_pylist() == [1.0] * size


@pytest.mark.parametrize("lists", [[("a", "b"), (), ("a",)], [("é",)], [()], []])
def test_lists_of_words(lists: list[tuple[str, ...]]) -> None:
    kind = pa.list_(pa.string())
    made = array_of(lists, kind)
    made.validate(full=True)
    assert made.equals(pa.array(lists, kind))


def test_words_by_their_places() -> None:
    made = coded_words(np.array([1, -1, 0, 1], np.int64), ("PM", "AM"))
    made.validate(full=True)
    assert made.to_pylist() == ["AM", None, "PM", "AM"]
    assert made.type == pa.dictionary(pa.int32(), pa.string())


def test_nothing_is_imported_for_it() -> None:
    code = (
        "import sys, numpy as np; from gexlab.data.lake.arrow_tables import *;"
        "table_of({'x': np.array([1.5]), 'y': ['a'], 'z': Coded(['b'], np.array([0]))});"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("value", [1.5, math.nan])
@pytest.mark.parametrize("column", [list, np.array])
def test_no_fraction_becomes_a_whole_number(value: float, column: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="same_kind"):
        table_of({"n": column([1.0, value])}, {"n": pa.int64()})


def test_what_is_never_missing_is_said() -> None:
    rows = PlainTable({"day": np.arange(3), "word": ["a", "b", "a"]}, {}, ("day",))
    made = as_table(rows)
    assert [field.nullable for field in made.schema] == [False, True]
    assert made.to_pydict() == {"day": [0, 1, 2], "word": ["a", "b", "a"]}
