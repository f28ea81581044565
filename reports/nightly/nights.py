"""The archive: every night of a folder, what it said, and whether it is as it was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ...data import InputFileError, UnknownNameError
from .damage import copies_of, damaged_files, damaged_inputs, is_as_written
from .run_log import RUN_FILE
from .standing import NOTE_FILE
from .stored import stored_night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .stored import StoredNight

__all__ = [
    "UNKNOWN",
    "Difference",
    "Night",
    "compare_nights",
    "flat",
    "is_archive",
    "made_from",
    "night_named",
    "nights_of",
]

UNKNOWN: Final = "unknown"
#: What a list of nights is made from, beside their notes.
_LISTED: Final = ("results.json",)
#: What a list of nights says of each.
_NUMBERS: Final = (
    "value", "net_to_gross", "spot", "flip", "flip_distance", "put_wall", "call_wall",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """One night of an archive.

    Attributes
    ----------
    name : str
        Of its folder: session and digest.
    session, regime, quality : str
        Regime and quality are "unknown" where ``nightly.json`` is not what was written.
    facts : dict
        Everything that ``nightly.json`` says of the last session.
    damaged : tuple of str
        Files that are gone, or not what was written: of its folder, and stored inputs.
    created_at : str
        When it was made, UTC; empty where its ``run.json`` is gone.
    versions, inputs : dict of str to str
        Of libraries; digests of what was read, by name.
    """

    name: str
    session: str
    regime: str
    quality: str
    facts: dict[str, Any]
    damaged: tuple[str, ...] = ()
    created_at: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two nights differ.

    Attributes
    ----------
    kind : {"number", "input"}
    name : str
    first, second : object
        None where a night does not have it.
    """

    kind: str
    name: str
    first: Any
    second: Any


def nights_of(out: Path, *, verified: bool = True) -> tuple[Night, ...]:
    """Return the nights of a folder, the last session first; of one session, the newest first.

    Parameters
    ----------
    out : Path
    verified : bool
        Compare every file with what was written, and every stored input. Otherwise those alone
        that say what is listed: ``nightly.json`` and ``results.json``.

    Raises
    ------
    InputFileError
        If there is no such folder.
    """
    if not out.is_dir():
        raise InputFileError(
            f"{out}: no such folder of nights: name the one of [nightly] out, or its configuration"
        )
    found = list(_read(out, verified=verified))
    return tuple(sorted(found, key=lambda n: (n.session, n.created_at, n.name), reverse=True))


def _read(out: Path, *, verified: bool) -> Iterator[Night]:
    whole = copies_of(out)
    for folder in sorted(out.iterdir()):
        if folder.is_symlink() or not folder.is_dir() or is_archive(folder):
            continue
        stored, run = stored_night(out, folder.name), _json(folder / RUN_FILE)
        night = _night(folder, stored, run, verified=verified) or _unread(folder, stored)
        if night is None:
            continue  # a folder of somebody else's
        lost = damaged_inputs(out, night.name, stored, run, whole) if verified else ()
        yield replace(night, damaged=(*night.damaged, *lost))


def _night(
    folder: Path, stored: StoredNight | None, run: dict[str, Any], *, verified: bool
) -> Night | None:
    """Return a night by its note; None where it has none that can be read."""
    try:
        note = json.loads((folder / NOTE_FILE).read_text(encoding="utf-8"))
        if not is_as_written(note, stored):
            return _unread(folder, stored, str(note["facts"]["session"]))
        facts = note["facts"]
        return Night(
            name=folder.name,
            session=str(facts["session"]),
            regime=str(facts["regime"]),
            quality=str(facts["quality"]),
            facts={k: v for k, v in facts.items() if k != "forecasts"},
            damaged=tuple(damaged_files(folder, note["files"], None if verified else _LISTED)),
            created_at=str(run.get("created_at", "")),
            **made_from(folder),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _unread(folder: Path, stored: StoredNight | None, session: str = "") -> Night | None:
    """Return a night whose note is not what was written, without the numbers that it says."""
    if stored is None and not session:
        return None
    session = session if stored is None else stored.session
    facts: dict[str, Any] = {"underlying": "", "currency": "", "alerts": []}
    facts |= dict.fromkeys(_NUMBERS)
    created = "" if stored is None else stored.created_at
    return Night(folder.name, session, UNKNOWN, UNKNOWN, facts, (NOTE_FILE,), created)


def is_archive(folder: Path) -> bool:
    """Return whether a folder holds nights, and is none."""
    return (folder / "latest").exists() and (folder / "index.html").is_file()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def made_from(folder: Path) -> dict[str, dict[str, str]]:
    """Return versions and inputs of a night, by its results."""
    told = _json(folder / "results.json").get("provenance", {})
    inputs = {str(file["path"]): str(file["sha256"]) for file in told.get("inputs", [])}
    inputs |= {"configuration": str(told.get("config_sha256", ""))}
    versions = {"gexlab": str(told.get("gexlab", "")), **told.get("versions", {})}
    return {"versions": versions, "inputs": inputs}


def night_named(nights: tuple[Night, ...], name: str) -> Night:
    """Return a night by its folder, its digest, or its session (then the newest of it).

    Raises
    ------
    UnknownNameError
    """
    for night in nights:
        if name in (night.name, night.session, night.name.rpartition("-")[2]):
            return night
    raise UnknownNameError("night", name, tuple(n.name for n in nights))


def compare_nights(first: Night, second: Night) -> tuple[Difference, ...]:
    """Return the numbers in which two nights differ, and the inputs that differ."""
    numbers = _differing("number", flat(first.facts), flat(second.facts))
    made = ({**n.versions, **n.inputs} for n in (first, second))
    return (*numbers, *_differing("input", *made))


def _differing(kind: str, first: dict[str, Any], second: dict[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name), second.get(name)
        if a != b:
            yield Difference(kind, name, a, b)


def flat(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts without nesting: `change.by` for the entry `by` of `change`."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        inner = value if isinstance(value, dict) else None
        flat |= {f"{name}.{k}": v for k, v in inner.items()} if inner else {name: value}
    return flat
