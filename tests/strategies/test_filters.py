"""Labels by hand, and labels that do not know the future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import labels_of, outcome_of, table_of
from property_search import examples

from gexlab.strategies.components import built_in
from gexlab.strategies.filters.ranks import rank_of_last


def test_sign_of_a_value() -> None:
    assert labels_of("sign", table_of([2.0, -1.0, 0.0, np.nan])) == [
        "long",
        "short",
        "neutral",
        "abstain",
    ]


def test_a_classified_regime_is_taken_as_it_is() -> None:
    regimes = ["neutral", "abstain", "long", "short"]
    assert labels_of("sign", table_of([2.0, -1.0, -3.0, 4.0], regimes)) == regimes


def test_terciles_by_hand() -> None:
    # ranks within three values: 3 of (1, 2, 3) is the top, 2 of (2, 3, 2.5) the bottom ...
    found = labels_of("tercile", table_of([1.0, 2.0, 3.0, 2.5, 0.0]), window=3)
    assert found == ["abstain", "abstain", "long", "neutral", "short"]


def test_percentile_enters_holds_and_leaves() -> None:
    # ranks within four values: 1, .5, .5, .25, 1, .75
    values = [1.0, 2.0, 3.0, 4.0, 2.5, 3.2, 0.0, 5.0, 4.0]
    ranks = [1.0, 0.5, 0.75, 0.25, 1.0, 0.75]
    windows = np.lib.stride_tricks.sliding_window_view(np.array(values), 4)
    assert rank_of_last(windows).tolist() == ranks
    labels = labels_of("percentile", table_of(values), window=4, enter=0.9, exit=0.6)
    # in at 1, out below .6, .75 is not enough to enter, short needs .1, in at 1, .75 holds
    assert labels[3:] == ["long", "neutral", "neutral", "neutral", "long", "long"]


def test_values_that_differ_by_rounding_are_ties() -> None:
    # .1 + .2 is .3 but for 6e-17: of (1, .3, .3) the last two share the mean of ranks 1 and 2
    tied = np.array([[1.0, 0.1 + 0.2, 0.3], [1.0, 0.3, 0.1 + 0.2]])
    assert rank_of_last(tied).tolist() == [0.5, 0.5]
    # the same thrice, but for rounding, has no rank; .3 and .3000001 do differ
    assert np.isnan(rank_of_last(np.array([[0.3, 0.1 + 0.2, 0.3], [0.0, 0.0, 0.0]]))).all()
    assert rank_of_last(np.array([[0.3, 0.3, 0.3000001]])).tolist() == [1.0]


@pytest.mark.parametrize("name", ["percentile", "tercile", "z-score"])
def test_a_value_of_rounding_alone_has_no_label(name: str) -> None:
    noise = 1.0 + 1e-15 * np.random.default_rng(1).standard_normal(12)
    table = table_of((5e9 * noise).tolist())
    assert set(labels_of(name, table, window=3)) == {"abstain"}


def test_a_change_of_rounding_is_none() -> None:
    values = [0.3, 0.1 + 0.2, 0.3, 0.4]
    assert labels_of("change", table_of(values), lookback=1)[1:] == ["neutral", "neutral", "long"]


def test_percentile_mirrors_for_short() -> None:
    values = [5.0, 4.0, 3.0, 2.0, 2.5, 6.0, 1.0]
    # ranks within four: .25, .5, 1, .25
    labels = labels_of("percentile", table_of(values), window=4, enter=0.75, exit=0.5)
    assert labels[3:] == ["short", "short", "long", "short"]


def test_a_missing_value_abstains_and_ends_what_was_entered() -> None:
    values = [1.0, 2.0, 3.0, np.nan, 2.5, 9.0]
    labels = labels_of("percentile", table_of(values), window=3, enter=0.9, exit=0.6)
    # after the gap 2.5 ranks 2 of 3 (.67): above the exit, but nothing is held any more
    assert labels == ["abstain", "abstain", "long", "abstain", "neutral", "long"]


def test_what_the_quality_gate_refused_is_not_ranked() -> None:
    table = table_of([1.0, 2.0, 99.0, 3.0], ["long", "long", "abstain", "long"])
    assert labels_of("tercile", table, window=3) == ["abstain", "abstain", "abstain", "long"]


def test_a_ranked_label_is_known_when_its_last_input_is() -> None:
    table = table_of([1.0, 2.0, 3.0, 4.0])
    late = pd.Timestamp("2024-02-01", tz="UTC")
    table.loc[table.index[1], "known_at"] = late
    known = outcome_of("tercile", table, window=2).known_at
    own = pd.DatetimeIndex(table["known_at"]).tz_convert(None).as_unit("ns").asi8
    # the fourth label reads the third and fourth values alone
    assert known.tolist() == [own[0], late.value, late.value, own[3]]


def test_the_filter_that_reads_nothing_has_nothing_to_wait_for() -> None:
    table = table_of([1.0, np.nan])
    assert labels_of("always", table) == ["long", "long"]
    assert np.isnat(outcome_of("always", table).known_at.astype("datetime64[ns]")).all()


@pytest.mark.parametrize("name", ["sign", "tercile", "percentile", "z-score", "change"])
@examples(60)
@given(
    values=st.lists(
        st.one_of(st.floats(-5, 5), st.just(float("nan")), st.integers(-2, 2).map(float)),
        min_size=2,
        max_size=40,
    ),
    cut=st.integers(1, 39),
)
def test_later_values_change_no_earlier_label(name: str, values: list[float], cut: int) -> None:
    parameters = {"window": 5} if "window" in fields_of(name) else {}
    whole = labels_of(name, table_of(values), **parameters)
    assert labels_of(name, table_of(values[:cut]), **parameters) == whole[:cut]


def test_bounds_of_filters_belong_where_their_words_say() -> None:
    # rank 2 of 3 is not above two thirds, rank 1 of 3 is not above one third
    values = [1.0, 2.0, 3.0, 2.5, 1.0]
    found = labels_of("tercile", table_of(values), window=3)
    assert found == ["abstain", "abstain", "long", "neutral", "short"]
    # ranks of 4: 3/4 is the entry itself, 2/4 the exit itself, and mirrored 1/4 and 2/4
    how: dict[str, Any] = {"window": 4, "enter": 0.75, "exit": 0.5}
    for values, expected in (
        ([1.0, 2.0, 4.0, 3.0, 2.5], ["long", "long"]),  # ranks .75, .5
        ([1.0, 2.0, 4.0, 3.0, 1.5], ["long", "short"]),  # ranks .75, .25
        ([4.0, 3.0, 2.0, 1.0, 1.5], ["short", "short"]),  # ranks .25, .5
        ([4.0, 3.0, 2.0, 1.0, 2.5], ["short", "long"]),  # ranks .25, .75
    ):
        assert labels_of("percentile", table_of(values), **how)[3:] == expected


def fields_of(name: str) -> list[str]:
    return list(built_in("filter")[name]().parameters())
