"""Views: a component's declared inputs, each row cut to what was public at its decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .panel import Column

__all__ = ["Window", "hide_late", "latest_known", "window_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.datetime64]

#: Not a moment: the smallest integer, so that any moment is later.
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One input of all decisions.

    Attributes
    ----------
    values : ndarray of float, shape (n, window)
        Oldest first; row t holds what the decision of session t may read.
    usable : ndarray of bool, shape (n,)
        Whether the row holds what the component asked for.
    known_at : ndarray of int64, shape (n,)
        When the latest of its values became public, nanoseconds since 1970; `_NEVER` where
        nothing was read.
    """

    values: Floats
    usable: Flags
    known_at: Ints


def hide_late(column: Column, deadline: Moments) -> tuple[Floats, Flags]:
    """Return values with those that were public only after their own decision's deadline hidden.

    Parameters
    ----------
    column : Column
        Of shape (n,).
    deadline : ndarray of datetime64[ns], shape (n,)
        NaT where no order follows: nothing is too late there.

    Returns
    -------
    values : ndarray of float, shape (n,)
    late : ndarray of bool, shape (n,)
        Where a value was hidden. What came later never decides it: the rows up to a session are
        the same however the data go on.
    """
    late: Flags = np.isfinite(column.values) & (column.known_at > deadline)
    if column.scheduled or not late.any():
        return column.values, np.zeros(column.values.shape[0], dtype=np.bool_)
    return np.where(late, np.nan, column.values), late


def window_of(
    values: Floats,
    known_at: Ints,
    length: int,
    *,
    skip_missing: bool,
    complete: bool,
) -> Window:
    """Return the last `length` values of each row.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    known_at : ndarray of int64, shape (n,)
    length : int
    skip_missing, complete : bool
        See `component.Past`.

    Examples
    --------
    >>> x = np.array([1.0, np.nan, 2.0, 3.0])
    >>> at = np.arange(4)
    >>> window = window_of(x, at, 2, skip_missing=True, complete=True)
    >>> window.values[window.usable].tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    if not values.size:
        return Window(np.empty((0, length)), np.empty(0, dtype=np.bool_), known_at)
    there = np.flatnonzero(np.isfinite(values)) if skip_missing else np.arange(0)
    # where nothing is missing but at the beginning there is nothing to skip, and nothing to copy:
    # windows of a grid's many lengths would fill the memory
    if there.size and values.size - there[0] > there.size:
        inner = window_of(
            values[there], known_at[there], length, skip_missing=False, complete=complete
        )
        out = np.full((values.size, length), np.nan)
        usable = np.zeros(values.size, dtype=np.bool_)
        known = np.full(values.size, _NEVER, dtype=np.int64)
        out[there], usable[there], known[there] = inner.values, inner.usable, inner.known_at
        return Window(out, usable, known)
    padded = np.concatenate([np.full(length - 1, np.nan), values])
    rows = np.lib.stride_tricks.sliding_window_view(padded, length)
    finite = np.isfinite(values)
    if complete:
        count = np.cumsum(np.concatenate([[0], finite]))
        first = np.maximum(np.arange(values.size) + 1 - length, 0)
        usable = count[1:] - count[first] == length
    else:
        usable = finite
    return Window(rows, usable, latest_known(np.where(finite, known_at, _NEVER), length))


def latest_known(known_at: Ints, length: int) -> Ints:
    """Return the latest moment within each row's last `length` rows, shape (n,)."""
    if length == 1 or known_at.size == 0 or bool((np.diff(known_at) >= 0).all()):
        return known_at
    padded = np.concatenate([np.full(length - 1, _NEVER), known_at])
    latest: Ints = np.lib.stride_tricks.sliding_window_view(padded, length).max(axis=1)
    return latest
