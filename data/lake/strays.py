"""Files that nothing names any more: what killed writers left, what readers still had open."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError
from .locks import nobody_reading, write_lock
from .manifest import Manifest, read_manifest
from .naming import name_in

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["remove_files", "remove_strays", "sweep", "sweep_alone"]

#: Stands in the lake's folder while files are kept for readers that began before a write.
_SUPERSEDED: Final = ".superseded"
_PART_NAME: Final = re.compile(r"\d{8}-\d{8}-[0-9a-f]{12}\.parquet")


def remove_strays(root: Path, folder: Path, manifest: Manifest) -> None:
    """Delete parts that no manifest names: a killed writer left them, or one with readers."""
    known = {entry.file for entry in manifest.sessions}
    found = (p for p in folder.glob("year=*/*.parquet") if _PART_NAME.fullmatch(p.name))
    remove_files(root, set(found) - known)


def remove_files(root: Path, paths: set[Path]) -> None:
    """Delete files that nothing names any more, unless somebody may still be reading them."""
    if not paths:
        return
    with nobody_reading(root) as alone:
        if alone:
            for path in sorted(paths):
                path.unlink(missing_ok=True)
        else:
            (root / _SUPERSEDED).touch()


def sweep(root: Path) -> None:
    """Delete what writers kept for readers, if these are gone; a writer that is at work does it."""
    if (root / _SUPERSEDED).exists():
        with suppress(LakeError, OSError), write_lock(root):
            sweep_alone(root)


def sweep_alone(root: Path) -> None:
    """Do so while nobody else writes."""
    mark = root / _SUPERSEDED
    if not mark.exists():
        return
    mark.unlink()
    for folder in sorted((root / "chains").glob("underlying=*")):
        with suppress(LakeError):
            found = read_manifest(folder, name_in(folder.name))
            remove_strays(root, folder, found)
