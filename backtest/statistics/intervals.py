"""Intervals that cover: an estimate and Student's quantile times an error that knows dependence.

Every estimate that is printed with an interval is, to first order, a sum of one score per session.
The variance of such a sum is the spectrum of the scores at frequency zero, estimated from their
first cosine sums (Mueller 2004; Lazarus, Lewis, Stock, Watson 2018): few of them where scores
remember long, and Student's quantile has as many degrees of freedom. Means are subtracted from
scores before; where labels come in few long spells that takes away most of the slow part, and what
is left is too small by a factor that follows from the labels. It is put right for a stated memory.
Nothing is drawn at random. Coverage is measured in ``docs/calibration.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "COEFFICIENTS",
    "CORRELATIONS",
    "FEWEST",
    "FEWEST_WINDOWS",
    "MEANS",
    "VARIANCES",
    "Group",
    "Memory",
    "Spread",
    "cosines",
    "ends",
    "expected",
    "in_words",
    "lacking",
    "ratio_interval",
    "spread_of_groups",
    "spread_of_scores",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Ends = tuple[float, float]
Scale = Literal["plain", "log", "fisher"]

#: Observations of a group below which there is no interval.
FEWEST: Final = 10
#: Windows without a common session below which there is none: of both groups, and of either.
FEWEST_WINDOWS: Final = (12.0, 3.0)


@dataclass(frozen=True, slots=True)
class Memory:
    """How long what is averaged remembers.

    Attributes
    ----------
    fewest : int
        Cosine sums at least.
    per_root : float
        Cosine sums per n^(2/3).
    per_session : float
        Cosine sums per session, where those are more than `fewest`.
    lasting : float
        Share of the variance of a score that decays slowly; the rest is forgotten at once.
    decay : float
        By session, of the lasting part.
    lost : int
        Degrees of freedom fewer than cosine sums.
    """

    fewest: int
    per_root: float = 0.0
    per_session: float = 0.0
    lasting: float = 0.0
    decay: float = 0.98
    lost: int = 0

    def cosines(self, n: int) -> int:
        """Return how many cosine sums are taken of n scores."""
        more = max(self.per_root * n ** (2.0 / 3.0), self.per_session * n)
        return max(self.fewest, int(more))


#: Returns, and what is made of the sign and path of a session: little memory.
MEANS: Final = Memory(fewest=5, per_root=0.25)
#: Coefficients of regressors that last: their errors are what volatility's past leaves of it.
COEFFICIENTS: Final = Memory(fewest=6, per_root=0.15, lasting=0.25, lost=1)
#: Correlations: as means, one degree of freedom less.
CORRELATIONS: Final = replace(MEANS, lost=1)
#: Squares, ranges and whatever else follows volatility, whose clusters last for months: cosines
#: of no period shorter than a year.
VARIANCES: Final = Memory(fewest=6, per_session=2.0 / EXCHANGE_SESSIONS, lasting=0.25, lost=1)


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard error of an estimate and its degrees of freedom."""

    error: float
    freedom: float

    def reach(self, level: float) -> float:
        """Return how far an interval of that coverage reaches to either side."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 0.5 + level / 2.0)) * self.error


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A weighted mean over sessions, as part of an estimate.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Of each session, not negative; they are taken relative to their sum.
    scores : ndarray, shape (n,)
        What the estimate gains where the mean gains as much; 0 where the weight is 0.
    sign : float
        1, or -1 for what is subtracted.
    """

    weights: Floats
    scores: Floats
    sign: float = 1.0


def spread_of_scores(scores: Floats, memory: Memory = MEANS) -> list[Spread]:
    """Return the spread of sums of scores, one for each column.

    Parameters
    ----------
    scores : ndarray, shape (n, k)
        In time order; each column adds up to 0.
    memory : Memory
    """
    n = len(scores)
    count = memory.cosines(n)
    power = (_cosine_sums(scores, count) ** 2).mean(axis=0)
    return [Spread(float(e), count - memory.lost) for e in np.sqrt(n * power)]


def spread_of_groups(groups: Sequence[Group], memory: Memory = MEANS, overlap: int = 1) -> Spread:
    """Return the spread of a sum of means of groups of sessions.

    Parameters
    ----------
    groups : sequence of Group
        Over the same n sessions; those without weight in any group are passed over.
    memory : Memory
    overlap : int
        Sessions that each score looks ahead: neighbours share all but one of them.
    """
    used = np.asarray(sum(g.weights for g in groups) > 0.0)
    weights = [g.sign * g.weights[used] / g.weights.sum() for g in groups]
    parts = [w * g.scores[used] for w, g in zip(weights, groups, strict=True)]
    total = np.sum(
        [p - w * p.sum() * g.sign for p, w, g in zip(parts, weights, groups, strict=True)], axis=0
    )
    n = len(total)
    count = memory.cosines(n)
    power = float((_cosine_sums(total[:, None], count) ** 2).mean())
    factor = max(1.0, _shrinkage(weights, memory, count, overlap))
    return Spread(float(np.sqrt(n * power * factor)), count - memory.lost)


