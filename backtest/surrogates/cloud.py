"""Drawing books on a path, keeping the nearest, weighting them by how near they are."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ...data import published_file, silent
from .kernels import EXPIRIES, KERNELS, STEP, walk_book
from .moments import MOMENTS, distances, moments
from .parameters import PARAMETERS, from_unit

if TYPE_CHECKING:
    from pathlib import Path as FolderPath

    from ...data import Progress
    from .moments import Surroundings
    from .path import Path

__all__ = ["Books", "Cloud", "draw_books", "draw_cloud", "effective_number", "kernel_weights"]

Floats = npt.NDArray[np.float64]

#: Books tried for each that is kept: half of them anywhere, the others near the nearest so far.
TRIED: Final = 3
_ROUNDS: Final = 2
_PARENTS: Final = 0.3  # share of the books so far that new ones are drawn near
_STEP: Final = 0.2  # standard deviation of that, of a parameter's range
#: Effective number that weights are given, as a share of the books kept.
EFFECTIVE: Final = 0.44


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Books on one path.

    Attributes
    ----------
    unit : ndarray, shape (m, parameters)
        Points of the unit cube.
    call, put : ndarray, shape (n, m)
        Gamma of calls and of puts by row of the path, filling left out.
    """

    unit: Floats
    call: Floats
    put: Floats

    @property
    def gex(self) -> Floats:
        """Net gamma by the naive rule, shape (n, m)."""
        return self.call - self.put


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Books made by rules that look like the real series, nearest first.

    Attributes
    ----------
    books : Books
    distance : ndarray, shape (m,)
        Of their moments from the real ones, see `moments.distances`.
    weights : ndarray, shape (m,)
        1 for a book at no distance, less the farther it is.
    found : ndarray, shape (len(MOMENTS), m)
    real : ndarray, shape (len(MOMENTS),)
    tried : int
        Books drawn to find these.
    """

    books: Books
    distance: Floats
    weights: Floats
    found: Floats
    real: Floats
    tried: int

    @property
    def effective(self) -> float:
        """Effective number of books."""
        return effective_number(self.weights)


def effective_number(weights: Floats) -> float:
    """Return (sum w)^2 / sum w^2.

    Examples
    --------
    >>> import numpy as np
    >>> effective_number(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    total = float((weights**2).sum())
    return float(weights.sum()) ** 2 / total if total > 0.0 else 0.0


def kernel_weights(distance: Floats, least: float) -> Floats:
    """Return exp(-(d / h)^2 / 2), h as small as the effective number `least` allows.

    Examples
    --------
    >>> import numpy as np
    >>> w = kernel_weights(np.linspace(0.5, 2.0, 100), 40.0)
    >>> round(effective_number(w))
    40
    """
    low, high = 1e-3, 1e4
    shifted = distance**2 - float(np.min(distance)) ** 2  # the nearest must not underflow
    for _ in range(80):
        h = np.sqrt(low * high)
        enough = effective_number(np.exp(-0.5 * shifted / h**2)) >= least
        low, high = (low, h) if enough else (h, high)
    return np.asarray(np.exp(-0.5 * shifted / high**2))


def draw_books(
    path: Path, unit: Floats, seeds: npt.NDArray[np.int64], *, scaled: bool = False
) -> Books:
    """Walk one book for each point of the unit cube.

    Parameters
    ----------
    path : Path
    unit : ndarray, shape (m, parameters)
    seeds : ndarray of int, shape (m, 2)
        Of each book's noise.
    scaled : bool
        Whether the points are parameters already.
    """
    parameters = unit if scaled else from_unit(unit)
    n = path.rows
    out = np.empty((len(unit), n, 2), dtype=np.float32)  # as precise as the kernel is

    def walk(i: int) -> None:
        noise = np.random.default_rng(seeds[i]).standard_normal((n, 2))
        book = np.zeros((EXPIRIES, 2, path.cells), dtype=np.float32)
        walk_book(
            parameters[i], path.place, path.price, path.drivers, path.left, path.monthly,
            path.age, path.gammas, path.width, noise, book, out[i],
        )  # fmt: skip

    workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, 2)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(walk, range(len(unit))))
    kept = out[:, path.lead :].transpose(1, 0, 2).astype(np.float64)
    return Books(unit, np.ascontiguousarray(kept[..., 0]), np.ascontiguousarray(kept[..., 1]))


