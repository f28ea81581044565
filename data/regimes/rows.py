"""Rows of the regime table and its side tables, column by column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.schema import REGIME_COLUMNS
from ..exposure.chain_volatility import ChainVolatility
from ..exposure.evaluation import BookResult, PreparedChain, group_sums
from ..exposure.fixed_strike import fixed_strike_change
from ..exposure.labels import regime_of
from ..exposure.strike_lines import REJECTED, USED, USED_OI
from ..exposure.walls import call_wall, pin_strike, put_wall

__all__ = ["Block", "Key", "by_expiry_block", "by_strike_block", "fixed_strike_block"]
__all__ += [
    "implied_block",
    "profile_block",
    "regime_row",
    "regime_table",
    "roots_block",
    "side_table_of",
]

Floats: TypeAlias = npt.NDArray[np.float64]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
_ARROW: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
_REGIME_SCHEMA: Final = pa.schema([(n, _ARROW[t]) for n, t in REGIME_COLUMNS.items()])


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies rows of one session and book."""

    underlying: str
    session: date
    book: str
    dealer_model: str
    definition_id: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a side table for one key, as columns of equal length."""

    key: Key
    columns: dict[str, Any]


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(us))


def _null(value: float) -> float | None:
    """Undefined is NULL in a table."""
    return None if math.isnan(value) else float(value)


def regime_row(
    key: Key,
    result: BookResult,
    *,
    known_us: int,
    oi_asof: date | None,
    reasons: tuple[str, ...],
    band: float,
    agreement: float,
    fingerprint: str,
) -> dict[str, Any]:
    """Return one row of the regime table; what is undefined is None."""
    book, flip, degraded = result.book, result.flip, bool(reasons)
    walls = {
        "call_wall": call_wall(result.strikes, book.spot),
        "put_wall": put_wall(result.strikes, book.spot),
        "pin": pin_strike(result.strikes, book.spot),
    }
    empty = not result.gross_gex > 0.0
    return {
        "underlying": key.underlying,
        "session": key.session,
        "book": key.book,
        "dealer_model": key.dealer_model,
        "definition_id": key.definition_id,
        "valuation_ts": _moment(book.valuation_us),
        "known_at": _moment(known_us),
        "oi_asof": oi_asof,
        "spot": book.spot,
        "net_gex": _null(result.net_gex),
        "gross_gex": None if empty else result.gross_gex,
        "net_to_gross": _null(result.net_to_gross),
        "net_dex": None if empty else float(result.exposure.delta.sum()),
        "net_vex": None if empty else float(result.exposure.vanna.sum()),
        "net_cex": None if empty else float(result.exposure.charm.sum()),
        "regime": regime_of(result.net_to_gross, band, degraded=degraded),
        "flip": flip.level if flip else None,
        "flip_status": result.status(degraded=degraded),
        "flip_direction": flip.direction if flip else None,
        "flip_distance": math.log(book.spot / flip.level) if flip else None,
        "n_roots": len(result.roots),
        "call_wall": _null(walls["call_wall"].strike),
        "call_wall_strength": _null(walls["call_wall"].strength),
        "put_wall": _null(walls["put_wall"].strike),
        "put_wall_strength": _null(walls["put_wall"].strength),
        "pin_strike": _null(walls["pin"].strike),
        "pin_strength": _null(walls["pin"].strength),
        "concentration": _null(result.strikes.concentration),
        "gex_0dte_share": _null(result.shares.zero_dte),
        "gex_next_expiry_share": _null(result.shares.next_expiry),
        "gex_next_opex_share": _null(result.shares.next_opex),
        "definition_agreement": _null(agreement),
        "contracts_used": book.contracts_used,
        "contracts_rejected": book.contracts_rejected,
        "oi_rejected_share": _null(book.oi_rejected_share),
        "quality": ",".join(reasons) or "ok",
        "source_fingerprint": fingerprint,
    }


def by_expiry_block(key: Key, prepared: PreparedChain, result: BookResult) -> Block:
    """Return exposures by expiry and settlement, of the groups that are alive."""
    book, exposure = result.book, result.exposure
    alive = book.alive
    sums = {
        name: group_sums(values, book)[alive]
        for name, values in {
            "net_gex": exposure.call_gex + exposure.put_gex,
            "gross_gex": exposure.gross,
            "net_dex": exposure.delta,
            "net_vex": exposure.vanna,
            "net_cex": exposure.charm,
        }.items()
    }
    groups = prepared.groups
    parity = prepared.market.from_parity[alive]
    tally = book.lines.tally[alive]
    return Block(
        key,
        {
            "expiry": groups.expiry[alive].astype("datetime64[D]"),
            "settlement": np.where(groups.morning[alive], "AM", "PM"),
            "time": book.time[alive],
            "forward": book.forward[alive],
            "forward_source": np.where(parity, "parity", "rates"),
            **sums,
            "open_interest": tally[:, USED_OI],
            "contracts_used": tally[:, USED].astype(np.int64),
            "contracts_rejected": tally[:, REJECTED].astype(np.int64),
        },
    )


def by_strike_block(key: Key, result: BookResult) -> Block:
    """Return exposures by strike, summed over expiries."""
    strikes = result.strikes
    return Block(
        key,
        {
            "strike": strikes.strike,
            "call_gex": strikes.call,
            "put_gex": strikes.put,
            "net_gex": strikes.net,
            "gross_gex": strikes.gross,
        },
    )


def fixed_strike_block(
    key: Key,
    before: PreparedChain | None,
    after: PreparedChain,
    result: BookResult,
    *,
    by_right: bool,
) -> Block:
    """Return changes of volatility at fixed strikes; no rows without a session before.

    The whole book is the row whose expiry is NULL and whose settlement is ``all``.
    """
    if before is None:
        before, changed = after, slice(0, 0)
    else:
        changed = slice(None)
    change = fixed_strike_change(before, after, result, by_right=by_right)
    living = change.group[:-1]
    expiry = np.append(after.groups.expiry[living].astype("datetime64[D]"), np.datetime64("NaT"))
    settlement = np.append(np.where(after.groups.morning[living], "AM", "PM"), "all")
    columns = {
        "expiry": expiry,
        "settlement": settlement,
        "strikes": change.strikes,
        "unmatched": change.unmatched,
        "change_by_vega": change.by_vega,
        "change_by_exposure": change.by_exposure,
        "vega_dollars": change.vega_dollars,
        "delta_dollars": change.delta_dollars,
    }
    return Block(key, {name: values[changed] for name, values in columns.items()})


def roots_block(key: Key, result: BookResult) -> Block:
    """Return all roots of the profile, ascending."""
    flip = result.flip
    return Block(
        key,
        {
            "level": np.array([r.level for r in result.roots], np.float64),
            "direction": np.array([r.direction for r in result.roots], np.str_),
            "slope": np.array([r.slope for r in result.roots], np.float64),
            "is_flip": np.array([r is flip for r in result.roots], np.bool_),
        },
    )


def profile_block(key: Key, result: BookResult) -> Block:
    """Return the profile: net and gross at every level of the grid."""
    u = result.grid.levels()
    return Block(
        key,
        {
            "level": result.book.spot * np.exp(u),
            "log_move": u,
            "net_gex": result.profile[0],
            "gross_gex": result.profile[1],
        },
    )


def implied_block(key: Key, found: ChainVolatility, known_us: int) -> Block:
    """Return the chain's own volatility of the next 30 days, in one row."""
    columns: dict[str, Any] = {
        "known_at": np.array([known_us], "datetime64[us]").astype("datetime64[us]")
    }
    for name, maturity in (("atm", found.at_the_money), ("swap", found.variance_swap)):
        columns[f"{name}_30d"] = np.array([maturity.volatility])
        columns[f"{name}_near_days"] = np.array([maturity.near_days])
        columns[f"{name}_next_days"] = np.array([maturity.next_days])
        columns[f"{name}_missing"] = np.array([maturity.reason or None], np.object_)
    return Block(key, columns)


def regime_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return regime rows as an Arrow table of the canonical columns."""
    return pa.Table.from_pylist(rows, schema=_REGIME_SCHEMA)


def _column(name: str, values: npt.NDArray[Any]) -> pa.Array:
    if name == "known_at":
        return pa.array(values).cast(_ARROW["TIMESTAMPTZ"])
    kind = pa.string() if values.dtype == object else None
    return pa.array(values, kind, from_pandas=True)  # undefined is NULL


def side_table_of(blocks: list[Block]) -> pa.Table:
    """Return the rows of several blocks as one Arrow table, each with its key."""
    counts = [len(next(iter(block.columns.values()))) for block in blocks]
    index = pa.array(np.repeat(np.arange(len(blocks), dtype=np.int32), counts))
    columns: dict[str, pa.Array] = {}
    for name in ("underlying", "session", "book", "dealer_model", "definition_id"):
        kind = pa.date32() if name == "session" else pa.string()
        values = pa.array([getattr(block.key, name) for block in blocks], kind)
        columns[name] = values.take(index)
    for name in blocks[0].columns:
        values = np.concatenate([block.columns[name] for block in blocks])
        columns[name] = _column(name, values)
    return pa.table(columns)
