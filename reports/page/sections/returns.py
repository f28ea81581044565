"""Returns as a tear sheet has them: by month, rolling, spread out, and from peak to trough."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from ..charts import axis, bars, figure, layout, line, rounded
from ..formats import DASH, count, day, fixed, percent, plural, signed
from ..views import Column, Figure, Row, Section, Table, text_column
from .maps import heat_trace

if TYPE_CHECKING:
    import pandas as pd

    from ....backtest import BacktestResult, Sheet

__all__ = ["returns_section"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                  "Dec")  # fmt: skip
#: Rows of the table of drawdowns.
_DEEPEST: Final = 10
_MOST_BINS: Final = 60


def returns_section(result: BacktestResult) -> Section:
    """Return months and years, rolling figures, distribution, drawdowns and a tear sheet."""
    from ....backtest import monthly_returns, one_session_returns, return_sheets, rolling_of

    main, window = result.main, result.data.sessions_per_year // 2
    sheets = return_sheets(result)
    months = monthly_returns(main.returns)
    found = rolling_of(result, window)
    figures = [_months_figure(months)] if len(months) else []
    if len(found):
        figures.append(_rolling_figure(found, window, result.data.sessions_per_year))
    one = one_session_returns(result)
    if one.notna().any():
        figures.append(_spread_figure(one, sheets[main.spec.name]))
    tables = (
        _months_table(months, main.returns),
        _drawdown_table(result),
        *_sheet_tables(sheets),
    )
    return Section("returns", "Returns", _text(result, window), figures=tuple(figures),
                   tables=tables)  # fmt: skip


def _text(result: BacktestResult, window: int) -> tuple[str, ...]:
    spoken: tuple[str, ...] = (
        f"Months, drawdowns and tails of {result.main.spec.name}, net of costs. They describe what "
        "happened and have no interval: what may be concluded stands under Equity.",
    )
    if result.main.metrics.n < window:
        spoken += (
            f"Rolling figures need {window} returns of one session, half a year; there "
            f"{'is' if result.main.metrics.n == 1 else 'are'} {result.main.metrics.n}.",
        )
    return spoken


def _months_figure(months: pd.Series[float]) -> Figure:
    years = sorted({period.year for period in months.index})
    cells = np.full((len(years), 12), np.nan)
    for period, value in months.items():
        cells[years.index(period.year), period.month - 1] = 100.0 * value  # type: ignore[attr-defined]
    trace = heat_trace(list(_MONTHS), [], cells, "%") | {"y": [str(year) for year in years]}
    gained = int((months > 0.0).sum())
    title = f"{gained} of {plural(len(months), 'month')} gained."
    shape = layout(
        legend=False,
        xaxis=axis("month", type="category", showgrid=False),
        yaxis=axis("year", type="category", showgrid=False, autorange="reversed"),
        hovermode="closest",
    )
    caption = "Compound return of each calendar month; the first and last as far as they go."
    height = 160 + 26 * len(years)
    return Figure("fig-months", title, caption, figure([trace], shape), height)


def _rolling_figure(found: pd.DataFrame, window: int, year: int) -> Figure:
    days = [day(session) for session in found.index]
    data = [
        line(days, rounded(found["sharpe"].tolist()), "Sharpe ratio", "series-1"),
        line(days, rounded(found["sortino"].tolist()), "Sortino ratio", "series-3", 1.1),
        line(days, rounded((100.0 * found["volatility"]).tolist()), "volatility", "series-2")
        | {"yaxis": "y2"},
        line(days, rounded(found["beta"].tolist()), "beta", "series-4") | {"yaxis": "y3"},
    ]
    shape = layout(
        xaxis=axis(anchor="y3", showgrid=False, type="date"),
        yaxis=axis("annual", domain=[0.48, 1], zeroline=True),
        yaxis2=axis("% a year", domain=[0.25, 0.44]),
        yaxis3=axis("beta", domain=[0, 0.2], zeroline=True),
    )
    ratios = found["sharpe"].dropna()
    title = "No window has a Sharpe ratio."
    if len(ratios):
        title = f"Sharpe ratios of {window} sessions ran from {fixed(ratios.min())} to " \
                f"{fixed(ratios.max())}."  # fmt: skip
    error = fixed(sqrt(year / window))
    caption = (
        f"Over the last {window} returns: Sharpe and Sortino ratio, volatility, beta to the "
        f"underlying. Such a Sharpe ratio has a standard error of about {error}."
    )
    return Figure("fig-rolling", title, caption, figure(data, shape), 520)


def _spread_figure(one: pd.Series[float], sheet: Sheet) -> Figure:
    values = 100.0 * one.dropna().to_numpy(dtype=float)
    counts, edges = np.histogram(values, bins=min(_MOST_BINS, max(5, round(sqrt(len(values))))))
    middles = (edges[:-1] + edges[1:]) / 2.0
    trace = bars(rounded(middles.tolist()), counts.tolist(), "sessions", "series-2")
    title = (
        f"One session in {round(1 / _tail())} lost {percent(abs(sheet.value_at_risk), 2)} or more."
        if isfinite(sheet.value_at_risk) and sheet.value_at_risk < 0.0
        else f"{plural(len(values), 'return')} of one session."
    )
    shape = layout(legend=False, xaxis=axis("return of a session, %"), yaxis=axis("sessions"))
    caption = "Returns of one session, net of costs, flat ones included; bars of equal width."
    return Figure("fig-distribution", title, caption, figure([trace], shape), 340)


def _tail() -> float:
    from ....backtest import TAIL

    return TAIL


def _months_table(months: pd.Series[float], returns: pd.Series[float]) -> Table:
    from ....backtest import yearly_returns

    columns = (text_column("Year"), *(Column(name, "%") for name in _MONTHS), Column("Year", "%"))
    held = {(period.year, period.month): value for period, value in months.items()}  # type: ignore[attr-defined]
    rows = tuple(
        Row(
            (
                str(period.year),  # type: ignore[attr-defined]
                *(_hundredths(held.get((period.year, k))) for k in range(1, 13)),  # type: ignore[attr-defined]
                _hundredths(value),
            )
        )
        for period, value in yearly_returns(returns).items()
    )
    note = "A return over missing bars belongs to the month in which it ends."
    return Table("tab-months", "Returns by month and year", columns, rows, note)


def _hundredths(value: float | None) -> str:
    return DASH if value is None else signed(100.0 * value, 1)


def _drawdown_table(result: BacktestResult) -> Table:
    from ....backtest import drawdowns

    found = drawdowns(result.main.equity)
    columns = (
        text_column("Peak"),
        text_column("Trough"),
        text_column("Recovered"),
        Column("Depth"),
        Column("Sessions"),
    )
    rows = tuple(
        Row(
            (
                day(r["peak"]),
                day(r["trough"]),
                "not yet" if r["recovered"] != r["recovered"] else day(r["recovered"]),
                percent(r["depth"], 2),
                count(r["sessions"]),
            )
        )
        for r in found.head(_DEEPEST).to_dict("records")
    )
    shown = "" if len(found) <= _DEEPEST else f"The {_DEEPEST} deepest of {len(found)}. "
    average = percent(found["depth"].mean(), 2)
    lasted = fixed(found["sessions"].mean(), 1)
    note = f"{shown}On average {average} deep and {lasted} sessions long." if len(found) else ""
    return Table("tab-drawdowns", "Drawdowns, deepest first", columns, rows, note)


def _sheet_tables(sheets: dict[str, Sheet]) -> tuple[Table, Table]:
    ratios = (
        text_column("Strategy"), Column("Sortino"), Column("Calmar"), Column("Recovery"),
        Column("Omega"), Column("Payoff"), Column("Ulcer"), Column("Longest drawdown", "sessions"),
        Column("Beta"), Column("Correlation"),
    )  # fmt: skip
    tails = (
        text_column("Strategy"), Column("Skew"), Column("Excess kurtosis"), Column("5 % quantile"),
        Column("Shortfall"), Column("Tail ratio"), Column("Best", "session"),
        Column("Worst", "session"), Column("Best", "month"), Column("Worst", "month"),
        Column("Positive months"), Column("Months"),
    )  # fmt: skip
    first = tuple(_ratio_row(name, sheet, i == 0) for i, (name, sheet) in enumerate(sheets.items()))
    second = tuple(_tail_row(name, sheet, i == 0) for i, (name, sheet) in enumerate(sheets.items()))
    said = (
        "Omega: gains over losses of sessions. Payoff: mean gain over mean loss. Recovery: total "
        "return over the deepest drawdown. Beta and correlation: to the underlying from close to "
        "close. Undefined without losses, drawdowns or spread."
    )
    more = (
        "Shortfall: mean of returns at or below the 5 % quantile. Tail ratio: 95 % quantile over "
        "the size of the 5 % quantile."
    )
    return (
        Table("tab-sheet", "Ratios", ratios, first, said),
        Table("tab-tails", "Tails and months", tails, second, more),
    )


def _ratio_row(name: str, s: Sheet, strong: bool) -> Row:
    numbers = (s.sortino, s.calmar, s.recovery, s.omega, s.payoff)
    cells = (
        name,
        *(fixed(number) for number in numbers),
        percent(s.ulcer, 2),
        count(s.longest),
        fixed(s.beta),
        fixed(s.correlation),
    )
    return Row(cells, strong=strong)


def _tail_row(name: str, s: Sheet, strong: bool) -> Row:
    cells = (
        name,
        fixed(s.skew),
        fixed(s.kurtosis),
        percent(s.value_at_risk, 2),
        percent(s.shortfall, 2),
        fixed(s.tail_ratio),
        *(percent(v, 2, sign=True) for v in (s.best, s.worst, s.best_month, s.worst_month)),
        percent(s.positive_months, 0),
        count(s.months),
    )
    return Row(cells, strong=strong)
