"""The section ``[execution]``: fills, costs, what accrues in between, what limits orders."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ..execution.terms import LOTS
from .config_sections import Basis
from .section_base import Section

__all__ = ["FILLS", "ExecutionConfig", "Fill", "Rate"]

#: Keys that there were from the beginning; the others count as settings where they are said.
_FIRST: Final = ("fill", "fees_bps", "slippage_bps", "fixed_per_share", "cash")

FILLS: Final = ("next_open", "next_close", "same_close")


def _fill(value: str) -> str:
    if value in FILLS or re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return value
    near = get_close_matches(value, FILLS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "say one of them"
    raise ValueError(
        f"expected {', '.join(map(repr, FILLS))} or HH:MM (an intraday bar of the next session), "
        f"found {value!r}; {hint}"
    )


def _rate(value: float | str) -> float | str:
    if isinstance(value, str) or -0.5 <= value <= 1.0:
        return value
    raise ValueError(f"expected a yearly rate as a decimal (0.05 is 5 %), found {value:g}")


def _lot(value: str | float | None) -> str | float | None:
    if value is None or (isinstance(value, float | int) and value > 0.0) or value in LOTS:
        return value
    raise ValueError(
        f"expected one of {', '.join(LOTS)}, or the units of one contract, found {value!r}"
    )


Fill = Annotated[str, AfterValidator(_fill)]


#: A yearly rate, or the named series that gives it by session.
Rate = Annotated[float | str, AfterValidator(_rate)]


class ExecutionConfig(Section):
    """Fills, costs, and what accrues in between.

    Attributes
    ----------
    fill : str or None
        ``next_open``, ``next_close``, ``same_close``, or ``HH:MM``: the intraday bar of the next
        session that starts then. None: next open for tradable instruments, next close for cash
        indices.
    fees_bps, slippage_bps : float
        Per side, basis points of notional.
    fixed_per_share : float
        Per side, currency per share or contract.
    half_spread : float or str
        Half of the spread between bid and ask, in points, or the named series that gives it.
    cash_rate, financing_rate, borrow_rate : float or str
        Yearly, decimal, or named series: earned by cash, paid on borrowed money, paid on the
        value of shares sold short.
    dividends : str or None
        Named series of dividends per share, dated on their ex-dates.
    lot : {"share", "SPY", "ES", "MES"}, float or None
        What is traded in whole numbers; a number: units of one contract. None: fractions.
    stop_loss, take_profit : float or None
        Distance from the price paid, decimal, at which a position is closed within the bar.
    max_holding : int or None
        Bars after which a position is closed.
    max_leverage : float
        Largest position at a fill, as a multiple of equity.
    cash : float
        Initial capital.
    """

    fill: Fill | None = None
    fees_bps: Basis = 0.0
    slippage_bps: Basis = 0.0
    fixed_per_share: Annotated[float, Field(ge=0.0)] = 0.0
    half_spread: Annotated[float, Field(ge=0.0)] | str = 0.0
    cash_rate: Rate = 0.0
    financing_rate: Rate = 0.0
    borrow_rate: Rate = 0.0
    dividends: str | None = None
    lot: Annotated[float | str | None, AfterValidator(_lot)] = None
    stop_loss: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    take_profit: Annotated[float, Field(gt=0.0, le=10.0)] | None = None
    max_holding: Annotated[int, Field(ge=1)] | None = None
    max_leverage: Annotated[float, Field(gt=0.0, le=20.0)] = 1.0
    cash: Annotated[float, Field(gt=0.0)] = 1_000_000.0

    @property
    def unsaid(self) -> set[str]:
        """Keys that came later and are left at their defaults: they are no part of an id."""
        fields = type(self).model_fields
        return {
            key
            for key, field in fields.items()
            if key not in _FIRST and getattr(self, key) == field.default
        }

    @property
    def named(self) -> dict[str, str]:
        """Named series that it reads, by key."""
        keys = ("half_spread", "cash_rate", "financing_rate", "borrow_rate", "dividends")
        found = {key: getattr(self, key) for key in keys}
        return {key: value for key, value in found.items() if isinstance(value, str)}
