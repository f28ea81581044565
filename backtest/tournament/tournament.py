"""Regime filters against each other, against luck and against regimes that know nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...data import NotEnoughDataError, Progress, assumed_volume, published, silent
from ...strategies import is_control
from ..execution.costs import Costs
from ..grid.columns import ground_of
from ..grid.documents import parameters_of
from ..grid.grid import require_honest
from ..grid.space import Space, Trial, Variant, plain_space, space_of
from ..grid.store import ground_id, program_id
from ..run.backtest import strategies_of
from ..run.config import Config
from ..run.lake_of import as_of_version
from ..run.load_config import load_config
from ..run.load_market import load_market
from ..run.locked import box_of
from ..run.panel import market_panel
from ..run.results import Notice
from ..run.trading_terms import terms_of
from ..run.trials import Chosen, data_id_of, world_of
from ..statistics.resampling import Resampling
from .arena import Arena, Entry, Played, Role, opponents
from .contest import Counted, FoldPlan, Procedure, contest, folds_of
from .counting import count_trials, counted_returns
from .documents import write_tournament
from .keeping import Kept, clear_kept
from .ledger import Trial as Recorded
from .ledger import record_trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from ...strategies import Panel
    from ..execution.terms import Terms
    from ..grid.columns import Ground
    from ..run.execution_section import ExecutionConfig
    from ..run.market import Market
    from .result import TournamentResult

__all__ = ["arenas_on", "recorded", "run_tournament", "space_in", "tournament"]

#: Sessions without which nothing can be judged.
_FEWEST: Final = 30


def tournament(
    config: Config | str | Path,
    *,
    out: str | Path | None = None,
    as_of: int | str | datetime | None = None,
    progress: Progress | None = None,
) -> TournamentResult:
    """Hold every combination of ``[grid]`` against luck, its own rules, hold and placebos.

    Parameters
    ----------
    config : Config, str or Path
        With a section ``[grid]``; without one the strategies of the configuration compete.
    out : str or Path, optional
        Folder that receives ``tournament.json`` and ``trials.parquet``; a run that was cut short
        goes on there. None writes nothing.
    as_of : int, str or datetime, optional
        A version of the lake, or a moment at which it was in force; the newest where left out.
    progress : Progress, optional
        Called with the work done.

    Returns
    -------
    TournamentResult

    Raises
    ------
    ConfigError, UnknownNameError
        If the configuration is not valid.
    InputFileError, LakeError, DefinitionError, NotEnoughDataError
        If an input is absent, cannot be read or is too short.
    LedgerError
        If the trials cannot be recorded: nothing is shown that is not counted.
    LookAheadError
        If an order would have used what was not yet known.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    settings = as_of_version(settings, as_of)
    if out is None:
        return run_tournament(settings, None, progress=progress)
    with published(out) as stage:
        result = run_tournament(settings, Path(out), progress=progress)
        write_tournament(result, stage)
    clear_kept(Path(out))
    return replace(result, out=Path(out))


def run_tournament(
    config: Config, folder: Path | None, *, progress: Progress | None = None
) -> TournamentResult:
    """Run a tournament, keeping simulated trials in a folder; writes nothing else.

    Parameters
    ----------
    config : Config
    folder : Path or None
        None keeps nothing.
    progress : Progress, optional
        Called after each batch of trials.

    Returns
    -------
    TournamentResult

    Raises
    ------
    NotEnoughDataError
        If the sample is too short for the folds.
    """
    started = time.perf_counter()
    report = progress or silent
    space = space_in(config)
    kept = Kept(folder)
    arenas: list[Arena] = []
    simulated = False
    notices: list[Notice] = []
    for variant in space.variants:
        report(0, 2 * space.size, "reading data")
        market = load_market(variant.config)
        simulated |= market.simulated
        notices += [n for n in market.notices if n.code == "lockbox" and n not in notices]
        if variant is space.variants[0] and config.grid:
            require_honest(config, market)
        arenas += arenas_on(space, variant, market, config)
    arenas = _distinct(arenas)
    procedure = _procedure(config, arenas)
    kept.data = _digest(arenas, procedure)
    result = contest(
        arenas,
        procedure,
        count=None if config.ledger_path is None else _recorder(config),
        report=report,
        store=kept,
    )
    return replace(
        result,
        simulated=simulated,
        notices=(*notices, *_notices(config, result)),
        lockbox=_lockbox(config),
        computed=kept.computed,
        reused=kept.reused,
        seconds=time.perf_counter() - started,
    )


