"""The report of a backtest: its sections in the order in which one reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import day, plural
from .sections.first_screen import headline_of, today_section
from .sections.performance import performance_section, trades_section
from .sections.provenance import (
    definitions_section,
    provenance_section,
    quality_section,
    run_section,
)
from .sections.regime import regime_section
from .sections.returns import returns_section
from .sections.verdict import verdicts
from .sections.volatility import volatility_section
from .sections.words import fill
from .views import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backtest import BacktestResult
    from ..session.morning import Morning
    from .views import Section

__all__ = ["backtest_page"]


def backtest_page(
    result: BacktestResult,
    extra: Sequence[Section] = (),
    measured: Sequence[Section] = (),
    data: Sequence[Section] = (),
    *,
    morning: Morning | None = None,
    alert: str = "",
) -> Page:
    """Return the report of a backtest.

    Parameters
    ----------
    result : BacktestResult
        What was found.
    extra : sequence of Section
        Sections that need more than the result, shown after the regime: the last session's
        profile, the truth of a simulated market.
    measured : sequence of Section
        Likewise about prices, shown after volatility.
    data : sequence of Section
        Likewise about the data, shown after their quality.
    morning : Morning, optional
        The last session and what stands beside it: the first screen.
    alert : str
        What must be read before everything else; empty: nothing.
    """
    about = result.data
    mark = "SIMULATED: " if about.simulated else ""
    heading = f"{about.underlying}: do dealer gamma regimes pay?"
    if morning is not None:
        heading = headline_of(morning)
    summary = (
        f"{day(about.first_session)} to {day(about.last_session)}, "
        f"{plural(about.sessions, 'session')}; {result.main.spec.name} ("
        f"{result.main.spec.description}), filled at {_filled(result)}."
    )
    sections = (
        run_section(result),
        regime_section(result),
        *extra,
        performance_section(result),
        returns_section(result),
        volatility_section(result),
        *measured,
        trades_section(result),
        quality_section(result),
        *data,
        definitions_section(result),
        provenance_section(result),
    )
    title = f"{mark}{about.underlying} dealer gamma report, {day(about.last_session)}"
    first = None if morning is None else today_section(morning)
    return Page(title, heading, summary, about.simulated, verdicts(result), sections, first, alert)


def _filled(result: BacktestResult) -> str:
    """Return when the main strategy's orders fill."""
    return "the next intraday bar" if result.main.spec.within else fill(result.execution.fill)
