"""How often tests reject on markets whose truth is known: size, power, critical values.

A test is run on many seeds of a simulated world. On the null world its rejection rate is its size;
with a mechanism at growing strength it is its power. The quantiles of its statistic on the null
world are critical values that hold where asymptotic ones do not.

Markets and tests are spread over processes; a seed gives the same result in each.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ...data import (
    HERE,
    ConfigError,
    Crew,
    NotEnoughDataError,
    Progress,
    Workers,
    end_with_parent,
    one_thread_each,
    silent,
)
from ..statistics.rejection import (
    Direction,
    Interval,
    RejectionRate,
    Score,
    SimulationCheck,
    critical_value,
    wilson,
)
from .worlds import MarketRun, SimulatedMarkets, require_world, simulate_run

if TYPE_CHECKING:
    from ...data import PathMarket

__all__ = ["TestFunction", "simulate_check"]

Floats = npt.NDArray[np.float64]
_START = date(2016, 1, 4)
#: A test: from a market to a score. It must be picklable to run in other processes.
TestFunction = Callable[["PathMarket"], Score]


def simulate_check(
    tests: Mapping[str, tuple[TestFunction, Direction]],
    markets: SimulatedMarkets,
    *,
    level: float = 0.05,
    critical: Mapping[str, float] | None = None,
    processes: int = 2,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> SimulationCheck:
    """Measure how often tests reject on simulated markets.

    Parameters
    ----------
    tests : mapping of str to (function, direction)
        Functions must be picklable (defined at the top of a module) unless `processes` is 1.
    markets : SimulatedMarkets
        By default of 2,500 sessions from 2016-01-04 on. Where S0 is among the worlds and no
        critical values are given, its own are used on all.
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
    ConfigError
        If there is nothing to run, or the level is no probability.
    UnknownNameError
        If a world does not exist.
    """
    seeds, sessions, start = markets.seeds, markets.sessions or 2_500, markets.start or _START
    runs = _runs(markets, sessions, start)
    _require_sensible(tests, runs, seeds, level)
    jobs = list(product(runs, range(markets.first_seed, markets.first_seed + seeds)))
    functions = {name: function for name, (function, _) in tests.items()}
    found = _work(partial(_score_market, functions), jobs, processes, workers, progress or silent)
    by_run = {run: found[i * seeds : (i + 1) * seeds] for i, run in enumerate(runs)}
    null = next((scored for run, scored in by_run.items() if run.world == "S0"), None)
    if critical is not None or null is None:
        bounds = {name: (critical or {}).get(name, math.nan) for name in tests}
    else:
        sides = {name: side for name, (_, side) in tests.items()}
        bounds = {n: critical_value(_statistics(null, n), sides[n], level) for n in tests}
    rates = tuple(
        _rate(name, side, run, scored, bounds[name], level, others=critical is not None)
        for run, scored in by_run.items()
        for name, (_, side) in tests.items()
    )
    return SimulationCheck(level, seeds, sessions, bounds, rates)


class _Scored(NamedTuple):
    effect: float
    scores: Mapping[str, Score]


def _score_market(tests: Mapping[str, TestFunction], job: tuple[MarketRun, int]) -> _Scored:
    run, seed = job
    market = simulate_run(run, seed)
    return _Scored(
        effect=run.strength * float(np.std(market.effects["kappa"])),
        scores={name: _score(test, market) for name, test in tests.items()},
    )


def _score(test: TestFunction, market: PathMarket) -> Score:
    try:
        return test(market)
    except NotEnoughDataError:
        return Score(math.nan, math.nan, False)


def _runs(markets: SimulatedMarkets, sessions: int, start: date) -> tuple[MarketRun, ...]:
    for world in markets.worlds:
        require_world(world)
    return tuple(
        MarketRun(world, markets.calibration, strength, sessions, start)
        for world in markets.worlds
        for strength in ((0.0,) if world == "S0" else markets.strengths)
    )


def _require_sensible(
    tests: Mapping[str, object], runs: Sequence[MarketRun], seeds: int, level: float
) -> None:
    if not tests or not runs or seeds < 2:
        raise ConfigError(
            "expected at least one test, one world, one strength and two seeds, found "
            f"{len(tests)} tests, {len(runs)} runs and {seeds} seeds"
        )
    if not 0 < level < 1:
        raise ConfigError(f"level: expected a probability between 0 and 1, found {level:g}")


def _work(
    function: Callable[[tuple[MarketRun, int]], _Scored],
    jobs: Sequence[tuple[MarketRun, int]],
    processes: int,
    workers: Workers,
    progress: Progress,
) -> list[_Scored]:
    if not workers.here:
        with Crew(workers) as crew:
            return list(crew.spread(function, jobs, progress=progress, named=_named))
    if processes == 1:
        return _collect(map(function, jobs), jobs, progress)
    spawn = get_context("spawn")
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            processes, mp_context=spawn, initializer=end_with_parent, initargs=(os.getpid(),)
        ) as pool,
    ):
        return _collect(pool.map(function, jobs, chunksize=4), jobs, progress)


def _named(job: tuple[MarketRun, int]) -> str:
    return f"{job[0].world} x {job[0].strength:g}"


def _collect(
    results: Iterable[_Scored], jobs: Sequence[tuple[MarketRun, int]], progress: Progress
) -> list[_Scored]:
    found = []
    for result, job in zip(results, jobs, strict=True):
        found.append(result)
        progress(len(found), len(jobs), _named(job))
    return found


def _statistics(scored: Sequence[_Scored], name: str) -> Floats:
    return np.array([s.scores[name].statistic for s in scored])


def _rate(
    name: str,
    direction: Direction,
    run: MarketRun,
    scored: Sequence[_Scored],
    critical: float,
    level: float,
    *,
    others: bool,
) -> RejectionRate:
    scores = [s.scores[name] for s in scored]
    defined = [s for s in scores if math.isfinite(s.statistic) and math.isfinite(s.p_value)]
    rejected = [s for s in defined if s.p_value <= level]
    normal = [s for s in defined if math.isfinite(s.p_asymptotic)]
    values = np.array([s.statistic for s in defined])
    null = run.world == "S0"
    return RejectionRate(
        test=name,
        world=run.world,
        calibration=run.calibration,
        strength=run.strength,
        effect=float(np.mean([s.effect for s in scored])),
        direction=direction,
        markets=len(defined),
        undefined=len(scores) - len(defined),
        rejected=wilson(len(rejected), len(defined)),
        claimed=wilson(sum(_points(s.statistic, direction) for s in rejected), len(defined)),
        supported=wilson(sum(s.supported for s in defined), len(defined)),
        simulated=_against_null(values, direction, critical, level, split=null and not others),
        asymptotic=wilson(sum(s.p_asymptotic <= level for s in normal), len(normal)),
        statistic_mean=float(values.mean()) if values.size else math.nan,
        statistic_sd=float(values.std(ddof=1)) if values.size > 1 else math.nan,
    )


def _against_null(
    values: Floats, direction: Direction, critical: float, level: float, *, split: bool
) -> Interval:
    if split:
        half = len(values) // 2
        critical, values = critical_value(values[:half], direction, level), values[half:]
    if not math.isfinite(critical):
        return wilson(0, 0)
    if direction == "-":
        beyond = values < critical
    else:
        beyond = (np.abs(values) if direction == "0" else values) > critical
    return wilson(int(beyond.sum()), len(values))


def _points(statistic: float, direction: Direction) -> bool:
    return direction == "0" or (statistic > 0) == (direction == "+")
