"""What options' positions add to filters that read volatility or price alone.

Each entry whose filter reads the regime is paired with the trials that differ by their filter alone
and have one that does not: the same rules, sizing, costs and fills. Two questions: is its Sharpe
ratio higher on the same sessions, and does its label still tell which of its two rules earns more
once the other's label (and VIX itself, where there is one) is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, NotEnoughDataError
from ...strategies import LONG, SHORT, Always
from ..statistics.diagnostics.regression import ols
from ..statistics.resampling import NORMAL_LEVEL
from .arena import COMPETITORS, alone, fills_of, reads_options, resampling_of
from .differences import sharpe_difference
from .judgement import padded
from .studentised import studentise
from .superiority import step_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Filter, Strategy
    from .arena import Arena, Entry, Played
    from .judgement import Field

__all__ = ["Pair", "compared"]

Floats = npt.NDArray[np.float64]
_LEVEL: Final = 0.05
_VIX: Final = "series.vix"
#: Pairs whose nested regression is worked out whatever they show: those of the best entries.
_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry against the same rules under a filter without options.

    Attributes
    ----------
    trial_id, other_id, other : str
        Entry; competitor, and its filter.
    difference, error : float
        Of the annual Sharpe ratios, entry less competitor, and its long-run standard error.
    p_value : float
        One-sided, stepdown over all pairs.
    low, high, p_bootstrap, block : float
        Two-sided studentised bootstrap of pairs with its automatic block length, for the best
        entries; NaN elsewhere.
    slope, slope_t, slope_p : float
        Nested regression: what the entry's label adds to the difference of what its two rules
        earn, beside the competitor's; HAC t and one-sided p. NaN where labels do not vary apart,
        and for pairs of lesser entries whose ratios do not differ.
    """

    trial_id: str
    other_id: str
    other: str
    difference: float
    error: float
    p_value: float
    low: float
    high: float
    p_bootstrap: float
    block: float
    slope: float
    slope_t: float
    slope_p: float

    @property
    def credited(self) -> bool:
        """Whether both questions are answered with yes at 5 %."""
        return self.p_value <= _LEVEL and self.slope_p <= _LEVEL and self.slope > 0.0


