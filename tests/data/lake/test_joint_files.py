"""Files that parts of rebuilt tables share after a compaction."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_lake import session_tables

from gexlab.data import compact, rebuild, vacuum, verify
from gexlab.data.base.errors import LakeError
from gexlab.data.exposure.definition import Definition
from gexlab.data.lake import derived_writer, joint_files
from gexlab.data.lake.data_files import write_groups
from gexlab.data.lake.derived_records import store_record, stored, stores_of
from gexlab.data.lake.derived_tables import REBUILDS, TABLES
from gexlab.data.lake.derived_writer import Uncommitted, commit_stores, record_change
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.sql_worker import open_connection
from gexlab.data.lake.versions import commit, newest, table_files
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.query import query
from gexlab.data.regimes.rebuild import computed
from gexlab.data.regimes.spec import RegimeSpec
from gexlab.data.regimes.table import rows_of

BOOKS = ("as_of_close", "post_expiry")
SESSIONS = 3
#: Definitions, dealer models and inputs of the same sessions.
RUNS: tuple[dict[str, Any], ...] = (
    {},
    {"dealer": "inverted", "side_tables": False},
    {"instrument": "share"},
)
SQL = "SELECT dealer_model, session, book, net_gex FROM regimes ORDER BY ALL"


@pytest.fixture(scope="module")
def chains() -> list[pa.Table]:
    return list(session_tables(SESSIONS + 1, 30, seed=3))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, chains: list[pa.Table]) -> Path:
    lake = open_lake(tmp_path_factory.mktemp("joint") / "lake", create=True)
    for rows in chains[:SESSIONS]:
        write_sessions(lake, "SPX", rows)
        for run in RUNS:
            rebuild(lake, "SPX", **run)
    return lake.root


@pytest.fixture
def lake(grown: Path, tmp_path: Path) -> Lake:
    shutil.copytree(grown, tmp_path / "lake")
    return open_lake(tmp_path / "lake")


def everything(lake: Lake) -> list[pa.Table]:
    """Every value of every store, by table and book."""
    return [
        rows_of(lake, "SPX", table, [store], book)
        for store in stores_of(lake, "SPX")
        for book in BOOKS
        for table in store.parts[0].tables
    ]


def closing_rows(lake: Lake) -> dict[str, list[str]]:
    """Rows of the first book by table; stores whose rows have equal keys come in no order."""
    stores = stores_of(lake, "SPX")
    return {
        table: sorted(map(repr, rows_of(lake, "SPX", table, stores, BOOKS[0]).to_pylist()))
        for table in TABLES
    }


def named(lake: Lake, table: str) -> list[str]:
    return sorted(table_files(lake.root, newest(lake.root), table))


def test_one_file_for_each_underlying_and_year(lake: Lake) -> None:
    [shares] = [store.label for store in stores_of(lake, "SPX") if "instrument" in store.inputs]
    before, asked = everything(lake), query(lake, SQL, definition=shares)
    assert asked.num_rows == 2 * SESSIONS
    was = newest(lake.root).number
    done = compact(lake)
    assert done.rebuilt_after == len(TABLES)
    assert [len(named(lake, table)) for table in TABLES] == [1] * len(TABLES)
    assert everything(lake) == before == everything(Lake(lake.root, was))
    assert query(lake, SQL, definition=shares).equals(asked)
    assert [rebuild(lake, "SPX", **run).rebuilt for run in RUNS] == [0, 0, 0]
    assert newest(lake.root).number == was + 1 + (done.files_before > 1)
    assert compact(lake).rebuilt_after == len(TABLES)
    assert newest(lake.root).number == was + 1 + (done.files_before > 1)
    vacuum(lake, retention=0.0, grace=0.0)
    assert everything(lake) == before
    assert not verify(lake).damaged
    assert len(list((lake.root / "profile").rglob("*.parquet"))) == 1


def test_a_rebuild_of_one_book_leaves_the_rows_of_the_other(
    lake: Lake, chains: list[pa.Table]
) -> None:
    """Nothing of the shared file is written again; what counts no more is not read."""
    compact(lake)
    joint = {table: named(lake, table) for table in TABLES}
    was, before = newest(lake.root).number, everything(lake)
    closing = closing_rows(lake)
    changed = chains[1].set_column(
        chains[1].column_names.index("open_interest"),
        "open_interest",
        pa.array([7.0] * len(chains[1])),
    )
    write_sessions(lake, "SPX", changed)
    assert rebuild(lake, "SPX", books=("post_expiry",)).rebuilt == 2  # and the session after it
    assert all(set(joint[table]) < set(named(lake, table)) for table in TABLES)
    assert everything(Lake(lake.root, was)) == before
    assert closing_rows(lake) == closing
    rebuild(lake, "SPX")
    fresh = rows_of(lake, "SPX", "regimes", [stores_of(lake, "SPX")[-1]])
    grown = everything(lake)
    compact(lake)
    assert everything(lake) == grown
    assert fresh.num_rows == 2 * SESSIONS
    assert [len(named(lake, table)) for table in TABLES] == [1] * len(TABLES)
    assert not verify(lake).damaged


@pytest.mark.parametrize("spot", ["own", "footer"])
def test_a_book_depends_on_its_own_bytes_and_the_footer(lake: Lake, spot: str) -> None:
    compact(lake)
    store = next(s for s in stores_of(lake, "SPX") if s.inputs == {})
    part = next(p for p in store.parts if p.book == "post_expiry")
    path, place = store.file("profile", part), part.places["profile"]
    content = bytearray(path.read_bytes())
    content[place.begin + 30 if spot == "own" else place.tail + 30] ^= 1
    path.write_bytes(content)
    found = {d.session for d in verify(lake).damaged}
    assert len(found) == SESSIONS
    with pytest.raises(LakeError, match="not those that were written"):
        rows_of(lake, "SPX", "profile", [store], "post_expiry")
    if spot == "own":
        assert rows_of(lake, "SPX", "profile", [store], "as_of_close").num_rows == SESSIONS * 401
        return
    with pytest.raises(LakeError, match="not those that were written"):
        rows_of(lake, "SPX", "profile", [store], "as_of_close")


def test_row_groups_hold_one_part_each(lake: Lake) -> None:
    compact(lake)
    [path] = (lake.root / "regimes").rglob("joint-*.parquet")
    with pq.ParquetFile(path) as file:
        groups = [file.read_row_group(i) for i in range(file.num_row_groups)]
    held = [{(r["dealer_model"], r["book"]) for r in rows.to_pylist()} for rows in groups]
    assert [len(each) for each in held] == [1] * len(RUNS) * len(BOOKS)
    assert all(rows.column("session").to_pylist() == sorted(set(rows.column("session").to_pylist()))
               for rows in groups)  # fmt: skip


def test_a_compaction_that_others_overtake_begins_anew(
    lake: Lake, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = list[int]()

    def overtaken(*given: Any, **more: Any) -> Any:
        if not turns:
            turns.append(1)
            write_sessions(lake, "SPX", chains[SESSIONS])
            rebuild(lake, "SPX")
        return commit(*given, **more)

    monkeypatch.setattr(joint_files, "commit", overtaken)
    compact(lake)
    assert [len(named(lake, table)) for table in TABLES] == [1] * len(TABLES)
    assert rebuild(lake, "SPX").rebuilt == 0
    stores = {(s.dealer_model, len(s.inputs)): s for s in stores_of(lake, "SPX")}
    assert rows_of(lake, "SPX", "regimes", [stores["naive", 0]]).num_rows == 2 * (SESSIONS + 1)
    assert not verify(lake).damaged


@pytest.mark.parametrize("together", [False, True])
def test_a_shared_file_goes_with_its_last_rows(
    lake: Lake, chains: list[pa.Table], *, together: bool
) -> None:
    """Two definitions' rows lie in it; whoever leaves first must not take the other's along."""
    compact(lake)
    [joint] = named(lake, "regimes")
    for i, rows in enumerate(chains[:SESSIONS]):
        place = rows.column_names.index("open_interest")
        numbers = pa.array([float(i + 5)] * len(rows))
        write_sessions(lake, "SPX", rows.set_column(place, "open_interest", numbers))
    rebuild(lake, "SPX", instrument="share")
    rebuild(lake, "SPX", books=("post_expiry",))
    specs = (RegimeSpec("SPX"), RegimeSpec("SPX", dealer="inverted"))
    if together:
        made = [computed(lake, specs[0]), computed(lake, specs[1], side_tables=False)]
        commit_stores([each.rows for each in made if isinstance(each.rows, Uncommitted)])
    else:
        rebuild(lake, "SPX")
        assert joint in named(lake, "regimes")  # the other dealer model's rows lie there
        rebuild(lake, "SPX", dealer="inverted", side_tables=False)
    assert joint not in named(lake, "regimes")
    assert not verify(lake).damaged


@pytest.mark.parametrize("most", [("SMALL", 0), ("ROWS_OF_GROUP", 0)])
def test_both_books_share_files_where_they_are_small(
    lake: Lake, most: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Definition(rate=0.02)
    rebuild(lake, "SPX", definition=together)
    monkeypatch.setattr(derived_writer, *most)
    rebuild(lake, "SPX", definition=Definition(rate=0.02, band=0.021))
    both, apart = (
        next(s for s in stores_of(lake, "SPX") if s.definition_id == d.definition_id)
        for d in (together, Definition(rate=0.02, band=0.021))
    )
    for table in TABLES:
        assert len(apart.files(table)) == 2 * len(both.files(table))
        for book in BOOKS:
            assert set(both.files(table, book)) == set(both.files(table))
            told = [
                rows_of(lake, "SPX", table, [store], book).drop_columns(["definition_id"])
                for store in (both, apart)
            ]
            assert told[0].equals(told[1])
    assert not verify(lake).damaged


def test_a_record_states_what_is_shared_alone(lake: Lake) -> None:
    """Places where parts lie in a joint file, a row group where both books lie in one."""
    plain = {"name", "book", "sessions", "tables", "digests", "version"}
    assert _stated_by_parts(lake) == {*plain, "group"}
    rebuild(lake, "SPX", dealer="inverted", books=("post_expiry",))
    own = [p for p in _parts(lake) if p["book"] == "post_expiry" and "_both_" not in p["name"]]
    assert own
    assert {key for part in own for key in part} == plain
    compact(lake)
    assert _stated_by_parts(lake) == {*plain, "places"}


def test_what_is_never_missing_is_no_other_column(lake: Lake, tmp_path: Path) -> None:
    """Files say it of their keys; those of earlier versions, and shared ones, do not."""
    [first, *_] = sorted(lake.root.glob("regimes/*/*/*.parquet"))
    said = pq.read_schema(first)
    assert not said.field("session").nullable
    assert said.field("net_gex").nullable
    earlier = tmp_path / "earlier.parquet"
    with pq.ParquetFile(first) as file:
        pq.write_table(pa.table(file.read().to_pydict()).cast(joint_files._plain(said)), earlier)
    assert joint_files._schema_of(earlier) == joint_files._schema_of(first)
    mixed = [{"files": [str(earlier), str(first)], "sessions": None}]
    count = open_connection({"regimes": mixed}, 2**28).sql("SELECT count(session) FROM regimes")
    assert count.fetchall() == [(2 * pq.read_metadata(first).num_rows,)]


def _stated_by_parts(lake: Lake) -> set[str]:
    return {key for part in _parts(lake) for key in part}


def _parts(lake: Lake) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for said in table_files(lake.root, newest(lake.root), REBUILDS).values():
        with pq.ParquetFile(lake.root / REBUILDS / said.path) as file:
            [row] = file.read().to_pylist()
        found += json.loads(row["parts"])
    return found


@pytest.mark.parametrize(
    "place",
    [
        ["../x.parquet"],
        ["joint-v1-0123456789ab.parquet", -1],
        ["joint-v1-0123456789ab.parquet", 0, 10**12],
        ["joint-v1-0123456789ab.parquet", 0, 6, 0, 6],  # in five bytes
    ],
)
def test_places_that_lead_elsewhere_are_refused(place: list[Any]) -> None:
    from gexlab.data.lake import derived_records
    from gexlab.data.lake.derived_parts import Part, Place

    numbers = [0, 1, 0, 1, 4, 9, 9]
    assert derived_records._is_place(Place("joint-v1-0123456789ab.parquet", *numbers))
    made = Place(*(place + numbers[len(place) - 1 :]))
    part = Part("2014-01-02_2014-01-02_post_expiry_x", "post_expiry", {}, ("regimes",), {}, 0,
                {"regimes": made})  # fmt: skip
    assert not derived_records._is_part(part)


@pytest.mark.parametrize(
    "stated",
    [{"tail": 10**15}, {"group": 900}, {"group": 1}, {"groups": 0}, {"rows": 2}, {"row": 7}],
)
def test_places_that_a_file_does_not_have_are_no_rows(lake: Lake, stated: dict[str, Any]) -> None:
    """A record from elsewhere may state any numbers, every digest right."""
    compact(lake)
    version = newest(lake.root)
    store = next(s for s in stores_of(lake, "SPX") if s.inputs == {} and s.dealer_model == "naive")
    record = store_record(store, version)
    there = stored(store, record)
    parts = [
        replace(p, places={t: replace(place, **stated) for t, place in p.places.items()})
        for p in there.parts
    ]
    change = record_change(there, version, replace(there, parts=tuple(parts)))
    commit(lake.root, version, [change], operation="rebuild", underlying="SPX", sessions=0)
    assert any("do not lie where" in d.what or "rows for" in d.what for d in verify(lake).damaged)
    refusal = r"run gexlab rebuild again|not a record of a rebuild"
    with pytest.raises(LakeError, match=refusal):
        rows_of(lake, "SPX", "profile", [stored(store, store_record(store, newest(lake.root)))])
    with pytest.raises(LakeError, match=refusal):
        stored(store, store_record(store, newest(lake.root))).pieces("regimes")  # as SQL does


def test_a_file_that_changes_while_it_is_written_is_no_shared_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint_files, "write_groups", _one_row_less(write_groups))
    before = everything(lake)
    with pytest.raises(LakeError, match="were written: run gexlab compact again"):
        compact(lake)
    assert everything(lake) == before


def _one_row_less(write: Any) -> Any:
    def written(*given: Any) -> Any:
        file, counts = write(*given)
        return file, [counts[0] + 1, *counts[1:]]

    return written
