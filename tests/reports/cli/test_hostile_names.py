"""Names that look like markup, escapes or code are shown as text by every command."""

from __future__ import annotations

import json

import pytest

from gexlab.data.base.exporting import defused
from gexlab.data.base.printable import encodable, shown
from gexlab.reports.cli import app
from gexlab.reports.page.charts import as_label
from gexlab.reports.page.html import render_page
from gexlab.reports.page.views import Page, Section

HOSTILE = (
    "[/x]",
    "[zz]",
    ":smile:",
    "\x1b[31m",
    "\u202e",
    "{{ 7 * 7 }}",
    "<script>",
    "=1+1",
    "caf\udce9",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "{}", "--out", "out"),
        ("check", "--lake", "{}"),
        ("sql", "SELECT 1", "--lake", "{}"),
        ("regimes", "--lake", "{}", "--underlying", "{}"),
        ("ingest", "{}", "--vendor", "{}", "--underlying", "X", "--lake", "none"),
        ("calibrate", "{}"),
        ("{}",),
        ("doctor", "--{}"),
    ],
)
def test_messages_show_names_as_text(
    words: tuple[str, ...],
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    assert app.run([word.format(name) if word == "{}" else word for word in words]) in (1, 2)
    found = capsys.readouterr().err
    assert all(char == "\n" or char.isprintable() for char in found)
    assert "unexpected" not in found


@pytest.mark.parametrize("columns", ["abc", "", "-5", "²", "9" * 30])
def test_any_width_in_the_environment_will_do(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    from gexlab.reports.terminal.output import stdout_console

    stdout_console().print("x")
    assert capsys.readouterr().out == "x\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_pages_show_names_as_text(name: str) -> None:
    page = Page(name, name, name, sections=(Section("a", name, text=(name,)),))
    html = render_page(page, plotly="")
    assert name not in html or name == shown(name)
    assert "<script>" not in html.split("<body>")[1]
    assert "49" not in html.split("<body>")[1]
    html.encode()


def test_labels_of_charts_are_text() -> None:
    assert as_label("<b>") == "&lt;b&gt;"
    assert "%{" not in as_label("%{y}")
    assert "css:" not in as_label("css:ink")


def test_no_cell_is_a_formula() -> None:
    texts = ["=1", "+cmd", "-cmd", "@x", "\t=1", "\r=1", "\uff1d1", "-5", "+1.5", "1e-3", "", "a=1"]
    expected = ["'=1", "'+cmd", "'-cmd", "'@x", "'\t=1", "'\r=1", "'\uff1d1"]
    assert defused(texts) == [*expected, "-5", "+1.5", "1e-3", "", "a=1"]


def test_json_has_no_lone_surrogate() -> None:
    from gexlab.reports.terminal.output import to_json

    assert json.loads(to_json({"caf\udce9": "\udce9"})) == {r"caf\xe9": r"\xe9"}
    assert encodable("naïve") == "naïve"
