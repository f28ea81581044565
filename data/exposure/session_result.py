"""From one session's chain to the results of all its books, and what contradicts itself in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Book as BookName
from .contradictions import repeated_rows, unit_contradiction
from .definition import Definition
from .evaluation import (
    BookResult,
    PreparedChain,
    SessionContext,
    agreement_of,
    evaluate_book,
    prepare_chain,
)
from .snapshot import Groups, Snapshot

__all__ = ["SessionResult", "session_result"]

Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What is computed of one session's chain alone.

    Attributes
    ----------
    prepared : PreparedChain
        What the books share: forwards, volatilities, lines.
    results : dict of book to BookResult
    agreement : dict of book to float
        Share of the 16 definitions that agree with the book's sign.
    repeated : int
        Rows that repeat a contract with other values.
    unit : str
        Which unit the rows contradict, in words; empty where none.
    """

    prepared: PreparedChain
    results: dict[BookName, BookResult]
    agreement: dict[BookName, float]
    repeated: int
    unit: str


def session_result(
    chain: Snapshot,
    groups: Groups,
    context: SessionContext,
    definition: Definition,
    books: Iterable[BookName],
    rows: Columns,
) -> SessionResult:
    """Return everything computed of one session's chain.

    Parameters
    ----------
    chain : Snapshot
        n contracts.
    groups : Groups
        Its expiry groups.
    context : SessionContext
    definition : Definition
    books : iterable of {"as_of_close", "post_expiry"}
    rows : mapping of column to ndarray, shape (n,)
        What the chain was made of: ``expiry, kind, strike, root_number, open_interest, iv, bid,
        ask, multiplier``.
    """
    prepared = prepare_chain(chain, groups, context, definition)
    results = {name: evaluate_book(prepared, name, context, definition) for name in books}
    nets = {name: result.net_gex for name, result in results.items()}
    return SessionResult(
        prepared=prepared,
        results=results,
        agreement=agreement_of(prepared, context, definition, nets),
        repeated=repeated_rows(rows),
        unit=_unit(prepared, rows["multiplier"]),
    )


def _unit(prepared: PreparedChain, multiplier: npt.NDArray[np.float64]) -> str:
    chain, groups = prepared.chain, prepared.groups
    return unit_contradiction(
        spot=chain.spot,
        start=groups.start,
        years=prepared.market.time,
        strike=chain.strike,
        is_call=chain.is_call,
        price=chain.mid,
        volatility=chain.volatility,
        open_interest=chain.open_interest,
        multiplier=multiplier,
    )
