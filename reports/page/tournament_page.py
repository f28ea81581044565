"""The page of a tournament: verdict, survivors beside their placebos, every trial, the choices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ...data import shown
from .charts import axis, dots, figure, layout, line
from .formats import fixed, interval, interval_heading, money, percent, plural
from .palette import token
from .views import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from ...backtest import Breakdown, EntryResult, TournamentResult

__all__ = ["tournament_figures", "write_tournament_page"]

#: Columns of the table of all trials: title, digits (None: words), whether the map may span it.
_COLUMNS: Final[dict[str, tuple[str, int | None, bool]]] = {
    "trial_id": ("trial", None, False),
    "survives": ("survives", None, False),
    "sharpe": ("Sharpe ratio", 2, False),
    "sharpe_low": ("low", 2, False),
    "sharpe_high": ("high", 2, False),
    "filter": ("filter", None, True),
    "rule": ("rules", None, True),
    "sizing": ("sizing", None, True),
    "arena": ("market and fill", None, True),
    "fees_bps": ("fees, bp", 1, True),
    "slippage_bps": ("slippage, bp", 1, True),
    "role": ("role", None, True),
    "p_spa": ("p, luck", 3, False),
    "p_zero": ("p, nothing", 3, False),
    "p_rules": ("p, own rules", 3, False),
    "p_hold": ("p, hold", 3, False),
    "p_placebo": ("p, placebos", 3, False),
    "p_placebo_alone": ("p, own placebos", 3, False),
    "dsr": ("deflated Sharpe", 3, False),
    "q_value": ("false discovery rate", 3, False),
    "false_discovery": ("P(no skill)", 3, False),
    "min_track_record": ("sessions needed", 0, False),
    "sharpe_all": ("Sharpe, all sessions", 2, False),
    "sharpe_inverse": ("Sharpe, inverse", 2, False),
    "placebo_sharpe": ("placebos' Sharpe", 2, False),
    "turnover": ("turnover a year", 1, False),
    "exposure": ("exposure", 2, False),
    "in_market": ("time in market", 2, False),
    "break_even_bps": ("break-even, bp a side", 1, False),
    "long_leg": ("long positions earned", 3, False),
    "short_leg": ("short positions earned", 3, False),
    "late": ("late sessions", 0, False),
    "undefined": ("undefined sessions", 0, False),
    "n": ("sessions", 0, False),
    "sentence": ("verdict", None, False),
}
_MOST: Final = 10


def write_tournament_page(result: TournamentResult, path: Path) -> Path:
    """Write ``tournament.html``: one file, nothing loaded from elsewhere."""
    from ...backtest import tournament_luck
    from .html import write_template

    rows = (*result.entries, *result.controls)
    equities = _equities(result)
    choices = _choice_figures(result)
    title = "Survivors" if result.survivors else "The best, none of which survives"
    return write_template(
        "tournament.html.j2",
        "tables.js,page.js,grid.js",
        path,
        simulated=result.simulated,
        heading=f"Tournament of {plural(result.trials, 'trial')} on "
        f"{', '.join(result.underlyings)}",
        sentence=result.sentence,
        luck=tournament_luck(
            result.ledger_trials, result.effective_trials, in_ledger=result.counted
        ),
        warnings=[notice.detail for notice in result.notices],
        facts=_facts(result),
        best=_entries_table("The best entries", result.entries, result),
        controls=_entries_table("Controls and competitors", result.controls, result),
        equity_title=f"{title}, beside their placebos",
        equities=equities,
        figures=[*equities, *choices],
        selection_figures=choices,
        selections=_selection_tables(result),
        beyond=_beyond(result),
        parts=_parts(result),
        data={
            "columns": [
                {"name": name, "title": words, "digits": digits, "parameter": spans}
                for name, (words, digits, spans) in _COLUMNS.items()
            ],
            "rows": [[_value(getattr(row, name)) for name in _COLUMNS] for row in rows],
        },
    )


def _value(cell: Any) -> Any:
    """Return a cell as JSON has it; undefined is None."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return shown(cell) if isinstance(cell, str) else cell


