"""Ten thousand trials at the engine's own speed, and what the best of so many shows by luck."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ...data import HERE, Crew, LookAheadError, Progress, Workers, silent
from ..leaks.leakcheck import component_leaks
from ..run.config import Config
from ..run.lake_of import as_of_version
from ..run.load_market import load_market
from ..run.panel import market_panel
from ..statistics.sharpe_tests import expected_best
from .columns import Ground, ground_of
from .documents import parameters_of_each, trials_table, write_grid
from .pieces import (
    Found,
    Piece,
    bars_of,
    computed,
    computed_elsewhere,
    data_id,
    resampling_of,
    trials_id,
)
from .records import Records
from .result import Best, GridResult
from .section import covering
from .space import Space, Trial, Variant, space_of
from .store import FOUND, Store, code_of

if TYPE_CHECKING:
    from datetime import datetime

    from ...strategies import Strategy
    from ..run.bar_panel import BarGround
    from ..run.market import Market
    from ..run.universe import UniverseConfig

__all__ = ["CHUNK", "grid", "grid_as_of", "require_honest", "run_grid"]

#: Columns of one call of the engine: enough to be fast, few enough for bounded memory.
CHUNK: Final = 250
#: The same of trials with a row for each intraday bar.
_CHUNK_WITHIN: Final = 25
#: Sessions after which the data are cut off to see whether users' own components look ahead.
_CUTS: Final = 5


def grid(
    config: Config | UniverseConfig | str | Path,
    *,
    out: str | Path | None = None,
    workers: Workers = HERE,
    as_of: int | str | datetime | None = None,
    progress: Progress | None = None,
) -> GridResult:
    """Evaluate every combination of the section ``[grid]``.

    Parameters
    ----------
    config : Config, UniverseConfig, str or Path
        With ``[grid.long_short]`` the trials are long-short portfolios of a universe's names.
    out : str or Path, optional
        Folder that receives ``trials.parquet`` and ``grid.json``; trials that it holds already,
        of the same data and code, are not computed again. None writes nothing.
    workers : Workers, optional
        Processes that compute, here or on other machines that see the same files; the results are
        the same.
    as_of : int, str or datetime, optional
        A version of the lake, or a moment at which it was in force; the newest where left out.
    progress : Progress, optional
        Called with the number of trials done.

    Returns
    -------
    GridResult

    Raises
    ------
    ConfigError, UnknownNameError
        If the configuration is not valid, or has no grid.
    InputFileError, LakeError, DefinitionError, NotEnoughDataError
        If an input is absent, cannot be read or is too short.
    LookAheadError
        If an order would have used what was not yet known.
    WorkersError
        If workers are lost more often than can be made up for.
    """
    from ...data import published
    from ..run.universe import load_grid

    settings = load_grid(config) if isinstance(config, str | Path) else config
    settings = grid_as_of(settings, as_of)
    if out is None:
        return run_grid(settings, Store(None), workers=workers, progress=progress)
    with published(out) as stage:
        store = Store(Path(out))
        result = run_grid(settings, store, workers=workers, progress=progress)
        write_grid(result, stage)
    store.clear()
    return replace(result, out=Path(out))


def grid_as_of(
    config: Config | UniverseConfig, as_of: int | str | datetime | None
) -> Config | UniverseConfig:
    """Return a grid's configuration that reads its lake as it was at a version, or at a moment.

    Parameters
    ----------
    config : Config or UniverseConfig
    as_of : int, str or datetime or None
        As for `as_of_version`; None leaves the configuration as it is.

    Returns
    -------
    Config or UniverseConfig
    """
    if isinstance(config, Config):
        return as_of_version(config, as_of)
    return config.at_version(as_of)


def run_grid(
    config: Config | UniverseConfig,
    store: Store,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> GridResult:
    """Evaluate a grid, keeping computed trials in a store; writes nothing else.

    Parameters
    ----------
    config : Config or UniverseConfig
    store : Store
        Of trials computed before; portfolios of a universe are computed anew.
    workers : Workers, optional
        As `grid`.
    progress : Progress, optional
        Called after each batch of trials.

    Returns
    -------
    GridResult

    Raises
    ------
    ConfigError, InputFileError, LakeError, DefinitionError, WorkersError
        As `grid`.
    """
    if not isinstance(config, Config):
        from .universe_grid import run_universe_grid

        return run_universe_grid(config, workers=workers, progress=progress)
    started = time.perf_counter()
    report = progress or silent
    space = space_of(config)
    rows: list[dict[str, Any]] = []
    with Crew(workers) as crew:
        run = _Run(config, space, store, report, space.size, crew)
        for variant in space.variants:
            rows += run.on(variant)
    table, parameters = trials_table(_distinct(rows))
    n = table["n"].to_numpy(dtype=np.float64)
    year = table.pop("_year").to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore"):
        variance = float(np.mean(year[n > 0] / n[n > 0])) if (n > 0).any() else float("nan")
    report(space.size, space.size, "done")
    return GridResult(
        table=table,
        parameters=parameters,
        trials=len(table),
        computed=run.computed,
        reused=len(table) - run.computed,
        duplicates=space.size - len(table),
        seconds=time.perf_counter() - started,
        best=_best(table),
        best_by_luck=expected_best(len(table), variance),
        simulated=run.simulated,
        underlyings=tuple(dict.fromkeys(v.config.data.underlying for v in space.variants)),
        unrecorded=run.records.unrecorded,
        level=config.inference.level,
    )


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give rows of one trial names of their own: by their dates, then by their number."""
    spans: dict[str, set[str]] = {}
    for row in rows:
        spans.setdefault(row["trial_id"], set()).add(row["_span"])
    seen: Counter[str] = Counter()
    out = []
    for row in rows:
        name, span = row["trial_id"], row["_span"]
        name += f"@{span}" if len(spans[name]) > 1 else ""
        seen[name] += 1
        number = f"#{seen[name]}" if seen[name] > 1 else ""
        rest = {k: v for k, v in row.items() if k != "_span"}
        out.append(rest | {"trial_id": name + number})
    return out


