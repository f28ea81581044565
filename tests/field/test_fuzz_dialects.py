"""A sample of the fuzz over dialects; the full size is ``fuzz_dialects.py`` itself."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from fuzz_dialects import _mapping, fuzz

from gexlab.data.base.errors import InputFileError
from gexlab.data.ingest import read_rows as room
from gexlab.data.ingest.ingest import ingest


def test_an_archive_of_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    """Two members: which of them are alike is asked before anything is read."""
    rows = "day,expiry,strike,cp,oi,iv,spot\n2024-01-12,2024-01-19,470,C,3,0.1\xa05,476\n"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("chain.csv", rows.encode("latin-1"))
        archive.writestr("readme.txt", "Our files are described on the web.\n")
    (tmp_path / "a.zip").write_bytes(sink.getvalue())
    (tmp_path / "map.toml").write_text(_mapping(stamp=False, words=("C", "P")), encoding="utf-8")
    with pytest.raises(InputFileError, match=r"a.zip!chain.csv.*not UTF-8"):
        ingest([tmp_path / "a.zip"], vendor="columns", underlying="SPX", lake=tmp_path / "lake",
               mapping=tmp_path / "map.toml")  # fmt: skip


@pytest.mark.parametrize("count", [25, pytest.param(20_000, marks=pytest.mark.slow)])
def test_never_another_chain(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SHOWN_ROWS", 1_000)
    report = fuzz(count, seed=3)
    assert report.failures == []
    assert report.outcomes["read"] > count // 2
