"""How figures of a session and of a comparison look: all but their numbers, against a file.

`golden/README.md` says how a difference that is meant is accepted; `golden/report.html` holds
those of a backtest.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.diff import DiffResult
from gexlab.data import explain, open_lake, rebuild, spec_chosen
from gexlab.data.simulate import simulate
from gexlab.reports.page import profile_picture
from gexlab.reports.page.formats import moment
from gexlab.reports.page.sections.difference import difference_page
from gexlab.reports.page.sections.explanation import explanation_page
from gexlab.reports.page.sections.profile import side_of
from gexlab.reports.page.views import Page
from gexlab.reports.session.picture import picture_of
from gexlab.reports.session.story import session_story
from gexlab.reports.terminal.profile import _ROWS, _bars, _bundles

GOLDEN = Path(__file__).parent / "golden" / "figures.json"
#: Numbers of a trace or a shape, which the data decide.
_DATA = frozenset(
    {
        "x",
        "y",
        "x0",
        "x1",
        "y0",
        "y1",
        "base",
        "text",
        "customdata",
        "z",
        "range",
        "array",
        "arrayminus",
    }
)


def _look(value: Any) -> Any:
    """Return a part of a figure's specification without its numbers."""
    if isinstance(value, dict):
        return {
            key: _look(found)
            for key, found in value.items()
            if key not in _DATA or isinstance(found, dict)
        }
    return [_look(found) for found in value] if isinstance(value, list) else value


def _figures(page: Page) -> Iterator[tuple[str, Any]]:
    for section in page.sections:
        for figure in section.figures:
            look = _look(figure.spec) | {"height": figure.height}
            yield figure.id, look


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("looks") / "lake"
    simulate("S1", years=0.05, seed=3, lake=folder, contracts=200, intraday=None)
    lake = open_lake(folder)
    rebuild(lake, "SIM")
    last = lake.sessions("SIM")[-1].session
    picture = picture_of(explain(lake, "SIM", last), sign="$")
    spec = spec_chosen(lake, "SIM")
    return explanation_page(picture, session_story(lake, spec, last, book="post_expiry"))


def _compared() -> Page:
    rows = pd.DataFrame(
        {
            "session": pd.to_datetime(["2026-01-05", "2026-01-06"]),
            "regime_a": ["long", "short"],
            "regime_b": ["short", "neutral"],
            "net_to_gross_a": [0.1, -0.2],
            "net_to_gross_b": [-0.1, 0.01],
            "flip_a": [99.0, 101.0],
            "flip_b": [100.0, None],
            "return_a": [0.01, -0.01],
            "return_b": [-0.01, 0.0],
        }
    )
    counts = {"long to short": 1, "short to neutral": 1}
    result = DiffResult("d-1", "d-2", 20, 2, counts, "spot", 0.0, -0.01, rows)
    return difference_page(result, "SPX", ("A", "B"))


def test_figures_look_as_reviewed(explained: Page) -> None:
    pages = {"explain": explained, "diff": _compared()}
    found = {f"{name}: {key}": look for name, p in pages.items() for key, look in _figures(p)}
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("GEXLAB_ACCEPT_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_what_two_definitions_differ_in_is_drawn_and_counted() -> None:
    page = _compared()
    (changes,) = page.sections
    assert [fact.value for fact in changes.facts[:2]] == ["20", "2"]
    assert changes.facts[1].note == "10.0 %"
    (figure,) = changes.figures
    assert [trace["y"] for trace in figure.spec["data"]] == [[0.1, -0.2], [-0.1, 0.01]]
    assert not page.simulated
    assert "SIMULATED" not in page.title


def test_the_picture_fills_what_lies_between_levels_without_gamma() -> None:
    """Zero belongs to both sides: no gap where the curve touches it; the legend lies above."""
    from matplotlib.figure import Figure

    picture: Any = SimpleNamespace(
        profile=pd.DataFrame({"level": [1.0, 2.0, 3.0], "net_gex": [1.0, 0.0, 1.0]}),
        roots=pd.DataFrame({"level": []}),
        row={"spot": None, "flip": None, "call_wall": None, "put_wall": None, "pin_strike": None},
        sign="$",
    )
    axes = Figure().subplots()
    with suppress(KeyError, TypeError):  # the marks need a whole row
        profile_picture._draw_curve(axes, picture)
    above = axes.collections[0].get_paths()
    assert [float(np.asarray(path.vertices)[:, 0].max()) for path in above] == [3.0]
    axes.plot([0, 1], [0, 1], label="x")
    profile_picture._legend(axes)
    legend = axes.get_legend()
    assert legend is not None
    box = legend.get_bbox_to_anchor().transformed(axes.transAxes.inverted())
    assert (round(box.x0, 9), round(box.y0, 9)) == (0.0, 1.0)


def test_a_stamp_that_is_none_is_a_dash() -> None:
    for value in (None, math.nan, pd.NaT, "2026-01-05", 3):
        assert moment(value) == "–"
    assert moment(datetime(2026, 7, 1, 20, tzinfo=UTC)) == "2026-07-01 20:00 UTC"


@pytest.mark.parametrize(("strikes", "size", "rows"), [(5, 1, 5), (_ROWS, 1, _ROWS)])
def test_each_strike_has_a_row_while_there_is_room(strikes: int, size: int, rows: int) -> None:
    _bundled(strikes, size, rows)


def test_neighbouring_strikes_share_a_row_where_there_are_too_many() -> None:
    _bundled(2 * _ROWS, 2, _ROWS)
    _bundled(2 * _ROWS + 1, 3, -(-(2 * _ROWS + 1) // 3))


def _bundled(strikes: int, size: int, rows: int) -> None:
    """Strikes 100, 100.01, ... with gamma 1, 2, ...: each row has the sum of its neighbours."""
    frame = pd.DataFrame(
        {
            "strike": [100.0 + 0.01 * k for k in range(strikes)],
            "net_gex": [1.0 + k for k in range(strikes)],
        }
    )
    row = dict.fromkeys(("flip", "call_wall", "put_wall", "pin_strike")) | {"spot": 100.0}
    title = _bars(SimpleNamespace(row=row, strikes=frame, sign="$"), 80).title  # type: ignore[arg-type]
    assert title == (None if size == 1 else f"each row adds up {size} neighbouring strikes")
    found, bundled = _bundles(frame, 100.0, set())
    assert (bundled, len(found)) == (size, rows)
    assert found[0][1] == sum(range(1, size + 1))
    assert sum(net for _, net in found) == strikes * (strikes + 1) / 2


@pytest.mark.parametrize(
    ("away", "name", "wanted"),
    [
        (-0.064, " put wall 17,500.0 ", "left"),  # 127 px of text, 90 px to its left
        (-0.0312, " flip 18,113.3 ", "right"),  # 101 px of text, 136 px
        (0.084, " call wall 9.0 ", "right"),  # 101 px of text, 22 px to its right
        (0.0, " spot 4,526.3 ", "left"),  # 94 px of text, 140 px
        (0.02, "x" * 60, "right"),  # 402 px: 112 to the right, 208 to the left
    ],
)
def test_a_name_lies_inside_the_narrowest_picture(away: float, name: str, wanted: str) -> None:
    """By hand: 280 px from 10 % below spot to 10 % above, 40 px more to the left, 6.7 a letter."""
    assert side_of(away, name) == wanted
