"""Readers and a writer at the same time: each reader finishes on the state it began with."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gexlab.data import rebuild, regimes
from gexlab.data.base.errors import GexlabError, LakeError
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.parts import part_rows
from gexlab.data.lake.writer import lake_writer, write_sessions
from gexlab.data.regimes import rebuild as room
from gexlab.data.regimes.query import query
from gexlab.data.regimes.session_blocks import evaluated_blocks

DAYS = [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4)]


@pytest.fixture
def lake(tmp_path: Path, make_chain: Any) -> Lake:
    lake = open_lake(tmp_path / "lake", create=True)
    write_sessions(lake, "SPX", make_chain(DAYS, open_interest=10.0))
    return lake


def _parts(lake: Lake) -> set[Path]:
    return set(lake.root.rglob("*.parquet"))


def test_a_reader_keeps_the_files_of_its_manifest(lake: Lake, make_chain: Any) -> None:
    with lake.reading():
        before = lake.sessions("SPX")
        write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
        for entry in before:
            interest = part_rows(entry.file, [entry.session]).column("open_interest")
            assert set(interest.to_pylist()) == {10.0}
        assert _parts(lake) > set(lake.chain_files("SPX"))
    assert _parts(lake) == set(lake.chain_files("SPX"))
    assert sorted(p.name for p in lake.root.iterdir()) == [".lock", "chains"]


def test_files_stay_until_the_last_reader_is_done(lake: Lake, make_chain: Any) -> None:
    (old,) = {e.file for e in lake.sessions("SPX") if e.session.year == 2022}
    with lake.reading():
        with lake.reading():
            write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
            write_sessions(lake, "SPX", make_chain(DAYS, open_interest=30.0))
        assert old.exists()
    assert _parts(lake) == set(lake.chain_files("SPX"))


def test_what_a_killed_reader_left_goes_with_the_next_write(lake: Lake, make_chain: Any) -> None:
    code = (
        "import os, sys; from gexlab.data.lake.lake import Lake; from pathlib import Path\n"
        "with Lake(Path(sys.argv[1])).reading():\n"
        "    print('reading', flush=True); sys.stdin.readline(); os.kill(os.getpid(), 9)"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(lake.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
    assert _parts(lake) > set(lake.chain_files("SPX"))
    reader.communicate("die\n")
    with lake_writer(lake, "SPX"):
        assert _parts(lake) == set(lake.chain_files("SPX"))


def test_a_rebuild_finishes_on_its_state_while_a_writer_commits(
    lake: Lake, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer comes when the manifest has been read and the chains have not, and takes all."""

    def disturbed(*args: Any) -> Any:
        write_sessions(lake, "SPX", make_chain(DAYS, open_interest=20.0))
        return evaluated_blocks(*args)

    with monkeypatch.context() as patched:
        patched.setattr(room, "evaluated_blocks", disturbed)
        assert rebuild(lake, "SPX").rebuilt == len(DAYS)
    before = regimes(lake, "SPX")["gross_gex"]
    assert _parts(lake) - set((lake.root / "derived").rglob("*")) == set(lake.chain_files("SPX"))
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
