"""Portions of a tournament for workers, who make its arenas themselves from the configuration."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data import InputFileError
from ..grid.pieces import resampling_of
from ..grid.store import code_of, ground_id, program_id
from ..run.load_market import load_market
from .arena import simulated_chunk
from .arenas import arenas_on, space_in
from .clouds import Drawn, cloud_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...data import Crew
    from ..run.config import Config
    from ..statistics.resampling import Resampling
    from .arena import Arena
    from .work import Places

__all__ = ["Origin", "Piece", "Spread", "arena_id", "computed_elsewhere"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an arena comes from.

    Attributes
    ----------
    variant : int
        Number of the market in the configuration's grid.
    place : int
        Number of the arena on that market.
    data : str
        What it was made of, see `arena_id`.
    """

    variant: int
    place: int
    data: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A portion for a worker.

    Attributes
    ----------
    config : bytes
        The configuration, pickled.
    origin : Origin
    places : tuple of int
        Entries of the arena.
    drawn : Drawn or None
        Placebos to draw; None: the trials are to be simulated.
    """

    config: bytes
    origin: Origin
    places: Places
    drawn: Drawn | None = None


def arena_id(arena: Arena, how: Resampling) -> str:
    """Return the id of an arena's data, folds, trials and of the code that computes them.

    Users' own modules included: what was kept of a former text of theirs is not taken for this.
    """
    digest = hashlib.sha256(program_id().encode())
    digest.update(ground_id(arena.ground, how).encode())
    digest.update(arena.outside.tobytes())
    for entry in arena.entries:
        digest.update(entry.trial_id.partition("@")[0].encode())
        digest.update(code_of(entry.strategy).encode())
    return digest.hexdigest()


class Spread:
    """Portions computed by workers.

    Parameters
    ----------
    crew : Crew
    config : Config
        From which they make the arenas.
    origins : sequence of Origin
        Of each arena.
    said : callable
        Told where the workers can be watched.
    """

    def __init__(
        self,
        crew: Crew,
        config: Config,
        origins: Sequence[Origin],
        said: Callable[[str], None],
    ) -> None:
        self._crew, self._origins, self._said = crew, origins, said
        self._config = pickle.dumps(config)

    def trials(self, arena: int, chunks: Sequence[Places]) -> Iterator[tuple[Floats, Floats]]:
        """Yield returns and facts of each chunk of an arena's trials; see `work.Work`."""
        pieces = [Piece(self._config, self._origins[arena], places) for places in chunks]
        return ((found[0], found[1]) for found in self._found(pieces))

    def clouds(self, groups: Sequence[tuple[int, Places]], drawn: Drawn) -> Iterator[Floats]:
        """Yield ratios of the placebos of each group; see `work.Work`."""
        pieces = [Piece(self._config, self._origins[i], places, drawn) for i, places in groups]
        return (found[0] for found in self._found(pieces))

    def _found(self, pieces: Sequence[Piece]) -> Iterator[tuple[Floats, ...]]:
        return self._crew.spread(computed_elsewhere, pieces, progress=self._workers_only)

    def _workers_only(self, done: int, total: int | None, what: str = "") -> None:
        if not done:  # portions are reported by who asks for them
            self._said(what)


def computed_elsewhere(piece: Piece) -> tuple[Floats, ...]:
    """Compute a portion in a process that holds nothing but what it reads itself.

    Raises
    ------
    InputFileError
        If what is read there is not what the portion was made for.
    """
    arena = _checked(piece)
    if arena is None:  # perhaps read for an earlier run of this worker
        _arenas.cache_clear()
        arena = _checked(piece)
    if arena is None:
        name = space_in(pickle.loads(piece.config)).variants[piece.origin.variant]
        raise InputFileError(
            f"{name.config.data.underlying}: a worker reads other data than the process that asked "
            "it: an input changed in between, or lies elsewhere under the same name; run it again"
        )
    if piece.drawn is None:
        return simulated_chunk(arena, piece.places)
    return (cloud_of(arena, piece.places, piece.drawn),)


def _checked(piece: Piece) -> Arena | None:
    """Return the piece's arena; None where it is not the one that the piece was made for."""
    found = _arenas(piece.config, piece.origin.variant)
    place = piece.origin.place
    if place >= len(found) or found[place][1] != piece.origin.data:
        return None
    return found[place][0]


@lru_cache(maxsize=1)
def _arenas(config: bytes, variant: int) -> list[tuple[Arena, str]]:
    settings: Config = pickle.loads(config)
    space, how = space_in(settings), resampling_of(settings)
    chosen = space.variants[variant]
    made = arenas_on(space, chosen, load_market(chosen.config), settings)
    return [(arena, arena_id(arena, how)) for arena in made]
