"""Ingests spread over workers against one process: byte for byte, whatever happens to a worker."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from s3_store import BUCKET, surroundings
from small_markets import MANY_NAMES_MAP as MAP
from small_store import small_store

from gexlab.data import (
    ConfigError,
    GexlabError,
    IngestResult,
    Workers,
    ingest,
    open_lake,
    verify,
)
from gexlab.data.base import workers as crews
from gexlab.data.ingest import spread
from gexlab.data.ingest.underlying_choice import NameInFile

NAMES = ("ABT", "Abt", "BRK/B", "^SPX", "x.")
DAYS = ("2022-12-12", "2022-12-13", "2022-12-14")
JOIN = """
[join.closes]
files = "closes.csv"
keys = ["session"]
columns = { session = "day", spot = "close" }
"""


def rows(names: Sequence[str], days: Sequence[str]) -> list[str]:
    return [
        f"{day},{name},2023-01-20,{100 + 5 * k},C,{10 + k},0.2,{100 if k else ''}"
        for day in days
        for name in names
        for k in range(4)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "map.toml").write_text(MAP)
    head = "date,name,expiry,strike,cp,oi,iv,spot"
    for number, days in enumerate((DAYS[:2], DAYS[1:])):  # one session is in both
        text = "\n".join([head, *rows(NAMES[number:], days)])
        (tmp_path / f"{number}.csv").write_text(text + "\n")
    return tmp_path


def read(folder: Path, lake: str, **options: Any) -> IngestResult:
    given: dict[str, Any] = {"underlying": "*", "mapping": folder / "map.toml"}
    paths = [folder / "0.csv", folder / "1.csv"]
    place = lake if "://" in lake else folder / lake
    return ingest(paths, vendor="columns", lake=place, **(given | options))


def parts(folder: Path, lake: str) -> dict[str, bytes]:
    """Return every file of the lake's chains but the log, which holds the time."""
    root = folder / lake / "chains"
    found = (p for p in root.rglob("*.parquet") if "_delta_log" not in p.parts)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run pieces in this process, with everything packed and unpacked as on the way to another."""
    pieces: list[Any] = []

    def packed(self: Any, function: Any, items: Sequence[Any], **_: Any) -> Iterator[Any]:
        for item in items:
            pieces.append(item)
            yield pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(item)))))

    monkeypatch.setattr(crews.Crew, "spread", packed)
    monkeypatch.setattr(spread, "_LEAST_ROWS", 1)
    return pieces


def test_workers_write_the_lake_of_one_process(folder: Path, sent: list[Any]) -> None:
    alone = read(folder, "one")
    assert read(folder, "two", workers=Workers(3)) == alone
    assert len(sent) == 3
    assert parts(folder, "two") == parts(folder, "one")
    assert not (folder / "two" / ".tmp").exists()
    again = read(folder, "two", workers=Workers(2))
    assert (again.rows_read, len(sent)) == (0, 3)
    (folder / "1.csv").write_text((folder / "1.csv").read_text().replace(",105,C,11,", ",105,C,7,"))
    changed = read(folder, "one")
    assert changed.rows_read == 4 * 4 * 2
    assert read(folder, "two", workers=Workers(2)) == changed
    assert parts(folder, "two") == parts(folder, "one")


@pytest.mark.parametrize("asked", ["ABT", "A*,x.", "BRK/B,^SPX"])
def test_whatever_is_chosen(folder: Path, sent: list[Any], asked: str) -> None:
    alone = read(folder, "one", underlying=asked)
    assert read(folder, "two", underlying=asked, workers=Workers(2)) == alone
    assert read(folder, "none", underlying=asked, workers=Workers(2), dry_run=True).dry_run
    assert sent
    assert parts(folder, "two") == parts(folder, "one")
    assert not (folder / "none").exists()


def test_matches_of_joined_files_are_summed(folder: Path, sent: list[Any]) -> None:
    (folder / "closes.csv").write_text("day,close\n" + "".join(f"{day},99\n" for day in DAYS[:2]))
    (folder / "map.toml").write_text(MAP.replace('spot = "spot"', "") + JOIN)
    alone = read(folder, "one")
    assert alone.unmatched == {"closes": 16}  # four names of the last session, which is unknown
    assert read(folder, "two", workers=Workers(3)) == alone
    assert len(sent) == 3
    assert parts(folder, "two") == parts(folder, "one")


def test_the_file_of_an_error_is_named_and_nothing_written(folder: Path, sent: list[Any]) -> None:
    (folder / "1.csv").write_text(
        (folder / "1.csv").read_text() + "2022-12-14,x.,2023-01-20,1,C,many,.2,1\n"
    )
    with pytest.raises(GexlabError) as alone:
        read(folder, "one")
    with pytest.raises(GexlabError) as spread_out:
        read(folder, "two", workers=Workers(2))
    assert str(spread_out.value) == str(alone.value)
    assert "1.csv" in str(alone.value)
    assert not (folder / "two").exists()


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("asked", ["*", "^SPX"])
def test_workers_on_other_machines_put_their_parts_into_the_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    alone = read(folder, "one", underlying=asked)
    spread_here = crews.Crew.spread

    def elsewhere(self: Any, function: Any, items: Sequence[Any], **more: Any) -> Iterator[Any]:
        for number, item in enumerate(items):
            monkeypatch.setenv("GEXLAB_CACHE", str(folder / f"machine-{number}"))
            yield from spread_here(self, function, [item], **more)
        monkeypatch.setenv("GEXLAB_CACHE", str(folder / "client"))

    monkeypatch.setattr(crews.Crew, "spread", elsewhere)
    with small_store() as served:
        for name, value in surroundings(served.address, folder / "client").items():
            monkeypatch.setenv(name, value)
        lake = f"s3://{BUCKET}/two"
        far = read(folder, lake, underlying=asked, workers=Workers(2))
        begin = "two/chains/"
        there = {
            key.removeprefix(begin): content
            for key, content in served.objects.items()
            if key.startswith(begin) and "_delta_log" not in key
        }
        assert far == alone
        assert there == parts(folder, "one")
        chains = [p for p in (folder / "client").rglob("*.parquet") if "chains" in p.parts]
        assert [p for p in chains if "_delta_log" not in p.parts] == []
        assert list(folder.rglob(".tmp")) == []
        assert verify(lake).damaged == ()


def test_a_worker_without_the_folder_is_told(
    folder: Path, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda p: ".tmp" not in p.parts and there(p))
    with pytest.raises(GexlabError, match="let all workers see the lake's folder"):
        read(folder, "two", workers=Workers(2))


def test_what_others_wrote_meanwhile_is_read_over(
    folder: Path, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another ingest of one name lands between the first look and the workers' own."""
    plain = spread._own_folder
    met: list[int] = []

    def late(root: str, drafts: Path, *, dry: bool) -> Any:
        if not met:
            met.append(1)
            read(folder, "two", underlying="ABT")
        return plain(root, drafts, dry=dry)

    monkeypatch.setattr(spread, "_own_folder", late)
    read(folder, "two", workers=Workers(2))
    read(folder, "one")
    held = [
        {name: [e.fingerprint for e in lake.sessions(name)] for name in lake.underlyings()}
        for lake in (open_lake(folder / "one"), open_lake(folder / "two"))
    ]
    assert held[0] == held[1]


