"""Where the files of a lake lie: on a disk, or in an object store with a mirror on a disk.

Everything else of this package works with paths. Files of a lake never change once a version names
them, so a lake far away is read through a mirror: a folder that holds what was read or written of
it. Each function here does nothing more than the disk's own for a lake on a disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote

from ..base.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .s3_client import Bucket, Stored

__all__ = [
    "Remote",
    "TakenError",
    "address_of",
    "at_once",
    "fetched",
    "folder_of_lake",
    "forgotten",
    "has_log",
    "is_remote",
    "listed_names",
    "looked_anew",
    "names_below",
    "put_new",
    "read_kept",
    "read_now",
    "remembered",
    "remote_of",
    "removed",
    "renewed",
    "replaced",
    "same_as_kept",
    "sent",
    "stored_files",
    "stored_size",
    "sync_folder",
    "writable",
]

_ADDRESS: Final = re.compile(r"s3:/+([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
#: Folders of mirrors are named by bucket and prefix, below one for each store.
_MIRRORS: Final = ("gexlab", "lakes")
#: Seconds for which the last version of a lake far away is taken to be the last.
_FRESH: Final = 0.5

#: Files that are forced to disk, or sent, at a time.
_HANDS: Final = 8

S = TypeVar("S")
T = TypeVar("T")


class TakenError(Exception):
    """A version that somebody else has committed first."""


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
            _kept(path, content)
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
    return Path(_home(), *_MIRRORS, store, name, quote(prefix, safe="") or "_")


def _home() -> str:
    cache = os.environ.get("GEXLAB_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return cache if cache.startswith("/") else _expanded(cache)


@lru_cache(maxsize=8)
def _expanded(cache: str) -> str:
    return str(Path(cache).expanduser().absolute())


def remote_of(path: Path) -> Remote | None:
    """Return the lake in an object store to whose mirror a path belongs, None for a plain path."""
    home, text = _home(), str(path)
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


def _kept(path: Path, content: bytes) -> None:
    """Write a file of a mirror, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        half.write_bytes(content)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


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


def has_log(folder: Path) -> bool:
    """Return whether a table has a log."""
    remote = remote_of(folder)
    if remote is None:
        return (folder / "_delta_log").is_dir()
    return any(remote.bucket.listed(f"{remote.key(folder)}/_delta_log/", most=1))


def names_below(folder: Path) -> set[str] | None:
    """Return the files below a folder in a store, as paths from it; None on a disk: look there."""
    remote = remote_of(folder)
    if remote is None:
        return None
    begin = remote.key(folder) + "/"
    return {found.key[len(begin) :] for found in remote.bucket.listed(begin)}


def replaced(path: Path, content: bytes) -> None:
    """Write a file over what is there, whole or not at all."""
    remote = remote_of(path)
    if remote is not None:
        remote.bucket.put(remote.key(path), content)
    _kept(path, content)


def read_kept(path: Path) -> bytes:
    """Return the bytes of a file that never changes, from the mirror where it is there.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    remote = remote_of(path)
    if remote is None or path.is_file():
        return path.read_bytes()
    return _there(path, remote.bring(path))


def read_now(path: Path) -> bytes:
    """Return the bytes of a file as they are now, whatever the mirror has.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    remote = remote_of(path)
    return path.read_bytes() if remote is None else _there(path, remote.bring(path))


def _there(path: Path, content: bytes | None) -> bytes:
    if content is None:
        raise FileNotFoundError(2, "No such file", str(path))
    return content


def same_as_kept(path: Path) -> bool:
    """Return whether a file is what the mirror had of it; if not, nothing of the mirror stays."""
    remote = remote_of(path)
    if remote is None or not path.is_file():
        return True
    kept = path.read_bytes()
    if remote.bucket.get(remote.key(path)) == kept:
        return True
    forgotten(remote.root)
    return False


def fetched(path: Path) -> bool:
    """Return whether a file is there, in the mirror from now on where it lies far away."""
    if path.is_file():
        return True
    remote = remote_of(path)
    return remote is not None and remote.bring(path) is not None


