"""Monthly expirations, sessions a year and currency of markets, from the exchanges' own rules."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from gexlab.data.base.errors import CalendarError, ConfigError
from gexlab.data.calendar.market_facts import market_facts
from gexlab.data.calendar.monthly_rules import monthly_rule
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.calendar_tables import calendar_tables
from gexlab.data.vendors.vendor_preset import Timing

#: Calendar, month, the session on which its standard contracts expired or will.
EXPIRATIONS = [
    ("XNYS", (2022, 4), "2022-04-14"),  # Good Friday
    ("XNYS", (2026, 6), "2026-06-18"),  # Juneteenth
    ("XEUR", (2026, 6), "2026-06-19"),  # no holiday in Frankfurt
    ("XEUR", (2022, 4), "2022-04-14"),
    ("24/7", (2026, 3), "2026-03-27"),  # Deribit's BTC-27MAR26
    ("24/7", (2024, 6), "2024-06-28"),
    ("XBOM", (2025, 3), "2025-03-27"),
    ("XBOM", (2025, 8), "2025-08-28"),  # the last Thursday
    ("XBOM", (2025, 9), "2025-09-30"),  # the first Tuesday expiration
    ("XBOM", (2023, 3), "2023-03-29"),  # Ram Navami on Thursday the 30th: the previous session
    ("XTAI", (2024, 1), "2024-01-17"),
    ("XTAI", (2024, 2), "2024-02-21"),
    ("XTAI", (2015, 2), "2015-02-24"),  # lunar new year: the session after
]


@pytest.mark.parametrize(("name", "month", "expected"), EXPIRATIONS)
def test_the_session_of_a_monthly_expiration(
    name: str, month: tuple[int, int], expected: str
) -> None:
    calendar = trading_calendar(name)
    assert calendar.monthly_expiration(*month) == date.fromisoformat(expected)
    assert calendar.is_monthly(date.fromisoformat(expected))


@pytest.mark.parametrize(
    ("name", "listed", "monthly"),
    [
        ("XNYS", "2014-01-18", True),  # a Saturday listing of the 17th
        ("XNYS", "2022-04-15", True),  # listed on the holiday itself
        ("XNYS", "2022-04-22", False),
        ("24/7", "2026-03-28", False),  # a Saturday's daily, not BTC's monthly
        ("24/7", "2026-03-20", False),  # a third Friday is an ordinary weekly there
        ("XBOM", "2026-01-29", False),  # a Thursday after September 2025
        ("XBOM", "2026-01-27", True),
        ("XTAI", "2024-01-19", False),
    ],
)
def test_listed_expirations(name: str, listed: str, monthly: bool) -> None:
    assert trading_calendar(name).is_monthly(date.fromisoformat(listed)) is monthly


@pytest.mark.parametrize("name", ["XNYS", "24/7", "XBOM", "XTAI", "XEUR"])
def test_the_ingest_knows_the_same_expirations(name: str) -> None:
    """The table that SQL joins and the function that exposures ask agree on every day."""
    calendar = trading_calendar(name)
    table = calendar_tables(Timing(calendar=name)).expiries
    days = table["expiry"].to_numpy().astype("datetime64[D]")
    inside = (days >= np.datetime64("2014-01-01")) & (days < np.datetime64("2026-06-01"))
    told = table["is_monthly"].to_numpy(zero_copy_only=False)[inside]
    asked = [calendar.is_monthly(day) for day in days[inside].tolist()]
    assert told.tolist() == asked


@pytest.mark.parametrize(
    ("name", "year", "sign"),
    [("XNYS", 252, "$"), ("NYSE", 252, "$"), ("24/7", 365, "$"), ("XBOM", 252, "₹"),
     ("XTAI", 252, "NT$"), ("XLON", 252, "£"), ("XEUR", 252, "€"), ("24/5", 252, "")],
)  # fmt: skip
def test_facts(name: str, year: int, sign: str) -> None:
    facts = market_facts(name)
    assert (facts.sessions_per_year, facts.sign) == (year, sign)


def test_a_map_may_name_another_rule_and_currency() -> None:
    facts = market_facts("XNYS", monthly="last_thursday", currency="eur")
    assert facts.monthly.day(2026, 1) == date(2026, 1, 29)
    assert facts.currency == "EUR"
    table = calendar_tables(Timing(monthly="last_thursday")).expiries
    row = table["expiry"].to_pylist().index(date(2026, 1, 29))
    assert table["is_monthly"][row].as_py() is True


@pytest.mark.parametrize("name", ["fifth_friday", "third friday", "third_friday_or_before", ""])
def test_unknown_rules_are_refused(name: str) -> None:
    with pytest.raises(CalendarError, match="monthly rule"):
        monthly_rule(name)


def test_a_map_is_checked(tmp_path: object) -> None:
    from pathlib import Path

    from gexlab.data.vendors.column_map import read_mapping

    path = Path(str(tmp_path)) / "map.toml"
    path.write_text('[timing]\nmonthly = "fifth_friday"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="fifth_friday"):
        read_mapping(path)
    path.write_text('[timing]\ncurrency = "rupees"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="rupees"):
        read_mapping(path)
