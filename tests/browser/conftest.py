"""A browser and pages for it. Only `make browser` installs what drives the browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import CASES

from gexlab.data import InputFileError
from gexlab.reports.page.browser import find_browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return where the page of each case lies; each is made when it is asked for.

    Where ``GEXLAB_BROWSER_PAGES`` names a folder, pages that `pages.py` left there are taken.
    """
    kept = os.environ.get("GEXLAB_BROWSER_PAGES")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("pages")
    return Pages(folder)


class Pages(dict[str, Path]):
    """Paths by case, made on demand."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, case: str) -> Path:
        note = self.folder / f"{case}.where"
        if not note.is_file():
            note.write_text(str(CASES[case](self.folder)), encoding="utf-8")
        self[case] = Path(note.read_text(encoding="utf-8"))
        return self[case]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a running Chromium of this machine, without a window."""
    try:
        executable = find_browser()
    except InputFileError as error:
        pytest.skip(f"no browser: {error}")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("Playwright is not installed: run make browser")
    # its own sandbox refuses to run for the superuser, as in a container
    flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Return the folder that receives pictures of the pages, to be looked at."""
    folder = ROOT / "out" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
