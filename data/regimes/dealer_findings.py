"""What a rebuild notices about the dealers' side of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .findings import finding_row

if TYPE_CHECKING:
    from ..exposure.evaluation import BookResult, PreparedChain
    from ..lake.chain_reader import RawSession
    from .job import Job
    from .regime_columns import Key

__all__ = ["dealer_findings"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_NAIVE_SHARE = (
    "end users are net short options on single stocks: compare with the dealer model inverted"
)


def dealer_findings(
    key: Key, raw: RawSession, prepared: PreparedChain, result: BookResult, job: Job
) -> list[dict[str, Any]]:
    """Return the findings of one book that concern its dealer model; they change no label."""
    found = []
    if job.instrument == "share" and job.dealer.name == "naive":
        found.append(finding_row(key, "naive_single_stock", 1, None, _NAIVE_SHARE))
    if "position" in raw.columns:
        live = np.repeat(result.book.live, np.diff(prepared.groups.start))
        found += _position_findings(key, raw, live, job)
    return found


def _position_findings(key: Key, raw: RawSession, live: Flags, job: Job) -> list[dict[str, Any]]:
    position, interest = raw.columns["position"], raw.columns["open_interest"]
    known, open_ = np.isfinite(position), interest > 0.0
    cases = {
        "position_missing": (
            live & open_ & ~known,
            "rejected: carries open interest, the dealers' position is unknown",
        ),
        "position_without_open_interest": (
            live & known & (position != 0.0) & ~open_,
            "left out: the dealers have a position where open interest is zero or unknown",
        ),
        "position_exceeds_open_interest": (
            live & known & open_ & (np.abs(position) > interest * (1.0 + 1e-9)),
            "taken as given: the dealers' position is larger than open interest",
        ),
    }
    found = [
        finding_row(key, check, int(hit.sum()), float(np.nansum(interest[hit])), text)
        for check, (hit, text) in cases.items()
        if hit.any()
    ]
    unmatched = _unmatched(raw, known, job)
    if unmatched > 0:
        text = "positions of this session fit no contract of its chain"
        found.append(finding_row(key, "position_unmatched", unmatched, None, text))
    return found


def _unmatched(raw: RawSession, known: Flags, job: Job) -> int:
    if job.source is None or job.source.positions is None:
        return 0
    return job.source.positions.counts.get(raw.session, 0) - int(known.sum())
