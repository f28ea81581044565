"""The two things that take a tournament's time, in portions that depend on nothing else.

Trials are simulated in chunks that share costs, placebos drawn filter by filter. A portion gives
the same whoever computes it: this process (`Here`), or workers (`pieces.Spread`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from .arena import simulated_chunk
from .clouds import cloud_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .arena import Arena
    from .clouds import Drawn

__all__ = ["Here", "Places", "Work"]

Floats = npt.NDArray[np.float64]
#: Numbers of entries in their arena.
Places = tuple[int, ...]


class Work(Protocol):
    """Whoever computes the portions, in the order in which they are given."""

    def trials(self, arena: int, chunks: Sequence[Places]) -> Iterator[tuple[Floats, Floats]]:
        """Yield returns and facts of each chunk of an arena's trials.

        Parameters
        ----------
        arena : int
            Its number.
        chunks : sequence of tuple of int
            Of trials with the same costs.
        """
        ...

    def clouds(self, groups: Sequence[tuple[int, Places]], drawn: Drawn) -> Iterator[Floats]:
        """Yield ratios of the placebos of each group, the entries' own in the last row.

        Parameters
        ----------
        groups : sequence of (int, tuple of int)
            Number of an arena, and entries of it with the same filter.
        drawn : Drawn
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """Portions computed in this process.

    Attributes
    ----------
    arenas : sequence of Arena
    """

    arenas: Sequence[Arena]

    def trials(self, arena: int, chunks: Sequence[Places]) -> Iterator[tuple[Floats, Floats]]:
        """Yield returns and facts of each chunk; see `Work`."""
        return (simulated_chunk(self.arenas[arena], places) for places in chunks)

    def clouds(self, groups: Sequence[tuple[int, Places]], drawn: Drawn) -> Iterator[Floats]:
        """Yield ratios of the placebos of each group; see `Work`."""
        return (cloud_of(self.arenas[i], places, drawn) for i, places in groups)
