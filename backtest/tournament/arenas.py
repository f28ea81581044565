"""From a configuration to arenas: what competes on each market, and what it is held against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ...data import ConfigError, NotEnoughDataError
from ...strategies import is_control
from ..execution.costs import Costs
from ..grid.columns import ground_of
from ..grid.documents import parameters_of
from ..grid.space import Space, Trial, Variant, plain_space, space_of
from ..run.backtest import strategies_of
from ..run.panel import market_panel
from ..run.trading_terms import terms_of
from ..run.trials import Chosen, data_id_of, world_of
from .arena import Arena, Entry, Role, opponents
from .contest import FoldPlan, folds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...strategies import Panel
    from ..execution.terms import Terms
    from ..grid.columns import Ground
    from ..run.config import Config
    from ..run.execution_section import ExecutionConfig
    from ..run.market import Market

__all__ = ["arenas_on", "distinct", "fold_plan", "space_in"]

#: Sessions without which nothing can be judged.
_FEWEST: Final = 30


def space_in(config: Config) -> Space:
    """Return what competes: the grid, or the strategies of a configuration without one.

    Raises
    ------
    ConfigError
        If one of them decides within the session.
    """
    if config.grid:
        space = space_of(config)
    else:
        chosen = tuple(s for s in strategies_of(config) if not is_control(s))
        space = plain_space(config, chosen or strategies_of(config)[:1])
    for strategy in space.within[:1]:
        raise ConfigError(
            f"{strategy.describe()!r} decides within the session, and the placebos of a tournament "
            "decide once a session: leave it out here, or evaluate it by gexlab grid or backtest"
        )
    return space


def arenas_on(space: Space, variant: Variant, market: Market, config: Config) -> list[Arena]:
    """Return the trials on one market, opponents included, by fill."""
    panel = market_panel(market)
    made = space.trials_of(variant)
    strategies = list(dict.fromkeys(trial.strategy for trial in made))
    others = opponents(strategies, tuple(panel.columns))
    found = []
    for fill in dict.fromkeys(trial.execution.fill for trial in made):
        assert fill is not None
        ground = ground_of(market, panel, fill)
        if len(ground.bars) < _FEWEST:
            raise NotEnoughDataError(
                f"{len(ground.bars)} sessions of {variant.config.data.underlying}; a tournament "
                f"needs at least {_FEWEST}: bring more data"
            )
        mine = [trial for trial in made if trial.execution.fill == fill]
        terms = _terms_by_execution(mine, market)
        chosen = {
            name: Chosen(_with_execution(next(t for t in mine if _named(t) == name)), market)
            for name in terms
        }
        entries = {e.trial_id: e for e in (_entry(t, terms, chosen) for t in mine)}
        for execution in terms:
            like = next(t for t in mine if _named(t) == execution)
            for strategy, role in others.items():
                entry = _entry(replace(like, strategy=strategy), terms, chosen, role=role)
                entries.setdefault(entry.trial_id, entry)
        found.append(
            Arena(
                title=_title(space, variant, fill),
                ground=ground,
                entries=tuple(entries.values()),
                folds=folds_of(
                    ground, strategies, fold_plan(config), missing=_missing(panel, ground)
                ),
                underlying=variant.config.data.underlying,
                data_id=data_id_of(market),
                world=world_of(variant.config, market),
            )
        )
    return found


def _terms_by_execution(trials: Sequence[Trial], market: Market) -> dict[str, Terms]:
    """Return the terms of trading of each execution once."""
    found = {_named(trial): trial for trial in trials}
    return {
        name: terms_of(trial.execution, trial.variant.config.data, market)
        for name, trial in found.items()
    }


def _named(trial: Trial) -> str:
    """Return what tells fills, costs and terms of a trial from those of others."""
    return trial.execution.model_dump_json()


def _with_execution(trial: Trial) -> Config:
    return trial.variant.config.model_copy(update={"execution": trial.execution})


def _entry(
    trial: Trial,
    terms: Mapping[str, Terms],
    chosen: Mapping[str, Chosen],
    role: Role = "entry",
) -> Entry:
    execution: ExecutionConfig = trial.execution
    name = _named(trial)
    trial_id, settings = chosen[name].of(trial.strategy)
    return Entry(
        trial_id=trial_id,
        role=role,
        strategy=trial.strategy,
        costs=Costs(execution.fees_bps, execution.slippage_bps, execution.fixed_per_share),
        cash=execution.cash,
        terms=terms[name],
        execution=name,
        parameters=parameters_of(trial),
        settings=settings,
    )


def distinct(arenas: Sequence[Arena]) -> list[Arena]:
    """Give trials that are the same but for their dates names of their own.

    A trial that several markets share (a competitor of two books, say) keeps one name.
    """
    spans: dict[str, set[str]] = {}
    for arena in arenas:
        for entry in arena.entries:
            spans.setdefault(entry.trial_id, set()).add(_span(arena))
    out = []
    for arena in arenas:
        entries = tuple(
            replace(e, trial_id=f"{e.trial_id}@{_span(arena)}") if len(spans[e.trial_id]) > 1 else e
            for e in arena.entries
        )
        out.append(replace(arena, entries=entries))
    return out


def _span(arena: Arena) -> str:
    return f"{arena.days[0]}..{arena.days[-1]}"


def _title(space: Space, variant: Variant, fill: str) -> str:
    parts = [variant.config.data.underlying]
    for name, value in variant.parameters.items():
        values = {str(v.parameters.get(name)) for v in space.variants}
        if name != "underlying" and len(values) > 1:
            parts.append(f"{name} {value}")
    return f"{' '.join(parts)}, {fill.replace('_', ' ')}"


def _missing(panel: Panel, ground: Ground) -> int:
    """Return how many sessions of the panel lack a bar: windows of values reach over them."""
    return max(len(panel.sessions) - len(ground.evaluation.panel.sessions), 0) + int(
        np.isnan(panel.columns["close"].values).sum()
    )


def fold_plan(config: Config) -> FoldPlan:
    """Return how a configuration cuts sessions into folds."""
    folds = config.tournament.folds
    return FoldPlan(folds.kind, folds.train, folds.test, folds.groups, folds.tested, folds.embargo)
