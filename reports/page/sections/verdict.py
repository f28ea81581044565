"""The answers: each follows from an interval, and "not supported" is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import fixed, interval, is_defined, percent, plural
from ..views import Verdict
from . import words

if TYPE_CHECKING:
    from ....backtest.run.results import BacktestResult, Estimate, StrategyResult

__all__ = [
    "autocorrelation_verdict",
    "data_verdict",
    "direction_verdict",
    "main_ratio",
    "verdicts",
    "volatility_verdict",
]


def verdicts(result: BacktestResult) -> tuple[Verdict, ...]:
    """Return the answers of a backtest, the one about money first."""
    return (
        direction_verdict(result),
        volatility_verdict(result),
        autocorrelation_verdict(result),
        data_verdict(result),
    )


#: Sessions of a year: below it a bootstrap sees too few blocks for its interval to be believed.
_ENOUGH = 252


def direction_verdict(result: BacktestResult) -> Verdict:
    """Return whether the main strategy earned more than nothing, and more than its controls."""
    main, metrics = result.main, result.main.metrics
    question = f"Does {main.spec.name} earn money?"
    if not is_defined(metrics.sharpe_low) or not is_defined(metrics.sharpe_high):
        reason = "The Sharpe ratio has no interval here: too few sessions or no position at all."
        return Verdict(question, "Undefined", reason, "warn")
    found = (
        f"Sharpe ratio {fixed(metrics.sharpe)} {interval(metrics.sharpe_low, metrics.sharpe_high)} "
        f"over {plural(metrics.n, 'session')}, net of costs"
    )
    if metrics.n < _ENOUGH and not metrics.sharpe_low <= 0 <= metrics.sharpe_high:
        reason = f"{found}; less than a year of sessions, for which such intervals are too narrow."
        return Verdict(question, "Too short to say", reason)
    if metrics.sharpe_high < 0:
        return Verdict(question, "Contradicted", f"{found}: it lost money.", "short")
    if metrics.sharpe_low <= 0:
        reason = f"{found}: the interval holds zero, so this is not told apart from no effect."
        return Verdict(question, "Not supported", reason)
    return _against_controls(question, found, result)


def _against_controls(question: str, found: str, result: BacktestResult) -> Verdict:
    """Return the verdict of a strategy whose interval lies above zero."""
    rival = _best_control(result)
    if rival is not None and rival.metrics.sharpe >= result.main.metrics.sharpe_low:
        reason = (
            f"{found}. But {rival.spec.name} earned {fixed(rival.metrics.sharpe)}, inside that "
            "interval: the regime need not be what earned it."
        )
        return Verdict(question, "No better than its controls", reason)
    return Verdict(question, "Supported", f"{found}; every control lies below it.", "long")


def _best_control(result: BacktestResult) -> StrategyResult | None:
    controls = [
        strategy
        for strategy in result.strategies.values()
        if strategy is not result.main and is_defined(strategy.metrics.sharpe)
    ]
    return max(controls, key=lambda strategy: strategy.metrics.sharpe, default=None)


def volatility_verdict(result: BacktestResult) -> Verdict:
    """Return whether the next session is more volatile after short than after long gamma."""
    question = "Is the next session more volatile in short gamma?"
    name, ratio = main_ratio(result)
    if ratio is None or not is_defined(ratio.low) or not is_defined(ratio.high):
        reason = "One of the two regimes did not occur, or too rarely, so there is no ratio."
        return Verdict(question, "Undefined", reason, "warn")
    found = (
        f"Volatility after short over that after long gamma: {fixed(ratio.value)} "
        f"{interval(ratio.low, ratio.high)} ({words.estimator(name)}; {_agreement(result)})"
    )
    if ratio.low > 1:
        caution = (
            "Calm markets build gamma as well as the other way round: a market without any "
            "dealers shows this too."
        )
        return Verdict(question, "Yes", f"{found}. {caution}", "long")
    if ratio.high < 1:
        return Verdict(question, "No, less", f"{found}: the opposite of the claim.", "short")
    return Verdict(question, "Not supported", f"{found}: the interval holds 1.")


#: Which estimator the verdict rests on, the most efficient first; fixed before any result.
_PREFERRED = ("realised_variance", "parkinson")


def main_ratio(result: BacktestResult) -> tuple[str, Estimate | None]:
    """Return the estimator that the verdict rests on, and its ratio of the next session.

    Intraday realised variance where there is one, else Parkinson's, whose use of high and low
    makes it about five times as efficient as closes and which stale opens do not touch.
    """
    ratios = {n: h["next_1"] for n, h in result.volatility.ratio.items() if "next_1" in h}
    name = next((n for n in (*_PREFERRED, *ratios) if n in ratios), "")
    return name, ratios.get(name)


def _agreement(result: BacktestResult) -> str:
    """Return how many estimators' intervals lie above 1."""
    ratios = [h["next_1"] for h in result.volatility.ratio.values() if "next_1" in h]
    above = sum(is_defined(r.low) and r.low > 1 for r in ratios)
    return f"above 1 by {above} of {plural(len(ratios), 'estimator')}"


def autocorrelation_verdict(result: BacktestResult) -> Verdict:
    """Return whether returns reverse in long gamma and continue in short gamma."""
    question = "Do moves reverse in long and continue in short gamma?"
    long, short = result.autocorrelation.get("long"), result.autocorrelation.get("short")
    if not (_has_interval(long) or _has_interval(short)):
        reason = "Neither regime has enough sessions for an autocorrelation with an interval."
        return Verdict(question, "Undefined", reason, "warn")
    found = "; ".join(
        f"{words.regime(name)} {fixed(e.value)} {interval(e.low, e.high)}"
        for name, e in (("long", long), ("short", short))
        if e is not None
    )
    reverses = _has_interval(long) and long is not None and long.high < 0
    continues = _has_interval(short) and short is not None and short.low > 0
    answer, ending = _AUTOCORRELATION[reverses, continues]
    reason = f"First-order autocorrelation of daily returns: {found}. {ending}"
    return Verdict(question, answer, reason, "long" if reverses and continues else "")


_AUTOCORRELATION = {
    (True, True): ("Yes", "Both intervals lie on the claimed side of zero."),
    (True, False): ("Only the reversal", "Only in long gamma does the interval leave zero out."),
    (False, True): ("Only the trend", "Only in short gamma does the interval leave zero out."),
    (False, False): ("Not supported", "Neither interval lies on the claimed side of zero."),
}


def _has_interval(estimate: Estimate | None) -> bool:
    return estimate is not None and is_defined(estimate.low) and is_defined(estimate.high)


def data_verdict(result: BacktestResult) -> Verdict:
    """Return whether the data have been objected to."""
    question = "Can these data carry an answer?"
    if result.regime.source == "series" and not result.notices:
        reason = "The regime is a series as published: what it was made from cannot be checked."
        return Verdict(question, "Taken as published", reason)
    errors = [n for n in result.notices if n.severity == "error"]
    warnings = [n for n in result.notices if n.severity == "warning"]
    sessions = max(result.data.sessions, 1)
    abstained = result.regime.counts.get("abstain", 0)
    share = percent(abstained / sessions)
    failed = f"the quality gate leaves {share} of them without a regime"
    passed = "all of them pass the quality gate"
    found = f"{plural(result.data.sessions, 'session')}; {failed if abstained else passed}"
    if errors:
        return Verdict(question, "No", f"{found}. {errors[0].detail}", "short")
    if warnings:
        listed = plural(len(warnings), "warning")
        return Verdict(question, "With reservations", f"{found}; {listed} below.", "warn")
    return Verdict(question, "No objection found", f"{found}.")
