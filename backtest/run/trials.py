"""What a run adds to the ledger of trials, and which numbers its strategies have there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...data import LedgerError
from ...strategies import Filter
from ..tournament.ledger import Trial, record_trials
from .bar_panel import RECHECKED
from .notices import sorted_notices
from .regime_source import written_path
from .results import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ...strategies import Component, Strategy
    from .config import Config
    from .market import Market
    from .results import BacktestResult

__all__ = ["Chosen", "data_id_of", "in_ledger", "trial_settings", "trials_of", "world_of"]

#: Values at a series' beginning that say which series it is, however far it goes on.
_HEAD: Final = 20


def in_ledger(
    result: BacktestResult, config: Config, market: Market, strategies: tuple[Strategy, ...]
) -> BacktestResult:
    """Record the trials of a run and return its result with their numbers.

    A ledger that cannot be written is a notice: the run's numbers are as good without it.
    """
    path = config.ledger_path
    if path is None:
        return result
    trials = trials_of(result, config, market, strategies)
    try:
        numbers = record_trials(path, trials, config.ledger.stand_ins)
    except LedgerError as error:
        notice = Notice(
            "trials_not_recorded",
            "warning",
            f"the trials of this run are in no ledger, so that later counts lack them: {error}",
            len(trials),
        )
        return replace(result, notices=sorted_notices((*result.notices, notice)))
    given = {trial.name: number for trial, number in zip(trials, numbers, strict=True)}
    return replace(result, provenance=replace(result.provenance, trial_numbers=given))


def trials_of(
    result: BacktestResult,
    config: Config,
    market: Market,
    strategies: tuple[Strategy, ...],
    source: str = "backtest",
) -> tuple[Trial, ...]:
    """Return the trials that a run made: one for each strategy that was simulated.

    Parameters
    ----------
    result : BacktestResult
    config : Config
    market : Market
    strategies : tuple of Strategy
        At least those of the result.
    source : str
        What ran them.
    """
    by_name = {strategy.name: strategy for strategy in strategies}
    data_id, world = data_id_of(market), world_of(config, market)
    found = []
    for name, one in result.strategies.items():
        trial_id, settings = trial_settings(config, market, by_name[name])
        found.append(
            Trial(
                trial_id=trial_id,
                name=name,
                source=source,
                underlying=config.data.underlying,
                data_id=data_id,
                sessions=one.equity.index.to_numpy().astype("datetime64[D]"),
                returns=np.asarray(one.returns.reindex(one.equity.index), dtype=np.float64),
                metrics=asdict(one.metrics),
                settings=settings,
                world=world,
            )
        )
    return tuple(found)


def world_of(config: Config, market: Market) -> str:
    """Return what tells a simulated market from the others; nothing for a real one."""
    if not market.simulated:
        return ""
    bars = written_path(config.data.bars, config)
    return next((f.sha256 for f in market.inputs if f.path == bars), "?")


def trial_settings(
    config: Config, market: Market, strategy: Strategy
) -> tuple[str, dict[str, Any]]:
    """Return a trial's id and what it is a digest of.

    Everything that was chosen counts: neither dates nor data do, nor what only names it.
    """
    return Chosen(config, market).of(strategy)


class Chosen:
    """What trials of one configuration on one market are digests of.

    Parameters
    ----------
    config : Config
    market : Market
    """

    def __init__(self, config: Config, market: Market) -> None:
        self._config, self._market = config, market
        self._heads: dict[str, str] = {}
        self._execution = self._of_execution()

    def of(self, strategy: Strategy) -> tuple[str, dict[str, Any]]:
        """Return a strategy's trial id and what it is a digest of."""
        settings: dict[str, Any] = {"strategy": strategy.strategy_id, **self._execution}
        read = set(_columns(strategy.filter))
        for rule in (strategy.long, strategy.short, strategy.neutral, strategy.sizing):
            read |= set(_columns(rule))
        if any(column == "regime" or "regime." in column for column in read):
            settings["regime"] = self._regime()
        elif not read.isdisjoint(f"bar.{name}" for name in RECHECKED):
            # repriced within the session is what lies in front of it: the book says nothing more
            settings["regime"] = {k: v for k, v in self._regime().items() if k != "book"}
        named = (
            name for name in self._config.series if any(f"series.{name}" in part for part in read)
        )
        settings |= {f"series.{name}": self._series(name) for name in sorted(named)}
        return _digest(settings)[:16], settings

    def _of_execution(self) -> dict[str, Any]:
        config, execution = self._config, self._config.execution
        settings: dict[str, Any] = {
            "underlying": config.data.underlying.upper(),
            "fill": config.fill,
            "fees_bps": execution.fees_bps,
            "slippage_bps": execution.slippage_bps,
            "fixed_per_share": execution.fixed_per_share,
        }
        known = {"cash", "strategy", *settings}
        settings |= execution.model_dump(exclude={*known, *execution.unsaid})
        return settings | {
            f"series.{name}": self._series(name) for name in execution.named.values()
        }

    def _series(self, name: str) -> str:
        if name not in self._heads:
            self._heads[name] = _head(self._market.series[name]["value"])
        return self._heads[name]

    def _regime(self) -> dict[str, Any]:
        regime = self._market.regime
        if regime.kind == "series":
            if "" not in self._heads:
                self._heads[""] = _head(regime.table["value"])
            return {"series": self._heads[""]}
        return {
            "dealer_model": self._config.regime.dealer_model,
            "book": self._config.regime.book,
            "band": self._config.regime.band,
            "definition_id": regime.definition_id,
            "promote": sorted(self._config.regime.promote),
        }


def _columns(component: Component) -> Iterator[str]:
    """Yield the columns that a component reads, those of its parts included."""
    for past in component.inputs().values():
        if isinstance(past.of, Filter):
            yield from _columns(past.of)
        else:
            yield past.of


def _head(values: pd.Series[float]) -> str:
    """Return a digest of the first values: a file that grew by a day is the same series."""
    first = values.dropna().iloc[:_HEAD]
    return _digest([f"{day:%Y-%m-%d}={value:.6g}" for day, value in first.items()])[:16]


def data_id_of(market: Market) -> str:
    """Return the content id of all inputs, wherever they lie."""
    return _digest(sorted(file.sha256 for file in market.inputs))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
