"""Where the result of a trial comes from, and whether it hangs on a few sessions.

By era, by state of volatility, by distance to the monthly expiration, by leg; without each year
and without the ten best sessions; what costs and size it bears.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, short_repr
from ..execution.costs import FREE
from ..grid.columns import books_of, planned
from ..statistics import metrics
from ..statistics.resampling import Resampling, interval, resampled_sums
from ..statistics.volatility_by_regime import quantile_groups
from .arena import labels_held
from .studentised import long_run_deviation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from .arena import Arena, Played

__all__ = ["Breakdown", "Capacity", "breakdown_of", "capacity_of"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_WINDOW: Final = 21
_BEST: Final = 10
_TAIL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much capital a trial bears under impact that grows with the square root of size.

    Attributes
    ----------
    capital : float
        At which impact eats all of the mean return before costs; NaN where there is none to eat,
        nothing is traded or the value traded a day is unknown.
    share_of_volume : float
        Share of a day's volume that it then trades in a session on average.
    traded_value, volatility, coefficient : float
        The inputs: value traded a day, daily volatility of the instrument, impact of trading a
        whole day's volume in daily standard deviations.
    """

    capital: float
    share_of_volume: float
    traded_value: float
    volatility: float
    coefficient: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Breakdown:
    """One trial on the sessions of the tests.

    Attributes
    ----------
    trial_id : str
    groups : tuple of dict
        ``dimension, group, sessions, sharpe, share_of_profit``.
    without : tuple of dict
        ``left_out, sharpe, statistic, stands``: whether the stepdown's largest critical value is
        still exceeded.
    tail : mapping of str to float
        ``skew, kurtosis, worst, value_at_risk, expected_shortfall`` (5 %, a session, decimal),
        ``max_drawdown``.
    interval_plain, interval_by_regime : tuple of float
        Of the Sharpe ratio, by resampling: blocks drawn from all sessions, and within labels.
    capacity : Capacity
    equity : ndarray, shape (m,)
    days : ndarray of datetime64[D], shape (m,)
    """

    trial_id: str
    groups: tuple[dict[str, Any], ...]
    without: tuple[dict[str, Any], ...]
    tail: Mapping[str, float]
    interval_plain: tuple[float, float]
    interval_by_regime: tuple[float, float]
    capacity: Capacity
    equity: Floats
    days: npt.NDArray[np.datetime64]
    __repr__ = short_repr


def breakdown_of(
    arena: Arena,
    result: Played,
    j: int,
    *,
    eras: Sequence[date],
    critical: float,
    how: Resampling,
    traded_value: float,
) -> Breakdown:
    """Return where the result of one trial comes from.

    Parameters
    ----------
    arena : Arena
    result : Played
    j : int
        Place of the trial.
    eras : sequence of date
        Each begins an era.
    critical : float
        Studentised statistic that the best of trials without skill exceeds in 5 % of draws.
    how : Resampling
    traded_value : float
        Value traded a day, NaN where unknown.
    """
    rows, year = arena.outside, arena.ground.clock.year
    days, returns = arena.days[1:][rows], result.returns[rows, j]
    groups = [
        _group(dimension, name, returns[mask], float(returns.sum()), year)
        for dimension, name, mask in _masks(arena, j, days, rows, eras)
    ]
    without = [_without(f"{y}", returns[_years(days) != y], critical, how.block, year)
               for y in np.unique(_years(days))]  # fmt: skip
    best = np.argsort(-returns, kind="stable")[:_BEST]
    kept = np.setdiff1d(np.arange(len(returns)), best)
    without.append(_without(f"the {_BEST} best sessions", returns[kept], critical, how.block, year))
    labels = labels_held(arena, arena.entries[j].strategy.filter)[rows]
    equity = np.cumprod(1.0 + returns)
    return Breakdown(
        trial_id=arena.entries[j].trial_id,
        groups=tuple(groups),
        without=tuple(without),
        tail=_tail(returns, equity),
        interval_plain=_resampled(returns, np.zeros(len(returns)), how, year),
        interval_by_regime=_resampled(returns, labels, how, year),
        capacity=capacity_of(result, j, rows, traded_value),
        equity=equity,
        days=days,
    )


def capacity_of(result: Played, j: int, rows: Flags, traded_value: float) -> Capacity:
    """Return the capital at which square-root impact eats the mean return before costs.

    Trading a share q of equity C costs ``coefficient x volatility x sqrt(q C / V)`` of the amount
    traded, so that a session costs ``coefficient x volatility x sqrt(C / V) x q^1.5`` of equity.

    Examples
    --------
    Volatility 1 %, mean gross return 1 bp, mean of q^1.5 is 0.1: the cost is .001 sqrt(C / V), so
    C is a hundredth of V.
    """
    volatility = float(np.std(result.asset[rows]))
    gross, impact = float(result.facts["gross"][j]), float(result.facts["impact"][j])
    capital = math.nan
    if gross > NOISE and impact > NOISE and volatility > NOISE and math.isfinite(traded_value):
        capital = traded_value * (gross / (volatility * impact)) ** 2
    share = capital * float(result.facts["turnover"][j]) / traded_value
    return Capacity(capital, share, traded_value, volatility)


