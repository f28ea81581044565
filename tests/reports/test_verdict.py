"""Verdicts follow from intervals, and say so when there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gexlab.backtest.results import BacktestResult, Estimate, Notice
from gexlab.reports.sections.verdict import (
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
