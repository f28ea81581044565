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
from ..run.load_market import load_market
from ..run.panel import market_panel
from ..run.strategy_results import Metrics
from ..run.trading_terms import terms_of
from ..statistics.resampling import Resampling
from .columns import Ground, ground_of, measured, planned
from .space import Space, Trial, space_of
from .store import ground_id, program_id

if TYPE_CHECKING:
    from ...strategies import Strategy
    from ..run.config import Config
    from ..run.execution_section import ExecutionConfig
    from ..run.market import Market

__all__ = ["Found", "Piece", "computed", "computed_elsewhere", "data_id", "resampling_of"]

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
    """

    config: bytes
    variant: int
    fill: str
    data: str
    trials: tuple[str, ...]


def resampling_of(config: Config) -> Resampling:
    """Return how intervals of a configuration are drawn."""
    inference = config.inference
    return Resampling(inference.seed, inference.bootstrap, inference.block, inference.level)


def data_id(ground: Ground, how: Resampling) -> str:
    """Return the id of the data, the resampling and the code behind trials."""
    return f"{ground_id(ground, how)}:{program_id()}"


def computed_elsewhere(piece: Piece) -> Found:
    """Compute a piece in a process that holds nothing but what it reads itself.

    Raises
    ------
    InputFileError
        If what is read there is not what the piece was made for.
    """
    space, how = _space(piece.config)
    market, ground = _ground(piece.config, piece.variant, piece.fill)
    if data_id(ground, how) != piece.data:  # perhaps read for an earlier run of this worker
        _market.cache_clear()
        _ground.cache_clear()
        market, ground = _ground(piece.config, piece.variant, piece.fill)
    if data_id(ground, how) != piece.data:
        name = space.variants[piece.variant].config.data.underlying
        raise InputFileError(
            f"{name}: a worker reads other data than the process that asked it: an input changed "
            "in between, or lies elsewhere under the same name; run it again"
        )
    every = {trial.trial_id: trial for trial in space.trials_of(space.variants[piece.variant])}
    return computed([every[name] for name in piece.trials], market, ground, how)


@lru_cache(maxsize=1)
def _space(config: bytes) -> tuple[Space, Resampling]:
    settings: Config = pickle.loads(config)
    return space_of(settings), resampling_of(settings)


@lru_cache(maxsize=1)
def _market(config: bytes, variant: int) -> Market:
    return load_market(_space(config)[0].variants[variant].config)


@lru_cache(maxsize=1)
def _ground(config: bytes, variant: int, fill: str) -> tuple[Market, Ground]:
    market = _market(config, variant)
    return market, ground_of(market, market_panel(market), fill)


def computed(trials: Sequence[Trial], market: Market, ground: Ground, how: Resampling) -> Found:
    """Return what is found of trials of one market, fill and capital, and their returns.

    Parameters
    ----------
    trials : sequence of Trial
        Every strategy with the same executions.
    market : Market
    ground : Ground
    how : Resampling

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
    orders = planned(strategies, ground)
    costs = [
        (
            Costs(e.fees_bps, e.slippage_bps, e.fixed_per_share),
            terms_of(e, trials[0].variant.config.data, market),
        )
        for e in executions
    ]
    found = measured(orders, ground, costs, trials[0].execution.cash, how)
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
