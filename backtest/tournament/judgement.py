"""Which entries survive: three families of comparisons, stepdown over all counted trials."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, NotEnoughDataError, short_repr
from ...strategies import Flat
from ..statistics.multiple import benjamini_yekutieli, deflated_sharpes
from ..statistics.resampling import NORMAL_LEVEL
from ..statistics.sharpe_intervals import sharpe_intervals
from ..statistics.sharpe_tests import expected_best
from .arena import alone, label_shares, resampling_of
from .confidence_set import confidence_set
from .overfitting import overfitting
from .skill import Skill, skill_of
from .studentised import automatic_block, long_run_deviation, studentise
from .superiority import recentred_shift, spa, step_m

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...strategies import Filter
    from ..statistics.resampling import Resampling
    from .arena import Arena, Played
    from .overfitting import Overfitting
    from .studentised import Studentised

__all__ = ["Field", "Judgement", "field_of", "judged", "sharpe_errors"]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
_LEVEL: Final = 0.05
_POWER_QUANTILE: Final = 0.8416212335729143  # power of 80 %
_MOST_COMPARED: Final = 100
#: Share of the sessions that trials of a confidence set must have in common.
_MOSTLY_SHARED: Final = 0.8
_MOST_BLOCKS, _FEWEST_IN_BLOCK = 16, 10


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """All trials of a tournament side by side, on the sessions of the tests.

    Attributes
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Sessions of any arena's tests.
    returns : ndarray, shape (n, k)
        NaN where a trial has no test.
    place : ndarray of int, shape (k, 2)
        Arena and place in it.
    year : int
        Sessions a year (the largest, should arenas differ).
    """

    days: Days
    returns: Floats
    place: npt.NDArray[np.int64]
    year: int
    __repr__ = short_repr


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the corrections say, by trial of the field, shape (k,).

    Attributes
    ----------
    sharpe, low, high : ndarray
        Annual, with the interval that a backtest prints of the same returns.
    p_alone : ndarray
        One-sided, of one test alone; the statistic itself counts as a draw.
    p_spa : ndarray
        Share of draws whose largest statistic reaches the trial's.
    p_zero, p_rules, p_hold : ndarray
        Stepdown p-values, the statistic itself counted as a draw, times counted trials over
        compared ones: against nothing, against its own rules in the shares of its labels, against
        holding at equal mean exposure. 1 where there is no difference at all; NaN for what is no
        entry.
    dsr : ndarray
    q_value : ndarray
        Benjamini and Yekutieli, over entries.
    skill : Skill
    spa : tuple of float
        Lower, consistent, upper p-value of the whole.
    best_by_luck, detectable : float
        Annual Sharpe ratios: expected best of as many trials that know nothing; the smallest that
        these data show with a power of 80 %.
    overfitting : Overfitting or None
    in_set : tuple of int
        Trials of the field that the model confidence set keeps at 95 %.
    compared : int
        Columns of the first family: trials of this tournament and those of the ledger that have
        returns.
    rows : int
        Sessions that the median entry was judged on.
    """

    sharpe: Floats
    low: Floats
    high: Floats
    p_alone: Floats
    p_spa: Floats
    p_zero: Floats
    p_rules: Floats
    p_hold: Floats
    dsr: Floats
    q_value: Floats
    skill: Skill
    spa: tuple[float, float, float]
    best_by_luck: float
    detectable: float
    overfitting: Overfitting | None
    in_set: tuple[int, ...]
    compared: int
    rows: int
    __repr__ = short_repr


def field_of(arenas: Sequence[Arena], results: Sequence[Played]) -> Field:
    """Put the returns of all arenas' tests side by side."""
    days = np.unique(np.concatenate([a.days[1:][a.outside] for a in arenas]))
    k = sum(len(a.entries) for a in arenas)
    returns = np.full((len(days), k), np.nan)
    place = np.empty((k, 2), dtype=np.int64)
    first = 0
    for i, (arena, result) in enumerate(zip(arenas, results, strict=True)):
        count = len(arena.entries)
        rows = np.searchsorted(days, arena.days[1:][arena.outside])
        returns[rows, first : first + count] = result.returns[arena.outside]
        place[first : first + count, 0] = i
        place[first : first + count, 1] = np.arange(count)
        first += count
    return Field(days, returns, place, max(a.ground.clock.year for a in arenas))


