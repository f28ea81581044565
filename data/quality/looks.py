"""A look at each session's chain: everything that the checks find in it and in those before it.

Every check is one set-based query over the latest snapshot of each session and, where it compares,
of the ten sessions before it. Sessions are worked through in blocks, so that memory does not grow
with the lake, and what was found is kept.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from ..base.sql import load_sql
from ..lake.integrity import require_intact
from ..lake.mirror import remote_of
from .contradictions import contradiction_findings
from .finding import Finding
from .kept import kept_by_session, key_of
from .messages import CHECKS
from .thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from ..lake.lake import Lake
    from ..lake.manifest import SessionEntry

__all__ = ["COVERAGE", "SessionLook", "coverage_of", "looks_of", "measured_detail"]

#: Rows held at a time; about a kilobyte each while they are compared.
_BLOCK_ROWS: Final = 500_000
#: Sessions before one that it is compared with.
_CONTEXT: Final = 10
#: Columns of ``sql/coverage.sql`` after the session.
COVERAGE: Final = (
    "quote_ts", "known_at", "oi_asof", "spot", "contracts", "live", "expiries", "open_interest",
    "open_interest_known", "volatility_known", "two_sided", "lowest_strike", "highest_strike",
    "sources",
)  # fmt: skip
_QUERIES: Final = (
    "quality/rows",
    "quality/duplicates",
    "quality/previous",
    "quality/copies",
    "quality/missing",
    "quality/level",
    "quality/parity",
    "quality/strikes",
    "quality/arbitrage",
)


@dataclass(frozen=True, slots=True)
class SessionLook:
    """What one session's chain shows.

    Attributes
    ----------
    session : date
    previous : date or None
        The session before it in the lake.
    findings : tuple of Finding
        Of checks that need the chains alone.
    quote_ts : str
        Moment of the quotes, ISO 8601, UTC.
    contracts : int
    open_interest : float or None
        Its sum; None where no row states any.
    spot : float
        Median of the rows' spots.
    """

    session: date
    previous: date | None
    findings: tuple[Finding, ...]
    quote_ts: str
    contracts: int
    open_interest: float | None
    spot: float


def looks_of(
    lake: Lake,
    underlying: str,
    entries: Sequence[SessionEntry],
    limits: Thresholds,
    rates: tuple[float, float],
) -> list[SessionLook]:
    """Return a look at each session.

    Parameters
    ----------
    lake : Lake
    underlying : str
    entries : sequence of SessionEntry
        All sessions of the underlying, ascending.
    limits : Thresholds
    rates : tuple of float
        Rate and dividend yield, continuous, decimal.

    Returns
    -------
    list of SessionLook
        In the order of `entries`.
    """
    said = [asdict(limits), rates, sorted(lake.settlement_sources(underlying))]
    prints = [entry.fingerprint for entry in entries]
    keys = [key_of("look", said, prints[max(i - _CONTEXT, 0) : i + 1]) for i in range(len(entries))]

    def look(missing: list[int]) -> dict[int, Any]:
        made: dict[int, Any] = {}
        for connection, first, places in _blocks(lake, underlying, entries, missing):
            made |= _looked_at(connection, first, entries, places, limits, rates)
        return made

    _require_intact(lake, entries)
    kept = kept_by_session(_name("looks", underlying, prints, said), keys, look)
    days = [entry.session for entry in entries]
    before = [None, *days[:-1]]
    return [_look(*each) for each in zip(days, before, kept, strict=True)]


def coverage_of(lake: Lake, underlying: str, entries: Sequence[SessionEntry]) -> list[list[Any]]:
    """Return what each session holds: the columns of ``sql/coverage.sql`` but the session.

    Parameters
    ----------
    lake : Lake
    underlying : str
    entries : sequence of SessionEntry

    Returns
    -------
    list of list
        Moments as ISO text, days likewise; None where nothing is there to be measured.
    """
    settled = sorted(lake.settlement_sources(underlying))
    prints = [entry.fingerprint for entry in entries]
    keys = [key_of("coverage", settled, each) for each in prints]

    def measure(missing: list[int]) -> dict[int, Any]:
        made: dict[int, Any] = {}
        for connection, first, places in _blocks(lake, underlying, entries, missing, context=0):
            rows = connection.execute(load_sql("quality/coverage"), {"first": first}).fetchall()
            made |= {i: list(row[1:]) for i, row in zip(places, rows, strict=True)}
        return made

    _require_intact(lake, entries)
    return kept_by_session(_name("coverage", underlying, prints, settled), keys, measure)


def measured_detail(name: str, value: float, limits: Thresholds) -> str:
    """Return the measured value of a check and its limit, in words."""
    check = CHECKS[name]
    if check.value == "1":
        return check.meaning
    return f"{check.value}: {value:.4g}, limit {limits.limit(name):g}"


def _require_intact(lake: Lake, entries: Sequence[SessionEntry]) -> None:
    """Refuse damaged chains, looked at again or not; far away those alone that are fetched."""
    if remote_of(lake.root) is None:
        require_intact([entry.file for entry in entries], lake.root)


def _name(what: str, underlying: str, prints: Sequence[str], said: object) -> str:
    """Return what is kept together: of chains that begin alike, wherever their lakes are."""
    return f"{what} of {underlying} from {prints[0] if prints else 'nothing'}, {said}"


def _look(day: date, before: date | None, kept: Mapping[str, Any]) -> SessionLook:
    found = tuple(
        Finding(day, name, CHECKS[name].severity, count, interest, detail)
        for name, count, interest, detail in kept["findings"]
    )
    return SessionLook(day, before, found, *kept["stamp"])


def _looked_at(
    connection: duckdb.DuckDBPyConnection,
    first: date,
    entries: Sequence[SessionEntry],
    places: Sequence[int],
    limits: Thresholds,
    rates: tuple[float, float],
) -> dict[int, Any]:
    """Return what is kept of a block's sessions."""
    found: dict[date | None, list[Finding]] = defaultdict(list)
    judged = (_judged(connection, query, first, limits, rates) for query in _QUERIES)
    for finding in chain(*judged, contradiction_findings(connection, first, limits)):
        found[finding.session].append(finding)
    stamps = connection.execute(load_sql("quality/stamps"), {"first": first}).fetchall()
    stamp = {session: said for session, *said in stamps}
    return {
        i: {
            "findings": [
                (f.check, f.count, f.open_interest, f.detail) for f in found[entries[i].session]
            ],
            "stamp": stamp[entries[i].session],
        }
        for i in places
    }


