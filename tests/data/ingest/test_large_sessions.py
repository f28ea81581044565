"""Sessions that are too large for memory: read snapshot by snapshot, the same lake comes of it."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gexlab.data import compact, rebuild, verify
from gexlab.data.ingest import canonical_rows, read_rows
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake import parts, session_stream, writer
from gexlab.data.lake.chain_reader import read_entries
from gexlab.data.lake.connection import Database
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.parts import part_rows, split_sessions

MAP = """
[columns]
quote_ts = "at"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
bid = "bid"
ask = "ask"
spot = "spot"
[timing]
timezone = "UTC"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "third_friday"
"""
HEADER = "at,expiry,strike,cp,oi,iv,bid,ask,spot"
SNAPSHOTS, STRIKES = 30, 12
#: 2022-12-16 is a third Friday: of two rows of a contract the first settles in the morning.
EXPIRIES = ("2022-12-16", "2022-12-16", "2022-12-30")


def snapshot(day: str, number: int, draw: random.Random) -> list[str]:
    """Rows of all contracts, in no order, one of them twice and one without a strike."""
    at = f"{day} {15 + number // 60:02d}:{number % 60:02d}:00"
    rows = [
        f"{at},{expiry},{4000 + 5 * k},{right},{draw.randrange(900)},0.{draw.randrange(10, 40)},"
        f"{draw.randrange(90)},{draw.randrange(90, 180)},{4000 + number}"
        for expiry in EXPIRIES
        for k in range(STRIKES)
        for right in "CP"
    ]
    return [*rows, rows[5], f"{at},2022-12-30,,C,1,0.2,1,2,4000"]


def file_of(folder: Path, days: dict[str, list[list[str]]], name: str = "chain.csv") -> Path:
    rows = [row for snapshots in days.values() for rows in snapshots for row in rows]
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")
    return folder / name


@pytest.fixture
def days() -> dict[str, list[list[str]]]:
    """A session of one snapshot, one of many, one of one again."""
    draw = random.Random(5)
    return {
        day: [snapshot(day, number, draw) for number in range(count)]
        for day, count in (("2022-12-08", 1), ("2022-12-09", SNAPSHOTS), ("2022-12-12", 1))
    }


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Pieces of sessions that came; small sessions count as large ones."""
    for room in (parts, session_stream, writer):
        monkeypatch.setattr(room, "LARGE_SESSION", 500)
    monkeypatch.setattr(parts, "_GROUP_ROWS", 400)
    monkeypatch.setattr(canonical_rows, "_BATCH_ROWS", 130)
    monkeypatch.setattr(read_rows, "_PIECE_ROWS", 260)
    monkeypatch.setattr(read_rows, "_STREAMED_BYTES", 0)
    came: list[bool] = []
    add_piece = writer.LakeWriter.add_piece

    def noted(self: writer.LakeWriter, rows: Any, *, last: bool) -> None:
        came.append(last)
        add_piece(self, rows, last=last)

    monkeypatch.setattr(writer.LakeWriter, "add_piece", noted)
    return came


def taken(folder: Path, *files: Path, more: str = "") -> IngestResult:
    (folder / "map.toml").write_text(MAP + more)
    return ingest(
        list(files), vendor="columns", underlying="SPX", lake=folder / "lake",
        mapping=folder / "map.toml",
    )  # fmt: skip


def held(folder: Path) -> dict[str, bytes]:
    """Files of the chains, by their names, which end in the digests of their bytes."""
    root = folder / "lake" / "chains"
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.parquet")}


@pytest.mark.parametrize("late", [False, True])
def test_it_is_the_same_lake_whether_it_was_cut_or_not(
    tmp_path: Path,
    days: dict[str, list[list[str]]],
    cut: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    late: bool,
) -> None:
    """Snapshots that ascend are taken one by one; where one is late, all at once after all."""
    many = days["2022-12-09"]
    if late:
        days["2022-12-09"] = [*many[:12], *many[13:], many[12]]
    path = file_of(tmp_path, days)
    (tmp_path / "whole").mkdir()
    with monkeypatch.context() as never:
        never.setattr(read_rows, "come_again", lambda rows: False)
        done = taken(tmp_path / "whole", path)
    assert cut == []
    (tmp_path / "pieces").mkdir()
    again = taken(tmp_path / "pieces", path)
    assert len(cut) > 3
    assert cut.count(True) == (not late)
    assert again == done
    assert again.rows_repeated == again.rows_rejected == SNAPSHOTS + 2
    assert held(tmp_path / "pieces") == held(tmp_path / "whole")
    assert len(held(tmp_path / "pieces")) == 3
    assert not verify(tmp_path / "pieces" / "lake").damaged
    for entry in open_lake(tmp_path / "pieces" / "lake").sessions("SPX"):
        (rows,) = split_sessions(part_rows(entry.file, [entry.session]))
        assert (rows.fingerprint, rows.sources, rows.facts, rows.rows.num_rows) == (
            entry.fingerprint, entry.sources, entry.facts, entry.rows,
        )  # fmt: skip


