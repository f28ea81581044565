"""Inputs as people have them: each gives its right answer, or is refused for a reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from field_cases import BARS, CASES, Case, outcome, said_of_bars

from gexlab.data.base.errors import InputFileError
from gexlab.data.ingest.ingest import ingest


@pytest.fixture(name="shared")
def _shared(shared_data: Path) -> Path:
    folder = shared_data.parent
    if not (folder / "cases").is_dir():
        pytest.skip("the cases from the field are not here")
    return folder


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_right_answer(case: Case, shared: Path, tmp_path: Path) -> None:
    assert outcome(case, shared, tmp_path) == []
    assert case.refused is None or not (tmp_path / "lake").exists()


@pytest.mark.parametrize("name", sorted(BARS))
def test_bars(name: str, shared: Path) -> None:
    assert said_of_bars(name, shared) == []


def test_more_than_half_rejected_writes_nothing(shared: Path, tmp_path: Path) -> None:
    shutil.copytree(shared / "cases" / "27-header-in-the-middle", tmp_path / "case")
    file = tmp_path / "case" / "in" / "a.csv"
    file.chmod(0o644)
    file.write_text(file.read_text().replace(",460,", ",-460,").replace(",47", ",-47"))
    with pytest.raises(InputFileError, match="rows would be rejected"):
        ingest(
            [file], vendor="columns", underlying="SPY", lake=tmp_path / "lake",
            mapping=tmp_path / "case" / "map.toml",
        )  # fmt: skip
    assert not (tmp_path / "lake").exists()
