"""What a search for look-ahead finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

__all__ = ["Check", "Leak", "LeakResult", "first_of"]


@dataclass(frozen=True, slots=True)
class Leak:
    """One look-ahead.

    Attributes
    ----------
    input : str
        What was known, or used, too early.
    session : date
        First session on which it shows.
    kind : str
        Stamps: ``used_before_known``, ``known_before_session``, ``regime_before_chain``,
        ``open_interest_before_settlement``, ``spot_of_a_later_session``,
        ``stamped_before_its_price``, ``bars_stamped_early``, ``close_is_the_next_open``,
        ``open_is_the_previous_close``. Recomputation: ``changes_with_later_data``,
        ``depends_on_earlier_calls``. In the source of users' own components:
        ``reads_undeclared``, ``reads_the_clock``, ``keeps_state_elsewhere``. Traces
        in the numbers: ``moves_with_the_next_return``,
        ``moves_with_later_returns``, ``moves_with_later_volatility``,
        ``earns_what_no_honest_signal_does``.
    detail : str
        One sentence.
    """

    input: str
    session: date
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeakResult:
    """What a search for look-ahead found.

    Attributes
    ----------
    checked : int
        Stamps compared, decisions recomputed and values traced.
    leaks : tuple of Leak
        One per input and kind.
    definition_id : str or None
        Of the regime; None where it is a series from outside.
    """

    checked: int
    leaks: tuple[Leak, ...]
    definition_id: str | None = None


#: How many things were looked at, and what was found among them.
Check = tuple[int, Sequence[Leak]]


def first_of(name: str, sessions: pd.DatetimeIndex, kind: str, detail: str) -> list[Leak]:
    """Return one leak for all the sessions on which it shows; none where there are none."""
    if not len(sessions):
        return []
    more = f" ({len(sessions)} sessions)" if len(sessions) > 1 else ""
    return [Leak(name, sessions[0].date(), kind, detail + more)]