def test_snapshots_in_any_order_are_the_same_rows(
    tmp_path: Path, days: dict[str, list[list[str]]], cut: list[bool]
) -> None:
    prints = []
    for name, snapshots in (("up", days["2022-12-09"]), ("down", days["2022-12-09"][::-1])):
        (tmp_path / name).mkdir()
        taken(tmp_path / name, file_of(tmp_path / name, {"2022-12-09": snapshots}))
        (entry,) = open_lake(tmp_path / name / "lake").sessions("SPX")
        prints.append((entry.rows, entry.fingerprint))
    assert prints[0] == prints[1]
    assert cut.count(True) == 1  # backwards there is nothing to be cut


def test_a_large_session_is_rebuilt_from_its_last_snapshot(
    tmp_path: Path, days: dict[str, list[list[str]]], cut: list[bool]
) -> None:
    """And a file that grew replaces it, one that holds nothing else leaves it as it is."""
    path = file_of(tmp_path, days)
    taken(tmp_path, path)
    lake = open_lake(tmp_path / "lake")
    with ExitStack() as until:
        found = list(read_entries(Database(lake, until), lake.sessions("SPX")))
    assert [raw.spot for raw in found] == [4000.0, 4000.0 + SNAPSHOTS - 1, 4000.0]
    assert [len(raw.columns["strike"]) for raw in found] == [len(EXPIRIES) * STRIKES * 2] * 3
    assert rebuild(lake, "SPX").rebuilt == 3
    before = {entry.session: entry.file for entry in lake.sessions("SPX")}
    # read in another way, the same rows come of it: they stay where they are
    cut.clear()
    taken(tmp_path, path, more='[aliases]\nSPX = ["S&P"]\n')
    assert cut.count(True) == 1
    assert {entry.session: entry.file for entry in lake.sessions("SPX")} == before
    assert not list((tmp_path / "lake").rglob("*.draft"))
    cut.clear()
    days["2022-12-13"] = [snapshot("2022-12-13", 0, random.Random(1))]
    taken(tmp_path, file_of(tmp_path, days))
    assert cut.count(True) == 1
    assert rebuild(lake, "SPX").rebuilt == 1
    prints = [(entry.session, entry.fingerprint) for entry in lake.sessions("SPX")]
    assert compact(lake).files_after == 1
    assert [(entry.session, entry.fingerprint) for entry in lake.sessions("SPX")] == prints
    assert rebuild(lake, "SPX").rebuilt == 0
    assert not verify(lake).damaged
    # a second source of the same session meets its rows: they are laid over it as a whole
    cut.clear()
    more = file_of(tmp_path, {"2022-12-09": days["2022-12-09"][:20]}, "more.csv")
    assert taken(tmp_path, more).rows_replaced > 0
    assert cut == []


def test_stamps_of_each_contract_are_no_snapshots(
    tmp_path: Path, days: dict[str, list[list[str]]], cut: list[bool]
) -> None:
    """Each contract once, under its own stamp: one snapshot, of the last stamp, as ever."""
    rows = [
        f"2022-12-09 15:{n // 60:02d}:{n % 60:02d},2022-12-30,{3000 + n},C,1,0.2,1,2,4000"
        for n in range(900)
    ]
    taken(tmp_path, file_of(tmp_path, {"2022-12-09": [rows]}))
    assert cut == []
    (entry,) = open_lake(tmp_path / "lake").sessions("SPX")
    assert entry.rows == 900
    assert len(set(part_rows(entry.file, [entry.session]).column("quote_ts").to_pylist())) == 1
