"""Two independent routes from a statistic to its p where nobody hedges.

Books made by rules on the user's own path, and simulated markets of several makes: a claim is
supported where both reject. `against_nulls` is what a test asks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, varies
from ..statistics.diagnostics.regression import ols
from ..surrogates.cloud import Cloud, draw_cloud, effective_number
from ..surrogates.moments import Surroundings
from ..surrogates.path import ewma_volatility, first_after_monthly, path_of, weeks
from ..surrogates.statistics import rolling_ranks
from .cloud_statistics import INTRADAY, STATISTICS, Many
from .evidence import Evidence, Place
from .features import WINDOW, daily, least_known, momentum, needs, rows_before, spans

if TYPE_CHECKING:
    import pandas as pd

    from .protocol import Dataset, Settings

__all__ = ["against_nulls"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_FEWEST: Final = 40
_BEFORE: Final = (
    EXCHANGE_SESSIONS  # of the user's own sessions that fill the books, where there are so many
)
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_NAMED = "the implied volatility index"
_PAST = "past returns, exponentially weighted (no implied volatility series is named)"
_BETTER = (
    "past returns, exponentially weighted (they foretell the next session's volatility, "
    "and the implied volatility series does not)"
)
#: t of the next absolute return on a volatility: above the one it tells, below the other not.
_TELLS, _SILENT = 3.0, 2.0


def against_nulls(
    name: str, statistic: float, dataset: Dataset, settings: Settings, *, upper: bool
) -> Evidence:
    """Return what both routes say of a test's statistic.

    Parameters
    ----------
    name : str
        One of `cloud_statistics.STATISTICS`.
    statistic : float
    dataset : Dataset
        Books are drawn once for all tests of one dataset.
    settings : Settings
        ``surrogates`` books, ``simulations`` markets of each make.
    upper : bool
        Whether large values speak for the claim.

    Raises
    ------
    MissingDataError
        Where the path is too short for any book.
    """
    cloud, many, control = _drawn(dataset, settings)
    key = ("statistic", name, settings.surrogates, settings.resampling.seed)
    found = dataset.memo.get(key)
    if found is None:
        found = dataset.memo[key] = STATISTICS[name](many)
    place = _place(statistic, np.asarray(found), cloud, control, upper=upper)
    needs(
        place.draws >= max(2, settings.surrogates // 4),
        f"a longer sample: the test can be made of {place.draws} of {settings.surrogates} books "
        "made by rules",
    )
    family = None
    if settings.simulations and name not in INTRADAY:
        from .family_routes import family_evidence

        family = family_evidence(name, statistic, dataset, settings, cloud, upper=upper)
    return Evidence(place, family, settings.alpha)


def _place(statistic: float, values: Floats, cloud: Cloud, control: str, *, upper: bool) -> Place:
    """Return the statistic's place among books, weighted by how near they are.

    Books that are far from the series say less of it than they seem to: what the family does not
    hold is allowed for by stretching their statistics around the mean, the more the farther.
    """
    usable = np.isfinite(values)
    drawn, w = values[usable], cloud.weights[usable]
    effective = effective_number(w)
    median = float(np.median(cloud.distance))
    stretch = float(np.sqrt(1.0 + median**2 / 2.0))
    mean = float(np.average(drawn, weights=w)) if w.sum() > 0.0 else float("nan")
    x = mean + stretch * (drawn - mean)
    as_good = x >= statistic if upper else x <= statistic
    total = float(w.sum())
    share = float(w[as_good].sum()) / total if total > 0.0 else float("nan")
    return Place(
        statistic=statistic,
        # the series itself is one of those that do as well
        p=(1.0 + effective * share) / (1.0 + effective),
        draws=int(usable.sum()),
        tried=cloud.tried,
        effective=effective,
        nearest=float(cloud.distance[0]),
        median=median,
        stretch=stretch,
        control=control,
        mean=mean,
        sd=float(np.sqrt(np.cov(drawn, aweights=w))) if len(x) > 1 else float("nan"),
        quantiles=tuple(float(q) for q in weighted_quantiles(x, w, _QUANTILES)),
        upper=upper,
        values=tuple(float(v) for v in x),
        weights=tuple(float(v) for v in w),
    )


def weighted_quantiles(x: Floats, w: Floats, at: tuple[float, ...]) -> Floats:
    """Return quantiles of weighted values; NaN without any."""
    if not len(x):
        return np.full(len(at), np.nan)
    order = np.argsort(x, kind="stable")
    mass = np.cumsum(w[order]) - 0.5 * w[order]
    return np.asarray(np.interp(at, mass / w.sum(), x[order]), dtype=np.float64)


def _drawn(dataset: Dataset, settings: Settings) -> tuple[Cloud, Many, str]:
    key = ("cloud", settings.surrogates, settings.resampling.seed)
    found = dataset.memo.get(key)
    if found is None:
        found = dataset.memo[key] = _draw(dataset, settings)
    return found


def _draw(dataset: Dataset, settings: Settings) -> tuple[Cloud, Many, str]:
    bars = dataset.bars
    close: Floats = np.log(bars["close"].to_numpy(dtype=np.float64))
    days = bars.index.to_numpy().astype("datetime64[D]")
    own: Floats = np.asarray(dataset.warmed.reindex(bars.index), dtype=np.float64)
    there = np.isfinite(close)
    known = np.flatnonzero(np.isfinite(own) & there)
    needs(
        len(known) >= _FEWEST,
        f"at least {_FEWEST} sessions with GEX and a close for books on their path, found "
        f"{len(known)}",
    )
    first, last = max(0, int(known[0]) - _BEFORE), int(known[-1]) + 1
    span = np.flatnonzero(there[first:last]) + first
    level, control = _volatility(dataset.vix, bars, close, span)
    rule = dataset.market.monthly
    rows = np.searchsorted(span, known)
    around = Surroundings(
        close[known],
        np.log(level[rows]),
        weeks(days[known]),
        first_after_monthly(days[known], rule),
    )
    cloud = draw_cloud(
        path_of(close[span], level, days[span], rule),
        rows,
        own[known],
        around,
        books=settings.surrogates,
        seed=settings.resampling.seed,
        gross=_gross(dataset, known),
        store=settings.store,
        progress=settings.progress,
    )
    return cloud, _many(dataset, known, cloud.books.call[rows], cloud.books.put[rows]), control


def _gross(dataset: Dataset, known: Ints) -> Floats | None:
    """Return gamma of calls and puts together on those rows; None where it is not on all."""
    if dataset.legs is None:
        return None
    legs = dataset.legs.reindex(dataset.bars.index).to_numpy(dtype=np.float64)[known]
    both = legs.sum(axis=1)
    return np.asarray(both) if np.isfinite(both).all() and np.ptp(both) > 0.0 else None


def _volatility(
    vix: pd.Series[float] | None, bars: pd.DataFrame, close: Floats, span: Ints
) -> tuple[Floats, str]:
    """Return volatility a year on the path, each value known at its close, and what it is."""
    past = ewma_volatility(close[span])
    if vix is None:
        return past, _PAST
    named = vix.reindex(bars.index).to_numpy(dtype=np.float64)[span] / 100.0
    usable = np.isfinite(named) & (named > 0.0)
    if not usable.any():
        return past, _PAST
    last = np.maximum.accumulate(np.where(usable, np.arange(len(span)), -1))
    level = np.where(last >= 0, named[np.maximum(last, 0)], past)
    if _foretells(past, close[span]) > _TELLS and not _foretells(level, close[span]) > _SILENT:
        # a series of another market or of noise: books that follow it could not react to calm
        return past, _BETTER
    return level, _NAMED


def _foretells(level: Floats, close: Floats) -> float:
    """Return t of the next session's absolute return on the log of a volatility."""
    following = np.append(np.abs(np.diff(close)), np.nan)
    if not varies(np.log(level)):
        return 0.0
    return ols(following, {"level": np.log(level)}, hac=10).coefficient("level").t_stat


def _many(dataset: Dataset, known: Ints, call: Floats, put: Floats) -> Many:
    gex = call - put
    rank = rolling_ranks(gex, WINDOW, least_known(len(known))) - 0.5
    flips = np.ones(len(known), dtype=np.bool_)
    if dataset.table is not None and "flip" in dataset.table:
        flip = dataset.table["flip"].reindex(dataset.bars.index).to_numpy(dtype=np.float64)
        flips = np.isfinite(flip[known])
    many = Many(daily(dataset), known, dataset.counted[known], gex, rank, call, put, flips)
    grid = dataset.intraday
    if grid is None:
        return many
    row = rows_before(dataset, grid.sessions)
    place = np.where(np.isin(row, known), np.searchsorted(known, row), -1)
    if 30 % grid.minutes == 0:
        found = momentum(dataset)
        at = np.searchsorted(grid.sessions, found.sessions)
        many = replace(many, momentum=found, before=place[at])
    if grid.minutes <= 30:
        span = max(spans(grid)) // grid.minutes
        many = replace(many, returns=grid.returns(), grid_before=place, span=span)
    return many
