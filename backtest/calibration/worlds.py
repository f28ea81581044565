"""Which market a calibration run simulates: a world, or a variant of one made for one test.

Some claims are about something that no world has at a strength that a test of usual length could
find. A variant is a world with some of its numbers replaced, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ...data import Calibration, PathMarket

__all__ = [
    "VARIANTS",
    "MarketRun",
    "SimulatedMarkets",
    "Variant",
    "require_world",
    "simulate_run",
]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
_HEDGING = ("damping", "lag", "close_share", "rebalancing", "pin", "transient")
_FUNDS_MEMORY = 0.97
_FUNDS_SWING = 0.5


@dataclass(frozen=True, slots=True)
class SimulatedMarkets:
    """Which markets a calibration simulates.

    Attributes
    ----------
    worlds : sequence of str
        Names of `gexlab.data.simulate.worlds`, or of variants.
    strengths : sequence of float
        Factors on what hedging does; S0 has no hedging and is run once.
    calibration : {"visible", "realistic"}
    seeds : int
        Markets per world and strength.
    sessions : int, optional
        Length of each market; by default what the tests are made for.
    start : date, optional
        First session; by default what the tests are made for.
    first_seed : int
        Seeds are `first_seed` ... `first_seed + seeds - 1`.
    """

    worlds: Sequence[str] = ("S0",)
    strengths: Sequence[float] = (1.0,)
    calibration: Calibration = "visible"
    seeds: int = 400
    sessions: int | None = None
    start: date | None = None
    first_seed: int = 0

    def of(self, sessions: int, start: date) -> SimulatedMarkets:
        """Return the same markets, with length and first session where they have none.

        Parameters
        ----------
        sessions : int
        start : date

        Returns
        -------
        SimulatedMarkets
        """
        return replace(self, sessions=self.sessions or sessions, start=self.start or start)


@dataclass(frozen=True, slots=True)
class MarketRun:
    """A market of a calibration, but for its seed.

    Attributes
    ----------
    world, calibration : str
        A world of `gexlab.data.simulate.worlds`, or a variant.
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
class Variant:
    """A world with some of its numbers replaced.

    Attributes
    ----------
    world : str
        The world.
    meaning : str
        What differs, and why, in a sentence.
    parameters : mapping of str to float
        Fields of `Market` and `Mechanism` that are replaced.
    impact : float
        Factor on the calibration's impact.
    kappa : callable, optional
        From sessions and seed to impact times gamma of each session, in the place of the book's.
    """

    world: str
    meaning: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    impact: float = 1.0
    kappa: Callable[[Days, int], Floats] | None = None


def _same_day_expirations(days: Days, _: int) -> Floats:
    weekday = (days.astype(np.int64) + 3) % 7
    tuesdays = (weekday == 1) & (days >= np.datetime64("2022-04-18"))
    thursdays = (weekday == 3) & (days >= np.datetime64("2022-05-11"))
    return np.where(tuesdays | thursdays, 0.05, 0.0)


def _funds(days: Days, seed: int) -> Floats:
    """Return minus the funds' demand, lognormal with a slow logarithm, mean 0.15, at most 0.9."""
    rng = np.random.default_rng([seed, 2])
    shocks = rng.standard_normal(len(days))
    level, out = shocks[0], np.empty(len(days))
    for t, shock in enumerate(shocks):
        level = _FUNDS_MEMORY * level + np.sqrt(1.0 - _FUNDS_MEMORY**2) * shock
        out[t] = np.exp(_FUNDS_SWING * level - _FUNDS_SWING**2 / 2.0)
    return np.maximum(-0.15 * out, -0.9)


#: By name.
VARIANTS: Mapping[str, Variant] = {
    "S1-weekdays": Variant(
        "S1",
        "kappa is .05 on Tuesdays and Thursdays with same-day expirations (from 2022-04-18 and "
        "2022-05-11) and 0 on all others: an effect of the published size",
        kappa=_same_day_expirations,
    ),
    "S1-strong": Variant(
        "S1",
        "impact 1.4 times the visible one (kappa's standard deviation about .25), dealers short "
        "more often (calls are 40 % of what customers trade)",
        parameters={"call_share": 0.4},
        impact=1.4,
    ),
    "S3-transient": Variant(
        "S3",
        "the whole hedge waits for the last half hour and the next session takes all of its push "
        "back (phi 1, theta 0), impact 1.4 times the visible one: the slope of the next return on "
        "the last half hour is about -.25, as published (-.15 to -.29); in S3 itself, where half "
        "of the hedge waits and .6 is taken back, it is -.07, which 1,500 sessions cannot show",
        parameters={"close_share": 1.0, "permanent": 0.0},
        impact=1.4,
    ),
    "S7-varying": Variant(
        "S7",
        "the funds' demand varies (its logarithm has standard deviation .5 and memory .97) around "
        "a slope of .10, whatever gamma",
        parameters={"close_share": 0.10 / 0.15, "rebalancing": 0.0},
        kappa=_funds,
    ),
}


def require_world(name: str) -> None:
    """Refuse a name that is neither a world nor a variant.

    Raises
    ------
    UnknownNameError
    """
    from ...data import UnknownNameError, worlds

    if name not in VARIANTS and name not in worlds():
        raise UnknownNameError("world", name, (*worlds(), *VARIANTS))


def simulate_run(run: MarketRun, seed: int) -> PathMarket:
    """Return one market of a run."""
    from ...data import override, simulate_path, world_named

    variant = VARIANTS.get(run.world, Variant(run.world, ""))
    _, default = world_named(variant.world).calibration(run.calibration)
    mechanism = override(default, variant.parameters)
    scaled = {name: run.strength * getattr(mechanism, name) for name in _HEDGING}
    kappa = None if variant.kappa is None else variant.kappa(_days(run), seed)
    return simulate_path(
        variant.world,
        sessions=run.sessions,
        seed=seed,
        calibration=run.calibration,
        start=run.start,
        with_flip=True,
        kappa=kappa,
        parameters={
            **variant.parameters,
            "impact": variant.impact * default.impact,
            **scaled,
        },
    )


def _days(run: MarketRun) -> Days:
    from ...data import trading_calendar

    sessions = trading_calendar().sessions
    first = int(np.searchsorted(sessions, np.datetime64(run.start, "D")))
    return sessions[first : first + run.sessions]
