"""Rules: from the bars up to a session to the position that the session asks for.

A target of 1 is fully long, -1 fully short. For session t a rule reads closes up to and including
that of t, so that its target is known at the close of t. Too few bars give NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..data.base.rounding import real_divisor

if TYPE_CHECKING:
    from .model import Strategy

__all__ = ["RULES", "Rule", "past_return", "signal"]

Floats = npt.NDArray[np.float64]

#: Sessions over which the volatility of a scaled signal is measured.
VOLATILITY_WINDOW = 21


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and whether it looks at bars at all.

    Attributes
    ----------
    name : str
    target : callable
        Closes, shape (n,), and the strategy to targets, shape (n,).
    reads_bars : bool
        Whether a target depends on the closes, and so is known only at the session's close.
    """

    name: str
    target: Callable[[Floats, Strategy], Floats]
    reads_bars: bool


def past_return(closes: Floats, lookback: int) -> Floats:
    """Return the simple return over the last `lookback` sessions, NaN where there are fewer."""
    result = np.full(len(closes), np.nan)
    result[lookback:] = closes[lookback:] / closes[:-lookback] - 1.0
    return result


def signal(closes: Floats, strategy: Strategy) -> Floats:
    """Return the past return as a signal in -1 ... 1.

    ``sign``: its sign. ``scaled``: itself over its volatility (that of one-session returns over
    the last 21 sessions times the root of the lookback), cut at 1.

    Examples
    --------
    >>> from gexlab.strategies.model import Strategy
    >>> signal(np.array([100.0, 101.0, 101.0, 99.0]), Strategy("s"))
    array([nan,  1.,  0., -1.])
    """
    past = past_return(closes, strategy.lookback)
    if strategy.scale == "sign":
        return np.sign(past)
    unit = _trailing_deviation(past_return(closes, 1)) * np.sqrt(strategy.lookback)
    # without any volatility there is no unit to measure a move in
    return np.clip(past / real_divisor(unit), -1.0, 1.0)


def _trailing_deviation(returns: Floats) -> Floats:
    """Return the standard deviation (n - 1) of the last 21 returns, NaN where there are fewer.

    Each window is summed anew: a running sum would leave traces of earlier moves in calm windows.
    """
    out = np.full(len(returns), np.nan)
    if len(returns) >= VOLATILITY_WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(returns, VOLATILITY_WINDOW)
        out[VOLATILITY_WINDOW - 1 :] = windows.std(axis=-1, ddof=1)
    return out


def _fade(closes: Floats, strategy: Strategy) -> Floats:
    return 0.0 - signal(closes, strategy)  # not -0.0 where nothing moved


def _flat(closes: Floats, strategy: Strategy) -> Floats:
    return np.zeros(len(closes))


def _hold(closes: Floats, strategy: Strategy) -> Floats:
    return np.ones(len(closes))


RULES: dict[str, Rule] = {
    "fade": Rule("fade", _fade, reads_bars=True),
    "flat": Rule("flat", _flat, reads_bars=False),
    "follow": Rule("follow", signal, reads_bars=True),
    "hold": Rule("hold", _hold, reads_bars=False),
}