def _best(table: pd.DataFrame) -> Best:
    sharpe = table["sharpe"].to_numpy(dtype=np.float64)
    if not np.isfinite(sharpe).any():
        return Best(None, float("nan"))
    row = int(np.nanargmax(sharpe))
    return Best(str(table["trial_id"].iloc[row]), float(sharpe[row]))


@dataclass(slots=True, eq=False)
class _Run:
    """A grid on its way: what was computed and how far it has come."""

    config: Config
    space: Space
    store: Store
    report: Progress
    total: int
    crew: Crew
    done: int = 0
    computed: int = 0
    simulated: bool = False
    records: Records = field(init=False)

    def __post_init__(self) -> None:
        self.records = Records(self.config)

    def on(self, variant: Variant) -> list[dict[str, Any]]:
        """Return the rows of all trials on one market."""
        space = self.space
        self.report(self.done, self.total, "reading data")
        market = load_market(variant.config, within=bool(space.within))
        self.simulated |= market.simulated
        if variant is space.variants[0]:
            require_honest(self.config, market)
        trials = {trial.trial_id: trial for trial in space.trials_of(variant)}
        keys = self._keys(market, list(trials.values()))
        known = sum(self.store.get(key) is not None for key in keys.values())
        self.done += known + space.size // len(space.variants) - len(trials)
        year = market.facts.sessions_per_year
        span = f"{market.sessions[0]:%Y-%m-%d}..{market.sessions[-1]:%Y-%m-%d}"
        parameters = dict(zip(trials, parameters_of_each(list(trials.values())), strict=True))
        return [
            {
                "trial_id": self.records.named(market, trial)[0],
                "_span": span,
                **parameters[name],
                **{k: v for k, v in (self.store.get(keys[name]) or {}).items() if k in FOUND},
                "computed_from": keys[name],
                "_year": year,
            }
            for name, trial in trials.items()
        ]

    def _keys(self, market: Market, trials: Sequence[Trial]) -> dict[str, str]:
        """Compute what is not known; return what each trial was computed from."""
        how = resampling_of(self.config)
        panel = market_panel(market)
        keys: dict[str, str] = {}
        own = {trial.strategy: code_of(trial.strategy) for trial in trials}
        bars = bars_of(self.space, market, panel)
        for fill in dict.fromkeys(trial.execution.fill for trial in trials):
            assert fill is not None
            ground = ground_of(market, panel, fill)
            mine = [trial for trial in trials if trial.execution.fill == fill]
            within = any(t.strategy.intraday for t in mine)
            data = {False: data_id(ground, how)}
            if within:
                data[True] = data_id(ground, how, bars)
            keys |= {
                t.trial_id: _key(t.trial_id, data[t.strategy.intraday], own[t.strategy])
                for t in mine
            }
            counted = self.records.known(market, mine)
            missing = [
                t for t in mine if not counted(t) or self.store.get(keys[t.trial_id]) is None
            ]
            parts = list(_parts(missing))
            self.report(self.done, self.total, "trials")
            field = _Field(market, ground, bars, data)
            for part, found in zip(parts, self._found(field, parts), strict=True):
                rows, returns = found
                # counted before anybody can see it
                self.records.add(market, part, rows, returns, field.sessions_of(part))
                self.store.keep({keys[name]: row for name, row in rows.items()})
                self.done += len(part)
                self.computed += len(part)
                self.report(self.done, self.total, "trials")
        return keys

    def _found(self, field: _Field, parts: Sequence[Sequence[Trial]]) -> Iterator[Found]:
        """Yield what is found of each part, computed by whoever works."""
        if self.crew.workers.here:
            how = resampling_of(self.config)
            return self.crew.spread(
                lambda part: computed(part, field.market, field.ground, how, field.bars_of(part)),
                parts,
            )
        variant = self.space.variants.index(parts[0][0].variant) if parts else 0
        config = pickle.dumps(self.config)
        pieces = [
            Piece(
                config,
                variant,
                str(part[0].execution.fill),
                field.data[_within(part)],
                tuple(t.number for t in part),
                trials_id(part),
                _within(part),
            )
            for part in parts
        ]
        return self.crew.spread(computed_elsewhere, pieces, progress=self._workers_only)

    def _workers_only(self, done: int, total: int | None, what: str = "") -> None:
        if not done:  # where workers can be watched; trials are counted in `_keys`
            self.report(self.done, self.total, what)


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """What trials of one market and fill are computed on; `data` by whether they act at bars."""

    market: Market
    ground: Ground
    bars: BarGround | None
    data: Mapping[bool, str]

    def bars_of(self, part: Sequence[Trial]) -> BarGround | None:
        return self.bars if _within(part) else None

    def sessions_of(self, part: Sequence[Trial]) -> pd.DatetimeIndex:
        bars = self.bars_of(part)
        return self.ground.schedule.sessions if bars is None else bars.sessions


