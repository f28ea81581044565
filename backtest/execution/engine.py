"""The one adapter to vectorbt: targets in, equity and orders out.

vectorbt trades on the bar that it is given, so that shifting decisions to their fills is done
before (`timing`) and checked here: the engine refuses an order that knew too much. Every setting
is passed explicitly, because vectorbt keeps mutable global defaults, and importing it leaves the
process's warning filters as they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import InputFileError, use_fallback_cache
from .timing import OrderPlan, Schedule, require_known, without_dust

if TYPE_CHECKING:
    from .costs import Costs

__all__ = ["Simulation", "engine_name", "engine_version", "simulate", "simulated_orders"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a portfolio did.

    Attributes
    ----------
    equity : DataFrame, shape (sessions, strategies)
        Cash and holdings at each session's close, currency.
    shares : DataFrame, shape (sessions, strategies)
        Held after each session, signed.
    orders : DataFrame
        One row per fill: ``strategy`` (position), ``row`` (bar), ``size`` (signed shares),
        ``price`` (slippage included), ``fees``.
    round_trips : DataFrame
        One row per position from opening to closing: ``strategy, size, entry_row, entry_price,
        exit_row, exit_price, fees, pnl, return, direction, status``.
    """

    equity: pd.DataFrame
    shares: pd.DataFrame
    orders: pd.DataFrame
    round_trips: pd.DataFrame


def engine_version() -> str:
    """Return the version of the library that simulates orders."""
    return str(_vectorbt().__version__)


def engine_name() -> str:
    """Return the library, its version and its kernel, e.g. ``vectorbt 1.2.0 (rust)``.

    Returns
    -------
    str
    """
    return f"vectorbt {engine_version()} ({_kernel()})"


def simulate(
    plans: Sequence[OrderPlan],
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
) -> Simulation:
    """Simulate one portfolio per plan.

    Parameters
    ----------
    plans : sequence of OrderPlan
    bars : DataFrame
        ``open, close`` by session, the sessions of the schedule.
    schedule : Schedule
    costs : Costs
    cash : float
        Initial capital of each portfolio.

    Raises
    ------
    LookAheadError
        If an order's inputs were not yet known.
    InputFileError
        If an order would fill at a price that the bars do not have.

    Notes
    -----
    A target is a share of the equity at the fill's own price. Holdings are marked at the close.
    Long positions are limited by cash; short ones are not limited, and are brought back to their
    target at every fill. A portfolio whose equity is gone sends no further orders.

    A target smaller than `timing.SMALLEST_POSITION` is flat. Shares, or cash, left over by a fill
    that are less than a billionth of what it moved are rounding and count as zero, so that a
    position which is closed is closed.
    """
    for plan in plans:
        require_known(plan, schedule)
    price = bars["open" if schedule.fill == "next_open" else "close"].to_numpy(dtype=float)
    targets = np.column_stack([without_dust(plan.target) for plan in plans])
    _require_prices(price, targets, schedule)
    names = [plan.name for plan in plans]
    close = pd.DataFrame(
        np.repeat(bars["close"].to_numpy(dtype=float)[:, None], len(names), axis=1),
        index=bars.index,
        columns=names,
    )
    with _quiet():
        portfolio = _from_orders(close, targets, price, costs, cash)
        return Simulation(
            equity=_frame(portfolio.value(), close),
            shares=_frame(portfolio.assets(), close),
            orders=_orders(portfolio.orders.values),
            round_trips=_round_trips(portfolio.get_positions().values),
        )


