"""Folds through time: what is chosen on, and where it is judged, without one touching the other.

An observation is a decision after session t. It reads the sessions t - window ... t, and its
outcome is known after session t + holding. A training observation may neither read a session of a
test fold or of its outcomes, nor have an outcome that reaches into one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import comb
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ...data import GexlabError, NotEnoughDataError, UnknownNameError, short_repr
from ...strategies import Filter, columns_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...strategies import Component, Strategy

__all__ = [
    "Fold",
    "Reach",
    "backtest_paths",
    "by_outcome",
    "combinatorial",
    "reach_of",
    "walk_forward",
]

Places = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Kind = Literal["anchored", "rolling"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an observation reaches to both sides, in sessions.

    Attributes
    ----------
    window : int or None
        Sessions before the decision's own that it reads; None: all there are.
    holding : int
        Sessions after the decision's own until its outcome is known.
    """

    window: int | None
    holding: int

    def __post_init__(self) -> None:
        if self.holding < 0 or (self.window is not None and self.window < 0):
            raise GexlabError(f"window and holding time cannot be negative: {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Places of sessions, counted from 0.

    Attributes
    ----------
    train, test : ndarray of int
        What may be chosen on, and what it is judged on.
    purged : ndarray of int
        Left out because window or holding time touches the test.
    embargoed : ndarray of int
        Left out beyond that; none of them is purged too.
    """

    train: Places
    test: Places
    purged: Places
    embargoed: Places
    __repr__ = short_repr


def walk_forward(
    sessions: npt.ArrayLike,
    *,
    train: str | int,
    test: str | int,
    reach: Reach,
    embargo: int,
    kind: Kind = "anchored",
) -> tuple[Fold, ...]:
    """Return folds whose training lies before their test.

    Parameters
    ----------
    sessions : array_like of datetime64[D], shape (n,)
        Rising.
    train, test : str or int
        Number of sessions, or of calendar years (``5y``) or quarters (``2q``). Tests by the
        calendar begin with a year or a quarter; the first one begins where `train` has passed
        since the first session. The last one may be shorter.
    reach : Reach
        See `reach_of`.
    embargo : int
        Sessions left out between training and test beyond the holding time.
    kind : {"anchored", "rolling"}
        Training from the first session on, or as long as `train` says.

    Returns
    -------
    tuple of Fold
        In time order; tests do not overlap and leave no gap.

    Raises
    ------
    NotEnoughDataError
        If there is no session to test on, or none to train on.
    """
    days = _days(sessions)
    _check_embargo(embargo)
    if kind not in ("anchored", "rolling"):
        raise UnknownNameError("kind of folds", kind, ("anchored", "rolling"))
    bounds = _test_bounds(days, train, test)
    if len(bounds) < 2:
        raise NotEnoughDataError(
            f"{len(days)} sessions hold no training of {train} followed by a test: shorten the "
            "training, or bring more data"
        )
    folds = []
    for first, end in pairwise(bounds):
        start = _train_start(days, first, train) if kind == "rolling" else 0
        purged_from = max(first - reach.holding, start)
        stop = max(purged_from - embargo, start)
        if stop <= start:
            raise NotEnoughDataError(
                f"nothing is left to train on before {days[first]}: holding time and embargo take "
                f"{first - start} of {first - start} sessions; lengthen the training"
            )
        folds.append(
            Fold(
                train=np.arange(start, stop),
                test=np.arange(first, end),
                purged=np.arange(purged_from, first),
                embargoed=np.arange(stop, purged_from),
            )
        )
    return tuple(folds)


def combinatorial(
    sessions: int, *, groups: int, tested: int, reach: Reach, embargo: int
) -> tuple[Fold, ...]:
    """Return every way to test on some of the groups and train on the others.

    Parameters
    ----------
    sessions : int
    groups, tested : int
        Groups that the sessions are cut into, equal but for one session; how many are tested.
    reach : Reach
    embargo : int
        Sessions left out after each tested stretch beyond those that its outcomes and the windows
        of later observations reach.

    Returns
    -------
    tuple of Fold
        In the order of ``itertools.combinations``. Tested groups side by side are one stretch;
        what lies between two stretches is trained on where neither touches it.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
    """
    _check_embargo(embargo)
    if not 1 <= tested < groups <= sessions:
        raise GexlabError(
            f"expected fewer groups tested than there are, and no more groups than sessions: "
            f"found {tested} of {groups} groups on {sessions} sessions"
        )
    edges = np.linspace(0, sessions, groups + 1).round().astype(np.int64)
    folds = []
    for chosen in combinations(range(groups), tested):
        test = np.zeros(sessions, dtype=bool)
        for group in chosen:
            test[edges[group] : edges[group + 1]] = True
        folds.append(_around(test, reach, embargo))
    return tuple(folds)


def by_outcome(fold: Fold, holding: int) -> Fold:
    """Return a fold of decisions as one of returns, which stand at the session they end in.

    The return of session t was decided up to `holding` sessions before: after a test it is trained
    on only where none of those decisions is left out.

    Parameters
    ----------
    fold : Fold
    holding : int
        Of the reach that the fold was made with.
    """
    out = np.concatenate([fold.test, fold.purged, fold.embargoed])
    late = np.isin(fold.train, (out[:, None] + np.arange(1, holding + 1)).ravel())
    purged = np.union1d(fold.purged, fold.train[late])
    return replace(fold, train=fold.train[~late], purged=purged)


def backtest_paths(groups: int, tested: int) -> npt.NDArray[np.int64]:
    """Return which fold judges each group on each path, shape (paths, groups).

    Every fold of `combinatorial` judges `tested` groups; put together, each group is judged
    ``comb(groups - 1, tested - 1)`` times, which makes so many paths through all sessions.

    Examples
    --------
    >>> backtest_paths(3, 2)
    array([[0, 0, 1],
           [1, 2, 2]])
    """
    paths = np.empty((comb(groups - 1, tested - 1), groups), dtype=np.int64)
    used = [0] * groups
    for fold, chosen in enumerate(combinations(range(groups), tested)):
        for group in chosen:
            paths[used[group], group] = fold
            used[group] += 1
    return paths


def reach_of(
    strategies: Iterable[Strategy], fill: str, *, missing: int | Mapping[str, int]
) -> Reach:
    """Return how far the observations of strategies reach, from their components' own windows.

    Parameters
    ----------
    strategies : iterable of Strategy
    fill : {"next_open", "next_close", "same_close"}
        A decision after session t earns until the close (or open) of t + 1 or t + 2.
    missing : int or mapping of str to int
        Sessions without a value in the data, or in each column: a window that counts values
        reaches over them.
    """
    windows: list[int | None] = [0]
    for strategy in strategies:
        parts: Sequence[Component] = (
            strategy.filter, strategy.long, strategy.short, strategy.neutral, strategy.sizing,
        )  # fmt: skip
        windows += [_window(part, missing) for part in parts]
    known = [w for w in windows if w is not None]
    window = max(known) if len(known) == len(windows) else None
    return Reach(window, 1 if fill == "same_close" else 2)


def _window(component: Component, missing: int | Mapping[str, int]) -> int | None:
    """Return how many sessions before its own a component reads, its parts' included."""
    furthest = 0
    for past in component.inputs().values():
        if past.window is None:
            return None
        own = past.window - 1 + (_gaps(past.of, missing) if past.skip_missing else 0)
        inner = _window(past.of, missing) if isinstance(past.of, Filter) else 0
        if inner is None:
            return None
        furthest = max(furthest, own + inner)
    return furthest


def _gaps(read: Filter | str, missing: int | Mapping[str, int]) -> int:
    """Return over how many sessions without a value a window of one input may reach."""
    if isinstance(missing, int):
        return missing
    names = columns_read(read) if isinstance(read, Filter) else (read,)
    return max((missing.get(name, 0) for name in names), default=0)


def _around(test: npt.NDArray[np.bool_], reach: Reach, embargo: int) -> Fold:
    """Return the fold of a test of one or more stretches."""
    n = len(test)
    purged = np.zeros(n, dtype=bool)
    near = np.zeros(n, dtype=bool)
    change = np.flatnonzero(np.diff(test.astype(np.int8), prepend=0, append=0))
    for first, end in change.reshape(-1, 2):
        purged[max(first - reach.holding, 0) : first] = True
        # its outcomes are known at end - 1 + holding: a window may begin after that
        clear = n if reach.window is None else min(end + reach.holding + reach.window, n)
        purged[end:clear] = True
        near[clear : clear + embargo] = True
    purged &= ~test
    near &= ~test & ~purged
    return Fold(
        train=np.flatnonzero(~test & ~purged & ~near),
        test=np.flatnonzero(test),
        purged=np.flatnonzero(purged),
        embargoed=np.flatnonzero(near),
    )


def _days(sessions: npt.ArrayLike) -> Days:
    days = np.asarray(sessions).astype("datetime64[D]")
    if days.ndim != 1 or not len(days) or (np.diff(days.astype(np.int64)) <= 0).any():
        raise GexlabError("expected sessions that rise, each once")
    return days


def _check_embargo(embargo: int) -> None:
    if embargo < 0:
        raise GexlabError(f"an embargo cannot be negative: {embargo}")


def _span(length: str | int) -> tuple[int, int]:
    """Return a length as months (0: counted) and sessions (0: by the calendar)."""
    if isinstance(length, int):
        if length < 1:
            raise GexlabError(f"expected at least one session, found {length}")
        return 0, length
    found = re.fullmatch(r"([1-9]\d*)([yq])", length)
    if found is None:
        raise GexlabError(
            f"expected a number of sessions, years (5y) or quarters (2q), found {length!r}"
        )
    return int(found[1]) * (12 if found[2] == "y" else 3), 0


def _test_bounds(days: Days, train: str | int, test: str | int) -> list[int]:
    """Return the place at which each test begins, and the end of the last."""
    months, count = _span(test)
    earliest = _after(days, days[0], train)
    if count:
        return [*range(earliest, len(days), count), len(days)] if earliest < len(days) else []
    step = 12 if test[-1] == "y" else 3  # type: ignore[index]
    if earliest >= len(days):
        return []
    month = days[earliest].astype("datetime64[M]").astype(int)
    begin = month // step * step
    if np.searchsorted(days, _month(begin)) < earliest:
        begin += step
    bounds: list[int] = []
    while (place := int(np.searchsorted(days, _month(begin)))) < len(days):
        if not bounds or place > bounds[-1]:
            bounds.append(place)
        begin += months
    return [*bounds, len(days)] if bounds else []


def _after(days: Days, start: np.datetime64, length: str | int) -> int:
    """Return the place of the first session once `length` has passed since `start`."""
    months, count = _span(length)
    if count:
        return int(np.searchsorted(days, start)) + count
    return int(np.searchsorted(days, _shifted(start, months)))


def _train_start(days: Days, first: int, train: str | int) -> int:
    """Return where the training before the test at `first` begins."""
    months, count = _span(train)
    if count:
        return max(first - count, 0)
    return int(np.searchsorted(days, _shifted(days[first].astype("datetime64[M]"), -months)))


def _month(number: int) -> np.datetime64:
    day: np.datetime64 = np.datetime64(int(number), "M").astype("datetime64[D]")
    return day


def _shifted(day: np.datetime64, months: int) -> np.datetime64:
    """Return the same day of another month, or its last."""
    month = day.astype("datetime64[M]")
    within = day.astype("datetime64[D]") - month.astype("datetime64[D]")
    last = (month + months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    shifted: np.datetime64 = min((month + months).astype("datetime64[D]") + within, last)
    return shifted
