"""Verdicts follow from intervals, and say so when there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gexlab.backtest.run.results import BacktestResult, Estimate, Notice
from gexlab.reports.page.sections.verdict import (
    autocorrelation_verdict,
    data_verdict,
    direction_verdict,
    volatility_verdict,
)

NAN = math.nan


def _with_sharpes(result: BacktestResult, *sharpes: tuple[float, float, float]) -> BacktestResult:
    """Return the result with these Sharpe ratios and intervals, the main strategy first."""
    pairs = zip(result.strategies.items(), sharpes, strict=False)
    strategies = {
        name: replace(
            strategy,
            metrics=replace(strategy.metrics, sharpe=s, sharpe_low=low, sharpe_high=high),
        )
        for (name, strategy), (s, low, high) in pairs
    }
    return replace(result, strategies=strategies)


@pytest.mark.parametrize(
    ("sharpes", "answer"),
    [
        ([(0.1, -0.5, 0.7)], "Not supported"),
        ([(0.0, 0.0, 0.7)], "Not supported"),
        ([(1.2, 0.4, 2.0)], "Supported"),
        ([(1.2, 0.4, 2.0), (0.3, -0.5, 1.1)], "Supported"),
        ([(1.2, 0.4, 2.0), (0.5, -0.3, 1.3)], "No better than its controls"),
        ([(1.2, 0.4, 2.0), (NAN, NAN, NAN)], "Supported"),
        ([(-1.2, -2.0, -0.4)], "Contradicted"),
        ([(NAN, NAN, NAN)], "Undefined"),
        ([(0.4, NAN, NAN)], "Undefined"),
    ],
)
def test_direction(
    result: BacktestResult, sharpes: list[tuple[float, float, float]], answer: str
) -> None:
    assert direction_verdict(_with_sharpes(result, *sharpes)).answer == answer


@pytest.mark.parametrize(
    ("n", "low", "high", "answer"),
    [
        (48, 0.4, 2.0, "Too short to say"),
        (48, -2.0, -0.4, "Too short to say"),
        (48, -0.4, 2.0, "Not supported"),
        (252, 0.4, 2.0, "Supported"),
    ],
)
def test_less_than_a_year_supports_nothing(
    result: BacktestResult, n: int, low: float, high: float, answer: str
) -> None:
    name, main = next(iter(result.strategies.items()))
    short = replace(main.metrics, sharpe=(low + high) / 2, sharpe_low=low, sharpe_high=high, n=n)
    alone = replace(result, strategies={name: replace(main, metrics=short)})
    assert direction_verdict(alone).answer == answer


def test_a_published_series_is_taken_as_it_is(result: BacktestResult) -> None:
    series = replace(result, regime=replace(result.regime, source="series"), notices=())
    assert data_verdict(series).answer == "Taken as published"


def test_the_estimator_is_chosen_before_the_result(result: BacktestResult) -> None:
    ratio = {
        name: {"next_1": Estimate(value, value - 0.1, value + 0.1, 100)}
        for name, value in (("close_to_close", 9.0), ("parkinson", 1.5), ("yang_zhang", 8.0))
    }
    volatility = replace(result.volatility, ratio=ratio)
    assert (
        "1.50 [1.40, 1.60] (Parkinson; above 1 by 3 of 3 estimators)"
        in volatility_verdict(replace(result, volatility=volatility)).reason
    )


@pytest.mark.parametrize(
    ("ratio", "answer"),
    [
        (Estimate(1.7, 1.3, 2.1, 200), "Yes"),
        (Estimate(1.2, 0.9, 1.6, 200), "Not supported"),
        (Estimate(0.7, 0.5, 0.9, 200), "No, less"),
        (Estimate(NAN, NAN, NAN, 0), "Undefined"),
    ],
)
def test_volatility(result: BacktestResult, ratio: Estimate, answer: str) -> None:
    volatility = replace(result.volatility, ratio={"parkinson": {"next_1": ratio}})
    assert volatility_verdict(replace(result, volatility=volatility)).answer == answer


def test_volatility_without_any_ratio_is_undefined(result: BacktestResult) -> None:
    volatility = replace(result.volatility, ratio={})
    assert volatility_verdict(replace(result, volatility=volatility)).answer == "Undefined"


def test_yes_on_volatility_names_the_other_explanation(result: BacktestResult) -> None:
    assert "without any dealers" in volatility_verdict(result).reason


@pytest.mark.parametrize(
    ("long", "short", "answer"),
    [
        ((-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), "Yes"),
        ((-0.2, -0.3, -0.1), (0.0, -0.1, 0.1), "Only the reversal"),
        ((0.0, -0.1, 0.1), (0.2, 0.1, 0.3), "Only the trend"),
        ((0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), "Not supported"),
        ((NAN, NAN, NAN), (NAN, NAN, NAN), "Undefined"),
    ],
)
def test_autocorrelation(
    result: BacktestResult,
    long: tuple[float, float, float],
    short: tuple[float, float, float],
    answer: str,
) -> None:
    found = {"long": Estimate(*long, 100), "short": Estimate(*short, 100)}
    assert autocorrelation_verdict(replace(result, autocorrelation=found)).answer == answer


def test_autocorrelation_without_regimes_is_undefined(result: BacktestResult) -> None:
    assert autocorrelation_verdict(replace(result, autocorrelation={})).answer == "Undefined"


@pytest.mark.parametrize(
    ("severities", "answer"),
    [
        ([], "No objection found"),
        (["info"], "No objection found"),
        (["info", "warning"], "With reservations"),
        (["warning", "error"], "No"),
    ],
)
def test_data(result: BacktestResult, severities: list[str], answer: str) -> None:
    notices = tuple(Notice("x", s, "It is so.") for s in severities)  # type: ignore[arg-type]
    assert data_verdict(replace(result, notices=notices)).answer == answer
