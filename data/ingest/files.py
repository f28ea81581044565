"""From what a user names (files, folders, globs, archives) to files that can be read."""

from __future__ import annotations

import bz2
import glob
import gzip
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pyarrow as pa

from ..base.errors import InputFileError
from ..base.fingerprints import file_fingerprint
from ..vendors.vendor_preset import InputFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Executor

__all__ = ["DATA_SUFFIXES", "Found", "data_files", "find_files", "opened"]

DATA_SUFFIXES: Final = (
    ".csv", ".txt", ".tsv", ".parquet", ".pq", ".parq", ".json", ".jsonl", ".ndjson", ".feather",
    ".arrow",
)  # fmt: skip
#: Files of one member, and how they are packed.
_PACKED: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_ARCHIVES: Final = (".zip", *_PACKED)
#: Tables of option chains shrink 5 to 30 times; a file that grows more than this on opening, beyond
#: an allowance for small ones, was made to fill the disk.
_MAX_GROWTH: Final = 200
_ALLOWANCE: Final = 64 << 20
_MAX_MEMBERS: Final = 100_000
_CHUNK: Final = 1 << 20
#: What the standard library raises on archives that are not what they claim.
_DAMAGED: Final = (
    zipfile.BadZipFile,
    pa.ArrowException,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a user's paths led to.

    Attributes
    ----------
    files : tuple of Path
        Data files and archives, in the order given, folders sorted by name.
    ignored : tuple of Path
        Files in folders whose suffix is not one of a data file.
    """

    files: tuple[Path, ...]
    ignored: tuple[Path, ...]


def find_files(paths: Iterable[str | Path]) -> Found:
    """Return the files that paths, folders and glob patterns stand for.

    A path that exists is taken as it is, even where its name looks like a pattern. Folders are
    searched with everything below them; hidden files are left out.

    Raises
    ------
    InputFileError
        If a path stands for nothing, or a file's suffix is not one of a data file.
    """
    files: dict[Path, None] = {}
    ignored: dict[Path, None] = {}
    for path in paths:
        matches, others = _matches(path)
        files.update(dict.fromkeys(matches))
        ignored.update(dict.fromkeys(others))
    if not files:
        raise InputFileError(f"no data files among what was named: expected {_suffixes()}")
    return Found(tuple(files), tuple(ignored))


def data_files(paths: Iterable[str | Path]) -> tuple[Path, ...]:
    """Return the data files that paths, folders and glob patterns stand for, none where none is.

    Parameters
    ----------
    paths : iterable of str or Path

    Returns
    -------
    tuple of Path
        In the order given, folders sorted by name, each once.

    Raises
    ------
    InputFileError
        If a path is neither a file nor a folder nor a pattern whose folder exists, or a file named
        by itself is no data file.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if _could_match(os.fspath(path)):
            continue
        files.update(dict.fromkeys(_matches(path)[0]))
    return tuple(files)


def _could_match(text: str) -> bool:
    """Return whether a pattern matches nothing yet, in a folder that exists."""
    given = Path(text).expanduser().absolute()
    if given.exists() or not glob.has_magic(text) or glob.glob(text, recursive=True):
        return False
    plain = next(p for p in given.parents if not glob.has_magic(str(p)))
    return plain.is_dir()


def _matches(path: str | Path) -> tuple[list[Path], list[Path]]:
    text = os.fspath(path)
    given = Path(text).expanduser().absolute()
    try:
        if given.is_dir():
            return _in_folder(given)
        if given.exists():
            return [_data_file(given)], []
        found = sorted(Path(name).absolute() for name in glob.glob(text, recursive=True))
    except InputFileError:
        raise
    except (OSError, ValueError) as error:
        raise InputFileError(f"cannot look for {text!r}: {error}") from error
    if not found:
        raise InputFileError(f"{text}: no such file, folder or match: correct the path")
    return (
        [p for p in found if p.is_file() and _is_data(p)],
        [p for p in found if p.is_file() and not _is_data(p)],
    )


def _in_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    visible = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    files = [path for path in visible if _is_data(path)]
    if not files:
        raise InputFileError(
            f"{folder}: no data files in this folder: expected {_suffixes()}; correct the path"
        )
    return files, [path for path in visible if not _is_data(path)]


def _data_file(path: Path) -> Path:
    if not path.is_file() or not _is_data(path):
        raise InputFileError(
            f"{path}: not a data file by its suffix {path.suffix!r}: expected {_suffixes()}"
        )
    return path


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in DATA_SUFFIXES + _ARCHIVES


def _suffixes() -> str:
    return ", ".join(DATA_SUFFIXES + _ARCHIVES)


def opened(path: Path, folder: Path, hand: Executor | None = None) -> Iterator[InputFile]:
    """Yield what a file holds: itself, or the tables in an archive, copied into `folder`.

    A member's name is never used as a path, and what comes out of an archive is bounded by its
    own size.

    Parameters
    ----------
    path, folder : Path
    hand : Executor, optional
        Works out the digest of a file that is read where it lies, while this goes on.

    Raises
    ------
    InputFileError
        If a file cannot be read, or an archive is damaged, encrypted or a bomb.
    """
    try:
        if path.suffix.lower() == ".zip":
            yield from _zip_members(path, folder)
        elif path.suffix.lower() in _PACKED:
            yield _unpacked(path, folder)
        else:
            yield _plain(path, folder, hand)
    except InputFileError:
        raise
    except _DAMAGED as error:
        raise InputFileError(
            f"{path}: damaged or encrypted archive ({error}): download it again, or unpack it "
            "yourself"
        ) from error
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror or error}") from error


