"""The main job: regime, strategies, fills, metrics and volatility of one configuration."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data import REGIMES, Progress, silent
from ...strategies import MAIN, strategy, with_controls
from ..execution.costs import Costs
from ..execution.engine import engine_name
from ..execution.intraday import trade_bars
from ..execution.ledger_rows import inputs_table
from ..execution.performance import Trading, evaluate, trade
from ..statistics import realised
from ..statistics.intraday import intraday_grid, realised_variance
from ..statistics.resampling import Resampling
from ..statistics.volatility_by_regime import (
    autocorrelation_by_regime,
    next_return_sd_by_quantile,
    volatility_summary,
)
from .chain_findings import with_findings
from .config import Config
from .documents import write_results
from .findings import fragile_notices, run_findings
from .fragility import fragile_direction, fragile_volatility
from .load_config import load_config
from .load_market import load_market
from .market import Market, summarise_data
from .notices import notices_of, sorted_notices
from .provenance import provenance_of
from .results import BacktestResult, ExecutionSummary, Fragile, RegimeSummary
from .trading_terms import terms_of
from .trials import in_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...strategies import Strategy
    from .strategy_results import StrategyResult

__all__ = [
    "backtest",
    "costs_of",
    "run_backtest",
    "strategies_asked_for",
    "strategies_of",
    "trade_config",
]

_STEPS = 4


def backtest(
    config: Config | str | Path,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    market: Market | None = None,
) -> BacktestResult:
    """Run everything that a configuration asks for.

    Parameters
    ----------
    config : Config, str or Path
        A configuration or the path of its file.
    out : str or Path, optional
        Folder that receives ``results.json``, ``trades.parquet``, ``orders.parquet`` and
        ``equity.parquet``, all at once; None writes nothing.
    progress : Progress, optional
        Called at the beginning of each of four steps, and at the end.
    market : Market, optional
        The configuration's inputs, where they are loaded already; see `load_market`.

    Returns
    -------
    BacktestResult

    Raises
    ------
    ConfigError
        If the configuration is not valid.
    InputFileError, LakeError, DefinitionError, UnknownNameError, NotEnoughDataError
        If an input is absent, cannot be read or is too short.
    LookAheadError
        If an order would have used what was not yet known.
    """
    started = time.perf_counter()
    settings = config if isinstance(config, Config) else load_config(config)
    report = progress or silent
    strategies = strategies_of(settings)
    report(0, _STEPS, "reading data")
    market = load_market(settings, progress=report) if market is None else market
    report(1, _STEPS, "fills")
    trading = trade_config(settings, market, strategies)
    report(2, _STEPS, "statistics")
    result = with_findings(run_backtest(settings, market, trading), settings, market)
    result = in_ledger(result, settings, market, trading.every)
    seconds = time.perf_counter() - started
    result = replace(result, provenance=replace(result.provenance, seconds=seconds))
    if out is not None:
        report(3, _STEPS, "files")
        write_results(result, Path(out))
        result = replace(result, out=Path(out))
    report(_STEPS, _STEPS, "done")
    return result


def strategies_asked_for(config: Config) -> tuple[Strategy, ...]:
    """Return the configured strategies, the main one where none is."""
    return tuple(chosen.build() for chosen in config.strategies) or (strategy(MAIN),)


def strategies_of(config: Config) -> tuple[Strategy, ...]:
    """Return the strategies asked for, followed by the controls, which always run.

    Parameters
    ----------
    config : Config

    Returns
    -------
    tuple of Strategy
    """
    return with_controls(strategies_asked_for(config))


def costs_of(config: Config) -> Costs:
    """Return the costs that a configuration charges."""
    execution = config.execution
    return Costs(execution.fees_bps, execution.slippage_bps, execution.fixed_per_share)


def trade_config(
    config: Config, market: Market, strategies: tuple[Strategy, ...] | None = None
) -> Trading:
    """Decide, order and simulate under a configuration's execution.

    A control that cannot be traded at the configured fill is left out.
    """
    chosen = strategies or strategies_of(config)
    asked = chosen[: len(strategies_asked_for(config))]
    terms = terms_of(config.execution, config.data, market)
    costs, cash = costs_of(config), config.execution.cash
    within = tuple(s for s in chosen if s.intraday)
    trading = trade(
        market,
        tuple(s for s in chosen if not s.intraday),
        config.fill,
        costs,
        cash,
        required=sum(not s.intraday for s in asked),
        terms=terms,
    )
    if not within:
        return trading
    bars = trade_bars(market, within, costs, cash, terms)
    return replace(trading, within=bars, names=tuple(s.name for s in chosen))


def run_backtest(config: Config, market: Market, trading: Trading) -> BacktestResult:
    """Measure what was traded and describe the market; writes nothing."""
    inference = config.inference
    how = Resampling(inference.seed, inference.bootstrap, inference.block, inference.level)
    bars = market.bars[market.tested]
    regime = _regime_of(config, market)
    table = regime.table
    whole = _with_gaps(market, bars)
    value, label = table["value"], table["regime"]
    vix = market.series.get("vix")
    findings = run_findings(config, market)
    strategies = evaluate(trading, bars, how)
    intraday = _intraday_variance(market)
    fragile = _fragile(whole, label, intraday, strategies, how)
    return BacktestResult(
        data=summarise_data(config, market),
        regime=regime,
        execution=_execution(config),
        strategies=strategies,
        volatility=volatility_summary(
            whole,
            label,
            value,
            intraday_variance=intraday,
            resampling=how,
            year=market.facts.sessions_per_year,
        ),
        next_return_sd_by_quantile=next_return_sd_by_quantile(whole["close"], value),
        vix_return_sd_by_quantile=(
            None
            if vix is None
            else next_return_sd_by_quantile(whole["close"], vix["value"].reindex(table.index))
        ),
        autocorrelation=autocorrelation_by_regime(whole["close"], label, resampling=how),
        notices=sorted_notices(
            (*notices_of(config, market, trading, findings), *fragile_notices(fragile))
        ),
        provenance=provenance_of(
            config, market, len(trading.every), datetime.now(UTC), float("nan")
        ),
        bars=bars,
        input_findings=findings,
        inputs=_inputs(trading),
        fragile=fragile,
    )


def _inputs(trading: Trading) -> pd.DataFrame:
    """Return what the strategies may have read, by session and by bar."""
    read = []
    if trading.evaluation is not None:
        read.append(("session", trading.evaluation, trading.every))
    if trading.within is not None:
        read.append(("bar", trading.within.ground.rows.bars, trading.within.strategies))
    return inputs_table(read)


def _fragile(
    bars: pd.DataFrame,
    label: pd.Series[str],
    intraday: pd.Series[float] | None,
    strategies: Mapping[str, StrategyResult],
    how: Resampling,
) -> tuple[Fragile, ...]:
    """Return the answers that fewer than five observations decide."""
    logs = realised.log_bars(*(bars[c].to_numpy() for c in ("open", "high", "low", "close")))
    variance = realised.parkinson(logs)
    if intraday is not None:
        variance = np.asarray(intraday.reindex(bars.index).to_numpy(), dtype=np.float64)
    labels = label.reindex(bars.index).to_numpy(dtype=object)
    short, long = np.asarray(labels == "short"), np.asarray(labels == "long")
    sessions = pd.DatetimeIndex(bars.index)
    main = next(iter(strategies.values()))
    found = (
        fragile_direction(main.returns, how),
        fragile_volatility(variance, short, long, sessions, how),
    )
    return tuple(each for each in found if each is not None)


def _regime_of(config: Config, market: Market) -> RegimeSummary:
    source = market.regime
    sessions = market.sessions.intersection(pd.DatetimeIndex(source.table.index))
    table = source.table.loc[sessions].assign(close=market.closes.loc[sessions])
    labels = table["regime"]
    lake = source.kind == "lake"
    return RegimeSummary(
        source=source.kind,
        name=source.name,
        known=source.known,
        dealer_model=config.regime.dealer_model if lake else None,
        book=config.regime.book if lake else None,
        definition_id=source.definition_id,
        band=config.regime.band if lake else None,
        counts={label: int((labels == label).sum()) for label in REGIMES},
        negative_share_by_year=_negative_shares(table["value"]),
        table=table,
        promoted={
            f"{day:%Y-%m-%d}": checks
            for day, checks in source.promoted.items()
            if day in table.index
        },
    )


def _negative_shares(value: pd.Series[float]) -> dict[int, float]:
    """Return the share of each year's values below zero, of those that are defined."""
    defined = value.dropna()
    years = pd.DatetimeIndex(defined.index).year
    shares = (defined < 0.0).groupby(years).mean()
    return {int(str(year)): float(share) for year, share in shares.items()}