def space_in(config: Config) -> Space:
    """Return what competes: the grid, or the strategies of a configuration without one."""
    if config.grid:
        return space_of(config)
    chosen = tuple(s for s in strategies_of(config) if not is_control(s))
    return plain_space(config, chosen or strategies_of(config)[:1])


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
                folds=folds_of(ground, strategies, _plan(config), missing=_missing(panel, ground)),
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


def _distinct(arenas: Sequence[Arena]) -> list[Arena]:
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


def _plan(config: Config) -> FoldPlan:
    folds = config.tournament.folds
    return FoldPlan(folds.kind, folds.train, folds.test, folds.groups, folds.tested, folds.embargo)


def _procedure(config: Config, arenas: Sequence[Arena]) -> Procedure:
    inference, section = config.inference, config.tournament
    values: dict[str, float] = {}
    for arena in arenas:
        found = config.data.traded_value or assumed_volume(arena.underlying)
        if found is not None:
            values[arena.underlying] = float(found)
    return Procedure(
        placebos=section.placebos,
        seed=inference.seed,
        draws=inference.bootstrap,
        block=float(inference.block),
        level=inference.level,
        eras=section.eras,
        traded_value=values,
        plan=_plan(config),
    )


def _digest(arenas: Sequence[Arena], procedure: Procedure) -> str:
    p = procedure
    how = Resampling(p.seed, p.draws, p.block, p.level)
    digest = hashlib.sha256(program_id().encode())
    for arena in arenas:
        digest.update(ground_id(arena.ground, how).encode())
        digest.update(arena.outside.tobytes())
    return digest.hexdigest()


def _recorder(config: Config) -> Any:
    path = config.ledger_path
    assert path is not None
    stated = config.ledger.stand_ins

    def count(arenas: Sequence[Arena], results: Sequence[Played]) -> Counted:
        record_trials(path, list(recorded(arenas, results)), stated)
        own = {e.trial_id.partition("@")[0] for arena in arenas for e in arena.entries}
        trials, effective, others = 0, 0, []
        for underlying, world, first, last in _spans(arenas, stated):
            found = count_trials(path, underlying, first, last, world=world, stand_ins=stated)
            trials += found.trials
            effective += found.effective
            others += [
                (days, values)
                for trial_id, days, values in counted_returns(
                    path, underlying, first, last, world=world, stand_ins=stated
                )
                if trial_id not in own
            ]
        return Counted(trials, effective, in_ledger=True, others=others)

    return count


def _spans(
    arenas: Sequence[Arena], stated: Iterable[Iterable[str]]
) -> list[tuple[str, str, Any, Any]]:
    """Return each market once, stand-ins included, with the span of its arenas."""
    from .stand_ins import same_market

    spans: dict[tuple[Any, str], list[Any]] = {}
    for arena in arenas:
        key = same_market(arena.underlying, stated), arena.world
        first, last = arena.days[0].item(), arena.days[-1].item()
        if key in spans:
            spans[key][1:] = [min(spans[key][1], first), max(spans[key][2], last)]
        else:
            spans[key] = [arena.underlying, first, last]
    return [(u, world, first, last) for (_, world), (u, first, last) in spans.items()]


def recorded(arenas: Sequence[Arena], results: Sequence[Played]) -> Iterator[Recorded]:
    """Yield every trial of some arenas as the ledger keeps it."""
    for arena, result in zip(arenas, results, strict=True):
        for j, entry in enumerate(arena.entries):
            yield Recorded(
                trial_id=entry.trial_id.partition("@")[0],
                name=entry.strategy.describe(),
                source="tournament",
                underlying=arena.underlying,
                data_id=arena.data_id,
                sessions=arena.days,
                returns=np.concatenate([[np.nan], result.returns[:, j]]),
                metrics={},
                settings=entry.settings,
                world=arena.world,
            )


def _lockbox(config: Config) -> dict[str, Any] | None:
    box = None if config.ledger_path is None else box_of(config)
    return None if box is None else {"start": str(box.first), "opened_at": box.opened_at}


def _notices(config: Config, result: TournamentResult) -> tuple[Notice, ...]:
    found = []
    if config.ledger_path is None:
        found.append(
            Notice(
                "trials_not_recorded",
                "warning",
                "there is no ledger: only the trials of this tournament count, whatever was tried "
                "before; name its folder under [ledger] path",
                result.trials,
            )
        )
    if result.placebos < 200:
        found.append(
            Notice(
                "few_placebos",
                "warning",
                f"{result.placebos} placebos leave little for a correction over entries: at least "
                "200 are wanted",
                result.placebos,
            )
        )
    return tuple(found)
