"""What a rebuild notices about a session: counted, and with the open interest it touches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.compiling import compiled
from ..exposure.implied_volatility import REASONS, SOLVED
from ..exposure.strike_lines import UNKNOWN_OI
from ..lake.arrow_tables import PlainTable
from ..quality.messages import CATALOGUE
from ..quality.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exposure.definition import Definition
    from ..exposure.evaluation import BookResult, PreparedChain
    from ..lake.chain_reader import RawSession
    from .regime_columns import Key

__all__ = ["finding_columns_of", "finding_row", "session_findings"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: Years; carry over less than a week moves a forward by less than its quotes do.
_SHORTEST_CARRY: Final = 7.0 / 365.0

_KINDS: Final = {
    "underlying": pa.string(),
    "session": pa.date32(),
    "book": pa.string(),
    "dealer_model": pa.string(),
    "definition_id": pa.string(),
    "check": pa.string(),
    "severity": pa.string(),
    "count": pa.int64(),
    "open_interest": pa.float64(),
    "detail": pa.string(),
}


def finding_row(
    key: Key, check: str, count: int, open_interest: float | None, detail: str
) -> dict[str, Any]:
    """Return one row of the table ``quality_findings``; the catalogue says how grave it is."""
    return {
        **key.columns,
        "check": check,
        "severity": CATALOGUE[check].severity,
        "count": count,
        "open_interest": open_interest,
        "detail": detail,
    }


def finding_columns_of(findings: list[dict[str, Any]]) -> PlainTable:
    """Return rows of the table ``quality_findings``, before they become an Arrow table."""
    return PlainTable({name: [row[name] for row in findings] for name in _KINDS}, _KINDS)


def session_findings(
    key: Key,
    raw: RawSession,
    prepared: PreparedChain,
    result: BookResult,
    gate: Mapping[str, str],
    definition: Definition,
) -> list[dict[str, Any]]:
    """Return the findings of one book of one session.

    The reasons of the gate, each with what was measured, are errors and make the regime
    ``abstain``. Everything else is reported and changes no label.
    """
    found: list[dict[str, Any]] = []

    def add(check: str, count: int, interest: float | None, text: str) -> None:
        found.append(finding_row(key, check, count, interest, text))

    for reason, measured in gate.items():
        add(reason, 1, None, measured)
    if result.expired:
        expired = ~np.repeat(result.book.live, np.diff(prepared.groups.start))
        interest = float(np.nansum(prepared.chain.open_interest[expired]))
        add("expired", result.expired, interest, "ended at the book's valuation")
    for reason, count, interest in _rejected(prepared, result, definition):
        add(reason, count, interest, "rejected: carries open interest, no volatility")
    unknown = 0
    if result.contracts_rejected:
        unknown = int(result.book.lines.tally[result.book.live, UNKNOWN_OI].sum())
    if unknown:
        add("unknown_open_interest", unknown, None, "open interest is NULL")
    if raw.spots.size > 1:
        spread = f"{raw.spots[0]:g} ... {raw.spots[-1]:g}; the median counts"
        add("several_spots", int(raw.spots.size), None, spread)
    missing = _without_carry(prepared, result, definition)
    if missing:
        add("no_carry", *missing)
    outside = _outside_guard(prepared, result, definition)
    if outside:
        add("parity_outside_guard", *outside)
    return found


def _rejected(
    prepared: PreparedChain, result: BookResult, definition: Definition
) -> list[tuple[str, int, float]]:
    """Return contracts of positive open interest that have no volatility, by reason."""
    if not result.oi_rejected_share > 0.0:
        return []
    chain = prepared.chain
    live = np.repeat(result.book.live, np.diff(prepared.groups.start))
    missing = live & np.isnan(prepared.own.value) & (chain.open_interest > 0.0)
    if definition.iv_source == "otm" and prepared.curves is None:
        missing &= ~_has_line(prepared)
    rows = []
    for code, reason in REASONS.items():
        hit = missing & (prepared.own.code == code)
        if code != SOLVED and hit.any():
            rows.append((reason, int(hit.sum()), float(chain.open_interest[hit].sum())))
    return rows


def _has_line(prepared: PreparedChain) -> Flags:
    """Return which contracts found a volatility, be it that of the other side, shape (n,)."""
    out = np.empty(prepared.chain.strike.size, np.bool_)
    _find_lines(
        prepared.groups.start, prepared.chain.strike,
        prepared.lines.start, prepared.lines.strike, out,
    )  # fmt: skip
    return out


@compiled(nogil=True)
def _find_lines(
    start: Ints, strike: Floats, line_start: Ints, line_strike: Floats, out: Flags
) -> None:
    """Mark the contracts whose expiry group has a line of their strike; both ascend."""
    for g in range(start.size - 1):
        line, stop = line_start[g], line_start[g + 1]
        for i in range(start[g], start[g + 1]):
            while line < stop and line_strike[line] < strike[i]:
                line += 1
            out[i] = line < stop and line_strike[line] == strike[i]


def _without_carry(
    prepared: PreparedChain, result: BookResult, definition: Definition
) -> tuple[int, float, str] | None:
    """Return expiries, open interest and words where F = S stands in for a missing carry."""
    if definition.forward_source != "parity":
        return None
    live = result.book.live
    without = live & ~prepared.market.from_parity
    if not without.any():
        return None
    configured = (
        definition.rate != 0.0
        or definition.dividend_yield != 0.0
        or definition.rate_curve is not None
        or definition.dividend_curve is not None
    )
    every = bool((without == live).all())
    if not every:  # days at F = S do no harm
        without &= prepared.market.time > _SHORTEST_CARRY
    if configured or not without.any():
        return None
    lacking, whole = _interest_in(prepared, without, live)
    limit, of_gross = Thresholds().no_carry, _of_gross(result, without)
    if every or lacking > limit * whole or of_gross > limit:
        share = 1.0 if every else lacking / whole
        text = (
            f"{share:.1%} of the open interest ({of_gross:.1%} of gross) has no usable "
            "parity forward and rates are 0, so F = S: configure rate and dividend yield"
        )
        return int(without.sum()), lacking, text
    return None


def _outside_guard(
    prepared: PreparedChain, result: BookResult, definition: Definition
) -> tuple[int, float, str] | None:
    """Return expiries, open interest and words where the guard refused the forwards of quotes."""
    if not prepared.market.outside_guard.any():
        return None
    live = result.book.live
    outside = live & prepared.market.outside_guard & (prepared.market.time > _SHORTEST_CARRY)
    if not outside.any():
        return None
    refused, whole = _interest_in(prepared, outside, live)
    limit, of_gross = Thresholds().parity_outside_guard, _of_gross(result, outside)
    if not (refused > limit * whole or of_gross > limit):
        return None
    share = refused / whole if whole else math.nan
    carried = f"rate {definition.rate:g} and dividend yield {definition.dividend_yield:g}"
    if definition.rate_curve is not None or definition.dividend_curve is not None:
        carried = "the configured curves"
    text = (
        f"{share:.1%} of the open interest ({of_gross:.1%} of gross) has parity forwards "
        f"too far from {carried} to be used: correct the rates, or look at the "
        "moments of quotes and spot"
    )
    return int(outside.sum()), refused, text


def _interest_in(prepared: PreparedChain, part: Flags, live: Flags) -> tuple[float, float]:
    """Return the open interest of some expiry groups, and that of all live."""
    known = np.nan_to_num(prepared.chain.open_interest)
    interest = np.add.reduceat(known, prepared.groups.start[:-1])
    return float(interest[part].sum()), float(interest[live].sum())


def _of_gross(result: BookResult, part: Flags) -> float:
    """Return the share of gross gamma of some expiry groups; NaN where there is none."""
    gross = result.gross_by_expiry
    total = float(gross[result.book.live].sum())
    return float(gross[part].sum()) / total if total > 0.0 else math.nan
