"""Pages as PDF and their charts as pictures, by a headless Chromium where there is one."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ...data import InputFileError, published_file

__all__ = ["chart_pictures", "find_browser", "print_pdf", "printed"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: How long a page may take in the browser's own time, and in ours.
_BUDGET_MS: Final = 20_000
_PATIENCE: Final = 180
_DONE: Final = "gexlab-pictures"

#: Turns every chart into a picture in the document; charts have drawn when the page says so.
_PICTURES: Final = """
<script>
"use strict";
(async () => {
  const root = document.documentElement;
  while (root.dataset.drawn !== "all") await new Promise((done) => setTimeout(done, 50));
  for (const plot of document.querySelectorAll(".plot")) {
    if (!plot.data) continue;
    const address = await window.gexlab.picture(plot, 1100);
    const held = document.createElement("pre");
    held.dataset.picture = plot.id;
    held.textContent = address;
    document.body.append(held);
  }
  document.body.dataset.done = "gexlab-pictures";
})();
</script>
"""


def find_browser() -> str:
    """Return the Chromium of this machine.

    Raises
    ------
    InputFileError
        If there is none.
    """
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise InputFileError(
        "PDF and pictures need Chromium, and none was found: install it (Debian: apt-get install "
        "chromium), or print the report from a browser"
    )


def print_pdf(page: Path, pdf: Path) -> Path:
    """Print a page to a PDF file.

    Parameters
    ----------
    page, pdf : Path

    Raises
    ------
    InputFileError
        If there is no Chromium, or it fails.
    """
    with published_file(pdf) as draft:
        _browse(page, f"--print-to-pdf={draft.absolute()}", "--no-pdf-header-footer")
        if not draft.is_file() or draft.read_bytes()[:4] != b"%PDF":
            raise InputFileError(f"{pdf}: Chromium printed nothing: print the page from a browser")
    return pdf


def chart_pictures(page: Path, folder: Path) -> tuple[Path, ...]:
    """Write every chart of a page as a PNG file, named after the chart.

    Parameters
    ----------
    page, folder : Path

    Returns
    -------
    tuple of Path

    Raises
    ------
    InputFileError
        If there is no Chromium, or it fails.
    """
    text = page.read_text(encoding="utf-8")
    if 'data-figure="' not in text:
        return ()
    with tempfile.TemporaryDirectory(prefix="gexlab-page-") as name:
        copy = Path(name) / "page.html"
        copy.write_text(text.replace("</body>", f"{_PICTURES}</body>"), encoding="utf-8")
        dumped = _browse(copy, "--dump-dom")
    if f'data-done="{_DONE}"' not in dumped:
        raise InputFileError(f"{page}: its charts were not drawn in time: try again")
    found = re.findall(
        r'data-picture="(?:fig-)?([a-z0-9-]+)">data:image/png;base64,([A-Za-z0-9+/=]+)<', dumped
    )
    written = []
    for chart, picture in found:
        path = folder / f"chart-{chart}.png"
        with published_file(path) as draft:
            draft.write_bytes(base64.b64decode(picture))
        written.append(path)
    return tuple(written)


def printed(page: Path, folder: Path, *, pdf: bool, png: bool) -> tuple[Path, ...]:
    """Write a page's PDF and the pictures of its charts into a folder, where asked for.

    Parameters
    ----------
    page, folder : Path
    pdf, png : bool

    Returns
    -------
    tuple of Path

    Raises
    ------
    InputFileError
        If there is no Chromium, or it fails.
    """
    files = (print_pdf(page, folder / page.with_suffix(".pdf").name),) if pdf else ()
    return (*files, *(chart_pictures(page, folder) if png else ()))


def _browse(page: Path, *what: str) -> str:
    """Open a page in a browser without a window and return what it prints."""
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="gexlab-browser-") as profile:
        command = [
            browser,
            "--headless=new",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            f"--virtual-time-budget={_BUDGET_MS}",
            # its own sandbox refuses to run for the superuser, as in a container
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            *what,
            page.absolute().as_uri(),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=_PATIENCE, check=False, encoding="utf-8"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputFileError(f"{browser} did not finish with {page.name}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputFileError(f"{browser} failed on {page.name}: {last}")
    return done.stdout
