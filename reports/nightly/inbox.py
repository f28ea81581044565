"""New files into the lake; what cannot be read is put aside, and the others go in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data import ConfigError, GexlabError, LakeError, UnknownNameError, data_files, ingest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...backtest import Config
    from ...data import IngestResult, Progress

__all__ = ["PutAside", "Taken", "take_in"]

#: Errors that no single file is the cause of.
_OF_NO_FILE = (LakeError, ConfigError, UnknownNameError)


@dataclass(frozen=True, slots=True)
class PutAside:
    """A file that could not be read. It stays where it is and is tried again by the next night.

    Attributes
    ----------
    file : str
        As seen from the configuration's folder where it lies below it, else its name.
    reason : str
    """

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came in.

    Attributes
    ----------
    result : IngestResult or None
        None where there was no file that can be read.
    put_aside : tuple of PutAside
    """

    result: IngestResult | None
    put_aside: tuple[PutAside, ...] = ()


def take_in(settings: Config, lake: Path, progress: Progress) -> Taken:
    """Ingest what the configuration's paths hold, all at once.

    Where that fails for a file, each is tried by itself without writing; those that can be read
    then enter together.

    Raises
    ------
    GexlabError
        If the lake or the configuration is at fault, or files that can be read one by one cannot
        be together.
    """
    files = data_files(settings.nightly.paths)
    if not files:
        return Taken(None)
    try:
        return Taken(_ingest(files, settings, lake, progress=progress))
    except _OF_NO_FILE:
        raise
    except GexlabError:
        reasons = {file: _why_not(file, settings, lake) for file in files}
        sound = [file for file, reason in reasons.items() if not reason]
        if len(sound) == len(files):
            raise
    result = _ingest(sound, settings, lake, progress=progress) if sound else None
    aside = tuple(
        PutAside(name := _shown_path(file, settings.folder), reason.replace(str(file), name))
        for file, reason in reasons.items()
        if reason
    )
    return Taken(result, aside)


def _ingest(files: Sequence[Path], settings: Config, lake: Path, **how: Any) -> IngestResult:
    night = settings.nightly
    return ingest(
        files,
        vendor=night.vendor,
        underlying=settings.data.underlying,
        lake=lake,
        mapping=night.map,
        **how,
    )


def _why_not(file: Path, settings: Config, lake: Path) -> str:
    """Return why a file cannot enter by itself; empty where it can."""
    try:
        _ingest([file], settings, lake, dry_run=True)
    except _OF_NO_FILE:
        raise
    except GexlabError as error:
        return " ".join(str(error).split())
    return ""


def _shown_path(file: Path, folder: Path) -> str:
    """Return a path without the way to it, which would show whose home it lies in."""
    here = folder.absolute()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name
