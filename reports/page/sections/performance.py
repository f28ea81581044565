"""Equity, metrics with intervals, performance by regime, and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data import currency_sign
from ..charts import axis, figure, layout, line
from ..formats import (
    count,
    day,
    fixed,
    interval,
    interval_heading,
    joined,
    level,
    percent,
    plural,
    signed,
)
from ..palette import SERIES
from ..views import Column, Figure, Row, Section, Table, text_column
from . import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....backtest import BacktestResult, StrategyResult

__all__ = ["about_earned", "equity_figure", "performance_section", "trades_section"]

#: So many strategies have lines and names of their own; of more, the others are a band.
_LINES = 8


def performance_section(result: BacktestResult) -> Section:
    """Return equity and metrics of the strategy and its controls."""
    execution = result.execution
    text = (
        f"Orders fill at {words.fill(execution.fill)}. Costs per side: {_costs(result)}. "
        f"{_terms(result)}{_within(result)}Orders are worked through by {execution.engine}.",
        f"Intervals are {_level(result)} and allow for returns that depend on each other and for "
        f"volatility that clusters. They do not correct for the "
        f"{plural(result.provenance.trials, 'trial')} of this run. Volatility and drawdown have "
        "none: no interval of them covers where volatility clusters.",
    )
    tables = (_metrics(result), _by_regime(result))
    figures = (equity_figure(result),)
    return Section("equity", "Equity", text, figures=figures, tables=tables)


def _level(result: BacktestResult) -> str:
    return interval_heading(result.provenance.level).removesuffix(" interval")


def _costs(result: BacktestResult) -> str:
    execution, sign = result.execution, currency_sign(result.data.currency)
    parts = [
        f"fees {fixed(execution.fees_bps, 1)} bp",
        f"slippage {fixed(execution.slippage_bps, 1)} bp",
    ]
    if execution.fixed_per_share:
        lot = "contract" if execution.lot in ("ES", "MES") else "share"
        parts.append(f"{sign}{fixed(execution.fixed_per_share, 4)} per {lot}")
    if execution.half_spread:
        half = execution.half_spread
        stated = f"series {half}" if isinstance(half, str) else f"{fixed(half, 4)} points"
        parts.append(f"half-spread {stated}")
    return ", ".join(parts)


def _terms(result: BacktestResult) -> str:
    """Return what accrues and what limits orders, in one sentence; nothing where neither does."""
    execution = result.execution
    rates = [
        (f"cash earns {_rate(execution.cash_rate)}", execution.cash_rate),
        (f"borrowed money costs {_rate(execution.financing_rate)}", execution.financing_rate),
        (f"borrowed shares cost {_rate(execution.borrow_rate)}", execution.borrow_rate),
        (f"dividends are those of series {execution.dividends}", execution.dividends),
        (f"whole lots of {execution.lot}", execution.lot),
        (f"a stop {_rate(execution.stop_loss or 0.0)} from the price paid", execution.stop_loss),
        (f"profits taken {_rate(execution.take_profit or 0.0)} from it", execution.take_profit),
        (f"positions end after {execution.max_holding} bars", execution.max_holding),
        (
            f"leverage up to {fixed(execution.max_leverage, 2)}",
            None if execution.max_leverage == 1.0 else execution.max_leverage,
        ),
    ]
    said = [text for text, setting in rates if setting]
    return f"Beyond the fills: {'; '.join(said)}. " if said else ""


def _rate(value: float | str) -> str:
    return f"series {value}" if isinstance(value, str) else percent(value, 2)


def _within(result: BacktestResult) -> str:
    names = [name for name, strategy in result.strategies.items() if strategy.spec.within]
    if not names:
        return ""
    return (
        f"Decided within the session, filled at the next intraday bar's open and flat at every "
        f"close: {', '.join(names)}. "
    )


def equity_figure(result: BacktestResult) -> Figure:
    """Return growth of 1 for every strategy, the main one in front, and its drawdown below."""
    named, others = _apart(result)
    lines = [
        _growth(strategy, SERIES[i % len(SERIES)], 2.4 if i == 0 else 1.3)
        for i, strategy in enumerate(named)
    ]
    main = result.main.equity
    fall = (main / main.cummax() - 1.0).mul(100.0)
    below = line(_days(fall), fall.tolist(), "drawdown", "series-1", 1.0) | {
        "yaxis": "y2",
        "fill": "tozeroy",
        "fillcolor": "css:soft",
        "showlegend": False,
        "hovertemplate": "drawdown %{y:.1f} %<extra></extra>",
    }
    for again in lines[len(SERIES) :]:  # a colour that is there already
        again["line"]["dash"] = "dot"
    # drawn last lies on top
    data = [*_band(others), *lines[1:], lines[0], below]
    shape = layout(
        xaxis=axis(anchor="y2", showgrid=False, type="date"),
        yaxis=axis("growth of 1", domain=[0.32, 1]),
        yaxis2=axis("drawdown, %", domain=[0, 0.24]),
    )
    caption = f"Growth of 1, net of costs; below, the drawdown of {result.main.spec.name}."
    if others:
        shape["legend"]["traceorder"] = "normal"  # a band turns it round
        caption += (
            f" The band holds the {count(len(others))} strategies that are not named: beside it "
            "are the first ones and those that ended highest and lowest."
        )
    return Figure("fig-equity", _grown(result), caption, figure(data, shape), 480)


def _apart(
    result: BacktestResult,
) -> tuple[Sequence[StrategyResult], Sequence[StrategyResult]]:
    """Return the strategies that have a line of their own, the main one first, and the rest."""
    every = list(result.strategies.values())
    if len(every) <= _LINES or not len(result.main.equity):
        return every, []
    named = every[: _LINES - 2]
    ends = sorted(every[_LINES - 2 :], key=lambda s: float(s.equity.iloc[-1]))
    return [*named, ends[-1], ends[0]], ends[1:-1]


def _band(strategies: Sequence[StrategyResult]) -> list[dict[str, Any]]:
    """Return the lowest and the highest of many equities with what lies between filled."""
    if not strategies:
        return []
    table = pd.concat([s.equity / s.equity.iloc[0] for s in strategies], axis=1)
    name = f"{count(len(strategies))} others"
    low, high = (
        line(_days(edge), edge.tolist(), name, "series-6", 0.0)
        | {"showlegend": False, "hovertemplate": f"{word} of the others %{{y:.3f}}<extra></extra>"}
        for word, edge in (("lowest", table.min(axis=1)), ("highest", table.max(axis=1)))
    )
    return [low, high | {"fill": "tonexty", "fillcolor": "css:soft", "showlegend": True}]


def _grown(result: BacktestResult) -> str:
    """Return what became of 1 and the deepest drawdown, in a sentence."""
    equity, name = result.main.equity, result.main.spec.name
    if not len(equity):
        return f"{name} has no session."
    fall = percent(abs(result.main.metrics.max_drawdown))
    return f"{name} made {fixed(equity.iloc[-1] / equity.iloc[0])} of 1; deepest drawdown {fall}."


def _growth(strategy: StrategyResult, colour: str, width: float) -> dict[str, Any]:
    equity = strategy.equity
    growth = (equity / equity.iloc[0]).tolist() if len(equity) else []
    hover = {"hovertemplate": "%{y:.3f}", "legendrank": 1 if strategy.role == "main" else 2}
    return line(_days(equity), growth, strategy.spec.name, colour, width) | hover


def _days(series: pd.Series[float]) -> list[str]:
    return [day(session) for session in series.index]


def _metrics(result: BacktestResult) -> Table:
    columns = (
        text_column("Strategy"),
        Column("Sharpe"),
        Column(interval_heading(result.provenance.level)),
        Column("CAGR"),
        Column("Volatility", "a year"),
        Column("Max. drawdown"),
        Column("Turnover", "× a year"),
        Column("Exposure", "mean"),
        Column("Trades"),
        Column("Break-even", "bp a side"),
    )
    rows = tuple(_metrics_row(strategy) for strategy in result.strategies.values())
    note = (
        "Sharpe: mean over standard deviation of session returns, annualised with "
        f"{result.data.sessions_per_year} sessions, no risk-free rate. Break-even: "
        "the cost per side at which the gross profit would be gone."
    )
    return Table("tab-metrics", "Performance, net of costs", columns, rows, note)


def _metrics_row(strategy: StrategyResult) -> Row:
    m = strategy.metrics
    cells = (
        strategy.spec.name,
        fixed(m.sharpe),
        interval(m.sharpe_low, m.sharpe_high),
        percent(m.cagr, sign=True),
        percent(m.volatility),
        percent(m.max_drawdown),
        fixed(m.turnover, 1),
        percent(m.exposure, 0),
        count(m.trades),
        fixed(m.break_even_bps, 1),
    )
    return Row(cells, strong=strategy.role == "main")


def _by_regime(result: BacktestResult) -> Table:
    columns = (
        text_column("Regime at the decision"),
        Column("Sessions"),
        Column("Exposure", "mean"),
        Column("Mean return", "bp a session"),
        Column("Sharpe"),
        Column("Total return"),
    )
    rows = tuple(
        Row(
            (
                words.regime(name),
                count(p.sessions),
                percent(p.exposure, 0),
                signed(p.mean_bps, 1),
                fixed(p.sharpe),
                percent(p.total_return, sign=True),
            ),
            words.tone(name),
        )
        for name, p in result.main.by_regime.items()
    )
    note = about_earned(result)
    return Table("tab-by-regime", f"{result.main.spec.name} by regime", columns, rows, note)


#: With fewer sessions no ratio is worth reading.
_FEWEST = 10


def about_earned(result: BacktestResult) -> str:
    """Return what must be known of returns by regime: earned before a fill, or few sessions."""
    earned = result.main.by_regime
    flat = [name for name, p in earned.items() if p.exposure == 0 and abs(p.mean_bps) > 0]
    few = [name for name, p in earned.items() if 0 < p.sessions < _FEWEST]
    said = []
    if flat:
        named = joined(words.regime(name) for name in flat)
        said.append(
            f"No position is taken after {named} sessions: what they show was earned, or paid, "
            "until the fill that closed the one before."
        )
    if few:
        named = joined(f"{words.regime(n)} ({plural(earned[n].sessions, 'session')})" for n in few)
        said.append(f"Too few to read a ratio from: {named}.")
    return " ".join(said)


def trades_section(result: BacktestResult) -> Section:
    """Return all trades of the main strategy, newest first."""
    trades = result.main.trades
    text = (
        f"{plural(len(trades), 'trade')} of {result.main.spec.name}; newest "
        "first. The trades of all strategies are in trades.parquet.",
    )
    unit = currency_sign(result.data.currency).strip()
    columns = (
        text_column("Opened"),
        text_column("Closed"),
        text_column("Regime"),
        text_column("Direction"),
        Column("Shares"),
        Column("Entry", "points"),
        Column("Exit", "points"),
        Column("Fees", unit),
        Column("Result", unit),
        Column("Return"),
    )
    rows = tuple(_trade(row) for row in trades.iloc[::-1].to_dict("records"))
    return Section(
        "trades",
        "Trades",
        text,
        tables=(Table("tab-trades", "Trades, newest first", columns, rows),),
    )


def _trade(trade: dict[Any, Any]) -> Row:
    still_open = str(trade["status"]).lower() == "open"
    cells = (
        day(trade["opened"]),
        "open" if still_open else day(trade["closed"]),
        words.regime(str(trade["regime"])),
        str(trade["direction"]).lower(),
        fixed(trade["size"], 1),
        level(trade["entry_price"]),
        level(trade["exit_price"]),
        fixed(trade["fees"]),
        signed(trade["pnl"], 0),
        percent(trade["return"], 2, sign=True),
    )
    return Row(cells, words.tone(str(trade["regime"])))
