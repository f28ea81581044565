"""Checking the worlds: what each must show by its closed form, printed with simulation errors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from ...base.errors import UnknownNameError
from ...base.progress import Progress, silent
from .records import FALSE_ALARM, WorldsCheck, check_limit

__all__ = ["check_worlds"]


def check_worlds(
    names: Sequence[str] = (),
    *,
    lake: str | Path | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> WorldsCheck:
    """Hold simulated worlds against their closed forms, and rebuilt lakes against their truth.

    Parameters
    ----------
    names : sequence of str
        Worlds; none: all of them.
    lake : str or Path, optional
        A simulated lake, whose rebuild alone is checked then.
    seed : int
        Of the markets that are simulated.
    progress : Progress
        Called after each world.

    Returns
    -------
    WorldsCheck
        The limit is such that sound worlds fail anywhere with a probability of 1 %.

    Raises
    ------
    UnknownNameError
        If a world does not exist.
    InputFileError, LakeError
        If the lake is not that of a simulated market.
    """
    began = time.perf_counter()
    if lake is not None:
        from .lake_checks import check_lake

        checks = check_lake(lake)
        return WorldsCheck(
            checks, check_limit(checks), FALSE_ALARM, None, time.perf_counter() - began
        )
    from .lake_checks import check_small_lake
    from .world_checks import CHECKS, check_world

    chosen = tuple(names) or tuple(CHECKS)
    for name in chosen:
        if name not in CHECKS:
            raise UnknownNameError("world", name, CHECKS)
    found = []
    for i, name in enumerate(chosen):
        found += [*check_world(name, seed=seed), *check_small_lake(name, seed)]
        progress(i + 1, len(chosen), name)
    seconds = time.perf_counter() - began
    return WorldsCheck(tuple(found), check_limit(found), FALSE_ALARM, seed, seconds)
