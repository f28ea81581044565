"""What a rebuild notices about a session: counted, and with the open interest it touches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.compiling import compiled
from ..exposure.implied_volatility import REASONS, SOLVED
from ..exposure.strike_lines import REJECTED_OI, UNKNOWN_OI, USED_OI
from ..lake.arrow_tables import PlainTable
from ..quality.messages import CATALOGUE
from ..quality.thresholds import Thresholds
from .regime_columns import KEY, Key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exposure.definition import Definition
    from ..exposure.evaluation import BookResult, PreparedChain
    from ..lake.chain_reader import RawSession

__all__ = ["finding_columns_of", "finding_row", "session_findings"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: Years; carry over less than a week moves a forward by less than its quotes do.
_SHORTEST_CARRY: Final = 7.0 / 365.0
_LIMITS: Final = Thresholds()

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
    columns = {name: [row[name] for row in findings] for name in _KINDS}
    return PlainTable(columns, _KINDS, KEY)


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
        interest = _expired_interest(prepared, result)
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
    chain, own, lines = prepared.chain, prepared.own, prepared.lines
    by_line = definition.iv_source == "otm" and prepared.curves is None
    counts, interest = np.zeros(len(REASONS), np.int64), np.zeros(len(REASONS))
    _count_rejected(
        prepared.groups.start, result.book.live, chain.strike, chain.open_interest, own.value,
        own.code, lines.start, lines.strike, by_line, counts, interest,
    )  # fmt: skip
    return [
        (reason, int(counts[code]), float(interest[code]))
        for code, reason in REASONS.items()
        if counts[code]
    ]


@compiled(nogil=True)
def _count_rejected(
    start: Ints, live: Flags, strike: Floats, open_interest: Floats, volatility: Floats,
    code: npt.NDArray[np.int8], line_start: Ints, line_strike: Floats, by_line: bool,
    counts: Ints, interest: Floats,
) -> None:  # fmt: skip
    """Count live contracts of positive open interest without a volatility.

    Parameters
    ----------
    start, line_start : ndarray of int64, shape (g + 1,)
        First contract, and first line, of each expiry group.
    live : ndarray of bool, shape (g,)
    strike, open_interest, volatility, code : ndarray, shape (n,)
    line_strike : ndarray
        Ascending in each group, as `strike` is.
    by_line : bool
        Whether a line of the same strike, of the other side's volatility, is one too.
    counts, interest : ndarray, shape (reasons,)
        To add to: contracts and their open interest, by the solver's code.
    """
    for g in range(live.size):
        if not live[g]:
            continue
        line, stop = line_start[g], line_start[g + 1]
        for i in range(start[g], start[g + 1]):
            if not (math.isnan(volatility[i]) and open_interest[i] > 0.0 and code[i] > SOLVED):
                continue
            while line < stop and line_strike[line] < strike[i]:
                line += 1
            if not (by_line and line < stop and line_strike[line] == strike[i]):
                counts[code[i]] += 1
                interest[code[i]] += open_interest[i]


def _without_carry(
    prepared: PreparedChain, result: BookResult, definition: Definition
) -> tuple[int, float, str] | None:
    """Return expiries, open interest and words where F = S stands in for a missing carry."""
    configured = (
        definition.rate != 0.0
        or definition.dividend_yield != 0.0
        or definition.rate_curve is not None
        or definition.dividend_curve is not None
    )
    if definition.forward_source != "parity" or configured:
        return None
    from_parity = prepared.market.from_parity
    every = not np.count_nonzero(result.book.live & from_parity)  # faster than `any`
    # days at F = S do no harm, unless there is nothing else
    without = _weighed(prepared, result, ~from_parity, 0.0 if every else _SHORTEST_CARRY)
    limit, of_gross = _LIMITS.no_carry, without.of_gross
    if without.groups and (every or without.interest > limit * without.whole or of_gross > limit):
        share = 1.0 if every else without.interest / without.whole
        text = (
            f"{share:.1%} of the open interest ({of_gross:.1%} of gross) has no usable "
            "parity forward and rates are 0, so F = S: configure rate and dividend yield"
        )
        return without.groups, without.interest, text
    return None


def _outside_guard(
    prepared: PreparedChain, result: BookResult, definition: Definition
) -> tuple[int, float, str] | None:
    """Return expiries, open interest and words where the guard refused the forwards of quotes."""
    if not np.count_nonzero(prepared.market.outside_guard):
        return None
    outside = _weighed(prepared, result, prepared.market.outside_guard, _SHORTEST_CARRY)
    limit, of_gross = _LIMITS.parity_outside_guard, outside.of_gross
    if not outside.groups or not (outside.interest > limit * outside.whole or of_gross > limit):
        return None
    share = outside.interest / outside.whole if outside.whole else math.nan
    carried = f"rate {definition.rate:g} and dividend yield {definition.dividend_yield:g}"
    if definition.rate_curve is not None or definition.dividend_curve is not None:
        carried = "the configured curves"
    text = (
        f"{share:.1%} of the open interest ({of_gross:.1%} of gross) has parity forwards "
        f"too far from {carried} to be used: correct the rates, or look at the "
        "moments of quotes and spot"
    )
    return outside.groups, outside.interest, text


@dataclass(frozen=True, slots=True)
class _Weight:
    """What a part of a book's live expiry groups weighs.

    Attributes
    ----------
    groups : int
        Of the part.
    interest, whole : float
        Open interest of the part, and of all.
    of_gross : float
        The part's share of gross gamma; NaN where there is none.
    """

    groups: int
    interest: float
    whole: float
    of_gross: float


def _weighed(prepared: PreparedChain, result: BookResult, part: Flags, shortest: float) -> _Weight:
    """Return what the live groups of `part` weigh that last longer than so many years."""
    groups, interest, whole, gross, total = _weigh(
        result.book.live, part, prepared.market.time, shortest, result.book.lines.tally,
        result.gross_by_expiry,
    )  # fmt: skip
    return _Weight(groups, interest, whole, gross / total if total > 0.0 else math.nan)


@compiled()
def _weigh(
    live: Flags, part: Flags, time: Floats, shortest: float, tally: Floats, gross: Floats
) -> tuple[int, float, float, float, float]:
    """Return how many groups are the part, their open interest, that of all, and gross likewise."""
    groups, interest, whole, of_part, total = 0, 0.0, 0.0, 0.0, 0.0
    for g in range(live.size):
        if not live[g]:
            continue
        held = tally[g, USED_OI] + tally[g, REJECTED_OI]
        whole += held
        total += gross[g]
        if part[g] and time[g] > shortest:
            groups += 1
            interest += held
            of_part += gross[g]
    return groups, interest, whole, of_part, total


def _expired_interest(prepared: PreparedChain, result: BookResult) -> float:
    """Return the open interest that is not in the book because it has expired."""
    start, interest = prepared.groups.start, prepared.chain.open_interest
    gone = np.flatnonzero(~result.book.live).tolist()
    parts = [interest[start[g] : start[g + 1]] for g in gone]
    return sum(float(part[part == part].sum()) for part in parts)  # NaN alone differs from itself
