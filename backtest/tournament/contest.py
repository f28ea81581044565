"""The whole procedure on arenas that are already there: simulate, select, correct, say.

`tournament` brings arenas from a configuration, `calibrate tournament` from simulated markets.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import NotEnoughDataError, short_repr, silent
from ..statistics.resampling import NORMAL_LEVEL, Resampling
from .arena import Arena, Played, played, resampling_of
from .beyond import Pair, compared
from .breakdown import Breakdown, breakdown_of
from .clouds import Band, Drawn, band_of, placebos_of
from .counting import effective_trials
from .folds import Fold, Reach, by_outcome, combinatorial, reach_of, walk_forward
from .haircut import Haircut, haircut_sharpe
from .judgement import Field, Judgement, field_of, judged
from .result import EntryResult, TournamentResult
from .rows import entry_results, worth_showing
from .selection import Selection, selected
from .verdicts import whole_sentence
from .work import Here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ...data import Progress
    from ...strategies import Strategy
    from ..grid.columns import Ground
    from .arena import Keeper
    from .work import Work

__all__ = ["Counted", "FoldPlan", "Procedure", "contest", "folds_of"]

Floats = npt.NDArray[np.float64]
_BAND_DRAWS: Final = 200
_BOOTSTRAPPED: Final = 6
_LONG_SAMPLE: Final = 10  # years from which the usual folds fit
_HAIRCUT_CELLS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """How sessions are cut; None: what suits their number.

    Attributes
    ----------
    kind : {"anchored", "rolling", "combinatorial"}
        With combinatorial folds the selection is judged on their paths too; verdicts rest on
        walk-forward ones in any case.
    train, test : str, int or None
    groups, tested : int
        Of combinatorial folds.
    embargo : int
        Sessions beyond what windows and holding time ask for.
    """

    kind: str = "anchored"
    train: str | int | None = None
    test: str | int | None = None
    groups: int = 10
    tested: int = 2
    embargo: int = 0


@dataclass(frozen=True, slots=True)
class Procedure:
    """What is drawn and how.

    Attributes
    ----------
    placebos, seed, draws : int
    block : float
    level : float
    eras : tuple of date
    traded_value : mapping of str to float
        Value traded a day by underlying.
    plan : FoldPlan
    breakdowns : bool
        Whether the best entries are taken apart.
    """

    placebos: int = 200
    seed: int = 7
    draws: int = 2_000
    block: float = 10.0
    level: float = NORMAL_LEVEL
    eras: tuple[date, ...] = ()
    traded_value: Mapping[str, float] = field(default_factory=dict)
    plan: FoldPlan = FoldPlan()
    breakdowns: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Trials ever made on the data.

    Attributes
    ----------
    trials, effective : int
    in_ledger : bool
    others : sequence of (sessions, returns)
        Of those that are not of this tournament and whose returns are kept.
    """

    trials: int
    effective: int
    in_ledger: bool
    others: Sequence[tuple[npt.NDArray[np.datetime64], Floats]] = ()
    __repr__ = short_repr


Counter = Callable[[Sequence[Arena], Sequence[Played]], Counted]


