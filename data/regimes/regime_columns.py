"""Columns of the regime table: name, type, and where each value comes from.

A column is added here and described in ``docs/regime-table.md``; nothing else lists them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from ..exposure.evaluation import BookResult
from ..exposure.verdicts import Verdict

__all__ = [
    "REGIME_COLUMNS",
    "Key",
    "RegimeColumn",
    "RegimeInputs",
    "moment_of",
    "named",
    "regime_row",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies rows of one session and book."""

    underlying: str
    session: date
    book: str
    dealer_model: str
    definition_id: str

    @property
    def columns(self) -> dict[str, Any]:
        """The key as the first columns of a row."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class RegimeInputs:
    """What one row of the regime table is made of.

    Attributes
    ----------
    key : Key
    result : BookResult
    verdict : Verdict
    agreement : float
        Share of the 16 definitions that agree with the book's sign.
    known_us : int
        Moment from which the chain was public, microseconds since 1970, UTC.
    oi_asof : date or None
        Latest session after whose close the open interest was settled.
    fingerprint : str
        Of the session's chain in the lake.
    """

    key: Key
    result: BookResult
    verdict: Verdict
    agreement: float
    known_us: int
    oi_asof: date | None
    fingerprint: str

    @property
    def empty(self) -> bool:
        """Whether the book carries no gamma, so that its exposures are undefined."""
        return not self.result.gross_gex > 0.0

    def of_flip(self, name: str) -> Any:
        """Return a field of the flip, None where there is no flip."""
        return getattr(self.result.flip, name, None)


@dataclass(frozen=True, slots=True)
class RegimeColumn:
    """A column: its SQL type, and its value; None and NaN are NULL."""

    type: str
    value: Callable[[RegimeInputs], Any]


def moment_of(us: int) -> datetime:
    """Return a moment given in microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=int(us))


def _flip_distance(x: RegimeInputs) -> float | None:
    flip = x.result.flip
    return None if flip is None else math.log(x.result.book.spot / flip.level)


def _total(name: str) -> Callable[[RegimeInputs], float]:
    """Return the sum over lines of one of the exposures at spot; NaN for an empty book."""
    return lambda x: math.nan if x.empty else x.result.exposure.totals[name]


#: One row per underlying, session, book, dealer model and definition; in the table's order.
REGIME_COLUMNS: Final[dict[str, RegimeColumn]] = {
    "underlying": RegimeColumn("VARCHAR", lambda x: x.key.underlying),
    "session": RegimeColumn("DATE", lambda x: x.key.session),
    "book": RegimeColumn("VARCHAR", lambda x: x.key.book),
    "dealer_model": RegimeColumn("VARCHAR", lambda x: x.key.dealer_model),
    "definition_id": RegimeColumn("VARCHAR", lambda x: x.key.definition_id),
    "valuation_ts": RegimeColumn("TIMESTAMPTZ", lambda x: moment_of(x.result.book.valuation_us)),
    "known_at": RegimeColumn("TIMESTAMPTZ", lambda x: moment_of(x.known_us)),
    "oi_asof": RegimeColumn("DATE", lambda x: x.oi_asof),
    "spot": RegimeColumn("DOUBLE", lambda x: x.result.book.spot),
    "net_gex": RegimeColumn("DOUBLE", lambda x: x.result.net_gex),
    "gross_gex": RegimeColumn("DOUBLE", lambda x: None if x.empty else x.result.gross_gex),
    "net_to_gross": RegimeColumn("DOUBLE", lambda x: x.result.net_to_gross),
    "net_dex": RegimeColumn("DOUBLE", _total("delta")),
    "net_vex": RegimeColumn("DOUBLE", _total("vanna")),
    "net_cex": RegimeColumn("DOUBLE", _total("charm")),
    "regime": RegimeColumn("VARCHAR", lambda x: x.verdict.regime),
    "flip": RegimeColumn("DOUBLE", lambda x: x.of_flip("level")),
    "flip_status": RegimeColumn("VARCHAR", lambda x: x.verdict.flip_status),
    "flip_direction": RegimeColumn("VARCHAR", lambda x: x.of_flip("direction")),
    "flip_distance": RegimeColumn("DOUBLE", _flip_distance),
    "n_roots": RegimeColumn("BIGINT", lambda x: len(x.result.roots)),
    "call_wall": RegimeColumn("DOUBLE", lambda x: x.result.walls.call.strike),
    "call_wall_strength": RegimeColumn("DOUBLE", lambda x: x.result.walls.call.strength),
    "put_wall": RegimeColumn("DOUBLE", lambda x: x.result.walls.put.strike),
    "put_wall_strength": RegimeColumn("DOUBLE", lambda x: x.result.walls.put.strength),
    "pin_strike": RegimeColumn("DOUBLE", lambda x: x.result.walls.pin.strike),
    "pin_strength": RegimeColumn("DOUBLE", lambda x: x.result.walls.pin.strength),
    "concentration": RegimeColumn("DOUBLE", lambda x: x.result.walls.concentration),
    "gex_0dte_share": RegimeColumn("DOUBLE", lambda x: x.result.shares.zero_dte),
    "gex_next_expiry_share": RegimeColumn("DOUBLE", lambda x: x.result.shares.next_expiry),
    "gex_next_opex_share": RegimeColumn("DOUBLE", lambda x: x.result.shares.next_opex),
    "definition_agreement": RegimeColumn("DOUBLE", lambda x: x.agreement),
    "contracts_used": RegimeColumn("BIGINT", lambda x: x.result.contracts_used),
    "contracts_rejected": RegimeColumn("BIGINT", lambda x: x.result.contracts_rejected),
    "oi_rejected_share": RegimeColumn("DOUBLE", lambda x: x.result.oi_rejected_share),
    "quality": RegimeColumn("VARCHAR", lambda x: ",".join(x.verdict.measured) or "ok"),
    "source_fingerprint": RegimeColumn("VARCHAR", lambda x: x.fingerprint),
}


def regime_row(inputs: RegimeInputs) -> tuple[Any, ...]:
    """Return one row of the regime table, in the order of its columns; undefined is None or NaN."""
    return tuple([column.value(inputs) for column in REGIME_COLUMNS.values()])


def named(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row of the regime table by the names of its columns; undefined is None."""
    # NaN alone differs from itself
    values = (value if value == value else None for value in row)
    return dict(zip(REGIME_COLUMNS, values, strict=True))
