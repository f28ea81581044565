"""Rebuilt tables on disk: nothing that their record names is missing in silence."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_lake import session_tables

from gexlab.data import rebuild, regimes, side_table
from gexlab.data.base.errors import DefinitionError, LakeError
from gexlab.data.exposure.definition import DEFAULT
from gexlab.data.lake.arrow_tables import as_table
from gexlab.data.lake.derived_tables import DerivedStore
from gexlab.data.lake.derived_writer import Contents, commit_parts, write_parts
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.session_stream import sorted_rows
from gexlab.data.lake.verify import verify
from gexlab.data.lake.writer import lake_writer, write_sessions
from gexlab.data.peers.rules import PEER_RULES
from gexlab.data.regimes import rebuild as rebuilding
from gexlab.data.regimes import table as regime_table
from gexlab.data.regimes.query import query
from gexlab.data.regimes.spec import RegimeSpec
from gexlab.data.regimes.store_choice import find_stores, spec_chosen

SESSIONS = 8


@pytest.fixture(scope="module")
def chains() -> list[pa.Table]:
    return list(session_tables(SESSIONS, 60, seed=5))


@pytest.fixture
def lake(tmp_path: Path, chains: list[pa.Table]) -> Lake:
    """Two parts: six sessions, and one more."""
    lake = open_lake(tmp_path / "lake", create=True)
    write_sessions(lake, "SPX", pa.concat_tables(chains[:6]))
    rebuild(lake, "SPX")
    write_sessions(lake, "SPX", chains[6])
    rebuild(lake, "SPX")
    return lake


def store_of(lake: Lake) -> DerivedStore:
    (store,) = find_stores(lake, "SPX")
    return store


def replaced(lake: Lake) -> None:
    """Compute every session anew: every file of before goes."""
    store = store_of(lake)
    contents = [
        Contents(
            (part.book,),
            part.sessions,
            {
                t: pq.ParquetFile(store.file(t, part)).read_row_groups(part.groups(t))
                for t in reversed(part.tables)
            },
        )
        for part in store.parts
    ]
    for part in store.parts:
        for table in part.tables:
            store.file(table, part).unlink(missing_ok=True)  # both books' parts share it
    # another row group is another file
    fresh = write_parts(
        replace(store, definition_id=store.definition_id),
        [replace(each, tables={t: as_table(rows).replace_schema_metadata({"x": "y"})
                               for t, rows in each.tables.items()}) for each in contents],
    )  # fmt: skip
    marks: dict[str, dict[str, str]] = {part.book: {} for part in store.parts}
    for part in store.parts:
        marks[part.book] |= part.sessions
    commit_parts(store, fresh, marks)


@pytest.mark.parametrize("table", ["regimes", "exposure_by_strike", "quality_findings"])
def test_a_file_that_is_gone_is_an_error_until_it_is_rebuilt(lake: Lake, table: str) -> None:
    def read() -> pd.DataFrame:
        rows: pd.DataFrame = (
            regimes(lake, "SPX") if table == "regimes" else side_table(lake, table, "SPX")
        )
        return rows

    before = read()
    first, *_ = store_of(lake).files(table)
    Path(first).unlink()
    with pytest.raises(LakeError, match=r"is gone, and with it 6 sessions: run gexlab rebuild"):
        read()
    assert rebuild(lake, "SPX").rebuilt == 6
    pd.testing.assert_frame_equal(read(), before)
    assert rebuild(lake, "SPX").rebuilt == 0


def test_a_file_that_cannot_be_read_is_one_line(lake: Lake) -> None:
    first, *_ = store_of(lake).files("regimes")
    Path(first).write_bytes(Path(first).read_bytes()[:-20])
    with pytest.raises(LakeError, match=r"its bytes are not .*delete it and run gexlab") as caught:
        regimes(lake, "SPX")
    assert Path(first).name in str(caught.value)
    assert "\n" not in str(caught.value)
    Path(first).unlink()
    assert rebuild(lake, "SPX").rebuilt == 6
    assert regimes(lake, "SPX")["session"].nunique() == 7


def test_a_lake_that_cannot_be_written_to_says_so_before_it_computes(
    lake: Lake, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sessions(lake, "SPX", chains[7])
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(rebuilding, "_update", None)
    with pytest.raises(LakeError, match="cannot be written to, and 1 of 8 sessions"):
        rebuild(lake, "SPX")


def test_another_underlying_does_not_hide_a_file_that_is_gone(
    lake: Lake, chains: list[pa.Table]
) -> None:
    other = chains[0].set_column(0, "underlying", pa.array(["NDX"] * len(chains[0])))
    write_sessions(lake, "NDX", other)
    count = "SELECT count(DISTINCT session) AS n FROM regimes"
    assert query(lake, count).to_pylist() == [{"n": 7}]  # nothing rebuilt of NDX: no rows
    rebuild(lake, "NDX")
    Path(next(iter(store_of(lake).files("regimes")))).unlink()
    with pytest.raises(LakeError, match="is gone, and with it 6 sessions"):
        query(lake, count)
    assert spec_chosen(lake, "SPX") == RegimeSpec("SPX")
    record = store_of(lake).record
    assert record is not None
    (lake.root / "rebuilds" / record).write_text("{", encoding="utf-8")
    for read in (lambda: query(lake, count), lambda: spec_chosen(lake, "SPX")):
        with pytest.raises(LakeError, match="bytes are not those that were written: restore"):
            read()


def test_a_rebuild_without_side_tables_is_complete_without_them(
    tmp_path: Path, chains: list[pa.Table]
) -> None:
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", pa.concat_tables(chains[:3]))
    assert rebuild(lake, "SPX", side_tables=False).rebuilt == 3
    assert rebuild(lake, "SPX", side_tables=False).rebuilt == 0
    assert regimes(lake, "SPX")["session"].nunique() == 3
    with pytest.raises(DefinitionError, match="profile of SPX is empty: rebuild it"):
        side_table(lake, "profile", "SPX")
    assert rebuild(lake, "SPX").rebuilt == 3
    assert side_table(lake, "profile", "SPX")["session"].nunique() == 3


def test_a_reader_whose_files_are_replaced_reads_the_new_ones(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, calls = regime_table._rows_or_none, 0

    def replaced_first(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:  # every session is computed anew, every old file goes
            replaced(lake)
        return rows(*given)

    monkeypatch.setattr(regime_table, "_rows_or_none", replaced_first)
    found = regimes(lake, "SPX")
    assert calls == 2
    assert found["session"].nunique() == 7


def test_a_rebuild_beside_another_one_keeps_its_work(
    lake: Lake, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other comes, after the lake has grown, when this one has computed and not committed."""
    whole = commit_parts

    def disturbed(*given: Any) -> Any:
        monkeypatch.setattr(rebuilding, "commit_parts", whole)
        write_sessions(lake, "SPX", chains[7])
        # the lost file, which this one has written again, is the other's too
        assert rebuild(lake, "SPX").rebuilt == 1
        assert rebuild(lake, "SPX", definition=PEER_RULES["perfiliev"]).rebuilt == 8
        return whole(*given)

    first, *_ = store_of(lake).files("regimes")
    second = list(store_of(lake).files("regimes"))[-1]
    Path(second).unlink()
    monkeypatch.setattr(rebuilding, "commit_parts", disturbed)
    assert rebuild(lake, "SPX").rebuilt == 1
    assert Path(first).exists()
    assert rebuild(lake, "SPX").rebuilt == 0
    own = regimes(lake, "SPX", definition_id=DEFAULT.definition_id)
    assert own["session"].nunique() == 8
    assert not verify(lake).damaged


