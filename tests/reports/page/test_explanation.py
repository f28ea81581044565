"""Tables of the explanation of a session, from a picture drawn by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from gexlab.reports.page.sections.explanation import definitions_table, disagreement, roots_table
from gexlab.reports.page.sections.profile import strike_range
from gexlab.reports.session.picture import SessionPicture


def _picture(nets: list[float], net: float, **changes: Any) -> SessionPicture:
    definitions = pd.DataFrame(
        {
            "iv_source": "otm",
            "book": "post_expiry",
            "floor_minutes": [30.0 if i % 2 else 1440.0 for i in range(len(nets))],
            "carry": [i < 2 for i in range(len(nets))],
            "net_gex": nets,
        }
    )
    parts = {"row": {"net_gex": net}, "definitions": definitions, "sign": "$"} | changes
    return cast(SessionPicture, SimpleNamespace(**parts))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (-5e9, ["same", "differs", "differs", "differs"]),
        (2.0, ["differs", "same", "differs", "differs"]),
        (0.0, ["differs", "differs", "same", "same"]),
        (math.nan, ["differs", "differs", "same", "same"]),  # neither has a sign
    ],
)
def test_each_definition_has_the_rows_sign_or_stands_out(row: float, words: list[str]) -> None:
    picture = _picture([-1e9, 3e9, 0.0, math.nan], row)
    table = definitions_table(picture)
    assert [r.cells[-1] for r in table.rows] == words
    assert [r.tone for r in table.rows] == ["" if w == "same" else "warn" for w in words]
    assert [r.cells[2] for r in table.rows] == ["1 day", "30 min"] * 2
    assert [r.cells[3] for r in table.rows] == ["as configured"] * 2 + ["none"] * 2
    against = words.count("differs")
    assert disagreement(picture).startswith(f"{against} definitions of 4 would give the other")


def test_one_sign_throughout() -> None:
    assert disagreement(_picture([1.0, 2.0], 3.0)) == "All 2 definitions give the same sign."
    assert disagreement(_picture([1.0, -2.0], 3.0)).startswith("1 definition of 2 would")


def test_roots_from_spot_and_the_nearest_is_the_flip() -> None:
    roots = pd.DataFrame(
        {"level": [95.0, 104.0], "direction": ["up", "down"], "slope": [5e9, -2e9]}
    )
    row = {"net_gex": 1.0, "spot": 100.0, "flip": 104.0}
    table = roots_table(_picture([], 1.0, row=row, roots=roots))
    assert [r.cells[0] for r in table.rows] == ["95.00", "104.00"]
    assert [r.cells[1] for r in table.rows] == ["\u22125.0 %", "+4.0 %"]
    assert [r.cells[4] for r in table.rows] == ["", "nearest"]


def test_the_range_of_strikes_leaves_room_for_names() -> None:
    strikes = pd.DataFrame(
        {"strike": [50.0, 100.0, 101.0], "call_gex": [99.0, 8.0, 2.0], "put_gex": [-99.0, -2.0, -4]}
    )
    # the strike of 50 is far away; 6 % of the height below, 42 % above
    assert strike_range(strikes, 100.0) == pytest.approx((-4.0 - 0.72, 8.0 + 5.04))
    above = strikes.assign(put_gex=3.0)
    assert strike_range(above, 100.0) == pytest.approx((-0.48, 8.0 + 3.36))
    below = strikes.assign(call_gex=-3.0)
    assert strike_range(below, 100.0) == pytest.approx((-4.0 - 0.24, 1.68))
    flat = strikes.assign(call_gex=0.0, put_gex=0.0)
    assert strike_range(flat, 100.0) == pytest.approx((-0.06, 0.42))