def judged(
    field: Field,
    arenas: Sequence[Arena],
    results: Sequence[Played],
    others: Floats,
    counted: int,
    *,
    seed: int,
    draws: int,
    block: float,
    level: float = NORMAL_LEVEL,
) -> Judgement:
    """Correct for every counted trial.

    Parameters
    ----------
    field : Field
    arenas, results : sequences
    others : ndarray, shape (n, m)
        Returns, on the field's sessions, of counted trials that are not of this tournament; NaN
        where they have none.
    counted : int
        Trials ever made on these data, at least those of the field.
    seed, draws, block
        Of the bootstrap.
    level : float
        Coverage of intervals.
    """
    n, k = field.returns.shape
    how = resampling_of(seed, draws, block, n)
    columns = studentise(padded(np.column_stack([field.returns, others])), how)
    ability = spa(columns)
    scale = _scale(counted, int(np.isfinite(columns.statistic).sum()))
    p_zero = np.minimum(_itself_drawn(step_m(columns)[:k], draws) * scale, 1.0)
    p_alone = np.array([np.mean(columns.draws[:, j] >= columns.statistic[j]) for j in range(k)])
    p_alone = _itself_drawn(p_alone, draws)
    p_alone[~np.isfinite(columns.statistic[:k])] = np.nan
    critical = _critical(columns, _LEVEL / scale)
    del columns
    rules, owner = _against_rules(arenas, results, field)
    p_rules = _stepped(rules, owner, k, how, counted)
    hold, whose = _against_hold(arenas, results, field)
    p_hold = _stepped(hold, whose, k, how, counted)
    sharpe, _ = sharpe_errors(field.returns, how.block)
    low, high = sharpe_intervals(field.returns, level, field.year)
    roles = np.array([arenas[i].entries[j].role for i, j in field.place])
    entries = roles == "entry"
    rows = np.isfinite(field.returns).sum(axis=0)
    judged_on = int(np.median(rows[entries])) if entries.any() else n
    root = math.sqrt(field.year)
    variance = 1.0 / max(judged_on, 1)
    return Judgement(
        sharpe=sharpe * root,
        low=low,
        high=high,
        p_alone=p_alone,
        p_spa=ability.p_of_trial[:k],
        p_zero=p_zero,
        p_rules=p_rules,
        p_hold=p_hold,
        dsr=deflated_sharpes(field.returns, counted, variance),
        q_value=_false_discoveries(p_alone, entries),
        skill=skill_of(field.returns, field.year),
        spa=(ability.p_lower, ability.p_consistent, ability.p_upper),
        best_by_luck=expected_best(counted, variance) * root,
        detectable=(critical + _POWER_QUANTILE) * math.sqrt(field.year / max(judged_on, 1)),
        overfitting=_overfitting(arenas, results),
        in_set=_in_set(field, sharpe, how.seed, draws),
        compared=k + others.shape[1],
        rows=judged_on,
    )


def padded(returns: Floats) -> Floats:
    """Return columns without gaps whose means and standard errors are those of what is there.

    A column that misses sessions is its mean there, and its deviations elsewhere are stretched by
    the share that is there: the mean's error is then that of its own sessions.
    """
    known = np.isfinite(returns)
    if known.all():
        return returns
    n = known.sum(axis=0)
    mean = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(n, 1)
    stretched = (returns - mean) * (len(returns) / np.maximum(n, 1)) + mean
    filled: Floats = np.where(known, stretched, mean)
    return filled


def sharpe_errors(returns: Floats, block: float) -> tuple[Floats, Floats]:
    """Return Sharpe ratios per session and their long-run standard errors, NaN where undefined."""
    known = np.isfinite(returns)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, returns, 0.0).sum(axis=0) / n
    centred = np.where(known, returns - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / np.maximum(n - 1, 1))
    moves = (deviation > NOISE) & (n > 2)
    unit = np.where(moves, deviation, 1.0)
    z, ratio = centred / unit, mean / unit
    influence = np.where(known, z - 0.5 * ratio * (z**2 - 1.0), 0.0) * (len(returns) / n)
    error = long_run_deviation(influence, block) / math.sqrt(len(returns))
    return np.where(moves, ratio, np.nan), np.where(moves, error, np.nan)


def _scale(counted: int, compared: int) -> float:
    """Return by how much p-values grow for counted trials whose returns nobody has any more."""
    return max(counted / max(compared, 1), 1.0)


def _itself_drawn(p: Floats, draws: int) -> Floats:
    """Return shares of draws as p-values: never 0, which no number of draws can show."""
    return np.asarray((p * draws + 1.0) / (draws + 1.0))


def _critical(columns: Studentised, level: float) -> float:
    """Return the statistic that the best of trials without skill exceeds so often."""
    largest = np.full(len(columns.draws), -np.inf)
    shift = recentred_shift(columns, "upper")
    for j in range(columns.draws.shape[1]):
        np.maximum(largest, columns.draws[:, j] + shift[j], out=largest)
    finite = largest[np.isfinite(largest)]
    return float(np.quantile(finite, 1.0 - level)) if len(finite) else math.nan


def _stepped(
    columns: Floats, owner: npt.NDArray[np.int64], k: int, how: Resampling, counted: int
) -> Floats:
    """Return for each trial the largest stepdown p-value of its columns; NaN with none."""
    out = np.full(k, np.nan)
    if not columns.shape[1]:
        return out
    made = studentise(padded(columns), how)
    p = _itself_drawn(step_m(made), how.replications)
    p *= _scale(counted, int(np.isfinite(made.statistic).sum()))
    for j, value in zip(owner, np.where(np.isnan(p), 1.0, np.minimum(p, 1.0)), strict=True):
        out[j] = value if np.isnan(out[j]) else max(out[j], value)
    return out


