"""What of an archive is not as it was written: a night's own files, and what it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data import GexlabError, file_fingerprint
from .standing import facts_digest
from .stored import STORE, stored_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from .stored import StoredNight

__all__ = ["copies_of", "damaged_files", "damaged_inputs", "is_as_written"]


def is_as_written(note: dict[str, Any], stored: StoredNight | None) -> bool:
    """Return whether a night's note says what was written: by its seal, and by its inputs' note."""
    sealed = "facts_sha256" not in note or note["facts_sha256"] == facts_digest(note["facts"])
    if stored is None:
        return sealed
    return sealed and (note["key"], note["files"]) == (stored.key, dict(stored.files))


def damaged_files(
    folder: Path, files: dict[str, str], only: Collection[str] | None = None
) -> Iterator[str]:
    """Yield the files of a night that are gone, or not what was written.

    Parameters
    ----------
    folder : Path
    files : dict of str to str
        Digests by name.
    only : collection of str, optional
        Names to look at; all where left out.
    """
    for name, digest in files.items():
        if (only is None or name in only) and _digest(folder / name) != digest:
            yield name


def copies_of(out: Path) -> Callable[[str], bool]:
    """Return what says whether a stored copy is whole; each is read once, whoever asks."""
    known: dict[str, bool] = {}

    def whole(digest: str) -> bool:
        if digest not in known:
            known[digest] = _digest(out / STORE / digest) == digest
        return known[digest]

    return whole


def damaged_inputs(
    out: Path,
    name: str,
    stored: StoredNight | None,
    run: dict[str, Any],
    whole: Callable[[str], bool],
) -> Iterator[str]:
    """Yield what a replay of a night needs and would not find as it was stored.

    Parameters
    ----------
    out : Path
        Folder of the nights.
    name : str
        Of the night.
    stored : StoredNight or None
        What is noted of its inputs.
    run : dict
        Its ``run.json``, which names them too.
    whole : callable
        See `copies_of`.
    """
    if stored is None:
        place = stored_place(out, name)
        if run.get("inputs") or place.exists():
            yield place.relative_to(out).as_posix()
        return
    for file in (stored.configuration, *stored.inputs):
        if not whole(file.sha256):
            yield f"{STORE}/{file.sha256[:_SHOWN]} ({file.path})"


def _digest(path: Path) -> str:
    """Return the digest of a file; empty where it cannot be read."""
    try:
        return file_fingerprint(path)
    except (OSError, GexlabError):
        return ""


#: Digits of a copy's name that are told.
_SHOWN = 10
