"""The lake: layout, replacement of sessions, fingerprints, atomic commits, one writer."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.base.errors import LakeError, LakeLockedError, UnknownNameError
from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.lake.connection import connect
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.locks import write_lock
from gexlab.data.lake.parts import CHAIN_SCHEMA, split_sessions
from gexlab.data.lake.writer import compact, lake_writer, sorted_rows, write_sessions

DAYS = [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path / "lake", create=True)


def _rows(lake: Lake, underlying: str = "SPX") -> Any:
    """Return everything that a reader of the manifest sees, in a fixed order."""
    tables = [pq.ParquetFile(path).read() for path in lake.chain_files(underlying)]
    return sorted_rows(pa.concat_tables(tables))


def _files(lake: Lake) -> dict[str, bytes]:
    """Return every file below the lake but the lock, with its bytes."""
    paths = sorted(p for p in lake.root.rglob("*") if p.is_file() and p.name != ".lock")
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


def test_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path, make_chain: Any) -> None:
    rows = make_chain(DAYS)
    shuffled = rows.take(np.random.default_rng(3).permutation(len(rows)))
    lakes = [open_lake(tmp_path / name, create=True) for name in "ab"]
    write_sessions(lakes[0], "SPX", rows)
    write_sessions(lakes[1], "SPX", shuffled)
    assert _files(lakes[0]) == _files(lakes[1])


def test_writing_the_same_again_touches_nothing(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS))
    before = {p: p.stat().st_mtime_ns for p in lake.root.rglob("*.*") if p.name != ".lock"}
    write_sessions(lake, "SPX", make_chain(DAYS))
    assert {p: p.stat().st_mtime_ns for p in lake.root.rglob("*.*") if p.name != ".lock"} == before


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
    on_disk = sorted((lake.root / "chains").rglob("*.parquet"))
    assert on_disk == lake.chain_files("SPX")
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
        assert sorted(lake.root.rglob("*.parquet")) == lake.chain_files("SPX")


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
    after = compact(lake, "SPX")
    assert len(lake.chain_files("SPX")) == 2
    assert [e.fingerprint for e in after] == [e.fingerprint for e in before]
    assert _rows(lake) == rows
    assert compact(lake, "SPX") == after


def test_nothing_is_visible_before_the_commit(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:2]))
    before = _files(lake)
    with lake_writer(lake, "SPX") as writer:
        writer.add(make_chain(DAYS[2:]))
    assert _files(lake) == before


def test_leftovers_of_a_killed_writer_are_ignored_then_removed(lake: Lake, make_chain: Any) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS[:1]))
    (part,) = lake.chain_files("SPX")
    stray = part.with_name("20221229-20221229-0123456789ab.parquet")
    stray.write_bytes(part.read_bytes()[:100])
    (lake.root / ".tmp").mkdir()
    (lake.root / ".tmp" / "1.draft").write_bytes(b"half")
    foreign = part.with_name("mine.parquet")
    foreign.write_bytes(b"not ours")
    assert lake.chain_files("SPX") == [part]
    write_sessions(lake, "SPX", make_chain(DAYS[1:2]))
    assert not stray.exists()
    assert not (lake.root / ".tmp").exists()
    assert foreign.read_bytes() == b"not ours"


def test_a_second_writer_is_told_who_holds_the_lake(lake: Lake, make_chain: Any) -> None:
    with write_lock(lake.root), pytest.raises(LakeLockedError, match=f"process {os.getpid()} on "):
        write_sessions(lake, "SPX", make_chain(DAYS))


def test_the_lock_of_a_dead_process_is_taken_over(lake: Lake, make_chain: Any) -> None:
    code = (
        "import os, sys; from pathlib import Path; from gexlab.data.lake.locks import write_lock\n"
        "with write_lock(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(lake.root)], check=False)
    assert killed.returncode == -9
    assert json.loads((lake.root / ".lock").read_text())["pid"] != os.getpid()
    assert len(write_sessions(lake, "SPX", make_chain(DAYS))) == 4


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


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', '{"format": 2}', "\x00"])
def test_a_damaged_manifest_is_an_error_not_an_empty_lake(
    content: str, lake: Lake, make_chain: Any
) -> None:
    write_sessions(lake, "SPX", make_chain(DAYS))
    (lake.root / "chains" / "underlying=SPX" / "manifest.json").write_text(content)
    with pytest.raises(LakeError, match="is not a manifest of format 2"):
        lake.sessions("SPX")


def test_connections_think_in_utc_and_stay_local(lake: Lake) -> None:
    with connect(lake, threads=1, memory_limit="1GB") as connection:
        settings_of = "SELECT current_setting('TimeZone'), current_setting('threads')"
        assert connection.execute(settings_of).fetchall() == [("UTC", 1)]
