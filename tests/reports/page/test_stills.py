"""Still pictures of charts: places worked out by hand, in both themes, whatever a name holds."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import numpy as np
import pytest

from gexlab.reports.page.backtest_page import backtest_page
from gexlab.reports.page.charts import axis, bars, dots, figure, layout, line
from gexlab.reports.page.html import render_page
from gexlab.reports.page.palette import in_style
from gexlab.reports.page.still_paths import line_path
from gexlab.reports.page.still_scales import Scale, ticks_of
from gexlab.reports.page.stills import Still, still_of
from gexlab.reports.page.views import Figure, Page, Section
from gexlab.reports.session.morning import Morning


def _still(data: list[dict[str, Any]], **settings: Any) -> Still:
    spec = figure(data, layout(**settings))
    return still_of(Figure("fig-x", "Title 1.", "Caption.", spec))


def _paths(still: Still) -> list[str]:
    return [one.d for area in still.areas for one in area.lines]


def test_a_line_lies_where_its_numbers_say() -> None:
    """A box of 2,000 by 1,000, counted from the upper left corner."""
    drawn = line([0, 5, 10, 20], [0, 100, None, 50], "a", "ink")
    still = _still([drawn], xaxis=axis(range=[0, 20]), yaxis=axis(range=[0, 100]))
    assert _paths(still) == ["M0 1000l500-1000M2000 500h0"]
    assert [(t.at, t.text) for t in still.ticks] == [
        (0.0, "0"), (25.0, "5"), (50.0, "10"), (75.0, "15"), (100.0, "20"),
    ]  # fmt: skip
    assert [(t.at, t.text) for t in still.areas[0].ticks] == [
        (100.0, "0"), (80.0, "20"), (60.0, "40"), (40.0, "60"), (20.0, "80"), (0.0, "100"),
    ]  # fmt: skip


def test_bars_stand_on_each_other_by_sign() -> None:
    """At x = 1: 2 and 1 upwards, -1 downwards; a bar is 80 % of the room of 1 wide."""
    data = [bars([1, 2], y, n, "call") for n, y in (("a", [2, 0]), ("b", [1, 4]), ("c", [-1, 0]))]
    still = _still(data, barmode="relative", xaxis=axis(range=[0, 4]), yaxis=axis(range=[-1, 4]))
    # from .6 to 1.4 of 4: 300 to 700; one unit is 200 high, zero lies at 800
    assert _paths(still) == [
        "M300 800h400v-400h-400z",
        "M300 400h400v-200h-400zM800 800h400v-800h-400z",
        "M300 800h400v200h-400z",
    ]


def test_bars_side_by_side_share_their_room() -> None:
    data = [bars([1, 2], [1, 1], name, "call") for name in ("a", "b")]
    still = _still(data, barmode="group", xaxis=axis(range=[0, 4]), yaxis=axis(range=[0, 1]))
    assert [d[:13] for d in _paths(still)] == ["M300 1000h200", "M500 1000h200"]


def test_a_waterfall_goes_from_sum_to_sum() -> None:
    """5, up to 8, down to 6, all in all 6: on an axis from 0 to 10."""
    one = {
        "type": "waterfall", "orientation": "h",
        "measure": ["absolute", "relative", "relative", "total"],
        "x": [5, 3, -2, None], "y": ["before", "up", "down", "after"],
        "increasing": {"marker": {"color": "css:more"}},
        "decreasing": {"marker": {"color": "css:less"}}, "totals": {"marker": {"color": "css:ink"}},
    }  # fmt: skip
    still = _still(
        [one], xaxis=axis(range=[0, 10]), yaxis=axis(type="category", autorange="reversed")
    )
    assert [tick.text for tick in still.areas[0].ticks] == ["before", "up", "down", "after"]
    assert [tick.at for tick in still.areas[0].ticks] == [12.5, 37.5, 62.5, 87.5]
    up, down, sums = _paths(still)
    assert up.startswith("M1000 275h600")
    assert down.startswith("M1600 525h-400")
    assert re.findall(r"M0 \d+h(\d+)", sums) == ["1000", "1200"]


def test_a_map_has_the_colours_of_its_scale() -> None:
    one = {
        "type": "heatmap", "x": ["a", "b", "c"], "y": ["u"],
        "z": [[-1.0, 0.5, None]], "zmin": -1, "zmax": 1,
        "colorscale": [[0.0, "css:minus-1"], [0.5, "css:zero"], [1.0, "css:plus-1"]],
        "colorbar": {"title": {"text": "%"}},
    }  # fmt: skip
    still = _still([one], xaxis=axis(type="category"), yaxis=axis(type="category"))
    assert [(drawn.fill, drawn.d) for drawn in still.areas[0].lines] == [
        ("css:minus-1 100 css:zero", "M0 1000h667v-1000h-667z"),
        ("css:zero 50 css:plus-1", "M667 1000h666v-1000h-666z"),
    ]
    assert still.scale is not None
    assert (still.scale.high, still.scale.low, still.scale.unit) == ("1", "\N{MINUS SIGN}1", "%")


@pytest.mark.parametrize(
    ("kind", "low", "high", "texts"),
    [
        ("linear", -0.31, 0.42, ["\N{MINUS SIGN}0.2", "0.0", "0.2", "0.4"]),
        ("linear", 0, 12_400, ["0", "5,000", "10,000"]),
        ("log", -1.0, 2.0, ["0.1", "1", "10", "100"]),
        (
            "date",
            16436,
            16800,
            ["2015-01", "2015-04", "2015-07", "2015-10"],
        ),  # 2015-01-01 to 2015-12-31
        ("date", 16436, 16439, ["2015-01-01", "2015-01-02", "2015-01-03", "2015-01-04"]),
        ("date", 16436, 21914, ["2015", "2020", "2025"]),  # to 2029-12-31
    ],
)
def test_ticks_are_round(kind: str, low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in ticks_of(Scale(kind, (), low, high), {}, 4)] == texts


def test_of_a_long_line_the_ends_of_every_column_stay() -> None:
    """Ten thousand points: the one peak and the one trough are drawn, most others are not."""
    y = np.full(10_000, 0.5)
    y[[1234, 8765]] = 1.0, 0.0
    d = line_path(np.linspace(0, 1, len(y)), y)
    assert len(d) < 10_000
    steps = [int(v) for v in re.findall(r"-?\d+", d)[3::2]]
    heights = 500 + np.cumsum(steps)
    assert (heights.min(), heights.max()) == (0, 1000)


def test_names_are_text_and_colours_are_colours() -> None:
    evil = '</p><img src=x onerror="alert(1)">'
    spec = figure(
        [dots([1, 2], [evil, "b"], evil, "ink", "diamond")],
        layout(xaxis=axis(evil), yaxis=axis(type="category")),
    )
    spec["data"][0]["marker"]["color"] = 'red;}</style>"'
    html = render_page(
        Page(
            "t", "h", "s", sections=(Section("s", "S", figures=(Figure("f", evil, evil, spec),)),)
        ),
        plotly="",
    )
    assert "<img" not in html
    still = html[html.index('class="still"') : html.index("<script", html.index('class="still"'))]
    assert still.count(escape(evil[:20])) >= 1
    assert "red;" not in still
    assert in_style("css:ink") == "var(--ink)"


def test_every_chart_of_a_report_stands_in_it_without_a_script(morning: Morning) -> None:
    html = render_page(backtest_page(morning.result, morning=morning), plotly="")
    stills = re.findall(r'<div class="still">(.*?)</div></div></div>\s*<script', html, flags=re.S)
    assert len(stills) == html.count('data-figure="') > 5
    for still in stills:
        assert re.search(r'<path d="M[\dMlhvz -]+"', still)
        assert "css:" not in still
        assert "nan" not in still.lower().replace("finance", "")


def test_nothing_to_draw_is_an_empty_picture() -> None:
    """Undefined values, ranges and scales of nothing fail no report."""
    gone = [None, None]
    cells = {
        "type": "heatmap", "x": ["a", "b"], "y": ["u"], "z": [gone], "zmin": None, "zmax": None,
        "colorscale": [[0.0, "css:zero"], [1.0, "css:plus-1"]], "colorbar": {"title": {"text": ""}},
    }  # fmt: skip
    named = axis(type="category")
    stills = [
        _still([line([1, 2], gone, "a", "ink")], xaxis=axis(range=gone), yaxis=axis()),
        _still([bars([1, 2], gone, "a", "ink")], xaxis=axis(), yaxis=axis(range=gone)),
        _still([line([], [], "a", "ink")], xaxis=axis(type="date"), yaxis=axis(type="log")),
        _still([dots([], [], "a", "ink", "x")], xaxis=axis(), yaxis=named),
        _still([cells], xaxis=named, yaxis=named),
        _still([], xaxis=axis(), yaxis=axis()),
    ]
    assert [_paths(still) for still in stills] == [[""], [""], [""], [], [], []]
