"""The lake: layout, replacement of sessions, fingerprints, atomic commits, several writers."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.base.errors import LakeError, UnknownNameError
from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.lake import delta_log, joint_commit, versions
from gexlab.data.lake.connection import connect
from gexlab.data.lake.delta_log import files_at, log_file, log_numbers
from gexlab.data.lake.drafts import draft_folder
from gexlab.data.lake.housekeeping import compact
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.naming import folder_of, name_in
from gexlab.data.lake.parts import CHAIN_SCHEMA, PartWriter, split_sessions
from gexlab.data.lake.session_stream import sorted_rows
from gexlab.data.lake.verify import verify
from gexlab.data.lake.writer import lake_writer, write_sessions

DAYS = [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path / "lake", create=True)


def _rows(lake: Lake, underlying: str = "SPX") -> Any:
    """Return everything that a reader sees, in a fixed order."""
    tables = [pq.ParquetFile(path).read() for path in lake.chain_files(underlying)]
    return sorted_rows(pa.concat_tables(tables))


def _files(lake: Lake) -> dict[str, bytes]:
    """Return every file below the lake, with its bytes."""
    paths = sorted(p for p in lake.root.rglob("*") if p.is_file())
    return {p.relative_to(lake.root).as_posix(): p.read_bytes() for p in paths}


def test_written_rows_come_back(lake: Lake, make_chain: Any) -> None:
    rows = make_chain(DAYS)
    entries = write_sessions(lake, "SPX", rows)
    assert [e.session for e in entries] == DAYS
    assert [e.rows for e in entries] == [6, 6, 6, 6]
    assert lake.underlyings() == ["SPX"]
    assert _rows(lake) == sorted_rows(rows)


def test_layout_schema_and_compression(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS))
    folders = {p.parent.relative_to(lake.root).as_posix() for p in lake.chain_files("SPX")}
    assert folders == {"chains/underlying=SPX/year=2022", "chains/underlying=SPX/year=2023"}
    glob = str(lake.root / "chains" / "*" / "*" / "*.parquet")
    with duckdb.connect() as connection:
        described = connection.execute("DESCRIBE FROM read_parquet($1)", [glob]).fetchall()
    types = {name: kind for name, kind, *_ in described}
    expected = {
        k: v.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE") for k, v in CHAIN_COLUMNS.items()
    }
    assert {k: types[k] for k in expected} == expected
    for path in lake.chain_files("SPX"):
        group = pq.ParquetFile(path).metadata.row_group(0)
        assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}


def test_numbers_that_never_recur_have_no_dictionary(lake: Lake, make_chain: Any) -> None:
    one = make_chain(DAYS[:1])
    place = one.column_names.index("expiry")
    days = one.column("expiry").cast(pa.int32())
    later = [pc.add(days, pa.scalar(i, pa.int32())).cast(pa.date32()) for i in range(200)]
    rows = pa.concat_tables([one.set_column(place, "expiry", column) for column in later])
    price = np.arange(len(rows)) / 7
    rows = rows.set_column(rows.column_names.index("bid"), "bid", pa.array(price))
    write_sessions(lake, "SPX", rows)
    [path] = lake.chain_files("SPX")
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    coded = {name for name, column in columns.items() if column.has_dictionary_page}
    assert "bid" not in coded
    assert {"strike", "spot", "open_interest", "right", "settlement"} <= coded
    bounded = {name for name, column in columns.items() if column.is_stats_set}
    assert bounded == {"session", "quote_ts", "expiry", "expiry_ts", "strike", "known_at"}
    read = pq.ParquetFile(path).read().column("bid").to_numpy()
    assert np.array_equal(np.sort(read), price)


def test_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path, make_chain: Any) -> None:
    rows = make_chain(DAYS)
    shuffled = rows.take(np.random.default_rng(3).permutation(len(rows)))
    lakes = [open_lake(tmp_path / name, create=True) for name in "ab"]
    write_sessions(lakes[0], "SPX", rows)
    write_sessions(lakes[1], "SPX", shuffled)
    a, b = ({k: v for k, v in _files(x).items() if not k.startswith("versions")} for x in lakes)
    # logs state when they were written
    assert {k: v for k, v in a.items() if k.endswith(".parquet")} == {
        k: v for k, v in b.items() if k.endswith(".parquet")
    }
    assert a.keys() == b.keys()


def test_writing_the_same_again_touches_nothing(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS))
    before = {p: p.stat().st_mtime_ns for p in lake.root.rglob("*.*")}
    write_sessions(lake, "SPX", make_chain(DAYS))
    assert {p: p.stat().st_mtime_ns for p in lake.root.rglob("*.*")} == before


def test_a_session_is_replaced_whole_and_its_neighbours_stay(lake: Lake, make_chain: Any) -> None:
    old = {e.session: e for e in write_sessions(lake, "SPX", make_chain(DAYS))}
    new = {
        e.session: e
        for e in write_sessions(lake, "SPX", make_chain([DAYS[1]], strikes=1, open_interest=7.0))
    }
    assert new[DAYS[1]].rows == 2
    assert new[DAYS[1]].fingerprint != old[DAYS[1]].fingerprint
    for day in (DAYS[0], DAYS[2], DAYS[3]):
        assert new[day].fingerprint == old[day].fingerprint
    assert len(_rows(lake)) == 6 + 2 + 6 + 6


def test_fingerprint_is_the_stated_hash_of_the_values(make_chain: Any) -> None:
    rows = make_chain(DAYS[:1], strikes=1)
    digest = hashlib.sha256()
    for name in [n for n in CHAIN_COLUMNS if n != "source"]:
        values = rows.column(name).to_pylist()
        kind = CHAIN_COLUMNS[name]
        digest.update(f"{name}:{len(values)}:".encode())
        digest.update(np.packbits([v is not None for v in values]).tobytes())
        for value in values:
            digest.update(_eight_bytes(value, kind))
    (entry,) = split_sessions(rows)
    assert entry.fingerprint == digest.hexdigest()


def _eight_bytes(value: Any, kind: str) -> bytes:
    if value is None:
        return bytes(8)
    if kind == "VARCHAR":
        return hashlib.sha256(value.encode()).digest()[:8]
    if kind == "DOUBLE":
        return struct.pack("<d", value)
    if kind == "DATE":
        return struct.pack("<q", (value - date(1970, 1, 1)).days)
    return struct.pack("<q", round(value.timestamp() * 1e6))


@pytest.mark.parametrize("column", [n for n in CHAIN_COLUMNS if n not in ("session", "source")])
def test_fingerprint_sees_every_column(column: str, make_chain: Any) -> None:
    rows = make_chain(DAYS[:1])
    index = rows.column_names.index(column)
    values = rows.column(column).to_pylist()
    other = {"VARCHAR": "x", "DOUBLE": 1e-9, "DATE": DAYS[3], "TIMESTAMPTZ": None}
    values[2] = other[CHAIN_COLUMNS[column]]
    changed = rows.set_column(
        index, CHAIN_SCHEMA.field(index), pa.array(values, CHAIN_SCHEMA.field(index).type)
    )
    (before,) = split_sessions(rows)
    (after,) = split_sessions(changed)
    assert before.fingerprint != after.fingerprint


def test_unknown_is_not_zero_in_the_fingerprint(make_chain: Any) -> None:
    (unknown,) = split_sessions(make_chain(DAYS[:1], open_interest=None))
    (zero,) = split_sessions(make_chain(DAYS[:1], open_interest=0.0))
    assert unknown.fingerprint != zero.fingerprint


def test_the_source_alone_does_not_change_the_fingerprint(lake: Lake, make_chain: Any) -> None:
    (first,) = write_sessions(lake, "SPX", make_chain(DAYS[:1]), source="made:1")
    (second,) = write_sessions(lake, "SPX", make_chain(DAYS[:1]), source="made:2")
    assert first.fingerprint == second.fingerprint
    assert (first.sources, second.sources) == (("made:1",), ("made:2",))
    assert set(_rows(lake).column("source").to_pylist()) == {"made:2"}


@examples(12)
@given(
    writes=st.lists(
        st.tuples(st.sets(st.integers(0, 3), min_size=1), st.integers(1, 4)), max_size=5
    )
)
def test_the_lake_equals_a_dictionary_of_sessions(
    writes: list[tuple[set[int], int]], tmp_path_factory: pytest.TempPathFactory, make_chain: Any
) -> None:
    lake = open_lake(tmp_path_factory.mktemp("lake"), create=True)
    model: dict[date, int] = {}
    for chosen, strikes in writes:
        days = [DAYS[i] for i in sorted(chosen)]
        write_sessions(lake, "SPX", make_chain(days, strikes=strikes))
        model |= dict.fromkeys(days, 2 * strikes)
    if model:
        assert {e.session: e.rows for e in lake.sessions("SPX")} == model
        assert len(_rows(lake)) == sum(model.values())
        tables = lake.at().tables
        held = files_at(lake.root / "chains", tables["chains"])
        assert [lake.root / "chains" / path for path in sorted(held)] == lake.chain_files("SPX")


def test_chain_files_of_a_range(lake: Lake, make_chain: Any) -> None:
    for day in DAYS:
        write_sessions(lake, "SPX", make_chain([day]))
    names = [p.name[:8] for p in lake.chain_files("SPX", DAYS[1], DAYS[2])]
    assert names == ["20221230", "20230103"]


def test_a_stream_is_written_in_bounded_pieces(lake: Lake, make_chain: Any) -> None:
    rows = make_chain(DAYS)
    reader = pa.RecordBatchReader.from_batches(CHAIN_SCHEMA, rows.to_batches(max_chunksize=5))
    write_sessions(lake, "SPX", reader)
    assert _rows(lake) == sorted_rows(rows)


def test_compacting_joins_parts_and_keeps_rows(lake: Lake, make_chain: Any) -> None:
    for day in DAYS:
        write_sessions(lake, "SPX", make_chain([day]))
    before, rows = lake.sessions("SPX"), _rows(lake)
    compact(lake, underlying="SPX")
    after = lake.sessions("SPX")
    assert len(lake.chain_files("SPX")) == 2
    assert [e.fingerprint for e in after] == [e.fingerprint for e in before]
    assert _rows(lake) == rows
    compact(lake, underlying="SPX")
    assert lake.sessions("SPX") == after


def test_nothing_is_visible_before_the_commit(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:2]))
    before = _files(lake)
    with lake_writer(lake, "SPX") as writer:
        writer.add(make_chain(DAYS[2:]))
    assert _files(lake) == before


def test_a_part_that_cannot_be_closed_beside_the_next_is_an_error_and_changes_nothing(
    lake: Lake, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    before, close = _files(lake), PartWriter.close

    def full(part: PartWriter) -> Any:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.ENOSPC, "No space left on device")
        return close(part)

    def write() -> None:
        with lake_writer(lake, "SPX") as writer:
            writer.limit = 1  # each session fills a part
            writer.add(make_chain(DAYS))
            writer.commit()

    monkeypatch.setattr(PartWriter, "close", full)
    with pytest.raises(LakeError, match="free some space"):
        write()
    assert _files(lake) == before


def test_leftovers_of_a_killed_writer_are_ignored_then_removed(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    (part,) = lake.chain_files("SPX")
    stray = part.with_name("20221229-20221229-0123456789ab.parquet")
    stray.write_bytes(part.read_bytes()[:100])
    code = "import os, sys; print(os.getpid())"
    gone = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    with draft_folder(lake.root) as mine:
        left = mine.with_name(mine.name.replace(f"{os.getpid()}-", f"{gone.stdout.strip()}-", 1))
        left.mkdir()
        (left / "1.draft").write_bytes(b"half")
        assert lake.chain_files("SPX") == [part]
        write_sessions(lake, "SPX", make_chain(DAYS[1:2]))
        assert mine.exists()
        assert not left.exists()
    assert stray not in lake.chain_files("SPX")
    assert not (lake.root / ".tmp").exists()


def test_what_a_writer_committed_and_never_named_is_taken_back(
    lake: Lake, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the tables' commits and the version's."""
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    with monkeypatch.context() as patched:
        patched.setattr(versions, "_sealed", _killed)
        with pytest.raises(KeyboardInterrupt):
            write_sessions(lake, "SPX", make_chain(DAYS[1:2], open_interest=7.0))
    assert [e.session for e in lake.sessions("SPX")] == DAYS[:1]
    write_sessions(lake, "SPX", make_chain(DAYS[2:3]))
    assert [e.session for e in lake.sessions("SPX")] == [DAYS[0], DAYS[2]]
    held = files_at(lake.root / "chains", lake.at().tables["chains"])
    assert [lake.root / "chains" / path for path in sorted(held)] == lake.chain_files("SPX")
    assert not verify(lake).damaged


