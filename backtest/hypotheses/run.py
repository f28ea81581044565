"""Running hypotheses on a dataset, with corrections across them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data import NotEnoughDataError
from ..statistics.critical_values import is_beyond
from ..statistics.multiple import benjamini_hochberg, romano_wolf
from .few import hangs_on_few, without_nan
from .outcomes import detectable, effect_first, power
from .protocol import MissingDataError, Settings
from .registry import hypothesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ...data import Progress
    from .protocol import Card, Dataset, HypothesisLike, Outcome

__all__ = ["HypothesisResult", "run_hypotheses", "run_one"]


#: Sessions from which on a test takes part in the stepdown: below, its bootstrap is too coarse.
_FEWEST_SESSIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class HypothesisResult:
    """One hypothesis, tested or not.

    Attributes
    ----------
    card : Card
    outcome : Outcome or None
        None where data are missing.
    verdict : str
        ``supported``, ``not supported``, ``needs data: ...``, or ``failed: ...`` where the test
        itself broke.
    reason : str
        The numbers that decided, or what is missing.
    power : float
        Probability that the reported test finds an effect of the card's size at this n; of an
        equivalence test, that it shows "no difference" where there is none; NaN unknown.
    detectable : float
        Effect that the reported test would find with probability 0.8, in the estimate's unit.
    q_value : float
        The reported p-value, adjusted by Benjamini and Hochberg among the tests of the run; NaN
        outside ``--all``.
    romano_wolf : bool or None
        Whether the claim is supported and its p survives Romano and Wolf's stepdown at the level;
        None where the test did not take part.
    p_stepdown : float
        The reported p-value, adjusted by that stepdown.
    seconds : float
    """

    card: Card
    outcome: Outcome | None
    verdict: str
    reason: str
    power: float
    detectable: float
    q_value: float
    romano_wolf: bool | None
    seconds: float
    p_stepdown: float = float("nan")


#: Tests that control for an implied volatility.
_CONTROLLED = (
    "beyond-leverage",
    "era-split",
    "flip-placebo",
    "fragility-tail",
    "sign-audit",
    "vol-damping",
)


def run_one(test: HypothesisLike, dataset: Dataset, settings: Settings) -> HypothesisResult:
    """Run one hypothesis; missing data are a verdict, and so is a failure of the test itself.

    Parameters
    ----------
    test : HypothesisLike
    dataset : Dataset
    settings : Settings
        Seed, level, draws.

    Returns
    -------
    HypothesisResult
    """
    started = time.perf_counter()
    outcome: Outcome | None = None
    head = "needs data"
    try:
        outcome = test.run(dataset, settings)
    except (MissingDataError, NotEnoughDataError) as error:
        reason = str(error)
    except np.linalg.LinAlgError:
        reason = "a longer sample in which the regressors vary: they are collinear in this one"
    except Exception as error:  # the others' results must not be lost with this one
        head, reason = "failed", f"unexpected {type(error).__name__}: {error}"
    nan = float("nan")
    seconds = time.perf_counter() - started
    if outcome is None:
        verdict = f"{head}: {reason}"
        return HypothesisResult(test.card, None, verdict, reason, nan, nan, nan, None, seconds)
    outcome = _held_against_markets(test.card, outcome, dataset, settings)
    few = hangs_on_few(test.card, outcome)
    note = dataset.vix_note if test.card.name in _CONTROLLED else ""
    first = f"{effect_first(test.card, outcome)}: {outcome.reason}"
    reason = "; ".join(part for part in (first, few, note) if part)
    outcome = replace(outcome, reason=without_nan(reason))
    return HypothesisResult(
        card=test.card,
        outcome=outcome,
        verdict="supported" if outcome.supported else "not supported",
        reason=outcome.reason,
        power=power(test.card.effect, outcome, settings.alpha),
        detectable=detectable(outcome, settings.alpha),
        q_value=nan,
        romano_wolf=None,
        seconds=seconds,
    )


def _held_against_markets(
    card: Card, outcome: Outcome, dataset: Dataset, settings: Settings
) -> Outcome:
    """Ask of t that it lies beyond the critical value of a calibration run too, where given."""
    if settings.critical is None or not np.isfinite(outcome.t_stat):
        return outcome
    sessions = int(dataset.gex.notna().sum())
    bound = settings.critical.at(card.name, card.expected_sign, sessions)
    if not np.isfinite(bound):
        return outcome
    beyond = is_beyond(outcome.t_stat, bound, card.expected_sign)
    word = "beyond" if beyond else "not beyond"
    reason = (
        f"{outcome.reason}; t {outcome.t_stat:.2f} is {word} {bound:.2f}, the critical value of "
        f"{settings.critical.seeds} simulated markets without dealers"
    )
    own = outcome.critical
    stricter = own if np.isfinite(own) and is_beyond(own, bound, card.expected_sign) else bound
    return replace(
        outcome, supported=outcome.supported and beyond, reason=reason, critical=stricter
    )


def run_hypotheses(
    names: Sequence[str],
    dataset: Dataset,
    settings: Settings | None = None,
    *,
    correct: bool = False,
    progress: Progress | None = None,
) -> tuple[HypothesisResult, ...]:
    """Run hypotheses by name.

    Parameters
    ----------
    names : sequence of str
    dataset : Dataset
    settings : Settings, optional
    correct : bool
        Add Benjamini-Hochberg and Romano-Wolf across the tests.
    progress : Progress, optional
        Called after each hypothesis, and within one after each step of drawing books or markets.

    Returns
    -------
    tuple of HypothesisResult
        In the order of `names`.

    Raises
    ------
    UnknownNameError
        If a name is not known; nothing has been run then.
    """
    how = settings or Settings()
    tests = [hypothesis(name) for name in names]
    results: list[HypothesisResult] = []
    for i, test in enumerate(tests):
        inner = how
        if progress is not None:
            inner = replace(how, progress=_within(progress, i, len(tests), test.card.name))
        results.append(run_one(test, dataset, inner))
        if progress is not None:
            progress(i + 1, len(tests), test.card.name)
    return _corrected(results, how) if correct else tuple(results)


def _within(progress: Progress, done: int, total: int, name: str) -> Progress:
    """Return what a test tells of its own steps, as those of the test that runs."""

    # arguments are named as in the protocol of progress, since callers may name them
    outer, of = done, total

    def report(done: int, total: int | None, what: str = "") -> None:
        progress(outer, of, f"{name}: {what}, {done} of {total}")

    return report


def _corrected(
    results: Sequence[HypothesisResult], settings: Settings
) -> tuple[HypothesisResult, ...]:
    """Return results with corrections, of the one-sided p-values and the verdicts they report."""
    nan = float("nan")
    found = {r.card.name: nan if r.outcome is None else r.outcome.p_value for r in results}
    q = dict(zip(found, benjamini_hochberg(list(found.values())), strict=True))
    scores = {r.card.name: s for r in results if (s := _oriented(r)) is not None}
    adjusted = romano_wolf(found, scores, settings.resampling)
    return tuple(
        replace(
            r,
            q_value=float(q[r.card.name]),
            p_stepdown=adjusted.get(r.card.name, nan),
            # what the test itself does not support, no correction supports
            romano_wolf=(
                adjusted[r.card.name] <= settings.alpha and r.verdict == "supported"
                if r.card.name in adjusted
                else None
            ),
        )
        for r in results
    )


def _oriented(result: HypothesisResult) -> pd.Series[float] | None:
    """Return scores whose mean is positive under the claim; None where there is no direction."""
    outcome, sign = result.outcome, result.card.expected_sign
    if outcome is None or outcome.scores is None or sign == "0":
        return None
    if len(outcome.scores) < _FEWEST_SESSIONS:
        return None
    return -outcome.scores if sign == "-" else outcome.scores