def _masks(
    arena: Arena, j: int, days: npt.NDArray[np.datetime64], rows: Flags, eras: Sequence[date]
) -> list[tuple[str, str, Flags]]:
    starts = sorted(np.datetime64(era, "D") for era in eras)
    era = np.searchsorted(np.array(starts, dtype="datetime64[D]"), days, side="right")
    names = _era_names(starts)
    found = [("era", names[k], era == k) for k in np.unique(era)]
    state = _volatility_state(arena)[rows]
    found += [
        ("volatility before", name, state == k) for k, name in enumerate(("low", "middle", "high"))
    ]
    panel = arena.ground.evaluation.panel
    if "calendar.sessions_to_expiration" in panel.columns:
        ahead = panel.columns["calendar.sessions_to_expiration"].values
        ahead = ahead[panel.sessions.get_indexer(arena.ground.schedule.sessions)][1:][rows]
        found += [
            ("sessions to expiration", "0", ahead == 0),
            ("sessions to expiration", "1 to 5", (ahead >= 1) & (ahead <= 5)),
            ("sessions to expiration", "6 and more", ahead >= 6),
        ]
    held = _position_of(arena, j)[rows]
    found += [
        ("position", "long", held > NOISE),
        ("position", "short", held < -NOISE),
        ("position", "none", np.abs(held) <= NOISE),
    ]
    return [(dimension, name, mask) for dimension, name, mask in found if mask.any()]


def _era_names(starts: Sequence[np.datetime64]) -> list[str]:
    if not starts:
        return ["all"]
    inner = [f"{a} to {b - np.timedelta64(1, 'D')}" for a, b in pairwise(starts)]
    return [f"before {starts[0]}", *inner, f"from {starts[-1]}"]


def _volatility_state(arena: Arena) -> npt.NDArray[np.int64]:
    """Return the tercile, among all sessions, of the volatility of the month before each return."""
    close = arena.ground.bars["close"].to_numpy(dtype=np.float64)
    r = np.diff(np.log(close))
    before = np.full(len(r), np.nan)
    if len(r) > _WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(r, _WINDOW)
        before[_WINDOW:] = windows[:-1].std(axis=1)
    enough = np.isfinite(before).sum() >= 3
    return quantile_groups(before if enough else np.full(len(r), np.nan), 3)


def _position_of(arena: Arena, j: int) -> Floats:
    """Return the position that earned each return."""
    entry, ground = arena.entries[j], arena.ground
    orders = planned([entry.strategy], ground)
    bare = None if entry.terms is None else entry.terms.without_spread()
    free = books_of(orders, ground, FREE, entry.cash, bare)
    held = free.positions[0]
    found: Floats = held[1:] if ground.clock.at_open else held[:-1]
    return np.nan_to_num(found)


def _group(dimension: str, name: str, returns: Floats, total: float, year: int) -> dict[str, Any]:
    share = float(returns.sum()) / total if abs(total) > NOISE else math.nan
    return {
        "dimension": dimension,
        "group": name,
        "sessions": len(returns),
        "sharpe": metrics.sharpe(returns, year),
        "share_of_profit": share,
    }


def _years(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _without(
    name: str, returns: Floats, critical: float, block: float, year: int
) -> dict[str, Any]:
    statistic = math.nan
    if len(returns) > 2 and returns.std() > NOISE:
        used = min(block, max(len(returns) / 3.0, 1.0))
        deviation = float(long_run_deviation(returns[:, None], used)[0])
        if deviation > 0.0:
            statistic = float(returns.mean()) / deviation * math.sqrt(len(returns))
    return {
        "left_out": name,
        "sharpe": metrics.sharpe(returns, year),
        "statistic": statistic,
        "stands": bool(statistic >= critical),
    }


def _tail(returns: Floats, equity: Floats) -> dict[str, float]:
    from scipy.stats import kurtosis, skew

    moves = len(returns) > 3 and returns.std() > NOISE
    worst = np.sort(returns)[: max(round(_TAIL * len(returns)), 1)]
    return {
        "skew": float(skew(returns)) if moves else math.nan,
        "kurtosis": float(kurtosis(returns, fisher=False)) if moves else math.nan,
        "worst": float(worst[0]) if len(worst) else math.nan,
        "value_at_risk": float(worst[-1]) if len(worst) else math.nan,
        "expected_shortfall": float(worst.mean()) if len(worst) else math.nan,
        "max_drawdown": metrics.max_drawdown(np.concatenate([[1.0], equity])),
    }


def _resampled(returns: Floats, labels: Floats, how: Resampling, year: int) -> tuple[float, float]:
    """Return the interval of the Sharpe ratio with blocks drawn within each label."""
    total = np.zeros((how.replications, 2))
    for label in np.unique(labels):
        mine = returns[labels == label]
        block = min(how.block, max(len(mine) / 3.0, 1.0))
        within = Resampling(how.seed + int(label), how.replications, block, how.level)
        total += resampled_sums(np.column_stack([mine, mine**2]), within)
    n = len(returns)
    if n < 3 or returns.std() <= NOISE:
        return math.nan, math.nan
    mean = total[:, 0] / n
    deviation = np.sqrt(np.maximum((total[:, 1] - n * mean**2) / (n - 1), 0.0))
    return interval(metrics.sharpe_of_moments(mean, deviation, year), how.level)
