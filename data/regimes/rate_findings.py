"""What a rebuild notices about the rates of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .job import Job
    from .regime_columns import Key

__all__ = ["rate_findings"]

#: Calendar days: more than any run of holidays.
_OLDEST: Final = 10


def rate_findings(key: Key, known_us: int, job: Job) -> list[dict[str, Any]]:
    """Return ``rates_outdated`` for each curve that ended long before the session.

    Parameters
    ----------
    key : Key
    known_us : int
        Moment from which the session's chain was public, microseconds since 1970, UTC.
    job : Job

    Returns
    -------
    list of dict
        Rows of the table ``quality_findings``; they change no label.
    """
    found = []
    for curve in (job.rate, job.dividend):
        if curve is None:
            continue
        used = curve.as_of(key.session, known_us).session
        age = (key.session - used).days
        if age > _OLDEST:
            detail = f"{curve.name}: the latest rates are of {used}, {age} days before"
            found.append(_outdated(key, detail))
    return found


def _outdated(key: Key, detail: str) -> dict[str, Any]:
    return {
        "underlying": key.underlying,
        "session": key.session,
        "book": key.book,
        "dealer_model": key.dealer_model,
        "definition_id": key.definition_id,
        "check": "rates_outdated",
        "severity": "warning",
        "count": 1,
        "open_interest": None,
        "detail": detail,
    }
