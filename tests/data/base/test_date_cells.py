"""Dates as columns write them: each text has the dates that a person would read in it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gexlab.data.base.date_cells import date_cell
from gexlab.data.base.date_dialect import moments_of

DAY, OTHER = date(2026, 1, 5), date(2026, 5, 1)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("20260105", {"YMD": DAY}),
        ("20260105 16:00", {"YMD": DAY}),
        ("2026-01-05", {"YMD": DAY}),
        ("115/01/05", {"YMD": DAY}),  # Taiwan counts from 1911
        ("1/5/2026", {"MDY": DAY, "DMY": OTHER}),
        ("5.1.2026", {"DMY": DAY}),  # points stand in dates that begin with the day
        ("5.1.26", {"MDY": OTHER, "DMY": DAY, "YMD": date(2005, 1, 26)}),  # of two digits: open
        ("5 Jan 2026", {"DMY": DAY}),
    ],
)
def test_a_text_is_the_dates_that_it_can_mean(text: str, dates: dict[str, date]) -> None:
    cell = date_cell(text)
    assert cell is not None
    assert dict(cell.dates) == dates


def test_a_stated_format_decides_and_what_it_does_not_fit_is_absent() -> None:
    found = moments_of(["05/01/2026 16:00", "no date"], zone="UTC", given="%d/%m/%Y %H:%M")
    moment = datetime(2026, 1, 5, 16, tzinfo=UTC)
    assert found == {"05/01/2026 16:00": round(moment.timestamp() * 1e6)}
    # dates that begin with the year are themselves where none fits
    plain = moments_of(["2026-01-05 16:00"], zone="UTC", given="%d/%m/%Y %H:%M")
    assert list(plain.values()) == list(found.values())
