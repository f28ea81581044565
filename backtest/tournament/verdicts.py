"""What a tournament says in words: one sentence per entry, and one for the whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .result import EntryResult

__all__ = ["LEVEL", "entry_sentence", "survives", "tournament_luck", "whole_sentence"]

#: Of every family, and of the placebos.
LEVEL: Final = 0.05


def survives(
    role: str, p_zero: float, p_rules: float, p_hold: float, p_placebo: float, *, ruined: bool
) -> bool:
    """Return whether an entry beats nothing, its own rules, hold and its placebos, each at 5 %.

    An undefined p-value is no evidence.
    """
    every = (p_zero, p_rules, p_hold, p_placebo)
    return role == "entry" and not ruined and all(p <= LEVEL for p in every)


def entry_sentence(
    sharpe: float,
    p_spa: float,
    ps: tuple[float, float, float, float],
    *,
    counted: int,
    ruined: bool,
    survived: bool,
    credited: bool | None,
) -> str:
    """Return the verdict on one entry.

    Parameters
    ----------
    sharpe, p_spa : float
    ps : tuple of float
        Against nothing, own rules, hold, placebos.
    counted : int
        Trials on these data.
    ruined, survived : bool
    credited : bool or None

    Examples
    --------
    >>> entry_sentence(0.31, 0.84, (0.9, 0.5, 0.7, 0.4), counted=480, ruined=False,
    ...                survived=False, credited=None)
    'Sharpe 0.31 out of sample: not distinguishable from luck among 480 trials (p 0.84), \
from its own rules without a regime, from holding as much, from regimes that only flip as often.'
    """
    if ruined:
        return "It lost all its equity."
    if not math.isfinite(sharpe):
        return "It has no Sharpe ratio out of sample: its returns do not vary."
    head = f"Sharpe {_number(sharpe)} out of sample"
    if survived:
        more = {
            None: "",
            True: " It adds to every filter without options.",
            False: " Filters without options do as well: what it earns is not owed to options.",
        }[credited]
        return (
            f"{head}: survives. It beats nothing, its own rules without a regime, holding as much "
            f"and regimes that only flip as often, corrected for {_times(counted)}.{more}"
        )
    named = (
        f"from luck among {_times(counted)} (p {_p(p_spa)})",
        "from its own rules without a regime",
        "from holding as much",
        "from regimes that only flip as often",
    )
    lacking = [text for text, p in zip(named, ps, strict=True) if not p <= LEVEL]
    return f"{head}: not distinguishable {', '.join(lacking)}."


def whole_sentence(
    entries: Sequence[EntryResult], counted: int, best_by_luck: float, detectable: float
) -> str:
    """Return the verdict on the whole, and what these data could have shown."""
    defined = [entry for entry in entries if math.isfinite(entry.sharpe)]
    survivors = [entry for entry in entries if entry.survives]
    if not defined:
        return f"None of {_strategies(counted)} on these data has a Sharpe ratio out of sample."
    best = max(defined, key=lambda entry: entry.sharpe)
    luck = (
        f"of {counted:,} blind ones the best would have {_number(best_by_luck)}"
        if counted > 1
        else f"a blind one would have {_number(best_by_luck)}"
    )
    if survivors:
        first = max(survivors, key=lambda entry: entry.sharpe)
        number = "One" if len(survivors) == 1 else f"{len(survivors):,}"
        verb = "is" if len(survivors) == 1 else "are"
        head = (
            f"{number} of {_strategies(counted)} on these data {verb} distinguishable from luck; "
            f"the winner ({first.filter}, {first.rule}) has Sharpe {_number(first.sharpe)}, {luck}."
        )
    else:
        head = (
            f"None of {_strategies(counted)} on these data is distinguishable from luck; the best "
            f"has Sharpe {_number(best.sharpe)}, {luck}."
        )
    if not math.isfinite(detectable):
        return head
    return (
        f"{head} The smallest Sharpe ratio that these data could have shown (power 80 %) is "
        f"{_number(detectable)}."
    )


def tournament_luck(counted: int, effective: int, *, in_ledger: bool) -> str:
    """Return how many trials count.

    Parameters
    ----------
    counted : int
        Trials that count.
    effective : int
        Clusters of correlated trials among them.
    in_ledger : bool
        Whether earlier trials count too.

    Returns
    -------
    str
    """
    where = "the ledger counts" if in_ledger else "no ledger is kept, and this tournament made"
    return (
        f"On these data {where} {_times(counted)}, which move like {effective:,} independent ones."
    )


def _strategies(count: int) -> str:
    return f"{count:,} strategies" if count != 1 else "one strategy"


def _times(count: int) -> str:
    return f"{count:,} trials" if count != 1 else "one trial"


def _number(value: float) -> str:
    return "undefined" if not math.isfinite(value) else f"{value:.2f}"


def _p(value: float) -> str:
    if not math.isfinite(value):
        return "undefined"
    return "below 0.01" if value < 0.01 else f"{value:.2f}"
