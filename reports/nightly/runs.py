"""The catalogue of nights: list them, compare two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import InputFileError
from .nights import compare_nights, is_archive, night_named, nights_of

if TYPE_CHECKING:
    from .nights import Difference, Night

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
    """

    folder: Path
    nights: tuple[Night, ...]
    differences: tuple[Difference, ...] | None = None


def runs(place: str | Path, *, compare: tuple[str, str] | None = None) -> RunsResult:
    """Return the nights of an archive, each held against what was written, or compare two.

    Parameters
    ----------
    place : str or Path
        A configuration, or the folder of its nights.
    compare : tuple of str, optional
        Two nights by folder, digest or session.

    Returns
    -------
    RunsResult

    Raises
    ------
    InputFileError
        If there is no such folder, or the nights lie in one below it.
    UnknownNameError
        If there is no such night.
    """
    folder = Path(place)
    if folder.is_file():
        from ...backtest import load_config

        settings = load_config(folder)
        folder = settings.nightly.out or settings.folder / "out"
    nights = nights_of(folder)
    below = sorted(p for p in folder.iterdir() if p.is_dir() and is_archive(p))
    if not nights and below:
        raise InputFileError(f"{folder}: no nights in it: name the folder that has, {below[0]}")
    if compare is None:
        return RunsResult(folder, nights)
    first, second = (night_named(nights, name) for name in compare)
    return RunsResult(folder, (first, second), compare_nights(first, second))