def ends(value: float, spread: Spread, level: float, scale: Scale = "plain") -> Ends:
    """Return the ends of an interval, symmetric on a scale.

    Parameters
    ----------
    value : float
    spread : Spread
        On the scale: of ln(value), say.
    level : float
        Coverage.
    scale : {"plain", "log", "fisher"}
        ``fisher``: the inverse hyperbolic tangent, for what lies between -1 and 1.

    Returns
    -------
    tuple of float
        NaN where the value or its error is undefined, or the error is rounding.

    Examples
    --------
    >>> low, high = ends(1.5, Spread(0.1, 1e9), 0.95, "log")
    >>> round(low, 4), round(high, 4)
    (1.233, 1.8248)
    """
    if not np.isfinite(value) or not spread.error > NOISE * max(1.0, abs(value)):
        return nan, nan
    if (scale == "log" and not value > 0.0) or (scale == "fisher" and not abs(value) < 1.0):
        return nan, nan
    there, back = _SCALES[scale]
    at, reach = float(there(value)), spread.reach(level)
    return float(back(at - reach)), float(back(at + reach))


_SCALES: Final = {
    "plain": (np.positive, np.positive),
    "log": (np.log, np.exp),
    "fisher": (np.arctanh, np.tanh),
}


def ratio_interval(variance: Floats, above: Mask, below: Mask, level: float) -> Ends:
    """Return the interval of the volatility of some sessions over that of others.

    Parameters
    ----------
    variance : ndarray, shape (n,)
        Of each session.
    above, below : ndarray of bool, shape (n,)
    level : float
        Coverage.
    """
    if lacking([int(above.sum()), int(below.sum())]):
        return nan, nan
    means = [float(variance[mask].mean()) for mask in (above, below)]
    if not min(means) > 0.0:
        return nan, nan
    groups = [
        Group(mask.astype(np.float64), np.where(mask, 0.5 * (variance / mean - 1.0), 0.0), sign)
        for mask, mean, sign in zip((above, below), means, (1.0, -1.0), strict=True)
    ]
    value = float(np.sqrt(means[0] / means[1]))
    return ends(value, spread_of_groups(groups, VARIANCES), level, "log")


def lacking(sizes: Sequence[int], overlap: int = 1) -> str:
    """Return why groups of that many observations have no interval; empty where they have one.

    Parameters
    ----------
    sizes : sequence of int
        Observations of each group.
    overlap : int
        Sessions that each observation spans.

    Examples
    --------
    >>> lacking([60, 200])
    ''
    >>> lacking([24, 36], 21)
    '60 sessions hold 2.9 windows of 21 without a common session, 12 are needed'
    >>> lacking([9, 246])
    '9 sessions in the smaller group, 10 are needed'
    """
    whole, part = FEWEST_WINDOWS
    if min(sizes) < FEWEST:
        where = " in the smaller group" if len(sizes) > 1 else ""
        return f"{min(sizes)} sessions{where}, {FEWEST} are needed"
    for n, needed, where in ((sum(sizes), whole, ""), (min(sizes), part, " in the smaller group")):
        if overlap > 1 and n < needed * overlap:
            return (
                f"{n} sessions{where} hold {n / overlap:.1f} windows of {overlap} without a "
                f"common session, {needed:g} are needed"
            )
    return ""


def in_words(low: float, high: float, form: str = ".2f") -> str:
    """Return an interval in brackets as sentences give it.

    Examples
    --------
    >>> in_words(-0.5, 1.25), in_words(float("nan"), float("nan"))
    ('(-0.50 to 1.25)', '(too few sessions for an interval)')
    """
    if not np.isfinite(low) or not np.isfinite(high):
        return "(too few sessions for an interval)"
    return f"({low:{form}} to {high:{form}})"


def _cosine_sums(scores: Floats, count: int) -> Floats:
    """Return the first cosine sums of columns, orthonormal, shape (count, k)."""
    from scipy.fft import dct

    return np.asarray(dct(scores, type=2, axis=0, norm="ortho")[1 : count + 1], dtype=np.float64)


def cosines(n: int, count: int) -> Floats:
    """Return the first cosines over n sessions, orthonormal, shape (n, count)."""
    place = np.outer(np.arange(n) + 0.5, np.arange(1, count + 1))
    return np.asarray(np.sqrt(2.0 / n) * np.cos(np.pi * place / n), dtype=np.float64)


def _shrinkage(weights: Sequence[Floats], memory: Memory, count: int, overlap: int) -> float:
    """Return the variance of a sum over what cosine sums of its demeaned scores show of it."""
    n = len(weights[0])
    waves = cosines(n, count)
    whole = np.sum(weights, axis=0)
    seen = waves * whole[:, None]
    for w in weights:
        seen -= np.outer(w, waves.T @ w) / w.sum()
    shown = n * expected(seen, memory, overlap).mean()
    return float(expected(whole[:, None], memory, overlap)[0] / shown) if shown > 0.0 else nan


def expected(v: Floats, memory: Memory, overlap: int = 1) -> Floats:
    """Return the variance of sums of scores weighted by the columns of v, for the memory given."""
    fresh = (v**2).sum(axis=0)
    if overlap > 1:
        padded = np.concatenate(
            [np.zeros((overlap, v.shape[1])), v, np.zeros((overlap, v.shape[1]))]
        )
        running = padded.cumsum(axis=0)
        fresh = ((running[overlap:] - running[:-overlap]) ** 2).sum(axis=0) / overlap
    if memory.lasting == 0.0:
        return np.asarray(fresh)
    from scipy.signal import lfilter

    past = lfilter([1.0], [1.0, -memory.decay], v, axis=0)
    slow = (v * (2.0 * past - v)).sum(axis=0)
    return np.asarray((1.0 - memory.lasting) * fresh + memory.lasting * slow)
