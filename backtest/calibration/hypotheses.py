"""The built-in hypotheses on simulated markets: their size, their power, their critical values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...data import HERE, NotEnoughDataError, Progress, Workers
from ..hypotheses.protocol import Dataset, MissingDataError, Settings
from ..hypotheses.registry import hypothesis
from ..statistics.intraday import IntradayGrid
from ..statistics.rejection import Direction, Score, SimulationCheck
from ..statistics.resampling import Resampling
from .check import simulate_check
from .worlds import SimulatedMarkets

if TYPE_CHECKING:
    from ...data import PathMarket

__all__ = [
    "CRITICAL_SEED",
    "PLAN",
    "HypothesisTest",
    "calibrate",
    "check_plan",
    "path_dataset",
]

_VIX_NOISE = 0.05  # of its log, as in the specification of the null world
_STRIKES = 160  # strikes between zero and the price that simulated markets start from

#: World, or variant, to the hypotheses that are checked on it: all on the null, then each where its
#: claim is true, and where another cause looks like it (momentum in S7, signs in S5).
PLAN: Mapping[str, tuple[str, ...]] = {
    "S0": (
        "momentum-split",
        "momentum-interaction",
        "autocorr-regime",
        "fade-follow",
        "expiry-did",
        "flip-placebo",
        "vol-damping",
        "beyond-leverage",
        "fragility-tail",
        "pin-distance",
        "close-reversal",
        "sign-audit",
    ),
    "S1": ("vol-damping", "beyond-leverage", "flip-placebo", "sign-audit", "fragility-tail"),
    "S1-strong": ("fragility-tail",),
    "S1-weekdays": ("expiry-did",),
    "S2": ("autocorr-regime",),
    "S3": ("momentum-split", "momentum-interaction", "close-reversal"),
    "S3-transient": ("close-reversal",),
    "S4": ("pin-distance",),
    "S5": ("sign-audit",),
    "S7": ("momentum-split", "momentum-interaction"),
    "S7-varying": ("letf-rebalance", "momentum-split", "momentum-interaction"),
}
#: First seed of the null markets that critical values come from: the table's own begin at 0.
CRITICAL_SEED = 100_000
_REPLICATIONS = 199
_SESSIONS = 1_500
_MARKETS = SimulatedMarkets()


@dataclass(frozen=True, slots=True)
class HypothesisTest:
    """A hypothesis as a test of simulated markets.

    Attributes
    ----------
    name : str
        A built-in hypothesis, or a user's.
    """

    name: str

    def __call__(self, market: PathMarket) -> Score:
        """Return the t statistic, the p-value and the verdict as reported, and the normal p."""
        settings = Settings(resampling=Resampling(replications=_REPLICATIONS))
        try:
            found = hypothesis(self.name).run(path_dataset(market), settings)
        except (MissingDataError, NotEnoughDataError, np.linalg.LinAlgError):
            return Score(math.nan, math.nan, False)
        return Score(found.t_stat, found.p_value, bool(found.supported), found.p_asymptotic)


def calibrate(
    names: Sequence[str],
    markets: SimulatedMarkets = _MARKETS,
    *,
    level: float = 0.05,
    critical: Mapping[str, float] | None = None,
    processes: int = 2,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> SimulationCheck:
    """Measure size and power of hypotheses on simulated markets.

    Parameters
    ----------
    names : sequence of str
        Hypotheses.
    markets : SimulatedMarkets
        By default of 1,500 sessions from 2018-01-02 on, so that the changes of 2021 and 2022 that
        some tests turn on fall inside.
    level : float
        Of the tests.
    critical : mapping of str to float, optional
        Critical values of an earlier check, of other seeds.
    processes : int
        1 works in this process.
    workers : Workers, optional
        Of a Dask cluster, in place of processes.
    progress : Progress, optional
        Called after each market.

    Returns
    -------
    SimulationCheck

    Raises
    ------
    UnknownNameError
        If a hypothesis or a world does not exist.
    ConfigError
        If there is nothing to run.
    """
    tests: dict[str, tuple[HypothesisTest, Direction]] = {
        name: (HypothesisTest(name), hypothesis(name).card.expected_sign) for name in names
    }
    return simulate_check(
        tests,
        markets.of(_SESSIONS, date(2018, 1, 2)),
        level=level,
        critical=critical,
        processes=processes,
        workers=workers,
        progress=progress,
    )


def check_plan(
    *,
    seeds: int = 400,
    power_seeds: int = 100,
    strengths: Sequence[float] = (0.25, 0.5, 1.0),
    sessions: int = _SESSIONS,
    processes: int = 2,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> SimulationCheck:
    """Measure what `PLAN` says: size on the null world, power where the claims are true.

    Parameters
    ----------
    seeds, power_seeds : int
        Markets on the null world, and per strength on the others.
    strengths : sequence of float
        Factors on what hedging does.
    sessions : int
        Length of each market.
    processes : int
        1 works in this process.
    workers : Workers, optional
        Of a Dask cluster, in place of processes.
    progress : Progress, optional
        Called after each market.

    Returns
    -------
    SimulationCheck
        Critical values come from as many more null markets, of other seeds.
    """
    measured = partial(calibrate, processes=processes, workers=workers, progress=progress)
    blind = SimulatedMarkets(seeds=seeds, sessions=sessions)
    bounds = measured(PLAN["S0"], replace(blind, first_seed=CRITICAL_SEED)).critical
    null = measured(PLAN["S0"], blind, critical=bounds)
    others = [
        measured(
            names,
            SimulatedMarkets((world,), strengths, seeds=power_seeds, sessions=sessions),
            critical=null.critical,
        )
        for world, names in PLAN.items()
        if world != "S0"
    ]
    rates = null.rates + tuple(rate for check in others for rate in check.rates)
    return replace(null, rates=rates)


def path_dataset(market: PathMarket) -> Dataset:
    """Return a simulated market as what hypotheses run on.

    GEX is the naive measure of the book at each close, known at the next open; the volatility
    index is the implied volatility seen with 5 % noise; the pin strike is the one nearest to the
    close. What leveraged funds will do is known the evening before, where it varies (S7).
    """
    import pandas as pd

    bars, gamma = market.daily(), market.gamma()
    noise = np.random.default_rng([market.seed, 1]).standard_normal(len(bars))
    step = float(market.spot / _STRIKES)
    net_to_gross = gamma["net_gex"] / gamma["gross_gex"]
    table = pd.DataFrame(
        {
            "flip": gamma["flip"],
            "pin_strike": (bars["close"] / step).round() * step,
            "pin_strength": net_to_gross.abs(),
            "pin_gamma": net_to_gross,
        }
    )
    calls = (gamma["gross_gex"] + gamma["net_gex"]) / 2
    funds = pd.Series(market.effects["close_slope"], index=bars.index).shift(-1)
    return Dataset(
        bars=bars,
        gex=gamma["net_gex"],
        vix=100 * gamma["iv"] * np.exp(_VIX_NOISE * noise),
        intraday=_grid(market),
        table=table,
        legs=pd.DataFrame({"call": calls, "put": gamma["gross_gex"] - calls}),
        strike_step=step,
        letf=funds if market.world == "S7" and funds.std() > 0.0 else None,
        simulated=True,
    )


def _grid(market: PathMarket) -> IntradayGrid:
    opens, closes = market.bars[:, :1, 0], market.bars[:, :, 3]
    prices = np.log(np.concatenate([opens, closes], axis=1))
    return IntradayGrid(market.sessions, market.minutes, prices)
