"""Readers and a writer at the same time: each reader finishes on the state it began with."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gexlab.data import rebuild, regimes
from gexlab.data.base.errors import GexlabError, LakeError, OutdatedRowsError
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.parts import part_rows
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes import rebuild as room
from gexlab.data.regimes.query import query
from gexlab.data.regimes.session_blocks import evaluated_blocks
from gexlab.data.regimes.store_choice import find_stores
from gexlab.data.regimes.table import as_frame, rows_of

DAYS = [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4)]


@pytest.fixture
def lake(tmp_path: Path, make_chain: Any) -> Lake:
    lake = open_lake(tmp_path / "lake", create=True)
    write_sessions(lake, "SPX", make_chain(DAYS, open_interest=10.0))
    return lake


def test_a_reader_keeps_the_files_of_its_state(lake: Lake, make_chain: Any) -> None:
    with lake.reading():
        before = lake.sessions("SPX")
        write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
        for entry in before:
            interest = part_rows(entry.file, [entry.session]).column("open_interest")
            assert set(interest.to_pylist()) == {10.0}


def test_a_reader_that_lasts_longer_than_ten_commits(lake: Lake, make_chain: Any) -> None:
    pinned = lake.as_of_now("SPX")
    for i in range(11):
        write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0 + i))
    for entry in pinned.sessions("SPX"):
        interest = part_rows(entry.file, [entry.session]).column("open_interest")
        assert set(interest.to_pylist()) == {10.0}
    (first, *_), old = lake.sessions("SPX"), Lake(lake.root, 0)
    assert set(part_rows(first.file, [first.session])["open_interest"].to_pylist()) == {30.0}
    assert old.sessions("SPX") == pinned.sessions("SPX")


def test_a_rebuild_finishes_on_its_state_while_a_writer_commits(
    lake: Lake, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer comes when the record has been read and the chains have not, and takes all."""

    def disturbed(*args: Any) -> Any:
        write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
        return evaluated_blocks(*args)

    with monkeypatch.context() as patched:
        patched.setattr(room, "evaluated_blocks", disturbed)
        assert rebuild(lake, "SPX").rebuilt == len(DAYS)
    with pytest.raises(OutdatedRowsError, match="4 sessions from 2022-12-29"):
        regimes(lake, "SPX")
    written = rows_of(lake, "SPX", "regimes", find_stores(lake, "SPX"))
    before = as_frame(written)["gross_gex"]
    assert rebuild(lake, "SPX").rebuilt == len(DAYS)
    after = regimes(lake, "SPX")["gross_gex"]
    # gross exposure is proportional to open interest
    assert (after / before).tolist() == pytest.approx([2.0] * len(before))
    assert len(before) > 0


def test_a_file_that_is_gone_all_the_same_is_one_line(lake: Lake) -> None:
    for path in lake.chain_files("SPX"):
        path.unlink()
    with pytest.raises(
        LakeError, match=r"gone: restore it, or .* ingest its sessions again"
    ) as caught:
        rebuild(lake, "SPX")
    assert "\n" not in str(caught.value)
    with pytest.raises(GexlabError, match="gone: restore it"):
        query(lake, "SELECT count(*) FROM chains")
