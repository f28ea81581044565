"""From one session's chain to the results of all its books, and what contradicts itself in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Book as BookName
from .chain_checks import checks_of_chain
from .contradictions import repeated_rows, units_in_words
from .definition import Definition
from .definition_agreement import FLOORS_OF_KERNEL, definition_agreement
from .evaluation import (
    BookResult,
    PreparedChain,
    SessionContext,
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
    market, moments = prepared.market, np.array([*context.valuations.values()])
    nets, repeated, units = checks_of_chain(
        chain.quote_us, moments, FLOORS_OF_KERNEL, chain.spot,
        definition.forward_source == "parity", market.time, market.forward, market.rate,
        market.dividend_yield, groups.start, groups.expiry_us, chain.strike, chain.is_call,
        chain.open_interest, chain.position, chain.mid, chain.volatility,
        rows["expiry"], rows["kind"], rows["multiplier"],
    )  # fmt: skip
    return SessionResult(
        prepared=prepared,
        results=results,
        agreement={
            name: definition_agreement(nets, result.net_gex) for name, result in results.items()
        },
        repeated=repeated_rows(rows) if repeated else 0,
        unit=units_in_words(units, chain.spot, groups.start, market.time, chain.strike),
    )