def _plain(path: Path, folder: Path, hand: Executor | None) -> InputFile:
    readable = path
    if glob.has_magic(str(path)):
        # DuckDB would take the name for a pattern; a link with a plain name does not look like one
        readable = _fresh_name(folder, path.suffix)
        readable.symlink_to(path)
    if hand is None:
        return InputFile(readable, str(path), file_fingerprint(path), folder)
    with path.open("rb"):
        pass  # what cannot be read is said now
    return InputFile(readable, str(path), hand.submit(file_fingerprint, path), folder)


def _unpacked(path: Path, folder: Path) -> InputFile:
    suffix = Path(path.stem).suffix.lower()
    if suffix not in DATA_SUFFIXES:
        raise InputFileError(
            f"{path}: its name does not say what it holds: expected e.g. chain.csv.gz"
        )
    target = _fresh_name(folder, suffix)
    if path.suffix.lower() == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            _copy(stream, target, _bound(path), str(path))
    else:
        with (bz2 if path.suffix.lower() == ".bz2" else gzip).open(path, "rb") as stream:
            _copy(stream, target, _bound(path), str(path))
    return InputFile(target, str(path), file_fingerprint(target), folder)


def _zip_members(path: Path, folder: Path) -> Iterator[InputFile]:
    with zipfile.ZipFile(path) as archive:
        members = _tables_in(archive, path)
        left = _bound(path)
        for member in members:
            target = _fresh_name(folder, Path(member.filename).suffix)
            label = f"{path}!{member.filename}"
            with archive.open(member) as stream:
                left -= _copy(stream, target, left, label)
            yield InputFile(target, label, file_fingerprint(target), folder)


def _tables_in(archive: zipfile.ZipFile, path: Path) -> Sequence[zipfile.ZipInfo]:
    infos = archive.infolist()
    members = [
        info
        for info in infos
        if not info.filename.endswith("/")
        and Path(info.filename).suffix.lower() in DATA_SUFFIXES
        and not _is_hidden(info.filename)
    ]
    if not members or len(infos) > _MAX_MEMBERS:
        raise InputFileError(
            f"{path}: expected 1 to {_MAX_MEMBERS} members, at least one of them "
            f"{', '.join(DATA_SUFFIXES)}; found {len(infos)} members, {len(members)} of them data"
        )
    return members


def _is_hidden(member: str) -> bool:
    """Return whether a member is one that archivers add for themselves, or hidden."""
    parts = [part for part in member.replace("\\", "/").split("/") if part not in (".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _bound(path: Path) -> int:
    return _ALLOWANCE + _MAX_GROWTH * path.stat().st_size


def _copy(stream: Any, target: Path, bound: int, label: str) -> int:
    """Copy a stream that may not be trusted; return its length in bytes."""
    written = 0
    with target.open("wb") as copy:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > bound:
                raise InputFileError(
                    f"{label} unpacks to more than {bound} bytes, {_MAX_GROWTH} times its packed "
                    "size: if that is right, unpack it yourself and ingest the files"
                )
            copy.write(chunk)
    return written


def _fresh_name(folder: Path, suffix: str) -> Path:
    return folder / f"{uuid4().hex}{suffix.lower()}"
