"""One row per trial: everything that was found of it, and its verdict."""

from __future__ import annotations

import math
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
    from .arena import Arena, Played
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
    return [
        _row(k, found, arenas[i], int(i), int(j), results[i], judgement, clouds, credit, counted)
        for k, (i, j) in enumerate(found.place)
    ]


def _row(
    k: int,
    found: Field,
    arena: Arena,
    i: int,
    j: int,
    result: Played,
    judgement: Judgement,
    clouds: Placebos,
    credit: Mapping[str, list[bool]],
    counted: int,
) -> EntryResult:
    entry, year = arena.entries[j], arena.ground.clock.year
    facts = {name: float(values[j]) for name, values in result.facts.items()}
    place = clouds.where.get((i, j))
    nan = math.nan
    p_placebo = nan if place is None else float(clouds.test.p_corrected[place])
    ps = (
        float(judgement.p_zero[k]),
        float(judgement.p_rules[k]),
        float(judgement.p_hold[k]),
        p_placebo,
    )
    ruined = bool(facts["ruined"])
    survived = survives(entry.role, *ps, ruined=ruined)
    verdicts = credit.get(entry.trial_id)
    credited = None if verdicts is None else survived and all(verdicts)
    sharpe = nan if ruined else float(judgement.sharpe[k])
    strategy, root = entry.strategy, math.sqrt(year)
    gross, sides = facts["gross"], facts["turnover"]
    return EntryResult(
        trial_id=entry.trial_id,
        role=entry.role,
        arena=arena.title,
        filter=strategy.filter.describe(),
        rule=_rule(strategy),
        sizing=strategy.sizing.describe(),
        fees_bps=entry.costs.fees_bps,
        slippage_bps=entry.costs.slippage_bps,
        sharpe=sharpe,
        sharpe_low=nan if ruined else float(judgement.low[k]),
        sharpe_high=nan if ruined else float(judgement.high[k]),
        sharpe_all=metrics.sharpe(result.returns[arena.ground.clock.spans == 1, j], year),
        sharpe_inverse=_inverse(found.returns[:, k], gross, year),
        n=int(np.isfinite(found.returns[:, k]).sum()),
        p_alone=float(judgement.p_alone[k]),
        p_spa=float(judgement.p_spa[k]),
        p_zero=ps[0],
        p_rules=ps[1],
        p_hold=ps[2],
        p_placebo=ps[3],
        p_placebo_alone=nan if place is None else float(clouds.test.p_alone[place]),
        placebo_sharpe=nan if place is None else float(clouds.test.mean[place]) * root,
        placebo_deviation=nan if place is None else float(clouds.test.deviation[place]) * root,
        q_value=float(judgement.q_value[k]),
        dsr=float(judgement.dsr[k]),
        survives=survived,
        credited=credited,
        turnover=sides * year,
        exposure=facts["exposure"],
        in_market=facts["in_market"],
        tilt=facts["tilt"],
        break_even_bps=1e4 * gross / sides if sides > 1e-12 and gross > 0.0 else nan,
        long_leg=facts["long_leg"],
        short_leg=facts["short_leg"],
        ruined=ruined,
        late=int(facts["late"]),
        undefined=int(facts["undefined"]),
        sentence=entry_sentence(
            sharpe,
            float(judgement.p_spa[k]),
            ps,
            counted=counted,
            ruined=ruined,
            survived=survived,
            credited=credited,
        )
        if entry.role == "entry"
        else "",
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
