"""Stationary block bootstrap (Politis and Romano 1994) of statistics that are functions of sums.

Resampling a sum means counting how often each row was drawn, so a whole table of statistics
shares one set of draws and costs one matrix product. ``arch`` draws the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "NORMAL_LEVEL",
    "Draws",
    "Resampling",
    "drawn",
    "interval",
    "resampled_sums",
    "row_counts",
]

Floats = npt.NDArray[np.float64]
#: How often each row is drawn, some replications at a time.
Draws = tuple[Floats, ...]
_CHUNK = 200
#: Coverage of intervals where nothing else is asked for.
NORMAL_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are drawn.

    Attributes
    ----------
    seed, replications : int
    block : float
        Mean block length, rows.
    level : float
        Coverage of the intervals.
    """

    seed: int = 7
    replications: int = 2_000
    block: float = 10.0
    level: float = NORMAL_LEVEL


def row_counts(n: int, how: Resampling) -> Iterator[Floats]:
    """Yield how often each of n rows is drawn, some replications at a time."""
    from arch.bootstrap import StationaryBootstrap

    rows = np.arange(n)
    # arch wants a whole block size but only ever uses its reciprocal
    draws = StationaryBootstrap(how.block, rows, seed=how.seed)  # type: ignore[arg-type]
    chunk: list[Floats] = []
    for positional, _ in draws.bootstrap(how.replications):
        chunk.append(np.bincount(positional[0], minlength=n).astype(np.float64))
        if len(chunk) == _CHUNK:
            yield np.array(chunk)
            chunk = []
    if chunk:
        yield np.array(chunk)


def drawn(n: int, how: Resampling) -> Draws:
    """Return how often each of n rows is drawn, to be used for several tables of n rows."""
    return tuple(row_counts(n, how))


def resampled_sums(columns: Floats, how: Resampling, draws: Draws | None = None) -> Floats:
    """Return the column sums of each resample of the rows.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Rows in time order, without NaN (a row that does not count is 0 in every column,
        its weight included).
    how : Resampling
    draws : Draws, optional
        Of `drawn` for as many rows and the same resampling; drawn anew where left out.

    Returns
    -------
    ndarray, shape (replications, k)
    """
    if not len(columns):
        return np.full((how.replications, columns.shape[1]), np.nan)
    every = row_counts(len(columns), how) if draws is None else draws
    return np.concatenate([counts @ columns for counts in every])


def interval(draws: npt.ArrayLike, level: float) -> tuple[float, float]:
    """Return the percentile interval of resampled values.

    NaN unless nearly all resamples have a value: an interval over the lucky ones would be too
    narrow.
    """
    values = np.asarray(draws, dtype=np.float64)
    finite = values[np.isfinite(values)]
    if len(finite) < 0.95 * len(values) or not len(finite):
        return float("nan"), float("nan")
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(finite, [tail, 1.0 - tail])
    return float(low), float(high)
