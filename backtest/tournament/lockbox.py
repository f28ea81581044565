"""Sessions that no trial sees until they are opened, once.

A lockbox belongs to a market (stand-ins included), not to a configuration: the ledger keeps its
first session, so that data which grow leave it where it is, and a configuration that does not
mention it cannot look inside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import LedgerError
from .ledger_sql import sql
from .ledger_store import changed, has_ledger, open_ledger
from .stand_ins import same_market

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .ledger_sql import Execute

__all__ = ["Lockbox", "lockbox_of", "mark_opened", "set_lockbox", "start_of"]


@dataclass(frozen=True, slots=True)
class Lockbox:
    """Sessions kept out of every trial on a market.

    Attributes
    ----------
    number : int
    underlying : str
        That it was set for.
    first : date
        First session kept out; all later ones are too.
    set_at : str
    opened_at : str or None
    opened : mapping or None
        What was found when it was opened.
    """

    number: int
    underlying: str
    first: date
    set_at: str
    opened_at: str | None
    opened: Mapping[str, Any] | None

    @property
    def closed(self) -> bool:
        """Whether nobody has opened it."""
        return self.opened_at is None


def lockbox_of(
    path: Path, underlying: str, *, world: str = "", stand_ins: Iterable[Iterable[str]] = ()
) -> Lockbox | None:
    """Return the lockbox of a market; None where it never had one."""
    if not has_ledger(path):
        return None
    given = {"underlyings": json.dumps(list(same_market(underlying, stand_ins))), "world": world}
    with open_ledger(path) as ledger:
        if not _has_lockboxes(ledger):
            return None
        row = ledger.execute(sql("lockbox_of_market"), given).fetchone()
    if row is None:
        return None
    return Lockbox(
        number=row["lockbox"],
        underlying=row["underlying"],
        first=date.fromisoformat(row["first_session"]),
        set_at=row["set_at"],
        opened_at=row["opened_at"],
        opened=None if row["opened"] is None else json.loads(row["opened"]),
    )


def set_lockbox(
    path: Path,
    underlying: str,
    first: date,
    *,
    world: str = "",
    stand_ins: Iterable[Iterable[str]] = (),
) -> Lockbox:
    """Set the lockbox of a market, unless it has or had one, and return the one that counts."""
    groups = [tuple(group) for group in stand_ins]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    given = {"underlyings": json.dumps(list(same_market(underlying, groups))), "world": world}
    new = {
        "underlying": underlying.upper(),
        "world": world,
        "first_session": str(first),
        "set_at": now,
    }

    def put(execute: Execute) -> None:
        if execute("lockbox_of_market", given).fetchone() is None:
            execute("put_lockbox", new)

    changed(path, put)
    found = lockbox_of(path, underlying, world=world, stand_ins=groups)
    assert found is not None
    return found


def mark_opened(path: Path, box: Lockbox, found: Mapping[str, Any]) -> str:
    """Write down that a lockbox was opened and what was in it; return when.

    Raises
    ------
    LedgerError
        If it was opened before, by whomever.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    given = {
        "lockbox": box.number,
        "opened_at": now,
        "opened": json.dumps(dict(found), sort_keys=True, default=str),
    }

    def mark(execute: Execute) -> None:
        if not execute("open_lockbox", given).rowcount:
            raise LedgerError(
                f"the lockbox from {box.first} of {box.underlying} was opened before: it can be "
                "opened once; gexlab lockbox shows what was found then"
            )

    changed(path, mark)
    return now


def start_of(length: str | date, last: date) -> date:
    """Return the first day kept out: a date, or so many years or quarters before the last session.

    Examples
    --------
    >>> start_of("2y", date(2026, 8, 21)), start_of("1q", date(2026, 3, 31))
    (datetime.date(2024, 8, 22), datetime.date(2026, 1, 1))
    """
    if isinstance(length, date):
        return length
    months = int(length[:-1]) * (12 if length[-1] == "y" else 3)
    day = np.datetime64(last, "D") + np.timedelta64(1, "D")
    month = day.astype("datetime64[M]")
    within = day - month.astype("datetime64[D]")
    earlier = month - months
    end = (earlier + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    first: date = min(earlier.astype("datetime64[D]") + within, end).item()
    return first


def _has_lockboxes(ledger: sqlite3.Connection) -> bool:
    """Return whether the file is of a version that knows lockboxes."""
    return int(ledger.execute("PRAGMA user_version").fetchone()[0]) > 1
