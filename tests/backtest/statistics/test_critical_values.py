"""Critical values of a calibration run decide on real data too."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.protocol import Card, Dataset, Hypothesis, Outcome, Settings
from gexlab.backtest.hypotheses.run import run_one
from gexlab.backtest.statistics.critical_values import (
    CriticalValues,
    is_beyond,
    load_critical_values,
)
from gexlab.data import GexlabError

DOCUMENT: dict[str, Any] = {
    "level": 0.05,
    "seeds": 400,
    "sessions": 1_600,
    "critical": {"down": -3.645, "up": 2.0, "either": -9.0, "undefined": None},
}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(DOCUMENT | changes), encoding="utf-8")
    return path


def outcome(t: float, *, supported: bool = True, critical: float = math.nan) -> Outcome:
    nan = math.nan
    return Outcome(t, 1.0, t, 0.0, 400, nan, nan, supported, "because", critical=critical)


def card(name: str, sign: Any) -> Card:
    return Card(name, "", "", "not published", "", "D", sign, "", "")


def sessions(n: int) -> Dataset:
    index = pd.bdate_range("2020-01-01", periods=n)
    return Dataset(bars=pd.DataFrame(index=index), gex=pd.Series(np.ones(n), index=index))


def test_bias_beyond_the_normal_quantile_grows_with_the_root_of_the_sample(tmp_path: Path) -> None:
    values = load_critical_values(write(tmp_path / "c.json"))
    # by hand: the normal quantile at 5 % is 1.645; -3.645 is 2 beyond it over 1,600 sessions
    assert values.at("down", "-", 1_600) == pytest.approx(-3.645, abs=1e-3)
    assert values.at("down", "-", 400) == pytest.approx(-2.645, abs=1e-3)
    assert values.at("up", "+", 6_400) == pytest.approx(1.645 + 2 * 0.355, abs=1e-3)
    assert math.isnan(values.at("undefined", "-", 100))
    assert math.isnan(values.at("absent", "-", 100))


def test_a_value_below_the_normal_quantile_has_no_bias_to_grow() -> None:
    values = CriticalValues(0.05, 400, 1_600, {"a": 0.97, "b": 0.3})
    assert values.at("a", "+", 6_400) == 0.97
    assert values.at("b", "-", 400) == 0.3


@pytest.mark.parametrize(
    ("t", "supported", "critical", "expected", "held"),
    [
        (-4.0, True, math.nan, True, -3.645),
        (-3.0, True, math.nan, False, -3.645),
        (-4.0, False, math.nan, False, -3.645),
        (-6.0, True, -5.0, True, -5.0),  # the test's own value is the stricter one
        (-4.0, True, -2.0, True, -3.645),
    ],
)
def test_both_the_tests_condition_and_the_simulated_value_must_hold(
    tmp_path: Path, t: float, supported: bool, critical: float, expected: bool, held: float
) -> None:
    values = load_critical_values(write(tmp_path / "c.json"))
    found = outcome(t, supported=supported, critical=critical)
    test = Hypothesis(card("down", "-"), lambda _data, _settings: found)
    result = run_one(test, sessions(1_600), Settings(critical=values))
    assert result.outcome is not None
    assert result.outcome.supported is expected
    assert result.verdict == ("supported" if expected else "not supported")
    assert result.outcome.critical == pytest.approx(held, abs=1e-3)
    assert "400 simulated markets" in result.reason


def test_a_test_that_was_not_calibrated_is_left_alone(tmp_path: Path) -> None:
    values = load_critical_values(write(tmp_path / "c.json"))
    found = outcome(-1.0)
    test = Hypothesis(card("absent", "-"), lambda _data, _settings: found)
    kept = run_one(test, sessions(50), Settings(critical=values)).outcome
    assert kept is not None
    assert repr(kept) == repr(replace(found, reason=kept.reason))  # undefined equals undefined


@pytest.mark.parametrize(
    ("t", "critical", "direction", "expected"),
    [
        (2.0, 1.9, "+", True),
        (-2.0, 1.9, "+", False),
        (-2.0, 1.9, "0", True),
        (1.0, -1.0, "-", False),
    ],
)
def test_beyond_is_in_the_claims_direction(
    t: float, critical: float, direction: Any, expected: bool
) -> None:
    assert is_beyond(t, critical, direction) is expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"critical": {"a": None}}, "expected critical values, found none"),
        ({"seeds": 19}, "at least 20 markets for a level of 0.05, found 19"),
        ({"critical": 3}, "expected the JSON document of a calibration run"),
        ({"level": "low"}, "expected the JSON document of a calibration run"),
    ],
)
def test_what_cannot_decide_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(GexlabError, match=message) as caught:
        load_critical_values(write(tmp_path / "c.json", **changes))
    assert "\n" not in str(caught.value)