def renewed(path: Path) -> bool:
    """Bring a file of a mirror again, that is not what it should be; False on a disk."""
    remote = remote_of(path)
    return remote is not None and remote.bring(path) is not None


def sent(path: Path) -> None:
    """Put a file that is whole where the lake lies."""
    remote = remote_of(path)
    if remote is not None:
        remote.bucket.put(remote.key(path), path.read_bytes())


def stored_size(path: Path) -> int | None:
    """Return the size of a file where the lake lies, None where there is none."""
    remote = remote_of(path)
    if remote is None:
        return path.stat().st_size if path.is_file() else None
    found = remote.bucket.stat(remote.key(path))
    return None if found is None else found.size


def forgotten(root: Path) -> None:
    """Drop what a mirror has: everything is read anew. Nothing on a disk."""
    if remote_of(root) is not None:
        for table in list(root.iterdir()) if root.is_dir() else []:
            if not table.name.startswith("."):
                shutil.rmtree(table, ignore_errors=True)


def listed_names(folder: Path) -> list[str]:
    """Return the names of the files in a folder of a log.

    Of a store only those from the last one on that the mirror has, and what the mirror has.
    """
    try:
        here = os.listdir(folder)
    except FileNotFoundError:
        here = []
    remote = remote_of(folder)
    if remote is None:
        return here
    known = sorted(name for name in here if not name.startswith("."))
    begin = remote.key(folder) + "/"
    after = begin + known[-1][:-1] if known else ""
    found = [o.key[len(begin) :] for o in remote.bucket.listed(begin, after)]
    if known and known[-1] not in found:  # gone, or another lake in its place
        forgotten(remote.root)
        return [o.key[len(begin) :] for o in remote.bucket.listed(begin)]
    return [*known, *found]


def at_once(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Return what a function gives for each item, several at a time.

    For work that waits for a disk or a store: each waits as long as one.
    """
    asked = list(items)
    if len(asked) < 2:
        return [function(item) for item in asked]
    with ThreadPoolExecutor(min(_HANDS, len(asked))) as pool:
        return list(pool.map(function, asked))


def put_new(path: Path, content: bytes) -> None:
    """Make a file with its whole content at once, on disk before it has its name.

    Raises
    ------
    TakenError
        If there is one already.
    OSError, LakeError
        If it cannot be made.
    """
    remote = remote_of(path)
    if remote is not None:
        remote.prove()
        if not remote.bucket.put_new(remote.key(path), content):
            raise TakenError(str(path))
        _kept(path, content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, path)
    except FileExistsError as error:
        raise TakenError(str(path)) from error
    finally:
        with suppress(OSError):
            draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk, where the platform can; a mirror may lose them."""
    if os.name != "posix" or remote_of(folder) is not None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def removed(path: Path) -> None:
    """Delete a file where the lake lies, and in the mirror."""
    remote = remote_of(path)
    if remote is not None:
        remote.bucket.delete(remote.key(path))
    path.unlink(missing_ok=True)  # another vacuum may be at work


def stored_files(root: Path) -> Iterator[tuple[Path, int, float]]:
    """Yield the files of a lake's tables, links left out: path, size and time of writing."""
    remote = remote_of(root)
    if remote is not None:
        names: list[tuple[str, Stored]] = []
        for found in remote.bucket.listed(remote.prefix):
            names.append((found.key[len(remote.prefix) :], found))
        tables = {name.partition("/")[0] for name, _ in names if "/_delta_log/" in name}
        for name, found in names:
            if name.partition("/")[0] in tables and ".." not in name.split("/"):
                yield root / name, found.size, found.written
        return
    for log in sorted(root.glob("*/_delta_log")):
        for path in sorted(log.parent.rglob("*")):
            with suppress(FileNotFoundError):  # deleted by another vacuum
                state = path.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode):
                    yield path, state.st_size, state.st_mtime


def writable(folder: Path) -> bool:
    """Return whether files can be made in a folder; of a store the first write says so."""
    return remote_of(folder) is not None or os.access(folder, os.W_OK | os.X_OK)
