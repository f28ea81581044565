"""Moments of wall clocks on sessions, across changes of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["moments_of"]

_MINUTE: Final = timedelta(minutes=1)


def moments_of(
    sessions: npt.NDArray[np.datetime64], clock: str, zone: str
) -> npt.NDArray[np.datetime64]:
    """Return the moment of a wall clock on sessions.

    Parameters
    ----------
    sessions : ndarray of datetime64[D], shape (n,)
    clock : str
        ``HH:MM``. A time that a clock change skips moves on; one that it repeats means the later.
    zone : str
        IANA zone of the clock.

    Returns
    -------
    ndarray of datetime64[ns], shape (n,)
        UTC.

    Examples
    --------
    On the second day clocks are put forward at 02:00.

    >>> days = np.array(["2024-03-08", "2024-03-10"], "datetime64[D]")
    >>> moments_of(days, "02:30", "America/New_York").astype("datetime64[m]").tolist()
    [datetime.datetime(2024, 3, 8, 7, 30), datetime.datetime(2024, 3, 10, 7, 0)]
    """
    hours, minutes = clock.split(":")
    here = ZoneInfo(zone)
    wall = sessions.astype("datetime64[s]") + np.timedelta64(60 * int(hours) + int(minutes), "m")
    found = [_in_utc(moment, here) for moment in wall.tolist()]
    return np.array(found, "datetime64[us]").astype("datetime64[ns]")


def _in_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a wall clock, see `moments_of`."""
    first, later = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert later is not None
    # a skipped time has the smaller offset first, a repeated one the larger
    return wall - later if first >= later else _in_utc(wall + _MINUTE, zone)
