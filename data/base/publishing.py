"""A folder of results appears whole: written beside its place, then moved there in one step.

A reader sees the old results or the new ones, never some of each; of runs into one folder at the
same time one whole result wins; a run that is killed leaves the old results, and the next run
removes what it left. What else lies in the folder stays there.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["published", "published_file"]

_ENDING: Final = ".gexlab-new"
#: In a folder whose files have to be moved one by one: what is being moved, until all is.
_MOVING: Final = ".gexlab-moving"
_RESULTS: Final = "results"
_ASIDE: Final = ".gexlab-old."
_EXCHANGE: Final = 2
_HERE: Final = -100


@contextmanager
def published(folder: str | Path) -> Iterator[Path]:
    """Give an empty folder to write to; when the block ends without an error, it takes its place.

    Parameters
    ----------
    folder : str or Path
        Where the results belong. Files of the same names are replaced, others stay.

    Yields
    ------
    Path
        The folder to write to.

    Raises
    ------
    InputFileError
        If the folder cannot be made or written to, before any work is done, or the disk is full.

    Notes
    -----
    The folder is exchanged as a whole where that is possible. Where it is not (a mount point, the
    current folder, somebody else's folders in it, a file system that cannot exchange), its files
    are moved one by one: readers may see that; a kill in between is completed by the next run.
    """
    target = Path(os.path.realpath(Path(folder).expanduser()))
    draft, lock = _draft(target)
    stage = draft / _RESULTS
    try:
        stage.mkdir()
        yield stage
        with _alone(draft.parent):
            _publish(stage, target)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # after an exchange: the old results
        if lock is not None:
            os.close(lock)


@contextmanager
def published_file(path: str | Path) -> Iterator[Path]:
    """Give the path of a draft; when the block ends without an error, it becomes the file.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Path
        The draft, in the same folder.

    Raises
    ------
    InputFileError
        If the file's folder cannot be made or written to, or the disk is full.
    """
    target = Path(os.path.realpath(Path(path).expanduser()))
    # the ending is kept: writers choose the format by it
    draft = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, target)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _refused(target: Path, error: OSError) -> InputFileError:
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        remedy = "free some space, or choose a folder on another disk, then run the command again"
    else:
        remedy = "choose a folder that you may write to (--out)"
    return InputFileError(f"{target}: results cannot be written ({reason}): {remedy}")


def _draft(target: Path) -> tuple[Path, int | None]:
    """Return a new folder beside `target` (in it, where there is no right to write beside)."""
    try:
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a file of that name is there")
        target.parent.mkdir(parents=True, exist_ok=True)
        _complete(target)
        home = target.parent if os.access(target.parent, os.W_OK | os.X_OK) else target
        if target.exists() and not os.access(target, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with _alone(home):  # nobody sweeps between making and locking
            _sweep(home, target.name)
            draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_ENDING, dir=home))
            return draft, _locked(draft)
    except OSError as error:
        raise _refused(target, error) from error


def _locked(folder: Path) -> int | None:
    """Lock a folder as long as this process lives; None where there are no such locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _abandoned(folder: Path) -> bool:
    """Return whether no living process holds a folder."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _sweep(home: Path, name: str) -> None:
    """Remove what killed runs left."""
    for left in home.glob(f".{escape(name)}.*{_ENDING}"):
        if left.is_dir() and _abandoned(left):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time publish into a folder or sweep it."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _publish(stage: Path, target: Path) -> None:
    if target.exists():
        os.chmod(stage, target.stat().st_mode & 0o7777)
    if not target.exists():
        os.rename(stage, target)
    elif not (_replaceable(stage, target) and _exchanged(stage, target)):
        _move_files(stage, target)


def _replaceable(stage: Path, target: Path) -> bool:
    """Give the stage what else lies in the folder; return whether it can replace it as a whole."""
    if stage.parent.parent != target.parent or _stands_in(target) or os.path.ismount(target):
        return False
    others = [entry for entry in os.scandir(target) if not (stage / entry.name).exists()]
    if any(entry.is_dir(follow_symlinks=False) for entry in others):
        return False
    try:
        for entry in others:
            os.link(entry.path, stage / entry.name, follow_symlinks=False)
    except OSError:
        return False
    return True


def _stands_in(target: Path) -> bool:
    """Return whether this process works in a folder, which then must stay the same one."""
    try:
        return Path.cwd().is_relative_to(target)
    except OSError:
        return True


def _exchanged(stage: Path, target: Path) -> bool:
    """Exchange two folders in one step; return False where the system cannot."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done: int = rename(_HERE, os.fsencode(stage), _HERE, os.fsencode(target), _EXCHANGE)
    return done == 0


def _move_files(stage: Path, target: Path) -> None:
    """Move every entry of a stage into a folder; a kill in between is completed by `_complete`."""
    note = target / _MOVING
    draft = target / f"{_MOVING}.{os.getpid()}"
    draft.write_text(os.path.relpath(stage, target), encoding="utf-8")
    os.replace(draft, note)
    _move(stage, target)
    note.unlink(missing_ok=True)


def _move(stage: Path, target: Path) -> None:
    """Move what a stage holds; can be repeated wherever it was broken off."""
    for entry in sorted(stage.iterdir()):
        if entry.name.startswith(_ASIDE):
            continue
        place, aside = target / entry.name, stage / f"{_ASIDE}{entry.name}"
        if (entry.is_dir() or place.is_dir()) and place.exists() and not aside.exists():
            os.rename(place, aside)
        os.replace(entry, place)


def _complete(target: Path) -> None:
    """Move what a killed run had begun to move."""
    note = target / _MOVING
    if not note.is_file():
        return
    with _alone(target):
        try:
            stage = Path(os.path.realpath(target / note.read_text(encoding="utf-8")))
        except FileNotFoundError:  # another process has completed it
            return
        if stage.parent.name.endswith(_ENDING) and stage.is_dir():
            if not _abandoned(stage.parent):
                return
            try:
                _move(stage, target)
            except FileNotFoundError:
                if stage.is_dir():
                    raise
                return  # its own run has finished and removed it in between
        note.unlink(missing_ok=True)
