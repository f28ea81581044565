"""Files of a lake, read and written where they lie: on a disk, or in an object store.

Everything else of this package works with paths. Each function here does nothing more than the
disk's own for a lake on a disk; of one far away it keeps the mirror (see `mirror`).
"""

from __future__ import annotations

import os
import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from .mirror import forgotten, kept, remote_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .s3_client import Stored

__all__ = [
    "TakenError",
    "at_once",
    "fetched",
    "forced",
    "has_log",
    "listed_names",
    "names_below_each",
    "put_all",
    "put_new",
    "read_kept",
    "read_now",
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

#: Files that are forced to disk, or sent, at a time.
_HANDS: Final = 8

S = TypeVar("S")
T = TypeVar("T")


class TakenError(Exception):
    """A version that somebody else has committed first."""


def has_log(folder: Path) -> bool:
    """Return whether a table has a log."""
    remote = remote_of(folder)
    if remote is None:
        return (folder / "_delta_log").is_dir()
    return any(remote.bucket.listed(f"{remote.key(folder)}/_delta_log/", most=1))


def names_below_each(folders: Sequence[Path]) -> Sequence[set[str] | None]:
    """Return the files below each of some folders of a lake in a store, as paths from it.

    None on a disk: look there.
    """
    if not folders or remote_of(folders[0]) is None:
        return [None] * len(folders)
    return at_once(_names_below, folders)


def _names_below(folder: Path) -> set[str] | None:
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
    kept(path, content)


def read_kept(path: Path) -> bytes:
    """Return the bytes of a file that never changes, from the mirror where it is there.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return read_now(path)


def read_now(path: Path) -> bytes:
    """Return the bytes of a file as they are now, whatever the mirror has.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    remote = remote_of(path)
    if remote is None:
        return path.read_bytes()
    content = remote.bring(path)
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
    return path.is_file() or renewed(path)


def renewed(path: Path) -> bool:
    """Bring a file of a mirror again, that is not what it should be; False on a disk."""
    remote = remote_of(path)
    return remote is not None and remote.bring(path) is not None


def sent(draft: Path, path: Path) -> None:
    """Put a file that is whole, and is to be named `path`, where the lake lies."""
    remote = remote_of(path)
    if remote is not None:
        remote.bucket.put(remote.key(path), draft.read_bytes())


def stored_size(path: Path) -> int | None:
    """Return the size of a file where the lake lies, None where there is none."""
    remote = remote_of(path)
    if remote is None:
        return path.stat().st_size if path.is_file() else None
    found = remote.bucket.stat(remote.key(path))
    return None if found is None else found.size


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
    if not put_all([(path, content)])[0]:
        raise TakenError(str(path))


def put_all(files: Sequence[tuple[Path, bytes]]) -> list[bool]:
    """Make files as `put_new` does, of one lake; return which were made, and not there already.

    On a disk all are written before the first is forced: a file system then forces most of them
    with the first one, and nothing is gained by threads.

    Raises
    ------
    OSError, LakeError
        If one cannot be made.
    """
    if files and remote_of(files[0][0]) is not None:
        return at_once(lambda file: _put_far(*file), files)
    drafts: list[str] = []
    try:
        for path, content in files:
            # texts: a path takes longer to make than the rest
            drafts.append(f"{path.parent}/.{path.name}.{uuid.uuid4().hex}.tmp")
            _drafted(drafts[-1], content)
        for draft in drafts:
            forced(draft)
        made = [_linked(draft, path) for draft, (path, _) in zip(drafts, files, strict=True)]
    finally:
        for draft in drafts:
            with suppress(OSError):
                os.unlink(draft)
    for (path, _), new in zip(files, made, strict=True):
        if new:
            sync_folder(path.parent)
    return made


def _put_far(path: Path, content: bytes) -> bool:
    remote = remote_of(path)
    assert remote is not None
    remote.prove()
    made = remote.bucket.put_new(remote.key(path), content)
    if made:
        kept(path, content)
    return made


def _drafted(draft: str, content: bytes) -> None:
    try:
        stream = open(draft, "xb")  # noqa: SIM115
    except FileNotFoundError:
        os.makedirs(os.path.dirname(draft), exist_ok=True)
        stream = open(draft, "xb")  # noqa: SIM115
    with stream:
        stream.write(content)


def _linked(draft: str, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    return True


def forced(path: str | Path) -> None:
    """Force a file's content to disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
