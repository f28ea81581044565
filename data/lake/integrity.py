"""Whether files are what was written: their bytes, and that they lie inside the lake."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError
from ..base.fingerprints import file_fingerprint
from .mirror import remote_of
from .storage import fetched, renewed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from .manifest import Manifest

#: Bytes from which files are compared by several threads.
_THREADED: Final = 8 << 20

__all__ = [
    "content_of",
    "digest_of",
    "digest_of_parts",
    "is_inside",
    "named_digest",
    "part_damage",
    "require_inside",
    "require_intact",
    "require_rescue",
]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of a file that did not change, computed once."""
    state = path.stat()
    return _digest(path, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=65_536)
def _digest(path: Path, inode: int, written: int, size: int) -> str:
    return file_fingerprint(path)


def digest_of_parts(path: Path, spans: tuple[tuple[int, int], ...]) -> str:
    """Return the SHA-256 of some of a file's bytes; of a file that did not change, computed once.

    Parameters
    ----------
    path : Path
    spans : tuple of tuple of int
        Beginnings and ends, in their order.
    """
    state = path.stat()
    return _digest_of_parts(path, spans, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=65_536)
def _digest_of_parts(
    path: Path, spans: tuple[tuple[int, int], ...], inode: int, written: int, size: int
) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for begin, end in spans:
            stream.seek(begin)
            digest.update(stream.read(end - begin))
    return digest.hexdigest()


def named_digest(path: Path) -> str:
    """Return the beginning of the digest that the name of a part of the chains states."""
    return path.stem.rpartition("-")[2]


def content_of(name: str) -> tuple[str, str]:
    """Return what the name of a part says of its content: the sessions, and the digest."""
    return name[: len("20260102-20260102")], name.rpartition("-")[2]


def part_damage(path: Path, root: Path) -> str | None:
    """Return what is wrong with a part of the chains, None where nothing is.

    Parameters
    ----------
    path : Path
        As the lake names it.
    root : Path
        The lake's folder.
    """
    if not fetched(path):
        return "gone"
    if not is_inside(path, root):
        return "lies outside the lake"
    try:
        whole = digest_of(path).startswith(named_digest(path))
        if not whole and renewed(path):
            whole = digest_of(path).startswith(named_digest(path))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if whole else "its bytes are not those that were written"


def require_intact(paths: Iterable[Path], root: Path) -> None:
    """Refuse parts of the chains that are not what was written, before a number comes of them.

    Raises
    ------
    LakeError
        Naming the first, and what to do.
    """
    asked = list(dict.fromkeys(paths))
    workers = min(4, os.cpu_count() or 1, len(asked)) if _is_slow(asked, root) else 1
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        found = (pool.map if pool else map)(lambda path: part_damage(path, root), asked)
        for path, what in zip(asked, found, strict=True):
            if what is not None:
                raise LakeError(
                    f"{path}: {what}: restore it, or delete it and ingest its sessions again "
                    "(gexlab verify --lake lists all that is damaged, and what it was read from)"
                )


def _is_slow(paths: Iterable[Path], root: Path) -> bool:
    """Return whether files take longer to compare, or to fetch, than threads to start."""
    if remote_of(root) is not None:
        return True
    return sum(path.stat().st_size for path in paths if path.is_file()) > _THREADED


def require_rescue(path: Path, root: Path, before: Manifest, kept: list[date]) -> None:
    """Refuse to write while a damaged part holds further sessions, which would be lost.

    Parameters
    ----------
    path : Path
        The part, from which sessions go.
    root : Path
        The lake's folder.
    before : Manifest
    kept : list of date
        The sessions of the part that stay.

    Raises
    ------
    LakeError
        If the part is not what was written.
    """
    what = part_damage(path, root)
    if what is None:
        return
    sources = {s for e in before.sessions if e.session in kept for s in e.sources}
    files = [p for e in before.sources if e.source in sources for p in e.paths]
    raise LakeError(
        f"{path}: {what}; it also held {len(kept)} sessions from {kept[0]} to {kept[-1]}, read "
        f"from {', '.join(files[:20]) or 'elsewhere'}: ingest those files in the same call, or "
        "restore it"
    )


def require_inside(path: str | Path, root: Path) -> None:
    """Refuse a path that leads out of the lake.

    Raises
    ------
    LakeError
        If it does.
    """
    if not is_inside(path, root):
        raise LakeError(
            f"{path} leads out of the lake {root}: a lake is one folder; remove the link and "
            "ingest again, or make the whole lake a link"
        )


def is_inside(path: str | Path, root: Path) -> bool:
    """Return whether a path resolves to a place inside a folder."""
    if _is_plain(os.fspath(path), os.fspath(root)):
        return True
    home = os.path.realpath(root)
    return os.path.commonpath([home, os.path.realpath(path)]) == home


def _is_plain(path: str, root: str) -> bool:
    """Return whether a path goes on from a folder without a link: it needs no resolving then."""
    begin = root.rstrip("/") + "/"
    if os.name != "posix" or not path.startswith(begin):
        return False
    place = len(begin) - 1
    while place >= 0:
        place = path.find("/", place + 1)
        here = path if place < 0 else path[:place]
        if here.rpartition("/")[2] in ("", ".", ".."):
            return False
        try:
            if stat.S_ISLNK(os.lstat(here).st_mode):
                return False
        except FileNotFoundError:
            return True  # nothing is below what is not there
    return True
