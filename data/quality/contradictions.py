"""Sessions whose rows contradict each other: the gate's own rules, for the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.sql import load_sql
from ..exposure.contradictions import contradicting_duplicates, unit_contradiction
from .finding import Finding
from .messages import CHECKS
from .thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import duckdb

__all__ = ["contradiction_findings"]


def contradiction_findings(
    connection: duckdb.DuckDBPyConnection, first: date, limits: Thresholds
) -> Iterator[Finding]:
    """Yield ``contradicting_duplicates`` and ``unit_contradicted`` of the sessions from `first`.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the block's ``quality_rows``.
    first : date
        Sessions before it are there only to be compared with.
    limits : Thresholds
    """
    query = load_sql("quality/contradictions")
    table = connection.sql(query, params={"first": first}).to_arrow_table()
    columns = {name: table[name].to_numpy() for name in table.column_names}
    day = columns["session"].astype("datetime64[D]")
    edges = np.flatnonzero(day[1:] != day[:-1]) + 1
    for rows in np.split(np.arange(day.size), edges):
        if rows.size:
            session = day[rows[0]].item()
            yield from _of_session(session, {n: c[rows] for n, c in columns.items()}, limits)


def _of_session(session: date, c: dict[str, Any], limits: Thresholds) -> Iterator[Finding]:
    interest = float(np.nansum(c["open_interest"]))
    key = (c["expiry"], c["kind"], c["strike"])
    quoted = (c["open_interest"], c["iv"], c["bid"], c["ask"])
    repeated = contradicting_duplicates(key, c["root_number"], quoted)
    share = repeated / c["strike"].size
    name = "contradicting_duplicates"
    if share > limits.limit(name):
        detail = f"{CHECKS[name].value}: {share:.4g}, limit {limits.limit(name):g}"
        yield Finding(session, name, CHECKS[name].severity, repeated, interest, detail)
    start = _run_starts(c["expiry"], c["kind"] & 1)
    unit = unit_contradiction(
        spot=float(c["s"][0]),
        start=start,
        years=c["years"][start[:-1]],
        strike=c["strike"],
        is_call=(c["kind"] & 2) != 0,
        price=c["price"],
        volatility=c["iv"],
        open_interest=c["open_interest"],
        multiplier=c["multiplier"],
    )
    name = "unit_contradicted"
    if unit and limits.limit(name) < 1:
        yield Finding(session, name, CHECKS[name].severity, c["strike"].size, interest, unit)


def _run_starts(expiry: Any, morning: Any) -> Any:
    """Return where rows of one expiry and settlement begin, sorted by them, and the end."""
    new = (expiry[1:] != expiry[:-1]) | (morning[1:] != morning[:-1])
    return np.concatenate([[0], np.flatnonzero(new) + 1, [expiry.size]])
