"""Versions, vacuum, compaction and migration: what was readable gives the values that it gave."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from make_lake import session_tables

from gexlab.data import (
    archive_version,
    compact,
    migrate,
    rebuild,
    regimes,
    vacuum,
    verify,
    versions,
)
from gexlab.data.base.errors import LakeError
from gexlab.data.base.fingerprints import file_fingerprint
from gexlab.data.lake import checkpointing, delta_log, former_layout, housekeeping, joint_files
from gexlab.data.lake import versions as rows_of_versions
from gexlab.data.lake.checkpoints import checkpoint_file
from gexlab.data.lake.delta_log import TableVersion, files_at, log_file
from gexlab.data.lake.derived_parts import Part
from gexlab.data.lake.derived_records import store_record, stored, stores_of
from gexlab.data.lake.derived_tables import TABLES, DerivedStore
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.parts import part_rows
from gexlab.data.lake.storage import TakenError
from gexlab.data.lake.versions import newest, table_files
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.store_choice import find_stores
from gexlab.data.regimes.table import read_rebuilt, rows_of
from gexlab.reports.cli import app as cli

SESSIONS = 6


@pytest.fixture(scope="module")
def chains() -> list[pa.Table]:
    return list(session_tables(SESSIONS, 40, seed=9))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, chains: list[pa.Table]) -> Path:
    """A lake that grew by a session at a time, rebuilt after each."""
    root = tmp_path_factory.mktemp("grown") / "lake"
    lake = open_lake(root, create=True)
    for rows in chains:
        write_sessions(lake, "SPX", rows)
        rebuild(lake, "SPX")
    return root


@pytest.fixture
def lake(grown: Path, tmp_path: Path) -> Lake:
    shutil.copytree(grown, tmp_path / "lake")
    return open_lake(tmp_path / "lake")


def everything(lake: Lake) -> dict[str, pa.Table]:
    """Every value of every table, in the order of sessions."""
    files = lake.chain_files("SPX")
    found = {"chains": pa.concat_tables([pq.ParquetFile(p).read() for p in files])}
    for table in TABLES:
        rows = read_rebuilt(lake, table, "SPX", None, None, None)
        keys = [(name, "ascending") for name in ("session", "book") if name in rows.column_names]
        found[table] = rows.sort_by(keys)
    return found


def as_seen(lake: Lake) -> dict[date, str]:
    return {e.session: e.fingerprint for e in lake.sessions("SPX")}


def test_versions_say_what_changed(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    found = versions(lake)
    assert [v.version for v in found] == list(range(2 * SESSIONS))
    assert [v.operation for v in found] == ["write", "rebuild"] * SESSIONS
    assert {v.sessions for v in found} == {1}
    assert {v.underlying for v in found} == {"SPX"}
    moments = [v.at for v in found]
    assert moments == sorted(moments)
    assert cli.run(["versions", "--lake", str(lake.root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said[0]) == {"version", "at", "operation", "underlying", "sessions"}
    assert len(said) == 2 * SESSIONS
    assert cli.run(["versions", "--lake", str(lake.root)]) == 0
    assert "rebuild" in capsys.readouterr().out


def test_each_version_is_read_as_it_was(lake: Lake, chains: list[pa.Table]) -> None:
    days = [rows.column("session")[0].as_py() for rows in chains]
    for number in range(2 * SESSIONS):
        assert list(as_seen(Lake(lake.root, number))) == days[: number // 2 + 1]
    with pytest.raises(LakeError, match=r"has versions 0 to 11, not 99"):
        Lake(lake.root, 99).sessions("SPX")


def test_a_clock_that_ran_ahead_hides_nothing_that_came_after(
    tmp_path: Path,
    chains: list[pa.Table],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Version 1 is written in 2099; others are read as of their own time, and vacuum goes on."""
    began = datetime.now(UTC) - timedelta(days=9)
    moments = [began, began.replace(year=2099), *(began + timedelta(days=d) for d in (2, 4, 6))]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moments[0]

    monkeypatch.setattr(rows_of_versions, "datetime", Clock)
    lake = open_lake(tmp_path / "lake", create=True)
    told = []
    for rows in chains[:5]:
        write_sessions(lake, "SPX", rows)
        told.append(moments.pop(0) if len(moments) > 1 else moments[0])
    monkeypatch.undo()
    assert [v.at for v in versions(lake)] == told
    assert "version 1 is dated 2099" in caplog.text
    assert caplog.text.count("2099") == 1
    for day, number in ((1, 0), (3, 2), (5, 3), (8, 4)):
        at = (began + timedelta(days=day)).isoformat()
        assert open_lake(lake.root, as_of=at).version == number
    with pytest.raises(LakeError, match=r"2098-01-01 00:00:00: that moment has not come \(it is 2"):
        open_lake(lake.root, as_of="2098-01-01T00:00")
    with pytest.raises(LakeError, match="name a later moment, or a version"):
        open_lake(lake.root, as_of="2015-01-01")
    assert open_lake(lake.root, as_of=datetime.now(UTC).date().isoformat()).version == 4
    assert vacuum(lake, retention=4.5).oldest == 3


