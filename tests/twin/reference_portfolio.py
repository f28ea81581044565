"""A plain portfolio that trades to a target share of its equity, one bar at a time."""

from __future__ import annotations

from collections.abc import Sequence

BILLIONTH = 1e-9


def _sum(held: float, moved: float) -> float:
    """Add what was moved to what was held; what is left by rounding is zero."""
    left = held + moved
    return 0.0 if abs(left) <= BILLIONTH * max(abs(held), abs(moved)) else left


def portfolio_equity(
    closes: Sequence[float],
    prices: Sequence[float],
    targets: Sequence[float],
    *,
    fees_bps: float = 0.0,
    slippage_bps: float = 0.0,
    fixed_per_share: float = 0.0,
    cash: float = 100.0,
) -> list[float]:
    """Return the equity at each close.

    A target (share of the equity at the fill's price; NaN: no order) is traded at ``prices``;
    a buyer pays more and a seller gets less by the slippage; fees are a share of what changes
    hands plus a fixed amount per share at the unslipped price. Purchases stop when the cash is
    gone; sales may go short without limit. Nothing is traded once the equity is gone. A target of
    less than a billionth of the equity is flat, and shares or cash that a fill leaves are zero
    where they are less than a billionth of what it moved.
    """
    shares = 0.0
    equity = []
    for close, price, target in zip(closes, prices, targets, strict=True):
        worth = cash + shares * price
        if target == target and worth > 0.0:
            target = target if abs(target) >= BILLIONTH else 0.0
            wanted = target * worth / price - shares
            rate = fees_bps / 1e4 + fixed_per_share / price
            if wanted > 0.0:
                paid = price * (1.0 + slippage_bps / 1e4) * (1.0 + rate)
                bought = min(wanted, max(cash, 0.0) / paid)
                shares = _sum(shares, bought)
                cash = _sum(cash, -bought * paid)
            elif wanted < 0.0:
                shares = _sum(shares, wanted)
                received = -wanted * price * (1.0 - slippage_bps / 1e4) * (1.0 - rate)
                cash = _sum(cash, received)
        equity.append(cash + shares * close)
    return equity
