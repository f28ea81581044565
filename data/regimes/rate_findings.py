"""What a rebuild notices about the rates of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .findings import finding_row

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
            found.append(finding_row(key, "rates_outdated", 1, None, detail))
    return found
