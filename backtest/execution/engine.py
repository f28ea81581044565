"""The one adapter to vectorbt: targets in, equity and orders out.

vectorbt trades on the bar that it is given, so that shifting decisions to their fills is done
before (`timing`) and checked here: the engine refuses an order that knew too much. Every setting
is passed explicitly, because vectorbt keeps mutable global defaults, and importing it leaves the
process's warning filters as they were. What it has no argument for (interest, borrowing,
dividends, lots, stops, a cap on leverage) is kept in an account of our own, which gives the sizes
that vectorbt then fills (`account`).
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
from .account import PHASES, Account, Prices, account_of
from .records import frame_like, orders_of, round_trips_of, with_state
from .terms import plain_terms
from .timing import OrderPlan, Schedule, require_known, without_dust

if TYPE_CHECKING:
    from .costs import Costs
    from .terms import Terms

__all__ = [
    "Simulation",
    "accounts",
    "engine_name",
    "engine_version",
    "portfolio",
    "simulate",
    "simulated_orders",
]

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
        ``price`` (slippage included), ``fees``, ``cause`` (see `account.CAUSES`), ``bar_price``,
        and just before it ``cash_before, shares_before, worth``.
    round_trips : DataFrame
        One row per position from opening to closing: ``strategy, size, entry_row, entry_price,
        exit_row, exit_price, fees, pnl, return, direction, status``; of fills alone, whatever
        accrues in between.
    accounts : tuple of Account
        One per strategy; none where nothing accrues and nothing but the kernel limits orders.
    """

    equity: pd.DataFrame
    shares: pd.DataFrame
    orders: pd.DataFrame
    round_trips: pd.DataFrame
    accounts: tuple[Account, ...] = ()


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
    terms: Terms | None = None,
) -> Simulation:
    """Simulate one portfolio per plan.

    Parameters
    ----------
    plans : sequence of OrderPlan
    bars : DataFrame
        ``open, high, low, close`` by session, the sessions of the schedule; ``at_fill`` too, and
        the ranges around it, where orders fill at a stated bar (see `stated_bars`).
    schedule : Schedule
    costs : Costs
    cash : float
        Initial capital of each portfolio.
    terms : Terms, optional
        What accrues and what limits orders; nothing where left out.

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
    held_to = terms or plain_terms(len(bars))
    names = [plan.name for plan in plans]
    wanted = np.column_stack([plan.wanted for plan in plans])
    if not held_to.within_kernel(wanted):
        kept = accounts(wanted, bars, schedule, costs, cash, held_to)
        return _of_accounts(kept, names, bars, schedule, costs, cash, held_to)
    price = _fill_prices(bars, schedule)
    targets = np.column_stack([without_dust(plan.target) for plan in plans])
    _require_prices(price, targets, schedule)
    close = pd.DataFrame(
        np.repeat(bars["close"].to_numpy(dtype=float)[:, None], len(names), axis=1),
        index=bars.index,
        columns=names,
    )
    with _quiet():
        found = _from_orders(close, targets, price, costs, cash, held_to)
        shares, money = frame_like(found.assets(), close), np.asarray(found.cash())
        return Simulation(
            equity=frame_like(found.value(), close),
            shares=shares,
            orders=with_state(orders_of(found.orders.values), price, shares, money, cash),
            round_trips=round_trips_of(found.get_positions().values),
        )


def simulated_orders(
    targets: Floats,
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms | None = None,
) -> npt.NDArray[Any]:
    """Return the fills of many portfolios at once, as vectorbt records them.

    Parameters
    ----------
    targets : ndarray, shape (sessions, portfolios)
        Of plans whose inputs were checked (`timing.require_known`); NaN where no order goes out.
    bars, schedule, costs, cash, terms
        As for `simulate`, whose fills these are; of the terms only the spread acts here.

    Returns
    -------
    ndarray of records
        ``col, idx, size, price, fees, side`` (0 buys), by portfolio and bar.
    """
    price = _fill_prices(bars, schedule)
    clean = without_dust(targets)
    _require_prices(price, clean, schedule)
    columns = np.broadcast_to(bars["close"].to_numpy(dtype=float)[:, None], clean.shape)
    close = pd.DataFrame(columns, index=bars.index, copy=False)
    with _quiet():
        found = _from_orders(close, clean, price, costs, cash, terms or plain_terms(len(bars)))
        records: npt.NDArray[Any] = found.orders.values
    return records


def accounts(
    targets: Floats,
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms,
) -> tuple[Account, ...]:
    """Return the account of each column of targets, under terms that the kernel cannot know.

    Parameters
    ----------
    targets : ndarray, shape (sessions, portfolios)
        Of all decisions, idle ones included; NaN where there is none.
    bars, schedule, costs, cash, terms
        As for `simulate`.
    """
    prices = _prices(bars, schedule, terms)
    clean = without_dust(targets)
    _require_prices(prices.fill, clean, schedule)
    return tuple(
        account_of(np.ascontiguousarray(column), prices, costs, terms, cash) for column in clean.T
    )


def portfolio(
    plan: OrderPlan,
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms | None = None,
) -> Any:
    """Return vectorbt's own ``Portfolio`` of a plan.

    Its fills are those of `simulate`. It knows nothing of what accrues: under terms with
    interest or dividends its value is that of the fills alone, and where positions can be closed
    within a bar it has three rows a session (before the order's moment, at it, after it).

    Parameters
    ----------
    plan, bars, schedule, costs, cash, terms
        As for `simulate`.
    """
    require_known(plan, schedule)
    held_to = terms or plain_terms(len(bars))
    with _quiet():
        if held_to.within_kernel(plan.wanted):
            price, close = (
                _fill_prices(bars, schedule),
                bars[["close"]].set_axis([plan.name], axis=1),
            )
            return _from_orders(
                close, without_dust(plan.target)[:, None], price, costs, cash, held_to
            )
        kept = accounts(plan.wanted[:, None], bars, schedule, costs, cash, held_to)
        return _from_amounts(kept, [plan.name], bars, schedule, costs, cash, held_to)


def _fill_prices(bars: pd.DataFrame, schedule: Schedule) -> Floats:
    column = {"next_open": "open", "next_close": "close", "same_close": "close"}
    return bars[column.get(schedule.fill, "at_fill")].to_numpy(dtype=float)


def _prices(bars: pd.DataFrame, schedule: Schedule, terms: Terms) -> Prices:
    """Return prices with the ranges before and after the moment at which orders fill."""
    fill, nothing = _fill_prices(bars, schedule), np.full(len(bars), np.nan)
    opened, close = (bars[name].to_numpy(dtype=float) for name in ("open", "close"))
    if not terms.stops:
        return Prices(fill, opened, close, nothing, nothing, nothing, nothing)
    for name in ("open", "high", "low"):
        lacking = np.flatnonzero(np.isnan(bars[name].to_numpy(dtype=float)))
        if lacking.size:
            session = schedule.sessions[int(lacking[0])].date()
            raise InputFileError(
                f"the bar of {session} has no {name}, by which exits within a bar are found: "
                "complete the bars, or leave out execution.stop_loss and execution.take_profit"
            )
    high, low = (bars[name].to_numpy(dtype=float) for name in ("high", "low"))
    if schedule.fill == "next_open":
        return Prices(fill, opened, close, nothing, nothing, high, low)
    if schedule.fill in ("next_close", "same_close"):
        return Prices(fill, opened, close, high, low, nothing, nothing)
    around = ("high_before", "low_before", "high_after", "low_after")
    return Prices(fill, opened, close, *(bars[name].to_numpy(dtype=float) for name in around))


def _of_accounts(
    kept: Sequence[Account],
    names: list[str],
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms,
) -> Simulation:
    """Return a simulation whose sizes come from accounts, and whose fills from vectorbt."""
    phases = PHASES if terms.stops else 1
    with _quiet():
        found = _from_amounts(kept, names, bars, schedule, costs, cash, terms)
        orders = orders_of(found.orders.values)
        trips = round_trips_of(found.get_positions().values)
    for column in ("entry_row", "exit_row"):
        trips[column] //= phases
    orders["row"] //= phases
    orders["cause"] = np.concatenate([a.cause for a in kept])
    for name, values in (
        ("bar_price", [a.bar_price for a in kept]),
        ("cash_before", [a.cash_before for a in kept]),
        ("shares_before", [a.shares_before for a in kept]),
        ("worth", [a.worth for a in kept]),
    ):
        orders[name] = np.concatenate(values)
    like = pd.DataFrame(np.empty((len(bars), len(names))), index=bars.index, columns=names)
    return Simulation(
        equity=frame_like(np.column_stack([a.equity for a in kept]), like),
        shares=frame_like(np.column_stack([a.shares for a in kept]), like),
        orders=orders,
        round_trips=trips,
        accounts=tuple(kept),
    )


def _from_amounts(
    kept: Sequence[Account],
    names: list[str],
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms,
) -> Any:
    """Return vectorbt's portfolio of stated amounts; a session is one row, or three with stops."""
    from vectorbt.portfolio.enums import InitCashMode

    prices = _prices(bars, schedule, terms)
    phases, n = (PHASES if terms.stops else 1), len(bars)
    index = bars.index.repeat(phases)
    price = np.repeat(prices.close[:, None], phases, axis=1)
    sizes = np.full((n, phases, len(names)), np.nan)
    at = np.repeat(price[:, :, None], len(names), axis=2)
    for i, account in enumerate(kept):
        place = (account.row, account.phase if phases > 1 else 0, i)
        sizes[place], at[place] = account.size, account.bar_price
    at = at.reshape(n * phases, len(names))
    spread = np.repeat(terms.half_spread, phases)[:, None]
    found = _vectorbt().Portfolio.from_orders(
        pd.DataFrame(np.repeat(price.reshape(-1, 1), len(names), 1), index=index, columns=names),
        size=sizes.reshape(n * phases, len(names)),
        size_type="amount",
        price=at,
        fees=costs.fees_bps / 1e4 + costs.fixed_per_share / terms.unit / at,
        slippage=costs.slippage + spread / at,
        init_cash=InitCashMode.AutoAlign,  # the accounts have seen to it that money suffices
        **_SETTINGS,
        engine=_kernel(),
    )
    return found.replace(init_cash=np.full(len(names), float(cash)))


#: Every setting that does not depend on the run, said so that no global default acts.
_SETTINGS: dict[str, Any] = {
    "direction": "both",
    "val_price": np.inf,  # value holdings at the order's own price when sizing
    "fixed_fees": 0.0,
    "min_size": 0.0,
    "max_size": np.inf,
    "size_granularity": np.nan,
    "reject_prob": 0.0,
    "lock_cash": False,
    "allow_partial": True,
    "raise_reject": False,
    "log": False,
    "cash_sharing": False,
    "call_seq": "default",
    "ffill_val_price": True,
    "update_value": False,
    "group_by": False,
    "attach_call_seq": False,
    "freq": "1D",
}


def _from_orders(
    close: pd.DataFrame, targets: Floats, price: Floats, costs: Costs, cash: float, terms: Terms
) -> Any:
    # a price is needed on every bar, if only to be ignored where there is no order
    filled = np.where(np.isnan(price), close.to_numpy()[:, 0], price)[:, None]
    wide = bool(terms.half_spread.any())
    return _vectorbt().Portfolio.from_orders(
        close,
        size=targets,
        size_type="targetpercent",
        price=filled,
        fees=costs.fee_rate(filled),
        slippage=costs.slippage + terms.half_spread[:, None] / filled if wide else costs.slippage,
        init_cash=float(cash),
        **_SETTINGS,
        engine=_kernel(),
    )


def _require_prices(price: Floats, targets: Floats, schedule: Schedule) -> None:
    lacking = np.isnan(price)
    if lacking.any():
        lacking &= ~np.isnan(targets).all(axis=1)
    if lacking.any():
        session = schedule.sessions[int(np.flatnonzero(lacking)[0])].date()
        raise InputFileError(
            f"the bar of {session} has no open, but an order fills there: complete the bars or "
            'fill at the close (execution.fill = "next_close")'
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