def require_honest(
    config: Config, market: Market, strategies: Sequence[Strategy] | None = None
) -> None:
    """Refuse users' own components that look ahead; the built-in ones are held to it by tests.

    Parameters
    ----------
    config : Config
    market : Market
    strategies : sequence of Strategy, optional
        Whose components; those of the grid where left out.

    Raises
    ------
    LookAheadError
        Naming the component and the first session.
    """
    chosen = covering(config.grid, config.folder) if strategies is None else strategies
    for leak in component_leaks(config, market, chosen, _CUTS):
        raise LookAheadError(
            f"{leak.input} on {leak.session}: {leak.detail}; gexlab leakcheck says more"
        )


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _parts(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    """Yield trials of at most `CHUNK` strategies with one capital and the same list of costs.

    Those that decide within the session are apart, and fewer at a time: each bar is a row.
    """
    wanted: dict[tuple[bool, float, tuple[str, ...]], dict[Strategy, list[Trial]]] = {}
    by_strategy: dict[tuple[float, Strategy], list[Trial]] = {}
    for trial in trials:
        by_strategy.setdefault((trial.execution.cash, trial.strategy), []).append(trial)
    for (cash, strategy), mine in by_strategy.items():
        costs = tuple(trial.execution.model_dump_json() for trial in mine)
        wanted.setdefault((strategy.intraday, cash, costs), {})[strategy] = mine
    for (within, *_), group in wanted.items():
        strategies = list(group.values())
        size = _CHUNK_WITHIN if within else CHUNK
        for first in range(0, len(strategies), size):
            yield [trial for mine in strategies[first : first + size] for trial in mine]


def _within(part: Sequence[Trial]) -> bool:
    return part[0].strategy.intraday
