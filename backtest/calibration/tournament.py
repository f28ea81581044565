"""The whole tournament on simulated markets: how often it declares a winner, and the right one.

Sixty entries (twelve filters, five sets of rules; none of them is the true one with a band, which
would win by luck as often) with everything that they are held against, by the same procedure as
`gexlab tournament`: simulated, corrected, held against placebos, judged on walk-forward tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import (
    EXCHANGE_SESSIONS,
    HERE,
    Progress,
    Workers,
    labels_by_sign,
    silent,
    trading_calendar,
)
from ...strategies import Column, Strategy, make_strategy, panel_of
from ..execution.costs import Costs
from ..execution.measures import Clock
from ..execution.timing import make_schedule
from ..grid.columns import Ground
from ..run.panel import on_schedule
from ..statistics.rejection import Direction, Score, SimulationCheck
from ..tournament.arena import Arena, Entry, opponents
from ..tournament.contest import FoldPlan, Procedure, contest, folds_of
from .check import simulate_check
from .worlds import SimulatedMarkets

if TYPE_CHECKING:
    from ...data import PathMarket
    from ..tournament.result import TournamentResult

__all__ = ["ECHO_LEVEL", "QUESTIONS", "TournamentTest", "calibrate_tournament", "path_arena"]

Floats = npt.NDArray[np.float64]

#: Implied volatility, in points, that decides in S10.
ECHO_LEVEL: Final = 13.0
_PLAN: Final = FoldPlan(train=EXCHANGE_SESSIONS, test=EXCHANGE_SESSIONS)
_PLACEBOS, _DRAWS = 300, 1_000
_FEES: Final = 0.0
_MARKETS: Final = SimulatedMarkets(seeds=200)
_FILTERS: Final[tuple[Any, ...]] = (
    "sign",
    {"name": "percentile", "window": 63},
    {"name": "percentile", "window": 126},
    {"name": "tercile", "window": 126},
    {"name": "z-score", "window": 126},
    "change",
    {"name": "trend", "lookback": 21},
    {"name": "moving-average", "window": 200},
    {"name": "vix-level", "level": ECHO_LEVEL},
    {"name": "realised-volatility", "history": 126},
    "trend",
    "moving-average",
)
_RULES: Final = (
    {"long": "fade", "short": "follow"},
    {"long": "follow", "short": "fade"},
    {"long": "fade", "short": "follow", "lookback": 5},
    {"long": "hold", "short": "flat"},
    {"long": "flat", "short": "hold"},
)
#: The true strategy of S9, by the world whose truth it is.
_TRUE: Final = Strategy("true")

#: What is asked of each market, and the direction that a rejection points to.
QUESTIONS: Final[Mapping[str, str]] = {
    "tournament: a winner": "whether anybody wins",
    "tournament: the true one wins": "whether fading in long and following in short gamma wins",
    "tournament: the true one survives": "whether that strategy survives, whoever wins",
    "tournament: credited beyond volatility": "whether gamma is credited with anything beyond it",
}


@dataclass(frozen=True, slots=True)
class TournamentTest:
    """One question to the tournament on a market.

    Attributes
    ----------
    question : str
        A key of `QUESTIONS`.
    """

    question: str

    def __call__(self, market: PathMarket) -> Score:
        """Return the best Sharpe ratio, 0 where the answer is yes and else 1, and the answer."""
        result = _result(market)
        best = result.best
        statistic = math.nan if best is None else best.sharpe
        yes = _answer(self.question, result)
        return Score(statistic, 0.0 if yes else 1.0, yes)


#: The last market and its result: the questions are put to one market after the other.
_LAST: list[tuple[Any, TournamentResult]] = []


def _result(market: PathMarket) -> TournamentResult:
    if not _LAST or _LAST[0][0] is not market:
        _LAST[:] = [(market, tournament_on(market))]
    return _LAST[0][1]


def tournament_on(market: PathMarket) -> TournamentResult:
    """Return the tournament of the calibration on one market."""
    procedure = Procedure(
        placebos=_PLACEBOS, draws=_DRAWS, seed=market.seed + 1, plan=_PLAN, breakdowns=False
    )
    return contest([path_arena(market)], procedure)


def _answer(question: str, result: TournamentResult) -> bool:
    if question == "tournament: a winner":
        return result.winner is not None
    if question == "tournament: the true one wins":
        return result.winner == _id(_TRUE)
    survivors = {entry.trial_id for entry in result.survivors}
    if question == "tournament: the true one survives":
        return _id(_TRUE) in survivors
    return any(
        pair.credited
        for pair in result.pairs
        if pair.trial_id in survivors and pair.other.startswith("vix-level")
    )


def path_arena(market: PathMarket) -> Arena:
    """Return entries and opponents on a market without chains; orders fill at the next open."""
    calendar = trading_calendar()
    bars = market.daily()
    sessions = pd.DatetimeIndex(bars.index)
    schedule = make_schedule(calendar, sessions, "next_open")
    gamma = market.gamma()
    value = gamma["net_gex"].to_numpy(dtype=np.float64)
    regime = pd.DataFrame(
        {
            "value": value,
            "regime": labels_by_sign(value),
            "net_to_gross": value / gamma["gross_gex"].to_numpy(dtype=np.float64),
            "known_at": gamma["known_at"],
        },
        index=sessions,
    )
    closes = pd.DatetimeIndex(schedule.known_at, tz="UTC")
    vix = pd.DataFrame(
        {"value": 100.0 * gamma["iv"].to_numpy(), "known_at": closes}, index=sessions
    )
    position = np.searchsorted(calendar.sessions, market.sessions)
    panel = panel_of(
        bars,
        schedule.known_at,
        {"regime": regime, "series.vix": vix},
        opens_known_at=calendar.opens[position],
    )
    year = np.full(len(sessions), float(EXCHANGE_SESSIONS))
    never = np.full(len(sessions), np.datetime64("NaT", "ns"))
    panel = panel.with_columns(
        [Column("calendar.sessions_a_year", year, never, "sessions", scheduled=True)]
    )
    spans = np.ones(len(sessions) - 1, dtype=np.int64)
    ground = Ground(
        bars, schedule, on_schedule(panel, schedule), Clock(spans, EXCHANGE_SESSIONS, True)
    )
    strategies = [
        make_strategy("trial", filter=made, **rules) for made in _FILTERS for rules in _RULES
    ]
    costs = Costs(fees_bps=_FEES)
    entries = [Entry(_id(s), "entry", s, costs) for s in strategies]
    entries += [
        Entry(_id(s), role, s, costs)
        for s, role in opponents(strategies, tuple(panel.columns)).items()
    ]
    return Arena(
        title=market.world,
        ground=ground,
        entries=tuple(entries),
        folds=folds_of(ground, strategies, _PLAN),
        underlying="SIM",
        world=f"{market.world} {market.seed}",
    )


def _id(strategy: Strategy) -> str:
    return strategy.strategy_id


def calibrate_tournament(
    markets: SimulatedMarkets = _MARKETS,
    *,
    processes: int = 2,
    workers: Workers = HERE,
    progress: Progress = silent,
) -> SimulationCheck:
    """Measure how often the tournament declares a winner, the right one, and credits gamma.

    Parameters
    ----------
    markets : SimulatedMarkets
        By default of ten years.
    processes : int
        1 works in this process.
    workers : Workers, optional
        Of a Dask cluster, in place of processes.
    progress : callable, optional
        Called after each market.

    Returns
    -------
    SimulationCheck
        One test per question of `QUESTIONS`; "rejected" is the share of markets with the answer
        yes.
    """
    tests: dict[str, tuple[TournamentTest, Direction]] = {
        question: (TournamentTest(question), "+") for question in QUESTIONS
    }
    length = markets.sessions or 10 * EXCHANGE_SESSIONS
    return simulate_check(
        tests,
        replace(markets, sessions=length),
        processes=processes,
        workers=workers,
        progress=progress,
    )