def folds_of(
    ground: Ground, strategies: Sequence[Strategy], plan: FoldPlan, *, missing: int = 0
) -> tuple[Fold, ...]:
    """Return walk-forward folds whose purge follows from the components.

    Without lengths: five years of training and tests of a year where there are ten years, else a
    third of the sessions and six tests.
    """
    days = ground.schedule.sessions.to_numpy().astype("datetime64[D]")
    reach = reach_of(strategies, ground.schedule.fill, missing=missing)
    years = len(days) / ground.clock.year
    usual = years >= _LONG_SAMPLE
    train = plan.train or ("5y" if usual else max(len(days) // 3, 1))
    test = plan.test or ("1y" if usual else max((len(days) - len(days) // 3) // 6, 1))
    return walk_forward(
        days,
        train=train,
        test=test,
        reach=Reach(reach.window, reach.holding),
        embargo=plan.embargo,
        kind="rolling" if plan.kind == "rolling" else "anchored",
    )


def contest(
    arenas: Sequence[Arena],
    terms: Procedure,
    *,
    count: Counter | None = None,
    report: Progress = silent,
    store: Keeper | None = None,
    work: Work | None = None,
) -> TournamentResult:
    """Hold trials against luck, their rules, hold, placebos and each other.

    Parameters
    ----------
    arenas : sequence of Arena
    terms : Procedure
    count : callable, optional
        Records the trials and returns how many there ever were; without one only these count.
    report : callable, optional
    store : Keeper, optional
        See `arena.played`.
    work : Work, optional
        Who simulates trials and draws placebos: this process by default.
    """
    started = time.perf_counter()
    by = work or Here(arenas)
    total = sum(len(arena.entries) for arena in arenas)
    whole = 2 * total
    results: list[Played] = []
    for i, arena in enumerate(arenas):
        before = sum(len(a.entries) for a in arenas[:i])
        simulated = partial(by.trials, i)
        results.append(
            played(arena, report, done=before, total=whole, store=store, simulated=simulated)
        )
    counted = _counted(arenas, results) if count is None else count(arenas, results)
    found = field_of(arenas, results)
    clouds = placebos_of(
        arenas,
        Drawn(terms.placebos, terms.seed),
        by.clouds,
        lambda done, of: report(total + total // 2 * done // max(of, 1), whole, "placebos"),
    )
    report(total + total // 2, whole, "corrections")
    others = _aligned(found, counted.others)
    judgement = judged(
        found,
        arenas,
        results,
        others,
        counted.trials,
        seed=terms.seed,
        draws=terms.draws,
        block=terms.block,
        level=terms.level,
    )
    report(total + 3 * total // 4, whole, "comparisons")
    pairs = compared(
        found,
        arenas,
        results,
        judgement.sharpe,
        seed=terms.seed,
        draws=terms.draws,
        block=terms.block,
        level=terms.level,
        bootstrapped=_BOOTSTRAPPED if terms.breakdowns else 0,
    )
    rows = entry_results(found, arenas, results, judgement, clouds, pairs, counted.trials)
    outcome = _Outcome(arenas, results, counted, found, judgement, pairs, tuple(rows))
    made = _result(outcome, terms)
    report(whole, whole, "done")
    return replace(made, computed=total, seconds=time.perf_counter() - started)


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What the parts of the procedure found; `rows` are those of the trials of the field."""

    arenas: Sequence[Arena]
    results: Sequence[Played]
    counted: Counted
    field: Field
    judgement: Judgement
    pairs: tuple[Pair, ...]
    rows: tuple[EntryResult, ...]


def _result(outcome: _Outcome, terms: Procedure) -> TournamentResult:
    arenas, results, counted = outcome.arenas, outcome.results, outcome.counted
    found, judgement, rows = outcome.field, outcome.judgement, outcome.rows
    distinct = list({row.trial_id: row for row in reversed(rows)}.values())[::-1]
    entries = tuple(row for row in distinct if row.role == "entry")
    parts, bands = _taken_apart(worth_showing(rows), found, arenas, results, judgement, terms)
    survivors = [entry for entry in entries if entry.survives]
    winner = max(survivors, key=lambda entry: entry.sharpe, default=None)
    return TournamentResult(
        entries=entries,
        controls=tuple(row for row in distinct if row.role != "entry"),
        trials=len(distinct),
        ledger_trials=counted.trials,
        effective_trials=counted.effective,
        counted=counted.in_ledger,
        placebos=terms.placebos,
        bootstrap=terms.draws,
        block=resampling_of(terms.seed, terms.draws, terms.block, len(found.days)).block,
        level=terms.level,
        p_spa_lower=judgement.spa[0],
        p_spa=judgement.spa[1],
        p_spa_upper=judgement.spa[2],
        overfitting=judgement.overfitting,
        mcs=tuple(dict.fromkeys(rows[k].trial_id for k in judgement.in_set)),
        winner=None if winner is None else winner.trial_id,
        sentence=whole_sentence(
            entries, counted.trials, judgement.best_by_luck, judgement.detectable
        ),
        detectable_sharpe=judgement.detectable,
        best_by_luck=judgement.best_by_luck,
        first=found.days[0].item(),
        last=found.days[-1].item(),
        rows=judgement.rows,
        selections=_selections(arenas, results, terms.plan),
        pairs=outcome.pairs,
        breakdowns=parts,
        bands=bands,
        haircut=_haircut(entries, counted.trials - 1, terms.seed, found.year),
        lockbox=None,
        notices=(),
        simulated=False,
        underlyings=tuple(dict.fromkeys(a.underlying for a in arenas)),
        computed=0,
        reused=0,
        seconds=0.0,
    )


def _counted(arenas: Sequence[Arena], results: Sequence[Played]) -> Counted:
    found = field_of(arenas, results)
    distinct = len({e.trial_id for arena in arenas for e in arena.entries})
    return Counted(distinct, effective_trials(found.returns), in_ledger=False)


def _aligned(found: Field, others: Sequence[tuple[npt.NDArray[np.datetime64], Floats]]) -> Floats:
    """Put recorded returns on the sessions of the tests; too few of them: left out."""
    columns = []
    for days, values in others:
        column = np.full(len(found.days), np.nan)
        place = np.searchsorted(found.days, days)
        inside = (place < len(found.days)) & np.isfinite(values)
        inside[inside] = found.days[place[inside]] == days[inside]
        column[place[inside]] = values[inside]
        if inside.sum() >= max(10, len(found.days) // 10):
            columns.append(column)
    return np.column_stack(columns) if columns else np.empty((len(found.days), 0))


def _taken_apart(
    shown: Sequence[int],
    found: Field,
    arenas: Sequence[Arena],
    results: Sequence[Played],
    judgement: Judgement,
    terms: Procedure,
) -> tuple[tuple[Breakdown, ...], dict[str, Band]]:
    if not terms.breakdowns:
        return (), {}
    critical = judgement.detectable * math.sqrt(judgement.rows / found.year) - 0.8416212335729143
    parts, bands = [], {}
    for k in shown:
        i, j = (int(v) for v in found.place[k])
        arena = arenas[i]
        rows = int(arena.outside.sum())
        how = resampling_of(terms.seed, terms.draws, terms.block, rows)
        parts.append(
            breakdown_of(
                arena,
                results[i],
                j,
                eras=terms.eras,
                critical=critical,
                how=Resampling(how.seed, how.replications, how.block, terms.level),
                traded_value=terms.traded_value.get(arena.underlying, math.nan),
            )
        )
        bands[arena.entries[j].trial_id] = band_of(arena, j, _BAND_DRAWS, terms.seed)
    return tuple(parts), bands


def _selections(
    arenas: Sequence[Arena], results: Sequence[Played], plan: FoldPlan
) -> tuple[Selection, ...]:
    """Choose through time among the entries of each market, fill and cost."""
    found = []
    for arena, result in zip(arenas, results, strict=True):
        groups: dict[str, list[int]] = {}
        for j, entry in enumerate(arena.entries):
            if entry.role == "entry":
                groups.setdefault(entry.execution, []).append(j)
        for members in groups.values():
            title = f"{arena.title}, {arena.entries[members[0]].costs.describe()}"
            crossed = _combinatorial(arena, members, plan)
            found.append(selected(arena, result.returns, members, title, combinatorial=crossed))
    return tuple(found)


def _combinatorial(
    arena: Arena, members: Sequence[int], plan: FoldPlan
) -> tuple[tuple[Fold, ...], int, int] | None:
    if plan.kind != "combinatorial":
        return None
    strategies = [arena.entries[j].strategy for j in members]
    reach = reach_of(strategies, arena.ground.schedule.fill, missing=_missing(arena))
    made = combinatorial(
        len(arena.days), groups=plan.groups, tested=plan.tested, reach=reach, embargo=plan.embargo
    )
    folds = tuple(by_outcome(fold, reach.holding) for fold in made)
    if any(not len(fold.train) for fold in folds):
        raise NotEnoughDataError(
            "combinatorial folds leave nothing to train on: a filter reads everything there was, "
            'or windows are too long for so many groups; use kind = "anchored", fewer groups or '
            "shorter windows"
        )
    return folds, plan.groups, plan.tested


def _missing(arena: Arena) -> dict[str, int]:
    """Return by column how many sessions have no value after the first one that does."""
    found = {}
    for name, column in arena.ground.evaluation.panel.columns.items():
        known = np.isfinite(column.values)
        rows = np.asarray(known.any(axis=tuple(range(1, known.ndim))))
        found[name] = len(rows) - int(np.argmax(rows)) - int(rows.sum())
    return found


def _haircut(entries: Sequence[EntryResult], others: int, seed: int, year: int) -> Haircut | None:
    defined = [e for e in entries if math.isfinite(e.sharpe) and e.n > 2]
    if not defined:
        return None
    best = max(defined, key=lambda e: e.sharpe)
    if best.sharpe <= 0.0:
        return None
    tests = max(others, 1)
    draws = int(np.clip(_HAIRCUT_CELLS // tests, 100, 2_000))
    return haircut_sharpe(best.sharpe, best.n, tests, year=year, seed=seed, draws=draws)
