"""The ledger of orders: each with everything that it takes to compute it again by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import NOISE
from ...strategies import RULED
from .account import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...strategies import Component, Evaluation, Past, Strategy
    from .account import Account
    from .costs import Costs
    from .terms import Terms

__all__ = ["columns_of", "inputs_table", "ledger_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Traded(Protocol):
    """What was traded, at which costs and terms."""

    @property
    def costs(self) -> Costs: ...

    @property
    def terms(self) -> Terms: ...


def ledger_of(
    table: pd.DataFrame, orders: pd.DataFrame, trading: Traded, account: Account | None
) -> pd.DataFrame:
    """Return the ledger of one strategy.

    Parameters
    ----------
    table : DataFrame
        Its orders as results show them, one row a fill.
    orders : DataFrame
        The same fills as the engine gives them, in the same order.
    trading : Traded
        Its costs and terms.
    account : Account or None
        Where something accrues or limits.
    """
    costs, terms = trading.costs, trading.terms
    row = orders["row"].to_numpy()
    size, price = orders["size"].to_numpy(dtype=float), orders["price"].to_numpy(dtype=float)
    before, held = (orders[c].to_numpy(dtype=float) for c in ("cash_before", "shares_before"))
    left = _rounded(before - size * price - orders["fees"].to_numpy(dtype=float), before)
    cause = orders["cause"].to_numpy()
    target = np.clip(table["target"].to_numpy(float), -terms.max_leverage, terms.max_leverage)
    found = table.drop(columns=["target", "size", "price", "fees"]).assign(
        order=np.arange(1, len(table) + 1),
        cause=np.array(CAUSES, dtype=object)[cause],
        target=np.where(cause > 0, 0.0, target),
        bar_price=orders["bar_price"].to_numpy(dtype=float),
        cash_before=before,
        shares_before=held,
        equity_before=orders["worth"].to_numpy(dtype=float),
        fees_bps=costs.fees_bps,
        fixed=costs.fixed_per_share / terms.unit,
        slippage_bps=costs.slippage_bps,
        half_spread=terms.half_spread[row],
        lot=terms.lot,
        max_leverage=terms.max_leverage,
        size=size,
        price=price,
        fees=orders["fees"].to_numpy(dtype=float),
        cash_after=left,
        shares_after=_rounded(held + size, held),
    )
    for name in ("interest", "borrowing", "dividends"):
        found[name] = 0.0 if account is None else _since_last(getattr(account, name), row)
    return found


def _rounded(values: Floats, before: Floats) -> Floats:
    """Return amounts with those that are rounding as 0."""
    return np.where(np.abs(values) <= 1e-9 * np.maximum(np.abs(before), NOISE), 0.0, values)


def _since_last(accrued: Floats, row: Ints) -> Floats:
    """Return what accrued after the previous fill's session, up to each fill's."""
    total = np.cumsum(accrued)[row]
    return np.diff(np.append(0.0, total))


def columns_of(component: Component) -> Iterator[Past]:
    """Yield what a component reads, that of its parts included."""
    for past in component.inputs().values():
        if isinstance(past.of, str):
            yield past
        else:
            yield from columns_of(past.of)


def inputs_table(
    evaluations: Iterable[tuple[str, Evaluation, Iterable[Strategy]]],
) -> pd.DataFrame:
    """Return every value that strategies may have read, with the moment at which it was public.

    Parameters
    ----------
    evaluations : iterable of (str, Evaluation, strategies)
        Whose rows they are: ``session`` or ``bar``.

    Returns
    -------
    DataFrame
        ``clock, row, column, value, known_at``; a value that is missing, or was known long
        before, has no moment.
    """
    frames = []
    for clock, evaluation, strategies in evaluations:
        read = {
            past.of
            for strategy in strategies
            for part in (strategy.filter, *map(strategy.rule, RULED), strategy.sizing)
            for past in columns_of(part)
        }
        panel = evaluation.panel
        for name in sorted(str(column) for column in read):
            if name not in panel.columns:  # of the other clock
                continue
            column = panel.columns[name]
            known = np.where(column.scheduled, np.datetime64("NaT", "ns"), column.known_at)
            there = np.isfinite(column.values)
            frames.append(
                pd.DataFrame(
                    {
                        "clock": clock,
                        "row": panel.sessions[there],
                        "column": name,
                        "value": column.values[there],
                        "known_at": pd.DatetimeIndex(known[there], tz="UTC"),
                    }
                )
            )
    names = ["clock", "row", "column", "value", "known_at"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=names)
