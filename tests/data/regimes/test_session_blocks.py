"""How sessions are cut into blocks for threads, and that the cut changes no number."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_lake import session_tables

from gexlab.data import rebuild, regimes, side_table
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.manifest import SessionEntry
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes import session_blocks

FIRST = date(2024, 1, 1)


def entries_of(rows: list[int]) -> list[SessionEntry]:
    return [
        SessionEntry(FIRST + timedelta(days=i), n, str(i), Path("part.parquet"))
        for i, n in enumerate(rows)
    ]


@given(
    st.lists(st.tuples(st.integers(1, 400_000), st.booleans()), max_size=60),
    st.integers(1, 8),
)
def test_every_stale_session_follows_the_one_before_it(
    sessions: list[tuple[int, bool]], workers: int
) -> None:
    entries = entries_of([rows for rows, _ in sessions])
    stale = {e.session for e, (_, changed) in zip(entries, sessions, strict=True) if changed}
    read: list[date] = []
    evaluated: list[date] = []
    for block, continues in session_blocks.session_blocks(entries, stale, workers=workers):
        days = [e.session for e in block]
        assert days == [days[0] + timedelta(days=i) for i in range(len(days))]
        assert not continues or read[-1] == days[0] - timedelta(days=1)
        alone = not continues and days[0] != FIRST
        assert not (alone and days[0] in stale), "a stale session lost the one before it"
        read += days
        evaluated += [day for day in days if day in stale]
    assert evaluated == sorted(stale)
    assert len(set(read)) == len(read)


@pytest.mark.parametrize(("workers", "rows"), [(1, 10**9), (2, 1), (5, 700)])
def test_the_cut_changes_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, rows: int
) -> None:
    """One block for all, one for each session, and three sessions a block."""
    tables = list(session_tables(8, 240, seed=3))
    whole, cut = (open_lake(tmp_path / name, create=True) for name in ("whole", "cut"))
    for lake in (whole, cut):
        write_sessions(lake, "SPX", pa.concat_tables(tables))
    rebuild(whole, "SPX")
    monkeypatch.setattr(session_blocks, "_FEWEST_ROWS", rows)
    monkeypatch.setattr(session_blocks, "_MOST_ROWS", rows)
    monkeypatch.setattr("os.cpu_count", lambda: workers)
    rebuild(cut, "SPX")
    pd.testing.assert_frame_equal(regimes(cut, "SPX"), regimes(whole, "SPX"))
    for name in ("fixed_strike_vol", "flip_roots", "quality_findings"):
        pd.testing.assert_frame_equal(side_table(cut, name, "SPX"), side_table(whole, name, "SPX"))


def test_a_copy_is_found_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first session of a block is compared with the last one of the block before it."""
    tables = list(session_tables(4, 240, seed=3))
    copied = tables[1]
    for name in ("open_interest", "iv", "bid", "ask", "strike", "expiry", "expiry_ts"):
        at = copied.schema.get_field_index(name)
        copied = copied.set_column(at, copied.schema.field(at), tables[0][name])
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", pa.concat_tables([tables[0], copied, *tables[2:]]))
    monkeypatch.setattr(session_blocks, "_FEWEST_ROWS", 1)
    rebuild(lake, "SPX", books=("post_expiry",))
    assert list(regimes(lake, "SPX")["quality"]) == ["ok", "copy_of_previous_session", "ok", "ok"]


def test_threads_do_not_read_each_others_positions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of many files, with dealers from an expression and from a file.

    Threads share one database: a view of one block's files must not serve another block.
    """
    lake = open_lake(tmp_path / "lake", create=True)
    tables = list(session_tables(24, 240, seed=3))
    for table in tables:  # one file each
        write_sessions(lake, "SPX", table)
    held = pa.concat_tables(tables).to_pandas()
    sign = held["right"].map({"C": 1.0, "P": -1.0})
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    held[key].assign(position=sign * held["open_interest"]).to_parquet(tmp_path / "p.parquet")
    rebuild(lake, "SPX", side_tables=False)
    columns = ["session", "book", "net_gex", "gross_gex", "contracts_used", "flip"]
    naive = regimes(lake, "SPX", dealer_model="naive")[columns]
    monkeypatch.setattr(session_blocks, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(session_blocks, "_MOST_ROWS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    by_right = "sql: case right when 'C' then 1 else -1 end"
    for dealer, positions in ((by_right, None), ("signed", tmp_path / "p.parquet")):
        rebuild(lake, "SPX", dealer=dealer, positions=positions, side_tables=False)
        found = regimes(lake, "SPX", dealer_model=dealer)[columns]
        pd.testing.assert_frame_equal(found, naive, rtol=1e-12)
