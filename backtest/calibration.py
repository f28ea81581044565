"""How often tests reject on markets whose truth is known: size, power, critical values.

A test is run on many seeds of a simulated world. On the null world its rejection rate is its size;
with a mechanism at growing strength it is its power. The quantiles of its statistic on the null
world are critical values that hold where asymptotic ones do not.

Markets and tests are spread over processes; a seed gives the same result in each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..data.errors import ConfigError, NotEnoughDataError
from ..data.progress import Progress, silent

if TYPE_CHECKING:
    from datetime import date

    from ..data.simulate.parameters import Calibration
    from ..data.simulate.pathwise import PathMarket

__all__ = [
    "Interval",
    "MarketRun",
    "RejectionRate",
    "Score",
    "SimulationCheck",
    "TestFunction",
    "critical_value",
    "simulate_check",
    "wilson",
]

Floats = npt.NDArray[np.float64]
Direction = Literal["+", "-", "0"]


class Score(NamedTuple):
    """What a test says about one market.

    Attributes
    ----------
    statistic : float
        Compared with critical values; NaN where the test does not apply to the market.
    p_value : float
        Two-sided.
    supported : bool
        Whether the test's own verdict is that the claim holds.
    """

    statistic: float
    p_value: float
    supported: bool


#: A test: from a market to a score. It must be picklable to run in other processes.
TestFunction = Callable[["PathMarket"], Score]


class Interval(NamedTuple):
    """A share and its 95 % interval (Wilson 1927)."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MarketRun:
    """Which markets are simulated.

    Attributes
    ----------
    world, calibration : str
    strength : float
        Factor on everything that hedging does: 0 leaves customers without feedback.
    sessions : int
    start : date
    """

    world: str
    calibration: Calibration
    strength: float
    sessions: int
    start: date


@dataclass(frozen=True, slots=True)
class RejectionRate:
    """One test on the markets of one world at one strength.

    Attributes
    ----------
    test, world, calibration : str
    strength : float
        Factor on everything that hedging does.
    effect : float
        Mean over markets of the standard deviation of kappa times the strength's mechanism; 0
        where nothing is hedged.
    direction : {"+", "-", "0"}
        Sign of the statistic under the claim; "0" for either.
    markets, undefined : int
        Markets in which the test gave a number, and others.
    rejected : Interval
        Two-sided p-value below the level.
    claimed : Interval
        Of these, the ones in the claim's direction.
    supported : Interval
        The test's own verdict.
    simulated : Interval
        Statistic beyond the critical value of the null world, in the claim's direction. On the
        null world itself the critical value is that of the first half of the markets and the
        share that of the second half.
    statistic_mean, statistic_sd : float
        Over markets.
    """

    test: str
    world: str
    calibration: str
    strength: float
    effect: float
    direction: Direction
    markets: int
    undefined: int
    rejected: Interval
    claimed: Interval
    supported: Interval
    simulated: Interval
    statistic_mean: float
    statistic_sd: float


@dataclass(frozen=True, slots=True)
class SimulationCheck:
    """Size and power of some tests.

    Attributes
    ----------
    level : float
        Of the tests.
    seeds : int
        Markets per world and strength.
    sessions : int
        Length of each.
    critical : mapping of str to float
        Critical value of each test's statistic from the null world, in the claim's direction
        (absolute where the direction is "0"); NaN where the null world was not run.
    rates : tuple of RejectionRate
        By world, strength and test.
    """

    level: float
    seeds: int
    sessions: int
    critical: Mapping[str, float]
    rates: tuple[RejectionRate, ...]

    def document(self) -> dict[str, Any]:
        """Return everything as plain values; undefined is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def simulate_check(
    tests: Mapping[str, tuple[TestFunction, Direction]],
    *,
    worlds: Sequence[str] = ("S0",),
    strengths: Sequence[float] = (1.0,),
    calibration: Calibration = "visible",
    seeds: int = 400,
    sessions: int = 2_500,
    start: date | None = None,
    level: float = 0.05,
    first_seed: int = 0,
    processes: int = 2,
    progress: Progress | None = None,
) -> SimulationCheck:
    """Measure how often tests reject on simulated markets.

    Parameters
    ----------
    tests : mapping of str to (function, direction)
        Functions must be picklable (defined at the top of a module) unless `processes` is 1.
    worlds : sequence of str
        Names of `gexlab.data.simulate.worlds`. Where S0 is among them its critical values are
        used on all.
    strengths : sequence of float
        Factors on what hedging does; S0 has no hedging and is run once.
    calibration : {"visible", "realistic"}
    seeds : int
        Markets per world and strength.
    sessions : int
        Length of each market.
    start : date, optional
        First session, 2016-01-04 by default.
    level : float
        Of the tests.
    first_seed : int
        Seeds are `first_seed` ... `first_seed + seeds - 1`.
    processes : int
        1 works in this process.
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
    runs = _runs(worlds, strengths, calibration, sessions, start)
    _require_sensible(tests, runs, seeds, level)
    jobs = list(product(runs, range(first_seed, first_seed + seeds)))
    functions = {name: function for name, (function, _) in tests.items()}
    found = _work(partial(_score_market, functions), jobs, processes, progress or silent)
    by_run = {run: found[i * seeds : (i + 1) * seeds] for i, run in enumerate(runs)}
    null = next((scored for run, scored in by_run.items() if run.world == "S0"), None)
    critical = {
        name: math.nan if null is None else critical_value(_statistics(null, name), side, level)
        for name, (_, side) in tests.items()
    }
    rates = tuple(
        _rate(name, side, run, scored, critical[name], level)
        for run, scored in by_run.items()
        for name, (_, side) in tests.items()
    )
    return SimulationCheck(level, seeds, sessions, critical, rates)


