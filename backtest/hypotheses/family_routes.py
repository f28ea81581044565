"""The second route: what a test says on simulated markets of several makes, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..statistics import realised
from ..surrogates.cloud import draw_books
from ..surrogates.customers import CUSTOMERS, rule
from ..surrogates.moments import (
    Surroundings,
    distances_with,
    market_moments,
    moments,
)
from ..surrogates.parameters import from_unit
from ..surrogates.path import ewma_volatility, first_after_monthly, path_of, weeks
from ..surrogates.returns import Observed, Simulated, fitted_makes
from ..surrogates.statistics import rolling_ranks
from .cloud_statistics import STATISTICS, Many
from .evidence import COMPATIBLE, Family, Member
from .features import WINDOW, Daily, daily, least_known, percentile

if TYPE_CHECKING:
    from ..surrogates.cloud import Cloud
    from .protocol import Dataset, Settings

__all__ = ["family_evidence"]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
_LEAD: Final = 60  # sessions before those that count
_OWN: Final = "the rules of books nearest to yours"
_FEWEST: Final = 5  # markets


@dataclass(frozen=True, slots=True, eq=False)
class _Market:
    """One simulated market with a book of each rule."""

    make: str
    many: Many
    distance: Floats


def family_evidence(
    name: str, statistic: float, dataset: Dataset, settings: Settings, cloud: Cloud, *, upper: bool
) -> Family | None:
    """Return what each make of market, and each rule of customers, says of a statistic.

    None where there are too few returns to fit any.

    Parameters
    ----------
    name, statistic, dataset, settings, upper
        As for `null_routes.against_nulls`.
    cloud : Cloud
        Books nearest to the user's, whose rules are one more kind of customers.
    """
    key = ("family", settings.surrogates, settings.simulations, settings.resampling.seed)
    markets = dataset.memo.get(key)
    if markets is None:
        markets = dataset.memo[key] = tuple(_markets(dataset, settings, cloud))
    if not markets:
        return None
    rules = (*CUSTOMERS, _OWN)
    members: list[Member] = []
    for make in dict.fromkeys(m.make for m in markets):
        chosen = [m for m in markets if m.make == make]
        values = np.array([STATISTICS[name](m.many) for m in chosen])
        far = np.array([m.distance for m in chosen])
        for i, customers in enumerate(rules):
            members.append(_member(make, customers, statistic, values[:, i], far[:, i], upper))
    usable = [m for m in members if m.markets >= _FEWEST]
    if not usable:
        return None
    fitting = [m for m in usable if m.compatible]
    worst = max(fitting, key=lambda m: m.p) if fitting else min(usable, key=lambda m: m.distance)
    return Family(tuple(members), worst)


def _member(
    make: str, customers: str, statistic: float, values: Floats, far: Floats, upper: bool
) -> Member:
    from scipy.stats import t as student

    known = values[np.isfinite(values)]
    n = len(known)
    distance = float(np.median(far))
    mean = float(known.mean()) if n else float("nan")
    sd = float(known.std(ddof=1)) if n > 1 else float("nan")
    p = float("nan")
    if n >= _FEWEST and sd > 0.0:
        # one more draw from a normal law whose mean and spread were found from n draws
        z = (statistic - mean) / (sd * np.sqrt(1.0 + 1.0 / n))
        p = float(student.sf(z, n - 1) if upper else student.cdf(z, n - 1))
    return Member(make, customers, distance, distance <= COMPATIBLE, n, mean, sd, p)


def _markets(dataset: Dataset, settings: Settings, cloud: Cloud) -> list[_Market]:
    real = daily(dataset)
    close = real.close
    own = dataset.warmed.reindex(dataset.bars.index).to_numpy(dtype=np.float64)
    known = np.flatnonzero(np.isfinite(own) & np.isfinite(close))
    rows = slice(max(0, int(known[0]) - 1_000), int(known[-1]) + 1)
    seen = Observed(real.ret[rows], real.log_vol[rows], real.log_vix[rows])
    makes = fitted_makes(seen)
    days = dataset.bars.index.to_numpy().astype("datetime64[D]")[known]
    before = np.busday_offset(days[0], -np.arange(_LEAD, 0, -1), roll="forward")
    every = np.concatenate([before.astype("datetime64[D]"), days])
    wanted = np.concatenate([cloud.real, market_moments(_on(real, known))])
    out: list[_Market] = []
    for k, (name, make) in enumerate(makes.items()):
        for i in range(settings.simulations):
            rng = np.random.default_rng([settings.resampling.seed, 4_711, k, i])
            market = make(len(every), rng)
            out.append(_market(name, market, every, dataset, cloud, rng, wanted))
            done = k * settings.simulations + i + 1
            settings.progress(done, len(makes) * settings.simulations, "markets without dealers")
    return out


def _on(features: Daily, rows: npt.NDArray[np.int64]) -> Simulated:
    return Simulated(features.ret[rows], features.log_vol[rows], features.log_vix[rows])


def _market(
    name: str,
    market: Simulated,
    days: Days,
    dataset: Dataset,
    cloud: Cloud,
    rng: np.random.Generator,
    wanted: Floats,
) -> _Market:
    log_close = market.ret.cumsum()
    named = dataset.vix is not None
    level = np.exp(market.log_vix) / 100.0 if named else ewma_volatility(log_close)
    facts = dataset.market
    path = path_of(log_close, level, days, facts.monthly)
    nearest = from_unit(cloud.books.unit[: max(1, len(cloud.weights) // 5)])
    rules = np.vstack(
        [*(rule(customers) for customers in CUSTOMERS), nearest[rng.integers(len(nearest))]]
    )
    seeds = rng.integers(0, 2**31, size=(len(rules), 2))
    books = draw_books(path, rules, seeds, scaled=True)
    keep = slice(_LEAD, None)
    call, put = books.call[keep], books.put[keep]
    features = _features(market, days, named)
    gex = call - put
    around = Surroundings(
        log_close[keep],
        np.log(level[keep]),
        weeks(days[keep]),
        first_after_monthly(days[keep], facts.monthly),
    )
    seen = Simulated(features.ret[keep], features.log_vol[keep], features.log_vix[keep])
    alike = np.vstack(
        [
            moments(gex, around, call + put),
            np.repeat(market_moments(seen)[:, None], gex.shape[1], axis=1),
        ]
    )
    n = len(gex)
    many = Many(
        features,
        np.arange(_LEAD, _LEAD + n),
        np.ones(n, dtype=np.bool_),
        gex,
        rolling_ranks(gex, WINDOW, least_known(n)) - 0.5,
        call,
        put,
        np.ones(n, dtype=np.bool_),
    )
    return _Market(name, many, distances_with(alike, wanted))


def _features(market: Simulated, days: Days, named: bool) -> Daily:
    unknown = np.full(len(days), np.nan)
    return Daily(
        sessions=days,
        close=market.ret.cumsum(),
        ret=market.ret,
        next_ret=np.append(market.ret[1:], np.nan),
        log_vol=market.log_vol,
        next_log_vol=np.append(market.log_vol[1:], np.nan),
        har=realised.har_regressors(market.log_vol),
        gex=unknown,
        gex_rank=unknown,
        log_vix=market.log_vix if named else unknown,
        vix_rank=percentile(pd.Series(np.exp(market.log_vix))) if named else unknown,
    )
