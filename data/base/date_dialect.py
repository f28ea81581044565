"""One dialect of dates: texts and numbers of a whole column to days and moments.

A column is read as a whole: where its cells leave open what comes first, day, month or year, it is
refused with both readings, and never decided cell by cell. The same functions read the dates of
chains, bars, series, positions and rates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "AmbiguousDateError",
    "Order",
    "days_of",
    "is_blank",
    "moments_of",
    "zone_named",
]

Order = Literal["MDY", "DMY", "YMD"]
_Parts = tuple[int, int, int]

#: Years that a date of a market can be of.
_FIRST_YEAR, _LAST_YEAR = 1800, 2399
#: Excel counts days from here; a number of five digits is a day of 1954 to 2119.
_EXCEL: Final = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
_BLANKS: Final = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "n.a.", "null", "none", "nat", "-", "--", ".", "\\n")
)
_WORDS: Final = {"MDY": "month first", "DMY": "day first", "YMD": "year first"}
_FORMATS: Final = {"MDY": "%m/%d/%Y", "DMY": "%d/%m/%Y", "YMD": "%y/%m/%d"}

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero ene gennaio gen",
            "feb february februar fevrier fev febrero febbraio",
            "mar march marz maerz mrz mars marzo",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag",
            "jun june juni juin junio giugno giu",
            "jul july juli juillet julio luglio lug",
            "aug august aout agosto ago",
            "sep sept september septembre septiembre settembre set",
            "oct october oktober okt octobre octubre ottobre ott",
            "nov november novembre noviembre",
            "dec december dezember dez decembre diciembre dic dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
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

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_EAST_ASIAN: Final = re.compile(r"(\d{2,4})年(\d{1,2})月(\d{1,2})日")
_ROC: Final = re.compile(r"(\d{3})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?=[ T]\d)")
_THREE: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_DAY_NAMED: Final = re.compile(
    r"(?:[^\W\d_]{3,9}\.?,? +)?(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([^\W\d_]{3,9})\.?"
    r"[-/. ,']*(\d{4}|\d{2})(?!\d)"
)
_MONTH_NAMED: Final = re.compile(
    r"(?:[^\W\d_]{3,9}\.?,? +)?([^\W\d_]{3,9})\.?[-/ ]*(\d{1,2})(?:st|nd|rd|th)?"
    r"(?:, *|[-/ ]+)(\d{4}|\d{2}(?!:))(?!\d)"
)
_CLOCK: Final = re.compile(
    r"(?:,? +at +|,? *[T ] *|, *)?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r" *([AaPp])?(?:\.?[Mm]\.?)? *"
)
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$")
_DIGITS: Final = re.compile(r"\d+(?:\.0*)?")
_DECIMAL: Final = re.compile(r"\d{5}\.\d+")


class AmbiguousDateError(InputFileError):
    """Dates that can be read in more than one way; the message names the readings."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one text says, before the column has decided what its numbers mean.

    Attributes
    ----------
    dates : dict of Order to date
        The date under each order under which it is one; one entry where there is nothing to decide.
    clock : int or None
        Microseconds after midnight (24:00 is a day's worth), None where the text is a date alone.
    zone : tzinfo or None
        Stated zone.
    moment : int or None
        Microseconds since 1970, for numbers that count from a fixed moment.
    """

    dates: Mapping[Order, date]
    clock: int | None = None
    zone: tzinfo | None = None
    moment: int | None = None


def is_blank(text: str) -> bool:
    """Return whether a cell says that there is nothing."""
    return text.strip().casefold() in _BLANKS


def days_of(
    texts: Iterable[str],
    *,
    zone: str,
    given: str | None = None,
    order: Order | None = None,
    month_code: Callable[[str], date | None] | None = None,
) -> dict[str, date]:
    """Return the day that each text of a column means.

    Parameters
    ----------
    texts : iterable of str
        The distinct cells of the whole column.
    zone : str
        Of the exchange: a moment is the day there, unless all moments of the column are midnights
        in UTC, which mean the dates themselves.
    given : str, optional
        A ``strptime`` format that the user states. A column of which no cell fits it is read as
        ISO dates where all of it are.
    order : {"MDY", "DMY", "YMD"}, optional
        What the vendor's documentation says of dates that leave it open.
    month_code : callable, optional
        Dates codes of a month (``202401``, ``Mar-17``); None where it cannot.

    Returns
    -------
    dict of str to date
        Texts that cannot be read are absent.

    Raises
    ------
    AmbiguousDateError
        If the column can be read in two ways, or contradicts itself.
    """
    named = [text for text in texts if not is_blank(text)]
    if given is not None:
        stated = {t: d for t in named if (d := _by_format(t, given)) is not None}
        if stated or not all(_YEAR_FIRST.match(t.strip()) for t in named):
            return {text: moment.date() for text, moment in stated.items()}
    cells: dict[str, _Cell] = {}
    codes: dict[str, date] = {}
    for text in named:
        code = month_code(text) if month_code is not None else None
        cell = _cell(text)
        if code is not None and (cell is None or not _is_plain(text)):
            codes[text] = code
        elif cell is not None:
            cells[text] = cell
    chosen = _order(cells, order)
    place = zone_named(zone)
    exact = {
        t: m for t, c in cells.items() if (m := _moment(c, chosen, place, zoned=True)) is not None
    }
    at_midnight = all(moment % _DAY_US == 0 for moment in exact.values())
    found = dict(codes)
    for text, cell in cells.items():
        if text in exact:
            found[text] = _day(exact[text], UTC if at_midnight else place)
        elif cell.dates:
            found[text] = _dated(cell, chosen)
    return found


def moments_of(
    texts: Iterable[str],
    *,
    zone: str,
    given: str | None = None,
    order: Order | None = None,
) -> dict[str, int]:
    """Return the moment that each text of a column means, in microseconds since 1970, UTC.

    Parameters
    ----------
    texts, given, order
        As in `days_of`.
    zone : str
        Of stamps that state none. A wall time that a clock change skips there is absent; of one
        that it repeats, the later counts: nothing is known before it was.

    Raises
    ------
    AmbiguousDateError
        If the column can be read in two ways, or contradicts itself.
    """
    named = [text for text in texts if not is_blank(text)]
    place = zone_named(zone)
    if given is not None:
        stated = {t: d for t in named if (d := _by_format(t, given)) is not None}
        if stated or not all(_YEAR_FIRST.match(t.strip()) for t in named):
            return _placed(stated, place)
    cells = {text: cell for text in named if (cell := _cell(text)) is not None}
    chosen = _order(cells, order)
    found = {text: _moment(cell, chosen, place) for text, cell in cells.items()}
    return {text: moment for text, moment in found.items() if moment is not None}


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


def _is_plain(text: str) -> bool:
    """Return whether a text is a date whatever the codes of an exchange may be."""
    return not _DIGITS.fullmatch(text.strip())


def _by_format(text: str, given: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), given)  # noqa: DTZ007 - the zone is added later
    except ValueError:
        return None


def _placed(stated: Mapping[str, datetime], place: ZoneInfo) -> dict[str, int]:
    found = {}
    for text, local in stated.items():
        moment = _microseconds(local) if local.tzinfo is not None else _at_zone(local, place)
        if moment is not None:
            found[text] = moment
    return found


def _cell(text: str) -> _Cell | None:
    """Return what a text says, None where it is neither a date nor a moment."""
    text = " ".join(text.split()).replace("\u202f", " ")
    if _DIGITS.fullmatch(text):
        return _counted(text.partition(".")[0])
    if _DECIMAL.fullmatch(text):
        moment = _EXCEL + timedelta(days=float(text))
        rounded = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
        return _Cell({"YMD": rounded.date()}, _clock_of(rounded))
    for pattern, reader in _READERS:
        found = pattern.match(text)
        dates = reader(found) if found else None
        if found and dates:
            return _with_clock(dates, text[found.end() :])
    return None


def _counted(text: str) -> _Cell | None:
    """Return what a whole number says: a date in digits, or a count from a fixed moment."""
    length, value = len(text), int(text)
    if length in (10, 13, 16, 19):
        return _Cell({}, moment=value * 1_000_000 // 10 ** (length - 10))
    if length == 5 and 20_000 <= value <= 80_000:
        return _Cell({"YMD": (_EXCEL + timedelta(days=value)).date()})
    if length in (12, 14):
        day = _date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:] or 0)
        if day is None or hour > 24 or minute > 59 or second > 59:
            return None
        return _Cell({"YMD": day}, ((hour * 60 + minute) * 60 + second) * 1_000_000)
    if length == 8:
        first, middle, last = int(text[:4]), int(text[4:6]), int(text[6:])
        day = _date(first, middle, last)
        if day is not None:
            return _Cell({"YMD": day})
        return _or_none(_three(int(text[:2]), int(text[2:4]), int(text[4:]), 4))
    if length == 6:
        return _or_none(_three(int(text[:2]), int(text[2:4]), int(text[4:]), 2))
    return None


def _or_none(dates: dict[Order, date]) -> _Cell | None:
    return _Cell(dates) if dates else None


def _with_clock(dates: Mapping[Order, date], rest: str) -> _Cell | None:
    if not rest.strip():
        return _Cell(dates)
    found = _CLOCK.match(rest)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[5] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
        return None
    fraction = int((found[4] or "0").ljust(6, "0")[:6])
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    said = rest[found.end() :].strip()
    zone = _stated_zone(said) if said else None
    return None if said and zone is None else _Cell(dates, clock, zone)


@lru_cache(maxsize=256)
def _stated_zone(text: str) -> tzinfo | None:
    text = text.strip("()[] ")
    offset = _OFFSET.fullmatch(text)
    if offset:
        from datetime import timezone

        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 15 * 60 or int(offset[3] or 0) > 59:
            return None
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    word = re.sub(r"(?i) *(standard|daylight|summer)? *time$", "", text).casefold()
    try:
        return zone_named(_ZONES.get(word, text))
    except InputFileError:
        return None


def _year_first(found: re.Match[str]) -> dict[Order, date]:
    day = _date(int(found[1]), int(found[3]), int(found[4]))
    return {} if day is None else {"YMD": day}


def _packed(found: re.Match[str]) -> dict[Order, date]:
    day = _date(int(found[1]), int(found[2]), int(found[3]))
    return {} if day is None else {"YMD": day}


def _east_asian(found: re.Match[str]) -> dict[Order, date]:
    year = int(found[1])
    day = _date(year + 1911 if year < 1000 else year, int(found[2]), int(found[3]))
    return {} if day is None else {"YMD": day}


def _roc(found: re.Match[str]) -> dict[Order, date]:
    day = _date(int(found[1]) + 1911, int(found[3]), int(found[4]))
    return {} if day is None else {"YMD": day}


def _numbers(found: re.Match[str]) -> dict[Order, date]:
    dates = _three(int(found[1]), int(found[3]), int(found[4]), len(found[4]))
    if found[2] == "." and len(found[4]) == 4:
        # nobody puts points into dates that begin with the month
        dates.pop("MDY", None)
    return dates


def _day_named(found: re.Match[str]) -> dict[Order, date]:
    return _named(found[1], found[2], found[3])


def _month_named(found: re.Match[str]) -> dict[Order, date]:
    return _named(found[2], found[1], found[3])


def _named(day: str, month: str, year: str) -> dict[Order, date]:
    number = _month(month)
    found = None if number is None else _date(_year(int(year), len(year)), number, int(day))
    return {} if found is None else {"DMY": found}


#: In the order in which they are tried: what to look for, and what it means.
_READERS: Final = (
    (_YEAR_FIRST, _year_first),
    (_PACKED, _packed),
    (_EAST_ASIAN, _east_asian),
    (_ROC, _roc),
    (_THREE, _numbers),
    (_DAY_NAMED, _day_named),
    (_MONTH_NAMED, _month_named),
)


def _three(first: int, second: int, third: int, digits: int) -> dict[Order, date]:
    """Return the date of three numbers under each order under which they are one."""
    year = _year(third, digits)
    readings: dict[Order, date | None] = {
        "MDY": _date(year, first, second),
        "DMY": _date(year, second, first),
    }
    if digits == 2:
        readings["YMD"] = _date(_year(first, 2), second, third)
    return {order: day for order, day in readings.items() if day is not None}


def _month(name: str) -> int | None:
    word = name.casefold().translate(str.maketrans("äéûùôáíóúç", "aeuuoaiouc"))
    return _MONTHS.get(word)


def _year(value: int, digits: int) -> int:
    """Return a year; of two digits, those up to 68 are of this century."""
    return value if digits == 4 else value + (2000 if value <= 68 else 1900)


def _date(year: int, month: int, day: int) -> date | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _order(cells: Mapping[str, _Cell], stated: Order | None) -> Order | None:
    """Return the one order under which the whole column can be read, None if nothing is open.

    Cells of one reading decide for the others only where they are written the same way: an ISO
    date says nothing about the order of 05/06/2026.
    """
    numeric = {t: c for t, c in cells.items() if c.dates and _leaves_open(t)}
    if not numeric:
        return None
    orders: list[Order] = ["MDY", "DMY", "YMD"]
    fitting = [o for o in orders if all(o in c.dates for c in numeric.values())]
    if not fitting:
        first, second = _contradiction(numeric)
        raise AmbiguousDateError(
            f"{first!r} and {second!r} cannot both be read with day, month and year in one order: "
            "the column mixes two ways of writing dates; write them as YYYY-MM-DD"
        )
    if stated in fitting:
        return stated
    for text, cell in numeric.items():
        readings = {cell.dates[o]: o for o in fitting}
        if len(readings) > 1:
            said = [f"{day.isoformat()} ({_WORDS[o]})" for day, o in sorted(readings.items())]
            formats = [_pattern_of(text, o) for o in readings.values()]
            raise AmbiguousDateError(
                f"{text!r} can be read as {' or as '.join(said)}, and nothing else in the column "
                f"decides: state date_format, {' or '.join(repr(f) for f in formats)}, or write "
                "dates as YYYY-MM-DD"
            )
    return fitting[0]


def _leaves_open(text: str) -> bool:
    text = " ".join(text.split())
    digits = _DIGITS.fullmatch(text)
    if digits:
        whole = text.partition(".")[0]
        return len(whole) == 6 or (
            len(whole) == 8 and _date(int(whole[:4]), int(whole[4:6]), int(whole[6:])) is None
        )
    return _THREE.match(text) is not None and _YEAR_FIRST.match(text) is None


def _contradiction(numeric: Mapping[str, _Cell]) -> tuple[str, str]:
    """Return two cells that no order reads both, or the same twice."""
    texts = sorted(numeric, key=lambda text: len(numeric[text].dates))
    first = texts[0]
    for other in texts[1:]:
        if not set(numeric[first].dates) & set(numeric[other].dates):
            return first, other
    return first, texts[-1]


def _pattern_of(text: str, order: Order) -> str:
    found = _THREE.match(" ".join(text.split()))
    if found is None:
        return {"MDY": "%m%d%Y", "DMY": "%d%m%Y", "YMD": "%y%m%d"}[order]
    year = "%Y" if len(found[4]) == 4 else "%y"
    pattern = _FORMATS[order].replace("/", found[2])
    pattern = pattern if order == "YMD" else pattern.replace("%Y", year)
    return pattern + (" ..." if found.end() < len(text.strip()) else "")


def _dated(cell: _Cell, order: Order | None) -> date:
    if order is not None and order in cell.dates:
        return cell.dates[order]
    return next(iter(cell.dates.values()))


def _moment(
    cell: _Cell, order: Order | None, place: ZoneInfo, *, zoned: bool = False
) -> int | None:
    """Return a cell's moment; with `zoned` only where it needs no zone from elsewhere."""
    if cell.moment is not None:
        return cell.moment
    if not cell.dates or (zoned and cell.zone is None):
        return None
    day = _dated(cell, order)
    local = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the zone comes next
    local += timedelta(microseconds=cell.clock or 0)
    if cell.zone is not None and not isinstance(cell.zone, ZoneInfo):
        return _microseconds(local.replace(tzinfo=cell.zone))
    return _at_zone(local, place if cell.zone is None else cell.zone)


def _at_zone(local: datetime, place: ZoneInfo) -> int | None:
    """Return a wall time's moment: the later of two, None where clocks skip it."""
    moment = local.replace(tzinfo=place, fold=1)
    back = moment.astimezone(UTC).astimezone(place).replace(tzinfo=None)
    return _microseconds(moment) if back == local else None


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _clock_of(moment: datetime) -> int:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (moment - midnight) // timedelta(microseconds=1)


def _day(moment: int, place: tzinfo) -> date:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(place).date()
