"""A sample of the fuzz over dialects; the full size is ``fuzz_dialects.py`` itself."""

from __future__ import annotations

import pytest
from fuzz_dialects import fuzz

from gexlab.data.ingest import read_rows as room


@pytest.mark.parametrize("count", [25, pytest.param(20_000, marks=pytest.mark.slow)])
def test_never_another_chain(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SHOWN_ROWS", 1_000)
    report = fuzz(count, seed=3)
    assert report.failures == []
    assert report.outcomes["read"] > count // 2