def compared(
    field: Field,
    arenas: Sequence[Arena],
    results: Sequence[Played],
    sharpe: Floats,
    *,
    seed: int,
    draws: int,
    block: float,
    level: float = NORMAL_LEVEL,
    bootstrapped: int = 6,
) -> tuple[Pair, ...]:
    """Compare every entry that reads options with the same rules under filters that do not.

    Parameters
    ----------
    field, arenas, results
    sharpe : ndarray
        By trial of the field: the best entries' pairs come first.
    seed, draws, block
        Of the bootstrap.
    level : float
        Coverage of intervals.
    bootstrapped : int
        Pairs that get an interval by a bootstrap of their own.
    """
    couples = _couples(field, arenas)
    if not couples:
        return ()
    influence = np.column_stack([_influence(field.returns, a, b) for a, b in couples])
    columns = studentise(padded(influence), resampling_of(seed, draws, block, len(influence)))
    p = step_m(columns)
    difference = np.nanmean(influence, axis=0)
    error = columns.deviation / math.sqrt(columns.rows)
    order = np.argsort([-_defined(sharpe[a]) for a, _ in couples], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    root = math.sqrt(field.year)
    found = []
    for c, (a, b) in enumerate(couples):
        (i, j), (_, other) = field.place[a], field.place[b]
        mine, theirs = arenas[i].entries[j], arenas[i].entries[other]
        nested = (math.nan,) * 3
        if rank[c] < _MOST or p[c] <= _LEVEL:  # without it nobody could be credited
            nested = _nested(arenas[i], results[i], mine, theirs)
        boot = (math.nan,) * 4
        if rank[c] < bootstrapped:
            boot = _bootstrapped(field, a, b, seed, draws, level)
        found.append(
            Pair(
                mine.trial_id,
                theirs.trial_id,
                theirs.strategy.filter.describe(),
                float(difference[c]) * root,
                float(error[c]) * root,
                float(p[c]) if np.isfinite(p[c]) else 1.0,
                *boot,
                *nested,
            )
        )
    return tuple(found)


def _couples(field: Field, arenas: Sequence[Arena]) -> list[tuple[int, int]]:
    groups: dict[tuple[object, ...], tuple[list[int], list[int]]] = {}
    for k, (i, j) in enumerate(field.place):
        entry = arenas[i].entries[j]
        mine, others = groups.setdefault((int(i), *entry.key), ([], []))
        if reads_options(entry.strategy.filter):
            if entry.role == "entry":
                mine.append(k)
        elif _is_competitor(entry.strategy.filter):
            others.append(k)
    return [(a, b) for mine, others in groups.values() for a in mine for b in others]


def _is_competitor(made: Filter) -> bool:
    return made.name in COMPETITORS


def _defined(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _influence(returns: Floats, a: int, b: int) -> Floats:
    """Return by session what it adds to the difference of two Sharpe ratios per session."""
    one, other = returns[:, a], returns[:, b]
    both = np.isfinite(one) & np.isfinite(other)
    out = np.full(len(returns), np.nan)
    out[both] = _adds(one[both]) - _adds(other[both])
    return out


def _adds(x: Floats) -> Floats:
    deviation = x.std(ddof=1) if len(x) > 1 else 0.0
    if deviation <= NOISE:
        return np.zeros(len(x))
    z, ratio = (x - x.mean()) / deviation, x.mean() / deviation
    return np.asarray(ratio + z - 0.5 * ratio * (z**2 - 1.0))


def _bootstrapped(
    field: Field, a: int, b: int, seed: int, draws: int, level: float
) -> tuple[float, float, float, float]:
    one, other = field.returns[:, a], field.returns[:, b]
    both = np.isfinite(one) & np.isfinite(other)
    how = replace(resampling_of(seed, draws, 1.0, int(both.sum())), level=level)
    found = sharpe_difference(one[both], other[both], how, year=field.year)
    return found.low, found.high, found.p_value, found.block


def _nested(arena: Arena, result: Played, mine: Entry, theirs: Entry) -> tuple[float, float, float]:
    """Return slope, t and one-sided p of the entry's label beside the competitor's."""
    from scipy.stats import norm

    nan = math.nan
    payoff = _payoff(arena, result, mine)
    if payoff is None:
        return nan, nan, nan
    columns = {
        "own": _direction(arena, mine.strategy),
        "other": _direction(arena, theirs.strategy),
    }
    panel = arena.ground.evaluation.panel
    if _VIX in panel.columns:
        level = _at_returns(
            arena, fills_of(arena.ground, panel.columns[_VIX].values[:, None], nan)[:, 0]
        )
        columns["vix"] = level
    rows = arena.outside
    try:
        fit = ols(payoff[rows], {name: column[rows] for name, column in columns.items()})
    except (NotEnoughDataError, np.linalg.LinAlgError):
        return nan, nan, nan
    own = fit.coefficient("own")
    return own.value, own.t_stat, float(norm.sf(own.t_stat))


def _payoff(arena: Arena, result: Played, mine: Entry) -> Floats | None:
    """Return by session what the rule of long earns beyond the rule of short, half of it."""
    s = mine.strategy
    legs = []
    where = {e.identity: p for p, e in enumerate(arena.entries)}
    for rule in (s.long, s.short):
        place = where.get(replace(mine, strategy=alone(rule, s.sizing)).identity)
        if place is None:
            return None
        legs.append(result.returns[:, place])
    found: Floats = (legs[0] - legs[1]) / 2.0
    return found if found.std() > NOISE else None


def _direction(arena: Arena, strategy: Strategy) -> Floats:
    """Return 1 under long, -1 under short, 0 else, by the session whose return it bears on."""
    codes = arena.ground.evaluation.labels(strategy.filter).values
    if isinstance(strategy.filter, Always):
        return np.zeros(len(arena.days) - 1)
    signed = np.where(codes == LONG, 1.0, np.where(codes == SHORT, -1.0, 0.0))
    return _at_returns(arena, fills_of(arena.ground, signed[:, None], 0.0)[:, 0])


def _at_returns(arena: Arena, by_fill: Floats) -> Floats:
    """Move values from the session of the fill to the return that the fill's position earns."""
    return by_fill[1:] if arena.ground.clock.at_open else by_fill[:-1]