def test_vacuum_keeps_what_was_in_force(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 30 days of clock: one version a week for twelve weeks."""
    root = lake.root
    began = datetime(2026, 1, 5, tzinfo=UTC)
    read = rows_of_versions.version_at

    def dated(root: Path, number: int) -> Any:
        found = read(root, number)
        at = began + timedelta(weeks=number)
        return replace(found, at=at)

    monkeypatch.setattr(housekeeping, "version_at", dated)
    now = began + timedelta(weeks=11)
    values = everything(lake)
    assert vacuum(lake, now=began + timedelta(days=29)).files == 0
    done = vacuum(lake, now=now)
    # 30 days before the twelfth week the version of the seventh was in force
    assert (done.oldest, done.versions) == (6, 12 - 6 + 1)
    assert done.files > 0
    for number in range(6, 12):
        assert as_seen(Lake(root, number))
        version = Lake(root, number).at()
        for table in version.tables:
            assert all((root / table / p).exists() for p in table_files(root, version, table))
    with pytest.raises(LakeError, match=r"version 5 of the lake .* has been vacuumed: the oldest"):
        Lake(root, 5).sessions("SPX")
    assert everything(lake) == values
    assert not verify(lake).damaged


def test_vacuum_spares_what_archived_runs_name(lake: Lake) -> None:
    root = lake.root
    before = {n: as_seen(Lake(root, n)) for n in (1, 4)}
    assert [archive_version(lake, n, f"night {n}") for n in (1, 4, 4)] == [True, True, False]
    with pytest.raises(LakeError, match="has versions 0 to 13, not 99"):
        archive_version(lake, 99, "night 99")
    for _ in range(2):  # what is spared stays spared
        done = vacuum(lake, retention=0.0, grace=0.0)
    assert (done.oldest, done.versions, newest(root).number) == (14, 4, 15)
    assert [v.version for v in versions(root)] == [1, 4, 14, 15]
    assert {n: as_seen(Lake(root, n)) for n in before} == before
    with pytest.raises(LakeError, match=r"version 3 of the lake .* has been vacuumed"):
        Lake(root, 3).at()
    assert not verify(lake).damaged
    (row,) = list((root / "archives").glob("v12-*.parquet"))
    row.write_bytes(row.read_bytes()[:-1])
    assert [d.file for d in verify(lake).damaged] == [str(row)]


def test_vacuum_leaves_what_is_being_written(lake: Lake) -> None:
    (part, *_) = lake.chain_files("SPX")
    fresh = part.with_name("20140101-20140102-0123456789ab.parquet")
    fresh.write_bytes(b"in the making")
    assert vacuum(lake, retention=0.0).oldest == 2 * SESSIONS - 1
    assert fresh.exists()
    vacuum(lake, retention=0.0, grace=0.0)
    assert not fresh.exists()
    assert not verify(lake).damaged
    with pytest.raises(LakeError, match="retention of -1 days"):
        vacuum(lake, retention=-1.0)


def test_writers_beside_a_vacuum(
    lake: Lake, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vacuum comes when all of a commit is on disk and nothing of it is visible."""
    seal, comes = rows_of_versions._sealed, [False]

    def beside(root: Path, made: Any, previous: str) -> bytes:
        if comes[0]:
            comes[0] = False  # it commits a version too, so that the writer tries again
            assert vacuum(root, retention=0.0).files
        return seal(root, made, previous)

    monkeypatch.setattr(rows_of_versions, "_sealed", beside)
    before = everything(lake)
    half = [rows.slice(0, 20) for rows in chains[:2]]
    for changed in (half, chains[:2]):
        for rows in changed:
            comes[0] = True
            write_sessions(lake, "SPX", rows)
            assert not comes[0]
        comes[0] = True
        rebuild(lake, "SPX")
        assert not comes[0]
    after = everything(lake)
    assert {name: rows.equals(before[name]) for name, rows in after.items()} == dict.fromkeys(
        after, True
    )
    assert not verify(lake).damaged


def test_few_files_are_left_alone(lake: Lake) -> None:
    before = newest(lake.root).number
    done = compact(lake, more_than=SESSIONS)
    assert (done.files_before, done.files_after) == (SESSIONS, SESSIONS)
    assert newest(lake.root).number == before
    assert compact(lake, more_than=SESSIONS - 1).files_after == 1


def test_compacting_changes_no_value(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    before, seen = everything(lake), as_seen(lake)
    old = Lake(lake.root, 2 * SESSIONS - 1)
    assert cli.run(["compact", "--lake", str(lake.root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    years = len({day.year for day in seen})
    assert (said["files_before"], said["files_after"]) == (SESSIONS, years)
    assert said["rebuilt_after"] == years * len(TABLES)
    assert said["rebuilt_before"] == SESSIONS * len(TABLES)  # both books share them
    assert everything(lake) == before
    assert as_seen(lake) == seen == as_seen(old)
    assert rebuild(lake, "SPX").rebuilt == 0
    assert compact(lake).files_before == years
    assert not verify(lake).damaged
    vacuum(lake, retention=0.0, grace=0.0)
    assert everything(lake) == before
    assert len(list((lake.root / "chains").rglob("*.parquet"))) == years


def test_compacting_keeps_rows_of_other_inputs_apart(lake: Lake) -> None:
    """What a share means of the same sessions: findings of its own, in files of its own."""
    rebuild(lake, "SPX", instrument="share")
    before = [rows_of(lake, "SPX", t, [s]) for s in stores_of(lake, "SPX") for t in TABLES]
    compact(lake)
    after = [rows_of(lake, "SPX", t, [s]) for s in stores_of(lake, "SPX") for t in TABLES]
    assert [rows.num_rows for rows in after] == [rows.num_rows for rows in before]
    assert after == before
    assert [rebuild(lake, "SPX", instrument=kind).rebuilt for kind in (None, "share")] == [0, 0]


def all_in_one(store: DerivedStore, parts: list[Any]) -> list[Any]:
    return [joint_files._Pile(store, tuple(part for part, _ in parts), parts[0][1])]


def test_rows_that_were_joined_across_inputs_are_refused(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lakes in which a compaction mixed rows of different inputs: each session twice."""
    rebuild(lake, "SPX", instrument="share")
    monkeypatch.setattr(joint_files, "_without_overlap", all_in_one)
    compact(lake)
    damaged = verify(lake).damaged
    assert {found.session for found in damaged} == set(as_seen(lake))
    assert {found.file.split("/")[-4] for found in damaged} == {"regimes"}
    with pytest.raises(LakeError, match="gexlab verify names the files"):
        regimes(lake, "SPX")
    for found in damaged:
        Path(found.file).unlink(missing_ok=True)
    assert rebuild(lake, "SPX", instrument="share").rebuilt == SESSIONS
    assert rebuild(lake, "SPX").rebuilt == SESSIONS
    vacuum(lake, retention=0.0, grace=0.0)  # earlier versions have lost what was deleted
    assert not verify(lake).damaged


def test_sources_that_stay_are_not_written_again(lake: Lake) -> None:
    """One file of them for all versions that say the same, which a vacuum leaves alone."""
    [(path, said)] = table_files(lake.root, newest(lake.root), "sources").items()
    assert newest(lake.root).tables["sources"].version == 0  # after as many writes as sessions
    vacuum(lake, retention=0.0, grace=0.0)
    content = (lake.root / "sources" / path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == said.digest
    assert not verify(lake).damaged
    assert len(lake.sessions("SPX")) == SESSIONS


def test_few_files_stay_apart(lake: Lake) -> None:
    """A year of as many files as are allowed keeps them; of one more it has one file."""
    by_year = Counter(entry.session.year for entry in lake.sessions("SPX"))
    most = max(by_year.values())
    kept = compact(lake, more_than=most)
    assert kept.files_after == kept.files_before == SESSIONS
    joined = compact(lake, more_than=most - 1)
    full = sum(count == most for count in by_year.values())
    assert joined.files_after == SESSIONS - full * (most - 1)


def formerly(lake: Lake, root: Path) -> None:
    """Write what a lake holds in the former layout."""
    held = lake.manifest("SPX")
    folder = root / "chains" / "underlying=SPX"
    sessions = []
    for e in held.sessions:
        name = re.sub("-v[0-9]+-", "-", f"year={e.session.year}/{e.file.name}")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(e.file, folder / name)
        asof = None if e.facts.oi_asof is None else e.facts.oi_asof.isoformat()
        facts = {k: v for k, v in (asdict(e.facts) | {"oi_asof": asof}).items() if v is not None}
        sessions.append({"session": str(e.session), "rows": e.rows, "fingerprint": e.fingerprint,
                         "file": name, "sources": list(e.sources), **facts})  # fmt: skip
    sources = [asdict(source) for source in held.sources]
    _seal(folder / "manifest.json", {"format": 2, "underlying": "SPX", "sources": sources,
                                     "sessions": sessions})  # fmt: skip
    for store in find_stores(lake, "SPX"):
        _former_store(store, root)


def _former_store(store: DerivedStore, root: Path) -> None:
    home = (
        root / "derived" / "underlying=SPX" / f"definition={store.definition_id}" / "dealer=naive"
    )
    whole = stored(store, store_record(store, store.lake.at()))
    parts = []
    for part in whole.parts:
        own = Part.of(part.book, part.sessions, part.tables)  # each book in files of its own
        for table in part.tables:
            path = home / table / f"{own.name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            with pq.ParquetFile(store.file(table, part)) as file:
                pq.write_table(file.read_row_groups(part.groups(table)), path)
            own.digests[table] = file_fingerprint(path)
        parts.append(own)
    _seal(home / "manifest.json", {
        "format": 2, "definition": store.definition, "dealer_model": store.dealer_model,
        "parts": [asdict(part) for part in parts],
        "variants": [asdict(variant) for variant in whole.variants],
    })  # fmt: skip


def _seal(path: Path, content: dict[str, Any]) -> None:
    body = json.dumps(content).removesuffix("}")
    digest = hashlib.sha256(body.encode()).hexdigest()
    path.write_text(f'{body},\n"digest": "{digest}"}}\n', encoding="utf-8")


def test_migration_changes_no_value(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "former"
    formerly(lake, root)
    for command in (["check"], ["rebuild", "--underlying", "SPX"], ["sql", "SELECT 1"], ["verify"]):
        assert cli.run([*command, "--lake", str(root)]) == 1
        assert "has the former layout: run gexlab migrate" in capsys.readouterr().err
    with monkeypatch.context() as patched:  # interrupted: the old records stay, and it goes on
        patched.setattr(former_layout, "_take_store", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            migrate(root)
    with pytest.raises(LakeError, match="former layout"):
        open_lake(root)
    assert cli.run(["migrate", "--lake", str(root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"underlyings": 1, "sessions": SESSIONS, "stores": 1, "left_out": 0}
    now = open_lake(root)
    assert everything(now) == everything(lake)
    assert as_seen(now) == as_seen(lake)
    assert rebuild(now, "SPX").rebuilt == 0
    assert not list(root.rglob("manifest.json"))
    assert not (root / "derived").exists()
    assert [v.operation for v in versions(now)] == ["migrate", "migrate"]
    assert migrate(root).underlyings == 0
    with pytest.raises(LakeError, match="does not exist, or holds no chains"):
        migrate(tmp_path / "nowhere")


def _interrupted(*_: Any) -> bool:
    raise KeyboardInterrupt


def test_a_migration_that_never_comes_to_commit_leaves_the_former_layout(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "former"
    formerly(lake, root)
    shutil.rmtree(root / "derived")
    before = sorted(path for path in root.rglob("*") if path.is_file())

    def taken(*_: Any, **__: Any) -> None:
        raise TakenError("1")

    with monkeypatch.context() as patched:
        patched.setattr(former_layout, "ATTEMPTS", 2)
        patched.setattr(former_layout, "commit", taken)
        with pytest.raises(LakeError, match="written to without a pause"):
            migrate(root)
    assert set(before) <= set(root.rglob("*"))
    assert migrate(root).sessions == SESSIONS


def test_a_damaged_lake_of_the_former_layout_stays(lake: Lake, tmp_path: Path) -> None:
    root = tmp_path / "former"
    formerly(lake, root)
    first, *_ = root.glob("chains/*/year=*/*.parquet")
    whole = first.read_bytes()
    first.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(LakeError, match="bytes are not those that were written: restore it"):
        migrate(root)
    assert list(root.glob("chains/*/manifest.json"))
    first.write_bytes(whole)
    assert migrate(root).sessions == SESSIONS


def test_the_tables_are_delta(lake: Lake) -> None:
    """Another program's reader sees the same rows, at every version that is named."""
    deltalake = pytest.importorskip("deltalake")
    version = lake.at()
    for name in ("chains", "sessions", "regimes", "rebuilds"):
        table = deltalake.DeltaTable(lake.root / name, version=version.tables[name].version)
        rows = pa.table(table.to_pyarrow_table())
        said = table_files(lake.root, version, name).values()
        assert rows.num_rows == sum(f.rows for f in said)
        assert "underlying" in rows.column_names
    listed = pa.table(deltalake.DeltaTable(lake.root / "versions").to_pyarrow_table())
    assert sorted(listed["version"].to_pylist()) == [v.version for v in versions(lake)]
    chain = pa.table(deltalake.DeltaTable(lake.root / "chains").to_pyarrow_table())
    strikes = sorted(chain["strike"].to_pylist())
    own = [part_rows(e.file, [e.session]) for e in lake.sessions("SPX")]
    assert strikes == sorted(pa.concat_tables(own)["strike"].to_pylist())
    assert set(chain["year"].to_pylist()) == {e.session.year for e in lake.sessions("SPX")}
    assert isinstance(regimes(lake, "SPX"), pd.DataFrame)


def test_a_checkpoint_says_what_the_log_says(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table]
) -> None:
    monkeypatch.setattr(checkpointing, "_LONG", 5)
    root, values = lake.root, everything(lake)
    before = {n: as_seen(Lake(root, n)) for n in range(2 * SESSIONS)}
    compact(lake)
    points = {name: at.checkpoint for name, at in newest(root).tables.items() if at.checkpoint}
    assert set(points) >= {"chains", "sessions", "regimes", "rebuilds"}
    write_sessions(lake, "SPY", chains[0])
    tables = newest(root).tables
    assert {n: tables[n].checkpoint for n in points} == points
    # read from a checkpoint on alone, and by another program
    for name in points:
        held = set(files_at(root / name, tables[name]))
        plain = TableVersion(tables[name].version, tables[name].chain)
        assert held == set(files_at(root / name, plain))
        table = DeltaTable(root / name, version=tables[name].version)
        assert {unquote(u.rpartition(f"/{name}/")[2]) for u in table.file_uris()} == {
            unquote(path) for path in held
        }
    moved = root / "aside"
    for name, point in points.items():  # nothing before it is read
        first = log_file(root / name, point.version - 1)
        first.rename(moved)
        files_at.cache_clear()
        delta_log._block.cache_clear()
        assert files_at(root / name, tables[name])
        moved.rename(first)
    assert {n: as_seen(Lake(root, n)) for n in before} == before
    assert everything(lake) == values
    assert not verify(lake).damaged
    # one that is not what was written is found, passed over and written again
    for name in ("regimes", "sessions"):
        log = root / name / "_delta_log"
        for path in (checkpoint_file(log, points[name].version), log / "_last_checkpoint"):
            whole = path.read_bytes()
            for harmed in (whole[:-3] + b"xyz", whole[: len(whole) // 2], None):
                path.unlink()
                if harmed is not None:
                    path.write_bytes(harmed)
                assert [d.file for d in verify(lake).damaged] == [str(path)]
                files_at.cache_clear()
                delta_log._block.cache_clear()
                assert everything(lake) == values
                compact(lake)
                assert path.read_bytes() == whole
    assert not verify(lake).damaged
