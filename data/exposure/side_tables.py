"""Columns of the side tables of one session: by expiry, by strike, roots, profile, volatility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .chain_volatility import chain_volatility
from .evaluation import BookResult, PreparedChain
from .fixed_strike import fixed_strike_change
from .strike_lines import REJECTED, USED, USED_OI

if TYPE_CHECKING:
    from ..base.schema import Book as BookName

__all__ = ["side_tables"]

Columns: TypeAlias = dict[str, npt.NDArray[Any]]


def side_tables(
    prepared: PreparedChain,
    results: Mapping[BookName, BookResult],
    before: PreparedChain | None,
    *,
    by_right: bool,
) -> dict[BookName, dict[str, Columns]]:
    """Return the side tables of a session, per book, as columns of equal length.

    Parameters
    ----------
    prepared : PreparedChain
    results : mapping of book to BookResult
    before : PreparedChain or None
        Of the lake's previous session, for changes at fixed strikes; no rows of them without it.
    by_right : bool
        Whether each contract has a volatility of its own: ``iv_source = own``.

    Returns
    -------
    dict of book to dict of table to dict of column to ndarray
        NaN and NaT where undefined.
    """
    implied = _implied(prepared)
    return {
        name: {
            "exposure_by_expiry": _by_expiry(prepared, result),
            "exposure_by_strike": _by_strike(result),
            "flip_roots": _roots(result),
            "profile": _profile(result),
            "fixed_strike_vol": _fixed_strike(before, prepared, result, by_right=by_right),
            "implied_volatility": implied,
        }
        for name, result in results.items()
    }


def _implied(prepared: PreparedChain) -> Columns:
    """Return the chain's own volatility of the next 30 days, in one row."""
    chain = prepared.chain
    found = chain_volatility(chain, prepared.groups, prepared.market, prepared.own)
    columns: Columns = {"known_at": np.array([chain.known_us], "datetime64[us]")}
    for name, maturity in (("atm", found.at_the_money), ("swap", found.variance_swap)):
        columns[f"{name}_30d"] = np.array([maturity.volatility])
        columns[f"{name}_near_days"] = np.array([maturity.near_days])
        columns[f"{name}_next_days"] = np.array([maturity.next_days])
        columns[f"{name}_missing"] = np.array([maturity.reason or None], np.object_)
    return columns


def _by_expiry(prepared: PreparedChain, result: BookResult) -> Columns:
    """Return exposures by expiry and settlement, of the groups that are live."""
    book, exposure = result.book, result.exposure
    live = book.live
    names = ("net_gex", "gross_gex", "net_dex", "net_vex", "net_cex")
    sums = dict(zip(names, np.compress(live, exposure.by_group, axis=1), strict=True))
    groups = prepared.groups
    parity = prepared.market.from_parity[live]
    tally = book.lines.tally[live]
    return {
        "expiry": groups.expiry[live].astype("datetime64[D]"),
        "settlement": np.where(groups.morning[live], "AM", "PM"),
        "time": book.time[live],
        "forward": book.forward[live],
        "forward_source": np.where(parity, "parity", "rates"),
        **sums,
        "open_interest": tally[:, USED_OI],
        "contracts_used": tally[:, USED].astype(np.int64),
        "contracts_rejected": tally[:, REJECTED].astype(np.int64),
    }


def _by_strike(result: BookResult) -> Columns:
    """Return exposures by strike, summed over expiries."""
    strikes = result.strikes
    return {
        "strike": strikes.strike,
        "call_gex": strikes.call,
        "put_gex": strikes.put,
        "net_gex": strikes.net,
        "gross_gex": strikes.gross,
    }


def _roots(result: BookResult) -> Columns:
    """Return all roots of the profile, ascending."""
    flip = result.flip
    return {
        "level": np.array([r.level for r in result.roots], np.float64),
        "direction": np.array([r.direction for r in result.roots], np.str_),
        "slope": np.array([r.slope for r in result.roots], np.float64),
        "is_flip": np.array([r is flip for r in result.roots], np.bool_),
    }


def _profile(result: BookResult) -> Columns:
    """Return the profile: net and gross at every level of the grid."""
    u = result.grid.levels()
    return {
        "level": result.book.spot * np.exp(u),
        "log_move": u,
        "net_gex": result.profile[0],
        "gross_gex": result.profile[1],
    }


def _fixed_strike(
    before: PreparedChain | None,
    after: PreparedChain,
    result: BookResult,
    *,
    by_right: bool,
) -> Columns:
    """Return changes of volatility at fixed strikes; no rows without a previous session.

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
    return {name: values[changed] for name, values in columns.items()}
