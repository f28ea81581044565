"""How many trials there were on some data: counted, and as clusters of correlated returns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, short_repr
from .ledger import unpacked
from .ledger_sql import sql
from .ledger_store import has_ledger, ledger_place, open_ledger
from .stand_ins import same_market

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = [
    "LedgerSummary",
    "TrialCount",
    "count_trials",
    "counted_returns",
    "effective_trials",
    "ledger",
    "recorded_ids",
]

Floats = npt.NDArray[np.float64]
#: Trials whose returns correlate by at least this much on average are one.
_ALIKE: Final = 0.5
#: Fewer common sessions say nothing about a correlation.
_FEW: Final = 30


@dataclass(frozen=True, slots=True)
class TrialCount:
    """Trials on one market and span.

    Attributes
    ----------
    underlyings : tuple of str
        Names that count as that market.
    first, last : date
        Trials count whose sessions overlap with these.
    trials : int
        Different ones, deleted ones included: they were made.
    deleted : int
    effective : int
        Clusters of correlated returns; what has no returns any more counts by itself.
    """

    underlyings: tuple[str, ...]
    first: date
    last: date
    trials: int
    deleted: int
    effective: int


@dataclass(frozen=True, slots=True, eq=False)
class LedgerSummary:
    """Everything that a ledger says.

    Attributes
    ----------
    path : Path or str
        Its file, or the address of its table.
    trials : int
        Different ones, over all markets.
    markets : tuple of dict
        By market: ``underlyings`` (those tried), ``simulated``, ``first_session``,
        ``last_session``, ``trials``, ``effective_trials``, ``deleted``.
    data : tuple of dict
        By data content id: ``data_id, underlying, first_session, last_session, trials``.
    entries : tuple of dict
        One by one, as recorded.
    deletions : tuple of dict
        ``trial_id, entries, deleted_at, reason``.
    """

    path: Path | str
    trials: int
    markets: tuple[dict[str, Any], ...]
    data: tuple[dict[str, Any], ...]
    entries: tuple[dict[str, Any], ...]
    deletions: tuple[dict[str, Any], ...]
    __repr__ = short_repr


def count_trials(
    path: Path,
    underlying: str,
    first: date,
    last: date,
    *,
    world: str = "",
    stand_ins: Iterable[Iterable[str]] = (),
) -> TrialCount:
    """Return how many trials were ever made on a market and span.

    Parameters
    ----------
    path : Path
        Of the ledger.
    underlying : str
    first, last : date
        Span; a trial counts where it shares a day with it.
    world : str
        Of a simulated market.
    stand_ins : iterable of iterables of str
        Underlyings that are one market, beyond the built-in groups.
    """
    names = same_market(underlying, stand_ins)
    given = _given(names, world, first, last)
    with open_ledger(path) as ledger:
        made = ledger.execute(sql("first_entries"), given).fetchall()
        effective = _effective(ledger, given, len(made))
    gone = sum(int(row["deleted"]) for row in made)
    return TrialCount(names, first, last, len(made), gone, effective)


def counted_returns(
    path: Path,
    underlying: str,
    first: date,
    last: date,
    *,
    world: str = "",
    stand_ins: Iterable[Iterable[str]] = (),
) -> list[tuple[str, npt.NDArray[np.datetime64], Floats]]:
    """Return id, sessions and returns of every trial that `count_trials` counts and that has any.

    Of a trial that was made several times the returns recorded last.
    """
    given = _given(same_market(underlying, stand_ins), world, first, last)
    with open_ledger(path) as ledger:
        rows = ledger.execute(sql("returns_of_data"), given).fetchall()
    return [(row["trial_id"], *unpacked(row["days"], row["simple"])) for row in rows]


def recorded_ids(
    path: Path, underlying: str, first: date, last: date, *, world: str = ""
) -> frozenset[str]:
    """Return the ids of trials that were made on exactly one span of an underlying."""
    given = {
        "underlying": underlying.upper(),
        "world": world,
        "first_session": str(first),
        "last_session": str(last),
    }
    with open_ledger(path) as ledger:
        rows = ledger.execute(sql("ids_of_span"), given).fetchall()
    return frozenset(str(row["trial_id"]) for row in rows)


def effective_trials(returns: npt.ArrayLike) -> int:
    """Return the number of clusters of correlated returns.

    Parameters
    ----------
    returns : array_like, shape (n, k)
        Sessions by trials; NaN where a trial has none.

    Returns
    -------
    int
        Clusters by average linkage whose correlation is below one half. A trial and its inverse
        are two: each could have been the best. Trials without variation are one.

    Examples
    --------
    >>> up = np.tile([0.01, -0.01, 0.02, -0.03], 10)
    >>> effective_trials(np.column_stack([up, 2 * up, -up, 0 * up, 0 * up]))
    3
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    x = np.asarray(returns, dtype=np.float64)
    known = np.isfinite(x)
    n = known.sum(axis=0)
    mean = np.where(known, x, 0.0).sum(axis=0) / np.maximum(n, 1)
    centred = np.where(known, x - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / np.maximum(n, 1))
    moves = spread > NOISE
    idle = int((~moves).any())
    if moves.sum() < 2:
        return int(moves.sum()) + idle
    z, there = centred[:, moves] / spread[moves], known[:, moves].astype(np.float64)
    squares = z**2
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (z.T @ z) / np.sqrt((squares.T @ there) * (there.T @ squares))
    correlation[there.T @ there < _FEW] = 0.0
    distance = np.clip(1.0 - np.nan_to_num(correlation), 0.0, 2.0)
    distance = (distance + distance.T) / 2.0
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return int(fcluster(tree, 1.0 - _ALIKE, criterion="distance").max()) + idle


