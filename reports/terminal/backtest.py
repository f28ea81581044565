"""A backtest in the terminal: the same answers as the report, in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ..page.formats import day, fixed, interval, interval_heading, percent, plural
from ..page.sections.verdict import verdicts
from ..page.sections.volatility import without_dealers
from .fitting import FittingTable, plain_text
from .tables import simple_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...backtest import BacktestResult, Notice
    from ..page.views import Verdict

__all__ = ["backtest_text", "verdicts_text"]

_TONES = {"long": "blue", "short": "dark_orange3", "warn": "yellow", "good": "green", "bad": "red"}


def backtest_text(result: BacktestResult) -> Group:
    """Return the data, the verdicts, the strategies and the quartiles."""
    data = result.data
    mark = "SIMULATED " if data.simulated else ""
    head = (
        f"{mark}{data.underlying}, {plural(data.sessions, 'session')} from "
        f"{day(data.first_session)} to {day(data.last_session)}"
    )
    parts: list[RenderableType] = [plain_text(head, style="bold"), *_definition(result)]
    parts.append(verdicts_text(verdicts(result)))
    parts += [Text(), _strategies(result), Text(), _quartiles(result)]
    parts += [plain_text(f"{n.severity}: {n.detail}", style="yellow") for n in _grave(result)]
    return Group(*parts)


def _definition(result: BacktestResult) -> list[Text]:
    """Return a line that says by which definition, dealers and book the regime was computed."""
    regime = result.regime
    if regime.definition_id is None:
        return []
    words = f"definition {regime.definition_id}, {regime.dealer_model} dealers, {regime.book} book"
    return [plain_text(words, style="dim")]


def verdicts_text(answers: tuple[Verdict, ...]) -> FittingTable:
    """Return questions and answers, one line each, and the reason below."""
    table = FittingTable(("question", "answer"), header=False)
    for verdict in answers:
        answer = plain_text(verdict.answer, style=f"bold {_TONES.get(verdict.tone, '')}".strip())
        table.add_row(plain_text(verdict.question), answer)
        table.add_row(plain_text(verdict.reason, style="dim"), "")
    return table


def _strategies(result: BacktestResult) -> FittingTable:
    numbers = (
        "Sharpe",
        interval_heading(result.provenance.level),
        "CAGR",
        "drawdown",
        "turnover",
        "break-even bp",
    )
    table = simple_table("strategy", *numbers, right=numbers)
    for name, strategy in result.strategies.items():
        m = strategy.metrics
        style = "bold" if strategy is result.main else ""
        table.add_row(
            name,
            fixed(m.sharpe),
            interval(m.sharpe_low, m.sharpe_high),
            percent(m.cagr),
            percent(m.max_drawdown),
            fixed(m.turnover, 0),
            fixed(m.break_even_bps, 1),
            style=style,
        )
    return table


def _quartiles(result: BacktestResult) -> FittingTable:
    names = tuple(f"Q{i + 1}" for i in range(len(result.next_return_sd_by_quantile)))
    table = simple_table("s.d. of next return, % a day, by quartile of", *names, right=names)
    table.add_row("regime value, lowest first", *map(fixed, result.next_return_sd_by_quantile))
    if null := without_dealers(result.next_return_sd_by_quantile):
        table.add_row("the same in a market without dealers", *map(fixed, null), style="dim")
    if result.vix_return_sd_by_quantile:
        table.add_row(
            "implied volatility index, lowest first", *map(fixed, result.vix_return_sd_by_quantile)
        )
    return table


def _grave(result: BacktestResult) -> list[Notice]:
    return [notice for notice in result.notices if notice.severity != "info"]
