"""Why a session that had a night has another one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .nights import made_from
from .standing import NOTE_FILE, folder_name
from .stored import stored_night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .stored import StoredNight

__all__ = ["LOST", "last_night", "was_made", "why_again"]

LOST: Final = "a file of it was gone, or not what was written"
#: Inputs that are named.
_NAMED: Final = 3


def last_night(out: Path) -> str:
    """Return the name of the night that was the latest; empty where there is none."""
    try:
        note = json.loads((out / NOTE_FILE).read_text(encoding="utf-8"))
        return folder_name(note["facts"]["session"], note["key"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def was_made(out: Path, name: str) -> bool:
    """Return whether a night was made before, whatever is left of it."""
    return (out / name).is_dir() or stored_night(out, name) is not None


def why_again(out: Path, before: str, now: str) -> str:
    """Return what made a night another one than the latest before it, of the same session.

    Parameters
    ----------
    out : Path
        Folder of the nights.
    before, now : str
        Names of the two, which stand.

    Returns
    -------
    str
        Empty where there was none, or one of another session: that a session is new says enough.
    """
    was, new = stored_night(out, before), stored_night(out, now)
    if not before or was is None or new is None or was.session != new.session:
        return ""
    found = list(_reasons(out, was, new))
    return "; ".join(found) or "what earlier nights forecast, or the regime's rows, have changed"


def _reasons(out: Path, was: StoredNight, new: StoredNight) -> Iterator[str]:
    first, second = made_from(out / was.night), made_from(out / new.night)
    for name, version in second["versions"].items():
        former = first["versions"].get(name, "")
        if former and former != version:
            yield f"{name} was {former}, is {version}"
    if was.code != new.code:
        yield "gexlab's own code has changed"
    then, now = first["inputs"], second["inputs"]
    moved = [name for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]
    if "configuration" in moved:
        moved.remove("configuration")
        yield "the configuration has changed"
    if moved:
        more = f" and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
        verb = "has" if len(moved) == 1 else "have"
        yield f"{', '.join(moved[:_NAMED])}{more} {verb} changed"
    if was.alerts != new.alerts:
        yield "what must be read first has changed"