def _facts(result: TournamentResult) -> dict[str, str]:
    pbo = None if result.overfitting is None else result.overfitting.pbo
    facts = {
        "Trials on these data": f"{result.ledger_trials:,}",
        "Trials of this tournament": f"{result.trials:,}",
        "Effective trials": f"{result.effective_trials:,}",
        "Survivors": f"{len(result.survivors):,}",
        "Winner": result.winner or "none",
        "Best of as many blind ones": fixed(result.best_by_luck),
        "Smallest Sharpe ratio to be seen": fixed(result.detectable_sharpe),
        "p, SPA": fixed(result.p_spa, 3),
        "p, Reality Check": fixed(result.p_spa_upper, 3),
        "Probability of overfitting": percent(pbo),
        "In the confidence set": f"{len(result.mcs):,}",
        "Tested": f"{result.first} to {result.last}",
        "Placebos, bootstrap draws": f"{result.placebos:,}, {result.bootstrap:,}",
        "Mean block": f"{result.block:g} sessions",
    }
    if result.haircut is not None:
        facts["Best after haircut (BHY)"] = fixed(result.haircut.bhy.sharpe)
    if result.lockbox is not None:
        facts["Lockbox from"] = str(result.lockbox.get("start"))
    return facts


def _entries_table(
    title: str, rows: tuple[EntryResult, ...], result: TournamentResult
) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda r: (not r.survives, -_defined(r.sharpe), r.trial_id))
    headings = (
        "filter", "rules", "fees, bp", "Sharpe ratio", interval_heading(result.level), "p, luck",
        "p, placebos", "deflated Sharpe", "verdict",
    )  # fmt: skip
    several = len({row.arena for row in rows}) > 1  # markets and fills that tell trials apart
    return {
        "title": title,
        "headings": headings,
        "note": ""
        if len(ordered) <= _MOST
        else f"{_MOST} of {len(ordered):,}; all of them below and in trials.parquet.",
        "rows": [
            [
                row.filter + (f" ({row.arena})" if several else ""),
                row.rule,
                f"{row.fees_bps + row.slippage_bps:g}",
                fixed(row.sharpe),
                interval(row.sharpe_low, row.sharpe_high),
                fixed(row.p_spa, 3),
                fixed(row.p_placebo, 3),
                fixed(row.dsr, 3),
                row.sentence or row.role,
            ]
            for row in ordered[:_MOST]
        ],
    }