def _against_rules(
    arenas: Sequence[Arena], results: Sequence[Played], field: Field
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return each entry less its rules in the shares of its labels, and the trial of each column.

    The rules are those of the entry, each acting after every session, held together in the shares
    in which the filter calls for them: what the entry would earn if its labels knew nothing.
    """
    columns, owner = [], []
    places = [{e.identity: p for p, e in enumerate(arena.entries)} for arena in arenas]
    shares: dict[tuple[int, Filter], Mapping[str, float]] = {}
    for k, (i, j) in enumerate(field.place):
        arena, entry = arenas[i], arenas[i].entries[j]
        if entry.role != "entry":
            continue
        made = entry.strategy.filter
        if (int(i), made) not in shares:
            shares[int(i), made] = label_shares(arena, made)
        mix = np.zeros(len(results[i].returns))
        for label, share in shares[int(i), made].items():
            rule = entry.strategy.rule(label)
            if rule != Flat() and share > 0.0:
                like = replace(entry, strategy=alone(rule, entry.strategy.sizing))
                mix += share * results[i].returns[:, places[i][like.identity]]
        rows = np.searchsorted(field.days, arena.days[1:][arena.outside])
        column = np.full(len(field.days), np.nan)
        column[rows] = (results[i].returns[:, j] - mix)[arena.outside]
        columns.append(column)
        owner.append(k)
    table = np.column_stack(columns) if columns else np.empty((len(field.days), 0))
    return table, np.array(owner, dtype=np.int64)


def _against_hold(
    arenas: Sequence[Arena], results: Sequence[Played], field: Field
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return each entry less holding its mean position."""
    columns, owner = [], []
    for k, (i, j) in enumerate(field.place):
        if arenas[i].entries[j].role == "entry":
            rows = np.searchsorted(field.days, arenas[i].days[1:][arenas[i].outside])
            result = results[i]
            column = np.full(len(field.days), np.nan)
            column[rows] = (result.returns[:, j] - result.facts["tilt"][j] * result.asset)[
                arenas[i].outside
            ]
            columns.append(column)
            owner.append(k)
    table = np.column_stack(columns) if columns else np.empty((len(field.days), 0))
    return table, np.array(owner, dtype=np.int64)


def _false_discoveries(p: Floats, entries: npt.NDArray[np.bool_]) -> Floats:
    return benjamini_yekutieli(np.where(entries, p, np.nan))


def _overfitting(arenas: Sequence[Arena], results: Sequence[Played]) -> Overfitting | None:
    """Return the probability of overfitting among entries that share all their sessions."""
    largest = max(arenas, key=lambda a: len(a.entries))
    parts = []
    for arena, result in zip(arenas, results, strict=True):
        if np.array_equal(arena.days, largest.days):
            own = [j for j, entry in enumerate(arena.entries) if entry.role == "entry"]
            parts.append(result.returns[arena.ground.clock.spans == 1][:, own])
    table = np.column_stack(parts)
    blocks = min(_MOST_BLOCKS, len(table) // _FEWEST_IN_BLOCK // 2 * 2)
    if blocks < 2 or table.shape[1] < 2:
        return None
    try:
        return overfitting(table, blocks)
    except NotEnoughDataError:
        return None


def _best_of(those: npt.NDArray[np.bool_], sharpe: Floats) -> npt.NDArray[np.int64]:
    """Return the places of the best hundred of some trials."""
    places = np.flatnonzero(those)
    return places[np.argsort(-sharpe[places], kind="stable")][:_MOST_COMPARED]


def _in_set(field: Field, sharpe: Floats, seed: int, draws: int) -> tuple[int, ...]:
    """Return trials among the best hundred that may be the best of all.

    Blocks are as long as the returns ask for: the largest of thousands of pairs hangs on the noise
    of its deviation, to which longer ones only add. Trials of markets whose tests differ by some
    sessions are compared on those that they share, as long as these are most of them; otherwise
    the trials that are there on all sessions are.
    """
    there = np.isfinite(field.returns)
    best = _best_of(np.isfinite(sharpe), sharpe)
    rows: npt.NDArray[np.bool_] = np.asarray(there[:, best].all(axis=1))
    if rows.sum() < _MOSTLY_SHARED * len(rows):
        best = _best_of(np.asarray(there.all(axis=0)) & np.isfinite(sharpe), sharpe)
        rows = np.asarray(there.any(axis=1))
    if len(best) < 2 or rows.sum() < 10:
        return tuple(int(i) for i in best)
    shared = field.returns[rows][:, best]
    moves = shared.std(axis=0) > NOISE
    best, shared = best[moves], shared[:, moves]
    if len(best) < 2:
        return tuple(int(i) for i in best)
    scaled = shared / shared.std(axis=0)
    how = resampling_of(seed, draws, automatic_block(scaled), len(shared))
    p = confidence_set(scaled, how)
    return tuple(int(i) for i, value in zip(best, p, strict=True) if value > _LEVEL)
