"""What a killed tournament leaves: the returns of the chunks of trials that were done."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import published_file

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

    def get(self, trials: tuple[str, ...]) -> tuple[Floats, Floats] | None:
        """Return what a chunk came to, where the folder has it."""
        if self._folder is None:
            return None
        with suppress(OSError, ValueError, KeyError, EOFError), np.load(self._file(trials)) as file:
            found = file["returns"], file["facts"]
            self.reused += len(trials)
            return found
        return None

    def keep(self, trials: tuple[str, ...], found: tuple[Floats, Floats]) -> None:
        """Keep what a chunk came to, at once."""
        self.computed += len(trials)
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with published_file(self._file(trials)) as draft, draft.open("wb") as opened:
            np.savez(opened, returns=found[0], facts=found[1])

    def _file(self, trials: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\n".join((self.data, *trials)).encode()).hexdigest()[:24]
        return Path(self._folder or "", f"{_PREFIX}{name}.npz")


def clear_kept(folder: Path) -> None:
    """Remove what was kept on the way: the results hold it now.

    Parameters
    ----------
    folder : Path
        Of the results.
    """
    for file in folder.glob(f"{_PREFIX}*.npz"):
        file.unlink(missing_ok=True)
