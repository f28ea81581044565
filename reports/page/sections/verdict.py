"""The answers: each follows from an interval, and "not supported" is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....backtest import NORMAL_LEVEL, Estimate
from ....data import EXCHANGE_SESSIONS
from ..formats import count, fixed, interval, interval_heading, is_defined, joined, percent, plural
from ..views import Verdict
from . import words

if TYPE_CHECKING:
    from ....backtest import BacktestResult, Estimate, Notice, Ratio
    from ..views import Tone

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


#: Sessions of a year: below it a market has been in one state or two, whatever an interval says.
_ENOUGH = EXCHANGE_SESSIONS

#: Sessions of a regime below which a figure about it hangs on single sessions.
_FEW = 30


def direction_verdict(result: BacktestResult) -> Verdict:
    """Return whether the main strategy earned more than nothing, and more than its controls."""
    main, metrics = result.main, result.main.metrics
    question = f"Does {main.spec.name} earn money?"
    if not is_defined(metrics.sharpe_low) or not is_defined(metrics.sharpe_high):
        reason = "The Sharpe ratio has no interval here: too few sessions or no position at all."
        return Verdict(question, "Undefined", reason, "warn")
    found = (
        f"Sharpe ratio {fixed(metrics.sharpe)} {interval(metrics.sharpe_low, metrics.sharpe_high)}"
        f"{_level(result)} over {plural(metrics.n, 'session')}, net of costs"
    )
    if metrics.n < _ENOUGH and not metrics.sharpe_low <= 0 <= metrics.sharpe_high:
        reason = f"{found}; less than a year of sessions, in which a market is in one state or two."
        return Verdict(question, TOO_SHORT, reason)
    if metrics.sharpe_high < 0:
        return Verdict(question, "Contradicted", f"{found}: it lost money.", "bad")
    if metrics.sharpe_low <= 0:
        reason = (
            f"{found}: the interval holds zero, so this cannot be distinguished from no effect."
        )
        return Verdict(question, "Not supported", reason)
    return _against_controls(question, found, result)


#: What every question answers where a sample is too short, whatever its interval says.
TOO_SHORT = "Too short to say"


def _against_controls(question: str, found: str, result: BacktestResult) -> Verdict:
    """Return the verdict of a strategy whose interval lies above zero."""
    controls = [s for s in result.strategies.values() if s.role == "control"]
    rivals = [s for s in controls if is_defined(s.metrics.sharpe)]
    if not rivals:
        reason = (
            f"{found}. But no control ran that has a Sharpe ratio: there is nothing to hold it "
            "against."
        )
        return Verdict(question, "No control to compare with", reason, "warn")
    best = max(rivals, key=lambda s: s.metrics.sharpe)
    if best.metrics.sharpe >= result.main.metrics.sharpe_low:
        reason = (
            f"{found}. But {best.spec.name} earned {fixed(best.metrics.sharpe)}, inside that "
            "interval: the regime need not be what earned it."
        )
        return Verdict(question, "No better than its controls", reason)
    named = joined(f"{s.spec.name} {fixed(s.metrics.sharpe)}" for s in controls)
    reason = f"{found}; the controls lie below that interval: {named}."
    return Verdict(question, "Supported", reason, "good")


def volatility_verdict(result: BacktestResult) -> Verdict:
    """Return whether the next session is more volatile after short than after long gamma."""
    question = "Is the next session more volatile in short gamma?"
    name, ratio = main_ratio(result)
    if ratio is None or not is_defined(ratio.low) or not is_defined(ratio.high):
        reason = "One of the two regimes did not occur, or too rarely, so there is no ratio."
        if ratio is not None and ratio.reason:
            reason = f"The ratio has no interval: {ratio.reason}."
        return Verdict(question, "Undefined", reason, "warn")
    found = (
        f"Volatility after short over that after long gamma: {fixed(ratio.value)} "
        f"{interval(ratio.low, ratio.high)}{_level(result)} over {_sessions_of(ratio)} "
        f"({words.estimator(name)}; {_agreement(result)})"
    )
    if short := _too_short(ratio):
        return Verdict(question, TOO_SHORT, f"{found}: {short}.")
    if against := _contradicting(result, name, ratio):
        return Verdict(question, "Estimators contradict each other", f"{found}. {against}", "warn")
    if ratio.low > 1:
        caution = (
            "Calm markets build gamma as well as the other way round: a market without any "
            "dealers shows this too."
        )
        return Verdict(question, "Yes", f"{found}. {caution}", "good")
    if ratio.high < 1:
        return Verdict(question, "No, less", f"{found}: the opposite of the claim.", "bad")
    return Verdict(question, "Not supported", f"{found}: the interval holds 1.")


def _sessions_of(ratio: Ratio) -> str:
    return f"{plural(ratio.n, 'session')}, {count(min(ratio.n_short, ratio.n_long))} " + (
        "of them in short gamma" if ratio.n_short <= ratio.n_long else "of them in long gamma"
    )


def _too_short(ratio: Ratio) -> str:
    """Return why an interval that leaves 1 out is not to be believed; empty where it is."""
    if ratio.low <= 1 <= ratio.high:
        return ""
    if ratio.n < _ENOUGH:
        return "less than a year of sessions, in which a market is in one state or two"
    fewest = min(ratio.n_short, ratio.n_long)
    return f"{plural(fewest, 'session')} of one regime decide" if fewest < _FEW else ""


#: Which estimator goes first among those with equally many sessions, the most efficient first;
#: fixed before any result.
_PREFERRED = ("realised_variance", "parkinson")


def main_ratio(result: BacktestResult) -> tuple[str, Ratio | None]:
    """Return the estimator that the verdict rests on, and its ratio of the next session.

    The one with the most sessions. Among equals intraday realised variance, then Parkinson's,
    whose use of high and low makes it about five times as efficient as closes and which stale
    opens do not touch.
    """
    ratios = _next_ratios(result)
    order = [n for n in (*_PREFERRED, *ratios) if n in ratios]
    name = max(order, key=lambda n: ratios[n].n, default="")
    return name, ratios.get(name)


def _next_ratios(result: BacktestResult) -> dict[str, Ratio]:
    """Return each estimator's ratio of the next session."""
    return {n: h["next_1"] for n, h in result.volatility.ratio.items() if "next_1" in h}