def simulated_orders(
    targets: Floats, bars: pd.DataFrame, schedule: Schedule, costs: Costs, cash: float
) -> npt.NDArray[Any]:
    """Return the fills of many portfolios at once, as vectorbt records them.

    Parameters
    ----------
    targets : ndarray, shape (sessions, portfolios)
        Of plans whose inputs were checked (`timing.require_known`); NaN where no order goes out.
    bars, schedule, costs, cash
        As for `simulate`, whose fills these are.

    Returns
    -------
    ndarray of records
        ``col, idx, size, price, fees, side`` (0 buys), by portfolio and bar.
    """
    price = bars["open" if schedule.fill == "next_open" else "close"].to_numpy(dtype=float)
    clean = without_dust(targets)
    _require_prices(price, clean, schedule)
    columns = np.broadcast_to(bars["close"].to_numpy(dtype=float)[:, None], clean.shape)
    with _quiet():
        portfolio = _from_orders(pd.DataFrame(columns, index=bars.index), clean, price, costs, cash)
        records: npt.NDArray[Any] = portfolio.orders.values
    return records


def _from_orders(
    close: pd.DataFrame, targets: Floats, price: Floats, costs: Costs, cash: float
) -> Any:
    # a price is needed on every bar, if only to be ignored where there is no order
    filled = np.where(np.isnan(price), close.to_numpy()[:, 0], price)[:, None]
    return _vectorbt().Portfolio.from_orders(
        close,
        size=targets,
        size_type="targetpercent",
        direction="both",
        price=filled,
        val_price=np.inf,  # value holdings at the order's own price when sizing
        fees=costs.fee_rate(filled),
        fixed_fees=0.0,
        slippage=costs.slippage,
        min_size=0.0,
        max_size=np.inf,
        size_granularity=np.nan,
        reject_prob=0.0,
        lock_cash=False,
        allow_partial=True,
        raise_reject=False,
        log=False,
        init_cash=float(cash),
        cash_sharing=False,
        call_seq="default",
        ffill_val_price=True,
        update_value=False,
        group_by=False,
        attach_call_seq=False,
        freq="1D",
        engine=_kernel(),
    )


def _require_prices(price: Floats, targets: Floats, schedule: Schedule) -> None:
    lacking = np.isnan(price) & ~np.isnan(targets).all(axis=1)
    if lacking.any():
        session = schedule.sessions[int(np.flatnonzero(lacking)[0])].date()
        raise InputFileError(
            f"the bar of {session} has no open, but an order fills there: complete the bars or "
            'fill at the close (execution.fill = "next_close")'
        )


def _frame(values: Any, like: pd.DataFrame) -> pd.DataFrame:
    table = np.asarray(values, dtype=np.float64).reshape(like.shape)
    return pd.DataFrame(table, index=like.index, columns=like.columns)


def _orders(records: npt.NDArray[Any]) -> pd.DataFrame:
    sign = np.where(records["side"] == 0, 1.0, -1.0)
    return pd.DataFrame(
        {
            "strategy": records["col"],
            "row": records["idx"],
            "size": sign * records["size"],
            "price": records["price"],
            "fees": records["fees"],
        }
    )


def _round_trips(records: npt.NDArray[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "strategy": records["col"],
            "size": records["size"],
            "entry_row": records["entry_idx"],
            "entry_price": records["entry_price"],
            "exit_row": records["exit_idx"],
            "exit_price": records["exit_price"],
            "fees": records["entry_fees"] + records["exit_fees"],
            "pnl": records["pnl"],
            "return": records["return"],
            "direction": np.where(records["direction"] == 0, "long", "short"),
            "status": np.where(records["status"] == 0, "open", "closed"),
        }
    )


def _vectorbt() -> Any:
    """Import vectorbt without letting it change the process's warning filters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        use_fallback_cache("vectorbt")
        import vectorbt
    return vectorbt


def _kernel() -> str:
    """Return the kernel to use: the Rust one where it is installed in the same version."""
    _vectorbt()
    from vectorbt._engine import is_rust_available

    return "rust" if is_rust_available() else "numba"


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what vectorbt itself would hide for good: numba's notes on first-class functions."""
    with warnings.catch_warnings():
        from numba.core.errors import NumbaExperimentalFeatureWarning

        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        yield
