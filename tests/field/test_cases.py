"""Inputs as people have them: each gives its right answer, or is refused for a reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from field_cases import CASES, Case, complaints, run

from gexlab.data.base.errors import InputFileError
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes


@pytest.fixture(name="shared")
def _shared(shared_data: Path) -> Path:
    folder = shared_data.parent
    if not (folder / "cases").is_dir():
        pytest.skip("the cases from the field are not here")
    return folder


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_right_answer(case: Case, shared: Path, tmp_path: Path) -> None:
    run(case, shared, tmp_path)
    assert complaints(case, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "session", "reason"),
    [
        ("13-volatility-in-percent", "2024-02-12", "unit_contradicted"),
        ("37-an-evening-copy-under-the-next-date", "2024-01-11", "copy_of_previous_session"),
    ],
)
def test_a_session_that_must_not_be_called_a_regime(
    name: str, session: str, reason: str, shared: Path, tmp_path: Path
) -> None:
    case = Case(name, "SPY")
    run(case, shared, tmp_path)
    lake = open_lake(tmp_path / "lake")
    rebuild(lake, "SPY", instrument="etf", side_tables=False)
    table = regimes(lake, "SPY")
    rows = table[table["session"].astype(str).str.startswith(session)]
    assert set(rows["regime"]) == {"abstain"}
    assert all(reason in quality for quality in rows["quality"])


def test_years_of_two_digits_that_can_be_read_in_two_ways(shared: Path, tmp_path: Path) -> None:
    case = Case("35-all-rows-rejected", "SPY")
    with pytest.raises(
        InputFileError, match=r"2012-01-24 .day first. or as 2024-01-12 .year first"
    ):
        run(case, shared, tmp_path)
    assert not (tmp_path / "lake").exists()


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
