"""A calendar that was kept is the one that would be made; anything else is made anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from gexlab.data.calendar import kept_schedules, trading
from gexlab.data.calendar.trading import TradingCalendar

#: XNYS in a week with Independence Day and the early close before it (exchange's announcement).
_WEEK = ("2024-07-01", "2024-07-05")
_CLOSES = [
    datetime(2024, 7, 1, 20, tzinfo=UTC),
    datetime(2024, 7, 2, 20, tzinfo=UTC),
    datetime(2024, 7, 3, 17, tzinfo=UTC),
    datetime(2024, 7, 5, 20, tzinfo=UTC),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept_schedules, "_folder", lambda: tmp_path)
    return tmp_path


def _calendar(name: str = "XNYS") -> TradingCalendar:
    return trading.trading_calendar.__wrapped__(name, *_WEEK)


def _closes(calendar: TradingCalendar) -> list[datetime]:
    return [calendar.close_of(day.item()) for day in calendar.sessions]


def _made_anew() -> bool:
    """Return whether the calendar is made although one is kept."""
    with mock.patch.object(trading, "_made", wraps=trading._made) as made:
        assert _closes(_calendar()) == _CLOSES
    return bool(made.called)


def test_a_kept_calendar_is_the_one_that_was_made(folder: Path) -> None:
    made = _calendar()
    assert _closes(made) == _CLOSES
    with mock.patch.object(trading, "_made", side_effect=AssertionError):
        kept = _calendar()
    assert (kept.name, kept.timezone) == (made.name, made.timezone) == ("XNYS", "America/New_York")
    for one, other in ((kept.sessions, made.sessions), (kept.closes, made.closes)):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    corrected = _calendar("XNYS+20240706~20240701")  # another name is another calendar
    assert [str(day) for day in corrected.sessions] == [
        "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-06",
    ]  # fmt: skip
    assert len(list(folder.iterdir())) == 2


def test_damage_and_other_code_are_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _calendar()
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for place in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        file.write_bytes(bytes(damaged))
        assert kept_schedules.kept("XNYS 2024-07-01 2024-07-05") is None
    file.write_bytes(whole[:-8])
    assert _made_anew()
    assert not _made_anew()
    for changed in ("_sources", "_rules"):  # another version, another rule of the clock
        with monkeypatch.context() as patch:
            patch.setattr(kept_schedules, changed, lambda *_: "of another time")
            assert _made_anew()
        assert _made_anew()


def test_a_registered_calendar_is_never_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from exchange_calendars import calendar_utils

    _calendar()
    other = calendar_utils._default_calendar_factories["XLON"]
    known = calendar_utils.global_calendar_dispatcher
    monkeypatch.setattr(known, "_calendar_factories", known._calendar_factories | {"XNYS": other})
    monkeypatch.setattr(known, "_calendars", {})
    monkeypatch.setattr(known, "_factory_output_cache", {})
    assert len(_calendar().sessions) == 5  # London is open on the fourth of July
    assert len(list(folder.iterdir())) == 1
    monkeypatch.undo()
    monkeypatch.setattr(kept_schedules, "_folder", lambda: folder)
    assert _closes(_calendar()) == _CLOSES


def test_where_nothing_can_be_kept_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_schedules, "_folder", lambda: None)
    assert _made_anew()
    monkeypatch.setattr(kept_schedules, "_folder", lambda: Path("/proc/nowhere"))
    assert _made_anew()
