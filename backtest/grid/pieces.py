"""Trials in pieces, each computed on its own: in this process, or by workers who read themselves.

A piece names its trials; a worker makes them from the configuration, reads the market once for all
pieces of it, and refuses it where it is not the one that the piece was made for.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...data import InputFileError
from ..execution.costs import Costs
from ..run.bar_panel import bar_ground, reads_rechecked
from ..run.load_market import load_market
from ..run.panel import market_panel
from ..run.strategy_results import Metrics
from ..run.trading_terms import terms_of
from ..statistics.resampling import Resampling
from .columns import Ground, ground_of, measured, planned
from .space import Space, Trial, space_of
from .store import ground_id, program_id
from .within import bars_id, measured_within, planned_within

if TYPE_CHECKING:
    from ...strategies import Panel, Strategy
    from ..run.bar_panel import BarGround
    from ..run.config import Config
    from ..run.execution_section import ExecutionConfig
    from ..run.market import Market

__all__ = [
    "Found",
    "Piece",
    "bars_of",
    "computed",
    "computed_elsewhere",
    "data_id",
    "resampling_of",
]

_FIGURES: Final = tuple(f.name for f in fields(Metrics))
#: Rows and returns of trials by their ids.
Found = tuple[dict[str, dict[str, Any]], dict[str, npt.NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Trials of one market and fill, for a worker.

    Attributes
    ----------
    config : bytes
        The configuration with its grid, pickled.
    variant : int
        Which of its markets.
    fill : str
    data : str
        What the trials are to be computed from, see `data_id`.
    trials : tuple of str
        Their ids.
    within : bool
        Whether they decide within the session.
    """

    config: bytes
    variant: int
    fill: str
    data: str
    trials: tuple[str, ...]
    within: bool = False


def resampling_of(config: Config) -> Resampling:
    """Return how intervals of a configuration are drawn."""
    inference = config.inference
    return Resampling(inference.seed, inference.bootstrap, inference.block, inference.level)


def data_id(ground: Ground, how: Resampling, bars: BarGround | None = None) -> str:
    """Return the id of the data, the resampling and the code behind trials.

    Parameters
    ----------
    ground : Ground
    how : Resampling
    bars : BarGround, optional
        Intraday bars, where the trials decide within the session.
    """
    read = ground_id(ground, how) if bars is None else f"{ground_id(ground, how)}:{bars_id(bars)}"
    return f"{read}:{program_id()}"


def bars_of(space: Space, market: Market, panel: Panel | None = None) -> BarGround | None:
    """Return the intraday bars that trials of a grid decide at; None where none does."""
    if not space.within:
        return None
    return bar_ground(market, recheck=reads_rechecked(space.within), panel=panel)


def computed_elsewhere(piece: Piece) -> Found:
    """Compute a piece in a process that holds nothing but what it reads itself.

    Raises
    ------
    InputFileError
        If what is read there is not what the piece was made for.
    """
    space, how = _space(piece.config)
    market, ground, bars = _read(piece)
    if data_id(ground, how, bars) != piece.data:  # perhaps read for an earlier run of this worker
        for cached in (_market, _ground, _bars):
            cached.cache_clear()
        market, ground, bars = _read(piece)
    if data_id(ground, how, bars) != piece.data:
        name = space.variants[piece.variant].config.data.underlying
        raise InputFileError(
            f"{name}: a worker reads other data than the process that asked it: an input changed "
            "in between, or lies elsewhere under the same name; run it again"
        )
    every = {trial.trial_id: trial for trial in space.trials_of(space.variants[piece.variant])}
    return computed([every[name] for name in piece.trials], market, ground, how, bars)


def _read(piece: Piece) -> tuple[Market, Ground, BarGround | None]:
    market, ground = _ground(piece.config, piece.variant, piece.fill)
    return market, ground, _bars(piece.config, piece.variant) if piece.within else None


@lru_cache(maxsize=1)
def _space(config: bytes) -> tuple[Space, Resampling]:
    settings: Config = pickle.loads(config)
    return space_of(settings), resampling_of(settings)


@lru_cache(maxsize=1)
def _market(config: bytes, variant: int) -> Market:
    space = _space(config)[0]
    return load_market(space.variants[variant].config, within=bool(space.within))


@lru_cache(maxsize=1)
def _bars(config: bytes, variant: int) -> BarGround | None:
    return bars_of(_space(config)[0], _market(config, variant))


@lru_cache(maxsize=1)
def _ground(config: bytes, variant: int, fill: str) -> tuple[Market, Ground]:
    market = _market(config, variant)
    return market, ground_of(market, market_panel(market), fill)


def computed(
    trials: Sequence[Trial],
    market: Market,
    ground: Ground,
    how: Resampling,
    bars: BarGround | None = None,
) -> Found:
    """Return what is found of trials of one market, fill and capital, and their returns.

    Parameters
    ----------
    trials : sequence of Trial
        Every strategy with the same executions, all of them deciding once a session or all within
        it.
    market : Market
    ground : Ground
    how : Resampling
    bars : BarGround, optional
        What they decide at within the session.

    Returns
    -------
    tuple of dict and dict
        Rows, and net returns, by the trials' ids.

    Raises
    ------
    LookAheadError
        If an order would use what was not yet known.
    """
    strategies: list[Strategy] = list(dict.fromkeys(trial.strategy for trial in trials))
    executions: list[ExecutionConfig] = list(
        {trial.execution.model_dump_json(): trial.execution for trial in trials}.values()
    )
    costs = [
        (
            Costs(e.fees_bps, e.slippage_bps, e.fixed_per_share),
            terms_of(e, trials[0].variant.config.data, market),
        )
        for e in executions
    ]
    cash = trials[0].execution.cash
    if bars is None:
        orders = planned(strategies, ground)
        found = measured(orders, ground, costs, cash, how)
    else:
        orders = planned_within(strategies, bars)
        found = measured_within(orders, bars, market, costs, cash, how)
    names = {(t.strategy, t.execution.model_dump_json()): t.trial_id for t in trials}
    rows, returns = {}, {}
    for (figures, net), execution in zip(found, executions, strict=True):
        for s, strategy in enumerate(strategies):
            name = names[strategy, execution.model_dump_json()]
            rows[name] = {
                **{name: getattr(figures[s], name) for name in _FIGURES},
                "late": int(orders.late[s]),
                "undefined": int(orders.undefined[s]),
            }
            returns[name] = net[s]
    return rows, returns
