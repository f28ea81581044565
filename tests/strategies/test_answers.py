"""What users' own components answer: right, or refused with the component's name and a reason."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import NEVER, panel_from, table_of

from gexlab.data.base.errors import ConfigError
from gexlab.strategies import Evaluation, Filter, Past, Rule, Sizing
from gexlab.strategies.filters.ranks import Percentile

VALUES = [1.0, -2.0, 3.0, 4.0, -5.0]
TABLE = table_of(VALUES)


def _evaluation() -> Evaluation:
    return Evaluation(panel_from(TABLE), np.full(len(TABLE), NEVER))


class _Labels(Filter):
    """Gives what it is told to."""

    what: int = 0

    def inputs(self) -> dict[str, Past]:
        """Read the regime."""
        return {"value": Past("regime", None)}

    def labels(self, value: Any) -> Any:
        """Give one of the answers."""
        return ANSWERS[self.what][0](value)


def _changed(value: Any) -> Any:
    value -= value.mean()
    return np.sign(value)


ANSWERS: list[tuple[Any, Any]] = [
    (lambda v: np.where(v > 0, "long", "short"), [1, 2, 1, 1, 2]),
    (lambda v: ["long", "short", "neutral", "abstain", "long"], [1, 2, 3, 0, 1]),
    (lambda v: np.where(v > 3, np.nan, 1.0).astype(np.float32), [1, 1, 1, 0, 1]),
    (lambda v: np.array([1, 2, None, 3, 0], dtype=object), [1, 2, 0, 3, 0]),
    (lambda v: pd.Series(np.where(v > 0, 1, 2)), [1, 2, 1, 1, 2]),
    (lambda v: 3, [3, 3, 3, 3, 3]),
    (lambda v: np.sign(v), "code -1: codes are 0 abstain, 1 long, 2 short, 3 neutral; a signal"),
    (lambda v: np.where(v > 0, 1.5, 2.0), "code 1.5: codes are 0 abstain"),
    (lambda v: v > 0, "gave true and false: expected labels (abstain, long, short, neutral)"),
    (lambda v: np.where(v > 0, "Long", "short"), "label 'Long': give one of abstain, long, short, "
     "neutral (did you mean 'long'?)"),
    (lambda v: v[1:], "shape (4,): expected one for each of the 5 decisions"),
    (lambda v: v[:, None], "shape (5, 1): expected one for each"),
    (lambda v: pd.Series(v, index=TABLE.index).sort_values(), "with an index of its own"),
    (lambda v: [[1.0], [1.0, 2.0]], "rows of several lengths"),
    (lambda v: np.array([1, "x", 2, 3, 0], dtype=object), "values of type object: expected num"),
    (lambda v: v.astype(complex), "values of type complex128: expected numbers"),
    (lambda v: None, "values of type object: expected numbers"),
    (_changed, "inputs are shared and cannot be changed in place; take a copy"),
    (lambda v: 1 / 0, "failed with ZeroDivisionError (division by zero)"),
]  # fmt: skip


@pytest.mark.parametrize("what", range(len(ANSWERS)))
def test_labels_of_all_decisions(what: int) -> None:
    wanted = ANSWERS[what][1]
    if isinstance(wanted, str):
        with pytest.raises(ConfigError, match=re.escape(wanted)) as error:
            _evaluation().labels(_Labels(what))
        assert "'_labels'" in str(error.value)
    else:
        assert _evaluation().labels(_Labels(what)).values.tolist() == wanted


class _Label(Filter):
    what: int = 0

    def inputs(self) -> dict[str, Past]:
        return {"value": Past("regime")}

    def label(self, value: Any) -> Any:
        return ("lnog", None, 1, ["long"])[self.what]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (0, "gave the label 'lnog': give one of abstain, long, short, neutral (did you mean 'l"),
        (1, "gave the label None"),
        (2, "gave the label 1:"),
        (3, "gave the label ['long']"),
    ],
)
def test_labels_one_by_one(what: int, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        _evaluation().labels(_Label(what))


class _Target(Rule):
    what: int = 0

    def inputs(self) -> dict[str, Past]:
        return {"value": Past("regime"), "at": Past("close")}

    def target(self, value: Any, at: Any) -> Any:
        raise KeyError("x")


class _Given(Rule):
    what: int = 0

    def inputs(self) -> dict[str, Past]:
        return {"value": Past("regime")}

    def target(self, value: Any) -> Any:
        return (np.float32(0.5), True, float("nan"), None, "long", value, 2.0, np.inf)[self.what]


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        (0, 0.5),
        (1, 1.0),
        (2, float("nan")),
        (3, "gave nothing for session 2024-01-01: expected a number, or NaN"),
        (4, "gave 'long' for session 2024-01-01"),
        (5, "gave array([1.]) for session 2024-01-01"),
        (6, "gave a target of 2: targets lie in -1 ... 1"),
        (7, "gave a target of inf"),
    ],
)
def test_targets_one_by_one(what: int, wanted: Any) -> None:
    if isinstance(wanted, str):
        with pytest.raises(ConfigError, match=re.escape(wanted)):
            _evaluation().targets(_Given(what))
    else:
        np.testing.assert_array_equal(_evaluation().targets(_Given(what)).values, [wanted] * 5)


def test_an_error_names_component_and_session() -> None:
    with pytest.raises(ConfigError, match=r"'_target' failed for session 2024-01-01 with KeyErro"):
        _evaluation().targets(_Target())


class _Size(Sizing):
    def positions(self, target: Any) -> Any:
        with np.errstate(divide="ignore"):
            return target / np.zeros(target.size)


def test_an_infinite_position_is_refused() -> None:
    with pytest.raises(ConfigError, match="gave an infinite position: give NaN, which is flat"):
        _evaluation().positions(_Size(), np.ones(5))


class _Spoils(Filter):
    def inputs(self) -> dict[str, Past]:
        return {"value": Past("regime", 2, skip_missing=True)}

    def labels(self, value: Any) -> Any:
        value[:] = 0.0
        return 1


def test_inputs_cannot_be_changed_for_others() -> None:
    evaluation = _evaluation()
    mine = Percentile(window=2)
    alone = _evaluation().labels(mine).values
    with pytest.raises(ConfigError, match="take a copy"):
        evaluation.labels(_Spoils())
    np.testing.assert_array_equal(evaluation.labels(mine).values, alone)
