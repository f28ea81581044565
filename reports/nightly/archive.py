"""The folder of nights: which is the latest, and the page that lists them all."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ...data import InputFileError, published_file
from .run_log import RUN_FILE
from .standing import NOTE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from .nights import Night

__all__ = ["INDEX", "LATEST", "damage_alerts", "point_to", "write_index"]

LATEST: Final = "latest"
INDEX: Final = "index.html"


def point_to(out: Path, folder: Path) -> bool:
    """Make a night the latest; return whether it was not.

    ``latest`` is exchanged in one step, and the files beside it (``report.html`` and the others)
    lead through it, so that all of them change at once. Where there are no links to folders, the
    files are copied one by one.
    """
    names = sorted(f.name for f in folder.iterdir() if f.is_file() and f.name != RUN_FILE)
    copied = out / LATEST
    if not copied.is_symlink() and (copied / NOTE_FILE).is_file():
        shutil.rmtree(copied)  # a copy of a night that was made without links
    try:
        moved = [_linked(out / name, f"{LATEST}/{name}") for name in names]
        return any([_linked(out / LATEST, folder.name), *moved])
    except OSError:
        files = [_copied(folder / name, out / name) for name in names]
        return any(files)


def write_index(out: Path, nights: tuple[Night, ...] | None = None) -> bool:
    """Write the page that lists all nights; return whether it changed."""
    from ..page.nights_page import write_nights_page
    from .nights import nights_of
    from .side_work import latest_side_work

    path = out / INDEX
    before = path.read_bytes() if path.is_file() else b""
    held = nights_of(out, verified=False) if nights is None else nights
    write_nights_page(held, path, latest_side_work(out))
    return path.read_bytes() != before


def damage_alerts(nights: tuple[Night, ...], config: Path) -> tuple[str, ...]:
    """Return that nights of an archive no longer say what was written, and what to do."""
    first = next((night for night in nights if night.damaged), None)
    if first is None:
        return ()
    more = sum(bool(night.damaged) for night in nights) - 1
    others = f", nor of {more} more" if more else ""
    return (
        f"ARCHIVE DAMAGED: {', '.join(first.damaged)} of {first.name} is not what was written"
        f"{others}: gexlab nightly {config} --as-of {first.name} makes it again; "
        "or delete its folder",
    )


def _linked(path: Path, target: str) -> bool:
    if path.is_symlink() and os.readlink(path) == target:
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}.link")
    try:
        draft.symlink_to(target)
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return True


def _copied(source: Path, target: Path) -> bool:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return False
    try:
        with published_file(target) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise InputFileError(f"{target}: cannot be written ({error.strerror})") from error
    return True