def test_without_dask_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    for asked in ("*", "ABT"):
        with pytest.raises(ConfigError, match=r"gexlab\[dask\]"):
            read(folder, "two", underlying=asked, workers=Workers(2))
    assert not (folder / "two").exists()


def _killed_once(piece: Any) -> Any:
    """Die at half of the way, once for each piece."""
    mark = Path(os.environ["GEXLAB_TEST_MARKS"]) / spread._names_of(piece).replace("/", "_")
    if not mark.exists():
        mark.touch()
        folder = piece.of.drafts / mark.name
        folder.mkdir()
        (folder / "half.parquet").write_bytes(b"PAR1")
        os.kill(os.getpid(), signal.SIGKILL)
    return spread._read(piece)


@pytest.mark.slow
def test_workers_that_are_killed_cost_nothing_but_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    (folder / "marks").mkdir()
    monkeypatch.setenv("GEXLAB_TEST_MARKS", str(folder / "marks"))
    monkeypatch.setattr(spread, "_LEAST_ROWS", 1)
    alone = read(folder, "one")
    plain = crews.Crew.spread

    def killing(self: Any, function: Any, items: Any, **options: Any) -> Any:
        return plain(self, _killed_once, items, **options)

    monkeypatch.setattr(crews.Crew, "spread", killing)
    assert read(folder, "two", workers=Workers(2)) == alone
    assert len(list((folder / "marks").iterdir())) == 2
    assert parts(folder, "two") == parts(folder, "one")
    assert not (folder / "two" / ".tmp").exists()


