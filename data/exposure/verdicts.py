"""What the numbers of a session's books mean: gate, regime, status of the flip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base.schema import Book as BookName
from ..base.schema import Regime
from .evaluation import BookResult
from .flips import FlipStatus
from .labels import regime_of
from .quality_gate import Likeness

__all__ = ["Verdict", "verdicts"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one book of one session is called.

    Attributes
    ----------
    regime : {"long", "short", "neutral", "abstain"}
    flip_status : {"ok", "multiple", "none_long", "none_short", "degraded"} or None
        None where the book has no sign at all.
    measured : dict of str to str
        Reason why the quality gate refuses a label to what was measured, in words; empty where it
        does not.
    """

    regime: Regime
    flip_status: FlipStatus | None
    measured: Mapping[str, str]


def verdicts(
    results: Mapping[BookName, BookResult],
    likeness: Likeness,
    *,
    known_before_quotes: bool,
    repeated: int,
    unit: str,
    band: float,
) -> dict[BookName, Verdict]:
    """Return the verdict on each book of a session.

    Parameters
    ----------
    results : mapping of book to BookResult
    likeness : Likeness
        To the lake's previous session.
    known_before_quotes : bool
        Whether some row claims to have been public before its own quotes.
    repeated : int
        Rows that repeat a contract with other values.
    unit : str
        Which unit the rows contradict, in words; empty where none.
    band : float
        Regimes of a smaller abs(net/gross) are neutral.
    """
    found: dict[BookName, Verdict] = {}
    copied = likeness.is_copy
    for name, result in results.items():
        reasons = result.reasons(
            known_before_quotes=known_before_quotes,
            copied=copied,
            contradicting_duplicates=repeated > 0,
            unit_contradicted=bool(unit),
        )
        degraded, measured = bool(reasons), {}
        if degraded:
            said = _measured(result, likeness, repeated, unit)
            measured = {reason: said[reason] for reason in reasons}
        regime = regime_of(result.net_to_gross, band, degraded=degraded)
        found[name] = Verdict(regime, result.status(degraded=degraded), measured)
    return found


def _measured(result: BookResult, likeness: Likeness, repeated: int, unit: str) -> dict[str, str]:
    """Return what was measured, in words, for every reason that there may be."""
    return {
        "known_before_quotes": "a row's known_at precedes its quote_ts",
        "copy_of_previous_session": likeness.words,
        "open_interest_rejected": f"{result.oi_rejected_share:.2%} of open interest rejected",
        "empty_book": "no contract carries gamma",
        "contradicting_duplicates": (
            f"{repeated} rows repeat a contract with other open interest, volatility or quotes"
        ),
        "unit_contradicted": unit,
    }
