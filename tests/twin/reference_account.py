"""A plain account with interest, dividends, lots, stops and leverage: one event after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reference_portfolio import BILLIONTH, _sum

Bar = dict[str, float]
FAR = float("inf")


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


@dataclass
class PlainAccount:
    """An account and its rules; `run` is the whole story.

    A bar says ``open, high, low, close``, and may say ``days`` since the bar before, ``dividend``,
    ``half_spread``; where orders fill in the middle of a session (``where="middle"``) also
    ``at, high_before, low_before, high_after, low_after``. Interest is simple, actual/365.
    """

    where: str = "open"
    fees_bps: float = 0.0
    slippage_bps: float = 0.0
    fixed: float = 0.0
    cash: float = 100.0
    cash_rate: float = 0.0
    financing_rate: float = 0.0
    borrow_rate: float = 0.0
    lot: float = 0.0
    unit: float = 1.0
    stop_loss: float | None = None
    take_profit: float | None = None
    max_holding: int = 0
    max_leverage: float = 1.0
    future: bool = False

    shares: float = 0.0
    opened_at: float = 0.0
    opened_on: int = -1
    shut: int = 0
    closes: list[Bar] = field(default_factory=list)
    fills: list[Bar] = field(default_factory=list)

    def run(self, bars: Sequence[Bar], targets: Sequence[float]) -> PlainAccount:
        """Go through the bars; `closes` and `fills` are then complete."""
        yesterday: Bar = {}
        for t, (bar, target) in enumerate(zip(bars, targets, strict=True)):
            earned = self.accrue(bar, yesterday)
            if t and self.stopping:
                self.watch(t, bar, bar["open"], self.range(bar, before=True))
            price = bar["at"] if self.where == "middle" else bar[self.where]
            self.decide(t, bar, price, target)
            if self.stopping and self.where != "close":
                self.watch(t, bar, price, self.range(bar, before=False))
            equity = self.cash + self.shares * bar["close"]
            self.closes.append(
                {"cash": self.cash, "shares": self.shares, "equity": equity, **earned}
            )
            yesterday = bar
        return self

    @property
    def stopping(self) -> bool:
        return self.stop_loss is not None or self.take_profit is not None

    def range(self, bar: Bar, *, before: bool) -> tuple[float, float] | None:
        """Return the high and low before or after the moment of the orders."""
        if self.where == "middle":
            part = "before" if before else "after"
            return bar[f"high_{part}"], bar[f"low_{part}"]
        there = before == (self.where == "close")
        return (bar["high"], bar["low"]) if there else None

    def accrue(self, bar: Bar, yesterday: Bar) -> Bar:
        if not yesterday:
            return {"interest": 0.0, "borrowing": 0.0, "dividends": 0.0}
        years, last = bar.get("days", 0.0) / 365.0, yesterday["close"]
        basis = self.cash + (self.shares * last if self.future else 0.0)
        short = abs(self.shares) if self.shares < 0 else 0.0
        earned = {
            "interest": basis * years * (self.cash_rate if basis > 0 else self.financing_rate),
            "borrowing": -short * last * self.borrow_rate * years,
            "dividends": self.shares * bar.get("dividend", 0.0),
        }
        self.cash += sum(earned.values())
        return earned

    def decide(self, t: int, bar: Bar, price: float, target: float) -> None:
        side = _sign(self.shares)
        over = bool(self.max_holding and side and t - self.opened_on >= self.max_holding)
        asked = target == target and not (self.shut and _sign(target) == self.shut)
        if asked:
            target = 0.0 if abs(target) < BILLIONTH else target
            self.shut = 0
        if asked and not (over and _sign(target) == side):
            self.trade(t, bar, target, price, 0)
        elif over and self.trade(t, bar, 0.0, price, 3):
            self.shut = side

    def watch(self, t: int, bar: Bar, now: float, span: tuple[float, float] | None) -> None:
        """Close the position if the price is, or comes, where it has to be closed."""
        side = _sign(self.shares)
        if not side:
            return
        stop = self.opened_at * (1 - side * self.stop_loss) if self.stop_loss else -side * FAR
        goal = self.opened_at * (1 + side * self.take_profit) if self.take_profit else side * FAR
        reached = [(now, 1, side * (now - stop) <= 0), (now, 2, side * (now - goal) >= 0)]
        if span is not None:
            worst, best = (span[1], span[0]) if side > 0 else span
            reached.append((stop, 1, side * (worst - stop) <= 0))
            reached.append((goal, 2, side * (best - goal) >= 0))
        for price, why, there in reached:
            if there:
                if self.trade(t, bar, 0.0, price, why):
                    self.shut = side
                return

    def lots(self, x: float) -> float:
        return x if not self.lot else _sign(x) * int(abs(x) / self.lot * (1 + 1e-9)) * self.lot

    def trade(self, t: int, bar: Bar, target: float, price: float, why: int) -> bool:
        worth = self.cash + self.shares * price
        if worth <= 0.0:
            return False
        target = max(-self.max_leverage, min(self.max_leverage, target))
        goal = self.lots(target * worth / price)
        change = goal - self.shares
        if abs(change) <= BILLIONTH * max(abs(goal), abs(self.shares)):
            return False
        worse = self.slippage_bps / 1e4 + bar.get("half_spread", 0.0) / price
        rate = self.fees_bps / 1e4 + self.fixed / self.unit / price
        paid = price * (1.0 + worse) if change > 0 else price * (1.0 - worse)
        if change > 0:
            can_pay = max(0.0, self.cash + (self.max_leverage - 1.0) * worth)
            change = min(change, self.lots(can_pay / (paid * (1.0 + rate))))
            if change == 0:
                return False
        fees = abs(change) * paid * rate
        self.fills.append({"row": t, "size": change, "price": paid, "fees": fees, "why": why})
        self.cash = _sum(self.cash, -change * paid - fees)
        before, after = self.shares, _sum(self.shares, change)
        if _sign(after) and _sign(after) != _sign(before):
            self.opened_at, self.opened_on = paid, t
        elif abs(after) > abs(before):
            held = self.opened_at * abs(before) + paid * abs(change)
            self.opened_at = held / abs(after)
        self.shares = after
        return True
