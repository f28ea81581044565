"""What counts where a value lies exactly on a bound, and rows that come too late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import HOUR, labels_of, table_of, targets_of

from gexlab.strategies import Column, Evaluation, Filter, Panel, Past, late_inputs, panel_of
from gexlab.strategies.decisions import Decisions, decide
from gexlab.strategies.filters.ranks import Percentile
from gexlab.strategies.filters.sign import Always
from gexlab.strategies.model import Strategy
from gexlab.strategies.registry import make_strategy
from gexlab.strategies.rules.returns import Fade, Follow, Hold
from gexlab.strategies.sizings.basic import Fixed, TurnoverLimit
from gexlab.strategies.view import latest_known, window_of


def _labels(values: list[float], name: str = "percentile", **parameters: Any) -> list[str]:
    return labels_of(name, table_of(values), **parameters)


def test_a_percentile_enters_at_its_bound_and_stays_at_the_other() -> None:
    # ranks within four: .75 enters, .5 stays, .5 stays, .25 is the mirrored entry
    labels = _labels([1.0, 2.0, 4.0, 3.0, 2.5, 2.6, 2.0], window=4, enter=0.75, exit=0.5)
    assert labels[3:] == ["long", "long", "long", "short"]


def test_a_short_state_stays_at_its_bound_and_ends_beyond_it() -> None:
    # ranks within four: .25 enters, .5 = 1 - exit stays, .75 is the other entry
    labels = _labels([4.0, 3.0, 2.0, 1.0, 1.5, 1.7], window=4, enter=0.75, exit=0.5)
    assert labels[3:] == ["short", "short", "long"]


def test_between_the_bounds_nothing_is_entered() -> None:
    # within ten: .7 and .3 lie between exit (.6, mirrored .4) and entry (.8, .2)
    ten = [float(i) for i in range(1, 10)]
    assert _labels([*ten, 6.5], window=10, enter=0.8, exit=0.6)[-1] == "neutral"
    assert _labels([*ten, 2.5], window=10, enter=0.8, exit=0.6)[-1] == "neutral"


def test_a_short_state_ends_above_its_exit() -> None:
    # within five: .2 enters (as a double, 1 - .8 is less), then .6 lies above 1 - .6
    labels = _labels([5.0, 4.0, 3.0, 2.0, 1.0, 2.5], window=5, enter=0.8, exit=0.6)
    assert labels[4:] == ["short", "neutral"]


@pytest.mark.parametrize("tenths", range(5, 11))
def test_both_bounds_are_mirrors_of_each_other(tenths: int) -> None:
    """At every decimal bound: what rounding does to 1 - enter does not count."""
    rising = [float(i) for i in range(1, 10)]
    enter = tenths / 10
    for rank in range(1, 11):  # the last value has this rank among ten
        up = _labels([*rising, rank - 0.5], window=10, enter=enter, exit=enter)[-1]
        wanted = "long" if rank >= tenths else "short" if 10 - rank >= tenths else "neutral"
        assert (up, rank) == (wanted, rank)


def test_a_tercile_keeps_its_upper_bound_and_not_its_lower() -> None:
    # within six: ranks 2/6, 3/6, 4/6, 5/6
    six = [1.0, 3.0, 5.0, 7.0, 9.0]
    last = {v: _labels([*six, v], "tercile", window=6)[-1] for v in (2.0, 4.0, 6.0, 8.0)}
    assert last == {2.0: "short", 4.0: "neutral", 6.0: "neutral", 8.0: "long"}


def test_a_scaled_signal_is_measured_over_its_own_lookback() -> None:
    """Four sessions move twice as far as one: the unit grows with the root of the lookback."""
    steps = np.array([0.01 if i % 2 else -0.01 for i in range(40)])
    closes = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + steps, [1.004]]))
    found = targets_of("follow", closes, scale="scaled", lookback=4)
    window = np.concatenate([steps[-20:], [0.004]])
    past = closes[-1] / closes[-5] - 1.0
    assert found[-1] == pytest.approx(past / (2.0 * np.std(window, ddof=1)), rel=1e-12)


def test_a_scaled_signal_is_cut_at_one() -> None:
    steps = [0.001 if i % 2 else -0.001 for i in range(30)]
    for last in (0.5, -0.5):
        closes = 100.0 * np.cumprod(np.array([1.0, *(1.0 + s for s in steps), 1.0 + last], float))
        found = targets_of("follow", closes, scale="scaled")
        assert found[-1] == np.sign(last)
        assert targets_of("fade", closes, scale="scaled")[-1] == -np.sign(last)


def _panel(late: list[bool], n: int) -> tuple[Panel, Any, pd.DatetimeIndex]:
    days = pd.date_range("2024-01-01", periods=n, name="session")
    bars = pd.DataFrame({"close": 100.0 + np.arange(n)}, index=days)
    close = (days + 21 * HOUR).to_numpy().astype("datetime64[ns]")
    deadline = pd.Series(days + 33 * HOUR)  # rows are known 9 hours after the close
    deadline[: len(late)] -= np.where(late, 4, 0) * HOUR
    panel = panel_of(bars, close, {"regime": table_of([1.0] * len(late))})
    return panel, deadline.to_numpy().astype("datetime64[ns]"), days


def _decided(late: list[bool], strategy: Strategy, sessions: int | None = None) -> Decisions:
    panel, due, days = _panel(late, len(late) if sessions is None else sessions)
    return decide(strategy, Evaluation(panel, due), days)


def test_late_rows_are_missing_and_named_where_they_are_most() -> None:
    half = _decided([True, False, True, False], Strategy("s")).frame
    assert half["late"].tolist() == [True, False, True, False]
    assert half["label"].tolist() == ["abstain", "long", "abstain", "long"]
    more = _decided([True, True, True, False], Strategy("s")).frame
    assert more["late"].tolist() == [True, True, True, False]
    assert more["label"].tolist() == ["abstain", "abstain", "abstain", "long"]


@pytest.mark.parametrize(
    ("late", "first", "named"),
    [
        ([True, False, True, False], 0, None),  # half of them
        ([True, True, True, False], 0, (3, 4)),
        ([True, True, False, False], 2, None),  # before the test
        ([False, False, False, True, True], 3, (2, 2)),  # within it, few of all
    ],
)
def test_only_the_sessions_tested_count_as_late(
    late: list[bool], first: int, named: tuple[int, int] | None
) -> None:
    panel, due, days = _panel(late, len(late))
    found = late_inputs(Strategy("s"), Evaluation(panel, due), days[first:])
    assert {(each.title, each.late, each.values) for each in found} == (
        {("regime", *named)} if named else set()
    )


def test_a_strategy_that_reads_no_regime_has_no_late_rows() -> None:
    found = _decided([True, False], Strategy("s", filter=Always(), long=Hold())).frame
    assert found["late"].tolist() == [False, False]
    assert found["target"].tolist() == [1.0, 1.0]
    assert found["regime_known_at"].isna().all()


def test_a_session_without_a_row_abstains_and_is_not_late() -> None:
    frame = _decided(
        [False, False], Strategy("s", sizing=Fixed(0.25), long=Follow()), sessions=3
    ).frame
    assert frame["label"].tolist() == ["long", "long", "abstain"]
    assert frame["late"].tolist() == [False, False, False]
    assert frame["target"].tolist() == [0.0, 0.25, 0.0]  # the first return is undefined
    assert frame["undefined"].tolist() == [True, False, False]
    assert frame["bars_known_at"].isna().tolist() == [False, False, True]


def test_a_strategys_defaults_and_words() -> None:
    plain = Strategy("s")
    assert (plain.long, plain.sizing) == (Fade(lookback=1), Fixed(1.0))
    assert (Percentile().window, Percentile().enter, Percentile().exit) == (252, 0.6, 0.5)
    two = make_strategy("s", lookback=2, scale="scaled", size=0.5).describe()
    assert "fade 2 sessions scaled" in two
    assert two.endswith("; size 0.5")
    assert "by sign" in plain.describe()


def test_a_limit_on_turnover_starts_from_flat_after_a_session_that_abstains() -> None:
    days = pd.date_range("2024-01-01", periods=6, name="session")
    bars = pd.DataFrame({"close": np.full(6, 100.0)}, index=days)
    close = (days + 21 * HOUR).to_numpy().astype("datetime64[ns]")
    panel = panel_of(bars, close, {"regime": table_of([1.0, 1.0, 1.0, np.nan, 1.0, 1.0])})
    due = (days + 33 * HOUR).to_numpy().astype("datetime64[ns]")
    strategy = Strategy("limited", long=Hold(), sizing=TurnoverLimit(most=0.25))
    made = decide(strategy, Evaluation(panel, due), days).frame
    assert made["target"].tolist() == [0.25, 0.5, 0.75, 0.0, 0.25, 0.5]
    assert not made["undefined"].any()


def test_a_window_is_known_when_the_last_of_its_rows_is() -> None:
    known = np.array([5, 9, 6, 7, 8], dtype=np.int64)
    assert latest_known(known, 1).tolist() == [5, 9, 6, 7, 8]
    assert latest_known(known, 2).tolist() == [5, 9, 9, 7, 8]
    assert latest_known(known, 3).tolist() == [5, 9, 9, 9, 8]


@pytest.mark.parametrize(
    "values", [[np.nan, np.nan, 1.0, 2.0, 3.0], [np.nan, 1.0, np.nan, 2.0, 3.0]]
)
def test_windows_are_copied_only_where_something_is_skipped(values: list[float]) -> None:
    """The lengths of a grid would fill the memory; what they hold is the same."""
    x, at = np.array(values), np.array([3, 1, 4, 1, 5])
    window = window_of(x, at, 2, skip_missing=True, complete=True)
    assert window.usable.tolist() == [False, False, False, True, True]
    assert window.values[3:].tolist() == [[1.0, 2.0], [2.0, 3.0]]
    assert window.known_at[3:].tolist() == [at[2] if values[1] != 1.0 else 1, 5]
    skips = values[1] == 1.0
    assert (window.values.strides == (8, 8)) != skips


def test_what_filters_have_in_common_is_made_once() -> None:
    """Whatever their parameters; a subclass may give its own, or go back to the inputs."""
    made: list[int] = []

    class Above(Filter):
        level: float = 0.0

        def inputs(self) -> dict[str, Past]:
            return {"x": Past("x", 2)}

        @staticmethod
        def common(x: Any) -> Any:
            made.append(1)
            return x.mean(axis=1)

        def labels(self, common: Any) -> Any:
            return np.where(common > self.level, 1.0, 2.0)

    class Summed(Above):
        @staticmethod
        def common(x: Any) -> Any:
            return x.sum(axis=1)

    class Plain(Above):
        def labels(self, x: Any) -> Any:
            return np.where(x[:, -1] > self.level, 1.0, 2.0)

    panel = table_of([1.0, 2.0, 4.0])
    days = panel.index
    columns = {"x": Column("x", panel["value"].to_numpy(), days.to_numpy())}
    evaluation = Evaluation(Panel(days, columns), np.full(3, np.datetime64("NaT", "ns")))
    found = [evaluation.labels(Above(level)).values.tolist() for level in (1.0, 2.0, 3.5)]
    assert found == [[0.0, 1.0, 1.0], [0.0, 2.0, 1.0], [0.0, 2.0, 2.0]]
    assert made == [1]
    assert evaluation.labels(Summed(3.5)).values.tolist() == [0.0, 2.0, 1.0]
    assert evaluation.labels(Plain(3.5)).values.tolist() == [0.0, 2.0, 1.0]
