"""What the numbers rest on: data quality, definitions, and how to repeat the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import count, day, fixed, percent
from ..views import SEVERITY_TONES, Column, Fact, Row, Section, Table, text_column
from . import words

if TYPE_CHECKING:
    from ....backtest import BacktestResult, Notice, RegimeSummary

__all__ = ["definitions_section", "provenance_section", "quality_section", "run_section"]


def run_section(result: BacktestResult) -> Section:
    """Return what was run on which data."""
    data, regime = result.data, result.regime
    facts = (
        Fact("Underlying", data.underlying, data.instrument),
        Fact(
            "Sessions",
            count(data.sessions),
            f"{day(data.first_session)} to {day(data.last_session)}",
        ),
        Fact(
            "Regime from", "option chains" if regime.source == "lake" else "a series", regime.name
        ),
        Fact("Fills", words.fill(result.execution.fill)),
        Fact(
            "Costs",
            f"{fixed(result.execution.fees_bps + result.execution.slippage_bps, 1)} bp",
            "per side",
        ),
        Fact("Strategies", count(len(result.strategies)), "all shown, none selected"),
    )
    return Section("run", "What was run", facts=facts)


def quality_section(result: BacktestResult) -> Section:
    """Return everything that was objected to."""
    data = result.data
    facts = (
        Fact("Daily bars", count(data.bars), f"{data.calendar} calendar"),
        Fact("Sessions without a bar", count(data.bars_missing)),
        Fact("Bars on no session", count(data.bars_not_sessions), "left out"),
        Fact("Sessions with intraday bars", count(data.intraday_sessions)),
        Fact(
            "Sessions that abstain", count(result.regime.counts.get("abstain", 0)), "quality gate"
        ),
    )
    rows = tuple(_notice(notice) for notice in result.notices)
    columns = (
        text_column("Finding"),
        text_column("Severity"),
        Column("Count"),
        text_column("What it means"),
    )
    table = Table("tab-quality", "Findings", columns, rows)
    return Section("quality", "Data quality", facts=facts, tables=(table,))


def _notice(notice: Notice) -> Row:
    name = notice.code.replace("_", " ")
    cells = (name, notice.severity, count(notice.count), notice.detail)
    return Row(cells, SEVERITY_TONES[notice.severity])


def definitions_section(result: BacktestResult) -> Section:
    """Return what every number means."""
    regime = result.regime
    band = _band(regime)
    rows = (
        Row(
            (
                "Net GEX",
                f"dealer gamma: delta in {_currency(result)} per +1 % move of the underlying",
            )
        ),
        Row(("Dealer model", regime.dealer_model or "of the series' publisher")),
        Row(("Book", words.BOOKS.get(regime.book or "") or "of the series' publisher")),
        Row(
            (
                "Regime",
                f"sign of net GEX at spot; neutral band: {band}; "
                "abstain where the quality gate fails",
            )
        ),
        Row(
            (
                "Flip",
                "level at which the repriced profile changes sign, nearest to spot; "
                "none where it does not",
            )
        ),
        Row(
            (
                "Returns",
                "log returns for volatility, simple returns for profit; "
                f"{result.data.sessions_per_year} sessions a year",
            )
        ),
        Row(("Undefined", "a dash; it is never counted as zero")),
        *(Row((s.spec.name, s.spec.description)) for s in result.strategies.values()),
    )
    columns = (text_column("Word"), text_column("Meaning here"))
    table = Table("tab-definitions", "Definitions", columns, rows)
    return Section("definitions", "Definitions", tables=(table,), folded=True)


def _currency(result: BacktestResult) -> str:
    return result.data.currency or "the underlying's currency"


def _band(regime: RegimeSummary) -> str:
    """Return where the neutral band of a regime comes from."""
    if regime.band is not None:
        return f"{percent(regime.band, 0)} of gross"
    if regime.source == "lake":
        return f"that of definition {regime.definition_id}"
    return "none on this series"


def provenance_section(result: BacktestResult) -> Section:
    """Return what is needed to repeat the run; nothing in it depends on when it was made."""
    p = result.provenance
    facts = (
        ("gexlab", p.gexlab),
        ("definition", p.definition_id or "–"),
        ("configuration, SHA-256", p.config_sha256),
        ("content id", p.content_id or "–"),
        ("trials", count(p.trials)),
        *((f"{name}, of these data", f"trial {n}") for name, n in p.trial_numbers.items()),
        ("seed", str(p.seed)),
        *((f"{name} version", version) for name, version in sorted(p.versions.items())),
        *((f"input {file.path}", file.sha256) for file in p.inputs),
    )
    columns = (text_column("Item"), text_column("Value"))
    table = Table("tab-provenance", "Provenance", columns, tuple(Row(fact) for fact in facts))
    return Section("provenance", "Provenance", tables=(table,), folded=True)
