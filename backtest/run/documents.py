"""The files that a backtest leaves: ``results.json``, and tables of trades, orders and equity.

Two runs of one configuration on the same inputs write the same bytes, except for the time
stamps in ``provenance``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...data import defused_frame, plain, published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .results import BacktestResult, Estimate, StrategyResult

__all__ = [
    "equity_table",
    "ledger_table",
    "orders_table",
    "results_document",
    "trades_table",
    "write_result_files",
    "write_results",
]


def results_document(result: BacktestResult) -> dict[str, Any]:
    """Return what ``results.json`` says, as plain values; undefined is None, never 0.

    Parameters
    ----------
    result : BacktestResult

    Returns
    -------
    dict of str to object
    """
    document = {
        "data": asdict(result.data),
        "regime": _regime(result),
        "execution": asdict(result.execution),
        "strategies": {name: _strategy(s) for name, s in result.strategies.items()},
        "volatility": _volatility(result.volatility.by_regime),
        "volatility_by_quantile": {
            name: [asdict(cell) for cell in cells]
            for name, cells in result.volatility.by_quantile.items()
        },
        "volatility_ratio": {
            name: _estimates(horizons) for name, horizons in result.volatility.ratio.items()
        },
        "range_efficiency": _estimates(result.volatility.range_efficiency),
        "next_return_sd_by_quantile": list(result.next_return_sd_by_quantile),
        "vix_return_sd_by_quantile": result.vix_return_sd_by_quantile,
        "autocorrelation": {
            label: {"lag1": e.value, "low": e.low, "high": e.high, "n": e.n}
            for label, e in result.autocorrelation.items()
        },
        "no_interval": _no_interval(result),
        "notices": [asdict(notice) for notice in result.notices],
        "provenance": asdict(result.provenance),
    }
    found: dict[str, Any] = plain(document)
    return found


def _regime(result: BacktestResult) -> dict[str, Any]:
    regime = result.regime
    return {
        "source": regime.source,
        "name": regime.name,
        "known": regime.known,
        "dealer_model": regime.dealer_model,
        "book": regime.book,
        "definition_id": regime.definition_id,
        "band": regime.band,
        "counts": dict(regime.counts),
        "negative_share_by_year": dict(regime.negative_share_by_year),
        "promoted": {day: list(checks) for day, checks in regime.promoted.items()},
    }


def _strategy(strategy: StrategyResult) -> dict[str, Any]:
    by_regime = {label: asdict(part) for label, part in strategy.by_regime.items()}
    spec = asdict(strategy.spec)
    return {**asdict(strategy.metrics), "role": strategy.role, "by_regime": by_regime, "spec": spec}


def _volatility(by_regime: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        name: {label: asdict(cell) for label, cell in cells.items()}
        for name, cells in by_regime.items()
    }


def _estimates(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in asdict(estimate).items() if key != "reason"}
        for name, estimate in estimates.items()
    }


def _no_interval(result: BacktestResult) -> dict[str, str]:
    """Return why an estimate has no interval, by its place in the document."""
    volatility = result.volatility
    found = {
        "autocorrelation": result.autocorrelation,
        "range_efficiency": volatility.range_efficiency,
        **{f"volatility_ratio.{name}": horizons for name, horizons in volatility.ratio.items()},
    }
    return {
        f"{place}.{name}": estimate.reason
        for place, estimates in found.items()
        for name, estimate in estimates.items()
        if estimate.reason
    }


def trades_table(result: BacktestResult) -> pd.DataFrame:
    """Return the round trips of all strategies, one row each, with a column ``strategy``."""
    return _stacked({name: s.trades for name, s in result.strategies.items()})


def orders_table(result: BacktestResult) -> pd.DataFrame:
    """Return the fills of all strategies, one row each, with a column ``strategy``."""
    return _stacked({name: s.orders for name, s in result.strategies.items()})


def ledger_table(result: BacktestResult) -> pd.DataFrame:
    """Return the ledgers of all strategies, one row a fill, with a column ``strategy``."""
    return _stacked({name: s.ledger for name, s in result.strategies.items()})


def equity_table(result: BacktestResult) -> pd.DataFrame:
    """Return ``strategy, session, equity, return, position``, one row per session.

    The return of the first session is NaN: there is no close before it.
    """
    return _stacked(
        {
            name: pd.DataFrame(
                {
                    "session": s.equity.index,
                    "equity": s.equity.to_numpy(),
                    "return": s.returns.reindex(s.equity.index).to_numpy(),
                    "position": s.positions.to_numpy(),
                }
            )
            for name, s in result.strategies.items()
        }
    )


def _stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    named = []
    for name, table in tables.items():
        copy = table.copy()
        copy.insert(0, "strategy", name)
        named.append(copy)
    return pd.concat(named, ignore_index=True)


def write_results(result: BacktestResult, out: Path) -> None:
    """Write the files of a backtest into a folder, all at once.

    Parameters
    ----------
    result : BacktestResult
    out : Path
        The folder; one that exists is replaced as a whole.

    Raises
    ------
    InputFileError
        If the folder cannot be made or written to.
    """
    with published(out) as stage:
        write_result_files(result, stage)


def write_result_files(result: BacktestResult, out: Path) -> None:
    """Write the files of a backtest into a folder that `published` gave.

    Parameters
    ----------
    result : BacktestResult
    out : Path
        The folder.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    text = json.dumps(results_document(result), indent=2, ensure_ascii=False, allow_nan=False)
    (out / "results.json").write_text(text + "\n", encoding="utf-8")
    for name, table in (
        ("trades", trades_table(result)),
        ("orders", orders_table(result)),
        ("equity", equity_table(result)),
        ("ledger", ledger_table(result)),
        ("inputs", result.inputs),
    ):
        # kept in the file: pandas.read_parquet(...).attrs
        table.attrs = {
            "definition_id": result.provenance.definition_id,
            "content_id": result.provenance.content_id,
        }
        table.to_parquet(out / f"{name}.parquet", index=False)
    ledger = defused_frame(ledger_table(result))  # names are the user's
    ledger.to_csv(out / "ledger.csv", index=False, float_format="%.17g")