@pytest.mark.parametrize("rule", [None, "perfiliev"])
def test_rows_of_a_session_that_left_the_lake_go(
    tmp_path: Path, chains: list[pa.Table], rule: str | None
) -> None:
    definition = DEFAULT if rule is None else PEER_RULES[rule]
    for count in (3, 2):
        lake = open_lake(tmp_path, create=True)
        with lake_writer(lake, "SPX") as writer:
            writer.add(sorted_rows(pa.concat_tables(chains[:count])))
            writer.drop(entry.session for entry in writer.before.sessions[count:])
            writer.commit()
        rebuild(lake, "SPX", definition=definition)
        assert regimes(lake, "SPX")["session"].nunique() == count


def test_a_first_rebuild_that_fails_leaves_nothing(
    tmp_path: Path, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*given: Any) -> Any:
        raise LakeError("in the middle")

    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", pa.concat_tables(chains))
    monkeypatch.setattr(rebuilding, "_update", failing)
    with pytest.raises(LakeError, match="in the middle"):
        rebuild(lake, "SPX")
    names = ["chains", "sessions", "sources", "versions"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_what_a_killed_rebuild_left_is_never_read(lake: Lake, chains: list[pa.Table]) -> None:
    first, *_ = store_of(lake).files("regimes")
    for name in ("2022-01-03_2022-01-04_00000000.parquet", ".2022-01-03.99.half"):
        Path(first).with_name(name).write_bytes(b"PAR1")
    write_sessions(lake, "SPX", chains[7])
    rebuild(lake, "SPX")
    assert regimes(lake, "SPX")["session"].nunique() == 8
    assert not verify(lake).damaged


@pytest.mark.parametrize("times", [1, pytest.param(100, marks=pytest.mark.slow)])
def test_readers_beside_rebuilds_never_miss_a_session(lake: Lake, times: int) -> None:
    """Each rebuild replaces all files of the one before."""
    code = (
        "import sys, pathlib; from gexlab.data import rebuild\n"
        f"for i in range({times}):\n"
        "    rebuild(sys.argv[1], 'SPX')\n"
        "    for part in pathlib.Path(sys.argv[1]).glob('quality_findings/*/*/*.parquet'):\n"
        "        part.unlink()\n"
        "rebuild(sys.argv[1], 'SPX')\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(lake.root)])
    reads = 0
    while writer.poll() is None or reads == 0:
        assert regimes(lake, "SPX", book=None)["session"].nunique() == 7
        reads += 1
    assert writer.returncode == 0
    assert reads > times


def test_how_columns_are_written(lake: Lake) -> None:
    """Numbers with their bytes apart, words as codes that readers see nothing of."""
    store = store_of(lake)
    part = max(store.parts, key=lambda part: len(part.sessions))
    with pq.ParquetFile(store.file("profile", part)) as file:
        group, schema = file.metadata.row_group(0), file.schema_arrow
        columns = [group.column(i) for i in range(group.num_columns)]
    how = {c.path_in_schema: (set(c.encodings), c.compression, c.is_stats_set) for c in columns}
    numbers = {name for name, said in how.items() if "BYTE_STREAM_SPLIT" in said[0]}
    assert numbers == {"level", "log_move", "net_gex", "gross_gex"}
    assert {how[name][1] for name in numbers} == {"LZ4"}
    assert {said[1] for name, said in how.items() if name not in numbers} == {"UNCOMPRESSED"}
    assert {name for name, said in how.items() if said[2]} == {"session"}
    assert {f.type for f in schema if f.name in ("underlying", "book")} == {pa.string()}
    path = str(store.file("profile", part))
    levels = duckdb.read_parquet(path).fetchnumpy()["level"]
    assert np.array_equal(levels, pq.ParquetFile(path).read()["level"].to_numpy())
