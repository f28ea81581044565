"""An order as sums that anyone can do again with a pocket calculator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Step", "steps_of"]

#: Digits of every number shown: enough to get the same result from the shown ones alone.
_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Step:
    """One sum.

    Attributes
    ----------
    what : str
        What comes out, e.g. ``fees``.
    formula : str
        With the numbers in it, e.g. ``100 x 50.25 x 0.0001``; empty where it is given.
    value : float
    """

    what: str
    formula: str
    value: float


def steps_of(row: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return the sums behind one fill, each of numbers that are given or came out before.

    Parameters
    ----------
    row : mapping
        Of the ledger.
    """
    return tuple(_steps(row))


def _steps(row: Mapping[str, Any]) -> Iterator[Step]:
    cash, shares, bar = (float(row[k]) for k in ("cash_before", "shares_before", "bar_price"))
    worth, target, size = (float(row[k]) for k in ("equity_before", "target", "size"))
    accrued = [(k, float(row[k])) for k in ("interest", "borrowing", "dividends")]
    for name, amount in accrued:
        if amount:
            yield Step(f"{name} since the order before", "", amount)
    yield Step("cash before", "", cash)
    yield Step("shares before", "", shares)
    yield Step("price of the bar", "", bar)
    yield Step("equity", f"{_n(cash)} + {_n(shares)} x {_n(bar)}", worth)
    yield Step("target", "", target)
    aim = target * worth / bar
    yield Step("units wanted", f"{_n(target)} x {_n(worth)} / {_n(bar)}", aim)
    if row["lot"]:
        lot = float(row["lot"])
        whole = _whole(aim, lot)
        yield Step(f"in whole lots of {_n(lot)}", f"{_n(whole / lot)} x {_n(lot)}", whole)
        aim = whole
    wanted = aim - shares
    yield Step("change wanted", f"{_n(aim)} - {_n(shares)}", wanted)
    yield from _price(row, bar, size)
    yield from _paid(row, cash, worth, wanted, size)
    yield Step("cash after", _cash_formula(row, cash, size), float(row["cash_after"]))
    yield Step("shares after", f"{_n(shares)} + {_n(size)}", float(row["shares_after"]))


def _price(row: Mapping[str, Any], bar: float, size: float) -> Iterator[Step]:
    sign = "+" if size > 0.0 else "-"
    spread = float(row["half_spread"])
    half = f" {sign} {_n(spread)}" if spread else ""
    slip = float(row["slippage_bps"])
    formula = f"{_n(bar)} x (1 {sign} {_n(slip)} / 10000){half}"
    yield Step("price paid" if size > 0.0 else "price got", formula, float(row["price"]))


def _paid(
    row: Mapping[str, Any], cash: float, worth: float, wanted: float, size: float
) -> Iterator[Step]:
    price, bar = float(row["price"]), float(row["bar_price"])
    fees, fixed = float(row["fees_bps"]), float(row["fixed"])
    rate = fees / 1e4 + fixed / bar
    per_share = f" + {_n(fixed)} / {_n(bar)}" if fixed else ""
    yield Step("fee rate", f"{_n(fees)} / 10000{per_share}", rate)
    if wanted > 0.0:
        leverage = float(row["max_leverage"])
        borrowed = f" + {_n(leverage - 1.0)} x {_n(worth)}" if leverage != 1.0 else ""
        most = (cash + (leverage - 1.0) * worth) / (price * (1.0 + rate))
        formula = f"({_n(cash)}{borrowed}) / ({_n(price)} x (1 + {_n(rate)}))"
        yield Step("units that money buys", formula, most)
        if row["lot"]:
            lot = float(row["lot"])
            most = _whole(most, lot)
            yield Step("in whole lots", f"{_n(most / lot)} x {_n(lot)}", most)
        yield Step("units traded (the smaller)", f"min({_n(wanted)}, {_n(most)})", size)
    else:
        yield Step("units traded", "", size)
    yield Step("fees", f"{_n(abs(size))} x {_n(price)} x {_n(rate)}", float(row["fees"]))


def _cash_formula(row: Mapping[str, Any], cash: float, size: float) -> str:
    return f"{_n(cash)} - {_n(size)} x {_n(float(row['price']))} - {_n(float(row['fees']))}"


def _whole(units: float, lot: float) -> float:
    """Return units in whole lots, towards zero."""
    count = int(abs(units) / lot * (1.0 + 1e-9))
    return count * lot * (1.0 if units > 0.0 else -1.0)


def _n(value: float) -> str:
    """Return a number with all of its digits; a negative one in brackets."""
    text = f"{value + 0.0:.{_DIGITS}g}"
    return f"({text})" if value < 0.0 else text
