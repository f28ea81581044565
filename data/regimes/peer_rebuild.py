"""Regime tables by the rules of peers, kept beside gexlab's own and never mixed with them."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.progress import Progress, silent
from ..exposure.contradictions import repeated_rows
from ..exposure.labels import regime_of
from ..exposure.quality_gate import gate_reasons
from ..exposure.side_columns import DIRECTIONS
from ..lake.chain_reader import RawSession, read_sessions
from ..lake.connection import connect
from ..lake.derived_parts import other_generations, session_marks
from ..lake.derived_tables import DerivedStore
from ..lake.derived_writer import Contents, WrittenPart, write_parts
from ..lake.lake import Lake, SessionEntry
from ..peers.exposures import PeerRow, peer_row
from ..peers.rules import PeerRule
from .regime_columns import REGIME_COLUMNS, Key
from .rows import BookRows, regime_columns_of, side_columns_of
from .session_evaluation import likeness_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from ..lake.manifest import Manifest
    from ..peers.rules import PeerRule
    from .spec import RegimeSpec

__all__ = [
    "peer_chain",
    "peer_marks_of_other_versions",
    "peer_plan",
    "peer_rows",
    "write_peer_rows",
]

Floats: TypeAlias = npt.NDArray[np.float64]

#: Raised when rows change their form or meaning, so that older ones are computed anew.
_GENERATION: Final = 2
_BAND: Final = 0.02
_DEALER: Final = "naive"
_BOOK: Final = "as_of_close"


def peer_plan(
    lake: Lake, chains: Manifest, spec: RegimeSpec
) -> tuple[dict[str, str], DerivedStore]:
    """Return the mark of each session's rows under a peer's rule, and where they are kept."""
    rule = spec.definition
    assert isinstance(rule, PeerRule)
    settings = {"kind": "peer rule"} | asdict(rule)
    now = lake.as_it_is_now()
    place = DerivedStore(now, spec.underlying, rule.definition_id, settings, _DEALER)
    return session_marks(chains, str(_GENERATION)), place


def peer_marks_of_other_versions(chains: Manifest) -> Iterator[dict[str, str]]:
    """Yield the marks that other versions of gexlab give rows of a peer's rule."""
    for generation in other_generations(_GENERATION):
        yield session_marks(chains, str(generation))


def peer_rows(
    lake: Lake,
    spec: RegimeSpec,
    chains: Manifest,
    stale: Collection[date],
    progress: Progress = silent,
) -> tuple[list[BookRows], int]:
    """Return regime rows and roots of some sessions under a peer's rule, and the chains' row count.

    Peers know one book, as of the close, and one dealer model, naive; columns that their rules do
    not define are NULL. Regime and quality follow gexlab's band and gate.
    """
    rule = spec.definition
    assert isinstance(rule, PeerRule)
    entries = list(chains.sessions)
    lacking = [entry for entry in entries if entry.session in stale]
    rows: list[BookRows] = []
    contracts = 0
    for i, (entry, raw, previous) in enumerate(_read(lake, entries, lacking)):
        key = Key(spec.underlying, entry.session, _BOOK, _DEALER, rule.definition_id)
        found = peer_row(peer_chain(raw), rule)
        row = _regime_row(key, found, raw, previous, entry.fingerprint)
        regime = tuple(map(row.get, REGIME_COLUMNS))
        rows.append(BookRows(key, regime, {"flip_roots": _roots(found)}, []))
        contracts += int(raw.columns["strike"].size)
        progress(i + 1, len(lacking), spec.underlying)
    return rows, contracts


def write_peer_rows(
    store: DerivedStore,
    rows: list[BookRows],
    marks: Mapping[str, str],
) -> tuple[WrittenPart, ...]:
    """Write what `peer_rows` returned and return its part; none where there are no rows."""
    if not rows:
        return ()
    tables = {"regimes": regime_columns_of(rows)} | side_columns_of(rows)
    days = {str(row.key.session): marks[str(row.key.session)] for row in rows}
    return write_parts(store, [Contents((_BOOK,), days, tables)])


