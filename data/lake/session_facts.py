"""What a session's rows say of their market, and how that changed from session to session."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.arrow_values import plain
from ..calendar.market_facts import Spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ..calendar.trading import TradingCalendar

__all__ = [
    "UNKNOWN",
    "SessionFacts",
    "facts_of_rows",
    "facts_of_sessions",
    "lags",
    "multipliers",
    "settlements",
]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the rows of one session say of their market.

    Attributes
    ----------
    multiplier : float or None
        That of most rows, the smallest of several that are equally frequent; None where unknown.
    settlement : str or None
        ``AM``, ``PM``, or ``AM and PM``.
    oi_asof : date or None
        Newest session after whose close open interest was settled; None where unknown.
    """

    multiplier: float | None = None
    settlement: str | None = None
    oi_asof: date | None = None


#: Stands for a day that is not known.
_NEVER: Final = int(np.iinfo(np.int32).min)
#: Of sessions that an older version wrote.
UNKNOWN: Final = SessionFacts()


def facts_of_rows(rows: Any) -> SessionFacts:
    """Return what canonical rows of one session say.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical columns.
    """
    import pyarrow.compute as pc

    size = plain(rows.column("multiplier"))
    values, counts = np.unique(size[~np.isnan(size)], return_counts=True)
    kinds = sorted(filter(None, pc.unique(rows.column("settlement")).to_pylist()))
    return SessionFacts(
        multiplier=float(values[np.argmax(counts)]) if len(values) else None,
        settlement=" and ".join(kinds) or None,
        oi_asof=pc.max(rows.column("oi_asof")).as_py(),
    )


def facts_of_sessions(rows: Any, edges: Sequence[int]) -> list[SessionFacts]:
    """Return what `facts_of_rows` gives of each of several sessions that follow each other.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical columns in the lake's order.
    edges : sequence of int
        Where sessions begin, and the number of rows.
    """

    size = plain(rows.column("multiplier"))
    if not (size == size[0]).all():
        return [facts_of_rows(rows.slice(a, b - a)) for a, b in pairwise(edges)]
    starts = np.asarray(edges[:-1])
    days = plain(rows.column("oi_asof"), _NEVER)
    newest = np.maximum.reduceat(days, starts)
    known = np.where(newest == _NEVER, 0, newest).astype("datetime64[D]").tolist()
    return [
        SessionFacts(float(size[0]), kinds, None if day == _NEVER else asof)
        for kinds, day, asof in zip(_settlements(rows, starts), newest.tolist(), known, strict=True)
    ]


def _settlements(rows: Any, starts: npt.NDArray[np.int64]) -> list[str | None]:
    """Return what `facts_of_rows` gives as settlement of sessions that begin at some rows."""

    column = rows.column("settlement").combine_chunks()
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = coded.dictionary.to_pylist()
    bits = np.array([1 << i if word else 0 for i, word in enumerate([*words, None])], np.uint8)
    codes = plain(coded.indices, len(words))
    present = np.bitwise_or.reduceat(bits[codes], starts).tolist()
    kinds = {
        here: " and ".join(sorted(word for i, word in enumerate(words) if here >> i & 1)) or None
        for here in set(present)
    }
    return [kinds[here] for here in present]


def multipliers(said: Iterable[tuple[date, SessionFacts]]) -> tuple[Spell, ...]:
    """Return what a contract delivered, from when on."""
    return _spells((day, facts.multiplier) for day, facts in said)


def settlements(said: Iterable[tuple[date, SessionFacts]]) -> str | None:
    """Return how contracts settle: ``AM``, ``PM``, or ``AM and PM``; None where unknown."""
    kinds = sorted({w for _, facts in said for w in (facts.settlement or "").split(" and ")} - {""})
    return " and ".join(kinds) or None


def lags(said: Iterable[tuple[date, SessionFacts]], calendar: TradingCalendar) -> tuple[Spell, ...]:
    """Return how many sessions before its own a session's open interest was settled, since when."""
    known = [(day, facts.oi_asof) for day, facts in said if facts.oi_asof is not None]
    if not known:
        return ()
    days = np.array(known, dtype="datetime64[D]")
    place = np.searchsorted(calendar.sessions.astype("datetime64[D]"), days)
    lag = (place[:, 0] - place[:, 1]).tolist()
    return _spells(zip((day for day, _ in known), lag, strict=True))


def _spells(values: Iterable[tuple[date, Any]]) -> tuple[Spell, ...]:
    """Return runs of equal values; sessions that say nothing interrupt none."""
    said = [(day, value) for day, value in values if value is not None]
    return tuple(
        Spell(next(run)[0], value) for value, run in groupby(said, key=lambda pair: pair[1])
    )
