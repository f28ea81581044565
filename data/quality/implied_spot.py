"""One wording for spots that no file states and put-call parity implies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from .finding import Finding

if TYPE_CHECKING:
    from ..lake.manifest import Manifest

__all__ = ["SPOT_DETAIL", "SPOT_IMPLIED", "implied_spot_findings", "implied_spot_sentence"]

#: Name of the finding.
SPOT_IMPLIED: Final = "spot_implied"
#: What is said of each such session.
SPOT_DETAIL: Final = (
    "no file states the spot: it is the forward that put-call parity implies for the nearest "
    "expiry, undiscounted"
)


def implied_spot_sentence(implied: int, sessions: int) -> str:
    """Return the sentence that every summary says of implied spots.

    Parameters
    ----------
    implied, sessions : int
        Sessions with such rows, and all.

    Returns
    -------
    str

    Examples
    --------
    >>> implied_spot_sentence(2, 20)
    'spot of 2 of 20 sessions implied by put-call parity: their files state none'
    """
    unit = "session" if sessions == 1 else "sessions"
    theirs = "its files state none" if implied == 1 else "their files state none"
    return f"spot of {implied} of {sessions} {unit} implied by put-call parity: {theirs}"


def implied_spot_findings(manifest: Manifest) -> list[Finding]:
    """Return a finding for each session whose spot put-call parity implies."""
    return [
        Finding(session, SPOT_IMPLIED, "info", 1, math.nan, SPOT_DETAIL)
        for session in manifest.implied_spots
    ]
