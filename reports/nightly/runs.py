"""The catalogue of nights: list them, compare two, reproduce one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import InputFileError, silent
from .nights import compare_nights, is_archive, night_named, nights_of

if TYPE_CHECKING:
    from ...data import Progress
    from .nights import Difference, Night
    from .replay import Again

__all__ = ["RunsResult", "runs"]


@dataclass(frozen=True, slots=True)
class RunsResult:
    """Nights of a folder.

    Attributes
    ----------
    folder : Path
    nights : tuple of Night
        All, the last session first; of a comparison the two.
    differences : tuple of Difference or None
        None where nothing is compared.
    again : Again or None
        A night that was made again; None where none was asked for.
    """

    folder: Path
    nights: tuple[Night, ...]
    differences: tuple[Difference, ...] | None = None
    again: Again | None = None


def runs(
    place: str | Path = ".",
    *,
    compare: tuple[str, str] | None = None,
    again: str | None = None,
    progress: Progress = silent,
) -> RunsResult:
    """Return the nights of an archive, each held against what was written; compare or reproduce.

    Parameters
    ----------
    place : str or Path
        A configuration, the folder of its nights, or the one above it.
    compare : tuple of str, optional
        Two nights by folder, digest or session.
    again : str, optional
        A night by folder, digest, content id or session: it is made again from its stored inputs
        and compared with what was written then. Nothing is written to the archive.
    progress : Progress

    Returns
    -------
    RunsResult

    Raises
    ------
    InputFileError
        If there is no such folder, or nights lie in several below it.
    UnknownNameError
        If there is no such night.
    StoredInputError, LakeError
        If something that the night to be made again has read is gone, or was changed.
    """
    folder = Path(place)
    if folder.is_file():
        from ...backtest import load_config

        settings = load_config(folder)
        folder = settings.nightly.out or settings.folder / "out"
    nights = nights_of(folder)
    below = [] if nights else _archives_below(folder)
    if len(below) > 1:
        raise InputFileError(
            f"{folder}: no nights in it: name the folder that has, one of "
            f"{', '.join(map(str, below))}"
        )
    if below:
        folder, nights = below[0], nights_of(below[0])
    if again is not None:
        from .replay import again as made_again

        found = made_again(folder, again, progress)
        own = tuple(night for night in nights if night.name == found.night)
        return RunsResult(folder, own, again=found)
    if compare is None:
        return RunsResult(folder, nights)
    first, second = (night_named(nights, name) for name in compare)
    return RunsResult(folder, (first, second), compare_nights(first, second))


def _archives_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.is_symlink() and is_archive(p))