def _agreement(result: BacktestResult) -> str:
    """Return how many estimators' intervals lie above 1."""
    ratios = list(_next_ratios(result).values())
    above = sum(_side(r) > 0 for r in ratios)
    return f"{above} of {plural(len(ratios), 'estimator')} with an interval above 1"


def _level(result: BacktestResult) -> str:
    """Return what an interval is called where it is not the usual one."""
    level = result.provenance.level
    return "" if level == NORMAL_LEVEL else f" ({interval_heading(level)})"


def _side(ratio: Ratio) -> int:
    """Return 1 where the interval lies above 1, -1 where it lies below, else 0."""
    return int(is_defined(ratio.low) and ratio.low > 1) - int(
        is_defined(ratio.high) and ratio.high < 1
    )


def _contradicting(result: BacktestResult, name: str, ratio: Ratio) -> str:
    """Return what estimators say that contradict each other; empty where none do.

    They do where one interval lies above 1 and another below, and where most of the others'
    estimates lie across 1 from the first one's interval; samples that are too short have no say.
    """
    every = {
        n: r
        for n, r in {name: ratio, **_next_ratios(result)}.items()
        if is_defined(r.value) and not _too_short(r)
    }
    clear = {n: r for n, r in every.items() if _side(r)}
    across = {n: r for n, r in every.items() if _side(ratio) * (r.value - 1.0) < 0}
    if len({_side(r) for r in clear.values()}) < 2 and 2 * len(across) <= len(every) - 1:
        return ""
    named = joined(
        f"{words.estimator(n)} {fixed(r.value)} {interval(r.low, r.high)}"
        for n, r in {**clear, **across}.items()
    )
    return f"But they do not agree: {named}. Which is right, these data do not say."


