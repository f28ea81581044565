"""Time zones by IANA name, and by the words and offsets that vendors write."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import InputFileError

__all__ = ["stated_zone", "zone_named"]

_ZONES: Final = {
    **dict.fromkeys(("z", "utc", "gmt", "ut"), "UTC"),
    **dict.fromkeys(("et", "est", "edt", "eastern"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt", "central"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("cet", "cest", "mez", "mesz"), "Europe/Berlin"),
    "bst": "Europe/London",
    "jst": "Asia/Tokyo",
    "ist": "Asia/Kolkata",
    "kst": "Asia/Seoul",
    "hkt": "Asia/Hong_Kong",
    "sgt": "Asia/Singapore",
    **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
}

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$")


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name or by a vendor's (``EST``, ``Eastern``, ``IST``).

    Raises
    ------
    InputFileError
        If there is no such zone.
    """
    try:
        return ZoneInfo(_ZONES.get(name.casefold(), name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputFileError(
            f"time zone {name!r} is unknown: use a name such as America/New_York or UTC"
        ) from error


@lru_cache(maxsize=256)
def stated_zone(text: str) -> tzinfo | None:
    """Return the zone that the end of a stamp states, as a name or an offset; None if unknown."""
    text = text.strip("()[] ")
    offset = _OFFSET.fullmatch(text)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 15 * 60 or int(offset[3] or 0) > 59:
            return None
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    word = re.sub(r"(?i) *(standard|daylight|summer)? *time$", "", text).casefold()
    try:
        return zone_named(_ZONES.get(word, text))
    except InputFileError:
        return None
