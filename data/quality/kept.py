"""What was worked out of each session, kept on disk: a night looks at what is new alone.

A value is found again by everything that it was worked out from: the fingerprints of its session
and of those that it was compared with, limits and rates, and the code of the checks. Nothing is
asked of the lake's name or of a clock, and a file that is damaged counts as missing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.digested import read_digested, with_digest
from ..lake.mirror import kept, lakes_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["kept_by_session", "key_of"]

#: Raised when the form of the files changes.
_FORM: Final = 1
_FOLDER: Final = ("gexlab", "checks")
#: Rooms whose code makes the values.
_ROOMS: Final = ("quality", "exposure")


def key_of(*inputs: object) -> str:
    """Return a key for a value that was worked out from these inputs, by the code as it is."""
    said = json.dumps([_code(), *inputs], default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def kept_by_session(
    name: str, keys: Sequence[str], make: Callable[[list[int]], Mapping[int, Any]]
) -> list[Any]:
    """Return a value for each session: the one that was kept, else made now and kept.

    Parameters
    ----------
    name : str
        Which file: what is kept together, e.g. of one underlying of a lake.
    keys : sequence of str
        Of the sessions, in order; see `key_of`.
    make : callable
        Takes the places of the sessions to work out; gives a plain value (as JSON has) of each.

    Returns
    -------
    list
        In the order of `keys`.
    """
    file = _file_of(name)
    values = _read(file)
    missing = [i for i, key in enumerate(keys) if key not in values]
    if missing:
        made = make(missing)
        # as they will be read: what is made now and what was kept do not differ
        values |= json.loads(json.dumps({keys[i]: made[i] for i in missing}))
        now = set(keys)
        if len(values) > 2 * len(now):  # of former chains
            values = {key: value for key, value in values.items() if key in now}
        _write(file, values)
    return [values[key] for key in keys]


def _file_of(name: str) -> Path | None:
    try:
        folder = Path(lakes_cache(), *_FOLDER)
    except RuntimeError:  # nobody's home is known
        return None
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        said = json.loads(read_digested(file))
        return dict(said["values"]) if said["form"] == _FORM else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(file: Path | None, values: Mapping[str, Any]) -> None:
    """Write a file; where it cannot be written, its values are worked out again next time."""
    if file is None:
        return
    body = json.dumps({"form": _FORM, "values": values}).encode()
    with suppress(OSError):
        kept(file, with_digest(body))


@cache
def _code() -> str:
    """Return a mark of the code that makes the values: every file of its rooms, and DuckDB's."""
    rooms = [Path(__file__).parents[1] / room for room in _ROOMS]
    files = sorted(p for room in rooms for p in room.rglob("*") if p.suffix in (".py", ".sql"))
    states = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "numpy")]
    return hashlib.sha256("\n".join([*packages, *states]).encode()).hexdigest()