def _defined(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def tournament_figures(result: TournamentResult) -> list[Figure]:
    """Return the figures of the page: equities beside their placebos, and what folds chose."""
    return [*_equities(result), *_choice_figures(result)]


def _equities(result: TournamentResult) -> list[Figure]:
    """Return the equity of the survivors, or of the best five, beside their placebos' band."""
    by_id = {row.trial_id: row for row in result.entries}
    survivors = {row.trial_id for row in result.survivors}
    shown_ones = [b for b in result.breakdowns if b.trial_id in survivors] or list(
        result.breakdowns[:5]
    )
    found = []
    for number, part in enumerate(shown_ones):
        row, band = by_id[part.trial_id], result.bands[part.trial_id]
        days = [str(day) for day in part.days]
        low, middle, high = (band.equity[k] for k in range(3))
        traces = [
            line(days, high, "placebos, upper end", "series-6", 0.5, showlegend=False),
            line(
                days, low, "nine tenths of the placebos", "series-6", 0.5,
                fill="tonexty", fillcolor=token("soft"),
            ),
            line(days, middle, "placebos, median", "series-6", 1.0),
            line(days, part.equity, "entry", "series-1", 1.8),
        ]  # fmt: skip
        found.append(
            Figure(
                f"equity-{number}",
                f"{row.filter} ({row.rule}): Sharpe ratio {fixed(row.sharpe)} out of sample.",
                f"Equity out of sample, fees {row.fees_bps:g} bp; p against placebos "
                f"{fixed(row.p_placebo, 3)}.",
                figure(
                    traces,
                    layout(xaxis=axis(), yaxis=axis("equity, start = 1", type="log")),
                ),
            )
        )
    return found


def _choice_figures(result: TournamentResult) -> list[Figure]:
    """Return Sharpe ratios in training and test of what each fold chose."""
    found = []
    for number, one in enumerate(result.selections):
        if not one.choices:
            continue
        days = [str(choice.first) for choice in one.choices]
        traces = [
            dots(days, [_number(c.inside) for c in one.choices], "training", "series-2"),
            dots(days, [_number(c.outside) for c in one.choices], "test", "series-3", "diamond"),
        ]
        found.append(
            Figure(
                f"choice-{number}",
                one.title,
                f"The stitched path has a Sharpe ratio of {fixed(one.sharpe)}; "
                f"{percent(one.kept, 0)} of folds keep the choice of the fold before; ranks in "
                f"training and test correlate by {fixed(one.rank_correlation)}.",
                figure(traces, layout(xaxis=axis(), yaxis=axis("Sharpe ratio, annual"))),
                height=260,
            )
        )
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _selection_tables(result: TournamentResult) -> list[dict[str, Any]]:
    by_id = {row.trial_id: row for row in result.entries}
    found = []
    for one in result.selections:
        rows = []
        for choice in one.choices:
            row = by_id.get(choice.trial_id or "")
            rows.append(
                [
                    f"{choice.first} to {choice.last}",
                    "–" if row is None else f"{row.filter} ({row.rule})",
                    fixed(choice.inside),
                    fixed(choice.outside),
                ]
            )
        note = ""
        if one.paths:
            known = sorted(p for p in one.paths if math.isfinite(p))
            note = (
                f"{len(one.paths)} combinatorial paths: Sharpe ratios "
                f"{', '.join(fixed(p) for p in known)}."
            )
        found.append(
            {
                "title": one.title,
                "headings": ("test", "chosen", "Sharpe, training", "Sharpe, test"),
                "rows": rows,
                "note": note,
            }
        )
    return found


def _beyond(result: TournamentResult) -> dict[str, Any]:
    by_id = {row.trial_id: row for row in result.entries}
    rows = sorted(
        (p for p in result.pairs if p.trial_id in by_id),
        key=lambda p: -_defined(by_id[p.trial_id].sharpe),
    )
    return {
        "title": "The same rules under filters without options",
        "headings": (
            "entry", "fees, bp", "against", "difference of Sharpe ratios", "p",
            interval_heading(result.level),
            "block", "slope beside it", "t", "adds",
        ),
        "note": "p: one-sided, stepdown over all pairs. Interval: paired bootstrap with the block "
        "length that the two series ask for. Slope: what the entry's label adds, beside the "
        "other's and the volatility index, to half the difference of what its two rules earn a "
        "session.",
        "rows": [
            [
                f"{by_id[p.trial_id].filter} ({by_id[p.trial_id].rule})",
                f"{by_id[p.trial_id].fees_bps:g}",
                p.other,
                fixed(p.difference),
                fixed(p.p_value, 3),
                interval(p.low, p.high),
                fixed(p.block, 1),
                percent(p.slope, 3),
                fixed(p.slope_t),
                "yes" if p.credited else "no",
            ]
            for p in rows[: 3 * _MOST]
        ],
    }  # fmt: skip


def _parts(result: TournamentResult) -> list[dict[str, Any]]:
    by_id = {row.trial_id: row for row in result.entries}
    found = []
    for part in result.breakdowns:
        row = by_id[part.trial_id]
        rows = [
            [g["dimension"], g["group"], str(g["sessions"]), fixed(g["sharpe"]),
             percent(g["share_of_profit"], 0)]
            for g in part.groups
        ]  # fmt: skip
        rows += [
            [
                "left out",
                w["left_out"],
                "",
                fixed(w["sharpe"]),
                "stands" if w["stands"] else "falls",
            ]
            for w in part.without
        ]
        found.append(
            {
                "title": f"{row.filter} ({row.rule}), fees {row.fees_bps:g} bp",
                "headings": ("by", "group", "sessions", "Sharpe ratio", "share of profit"),
                "rows": rows,
                "note": _note(part, result.level),
            }
        )
    return found


def _note(part: Breakdown, level: float) -> str:
    cap, tail = part.capacity, part.tail
    return (
        f"{interval_heading(level)} of the Sharpe ratio by resampling blocks of sessions "
        f"{interval(*part.interval_plain)}; with blocks drawn within labels "
        f"{interval(*part.interval_by_regime)}. Skew {fixed(tail['skew'])}, worst session "
        f"{percent(tail['worst'])}, expected shortfall {percent(tail['expected_shortfall'])}, "
        f"largest loss from a peak {percent(tail['max_drawdown'])}. Capacity "
        f"{money(cap.capital, sign='')} in the currency of the prices (square-root impact, "
        f"{money(cap.traded_value, sign='')} traded a day, volatility "
        f"{percent(cap.volatility, 2)} a session, coefficient {cap.coefficient:g}). Stands: its "
        "statistic without these sessions still exceeds what the best of trials without skill "
        "shows in one draw of twenty."
    )
