"""Columns of the regime table: names, types, and where the values of a row come from.

A column is added here, to both of them, and described in ``docs/regime-table.md``; nothing else
lists them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from ..exposure.evaluation import BookResult
from ..exposure.verdicts import Verdict

__all__ = [
    "KEY",
    "MOMENTS",
    "REGIME_COLUMNS",
    "Key",
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
        return {
            "underlying": self.underlying,
            "session": self.session,
            "book": self.book,
            "dealer_model": self.dealer_model,
            "definition_id": self.definition_id,
        }


def moment_of(us: int) -> datetime:
    """Return a moment given in microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=int(us))


#: Columns that every rebuilt table begins with: the fields of `Key`.
KEY: Final = ("underlying", "session", "book", "dealer_model", "definition_id")

#: SQL types by column, in the table's order.
#: One row per underlying, session, book, dealer model and definition.
REGIME_COLUMNS: Final[dict[str, str]] = {
    "underlying": "VARCHAR",
    "session": "DATE",
    "book": "VARCHAR",
    "dealer_model": "VARCHAR",
    "definition_id": "VARCHAR",
    "valuation_ts": "TIMESTAMPTZ",
    "known_at": "TIMESTAMPTZ",
    "oi_asof": "DATE",
    "spot": "DOUBLE",
    "net_gex": "DOUBLE",
    "gross_gex": "DOUBLE",
    "net_to_gross": "DOUBLE",
    "net_dex": "DOUBLE",
    "net_vex": "DOUBLE",
    "net_cex": "DOUBLE",
    "regime": "VARCHAR",
    "flip": "DOUBLE",
    "flip_status": "VARCHAR",
    "flip_direction": "VARCHAR",
    "flip_distance": "DOUBLE",
    "n_roots": "BIGINT",
    "call_wall": "DOUBLE",
    "call_wall_strength": "DOUBLE",
    "put_wall": "DOUBLE",
    "put_wall_strength": "DOUBLE",
    "pin_strike": "DOUBLE",
    "pin_strength": "DOUBLE",
    "concentration": "DOUBLE",
    "gex_0dte_share": "DOUBLE",
    "gex_next_expiry_share": "DOUBLE",
    "gex_next_opex_share": "DOUBLE",
    "definition_agreement": "DOUBLE",
    "contracts_used": "BIGINT",
    "contracts_rejected": "BIGINT",
    "oi_rejected_share": "DOUBLE",
    "quality": "VARCHAR",
    "source_fingerprint": "VARCHAR",
}

#: Columns that are microseconds since 1970 in a row.
MOMENTS: Final = tuple(name for name, kind in REGIME_COLUMNS.items() if kind == "TIMESTAMPTZ")


def regime_row(
    key: Key,
    result: BookResult,
    verdict: Verdict,
    *,
    agreement: float,
    known_us: int,
    oi_asof: date | None,
    fingerprint: str,
) -> tuple[Any, ...]:
    """Return one row of the regime table, in the order of its columns.

    Undefined is None or NaN; moments are microseconds since 1970, UTC.

    Parameters
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
    book, flip, walls, shares = result.book, result.flip, result.walls, result.shares
    call, put, pin, totals = walls.call, walls.put, walls.pin, result.exposure.totals
    # a book that carries no gamma has no exposures either
    empty = not result.gross_gex > 0.0
    # one expression, and not a function for each column, which took twice as long
    return (
        key.underlying,
        key.session,
        key.book,
        key.dealer_model,
        key.definition_id,
        book.valuation_us,
        known_us,
        oi_asof,
        book.spot,
        result.net_gex,
        None if empty else result.gross_gex,
        result.net_to_gross,
        math.nan if empty else totals["delta"],
        math.nan if empty else totals["vanna"],
        math.nan if empty else totals["charm"],
        verdict.regime,
        None if flip is None else flip.level,
        verdict.flip_status,
        None if flip is None else flip.direction,
        None if flip is None else math.log(book.spot / flip.level),
        len(result.roots),
        call.strike,
        call.strength,
        put.strike,
        put.strength,
        pin.strike,
        pin.strength,
        walls.concentration,
        shares.zero_dte,
        shares.next_expiry,
        shares.next_opex,
        agreement,
        result.contracts_used,
        result.contracts_rejected,
        result.oi_rejected_share,
        ",".join(verdict.measured) or "ok",
        fingerprint,
    )


def named(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row of the regime table by its columns; undefined is None, moments are UTC."""
    said = dict(zip(REGIME_COLUMNS, row, strict=True))
    said |= {name: moment_of(said[name]) for name in MOMENTS}
    # NaN alone differs from itself
    return {name: value if value == value else None for name, value in said.items()}
