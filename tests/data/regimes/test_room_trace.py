"""Rows travel forward: a rebuild seldom comes back to a room that it left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from room_trace import Trace, one_session, traced_rebuild

#: Re-entries of a rebuild of one session when the rooms were flat modules, counted the same way.
FORMERLY = 81


def test_a_rebuild_of_one_session_re_enters_a_third_as_many_rooms(tmp_path: Path) -> None:
    found = traced_rebuild(one_session(tmp_path), tmp_path)
    calls = Counter((entry.caller, entry.room, entry.function) for entry in found.entries)
    assert 0 < found.reentered <= FORMERLY / 3, calls.most_common()
    # the arithmetic is entered once a stage: groups, books, verdicts, side tables
    assert sum(n for (_, room, _), n in calls.items() if room == "data/exposure") <= 8


def test_the_count_by_hand() -> None:
    from gexlab.data.base.plain import plain
    from gexlab.data.calendar.day_numbers import to_days

    def work() -> None:
        from datetime import date

        for _ in range(3):
            to_days(date(2024, 1, 2))  # calendar: entered three times, twice anew
        plain(1.0)  # base: once

    found = Trace().of(work)
    rooms = [entry.room for entry in found.entries]
    assert rooms == ["data/calendar"] * 3 + ["data/base"]
    assert found.reentered == 2