def _execution(config: Config) -> ExecutionSummary:
    execution = config.execution
    return ExecutionSummary(
        fill=config.fill,
        fees_bps=execution.fees_bps,
        slippage_bps=execution.slippage_bps,
        fixed_per_share=execution.fixed_per_share,
        half_spread=execution.half_spread,
        cash_rate=execution.cash_rate,
        financing_rate=execution.financing_rate,
        borrow_rate=execution.borrow_rate,
        dividends=execution.dividends,
        lot=execution.lot,
        stop_loss=execution.stop_loss,
        take_profit=execution.take_profit,
        max_holding=execution.max_holding,
        max_leverage=execution.max_leverage,
        cash=execution.cash,
        engine=engine_name(),
    )


def _with_gaps(market: Market, bars: pd.DataFrame) -> pd.DataFrame:
    """Return the bars with a row of NaN for each session without one: no return spans a gap."""
    days = pd.DatetimeIndex(bars.index).to_numpy().astype("datetime64[D]")
    calendar = market.calendar.sessions
    first, last = np.searchsorted(calendar, days[[0, -1]])
    return bars.reindex(pd.DatetimeIndex(calendar[first : last + 1].astype("datetime64[ns]")))


def _intraday_variance(market: Market) -> pd.Series[float] | None:
    """Return realised variance by session within its hours; None without intraday bars."""
    intraday = market.intraday
    if intraday is None or not intraday.minutes > 0.0:  # NaN where no session has two bars
        return None
    minutes = max(5, round(intraday.minutes))
    grid = intraday_grid(intraday.frame, market.calendar, minutes)
    variance = realised_variance(grid.returns())
    return pd.Series(variance, index=pd.DatetimeIndex(grid.sessions.astype("datetime64[ns]")))
