"""Verdicts that hang on fewer than five observations: without those, t falls on the other side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .kill_conditions import CRITICAL_T

if TYPE_CHECKING:
    from .protocol import Card, Outcome

__all__ = ["hangs_on_few", "without_nan"]

_FEW: Final = 5


def hangs_on_few(card: Card, outcome: Outcome) -> str:
    """Return what to say of a verdict that hangs on few observations; empty where none does.

    Looks for the smallest number of observations, the most influential first, without which t
    falls on the other side of the value that decides. t without them comes from the scores: the
    first-order influence of each session. Where t did not decide the verdict nothing is said.

    Parameters
    ----------
    card : Card
    outcome : Outcome
        With scores; without them nothing is said.

    Examples
    --------
    >>> import pandas as pd
    >>> from gexlab.backtest.hypotheses.protocol import Card, Outcome
    >>> days = pd.bdate_range("2024-01-01", periods=100)
    >>> scores = pd.Series([30.0, 30.0] + [1.0, -1.0] * 49, index=days)
    >>> card = Card("x", "", "", "not published", "", "D", "+", "", "")
    >>> found = Outcome(0.6, 0.3, 2.0, 0.05, 100, 0.0, 1.2, True, "", scores=scores)
    >>> hangs_on_few(card, found)
    'hangs on 1 of the observations (2024-01-01): without it t is about 1.4'
    """
    if outcome.scores is None or card.expected_sign == "0" or not np.isfinite(outcome.t_stat):
        return ""
    sign = -1.0 if card.expected_sign == "-" else 1.0
    bound = sign * outcome.critical if np.isfinite(outcome.critical) else CRITICAL_T
    if (sign * outcome.t_stat > bound) != outcome.supported:
        return ""
    scores = outcome.scores.dropna()
    values: npt.NDArray[np.float64] = np.asarray(sign * scores, dtype=np.float64)
    order = np.argsort(-values if outcome.supported else values, kind="stable")
    for count in range(1, min(_FEW, len(values) // 2)):
        gone = order[:count]
        t = _t_without(values, gone, sign * outcome.t_stat)
        if np.isfinite(t) and (t > bound) != outcome.supported:
            days = ", ".join(str(day.date()) for day in sorted(scores.index[gone]))
            rest = "it" if count == 1 else "them"
            return f"hangs on {count} of the observations ({days}): without {rest} t is about " + (
                f"{sign * t:.1f}"
            )
    return ""


def without_nan(text: str) -> str:
    """Return a sentence with undefined numbers spelled out.

    Examples
    --------
    >>> without_nan("Sharpe +nan (+nan to +nan) at -inf, nan % of nanograms")
    'Sharpe undefined (no interval) at unbounded, undefined of nanograms'
    """
    text = re.sub(r"\([+-]?nan to [+-]?nan\)", "(no interval)", text)
    text = re.sub(r"(?<![\w.])[+-]?nan\b( ?%)?", "undefined", text)
    return re.sub(r"(?<![\w.])[+-]?inf\b( ?%)?", "unbounded", text)


def _t_without(
    scores: npt.NDArray[np.float64], gone: npt.NDArray[np.int64], t_stat: float
) -> float:
    """Return t without some scores: of their mean, with an error scaled like their deviation."""
    kept = np.delete(scores, gone)
    mean, deviation = float(scores.mean()), float(scores.std())
    if mean == 0.0 or deviation <= 0.0 or kept.std() <= 0.0:
        return float("nan")
    error = (kept.std() / deviation) * np.sqrt(len(scores) / len(kept))
    return float(t_stat * (kept.mean() / mean) / error)