def peer_chain(raw: RawSession) -> pd.DataFrame:
    """Return a session as the frame that `exposure.peers.peer_row` takes."""
    c = raw.columns
    numbers = ("strike", "open_interest", "bid", "ask", "iv_quoted", "gamma", "spot", "multiplier")
    return pd.DataFrame(
        {
            "session": c["session"].astype("datetime64[D]"),
            "expiry": c["expiry"].astype("datetime64[D]"),
            "quote_ts": pd.to_datetime(c["quote_us"], unit="us", utc=True),
            "root": c["root"],
            "settlement": np.where(c["kind"] & 1, "AM", "PM"),
            "right": np.where(c["kind"] & 2, "C", "P"),
            **{name: c[name] for name in numbers},
        }
    )


def _read(
    lake: Lake, entries: list[SessionEntry], stale: list[SessionEntry]
) -> Iterator[tuple[SessionEntry, RawSession, RawSession | None]]:
    """Yield the stale sessions, each with the previous session."""
    before = {e.session: p for p, e in pairwise(entries)}
    last: RawSession | None = None
    with connect(lake) as connection:
        for entry in stale:
            earlier = before.get(entry.session)
            if earlier is None:
                previous = None
            elif last is not None and last.session == earlier.session:
                previous = last
            else:
                previous = _one(connection, earlier)
            last = _one(connection, entry)
            yield entry, last, previous


def _one(connection: Any, entry: SessionEntry) -> RawSession:
    found = read_sessions(
        connection, [entry.file], entry.session, entry.session, query="peers/scan"
    )
    return next(iter(found))


def _regime_row(
    key: Key, found: PeerRow, raw: RawSession, previous: RawSession | None, fingerprint: str
) -> dict[str, Any]:
    """Return one row as `regime_row` does; what the rule does not define is None."""
    empty = not found.gross_gex > 0.0
    reasons = gate_reasons(
        known_before_quotes=raw.known_before_quotes,
        copied=likeness_of(raw, previous).is_copy,
        contradicting_duplicates=repeated_rows(raw.columns) > 0,
        oi_rejected_share=math.nan,
        gross_gex=0.0 if empty else found.gross_gex,
    )
    flip = None if math.isnan(found.flip) else found.flip
    net_to_gross = math.nan if empty else found.net_gex / found.gross_gex
    return {
        **key.columns,
        "valuation_ts": int(raw.columns["quote_us"][0]),
        "known_at": int(raw.columns["known_us"].max()),
        "oi_asof": raw.oi_asof,
        "spot": found.spot,
        "net_gex": None if empty else found.net_gex,
        "gross_gex": None if empty else found.gross_gex,
        "net_to_gross": _null(net_to_gross),
        "regime": regime_of(net_to_gross, _BAND, degraded=bool(reasons)),
        "flip": flip,
        "flip_status": _status(found, degraded=bool(reasons)),
        "flip_direction": None if flip is None else found.direction,
        "flip_distance": None if flip is None else math.log(found.spot / flip),
        "n_roots": len(found.roots),
        "contracts_used": found.contracts,
        "quality": ",".join(reasons) or "ok",
        "source_fingerprint": fingerprint,
    }


def _status(found: PeerRow, *, degraded: bool) -> str:
    if degraded:
        return "degraded"
    if found.roots:
        return "ok" if len(found.roots) == 1 else "multiple"
    return "none_long" if found.net_gex > 0.0 else "none_short"


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _roots(found: PeerRow) -> Floats:
    """Return the rule's zeros, ascending; it knows no slope."""
    rows = [
        (level, DIRECTIONS.index(direction), math.nan, level == found.flip)
        for level, direction in zip(found.roots, found.directions, strict=True)
    ]
    return np.array(rows, np.float64).reshape(-1, 4).T
