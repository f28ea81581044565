"""One text of a date column: the dates it can mean, its clock and its zone.

Which of several dates is meant, the column decides (`date_dialect`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final, Literal

from .time_zones import stated_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DIGITS",
    "THREE_NUMBERS",
    "YEAR_FIRST",
    "DateCell",
    "Order",
    "date_cell",
    "is_blank",
    "leaves_order_open",
]

Order = Literal["MDY", "DMY", "YMD"]

#: Years that a date of a market can be of.
_FIRST_YEAR, _LAST_YEAR = 1800, 2399

#: Excel counts days from here; a number of five digits is a day of 1954 to 2119.
_EXCEL: Final = datetime(1899, 12, 30, tzinfo=UTC)

_BLANKS: Final = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "n.a.", "null", "none", "nat", "-", "--", ".", "\\n")
)

#: Slavic names are absent: listopad is October in Croatia and November in Poland.
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene gennaio gen janeiro januari janner ocak",
            "feb february februar fevrier fev fevr febrero febbraio fevereiro februari subat",
            "mar march marz maerz mrz mars marzo marco maart mrt mart",
            "apr april avril avr abril abr aprile nisan",
            "may mai mayo maggio mag maio mei maj mayis",
            "jun june juni juin junio giugno giu junho haziran",
            "jul july juli juillet juil julio luglio lug julho temmuz",
            "aug august aout agosto ago augustus augusti agustos",
            "sep sept september septembre septiembre settembre set setembro eylul",
            "oct october oktober okt octobre octubre ottobre ott outubro out ekim",
            "nov november novembre noviembre novembro kasim",
            "dec december dezember dez decembre diciembre dic dicembre dezembro desember aralik",
        ),
        start=1,
    )
    for name in names.split()
}

YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")

_EAST_ASIAN: Final = re.compile(r"(\d{2,4})年(\d{1,2})月(\d{1,2})日")

_ROC: Final = re.compile(r"(\d{3})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")

_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?=[ T]\d)")

THREE_NUMBERS: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")

_DAY_NAMED: Final = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,? +)?(\d{1,2})(?:st|nd|rd|th|er)?[-/. ]*(?:de +)?([^\W\d_]{3,10})\.?"
    r"(?: +de +|[-/. ,']*)(\d{4}|\d{2})(?!\d)"
)

_MONTH_NAMED: Final = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,? +)?([^\W\d_]{3,10})\.?[-/ ]*(\d{1,2})(?:st|nd|rd|th)?"
    r"(?:, *|[-/ ]+)(\d{4}|\d{2}(?!:))(?!\d)"
)

_CLOCK: Final = re.compile(
    r"(?:,? +at +|,? *[T ] *|, *)?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r" *([AaPp])?(?:\.?[Mm]\.?)? *"
)

DIGITS: Final = re.compile(r"\d+(?:\.0*)?")

#: A count or a packed date, and a time of day from another column.
_DIGITS_CLOCK: Final = re.compile(r"(\d{5,19})(?:\.0*)?(?= \d{1,2}:)")

_DECIMAL: Final = re.compile(r"\d{5}\.\d+")


@dataclass(frozen=True, slots=True)
class DateCell:
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


def _western(text: str) -> str:
    """Return a text with its spaces, digits and marks as Latin scripts write them."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


def date_cell(text: str) -> DateCell | None:
    """Return what a text says, None where it is neither a date nor a moment."""
    text = _western(text)
    if DIGITS.fullmatch(text):
        return _counted(text.partition(".")[0])
    if _DECIMAL.fullmatch(text):
        moment = _EXCEL + timedelta(days=float(text))
        rounded = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
        return DateCell({"YMD": rounded.date()}, _clock_of(rounded))
    counted = _DIGITS_CLOCK.match(text)
    if counted:
        day = _whole_day(counted[1])
        return None if day is None else _with_clock(day, text[counted.end() :])
    for pattern, reader in _READERS:
        found = pattern.match(text)
        dates = reader(found) if found else None
        if found and dates:
            return _with_clock(dates, text[found.end() :])
    return None


def _counted(text: str) -> DateCell | None:
    """Return what a whole number says: a date in digits, or a count from a fixed moment."""
    length, value = len(text), int(text)
    if length in (10, 13, 16, 19):
        return DateCell({}, moment=value * 1_000_000 // 10 ** (length - 10))
    if length == 5 and 20_000 <= value <= 80_000:
        return DateCell({"YMD": (_EXCEL + timedelta(days=value)).date()})
    if length in (12, 14):
        day = _date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:] or 0)
        if day is None or hour > 24 or minute > 59 or second > 59:
            return None
        return DateCell({"YMD": day}, ((hour * 60 + minute) * 60 + second) * 1_000_000)
    if length == 8:
        first, middle, last = int(text[:4]), int(text[4:6]), int(text[6:])
        day = _date(first, middle, last)
        if day is not None:
            return DateCell({"YMD": day})
        return _or_none(_three(int(text[:2]), int(text[2:4]), int(text[4:]), 4))
    if length == 6:
        return _or_none(_three(int(text[:2]), int(text[2:4]), int(text[4:]), 2))
    return None


def _whole_day(digits: str) -> Mapping[Order, date] | None:
    """Return the dates that digits can mean; None where they mean a moment within a day."""
    cell = _counted(digits)
    if cell is None or cell.clock is not None:
        return None
    if cell.moment is None:
        return cell.dates
    days, rest = divmod(cell.moment, 86_400_000_000)
    return None if rest else {"YMD": date(1970, 1, 1) + timedelta(days=days)}


def _or_none(dates: dict[Order, date]) -> DateCell | None:
    return DateCell(dates) if dates else None


def _with_clock(dates: Mapping[Order, date], rest: str) -> DateCell | None:
    if not rest.strip():
        return DateCell(dates)
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
    zone = stated_zone(said) if said else None
    return None if said and zone is None else DateCell(dates, clock, zone)


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
    (YEAR_FIRST, _year_first),
    (_PACKED, _packed),
    (_EAST_ASIAN, _east_asian),
    (_ROC, _roc),
    (THREE_NUMBERS, _numbers),
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
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i"))
    return _MONTHS.get("".join(letter for letter in plain if not unicodedata.combining(letter)))


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


def leaves_order_open(text: str) -> bool:
    """Return whether a text is three numbers whose order only the column can decide."""
    text = _western(text)
    digits = DIGITS.fullmatch(text) or _DIGITS_CLOCK.match(text)
    if digits:
        text = digits[0]
        whole = text.partition(".")[0]
        return len(whole) == 6 or (
            len(whole) == 8 and _date(int(whole[:4]), int(whole[4:6]), int(whole[6:])) is None
        )
    return THREE_NUMBERS.match(text) is not None and YEAR_FIRST.match(text) is None


def _clock_of(moment: datetime) -> int:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (moment - midnight) // timedelta(microseconds=1)
