"""Chain files as they are read here are what the query gives: the query is the plain twin."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gexlab.data.base.errors import LakeError
from gexlab.data.lake import chain_reader, parts
from gexlab.data.lake.chain_columns import OtherLayout, opened_part, rows_between
from gexlab.data.lake.chain_reader import RawSession, read_entries, read_sessions
from gexlab.data.lake.connection import Database, connect
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.parts import CHAIN_SCHEMA
from gexlab.data.lake.session_stream import sorted_rows
from gexlab.data.lake.writer import write_sessions

if TYPE_CHECKING:
    from collections.abc import Collection

DAYS = [date(2022, 12, 19) + timedelta(days=i) for i in range(5)]
#: More of them than DuckDB looks through one by one: it joins, and a join keeps no order.
SOURCES = [f"made:{i}" for i in range(9)]
ROWS = 700


def random_rows(day: date, seed: int, rows: int = ROWS) -> pa.Table:
    """Rows of two snapshots, half of everything that may be NULL being so."""
    random = np.random.default_rng(seed)
    close = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)

    def some(values: list[Any]) -> list[Any]:
        return [values[i] for i in random.integers(0, len(values), rows)]

    def numbers() -> pa.Array:
        return pa.array(
            np.round(random.uniform(-1.0, 3.0, rows), 2), mask=random.random(rows) < 0.5
        )

    ends = some([30, 60, 90])
    columns: dict[str, Any] = {
        "underlying": ["SPX"] * rows,
        "session": [day] * rows,
        "quote_ts": some([close, close - timedelta(hours=2)]),
        "root": some(["SPX", "SPXW", None]),
        "expiry": [day + timedelta(days=n) for n in ends],
        "settlement": some(["AM", "PM"]),
        "expiry_ts": [close + timedelta(days=n) for n in ends],
        "strike": random.integers(90, 110, rows).astype(float),
        "right": some(["C", "P"]),
        "oi_asof": some([day - timedelta(days=1), day - timedelta(days=2), None]),
        "spot": some([100.0, 100.5]),
        "multiplier": some([100.0, 10.0, None]),
        "known_at": some([close + timedelta(hours=1), close - timedelta(hours=3)]),
        "source": some(SOURCES),
    }
    table = {f.name: columns.get(f.name) for f in CHAIN_SCHEMA}
    made = [
        numbers() if table[f.name] is None else pa.array(table[f.name], f.type)
        for f in CHAIN_SCHEMA
    ]
    return sorted_rows(pa.Table.from_arrays(made, schema=CHAIN_SCHEMA))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three sessions a row group, its last rows fewer than DuckDB hands on at a time."""
    lake = open_lake(tmp_path_factory.mktemp("lake"), create=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "_GROUP_ROWS", 2500)
        write_sessions(
            lake, "SPX", pa.concat_tables(random_rows(day, i) for i, day in enumerate(DAYS))
        )
        write_sessions(lake, "SPX", random_rows(DAYS[3], seed=99))  # replaced: a file of its own
    return lake


def by_query(lake: Lake, settled: Collection[str]) -> list[RawSession]:
    found: list[RawSession] = []
    with connect(lake, threads=1) as connection:
        for entry in lake.sessions("SPX"):
            day = entry.session
            found += read_sessions(connection, [entry.file], day, day, settled=settled)
    return found


def require_same(found: list[RawSession], expected: list[RawSession]) -> None:
    assert [raw.session for raw in found] == [raw.session for raw in expected]
    for raw, twin in zip(found, expected, strict=True):
        assert raw.columns.keys() == twin.columns.keys()
        for name, values in raw.columns.items():
            other = twin.columns[name]
            assert (values.dtype, values.flags.writeable) == (other.dtype, True)
            if name == "root_number":
                np.testing.assert_array_equal(values == 0, other == 0)
                assert len(set(zip(values.tolist(), other.tolist(), strict=True))) == 3
            else:
                np.testing.assert_array_equal(values, other, strict=True)
        np.testing.assert_array_equal(raw.spots, twin.spots)
        assert (raw.spot, raw.oi_asof) == (twin.spot, twin.oi_asof)
        assert raw.known_before_quotes == twin.known_before_quotes


