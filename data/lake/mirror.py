"""A lake in an object store: its address, its mirror on a disk, and what is remembered of it.

Files of a lake never change once a version names them, so a lake far away is read through a mirror:
a folder that holds what was read or written of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote

from ..base.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .s3_client import Bucket

__all__ = [
    "Remote",
    "address_of",
    "folder_of_lake",
    "forgotten",
    "is_remote",
    "kept",
    "lakes_cache",
    "looked_anew",
    "remembered",
    "remote_of",
]

_ADDRESS: Final = re.compile(r"s3:/+([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
#: Folders of mirrors are named by bucket and prefix, below one for each store.
_MIRRORS: Final = ("gexlab", "lakes")
#: Seconds for which the last version of a lake far away is taken to be the last.
_FRESH: Final = 0.5

T = TypeVar("T")


class Remote:
    """A lake in an object store.

    Attributes
    ----------
    root : Path
        Its mirror.
    address : str
        ``s3://bucket/prefix``.
    bucket : Bucket
    prefix : str
        Of its keys, with a slash at the end; empty where the lake is the bucket.
    """

    def __init__(self, root: Path, address: str, bucket: Bucket, prefix: str) -> None:
        self.root, self.address, self.bucket, self.prefix = root, address, bucket, prefix
        self.proven = False
        self.memory: tuple[float, Any] | None = None

    def key(self, path: Path) -> str:
        """Return the key of a file of the mirror."""
        return self.prefix + path.relative_to(self.root).as_posix()

    def bring(self, path: Path) -> bytes | None:
        """Copy a file into the mirror and return its bytes, None where there is none."""
        content = self.bucket.get(self.key(path))
        if content is not None:
            kept(path, content)
        return content

    def prove(self) -> None:
        """See once that the store refuses a put to a key that exists.

        Raises
        ------
        LakeError
            If it does not.
        """
        if self.proven:
            return
        key = f"{self.prefix}.probe-{uuid.uuid4().hex}"
        first = self.bucket.put_new(key, b"first")
        second = self.bucket.put_new(key, b"second")
        self.bucket.delete(key)
        if not first or second:
            raise LakeError(
                f"{self.address}: the store lets a put replace what it was to leave alone "
                "(If-None-Match is not heeded), so two writers could lose each other's sessions: "
                "use a store with conditional puts"
            )
        self.proven = True


def is_remote(place: object) -> bool:
    """Return whether a text or path is the address of a lake in an object store.

    Parameters
    ----------
    place : object
        A folder or an address.

    Returns
    -------
    bool
    """
    return _ADDRESS.fullmatch(str(place)) is not None


def folder_of_lake(place: str | os.PathLike[str]) -> Path:
    """Return the folder of a lake: its own on a disk, its mirror where it lies in a store.

    Parameters
    ----------
    place : str or Path
        A folder, or an address such as ``s3://bucket/prefix``.

    Returns
    -------
    Path

    Raises
    ------
    LakeError
        If the address is of no store that is known.
    """
    text = os.fspath(place)
    found = _ADDRESS.fullmatch(text)
    if found is None:
        if re.match(r"[a-z][a-z0-9+]+:/", text):
            raise LakeError(f"{text}: expected a folder, or an address such as s3://bucket/prefix")
        return Path(text).expanduser().absolute()
    name, prefix = found[1], (found[2] or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/") if prefix):
        raise LakeError(f"{text}: not an address of a lake: write s3://bucket/prefix")
    from .s3_client import bucket_of  # needed far away alone

    bucket = bucket_of(name)
    store = hashlib.sha256(f"{bucket.host}{bucket.prefix}".encode()).hexdigest()[:12]
    return Path(lakes_cache(), *_MIRRORS, store, name, quote(prefix, safe="") or "_")


def lakes_cache() -> str:
    """Return the folder for what is kept of lakes: mirrors of those far away, looks at sessions.

    ``GEXLAB_CACHE`` names it, else ``XDG_CACHE_HOME``, else it is ``~/.cache``; an absolute path.

    Raises
    ------
    RuntimeError
        If nobody's home is known.
    """
    named = os.environ.get("GEXLAB_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return named if named.startswith("/") else _expanded(named)


@lru_cache(maxsize=8)
def _expanded(named: str) -> str:
    return str(Path(named).expanduser().absolute())


def remote_of(path: Path) -> Remote | None:
    """Return the lake in an object store to whose mirror a path belongs, None for a plain path."""
    home, text = lakes_cache(), str(path)
    if not text.startswith(home):
        return None
    home = os.path.join(home, *_MIRRORS)
    if not text.startswith(home):
        return None
    parts = text[len(home) + 1 :].split(os.sep)
    return _remote(home, *parts[:3]) if len(parts) >= 3 else None


@lru_cache(maxsize=64)
def _remote(home: str, store: str, name: str, quoted: str) -> Remote:
    from .s3_client import bucket_of

    prefix = "" if quoted == "_" else unquote(quoted)
    address = f"s3://{name}/{prefix}".rstrip("/")
    root = Path(home) / store / name / quoted
    if folder_of_lake(address) != root:
        raise LakeError(f"{address}: AWS_ENDPOINT_URL names another store than it did: start again")
    return Remote(root, address, bucket_of(name), f"{prefix}/" if prefix else "")


def address_of(root: Path) -> str:
    """Return what a lake is called: its folder, or its address."""
    remote = remote_of(root)
    return str(root) if remote is None else remote.address


def kept(path: Path, content: bytes) -> None:
    """Write a file of a mirror, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        half.write_bytes(content)
        os.replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def remembered(root: Path, read: Callable[[Path], T]) -> T:
    """Return what is read of a lake; far away, asked again a moment later, what it was."""
    remote = remote_of(root)
    if remote is None:
        return read(root)
    if remote.memory is None or time.monotonic() - remote.memory[0] > _FRESH:
        remote.memory = (time.monotonic(), read(root))
    found: T = remote.memory[1]
    return found


def looked_anew(root: Path) -> None:
    """Drop what `remembered` has."""
    remote = remote_of(root)
    if remote is not None:
        remote.memory = None


def forgotten(root: Path) -> None:
    """Drop what a mirror has: everything is read anew. Nothing on a disk.

    What is being written stays, others may be at work with the same mirror.
    """
    if remote_of(root) is None:
        return
    for folder, below, names in os.walk(root):
        if folder == str(root):  # of tables alone
            below[:] = [name for name in below if not name.startswith(".")]
            continue
        for name in names:
            if not name.startswith("."):
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))
