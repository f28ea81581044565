"""The trial ledger: every configuration ever evaluated on some data, recorded once.

Several processes write at once, each run all of its trials or none. Returns are stored as float32
once per digest. Where it lies is the matter of `ledger_store`.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...data import GexlabError, LedgerError, short_repr
from .ledger_store import changed, ledger_place
from .stand_ins import same_market

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from .ledger_sql import Execute

__all__ = ["Trial", "delete_trial", "record_trials", "unpacked"]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One configuration evaluated on one set of data.

    Attributes
    ----------
    trial_id : str
        Digest of everything that was chosen; neither dates nor data count.
    name, source : str
        What reports call it, and what ran it: ``backtest``, ``grid``, ``tournament``, ``test``.
    underlying : str
    data_id : str
        Content id of the inputs.
    sessions : ndarray of datetime64[D], shape (n,)
        Rising.
    returns : ndarray, shape (n,)
        Simple, net of costs; NaN where there is none.
    metrics, settings : mapping
        Plain values.
    world : str
        Empty for a real market; of a simulated one what tells it from the others.
    """

    trial_id: str
    name: str
    source: str
    underlying: str
    data_id: str
    sessions: Days
    returns: Floats
    metrics: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    world: str = ""
    __repr__ = short_repr

    def __post_init__(self) -> None:
        if len(self.sessions) != len(self.returns) or not len(self.sessions):
            raise GexlabError(
                f"trial {self.name!r}: expected as many returns as sessions and at least one, "
                f"found {len(self.returns)} and {len(self.sessions)}"
            )
        if (np.diff(self.sessions.astype("datetime64[D]").astype(np.int64)) <= 0).any():
            raise GexlabError(f"trial {self.name!r}: sessions must rise, each once")

    @property
    def first(self) -> date:
        """First session."""
        day: date = self.sessions[0].astype("datetime64[D]").item()
        return day

    @property
    def last(self) -> date:
        """Last session."""
        day: date = self.sessions[-1].astype("datetime64[D]").item()
        return day


def record_trials(
    path: Path, trials: Sequence[Trial], stand_ins: Iterable[Iterable[str]] = ()
) -> tuple[int, ...]:
    """Record trials, all of them or none, and return the number of each on its data.

    Parameters
    ----------
    path : Path
        Folder of the ledger; made where absent.
    trials : sequence of Trial
        A trial that is there already, on the same data with the same returns, is not recorded
        again.
    stand_ins : iterable of iterables of str
        Underlyings that are one market, beyond the built-in groups.

    Returns
    -------
    tuple of int
        How many different trials had been made by then on the same market (stand-ins included)
        and overlapping sessions, itself included: the trial with number 214 is the 214th. The
        same when it is recorded again.

    Raises
    ------
    LedgerError
        If the ledger cannot be written, or other writers hold it for too long.
    """
    if not trials:
        return ()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    packed = [_packed(trial, now) for trial in trials]
    spans = list({row["digest"]: row for row, _, _ in packed}.values())
    groups = [tuple(group) for group in stand_ins]
    keys = [
        (same_market(trial.underlying, groups), trial.world, trial.first, trial.last)
        for trial in trials
    ]

    def record(execute: Execute) -> dict[tuple[Any, ...], dict[str, int]]:
        for span in spans:
            execute("put_sessions", span)
        for _, returns, _ in packed:
            execute("put_returns", returns)
        for _, _, entry in packed:
            execute("put_entry", entry)
        return {key: _places(execute, *key) for key in dict.fromkeys(keys)}

    places = changed(path, record)
    return tuple(places[key][trial.trial_id] for key, trial in zip(keys, trials, strict=True))


def delete_trial(path: Path, trial_id: str, reason: str) -> int:
    """Delete metrics and returns of a trial; that it was made stays counted.

    Parameters
    ----------
    path : Path
    trial_id : str
    reason : str
        Recorded with the time: the trace that a deletion leaves.

    Returns
    -------
    int
        Entries deleted.

    Raises
    ------
    LedgerError
        If there is no such trial, or the ledger cannot be written.
    GexlabError
        If no reason is given.
    """
    if not reason.strip():
        raise GexlabError("deleting a trial needs a reason: it is what the ledger keeps of it")
    now = datetime.now(UTC).isoformat(timespec="seconds")

    def delete(execute: Execute) -> int:
        number = execute("delete_entries", {"trial_id": trial_id}).rowcount
        if not number:
            raise LedgerError(
                f"{ledger_place(path)} has no trial {trial_id!r}: gexlab ledger lists them"
            )
        given = {"trial_id": trial_id, "entries": number, "deleted_at": now, "reason": reason}
        execute("put_deletion", given)
        execute("drop_returns", {})
        return number

    return changed(path, delete)


def unpacked(days: bytes, simple: bytes) -> tuple[Days, Floats]:
    """Return sessions and returns as they were recorded."""
    sessions = np.frombuffer(zlib.decompress(days), dtype="<i4").astype("datetime64[D]")
    values = np.frombuffer(zlib.decompress(simple), dtype="<f4").astype(np.float64)
    return sessions, values


def _places(
    execute: Execute,
    underlyings: tuple[str, ...],
    world: str,
    first: date,
    last: date,
) -> dict[str, int]:
    given = {
        "underlyings": json.dumps(underlyings),
        "world": world,
        "first_session": str(first),
        "last_session": str(last),
    }
    rows = execute("first_entries", given)
    return {str(row["trial_id"]): place for place, row in enumerate(rows, 1)}


def _packed(trial: Trial, now: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the rows of a trial: its sessions, its returns, its entry."""
    days = np.ascontiguousarray(trial.sessions.astype("datetime64[D]").astype("<i4")).tobytes()
    simple = np.ascontiguousarray(np.asarray(trial.returns, dtype="<f4")).tobytes()
    of_days = hashlib.sha256(days).hexdigest()
    of_returns = hashlib.sha256(days + simple).hexdigest()
    entry = {
        "trial_id": trial.trial_id,
        "name": trial.name,
        "source": trial.source,
        "underlying": trial.underlying.upper(),
        "world": trial.world,
        "data_id": trial.data_id,
        "first_session": str(trial.first),
        "last_session": str(trial.last),
        "recorded_at": now,
        "metrics": _json(trial.metrics),
        "settings": _json(trial.settings),
        "returns": of_returns,
    }
    return (
        {"digest": of_days, "days": zlib.compress(days, 6)},
        {"digest": of_returns, "sessions": of_days, "simple": zlib.compress(simple, 1)},
        entry,
    )


def _json(values: Mapping[str, Any]) -> str:
    known = {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }
    return json.dumps(known, sort_keys=True, default=str)
