"""One dialect of dates: texts and numbers of a whole column to days and moments.

A column is read as a whole: where its cells leave open what comes first, day, month or year, it is
refused with both readings, and never decided cell by cell. The same functions read the dates of
chains, bars, series, positions and rates.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from .date_cells import (
    DIGITS,
    THREE_NUMBERS,
    YEAR_FIRST,
    DateCell,
    Order,
    date_cell,
    is_blank,
    leaves_order_open,
)
from .errors import InputFileError
from .time_zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["AmbiguousDateError", "days_of", "moments_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
_WORDS: Final = {"MDY": "month first", "DMY": "day first", "YMD": "year first"}
_FORMATS: Final = {"MDY": "%m/%d/%Y", "DMY": "%d/%m/%Y", "YMD": "%y/%m/%d"}


class AmbiguousDateError(InputFileError):
    """Dates that can be read in more than one way; the message names the readings."""


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
        in UTC, or as they are written (``2024-01-12T00:00:00+01:00``): these mean the dates
        themselves.
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
        if stated or not all(YEAR_FIRST.match(t.strip()) for t in named):
            return {text: moment.date() for text, moment in stated.items()}
    cells: dict[str, DateCell] = {}
    codes: dict[str, date] = {}
    for text in named:
        code = month_code(text) if month_code is not None else None
        cell = date_cell(text)
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
    written = all(cells[t].zone is not None and not cells[t].clock for t in exact)
    found = dict(codes)
    for text, cell in cells.items():
        if text in exact and (at_midnight or not written):
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
        if stated or not all(YEAR_FIRST.match(t.strip()) for t in named):
            return _placed(stated, place)
    cells = {text: cell for text in named if (cell := date_cell(text)) is not None}
    chosen = _order(cells, order)
    found = {text: _moment(cell, chosen, place) for text, cell in cells.items()}
    return {text: moment for text, moment in found.items() if moment is not None}


def _is_plain(text: str) -> bool:
    """Return whether a text is a date whatever the codes of an exchange may be."""
    return not DIGITS.fullmatch(text.strip())


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


def _order(cells: Mapping[str, DateCell], stated: Order | None) -> Order | None:
    """Return the one order under which the whole column can be read, None if nothing is open.

    Cells of one reading decide for the others only where they are written the same way: an ISO
    date says nothing about the order of 05/06/2026.
    """
    numeric = {t: c for t, c in cells.items() if c.dates and leaves_order_open(t)}
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


def _contradiction(numeric: Mapping[str, DateCell]) -> tuple[str, str]:
    """Return two cells that no order reads both, or the same twice."""
    texts = sorted(numeric, key=lambda text: len(numeric[text].dates))
    first = texts[0]
    for other in texts[1:]:
        if not set(numeric[first].dates) & set(numeric[other].dates):
            return first, other
    return first, texts[-1]


def _pattern_of(text: str, order: Order) -> str:
    found = THREE_NUMBERS.match(" ".join(text.split()))
    if found is None:
        return {"MDY": "%m%d%Y", "DMY": "%d%m%Y", "YMD": "%y%m%d"}[order]
    year = "%Y" if len(found[4]) == 4 else "%y"
    pattern = _FORMATS[order].replace("/", found[2])
    pattern = pattern if order == "YMD" else pattern.replace("%Y", year)
    return pattern + (" ..." if found.end() < len(text.strip()) else "")


def _dated(cell: DateCell, order: Order | None) -> date:
    if order is not None and order in cell.dates:
        return cell.dates[order]
    return next(iter(cell.dates.values()))


def _moment(
    cell: DateCell, order: Order | None, place: ZoneInfo, *, zoned: bool = False
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


def _day(moment: int, place: tzinfo) -> date:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(place).date()