@pytest.mark.parametrize("settled", [(), SOURCES[:1], SOURCES[:8]])
@pytest.mark.parametrize("together", [64, 1_000, 16_384])
def test_both_ways_give_the_same_and_one_starts_no_database(
    lake: Lake, settled: Collection[str], together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gexlab.data.lake.chain_columns._TOGETHER", together)
    with ExitStack() as until:
        reading = Database(lake, until)
        found = list(read_entries(reading, lake.sessions("SPX"), settled=settled))
        assert not reading.started
    require_same(found, by_query(lake, settled))
    assert [raw.session for raw in found] == DAYS
    assert sum(int((raw.columns["strike"] > 0).sum()) for raw in found) > ROWS


def test_a_query_over_many_sources_keeps_the_order(lake: Lake) -> None:
    """Rows at the end of a row group must not come after those of the next one."""
    (file,) = {entry.file for entry in lake.sessions("SPX") if entry.session != DAYS[3]}
    with connect(lake, threads=1) as connection:
        found = read_sessions(connection, [file], DAYS[0], DAYS[4], settled=SOURCES)
        assert [raw.session for raw in found] == [*DAYS[:3], DAYS[4]]


@pytest.mark.parametrize("other", ["types", "pages", "row groups"])
def test_files_that_others_wrote_anew_are_read_by_the_query(
    lake: Lake, tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = lake.sessions("SPX")[0]
    file = tmp_path / "a" / "b" / "c" / entry.file.name
    file.parent.mkdir(parents=True)
    rows = pq.ParquetFile(entry.file).read()
    day = pa.timestamp("ms", tz="UTC")
    for name in ("quote_ts", "known_at") if other == "types" else ():
        rows = rows.set_column(rows.column_names.index(name), name, pc.cast(rows[name], day))
    version = "2.0" if other == "pages" else "1.0"
    pq.write_table(rows, file, compression="zstd", data_page_version=version, store_schema=False)
    if other == "row groups":
        monkeypatch.setattr("gexlab.data.lake.chain_columns._MOST_ROWS", len(rows) - 1)
    with opened_part(file) as part, pytest.raises(OtherLayout):
        next(rows_between(part, DAYS[0], DAYS[0], ()))
    monkeypatch.setattr(chain_reader, "require_intact", lambda *_: None)
    with ExitStack() as until:
        reading = Database(lake, until)
        found = chain_reader.read_files(reading, [file], DAYS[0], DAYS[0], SOURCES[:8])
        require_same(list(found), by_query(lake, SOURCES[:8])[:1])
        assert reading.started


def test_contracts_without_a_right_are_refused_not_taken_for_puts(
    lake: Lake, tmp_path: Path
) -> None:
    rows = pq.ParquetFile(lake.sessions("SPX")[0].file).read()
    for name, kind in (("right", pa.string()), ("expiry", pa.date32())):
        torn = rows.set_column(rows.column_names.index(name), name, pa.nulls(len(rows), kind))
        pq.write_table(torn, tmp_path / "torn.parquet", store_schema=False, compression="zstd")
        with (
            opened_part(tmp_path / "torn.parquet") as part,
            pytest.raises(LakeError, match="ingest its sessions again"),
        ):
            list(rows_between(part, DAYS[0], DAYS[-1], ()))


def test_a_file_that_is_no_longer_what_was_checked_is_one_line(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lake.sessions("SPX")[0].file.read_bytes()
    file = tmp_path / "a" / "b" / "c" / "torn.parquet"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(chain_reader, "require_intact", lambda *_: None)
    for content in (b"", whole[: len(whole) // 2], whole[:64] + bytes(400) + whole[464:]):
        file.write_bytes(content)
        with ExitStack() as until, pytest.raises(LakeError, match=r"cannot be read .* restore it"):
            list(chain_reader.read_files(Database(lake, until), [file], DAYS[0], DAYS[4]))
    file.unlink()
    with ExitStack() as until, pytest.raises(LakeError, match=r"cannot be read .* restore it"):
        list(chain_reader.read_files(Database(lake, until), [file], DAYS[0], DAYS[4]))


@pytest.mark.parametrize("seed", range(8))
def test_what_the_rows_of_a_session_say_is_what_numpy_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 30))
    spot = random.choice([100.0, 100.5, np.nan][: 1 + seed % 3], n)
    multiplier = random.choice([100.0, np.nan][: 1 + seed % 2], n)
    known, quote = random.integers(5 - seed, 9, n), np.full(n, 5)
    asof = random.integers(-1, seed % 4, n).astype(np.int32)
    assert chain_reader._summary(multiplier, spot, known, quote, asof) == (
        np.isnan(multiplier).sum(),
        not (spot == spot[0]).all().item(),
        bool((known < quote).any()),
        asof.max(),
    )


def test_contracts_of_unknown_multiplier_stay_where_all_are(lake: Lake) -> None:
    with ExitStack() as until:
        (raw,) = read_entries(Database(lake, until), lake.sessions("SPX")[:1])
    assert not np.isnan(raw.columns["multiplier"]).any()
    columns = {name: values.copy() for name, values in raw.columns.items()}
    columns["multiplier"][:] = np.nan
    assert len(chain_reader._session([columns]).columns["strike"]) == len(raw.columns["strike"])
