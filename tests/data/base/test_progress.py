"""Progress where nobody asked for it: a line of text in a notebook, nothing elsewhere."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from gexlab.data.base.progress import in_notebook, shown_in_notebook, silent


def _shell(monkeypatch: pytest.MonkeyPatch, **attributes: object) -> None:
    shell = SimpleNamespace(**attributes)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_notebook_shows_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _shell(monkeypatch, kernel=object())
    progress = shown_in_notebook(silent, "rebuild")
    for done in range(1, 1001):
        progress(done, 1000, "SPX")
    said = capsys.readouterr().out
    assert said.startswith("\rrebuild SPX: 1 of 1,000")
    assert said.endswith("\rrebuild SPX: 1,000 of 1,000\n")
    assert said.count("\r") < 20


def test_nothing_is_shown_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert shown_in_notebook(silent, "rebuild") is silent
    _shell(monkeypatch)  # IPython in a terminal
    assert not in_notebook()
    _shell(monkeypatch, kernel=object())

    def own(done: int, total: int | None, what: str = "") -> None:
        """Belong to the caller."""

    assert shown_in_notebook(own, "rebuild") is own
