"""Underlyings that are one market: a filter tried on one was tried on the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["STAND_INS", "same_market"]

#: Index, funds and futures on it.
STAND_INS: Final[tuple[tuple[str, ...], ...]] = (
    ("SPX", "SPXW", "XSP", "SPY", "VOO", "IVV", "ES", "MES"),
    ("NDX", "XND", "QQQ", "NQ", "MNQ"),
    ("RUT", "MRUT", "IWM", "RTY", "M2K"),
    ("DJX", "DIA", "YM", "MYM"),
)


def same_market(underlying: str, stated: Iterable[Iterable[str]] = ()) -> tuple[str, ...]:
    """Return the names that count as one market with an underlying, itself included.

    Parameters
    ----------
    underlying : str
        In any letter case.
    stated : iterable of iterables of str
        Groups of a user's own, beyond `STAND_INS`; groups that share a name are one.

    Examples
    --------
    >>> same_market("spy")[:4]
    ('ES', 'IVV', 'MES', 'SPX')
    >>> same_market("GLD", [["GLD", "GC"], ["GC", "MGC"]])
    ('GC', 'GLD', 'MGC')
    """
    groups = [{name.upper() for name in group} for group in (*STAND_INS, *stated)]
    found = {underlying.upper()}
    while True:
        wider = found.union(*(group for group in groups if group & found))
        if wider == found:
            return tuple(sorted(found))
        found = wider