def ledger(path: str | Path, stand_ins: Iterable[Iterable[str]] = ()) -> LedgerSummary:
    """Return everything that a ledger says; one that does not exist yet is empty.

    Parameters
    ----------
    path : str or Path
        Folder of the ledger.
    stand_ins : iterable of iterable of str
        Groups of underlyings that count as one market.

    Returns
    -------
    LedgerSummary

    Raises
    ------
    LedgerError
        If an entry cannot be read.
    """
    path = Path(path)
    place = ledger_place(path)
    if not has_ledger(path):
        return LedgerSummary(place, 0, (), (), (), ())
    stated = [tuple(group) for group in stand_ins]
    with open_ledger(path) as opened:
        groups = [dict(row) for row in opened.execute(sql("groups"))]
        entries = [_entry(row) for row in opened.execute(sql("entries"))]
        deletions = [dict(row) for row in opened.execute(sql("deletions"))]
        markets = _markets(opened, groups, stated)
    data = tuple({k: v for k, v in group.items() if k != "world"} for group in groups)
    trials = sum(market["trials"] for market in markets)
    return LedgerSummary(place, trials, markets, data, tuple(entries), tuple(deletions))


def _markets(
    ledger: sqlite3.Connection, groups: list[dict[str, Any]], stated: list[tuple[str, ...]]
) -> tuple[dict[str, Any], ...]:
    """Return the counts of each market over all its sessions."""
    found: dict[tuple[tuple[str, ...], str], list[dict[str, Any]]] = {}
    for group in groups:
        key = same_market(group["underlying"], stated), group["world"]
        found.setdefault(key, []).append(group)
    out = []
    for (names, world), members in found.items():
        first = min(member["first_session"] for member in members)
        last = max(member["last_session"] for member in members)
        given = _given(names, world, first, last)
        made = ledger.execute(sql("first_entries"), given).fetchall()
        out.append(
            {
                "underlyings": sorted({member["underlying"] for member in members}),
                "simulated": bool(world),
                "first_session": first,
                "last_session": last,
                "trials": len(made),
                "effective_trials": _effective(ledger, given, len(made)),
                "deleted": sum(int(row["deleted"]) for row in made),
            }
        )
    return tuple(out)


def _effective(ledger: sqlite3.Connection, given: dict[str, Any], made: int) -> int:
    rows = ledger.execute(sql("returns_of_data"), given).fetchall()
    if not rows:
        return made
    series = [unpacked(row["days"], row["simple"]) for row in rows]
    days = np.unique(np.concatenate([sessions for sessions, _ in series]))
    table = np.full((len(days), len(series)), np.nan)
    for column, (sessions, values) in enumerate(series):
        table[np.searchsorted(days, sessions), column] = values
    return effective_trials(table) + made - len(series)


def _given(names: Iterable[str], world: str, first: object, last: object) -> dict[str, Any]:
    return {
        "underlyings": json.dumps(list(names)),
        "world": world,
        "first_session": str(first),
        "last_session": str(last),
    }


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    out = dict(row)
    out["simulated"] = bool(out.pop("world"))
    return out | {name: json.loads(out[name]) for name in ("metrics", "settings")}
