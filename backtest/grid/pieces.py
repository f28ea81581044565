"""Trials in pieces, each computed on its own: in this process, or by workers who read themselves.

A piece names its trials; a worker makes these from the configuration, reads the market once for all
pieces of it, and refuses either where it is not the one that the piece was made for.
"""

from __future__ import annotations

import hashlib
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
from .store import code_of, ground_id, program_id
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
    "trials_id",
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
    numbers : tuple of int
        Places of the trials among those of the market.
    trials : str
        What they say and the users' own code behind them, see `trials_id`.
    within : bool
        Whether they decide within the session.
    """

    config: bytes
    variant: int
    fill: str
    data: str
    numbers: tuple[int, ...]
    trials: str
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


def trials_id(trials: Sequence[Trial]) -> str:
    """Return a digest of what trials say and of the users' own modules behind them."""
    digest = hashlib.sha256("".join(trial.trial_id for trial in trials).encode())
    for strategy in dict.fromkeys(trial.strategy for trial in trials):
        digest.update(f":{code_of(strategy)}".encode())
    return digest.hexdigest()


def computed_elsewhere(piece: Piece) -> Found:
    """Compute a piece in a process that holds nothing but what it reads itself.

    Raises
    ------
    InputFileError
        If what is read there is not what the piece was made for.
    """
    found = _read(piece)
    if found.differs(piece):  # perhaps read for an earlier run of this worker
        _forget()
        found = _read(piece)
    differs = found.differs(piece)
    if differs:
        name = found.trials[0].variant.config.data.underlying
        raise InputFileError(
            f"{name}: a worker reads other {differs} than the process that asked it: an input or "
            "a component changed in between, or lies elsewhere under the same name; run it again"
        )
    return computed(found.trials, found.market, found.ground, found.how, found.bars)


def _forget() -> None:
    for cached in (_space, _market, _ground, _bars, _data):
        cached.cache_clear()


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What a worker makes of a piece."""

    trials: list[Trial]
    market: Market
    ground: Ground
    bars: BarGround | None
    how: Resampling
    data: str

    def differs(self, piece: Piece) -> str:
        """Return what is not the piece's, empty where all is."""
        if self.data != piece.data:
            return "data"
        return "" if trials_id(self.trials) == piece.trials else "trials"


def _read(piece: Piece) -> _Read:
    space, how = _space(piece.config)
    market, ground = _ground(piece.config, piece.variant, piece.fill)
    bars = _bars(piece.config, piece.variant) if piece.within else None
    data = _data(piece.config, piece.variant, piece.fill, piece.within)
    trials = space.trials_of(space.variants[piece.variant], piece.numbers)
    return _Read(trials, market, ground, bars, how, data)


@lru_cache(maxsize=2)  # once a session and within it
def _data(config: bytes, variant: int, fill: str, within: bool) -> str:
    bars = _bars(config, variant) if within else None
    return data_id(_ground(config, variant, fill)[1], _space(config)[1], bars)


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
