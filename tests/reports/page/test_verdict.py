"""Verdicts follow from intervals, and say so when there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gexlab.backtest.run.results import BacktestResult, Estimate, Notice, Ratio
from gexlab.reports.page.sections.verdict import (
    autocorrelation_verdict,
    data_verdict,
    direction_verdict,
    main_ratio,
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
        ([(1.2, 0.4, 2.0)], "No control to compare with"),
        ([(1.2, 0.4, 2.0), (0.3, -0.5, 1.1)], "Supported"),
        ([(1.2, 0.4, 2.0), (0.4, -0.5, 1.1)], "No better than its controls"),
        ([(1.2, 0.4, 2.0), (0.5, -0.3, 1.3)], "No better than its controls"),
        ([(1.2, 0.4, 2.0), (NAN, NAN, NAN)], "No control to compare with"),
        ([(1.2, 0.4, 2.0), (NAN, NAN, NAN), (0.3, -0.5, 1.1)], "Supported"),
        ([(-1.2, -2.0, -0.4)], "Contradicted"),
        ([(NAN, NAN, NAN)], "Undefined"),
        ([(0.4, NAN, NAN)], "Undefined"),
        ([(0.4, 0.1, NAN)], "Undefined"),
        ([(0.4, NAN, 0.9)], "Undefined"),
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
        (251, 0.4, 2.0, "Too short to say"),
        (252, 0.4, 2.0, "Supported"),
    ],
)
def test_less_than_a_year_supports_nothing(
    result: BacktestResult, n: int, low: float, high: float, answer: str
) -> None:
    sharpes = _with_sharpes(result, ((low + high) / 2, low, high), (-1.0, -2.0, 0.1))
    name, main = next(iter(sharpes.strategies.items()))
    short = replace(main, metrics=replace(main.metrics, n=n))
    assert direction_verdict(
        replace(result, strategies={**sharpes.strategies, name: short})
    ).answer == (answer)


def test_support_names_every_control_and_what_it_earned(result: BacktestResult) -> None:
    found = _with_sharpes(result, (1.2, 0.4, 2.0), (0.3, -0.5, 1.1), (NAN, NAN, NAN))
    reason = direction_verdict(found).reason
    assert "follow-long-fade-short 0.30 and always-fade –" in reason


def test_a_strategy_of_the_users_own_is_no_control(result: BacktestResult) -> None:
    found = _with_sharpes(result, (1.2, 0.4, 2.0), (0.9, 0.1, 1.7), (0.1, -0.9, 1.0))
    names = list(found.strategies)
    other = replace(found.strategies[names[1]], role="custom")
    mixed = replace(found, strategies={**found.strategies, names[1]: other})
    verdict = direction_verdict(mixed)
    assert verdict.answer == "Supported"
    assert names[1] not in verdict.reason


@pytest.mark.parametrize(
    ("severities", "answer"),
    [
        ([], "Taken as published"),
        (["info"], "Taken as published"),
        (["warning"], "With reservations"),
        (["error"], "No"),
    ],
)
def test_a_published_series_passes_no_gate(
    result: BacktestResult, severities: list[str], answer: str
) -> None:
    notices = tuple(Notice("x", s, "It is so.") for s in severities)  # type: ignore[arg-type]
    series = replace(result, regime=replace(result.regime, source="series"), notices=notices)
    verdict = data_verdict(series)
    assert verdict.answer == answer
    assert "gate" not in verdict.reason
    # 3 of 260 sessions have no value
    assert "1.2 % of them have no value in the series" in verdict.reason


def test_the_estimator_is_chosen_before_the_result(result: BacktestResult) -> None:
    ratio = {
        name: {"next_1": _ratio(value, value - 0.1, value + 0.1)}
        for name, value in (("close_to_close", 9.0), ("parkinson", 1.5), ("yang_zhang", 8.0))
    }
    assert (
        "1.50 [1.40, 1.60] over 300 sessions, 60 of them in short gamma "
        "(Parkinson; 3 of 3 estimators with an interval above 1)"
    ) in volatility_verdict(_with_ratios(result, ratio)).reason


def _ratio(value: float, low: float, high: float, short: int = 60, long: int = 240) -> Ratio:
    return Ratio(value, low, high, short + long, short, long)


def _with_ratios(result: BacktestResult, ratio: dict[str, dict[str, Ratio]]) -> BacktestResult:
    return replace(result, volatility=replace(result.volatility, ratio=ratio))


def test_the_longest_sample_leads(result: BacktestResult) -> None:
    # a year of minutes on fifteen years of days: nine sessions in short gamma must not decide
    ratio = {
        "realised_variance": {"next_1": _ratio(4.32, 1.60, 6.73, 9, 246)},
        "parkinson": {"next_1": _ratio(1.42, 1.21, 1.66, 900, 2_823)},
        "close_to_close": {"next_1": _ratio(1.30, 1.05, 1.55, 899, 2_823)},
    }
    found = volatility_verdict(_with_ratios(result, ratio))
    assert found.answer == "Yes"
    assert "1.42 [1.21, 1.66] over 3,723 sessions, 900 of them in short gamma" in found.reason
    equal = {n: {"next_1": replace(r["next_1"], n=500)} for n, r in ratio.items()}
    assert main_ratio(_with_ratios(result, equal))[0] == "realised_variance"


@pytest.mark.parametrize(
    ("short", "long", "answer"),
    [
        (60, 191, "Too short to say"),
        (60, 192, "Yes"),
        (29, 900, "Too short to say"),
        (30, 900, "Yes"),
        (900, 29, "Too short to say"),
    ],
)
def test_volatility_needs_sessions_as_the_other_questions_do(
    result: BacktestResult, short: int, long: int, answer: str
) -> None:
    ratio = {"parkinson": {"next_1": _ratio(1.7, 1.3, 2.1, short, long)}}
    assert volatility_verdict(_with_ratios(result, ratio)).answer == answer


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        # most of the others lie across 1
        ([(1.3, 0.9, 1.8), (1.2, 0.8, 1.7), (0.9, 0.7, 1.3)], "Estimators contradict each other"),
        ([(1.3, 0.9, 1.8), (0.9, 0.7, 1.3), (0.8, 0.6, 1.1)], "No, less"),
        # a half is not most
        ([(1.3, 0.9, 1.8), (0.8, 0.6, 1.1)], "No, less"),
        # one is as clear as the first, on the other side
        ([(1.4, 1.1, 1.8), (0.9, 0.7, 1.3), (0.8, 0.6, 1.1)], "Estimators contradict each other"),
        ([(NAN, NAN, NAN)], "No, less"),
    ],
)
def test_estimators_that_contradict_each_other_are_the_answer(
    result: BacktestResult, others: list[tuple[float, float, float]], answer: str
) -> None:
    names = ("close_to_close", "garman_klass", "yang_zhang")
    ratio = {"parkinson": {"next_1": _ratio(0.7, 0.5, 0.9, 100, 400)}}
    ratio |= {n: {"next_1": _ratio(*o)} for n, o in zip(names, others, strict=False)}
    found = volatility_verdict(_with_ratios(result, ratio))
    assert found.answer == answer
    if answer != "No, less":
        assert "Parkinson 0.70 [0.50, 0.90]" in found.reason


def test_a_short_sample_contradicts_nobody(result: BacktestResult) -> None:
    ratio = {
        "parkinson": {"next_1": _ratio(0.7, 0.5, 0.9, 100, 400)},
        "realised_variance": {"next_1": _ratio(4.3, 1.6, 6.7, 9, 246)},
    }
    assert volatility_verdict(_with_ratios(result, ratio)).answer == "No, less"


@pytest.mark.parametrize(
    ("ratio", "answer"),
    [
        (Ratio(1.7, 1.3, 2.1, 300, 60, 240), "Yes"),
        (Ratio(1.2, 0.9, 1.6, 300, 60, 240), "Not supported"),
        (Ratio(0.7, 0.5, 0.9, 300, 60, 240), "No, less"),
        (Ratio(NAN, NAN, NAN, 0), "Undefined"),
    ],
)
def test_volatility(result: BacktestResult, ratio: Ratio, answer: str) -> None:
    found = volatility_verdict(_with_ratios(result, {"parkinson": {"next_1": ratio}}))
    assert found.answer == answer


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
        ((-0.2, -0.3, -0.1), (NAN, NAN, NAN), "Only the reversal"),
        ((NAN, NAN, NAN), (0.2, 0.1, 0.3), "Only the trend"),
        ((0.0, -0.1, 0.1), (NAN, NAN, NAN), "Undefined"),
        ((NAN, NAN, NAN), (0.0, -0.1, 0.1), "Undefined"),
        ((0.0, -0.1, 0.1), (0.1, NAN, NAN), "Undefined"),
    ],
)
def test_autocorrelation(
    result: BacktestResult,
    long: tuple[float, float, float],
    short: tuple[float, float, float],
    answer: str,
) -> None:
    found = {"long": Estimate(*long, 200), "short": Estimate(*short, 100)}
    verdict = autocorrelation_verdict(replace(result, autocorrelation=found))
    assert verdict.answer == answer
    undefined = [name for name, side in (("long", long), ("short", short)) if math.isnan(side[1])]
    if len(undefined) == 1:
        assert f"{undefined[0]} gamma undefined" in verdict.reason
    assert "–" not in verdict.reason
    if undefined:
        assert "Neither interval" not in verdict.reason


def test_a_short_sample_says_the_same_to_every_question(result: BacktestResult) -> None:
    # twelve sessions, and intervals that leave out zero and one
    few = {"long": Estimate(-0.5, -0.7, -0.3, 6), "short": Estimate(0.5, 0.3, 0.7, 6)}
    found = _with_sharpes(result, (3.0, 1.0, 5.0), (-3.0, -5.0, -1.0))
    name, main = next(iter(found.strategies.items()))
    main = replace(main, metrics=replace(main.metrics, n=12))
    short = replace(
        _with_ratios(found, {"parkinson": {"next_1": _ratio(2.0, 1.5, 2.5, 6, 6)}}),
        strategies={**found.strategies, name: main},
        autocorrelation=few,
    )
    answers = [v(short).answer for v in (direction_verdict, volatility_verdict)]
    assert {*answers, autocorrelation_verdict(short).answer} == {"Too short to say"}


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


def test_what_is_left_out_is_a_reservation_until_it_is_much(result: BacktestResult) -> None:
    """Of 260 sessions 13 are a twentieth; one more is much."""
    assert result.data.sessions == 260
    for count, answer in ((1, "With reservations"), (13, "With reservations"), (14, "No")):
        notice = Notice("bad_bar", "error", "a low is wrong", count, left_out=True)
        assert data_verdict(replace(result, notices=(notice,))).answer == answer