def _killed(*_: Any) -> bytes:
    raise KeyboardInterrupt


@pytest.mark.parametrize("same", [True, False], ids=["the same sessions", "others"])
def test_two_writers_at_once_both_count(
    lake: Lake, make_chain: Any, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes when the first has written its files and committed nothing yet."""
    days = DAYS[:2] if same else DAYS[2:]
    whole = versions.commit

    def disturbed(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(joint_commit, "commit", whole)
        write_sessions(lake, "SPX", make_chain(days, open_interest=20.0))
        return whole(*arguments, **named)

    monkeypatch.setattr(joint_commit, "commit", disturbed)
    write_sessions(lake, "SPX", make_chain(DAYS[:2], open_interest=10.0))
    rows = _rows(lake)
    assert rows.num_rows == 6 * len(lake.sessions("SPX")) == 6 * (2 if same else 4)
    of_first = pc.is_in(rows["session"], value_set=pa.array(DAYS[:2], pa.date32()))
    assert set(rows.filter(of_first)["open_interest"].to_pylist()) == {10.0}
    assert [lake.version for lake in (Lake(lake.root, 0), Lake(lake.root, 1))] == [0, 1]
    assert {e.session for e in Lake(lake.root, 0).sessions("SPX")} == set(days)
    assert not verify(lake).damaged


@pytest.mark.parametrize(
    "name", ["../up", "", ".hidden", "x" * 33, " SPX", "SPX ", "a\\b", "A*", "A,B", "A\n"]
)
def test_names_that_are_no_underlyings_are_refused(name: str, lake: Lake, make_chain: Any) -> None:
    with pytest.raises(LakeError, match="not a usable name"):
        write_sessions(lake, name, make_chain(DAYS))


def test_errors_name_what_to_do(lake: Lake, tmp_path: Path, make_chain: Any) -> None:
    with pytest.raises(LakeError, match="does not exist: fill it"):
        open_lake(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeError, match="choose a folder you may write to"):
        open_lake(tmp_path / "file", create=True)
    write_sessions(lake, "SPX", make_chain(DAYS))
    with pytest.raises(UnknownNameError, match="did you mean 'SPX'"):
        lake.sessions("SPY")


def _with_strike(rows: Any, values: Any) -> Any:
    return rows.set_column(rows.column_names.index("strike"), "strike", pa.array(values))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.drop_columns(["strike"]), "lack the column 'strike'"),
        (lambda t: t.drop_columns(["session"]), "lack the column 'session'"),
        (
            lambda t: t.set_column(7, "strike", pa.array(["a"] * len(t))),
            "column 'strike' is string",
        ),
        (lambda t: t.set_column(7, "strike", pa.nulls(len(t), pa.float64())), "holds 24 NULL"),
    ],
    ids=["no strike", "no session", "text", "null"],
)
def test_rows_that_are_not_canonical_are_refused(
    damage: Any, message: str, lake: Lake, make_chain: Any
) -> None:
    with pytest.raises(LakeError, match=message):
        write_sessions(lake, "SPX", damage(make_chain(DAYS)))
    assert _files(lake) == {}


def test_a_session_in_two_pieces_is_refused(lake: Lake, make_chain: Any) -> None:
    with lake_writer(lake, "SPX") as writer:
        writer.add(make_chain(DAYS[:1]))
        with pytest.raises(LakeError, match="two pieces"):
            writer.add(make_chain(DAYS[:1]))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"commitInfo": {}}', "\x00"])
@pytest.mark.parametrize("table", ["versions", "sessions"])
def test_a_damaged_log_is_an_error_not_an_empty_lake(
    table: str, content: str, lake: Lake, make_chain: Any
) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS))
    log_file(lake.root / table, 0).write_text(content)
    with pytest.raises(LakeError, match="restore it from a copy"):
        lake.sessions("SPX")


def test_a_lost_version_is_an_error_not_the_one_before(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    write_sessions(lake, "SPX", make_chain(DAYS))
    log_file(lake.root / "versions", 1).unlink()
    with pytest.raises(LakeError, match="version 1 was written, but its log has gone"):
        lake.sessions("SPX")


def test_a_lake_that_is_restored_from_a_copy_is_read_anew(
    lake: Lake, tmp_path: Path, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process that has read what the copy goes on without."""
    monkeypatch.setattr(delta_log, "_BLOCK", 2)
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    copy = shutil.copytree(lake.root, tmp_path / "copy")
    write_sessions(lake, "SPX", make_chain(DAYS[1:2]))
    assert [e.session for e in open_lake(lake.root).sessions("SPX")] == DAYS[:2]
    shutil.rmtree(lake.root)
    shutil.copytree(copy, lake.root)
    write_sessions(open_lake(lake.root), "SPX", make_chain(DAYS[2:3]))
    assert [e.session for e in open_lake(lake.root).sessions("SPX")] == [DAYS[0], DAYS[2]]
    assert verify(lake.root).damaged == ()


def test_connections_think_in_utc_and_stay_local(lake: Lake) -> None:
    with connect(lake, threads=1, memory_limit="1GB") as connection:
        settings_of = "SELECT current_setting('TimeZone'), current_setting('threads')"
        assert connection.execute(settings_of).fetchall() == [("UTC", 1)]


def test_folders_of_names_lie_apart_on_every_file_system() -> None:
    names = ["Abt", "ABT", "abt", "aBT", "BRK/B", "BRK.B", "brk/b", "A B", "A+B"]
    folders = [folder_of(name) for name in names]
    assert len({folder.lower() for folder in folders}) == len(names)
    assert not [folder for folder in folders if set(folder) & set('/\\:*?"<>| ')]
    assert [name_in(folder) for folder in folders] == names


def test_a_version_made_while_one_looks_is_no_lost_one(
    lake: Lake, make_chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer commits, and marks what it wrote, after the log was listed.

    A log is listed in an object store alone, or where there is no mark.
    """
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    monkeypatch.setattr(versions, "remote_of", lambda root: root)

    def late(folder: Path) -> list[int]:
        found = log_numbers(folder)
        monkeypatch.setattr(versions, "log_numbers", log_numbers)
        write_sessions(lake, "SPX", make_chain(DAYS[1:2]))
        return found

    monkeypatch.setattr(versions, "log_numbers", late)
    assert versions.newest(lake.root).number == 0
    assert versions.newest(lake.root).number == 1


def test_the_last_version_is_found_from_the_mark_on(lake: Lake, make_chain: Any) -> None:
    """Writers that were killed before they marked, or a log that was cut after the mark."""
    for i in range(3):
        write_sessions(lake, "SPX", make_chain(DAYS[i : i + 1]))
    mark = lake.root / versions.VERSIONS / versions.MARK
    versions.mark(lake.root, versions.version_at(lake.root, 0))
    assert versions.newest(lake.root).number == 2
    mark.unlink()
    assert versions.newest(lake.root).number == 2
    versions.mark(lake.root, versions.newest(lake.root))
    log_file(lake.root / versions.VERSIONS, 2).unlink()
    with pytest.raises(LakeError, match="version 2 was written, but its log has gone"):
        versions.newest(lake.root)