def autocorrelation_verdict(result: BacktestResult) -> Verdict:
    """Return whether returns reverse in long gamma and continue in short gamma."""
    question = "Do moves reverse in long and continue in short gamma?"
    sides = {name: _found(result.autocorrelation.get(name)) for name in ("long", "short")}
    if not any(_has_interval(e) for e in sides.values()):
        reason = "Neither regime has enough sessions for an autocorrelation with an interval."
        return Verdict(question, "Undefined", reason, "warn")
    found = "; ".join(_side_in_words(name, e) for name, e in sides.items())
    found = f"First-order autocorrelation of daily returns{_level(result)}: {found}."
    reverses = _claimed(sides["long"], -1)
    continues = _claimed(sides["short"], 1)
    if (reverses or continues) and sum(e.n for e in sides.values()) < _ENOUGH:
        reason = f"{found} Less than a year of sessions: such intervals are too narrow."
        return Verdict(question, TOO_SHORT, reason)
    answer, ending = _AUTOCORRELATION[reverses, continues]
    tone: Tone = "good" if reverses and continues else "warn" if answer == "Undefined" else ""
    return Verdict(question, answer, f"{found} {ending}", tone)


#: Answers by whether long gamma reverses and short gamma continues; None: that side is undefined.
_AUTOCORRELATION: dict[tuple[bool | None, bool | None], tuple[str, str]] = {
    (True, True): ("Yes", "Both intervals lie on the claimed side of zero."),
    (True, False): ("Only the reversal", "Only in long gamma does the interval leave zero out."),
    (False, True): ("Only the trend", "Only in short gamma does the interval leave zero out."),
    (False, False): ("Not supported", "Neither interval lies on the claimed side of zero."),
    (True, None): ("Only the reversal", "Of short gamma these data say nothing."),
    (None, True): ("Only the trend", "Of long gamma these data say nothing."),
    (False, None): ("Undefined", "Half of the claim cannot be judged; the other half is not met."),
    (None, False): ("Undefined", "Half of the claim cannot be judged; the other half is not met."),
}


def _found(estimate: Estimate | None) -> Estimate:
    nothing = float("nan")
    return Estimate(nothing, nothing, nothing, 0) if estimate is None else estimate


def _claimed(estimate: Estimate, sign: int) -> bool | None:
    """Return whether the interval lies on the claimed side of zero; None without an interval."""
    if not _has_interval(estimate):
        return None
    return estimate.high < 0 if sign < 0 else estimate.low > 0


def _side_in_words(name: str, estimate: Estimate) -> str:
    if not _has_interval(estimate):
        return f"{words.regime(name)} undefined ({plural(estimate.n, 'session')})"
    ends = interval(estimate.low, estimate.high)
    return f"{words.regime(name)} {fixed(estimate.value)} {ends} ({plural(estimate.n, 'session')})"


def _has_interval(estimate: Estimate) -> bool:
    return is_defined(estimate.low) and is_defined(estimate.high)


#: Share of the sessions that may be left out before what is left can carry no answer.
_MUCH = 0.05


def data_verdict(result: BacktestResult) -> Verdict:
    """Return whether the data have been objected to."""
    question = "Can these data carry an answer?"
    published = result.regime.source == "series"
    found = f"{plural(result.data.sessions, 'session')}; {_without_regime(result)}"
    excluded = sum(notice.count for notice in result.notices if notice.left_out)
    much = excluded > _MUCH * max(result.data.sessions, 1)
    # what is in no answer any more is a reservation, unless it is much
    errors = [n for n in _details(result, "error") if much or not n.left_out]
    warnings = [n for n in result.notices if n.severity != "info" and n not in errors]
    if errors:
        return Verdict(question, "No", f"{found}. {errors[0].detail}", "bad")
    if warnings:
        listed = plural(len(warnings), "warning")
        return Verdict(question, "With reservations", f"{found}; {listed} below.", "warn")
    if published:
        reason = f"{found}. A series as published: what it was made from cannot be checked."
        return Verdict(question, "Taken as published", reason)
    unchecked = "" if result.findings is not None else "; the chains were not checked here"
    return Verdict(question, "No objection found", f"{found}{unchecked}.")


def _details(result: BacktestResult, severity: str) -> list[Notice]:
    return [notice for notice in result.notices if notice.severity == severity]


def _without_regime(result: BacktestResult) -> str:
    """Return how many sessions have no regime, and why, in the terms of where it comes from."""
    abstained = result.regime.counts.get("abstain", 0)
    share = percent(abstained / max(result.data.sessions, 1))
    if result.regime.source == "series":
        lacking = f"{share} of them have no value" if abstained else "all of them have a value"
        return f"{lacking} in the series"
    if not abstained:
        return "all of them pass the quality gate"
    return f"{share} of them are left without a regime"
