"""Labels by hand, and labels that do not know the future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.strategies.filters import FILTERS, percentile_rank
from gexlab.strategies.model import Strategy


def _table(values: list[float], regimes: list[str] | None = None) -> pd.DataFrame:
    index = pd.date_range("2024-01-01", periods=len(values), name="session")
    known = pd.Series(index + pd.Timedelta("30h"), index=index).dt.tz_localize("UTC")
    table = pd.DataFrame({"value": values, "known_at": known}, index=index)
    return table if regimes is None else table.assign(regime=regimes)


def _labels(name: str, table: pd.DataFrame, **parameters: Any) -> list[str]:
    return list(FILTERS[name](table, Strategy("s", filter=name, **parameters))["label"])


def test_sign_of_a_value() -> None:
    assert _labels("sign", _table([2.0, -1.0, 0.0, np.nan])) == [
        "long",
        "short",
        "neutral",
        "abstain",
    ]


def test_a_classified_regime_is_taken_as_it_is() -> None:
    regimes = ["neutral", "abstain", "long", "short"]
    assert _labels("sign", _table([2.0, -1.0, -3.0, 4.0], regimes)) == regimes


def test_terciles_by_hand() -> None:
    # ranks within three values: 3 of (1, 2, 3) is the top, 2 of (2, 3, 2.5) the bottom ...
    found = _labels("tercile", _table([1.0, 2.0, 3.0, 2.5, 0.0]), window=3)
    assert found == ["abstain", "abstain", "long", "neutral", "short"]


def test_percentile_enters_holds_and_leaves() -> None:
    # ranks within four values: 1, .5, .5, .25, 1, .75
    values = [1.0, 2.0, 3.0, 4.0, 2.5, 3.2, 0.0, 5.0, 4.0]
    ranks = [1.0, 0.5, 0.75, 0.25, 1.0, 0.75]
    found = percentile_rank(np.array(values), 4)
    assert found[3:].tolist() == ranks
    labels = _labels("percentile", _table(values), window=4, enter=0.9, exit=0.6)
    # in at 1, out below .6, .75 is not enough to enter, short needs .1, in at 1, .75 holds
    assert labels[3:] == ["long", "neutral", "neutral", "neutral", "long", "long"]


def test_percentile_mirrors_for_short() -> None:
    values = [5.0, 4.0, 3.0, 2.0, 2.5, 6.0, 1.0]
    # ranks within four: .25, .5, 1, .25
    labels = _labels("percentile", _table(values), window=4, enter=0.75, exit=0.5)
    assert labels[3:] == ["short", "short", "long", "short"]


def test_a_missing_value_abstains_and_ends_what_was_entered() -> None:
    values = [1.0, 2.0, 3.0, np.nan, 2.5, 9.0]
    labels = _labels("percentile", _table(values), window=3, enter=0.9, exit=0.6)
    # after the gap 2.5 ranks 2 of 3 (.67): above the exit, but nothing is held any more
    assert labels == ["abstain", "abstain", "long", "abstain", "neutral", "long"]


def test_what_the_quality_gate_refused_is_not_ranked() -> None:
    table = _table([1.0, 2.0, 99.0, 3.0], ["long", "long", "abstain", "long"])
    assert _labels("tercile", table, window=3) == ["abstain", "abstain", "abstain", "long"]


def test_a_ranked_label_is_known_when_its_last_input_is() -> None:
    table = _table([1.0, 2.0, 3.0, 4.0])
    late = pd.Timestamp("2024-02-01", tz="UTC")
    table.loc[table.index[1], "known_at"] = late
    known = FILTERS["tercile"](table, Strategy("s", window=2))["known_at"]
    assert known.tolist() == [table["known_at"].iloc[0], late, late, late]


def test_the_filter_that_reads_nothing_has_nothing_to_wait_for() -> None:
    labelled = FILTERS["always"](_table([1.0, np.nan]), Strategy("s"))
    assert list(labelled["label"]) == ["long", "long"]
    assert labelled["known_at"].isna().all()


@pytest.mark.parametrize("name", sorted(FILTERS))
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
    strategy = Strategy("s", filter=name, window=5, enter=0.8, exit=0.6)
    whole = FILTERS[name](_table(values), strategy)
    part = FILTERS[name](_table(values[:cut]), strategy)
    pd.testing.assert_frame_equal(whole.iloc[: len(part)], part, check_freq=False)


def test_bounds_of_filters_belong_where_their_words_say() -> None:
    # rank 2 of 3 is not above two thirds, rank 1 of 3 is not above one third
    values = [1.0, 2.0, 3.0, 2.5, 1.0]
    found = _labels("tercile", _table(values), window=3)
    assert found == ["abstain", "abstain", "long", "neutral", "short"]
    # ranks of 4: 3/4 is the entry itself, 2/4 the exit itself, and mirrored 1/4 and 2/4
    how = {"window": 4, "enter": 0.75, "exit": 0.5}
    for values, expected in (
        ([1.0, 2.0, 4.0, 3.0, 2.5], ["long", "long"]),  # ranks .75, .5
        ([1.0, 2.0, 4.0, 3.0, 1.5], ["long", "short"]),  # ranks .75, .25
        ([4.0, 3.0, 2.0, 1.0, 1.5], ["short", "short"]),  # ranks .25, .5
        ([4.0, 3.0, 2.0, 1.0, 2.5], ["short", "long"]),  # ranks .25, .75
    ):
        assert _labels("percentile", _table(values), **how)[3:] == expected
