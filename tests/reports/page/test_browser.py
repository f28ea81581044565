"""Pages in a real browser: printed, pictured, sorted, filtered. Slow, and only with Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gexlab.data import InputFileError
from gexlab.reports.cli import app as cli
from gexlab.reports.page import browser
from gexlab.reports.page.backtest_page import backtest_page
from gexlab.reports.page.browser import chart_pictures, print_pdf
from gexlab.reports.page.html import write_page
from gexlab.reports.session.morning import Morning

BROWSER = next(
    (b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), ""
)
needs_browser = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")


def test_without_a_browser_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputFileError, match="apt-get install chromium"):
        print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    assert cli.run(["nightly", str(tmp_path / "no.toml"), "--pdf"]) == 1
    assert "need Chromium" in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@needs_browser
@pytest.mark.slow
def test_pdf_and_pictures(morning: Morning, tmp_path: Path) -> None:
    page = write_page(backtest_page(morning.result, morning=morning), tmp_path / "report.html")
    assert print_pdf(page, tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"
    names = {path.name for path in chart_pictures(page, tmp_path)}
    assert {"chart-profile.png", "chart-change.png", "chart-regime.png"} <= names
    assert all((tmp_path / name).read_bytes()[1:4] == b"PNG" for name in names)


_DRIVE = """
<script>
"use strict";
(async () => {
  const root = document.documentElement;
  while (root.dataset.drawn !== "all") await new Promise((r) => setTimeout(r, 50));
  const table = document.getElementById("tab-trades");
  const rows = () => [...table.querySelectorAll("tbody tr")];
  const column = () => rows().map((row) => row.cells[8].textContent);
  const said = {};
  said.all = table.querySelector("[role=status]").textContent;
  table.querySelectorAll("thead button")[8].click();
  said.largest = column()[0];
  table.querySelectorAll("thead button")[8].click();
  said.smallest = column()[0];
  const box = table.querySelector("input");
  box.value = "> 100";
  box.dispatchEvent(new Event("input"));
  said.filtered = String(column().length);
  const fold = document.querySelector("figure:has(#fig-change) details");
  fold.open = true;
  await new Promise((r) => setTimeout(r, 200));
  said.behind = [...fold.querySelectorAll("tbody tr")].map((row) => row.textContent).join("|");
  for (const [key, value] of Object.entries(said)) document.body.dataset[key] = value;
})();
</script>
"""


@needs_browser
@pytest.mark.slow
def test_tables_sort_and_filter_and_charts_have_tables(morning: Morning, tmp_path: Path) -> None:
    page = write_page(backtest_page(morning.result, morning=morning), tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", f"{_DRIVE}</body>"), encoding="utf-8")
    body = re.search(r"<body[^>]*>", browser._browse(page, "--dump-dom"))
    assert body is not None
    said = dict(re.findall(r'data-([a-z]+)="([^"]*)"', body[0]))
    assert said["all"] == "40 of 129 rows shown"
    assert (said["largest"], said["smallest"]) == ("+99", "\u2212120")
    assert int(said["filtered"]) > 0
    assert said["behind"].startswith("before1|contracts that died\u22120.2|")
