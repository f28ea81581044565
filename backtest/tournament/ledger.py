"""The trial ledger: every configuration ever evaluated on some data, recorded once.

One SQLite file in WAL mode: several processes write at once, each run in one transaction, so that
a killed writer leaves all of its trials or none. Returns are stored as float32 once per digest.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...data import GexlabError, LedgerError, short_repr
from .stand_ins import same_market

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

__all__ = [
    "Trial",
    "delete_trial",
    "ledger_file",
    "open_ledger",
    "record_trials",
    "sql",
    "transaction",
    "unpacked",
]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

#: Seconds that a writer waits for the others.
_PATIENCE: Final = 10.0
_VERSION: Final = 2
_FILE: Final = "trials.sqlite"


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


def ledger_file(path: Path) -> Path:
    """Return the file of a ledger: in the folder named, or the file itself (.sqlite, .db)."""
    return path if path.suffix in {".sqlite", ".db"} else path / _FILE


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
    with open_ledger(path, write=True) as ledger:
        with transaction(ledger):
            ledger.executemany(sql("put_sessions"), spans)
            ledger.executemany(sql("put_returns"), [p[1] for p in packed])
            ledger.executemany(sql("put_entry"), [p[2] for p in packed])
        places: dict[tuple[Any, ...], dict[str, int]] = {}
        groups = [tuple(group) for group in stand_ins]
        for trial in trials:
            key = (same_market(trial.underlying, groups), trial.world, trial.first, trial.last)
            if key not in places:
                places[key] = _places(ledger, *key)
    found = []
    for trial in trials:
        key = (same_market(trial.underlying, groups), trial.world, trial.first, trial.last)
        found.append(places[key][trial.trial_id])
    return tuple(found)


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
    with open_ledger(path, write=True) as ledger, transaction(ledger):
        number = ledger.execute(sql("delete_entries"), {"trial_id": trial_id}).rowcount
        if not number:
            raise LedgerError(
                f"{ledger_file(path)} has no trial {trial_id!r}: gexlab ledger lists them"
            )
        given = {"trial_id": trial_id, "entries": number, "deleted_at": now, "reason": reason}
        ledger.execute(sql("put_deletion"), given)
        ledger.execute(sql("drop_returns"))
    return number


@contextmanager
def open_ledger(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a ledger; closed at the end.

    Raises
    ------
    LedgerError
        If it is absent (unless it is to be written), cannot be read or written, or is of a later
        version.
    """
    file = ledger_file(path)
    try:
        if write:
            file.parent.mkdir(parents=True, exist_ok=True)
        mode = "rwc" if write else "ro"
        address = f"{file.absolute().as_uri()}?mode={mode}"
        with closing(
            sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
        ) as ledger:
            ledger.row_factory = sqlite3.Row
            _prepare(ledger, file, write=write)
            yield ledger
    except sqlite3.Error as error:
        raise LedgerError(_reason(file, error, write=write)) from error
    except OSError as error:
        raise LedgerError(
            f"cannot write the ledger {file}: {error.strerror}; name a folder that you may write "
            "to under [ledger] path"
        ) from error


def sql(name: str) -> str:
    """Return the text of one query of the ledger."""
    return _sql(name)


def unpacked(days: bytes, simple: bytes) -> tuple[Days, Floats]:
    """Return sessions and returns as they were recorded."""
    sessions = np.frombuffer(zlib.decompress(days), dtype="<i4").astype("datetime64[D]")
    values = np.frombuffer(zlib.decompress(simple), dtype="<f4").astype(np.float64)
    return sessions, values


def _prepare(ledger: sqlite3.Connection, file: Path, *, write: bool) -> None:
    version = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if version > _VERSION:
        raise LedgerError(f"{file} was written by a later version of gexlab: upgrade gexlab")
    if not write:
        return
    ledger.execute("PRAGMA synchronous = FULL")
    if version < _VERSION:
        _until_free(ledger, "PRAGMA journal_mode = WAL")
        ledger.executescript(sql("schema"))


def _until_free(ledger: sqlite3.Connection, statement: str) -> None:
    """Execute what SQLite does not wait for itself while others hold the file."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            ledger.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def transaction(ledger: sqlite3.Connection) -> Iterator[None]:
    ledger.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        ledger.execute("ROLLBACK")
        raise
    ledger.execute("COMMIT")


def _places(
    ledger: sqlite3.Connection,
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
    rows = ledger.execute(sql("first_entries"), given)
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


def _reason(file: Path, error: sqlite3.Error, *, write: bool) -> str:
    if not write and not file.exists():
        return f"there is no ledger at {file}: a backtest with a lake or a [ledger] path makes one"
    doing = "write" if write else "read"
    if "locked" in str(error):
        return f"cannot {doing} the ledger {file}: others held it for {_PATIENCE:g} s; try again"
    remedy = "name a folder of a local disk that you may write to under [ledger] path"
    return f"cannot {doing} the ledger {file}: {error}; {remedy}"


@cache
def _sql(name: str) -> str:
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