@pytest.mark.parametrize(
    ("workers", "columnar", "pieces"),
    # a piece each for up to four, and where each looks at all rows; two each beyond
    [(2, True, 2), (4, True, 4), (5, True, 10), (5, False, 5)],
)
def test_how_many_pieces(workers: int, columnar: bool, pieces: int) -> None:
    assert spread.most_pieces(10**8, workers, columnar=columnar) == pieces


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        # ten alike in four pieces: cut where the middle of a name passes 1/4, 1/2, 3/4 of the rows
        ([10] * 10, [3, 2, 3, 2]),
        # middles at 35, 75, 85 and 95 of a hundred: no piece is empty, and a middle on an edge
        # belongs to the piece that ends there
        ([70, 10, 10, 10], [1, 1, 2]),
        ([1, 0], [2]),
    ],
)
def test_no_more_pieces_than_asked_for(
    rows: list[int], sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "_LEAST_ROWS", 1)
    ones: Any = [SimpleNamespace(name=f"N{i}", wanted=[(f"N{i}", 0)]) for i in range(len(rows))]
    named = [NameInFile(f"N{i}", 0, n, 0, n - 1) for i, n in enumerate(rows)]
    shared: Any = {"files": [], "preset": None, "careful": False, "columnar": True}
    whole = spread.Spread("", Path(), **shared)
    monkeypatch.setattr(spread, "_FEW", 1)  # two workers then get two pieces each
    pieces = whole._pieces(2, ones, named, 1, dry=True)
    assert [len(piece.ones) for piece in pieces] == sizes
    assert [one for piece in pieces for one in piece.ones] == ones


def test_a_piece_reads_the_rows_of_its_names_alone(
    folder: Path, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One Parquet file, its names one after the other: pieces stay in its order, none is sorted."""
    text = (folder / "0.csv").read_text().splitlines()
    lines = [text[0], *sorted(text[1:], key=lambda line: line.split(",")[1])]
    (folder / "sorted.csv").write_text("\n".join(lines) + "\n")
    with duckdb.connect() as connection:
        connection.read_csv(str(folder / "sorted.csv"), all_varchar=True).write_parquet(
            str(folder / "all.parquet")
        )
    seen: list[int] = []
    narrow = spread._narrow

    def counted(connection: Any, named: Any) -> None:
        narrow(connection, named)
        [(rows,)] = connection.sql("SELECT count(*) FROM contracts").fetchall()
        seen.append(rows)

    monkeypatch.setattr(spread, "_narrow", counted)
    given: dict[str, Any] = {
        "vendor": "columns", "underlying": "*", "mapping": folder / "map.toml"
    }  # fmt: skip
    alone = ingest([folder / "all.parquet"], lake=folder / "one", **given)
    assert ingest(
        [folder / "all.parquet"], lake=folder / "two", workers=Workers(2), **given
    ) == alone  # fmt: skip
    assert parts(folder, "two") == parts(folder, "one")
    assert sum(seen) == len(lines) - 1
    assert len(seen) == len(sent) > 1