def wilson(successes: int, trials: int, z: float = 1.959963984540054) -> Interval:
    """Return a share and its Wilson score interval.

    Parameters
    ----------
    successes, trials : int
    z : float
        Normal quantile; the default gives 95 %.

    Returns
    -------
    Interval
        NaN where there were no trials.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(20, 400)]
    [0.05, 0.0326, 0.0759]
    """
    if trials == 0:
        return Interval(math.nan, math.nan, math.nan)
    share = successes / trials
    scale = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(share, centre - half, centre + half)


def critical_value(statistics: npt.ArrayLike, direction: Direction, level: float) -> float:
    """Return the value beyond which a share `level` of the statistics lies.

    Parameters
    ----------
    statistics : array_like
        On markets where the claim is false; NaN is left out.
    direction : {"+", "-", "0"}
        The upper quantile, the lower one, or the upper one of the absolute value.
    level : float

    Returns
    -------
    float
        NaN where there is no statistic.

    Examples
    --------
    >>> critical_value(range(101), "-", 0.05)
    5.0
    """
    values = np.asarray(statistics, dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return math.nan
    if direction == "-":
        return float(np.quantile(values, level))
    return float(np.quantile(np.abs(values) if direction == "0" else values, 1 - level))


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


def simulate_run(run: MarketRun, seed: int) -> PathMarket:
    """Return one market of a run."""
    from ..data.simulate.pathwise import simulate_path
    from ..data.simulate.registry import world_named

    _, mechanism = world_named(run.world).calibration(run.calibration)
    scaled = {
        name: run.strength * getattr(mechanism, name)
        for name in ("damping", "lag", "close_share", "rebalancing", "pin")
    }
    return simulate_path(
        run.world,
        sessions=run.sessions,
        seed=seed,
        calibration=run.calibration,
        start=run.start,
        with_flip=True,
        parameters=scaled,
    )


def _runs(
    worlds: Sequence[str],
    strengths: Sequence[float],
    calibration: Calibration,
    sessions: int,
    start: date | None,
) -> tuple[MarketRun, ...]:
    from datetime import date as day

    from ..data.simulate.registry import world_named

    first = start or day(2016, 1, 4)
    for world in worlds:
        world_named(world)
    return tuple(
        MarketRun(world, calibration, strength, sessions, first)
        for world in worlds
        for strength in ((0.0,) if world == "S0" else strengths)
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
    progress: Progress,
) -> list[_Scored]:
    if processes == 1:
        return _collect(map(function, jobs), jobs, progress)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return _collect(pool.map(function, jobs, chunksize=4), jobs, progress)


def _collect(
    results: Iterable[_Scored], jobs: Sequence[tuple[MarketRun, int]], progress: Progress
) -> list[_Scored]:
    found = []
    for result, (run, _) in zip(results, jobs, strict=True):
        found.append(result)
        progress(len(found), len(jobs), f"{run.world} x {run.strength:g}")
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
) -> RejectionRate:
    scores = [s.scores[name] for s in scored]
    defined = [s for s in scores if math.isfinite(s.statistic) and math.isfinite(s.p_value)]
    rejected = [s for s in defined if s.p_value < level]
    values = np.array([s.statistic for s in defined])
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
        simulated=_against_null(values, direction, run, critical, level),
        statistic_mean=float(values.mean()) if values.size else math.nan,
        statistic_sd=float(values.std(ddof=1)) if values.size > 1 else math.nan,
    )


def _against_null(
    values: Floats, direction: Direction, run: MarketRun, critical: float, level: float
) -> Interval:
    if run.world == "S0":
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


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
