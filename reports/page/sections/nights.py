"""The archive of nights as views: every night in a row, the regimes as a calendar, a sparkline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ..formats import is_defined, level, money, percent, signed
from . import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...nightly.nights import Night

__all__ = ["Day", "Month", "calendar_of", "is_known", "night_row", "sparkline_of"]

_WIDTH, _HEIGHT = 720.0, 120.0
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar; `letter` says the regime in print, empty where there is no night."""

    number: int
    tone: str = ""
    letter: str = ""
    said: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A month as weeks of seven days from Monday on; None outside it."""

    name: str
    weeks: tuple[tuple[Day | None, ...], ...]


def is_known(night: Night) -> bool:
    """Return whether a night says what was written, so that its numbers count."""
    return bool(night.facts["underlying"])


def night_row(night: Night) -> tuple[str, ...]:
    """Return a night's cells: session, regime, numbers, what must be known of it."""
    facts = night.facts
    state = "; ".join(facts.get("alerts", ()))
    if night.damaged:
        state = f"DAMAGED: {', '.join(night.damaged)}" + (f"; {state}" if state else "")
    return (
        night.session,
        words.regime(night.regime),
        money(facts["value"], sign=facts["currency"]),
        signed(facts["net_to_gross"], 3),
        level(facts["spot"]),
        level(facts["flip"]),
        percent(facts["flip_distance"], 2, sign=True),
        level(facts["put_wall"]),
        level(facts["call_wall"]),
        state or "as written",
        night.name.rpartition("-")[2],
    )


def calendar_of(nights: Sequence[Night]) -> tuple[Month, ...]:
    """Return the months with nights, the last first; of a session the newest night."""
    newest: dict[date, Night] = {}
    for night in filter(is_known, nights):
        newest.setdefault(date.fromisoformat(night.session), night)
    months = sorted({(d.year, d.month) for d in newest}, reverse=True)
    return tuple(_month(year, month, newest) for year, month in months)


def _month(year: int, month: int, nights: dict[date, Night]) -> Month:
    first = date(year, month, 1)
    day = first - timedelta(days=first.weekday())
    weeks = []
    while (day.year, day.month) <= (year, month):
        week = [day + timedelta(days=i) for i in range(_WEEK)]
        weeks.append(tuple(_day(d, nights.get(d)) if d.month == month else None for d in week))
        day += timedelta(days=_WEEK)
    return Month(f"{first:%Y-%m}", tuple(weeks))


def _day(day: date, night: Night | None) -> Day:
    if night is None:
        return Day(day.day)
    return Day(
        day.day,
        night.regime,
        night.regime[0].upper(),
        f"{night.session}: {words.regime(night.regime)}",
        f"{night.name}/report.html",
    )


def sparkline_of(nights: Sequence[Night]) -> dict[str, Any] | None:
    """Return net over gross by session as a line in a box; None for fewer than two values."""
    by_session: dict[str, float] = {}
    for night in nights:
        value = night.facts["net_to_gross"]
        if is_defined(value):
            by_session.setdefault(night.session, float(value))
    if len(by_session) < 2:
        return None
    values = [by_session[day] for day in sorted(by_session)]
    largest = max(abs(v) for v in values) or 1.0
    step = _WIDTH / (len(values) - 1)
    middle = _HEIGHT / 2.0
    points = " ".join(
        f"{i * step:.1f},{middle - v / largest * (middle - 4.0):.1f}" for i, v in enumerate(values)
    )
    said = (
        f"Net over gross of {len(values)} sessions, {min(by_session)} to {max(by_session)}: "
        f"last {signed(values[-1], 3)}, lowest {signed(min(values), 3)}, highest "
        f"{signed(max(values), 3)}."
    )
    return {"points": points, "width": _WIDTH, "height": _HEIGHT, "middle": middle, "said": said}
