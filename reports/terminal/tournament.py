"""A tournament in the terminal: the verdict, the best entries, what they are held against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ...backtest import NORMAL_LEVEL, tournament_luck
from ..page.formats import DASH, fixed, interval, interval_heading, plural
from .fitting import plain_text
from .tables import simple_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ...backtest import EntryResult, LockboxResult, TournamentResult

__all__ = ["lockbox_text", "tournament_text"]

_MOST = 8


def tournament_text(result: TournamentResult) -> Group:
    """Return the tables and, last, the sentence that counts."""
    mark = "SIMULATED " if result.simulated else ""
    reused = f", {result.reused:,} of them known from before" if result.reused else ""
    head = (
        f"{mark}{', '.join(result.underlyings)}: {plural(result.trials, 'trial')}{reused}, tested "
        f"{result.first} to {result.last}, {result.seconds:.1f} s"
    )
    parts: list[RenderableType] = [plain_text(head, style="bold"), Text()]
    parts.append(_table("The best entries", result.entries))
    parts += [Text(), _table("Held against", result.controls)]
    for notice in result.notices:
        parts += [Text(), plain_text(notice.detail, style="yellow")]
    luck = tournament_luck(result.ledger_trials, result.effective_trials, in_ledger=result.counted)
    parts += [Text(), plain_text(luck), Text(), plain_text(result.sentence, style="bold")]
    return Group(*parts)


def _table(title: str, rows: Sequence[EntryResult]) -> RenderableType:
    numbers = ("Sharpe", "p luck", "p plac.")
    table = simple_table("filter", "rules", "bp", *numbers, title=title, right=("bp", *numbers))
    order = sorted(rows, key=lambda r: (not r.survives, -_defined(r.sharpe), r.trial_id))
    for row in order[:_MOST]:
        table.add_row(
            f"{'* ' if row.survives else ''}{row.filter}"
            + (f" ({row.arena})" if len({r.arena for r in rows}) > 1 else ""),
            row.rule,
            f"{row.fees_bps + row.slippage_bps:g}",
            fixed(row.sharpe),
            fixed(row.p_spa, 3),
            fixed(row.p_placebo, 3),
        )
    if not order:
        table.add_row(*[DASH] * 6)
    return table


def _defined(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def lockbox_text(result: LockboxResult) -> Group:
    """Return what is kept out, or what was found when it was opened."""
    head = f"{result.underlying}: lockbox from {result.first}, set {result.set_at}"
    if result.found is None:
        return Group(plain_text(head, style="bold"), plain_text("closed: no trial sees it"))
    # one that was opened before levels were recorded has the usual one
    numbers = ("Sharpe", interval_heading(result.found.get("level", NORMAL_LEVEL)), "p")
    table = simple_table("trial", "filter", *numbers, right=numbers)
    for row in result.found["trials"]:
        table.add_row(
            row["trial_id"],
            row["filter"],
            fixed(row["sharpe"]),
            interval(row["low"], row["high"]),
            fixed(row["p_value"], 3),
        )
    opened = plain_text(f"opened {result.opened_at}")
    sentence = plain_text(result.found["sentence"], style="bold")
    return Group(plain_text(head, style="bold"), opened, Text(), table, Text(), sentence)
