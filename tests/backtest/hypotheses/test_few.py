"""A verdict that hangs on fewer than five observations says so, and names them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.few import hangs_on_few
from gexlab.backtest.hypotheses.protocol import Card, Dataset, Hypothesis, Outcome, Settings
from gexlab.backtest.hypotheses.run import run_one

SESSIONS = pd.bdate_range("2024-01-01", periods=200)
QUIET = np.tile([1.0, -1.0], 100)


def _scores(**changed: float) -> pd.Series[float]:
    """Return noise with a mean of 0 and some sessions, by position, of another size."""
    values = pd.Series(QUIET.copy(), index=SESSIONS)
    for place, value in changed.items():
        values.iloc[int(place[1:])] = value
    return values


#: Four sessions of 200 carry a mean of 0.81 with a deviation of 5.7: t 2.0, without one 1.8.
CARRIED = _scores(p10=40.0, p50=41.0, p90=40.0, p130=39.0) + 0.03


def _outcome(scores: pd.Series[float] | None, *, supported: bool, **changes: Any) -> Outcome:
    """Return the outcome of the plain t test of a mean; a claim is supported beyond 1.96."""
    values = QUIET if scores is None else scores.to_numpy()
    error = float(values.std() / math.sqrt(len(values)))
    mean = float(values.mean())
    found = {
        "estimate": mean, "std_error": error, "t_stat": mean / error, "p_value": 0.5,
        "n": len(values), "low": 0.0, "high": 0.0, "reason": "as drawn",
    }  # fmt: skip
    return Outcome(**{**found, **changes}, supported=supported, scores=scores)


def _card(sign: Any = "+") -> Card:
    return Card("drawn", "", "", "not published", "", "D", sign, "", "")


def _plain_t(scores: pd.Series[float], gone: list[int]) -> float:
    kept = scores.drop(SESSIONS[gone]).to_numpy()
    return float(kept.mean() / (kept.std() / math.sqrt(len(kept))))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_fewest_that_decide_are_named(sign: float) -> None:
    scores = sign * CARRIED
    found = _outcome(scores, supported=True)
    assert 1.96 < abs(found.t_stat) < 2.05
    said = hangs_on_few(_card("+" if sign > 0 else "-"), found)
    t = _plain_t(scores, [50])
    assert abs(t) < 1.96
    day = SESSIONS[50].date()
    assert said == f"hangs on 1 of the observations ({day}): without it t is about {t:.1f}"


def test_several_are_named_in_order_of_time() -> None:
    scores = _scores(p10=30.0, p50=31.0, p90=32.0, p130=33.0) + 0.15
    found = _outcome(scores, supported=True, critical=2.0)
    without = [_plain_t(scores, gone) for gone in ([130], [90, 130], [50, 90, 130])]
    first = next(i for i, t in enumerate(without) if t <= 2.0)
    said = hangs_on_few(_card(), found)
    gone = sorted([130, 90, 50][: first + 1])
    assert ", ".join(str(SESSIONS[i].date()) for i in gone) in said
    assert said.startswith(f"hangs on {first + 1} of")


def test_what_many_carry_hangs_on_none() -> None:
    assert hangs_on_few(_card(), _outcome(_scores() + 0.5, supported=True)) == ""


def test_a_claim_that_one_session_contradicts_says_so() -> None:
    # a mean of 0.3 with noise of 1 is t 4.2; one session of -60 makes it nothing
    scores = _scores(p20=-60.0) + 0.3
    found = _outcome(scores, supported=False)
    assert found.t_stat < 0.5
    assert f"({SESSIONS[20].date()})" in hangs_on_few(_card(), found)


@pytest.mark.parametrize(
    ("sign", "supported", "changes"),
    [
        ("0", True, {}),  # no direction
        ("+", False, {}),  # t is beyond: something else decided
        ("+", True, {"critical": 9.0}),  # t is not beyond: something else decided
        ("+", True, {"t_stat": math.nan}),
    ],
)
def test_where_t_did_not_decide_nothing_is_said(
    sign: str, supported: bool, changes: dict[str, float]
) -> None:
    assert hangs_on_few(_card(sign), _outcome(CARRIED, supported=supported, **changes)) == ""


def test_without_scores_nothing_is_said() -> None:
    assert hangs_on_few(_card(), _outcome(None, supported=False)) == ""


def test_a_reason_has_no_nan() -> None:
    found = replace(_outcome(None, supported=False), reason="Sharpe +nan (+nan to +nan), t nan")
    bars = pd.DataFrame({"close": 1.0}, index=SESSIONS)
    dataset = Dataset(bars, pd.Series(1.0, index=SESSIONS))
    result = run_one(Hypothesis(_card(), lambda d, s: found), dataset, Settings())
    assert result.reason.endswith(": Sharpe undefined (no interval), t undefined")


def test_the_reason_says_it() -> None:
    found = _outcome(CARRIED, supported=True)
    bars = pd.DataFrame({"close": 1.0}, index=SESSIONS)
    dataset = Dataset(bars, pd.Series(1.0, index=SESSIONS))
    result = run_one(Hypothesis(_card(), lambda d, s: found), dataset, Settings())
    assert ": as drawn; hangs on 1 of the observations (" in result.reason
    assert result.outcome is not None
    assert result.outcome.reason == result.reason
