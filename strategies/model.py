"""What a strategy is: a filter, a rule for each of its labels, and a size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..data.calendar.market_rules import EXCHANGE_SESSIONS

__all__ = ["LABELS", "Label", "Scale", "Strategy"]

Label = Literal["long", "short", "neutral", "abstain"]
Scale = Literal["sign", "scaled"]

LABELS: tuple[Label, ...] = ("long", "short", "neutral", "abstain")


@dataclass(frozen=True, slots=True)
class Strategy:
    """A filter (regime to label), a rule per label (label and bars to target), and a size.

    Sessions labelled ``abstain`` are always flat: no information, no position.

    Attributes
    ----------
    name : str
    filter : str
        Name of a filter.
    long, short, neutral : str
        Names of the rules that act under each label.
    lookback : int
        Sessions whose return the rules ``fade`` and ``follow`` look at.
    scale : {"sign", "scaled"}
        Position by the sign of that return, or by its size in units of its own volatility.
    window : int
        Values that the filters ``percentile`` and ``tercile`` rank within.
    enter, exit : float
        Percentile at which ``percentile`` enters a label and below which it leaves it again; the
        short label mirrors them.
    size : float
        Position of a full signal, 1 is 100 % of equity.
    on : str or None
        Named series that the filter reads; None: the regime.

    Examples
    --------
    >>> Strategy("mine", neutral="hold").describe()
    'sign of the regime: long: fade 1 session by sign; short: follow 1 session by sign; \
neutral: hold; abstain: flat'
    """

    name: str
    filter: str = "sign"
    long: str = "fade"
    short: str = "follow"
    neutral: str = "flat"
    lookback: int = 1
    scale: Scale = "sign"
    window: int = EXCHANGE_SESSIONS
    enter: float = 0.6
    exit: float = 0.5
    size: float = 1.0
    on: str | None = None

    def rule(self, label: str) -> str:
        """Return the name of the rule that acts under a label."""
        rules = {"long": self.long, "short": self.short, "neutral": self.neutral}
        return rules.get(label, "flat")

    def parameters(self) -> dict[str, float | int | str]:
        """Return filter, rule and sizing parameters by name."""
        return {
            "lookback": self.lookback,
            "scale": self.scale,
            "window": self.window,
            "enter": self.enter,
            "exit": self.exit,
            "size": self.size,
            "on": self.on or "regime",
        }

    def describe(self) -> str:
        """Return what it does in one sentence."""
        source = f"series {self.on}" if self.on else "the regime"
        heads = {
            "sign": f"sign of {source}",
            "percentile": f"percentile of {source} within {self.window} values, in at "
            f"{self.enter:g}, out at {self.exit:g}",
            "tercile": f"tercile of {source} within {self.window} values",
            "always": "every session alike",
        }
        head = heads.get(self.filter, self.filter)
        labels = ("long",) if self.filter == "always" else ("long", "short", "neutral", "abstain")
        acts = "; ".join(f"{label}: {self._phrase(self.rule(label))}" for label in labels)
        size = "" if self.size == 1.0 else f"; size {self.size:g}"
        return f"{head}: {acts}{size}"

    def _phrase(self, rule: str) -> str:
        if rule not in {"fade", "follow"}:
            return rule
        unit = "session" if self.lookback == 1 else "sessions"
        how = "by sign" if self.scale == "sign" else "scaled"
        return f"{rule} {self.lookback} {unit} {how}"