def draw_cloud(
    path: Path,
    rows: npt.NDArray[np.int64],
    real: Floats,
    around: Surroundings,
    *,
    books: int,
    seed: int,
    gross: Floats | None = None,
    store: FolderPath | None = None,
    progress: Progress = silent,
) -> Cloud:
    """Return the books nearest to a real series.

    Parameters
    ----------
    path : Path
    rows : ndarray of int
        Rows of the path (filling left out) on which the real series is known.
    real : ndarray, shape (len(rows),)
    around : Surroundings
        On those rows.
    books : int
        Kept; `TRIED` times as many are drawn.
    seed : int
    gross : ndarray, shape (len(rows),), optional
        Gamma of calls and puts together, where the real series has both.
    store : Path, optional
        Folder that keeps what was found by what it depends on: a second run need not search.
    progress : Progress
        Called after each round.
    """
    target = moments(real[:, None], around, None if gross is None else gross[:, None])[:, 0]
    file = None if store is None else store / f"{_digest(path, rows, target, books, seed)}.npz"
    found = _kept(file, books)
    if found is None:
        found, drawn = _searched(path, rows, target, around, books, seed, progress)
        _keep(file, found)
    else:
        drawn = draw_books(path, found["unit"], found["seeds"])
    distance = found["distance"]
    weights = kernel_weights(distance, EFFECTIVE * books)
    tried = _ROUNDS * _each(books)
    return Cloud(drawn, distance, weights, found["found"], target, tried)


def _each(books: int) -> int:
    return max(2, books * TRIED // _ROUNDS)


def _searched(
    path: Path,
    rows: npt.NDArray[np.int64],
    target: Floats,
    around: Surroundings,
    books: int,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, Any], Books]:
    """Return where the nearest books lie, nearest first, after several rounds of search."""
    rng = np.random.default_rng([seed, 77])
    each = _each(books)
    unit, seeds = np.empty((0, len(PARAMETERS))), np.empty((0, 2), dtype=np.int64)
    distance, values = np.empty(0), np.empty((len(target), 0))
    rounds: list[Books] = []
    for turn in range(_ROUNDS):
        points = rng.random((each, len(PARAMETERS)))
        if turn:
            points = _near(unit, distance, points, rng)
        own = np.column_stack([np.full(each, seed), turn * each + np.arange(each)])
        drawn = draw_books(path, points, own)
        rounds.append(drawn)
        both = (drawn.call + drawn.put)[rows] if np.isfinite(target[-1]) else None
        new = moments(drawn.gex[rows], around, both)
        unit, seeds = np.vstack([unit, points]), np.vstack([seeds, own])
        values = np.hstack([values, new])
        distance = np.concatenate([distance, distances(new, target)])
        progress(turn + 1, _ROUNDS, "books made by rules")
    order = np.argsort(distance, kind="stable")[:books]
    found = {
        "unit": unit[order],
        "seeds": seeds[order],
        "distance": distance[order],
        "found": values[:, order],
    }
    call, put = np.empty((len(rounds[0].call), books)), np.empty((len(rounds[0].put), books))
    for i in range(books):
        one, place = rounds[int(order[i]) // each], int(order[i]) % each
        call[:, i], put[:, i] = one.call[:, place], one.put[:, place]
    return found, Books(unit[order], call, put)


def _digest(path: Path, rows: npt.NDArray[np.int64], target: Floats, books: int, seed: int) -> str:
    """Return what a search depends on, as a name."""
    how = (PARAMETERS, STEP, KERNELS, _ROUNDS, TRIED, _PARENTS, _STEP, MOMENTS, books, seed)
    digest = hashlib.sha256(repr(how).encode())
    for part in (path.place, path.price, path.drivers, path.left, path.gammas, rows, target):
        digest.update(np.ascontiguousarray(part).tobytes())
    return f"books-{digest.hexdigest()[:32]}"


def _kept(file: FolderPath | None, books: int) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        with np.load(file) as stored:
            found = {name: stored[name] for name in ("unit", "seeds", "distance", "found")}
    except (OSError, ValueError, KeyError, BadZipFile):
        return None  # not there, or damaged
    return found if len(found["distance"]) == books else None


def _keep(file: FolderPath | None, found: dict[str, Any]) -> None:
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with published_file(file) as draft, draft.open("wb") as stream:
        np.savez(stream, **found)


def _near(unit: Floats, distance: Floats, fresh: Floats, rng: np.random.Generator) -> Floats:
    """Return points near the nearest books so far, one in five anywhere."""
    parents = np.argsort(distance, kind="stable")[: max(4, int(_PARENTS * len(unit)))]
    chosen = unit[rng.choice(parents, size=len(fresh))]
    moved = chosen + _STEP * rng.standard_normal(chosen.shape)
    moved = np.abs(moved)
    moved = np.where(moved > 1.0, 2.0 - moved, moved)
    anywhere = rng.random(len(fresh)) < 0.2
    return np.where(anywhere[:, None], fresh, np.clip(moved, 0.0, 1.0))
