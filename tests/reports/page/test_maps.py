"""Maps of a session: every cell by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from gexlab.reports.page.sections.expiries import expiry_section
from gexlab.reports.page.sections.maps import heat_figure, what_if_section
from gexlab.reports.session.morning import Morning
from gexlab.reports.session.picture import SessionPicture

FIRST, SECOND = pd.Timestamp("2026-01-05"), pd.Timestamp("2026-01-16")


@pytest.fixture
def picture(morning: Morning) -> SessionPicture:
    """Return a book of two expiries near spot and a strike far away."""
    assert morning.picture is not None
    lines = pd.DataFrame(
        {
            "expiry": [FIRST, FIRST, SECOND, SECOND],
            "settlement": ["PM", "PM", "AM", "AM"],
            "strike": [5800.0, 6000.0, 6000.0, 9000.0],
            "net_gex": [-2e8, 3e8, 9e8, 7e8],
            "gross_gex": [4e8, 3e8, 9e8, 7e8],
        }
    )
    expiries = pd.DataFrame(
        {
            "expiry": [FIRST, SECOND],
            "settlement": ["PM", "AM"],
            "forward": 5900.0,
            "forward_source": "parity",
            "net_gex": [1e8, 1.6e9],
            "gross_gex": [7e8, 1.6e9],
            "open_interest": [40.0, 90.0],
            "contracts_used": [4, 3],
            "contracts_rejected": [0, 1],
        }
    )
    row = {**morning.picture.row, "spot": 5900.0}
    return replace(morning.picture, lines=lines, expiries=expiries, row=row)


def test_strike_by_expiry_by_hand(picture: SessionPicture) -> None:
    made = heat_figure(picture)
    (trace,) = made.spec["data"]
    assert trace["x"] == ["2026-01-05 PM", "2026-01-16 AM"]
    assert trace["y"] == [5800.0, 6000.0]  # 9,000 is farther than 10 % from spot
    assert trace["z"] == [[-200.0, None], [300.0, 900.0]]
    assert (trace["zmin"], trace["zmax"]) == (-900.0, 900.0)
    assert made.title == "Most at 6,000.0 of 2026-01-16 AM: $900.00 mm."


def test_spans_and_expiries_by_hand(picture: SessionPicture) -> None:
    section = expiry_section(picture)
    spans, expiries = (made.spec["data"] for made in section.figures)
    held = {trace["name"]: dict(zip(trace["x"], trace["y"], strict=True)) for trace in spans}
    assert held["next expiry"] == {5800.0: -200.0, 6000.0: 300.0, 9000.0: 0.0}
    assert held["within 31 days"][6000.0] == 900.0
    net = {trace["name"]: trace["y"] for trace in expiries}
    assert net["gross"] == [0.7, 1.6]
    assert net["net, long"] == [0.1, 1.6]
    (table,) = section.tables
    assert table.rows[1].cells[4:8] == ("$1.60 bn", "$1.60 bn", "69.6 %", "90")


def test_moves_by_sessions_by_hand() -> None:
    places = [(k, move) for k in (0, 5) for move in (-0.02, 0.0, 0.02)]
    found = pd.DataFrame(
        {
            "spot_move": [move for _, move in places],
            "spot": [100.0 * (1 + move) for _, move in places],
            "sessions_ahead": [k for k, _ in places],
            "moment": pd.Timestamp("2026-01-05 14:30", tz="UTC"),
            "volatility_shift": 0.0,
            "net_gex": [-1e9, 2e9, 3e9, 1e9, 1e9, float("nan")],
            "gross_gex": 5e9,
            "net_to_gross": 0.2,
            "flip": float("nan"),
            "flow_dollars": -4e8,
            "unwind_dollars": 0.0,
        }
    )
    section = what_if_section(found, "$")
    (trace,) = section.figures[0].spec["data"]
    assert (trace["x"], trace["y"]) == (["now", "+5"], ["\u22122 %", "0 %", "+2 %"])
    assert trace["z"] == [[-1.0, 1.0], [2.0, 1.0], [3.0, None]]
    assert section.figures[0].title.startswith("A move of \u22122 % turns the sign")
    assert section.tables[0].rows[0].cells[-2] == "\u2212$400.00 mm"
