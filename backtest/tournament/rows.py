"""One row per trial: everything that was found of it, and its verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...strategies import Always
from ..statistics import metrics
from .result import EntryResult
from .verdicts import entry_sentence, survives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...strategies import Strategy
    from .arena import Arena, Entry, Played
    from .beyond import Pair
    from .clouds import Placebos
    from .judgement import Field, Judgement

__all__ = ["entry_results", "worth_showing"]

Floats = npt.NDArray[np.float64]
_SHOWN: Final = 10
_SURVIVORS_SHOWN: Final = 10


def entry_results(
    found: Field,
    arenas: Sequence[Arena],
    results: Sequence[Played],
    judgement: Judgement,
    clouds: Placebos,
    pairs: Sequence[Pair],
    counted: int,
) -> list[EntryResult]:
    """Return one row per trial of the field, in its order.

    Parameters
    ----------
    found, arenas, results, judgement, clouds, pairs
        What the parts of the procedure found.
    counted : int
        Trials ever made on these data.
    """
    credit: dict[str, list[bool]] = {}
    for pair in pairs:
        credit.setdefault(pair.trial_id, []).append(pair.credited)
    rows = []
    for k, (i, j) in enumerate(found.place.tolist()):
        facts = {name: float(values[j]) for name, values in results[i].facts.items()}
        trial = _Trial(k, j, arenas[i], results[i], facts, found.returns[:, k])
        placebo = _placebo(clouds, (i, j), arenas[i].ground.clock.year)
        verdict = _verdict(trial, judgement, placebo.p_corrected, credit, counted)
        rows.append(_row(trial, judgement, placebo, verdict))
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A trial: its place in the field and in its arena, and what it did there.

    `facts` are the arena's by name; `returns` those of the sessions of the tests, shape (n,).
    """

    k: int
    j: int
    arena: Arena
    played: Played
    facts: Mapping[str, float]
    returns: Floats

    @property
    def entry(self) -> Entry:
        return self.arena.entries[self.j]

    @property
    def ruined(self) -> bool:
        return bool(self.facts["ruined"])


@dataclass(frozen=True, slots=True)
class _Placebo:
    """A trial against its placebos; NaN for what has none."""

    p_corrected: float = math.nan
    p_alone: float = math.nan
    sharpe: float = math.nan
    deviation: float = math.nan


@dataclass(frozen=True, slots=True)
class _Verdict:
    survives: bool
    credited: bool | None
    sentence: str


def _placebo(clouds: Placebos, where: tuple[int, int], year: int) -> _Placebo:
    place = clouds.where.get(where)
    if place is None:
        return _Placebo()
    test, root = clouds.test, math.sqrt(year)
    return _Placebo(
        float(test.p_corrected[place]),
        float(test.p_alone[place]),
        float(test.mean[place]) * root,
        float(test.deviation[place]) * root,
    )


def _verdict(
    trial: _Trial,
    judgement: Judgement,
    p_placebo: float,
    credit: Mapping[str, list[bool]],
    counted: int,
) -> _Verdict:
    entry, k, ruined = trial.entry, trial.k, trial.ruined
    ps = (
        float(judgement.p_zero[k]),
        float(judgement.p_rules[k]),
        float(judgement.p_hold[k]),
        p_placebo,
    )
    survived = survives(entry.role, *ps, ruined=ruined)
    found = credit.get(entry.trial_id)
    credited = None if found is None else survived and all(found)
    if entry.role != "entry":
        return _Verdict(survived, credited, "")
    sentence = entry_sentence(
        math.nan if ruined else float(judgement.sharpe[k]),
        float(judgement.p_spa[k]),
        ps,
        counted=counted,
        ruined=ruined,
        survived=survived,
        credited=credited,
    )
    return _Verdict(survived, credited, sentence)


def _row(trial: _Trial, judgement: Judgement, placebo: _Placebo, verdict: _Verdict) -> EntryResult:
    entry, arena, facts, k = trial.entry, trial.arena, trial.facts, trial.k
    strategy, year = entry.strategy, arena.ground.clock.year
    gross, sides = facts["gross"], facts["turnover"]
    all_sessions = trial.played.returns[arena.ground.clock.spans == 1, trial.j]

    def unless_ruined(values: Floats) -> float:
        return math.nan if trial.ruined else float(values[k])

    return EntryResult(
        trial_id=entry.trial_id,
        role=entry.role,
        arena=arena.title,
        filter=strategy.filter.describe(),
        rule=_rule(strategy),
        sizing=strategy.sizing.describe(),
        fees_bps=entry.costs.fees_bps,
        slippage_bps=entry.costs.slippage_bps,
        sharpe=unless_ruined(judgement.sharpe),
        sharpe_low=unless_ruined(judgement.low),
        sharpe_high=unless_ruined(judgement.high),
        sharpe_all=metrics.sharpe(all_sessions, year),
        sharpe_inverse=_inverse(trial.returns, gross, year),
        n=int(np.isfinite(trial.returns).sum()),
        p_alone=float(judgement.p_alone[k]),
        p_spa=float(judgement.p_spa[k]),
        p_zero=float(judgement.p_zero[k]),
        p_rules=float(judgement.p_rules[k]),
        p_hold=float(judgement.p_hold[k]),
        p_placebo=placebo.p_corrected,
        p_placebo_alone=placebo.p_alone,
        placebo_sharpe=placebo.sharpe,
        placebo_deviation=placebo.deviation,
        q_value=float(judgement.q_value[k]),
        dsr=float(judgement.dsr[k]),
        min_track_record=unless_ruined(judgement.skill.track_record),
        false_discovery=unless_ruined(judgement.skill.false_discovery),
        survives=verdict.survives,
        credited=verdict.credited,
        turnover=sides * year,
        exposure=facts["exposure"],
        in_market=facts["in_market"],
        tilt=facts["tilt"],
        break_even_bps=1e4 * gross / sides if sides > 1e-12 and gross > 0.0 else math.nan,
        long_leg=facts["long_leg"],
        short_leg=facts["short_leg"],
        ruined=trial.ruined,
        late=int(facts["late"]),
        undefined=int(facts["undefined"]),
        sentence=verdict.sentence,
        parameters=entry.parameters,
    )


def _rule(strategy: Strategy) -> str:
    """Return rules by label; those of neutral sessions only where they do something."""
    if isinstance(strategy.filter, Always):
        return strategy.long.describe()
    parts = [f"long: {strategy.long.describe()}", f"short: {strategy.short.describe()}"]
    if strategy.neutral.name != "flat":
        parts.append(f"neutral: {strategy.neutral.describe()}")
    return "; ".join(parts)


def _inverse(returns: Floats, gross: float, year: int) -> float:
    """Return the Sharpe ratio of the opposite positions before costs: same spread, other sign."""
    known = returns[np.isfinite(returns)]
    deviation = known.std(ddof=1) if len(known) > 1 else 0.0
    return -gross / deviation * math.sqrt(year) if deviation > 1e-12 else math.nan


def worth_showing(rows: Sequence[EntryResult]) -> list[int]:
    """Return which trials are taken apart: survivors, then the best entries."""
    order = sorted(
        (k for k, row in enumerate(rows) if row.role == "entry" and math.isfinite(row.sharpe)),
        key=lambda k: -rows[k].sharpe,
    )
    order = list({rows[k].trial_id: k for k in reversed(order)}.values())[::-1]
    survivors = [k for k in order if rows[k].survives][:_SURVIVORS_SHOWN]
    return list(dict.fromkeys([*survivors, *order[:_SHOWN]]))
