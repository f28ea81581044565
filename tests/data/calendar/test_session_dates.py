"""Dates of listed expirations and of the next session, against the calendar itself."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from gexlab.data.base.errors import CalendarError
from gexlab.data.calendar import session_dates
from gexlab.data.calendar.day_numbers import to_days
from gexlab.data.calendar.session_dates import CalendarFacts
from gexlab.data.calendar.trading import trading_calendar

FIRST = date(2001, 8, 1)
DAYS = [FIRST + timedelta(days=i) for i in range(0, 9_000, 3)]


@pytest.mark.parametrize("name", ["XNYS", "XBOM", "XTAI", "24/7"])
def test_expirations_are_those_of_the_calendar(name: str) -> None:
    calendar = trading_calendar(name)
    days = [day for day in DAYS if day >= calendar.sessions[0].item()]
    facts = CalendarFacts(calendar)
    listed = np.array([to_days(day) for day in days], np.int32)
    for _ in range(2):  # looked up, and remembered
        dies, monthly = facts.expirations(listed)
        assert dies.dtype == np.int32
        assert dies.tolist() == [to_days(calendar.last_session_at_or_before(d)) for d in days]
        assert monthly.tolist() == [calendar.is_monthly(d) for d in days]


@pytest.mark.parametrize("name", ["XNYS", "24/7"])
def test_the_session_after_is_that_of_the_calendar(name: str) -> None:
    calendar, facts = trading_calendar(name), CalendarFacts(trading_calendar(name))
    for session in [day for day in DAYS if calendar.is_session(day)]:
        after = calendar.shift(session, 1)
        opens = round(calendar.open_of(after).timestamp() * 1e6)
        assert facts.following(session) == (to_days(after), opens)


def test_what_the_calendar_does_not_know_is_said() -> None:
    calendar = trading_calendar()
    facts = CalendarFacts(calendar)
    last = calendar.sessions[-1].item()
    inside, beyond = to_days(last), to_days(last) + 1
    for days in ([inside, beyond], [to_days(calendar.sessions[0].item()) - 1]):
        with pytest.raises(CalendarError, match="lies outside the calendar XNYS"):
            facts.expirations(np.array(days, np.int32))
    with pytest.raises(CalendarError, match=r"\+1 sessions from .* lies outside"):
        facts.following(last)
    with pytest.raises(CalendarError, match="is not a session"):
        facts.following(date(2020, 7, 4))
    assert facts.expirations(np.zeros(0, np.int32))[0].size == 0


def test_few_lists_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_dates, "_MOST_LISTS", 3)
    facts = CalendarFacts(trading_calendar())
    for i in range(20):
        facts.expirations(np.arange(15_000, 15_000 + i, dtype=np.int32))
        assert len(facts._together) <= 3
