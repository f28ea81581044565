"""What a killed tournament leaves: the returns of the chunks of trials that were done."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import published_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Kept", "clear_kept"]

Floats = npt.NDArray[np.float64]
_PREFIX: Final = ".gexlab-tournament-"


class Kept:
    """Chunks of trials in the folder of the results; None keeps nothing.

    Parameters
    ----------
    folder : Path or None
    data : str
        Digest of data, code and folds: chunks of others are not taken.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.data = ""
        self.computed = 0
        self.reused = 0

    def __call__(
        self, trials: tuple[str, ...], make: Callable[[], tuple[Floats, Floats]]
    ) -> tuple[Floats, Floats]:
        """Return what a chunk came to, from the folder or by making it."""
        if self._folder is None:
            self.computed += len(trials)
            return make()
        name = hashlib.sha256("\n".join((self.data, *trials)).encode()).hexdigest()[:24]
        file = self._folder / f"{_PREFIX}{name}.npz"
        with suppress(OSError, ValueError, KeyError, EOFError), np.load(file) as found:
            kept = found["returns"], found["facts"]
            self.reused += len(trials)
            return kept
        returns, facts = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        with published_file(file) as draft, draft.open("wb") as opened:
            np.savez(opened, returns=returns, facts=facts)
        self.computed += len(trials)
        return returns, facts


def clear_kept(folder: Path) -> None:
    """Remove what was kept on the way: the results hold it now.

    Parameters
    ----------
    folder : Path
        Of the results.
    """
    for file in folder.glob(f"{_PREFIX}*.npz"):
        file.unlink(missing_ok=True)
