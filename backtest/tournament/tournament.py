"""Regime filters against each other, against luck and against regimes that know nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import HERE, Crew, Progress, Workers, assumed_volume, published, silent
from ..grid.grid import require_honest
from ..grid.pieces import resampling_of
from ..run.config import Config
from ..run.lake_of import as_of_version
from ..run.load_config import load_config
from ..run.load_market import load_market
from ..run.locked import box_of
from ..run.results import Notice
from .arena import Arena, Played
from .arenas import arenas_on, distinct, fold_plan, space_in
from .contest import Counted, Procedure, contest
from .counting import count_trials, counted_returns
from .documents import write_tournament
from .keeping import Kept, clear_kept
from .ledger import Trial as Recorded
from .ledger import record_trials
from .pieces import Origin, Spread, arena_id
from .work import Here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from .result import TournamentResult
    from .work import Work

__all__ = ["recorded", "run_tournament", "tournament"]


def tournament(
    config: Config | str | Path,
    *,
    out: str | Path | None = None,
    as_of: int | str | datetime | None = None,
    workers: Workers = HERE,
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
    workers : Workers, optional
        Processes that simulate trials and draw placebos, here or on other machines that see the
        same files; the results are the same.
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
    WorkersError
        If workers are lost more often than can be made up for.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    settings = as_of_version(settings, as_of)
    if out is None:
        return run_tournament(settings, None, workers=workers, progress=progress)
    with published(out) as stage:
        result = run_tournament(settings, Path(out), workers=workers, progress=progress)
        write_tournament(result, stage)
    clear_kept(Path(out))
    return replace(result, out=Path(out))


def run_tournament(
    config: Config,
    folder: Path | None,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> TournamentResult:
    """Run a tournament, keeping simulated trials in a folder; writes nothing else.

    Parameters
    ----------
    config : Config
    folder : Path or None
        None keeps nothing.
    workers : Workers, optional
        As `tournament`.
    progress : Progress, optional
        Called after each batch of trials.

    Returns
    -------
    TournamentResult

    Raises
    ------
    NotEnoughDataError
        If the sample is too short for the folds.
    WorkersError
        As `tournament`.
    """
    started = time.perf_counter()
    report = progress or silent
    space = space_in(config)
    kept = Kept(folder)
    arenas: list[Arena] = []
    origins: list[tuple[int, int]] = []
    simulated = False
    notices: list[Notice] = []
    for number, variant in enumerate(space.variants):
        report(0, 2 * space.size, "reading data")
        market = load_market(variant.config)
        simulated |= market.simulated
        notices += [n for n in market.notices if n.code == "lockbox" and n not in notices]
        if variant is space.variants[0]:
            require_honest(config, market, None if config.grid else space.strategies)
        made = arenas_on(space, variant, market, config)
        origins += [(number, place) for place in range(len(made))]
        arenas += made
    arenas = distinct(arenas)
    procedure = _procedure(config, arenas)
    ids = [arena_id(arena, resampling_of(config)) for arena in arenas]
    kept.data = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    with Crew(workers) as crew:
        result = contest(
            arenas,
            procedure,
            count=None if config.ledger_path is None else _recorder(config),
            report=report,
            store=kept,
            work=_work(crew, config, arenas, ids, origins, report),
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
        plan=fold_plan(config),
    )


def _work(
    crew: Crew,
    config: Config,
    arenas: Sequence[Arena],
    ids: Sequence[str],
    places: Sequence[tuple[int, int]],
    report: Progress,
) -> Work:
    """Return who computes: this process, or workers who make each arena from its place."""
    if crew.workers.here:
        return Here(arenas)
    origins = [Origin(*place, data) for place, data in zip(places, ids, strict=True)]
    total = 2 * sum(len(arena.entries) for arena in arenas)
    return Spread(crew, config, origins, lambda what: report(0, total, what))


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
