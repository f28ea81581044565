"""The report as a document: the same bytes, nothing from the network, nothing unescaped."""

from __future__ import annotations

import base64
import gzip
import json
import math
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from page_data import figures_of

from gexlab.backtest.run.results import BacktestResult, Notice
from gexlab.reports.page.backtest_page import backtest_page
from gexlab.reports.page.html import render_page, write_page
from gexlab.reports.page.packed import in_base_85, packed_figures
from gexlab.reports.page.palette import DARK, LIGHT
from gexlab.reports.page.views import Figure, Page, Row, Section, Table, text_column
from gexlab.reports.session.morning import Morning

GOLDEN = Path(__file__).parent / "golden" / "report.html"
BROWSER = next(
    (b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), ""
)


class _Tags(HTMLParser):
    """Collects ids and attributes that could load something, and checks that tags close."""

    VOID = ("meta", "link", "br", "img", "hr", "input")

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.loads += [values[a] for a in ("src", "href") if a in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _tags(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


def _specs(html: str) -> dict[str, dict[str, Any]]:
    return figures_of(html)


def test_golden_report(morning: Morning) -> None:
    html = render_page(backtest_page(morning.result, morning=morning), plotly="cGxvdGx5")
    if os.environ.get("GEXLAB_ACCEPT_GOLDEN"):
        GOLDEN.write_text(html, encoding="utf-8")
    expected = GOLDEN.read_text(encoding="utf-8")
    if html != expected:
        GOLDEN.with_suffix(".actual.html").write_text(html, encoding="utf-8")
    assert html == expected, "differs from the golden page: see golden/README.md"


def test_clock_and_place_leave_no_trace(result: BacktestResult, tmp_path: Path) -> None:
    later = replace(
        result,
        provenance=replace(
            result.provenance,
            created_at=datetime(2030, 1, 2, tzinfo=UTC),
            seconds=99.0,
        ),
        out=tmp_path,
    )
    assert render_page(backtest_page(later), plotly="") == render_page(
        backtest_page(result), plotly=""
    )


def test_document_is_well_formed_and_loads_nothing(result: BacktestResult) -> None:
    tags = _tags(render_page(backtest_page(result), plotly=""))
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert [load for load in tags.loads if not load.startswith(("#", "data:"))] == []
    assert {load[1:] for load in tags.loads if load.startswith("#")} <= set(tags.ids)


def test_plotly_is_embedded_once(result: BacktestResult, tmp_path: Path) -> None:
    file = write_page(backtest_page(result), tmp_path / "deep" / "report.html")
    text = file.read_text(encoding="utf-8")
    packed = re.findall(r'<script type="text/plain" id="plotly">([^<]+)</script>', text)
    raw = [base64.a85decode(one.translate({ord("{"): "<", ord("|"): "&"})) for one in packed]
    assert [gzip.decompress(one).count(b"plotly.js v") for one in raw] == [1]
    assert [p.name for p in file.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("length", range(9))
def test_bytes_as_fives(length: int) -> None:
    """As Ascii85 of the standard library, which abbreviates four zeros, but for markup."""
    raw = bytes(8) + bytes((37 * i + length) % 256 for i in range(1000 + length))
    text = in_base_85(raw)
    assert "<" not in text
    assert "&" not in text
    assert base64.a85decode(text.replace("{", "<").replace("|", "&")) == raw
    assert in_base_85(b"Man sure") == "9jqo^F*2M7"  # the example that is given everywhere


def test_page_without_figures_carries_no_script() -> None:
    html = render_page(Page("t", "h", "s"))
    assert "<script" not in html


def test_simulated_is_in_the_title_only_where_it_is_true(result: BacktestResult) -> None:
    simulated = render_page(backtest_page(result), plotly="")
    real = replace(result, data=replace(result.data, simulated=False))
    assert re.search("<title>SIMULATED: SPX", simulated)
    assert "SIMULATED" not in render_page(backtest_page(real), plotly="")


def test_names_from_outside_are_escaped(morning: Morning) -> None:
    result = morning.result
    evil = "<img src=x onerror=alert(1)></script>"
    data = replace(result.data, underlying=evil)
    spec = replace(result.main.spec, name=evil)
    strategies = {evil: replace(result.main, spec=spec)}
    notices = (Notice(evil, "error", evil),)
    planted = replace(result, data=data, strategies=strategies, notices=notices)
    regime = replace(result.regime, definition_id=evil, dealer_model=evil)
    planted = replace(planted, regime=regime)
    first = replace(morning, result=planted)
    html = render_page(backtest_page(planted, morning=first, alert=evil), plotly="")
    assert "<img" not in html
    assert _tags(html).open == []
    for spec_ in _specs(html).values():
        assert "<img" not in json.dumps(spec_)


def test_undefined_is_a_dash_or_null(result: BacktestResult) -> None:
    html = render_page(backtest_page(result), plotly="")
    visible = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    assert not re.search(r">\s*(nan|NaN|None|inf|NaT)\b", visible)
    assert "NaN" not in json.dumps(_specs(html))


def test_figures_are_valid_plotly(result: BacktestResult) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    specs = _specs(render_page(backtest_page(result), plotly=""))
    assert {"fig-regime", "fig-equity", "fig-volatility", "fig-quantiles"} <= set(specs)
    colours = {f"css:{name}": value for name, value in LIGHT.items()}
    for spec in specs.values():
        text = json.dumps(spec)
        for name in sorted(colours, key=len, reverse=True):
            text = text.replace(f'"{name}"', json.dumps(colours[name]))
        assert "css:" not in text
        graph_objects.Figure(json.loads(text))


def test_both_themes_have_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "long", "short", "warn", "good", "bad"])
def test_text_is_readable_on_paper(theme: dict[str, str], name: str) -> None:
    # WCAG 2.1: contrast of at least 4.5 for text
    assert _contrast(theme[name], theme["paper"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_regimes_stay_apart_in_grey(theme: dict[str, str]) -> None:
    regimes = ("long", "short", "neutral", "abstain")
    assert _contrast(theme["long"], theme["short"]) >= 3.0
    for one, other in pairwise(regimes):
        assert _contrast(theme[one], theme[other]) >= 1.5, (one, other)
    for one, other in (("call", "put"), ("more", "less")):
        assert _contrast(theme[one], theme[other]) >= 2.5, (one, other)
    others = {v for k, v in theme.items() if k.partition("-")[0] not in regimes}
    assert not others & {theme[name] for name in regimes}


def test_colours_of_regimes_mean_nothing_else(morning: Morning) -> None:
    specs = _specs(render_page(backtest_page(morning.result, morning=morning), plotly=""))
    for name, spec in specs.items():
        for trace in spec["data"]:
            used = set(re.findall(r"css:(long|short)\b", json.dumps(trace)))
            named = str(trace.get("name", ""))
            assert (
                used <= {"long", "short"}
                if trace["type"] == "heatmap"
                else all(colour in named for colour in used)
            ), (name, named)
        assert not re.search(r"css:(long|short)", json.dumps(spec["layout"])), name


def test_every_chart_says_what_to_see(morning: Morning) -> None:
    html = render_page(backtest_page(morning.result, morning=morning), plotly="")
    for name, title in re.findall(
        r'<strong>([^<]+)</strong>[^<]*</figcaption>\s*<div id="([^"]+)"', html
    ):
        assert name.endswith("."), title
        assert re.search(r"\d", name), f"{title} names no figure: {name}"
    for spec in _specs(html).values():
        axes = [a for k, a in spec["layout"].items() if re.fullmatch(r"[xy]axis\d?", k)]
        told = [a for a in axes if a.get("type") not in ("date", "category")]
        assert all(a["title"]["text"] or a.get("showticklabels") is False for a in told)
    assert html.count('data-save="csv"') == html.count('data-save="png"') == len(_specs(html))


def test_long_columns_come_back_as_they_were(result: BacktestResult) -> None:
    columns: list[list[Any]] = [
        [f"2025-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(60)],
        [None if i == 7 else float(f"{math.exp(i - 30):.6g}") for i in range(60)],
        [5800.123456789 + i for i in range(60)],
        [1e300 * (i + 1) for i in range(60)],
        ["long gamma" if i % 3 else "<b>" for i in range(60)],
        [f"{i} different words" for i in range(300)],
        [1.5, "x"] * 40,
    ]
    data = [
        {"type": "scatter", "x": columns[0], "y": c, "name": str(i)} for i, c in enumerate(columns)
    ]
    specs, packed = packed_figures([Figure("fig-x", "t", "c", {"data": data, "layout": {}})])
    assert len(packed) == 5
    page = (
        f'<script type="application/json" id="columns">{json.dumps(packed)}</script>'
        f'<script type="application/json" data-figure="fig-x">{json.dumps(specs["fig-x"])}</script>'
    )
    assert [t["y"] for t in figures_of(page)["fig-x"]["data"]] == columns


def test_rows_of_long_tables_are_all_there() -> None:
    rows = tuple(Row((f"n{i}", "</script><b>")) for i in range(1892))
    table = Table("tab-x", "x", (text_column("a"), text_column("b")), rows)
    html = render_page(Page("t", "h", "s", sections=(Section("s", "S", tables=(table,)),)))
    rest = re.search(r'data-rows="tab-x">(.*?)</script>', html, re.S)
    assert rest is not None
    held = [row[1] for row in json.loads(rest[1])]
    shown = re.findall(r'<th scope="row">(n\d+)</th>', html)
    assert [*shown, *held] == [f"n{i}" for i in range(1892)]


def test_a_page_stays_small(morning: Morning, tmp_path: Path) -> None:
    file = write_page(backtest_page(morning.result, morning=morning), tmp_path / "report.html")
    assert file.stat().st_size < 2_500_000


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_row_of_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="tab-x"):
        Table("tab-x", "x", (text_column("a"),), (Row(("1", "2")),))


def test_sections_without_rows_say_none() -> None:
    table = Table("tab-x", "x", (text_column("a"),), ())
    html = render_page(Page("t", "h", "s", sections=(Section("s", "S", tables=(table,)),)))
    assert '<td colspan="1" class="none">none</td>' in html


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["1", "0"], ids=["light", "dark"])
def test_browser_reports_no_error(result: BacktestResult, tmp_path: Path, scheme: str) -> None:
    file = write_page(backtest_page(result), tmp_path / "report.html")
    command = [
        BROWSER,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=8000",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--blink-settings=preferredColorScheme={scheme}",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    figures = len(_specs(file.read_text(encoding="utf-8")))
    assert done.stdout.count('class="main-svg"') >= figures
    ink = LIGHT["ink"] if scheme == "1" else DARK["ink"]
    red, green, blue = (int(ink[i : i + 2], 16) for i in (1, 3, 5))
    assert f"stroke: rgb({red}, {green}, {blue})" in done.stdout