def _judged(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    first: date,
    limits: Thresholds,
    rates: tuple[float, float],
) -> Iterator[Finding]:
    bound: dict[str, object] = {"first": first}
    if query == "quality/parity":
        bound |= dict(zip(("rate", "dividend_yield"), rates, strict=True))
    rows = connection.execute(load_sql(query), bound).fetchall()
    for session, name, count, open_interest, value in rows:
        if value is not None and _exceeds(name, value, limits):
            yield Finding(
                session,
                name,
                CHECKS[name].severity,
                int(count),
                math.nan if open_interest is None else float(open_interest),
                measured_detail(name, value, limits),
            )


def _exceeds(name: str, value: float, limits: Thresholds) -> bool:
    if name == "copy_of_previous_session":
        return value >= limits.limit(name)
    return value > limits.limit(name)


def _blocks(
    lake: Lake,
    underlying: str,
    entries: Sequence[SessionEntry],
    places: Sequence[int],
    *,
    context: int = _CONTEXT,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, date, list[int]]]:
    """Yield a connection that holds a block of sessions, with some before it; its first; all."""
    from ..lake.connection import connect

    connection = connect(lake)
    settled = sorted(lake.settlement_sources(underlying))
    try:
        for block in _spans(entries, places):
            held = entries[max(block[0] - context, 0) : block[-1] + 1]
            require_intact([entry.file for entry in held], lake.root)
            connection.execute(
                load_sql("quality/load"),
                {
                    "files": sorted({str(entry.file) for entry in held}),
                    "first": held[0].session,
                    "last": held[-1].session,
                    "settled": settled,
                },
            )
            yield connection, entries[block[0]].session, block
    finally:
        connection.close()


def _spans(entries: Sequence[SessionEntry], places: Sequence[int]) -> Iterator[list[int]]:
    """Yield runs of neighbouring places that are not too large together."""
    block, rows = list[int](), 0
    for i in places:
        if block and (i != block[-1] + 1 or rows + entries[i].rows > _BLOCK_ROWS):
            yield block
            block, rows = [], 0
        block.append(i)
        rows += entries[i].rows
    if block:
        yield block
