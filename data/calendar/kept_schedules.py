"""Calendars kept on disk: `exchange_calendars` takes half a second to make one.

A kept calendar is a file of plain numbers that begins with the SHA-256 of the rest. It holds for
the code that made it (every file of ``exchange_calendars`` and of this package's corrections, by
name, size and time of change; the versions of the packages beside it) and for the rules of the
exchange's clock; otherwise, or where a file is damaged, the calendar is made anew. Calendars that a
program registered with ``exchange_calendars`` itself are never kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import sys
import tempfile
import zoneinfo
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..base.cache_folder import folder_asked_for, temporary_folder
from ..base.digested import read_digested, with_digest

__all__ = ["Schedule", "keep", "kept"]

#: Raised when the form of the files changes.
_FORM: Final = 1
_PACKAGE: Final = "exchange_calendars"


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The sessions of an exchange with their hours.

    Attributes
    ----------
    name, zone : str
        The calendar's own name and the exchange's IANA zone.
    sessions : ndarray of datetime64[D], shape (n,)
        Ascending.
    opens, closes : ndarray of datetime64[ns], shape (n,)
        UTC.
    """

    name: str
    zone: str
    sessions: npt.NDArray[np.datetime64]
    opens: npt.NDArray[np.datetime64]
    closes: npt.NDArray[np.datetime64]


def kept(asked: str) -> Schedule | None:
    """Return a calendar that was kept, if it is still what would be made.

    Parameters
    ----------
    asked : str
        Everything that the calendar is made from: name, corrections, bounds.

    Returns
    -------
    Schedule or None
    """
    if _may_differ():
        return None
    folder, mark = _folder(), _sources()
    if folder is None or mark is None:
        return None
    try:
        head, numbers = read_digested(folder / _file_of(asked)).split(b"\n", 1)
        said = json.loads(head)
        if (said["form"], said["asked"], said["sources"]) != (_FORM, asked, mark):
            return None
        if said["clock"] != _rules(said["zone"]):
            return None
        return _schedule(said, numbers)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(asked: str, made: Schedule) -> None:
    """Keep a calendar; where it cannot be kept, it is made again next time.

    Parameters
    ----------
    asked : str
    made : Schedule
    """
    folder, mark, clock = _folder(), _sources(), _rules(made.zone)
    if _may_differ() or folder is None or mark is None or clock is None:
        return
    head = {"form": _FORM, "asked": asked, "sources": mark, "clock": clock,
            "name": made.name, "zone": made.zone, "sessions": len(made.sessions)}  # fmt: skip
    days = made.sessions.astype("<M8[D]").astype("<i8")
    hours = [each.astype("<M8[ns]").astype("<i8") for each in (made.opens, made.closes)]
    body = json.dumps(head).encode() + b"\n" + b"".join(a.tobytes() for a in (days, *hours))
    with suppress(OSError):
        handle, name = tempfile.mkstemp(dir=folder, prefix="calendar-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(with_digest(body))
        os.replace(name, folder / _file_of(asked))


def _schedule(said: dict[str, Any], numbers: bytes) -> Schedule:
    rows: npt.NDArray[np.int64] = np.frombuffer(numbers, "<i8").reshape(3, said["sessions"])
    return Schedule(
        said["name"],
        said["zone"],
        rows[0].astype("datetime64[D]"),
        rows[1].astype("datetime64[ns]"),
        rows[2].astype("datetime64[ns]"),
    )


def _file_of(asked: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "-", asked)[:40]
    return f"calendar.{plain}.{hashlib.sha256(asked.encode()).hexdigest()[:12]}.bin"


def _may_differ() -> bool:
    """Return whether this process may have changed what ``exchange_calendars`` would answer."""
    utilities = sys.modules.get(f"{_PACKAGE}.calendar_utils")
    if utilities is None:
        return False
    known: Any = utilities
    dispatcher = known.global_calendar_dispatcher
    return bool(
        dispatcher._calendar_factories != known._default_calendar_factories
        or dispatcher._aliases != known._default_calendar_aliases
    )


@cache
def _folder() -> Path | None:
    """Return where calendars are kept: as asked, beside this file, or among temporary files."""
    asked = folder_asked_for()
    beside = Path(__file__).parent / "__pycache__"
    for folder in (asked, beside) if asked is not None else (beside,):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return temporary_folder()


@cache
def _sources() -> str | None:
    """Return a mark of the code that makes calendars; None where it is not made of files."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    try:
        beside = sorted(n for n in os.listdir(package.parent) if n.endswith(".dist-info"))
        ours = [Path(__file__).with_name(n) for n in ("exchange_schedule.py", "trading.py")]
        states = [_state(path) for path in (*sorted(package.rglob("*.py")), *ours)]
    except OSError:
        return None
    return hashlib.sha256("\n".join((sys.version, *beside, *states)).encode()).hexdigest()


def _state(path: Path) -> str:
    state = path.stat()
    return f"{path} {state.st_size} {state.st_mtime_ns}"


@cache
def _rules(zone: str) -> str | None:
    """Return a mark of a time zone's rules; None where they are not known."""
    for place in zoneinfo.TZPATH:
        with suppress(OSError):
            return hashlib.sha256(Path(place, zone).read_bytes()).hexdigest()
    with suppress(OSError, ImportError):
        content = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
        return hashlib.sha256(content).hexdigest()
    return None
