"""The ledger of trials as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import simple_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backtest import LedgerSummary
    from .fitting import FittingTable

__all__ = ["ledger_tables"]

#: Entries shown; all of them are in the JSON document.
_LAST = 20


def ledger_tables(summary: LedgerSummary) -> Iterator[FittingTable | str]:
    """Yield what a ledger says: by market, by data, and the trials recorded last."""
    if not summary.data:
        yield f"no trial has been recorded in {summary.path}"
        return
    yield _markets(summary)
    yield _data(summary)
    yield _entries(summary)
    if len(summary.entries) > _LAST:
        yield f"{_LAST} of {len(summary.entries)} entries; --json has all"
    for gone in summary.deletions:
        yield f"deleted {gone['deleted_at']}: {gone['trial_id']} ({gone['reason']})"
    yield f"ledger: {summary.path}"


def _markets(summary: LedgerSummary) -> FittingTable:
    table = simple_table(
        "market", "from", "to", "trials", "effective", "deleted",
        title="Trials by market", right=("trials", "effective", "deleted"),
    )  # fmt: skip
    for each in summary.markets:
        name = ", ".join(each["underlyings"]) + (" (simulated)" if each["simulated"] else "")
        numbers = (each["trials"], each["effective_trials"], each["deleted"])
        table.add_row(name, each["first_session"], each["last_session"], *map(str, numbers))
    return table


def _data(summary: LedgerSummary) -> FittingTable:
    table = simple_table(
        "data", "underlying", "from", "to", "trials", title="Trials by data", right=("trials",)
    )
    for each in summary.data:
        days = each["first_session"], each["last_session"]
        table.add_row(each["data_id"][:12], each["underlying"], *days, str(each["trials"]))
    return table


def _entries(summary: LedgerSummary) -> FittingTable:
    table = simple_table(
        "trial", "name", "by", "underlying", "to", "recorded", "Sharpe",
        title="Recorded last", right=("Sharpe",),
    )  # fmt: skip
    for each in summary.entries[-_LAST:]:
        sharpe = each["metrics"].get("sharpe")
        table.add_row(
            each["trial_id"], each["name"], each["source"], each["underlying"],
            each["last_session"], each["recorded_at"][:10],
            "–" if sharpe is None else f"{sharpe:.2f}",
        )  # fmt: skip
    return table
