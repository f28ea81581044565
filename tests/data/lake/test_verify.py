"""No byte of a lake changes without a word, and no number comes of one that did."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plain_chains import Contract, plain_chain, rebuilt

from gexlab.data import Definition, regimes, side_table, verify
from gexlab.data.base.errors import GexlabError, LakeError, MissingPartError
from gexlab.data.base.fingerprints import file_fingerprint
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake import records
from gexlab.data.lake.delta_log import DataFile, TableShape, commit_lines, files_in
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.logged_files import LoggedFiles
from gexlab.data.lake.versions import Change, commit, newest, table_files
from gexlab.data.regimes.rebuild import rebuild
from gexlab.reports.cli import app as cli


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "lake"
    chain = plain_chain(*(Contract(right, k) for k in (3900.0, 4000.0, 4100.0) for right in "CP"))
    rebuilt(folder, chain)
    return folder


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "lake")
    return tmp_path / "lake"


def _files(lake: Path) -> list[Path]:
    return sorted(p for p in lake.rglob("*") if p.suffix in (".parquet", ".json"))


def test_a_whole_lake(lake: Path) -> None:
    found = verify(lake)
    assert (found.damaged, found.sessions) == ((), 1)
    assert found.files == len(_files(lake))
    assert verify(lake, quick=True).damaged == ()


def test_every_flipped_byte_is_found(lake: Path) -> None:
    draw = random.Random(5)
    for file in _files(lake):
        whole = file.read_bytes()
        for _ in range(6):
            at = draw.randrange(len(whole))
            other = bytes([whole[at] ^ (1 << draw.randrange(8))])
            file.unlink()  # another file in its place, as a restored backup is
            file.write_bytes(whole[:at] + other + whole[at + 1 :])
            assert verify(lake).damaged, (file, at)
        file.unlink()
        file.write_bytes(whole)
    assert verify(lake).damaged == ()


@pytest.mark.parametrize("harm", ["cut", "zeros", "deleted", "exchanged"])
def test_other_harm_is_found(harm: str, lake: Path) -> None:
    parquet = [p for p in _files(lake) if p.suffix == ".parquet"]
    for file in _files(lake):
        whole = file.read_bytes()
        file.unlink()
        other = next(p for p in parquet if p != file)
        harmed = {"cut": whole[: len(whole) // 2], "zeros": bytes(len(whole)),
                  "exchanged": other.read_bytes()}  # fmt: skip
        if harm != "deleted":
            file.write_bytes(harmed[harm])
        assert verify(lake).damaged, file
        file.unlink(missing_ok=True)
        file.write_bytes(whole)


def test_no_number_comes_of_a_damaged_file(lake: Path) -> None:
    [chain] = lake.glob("chains/*/year=*/*.parquet")
    whole = chain.read_bytes()
    chain.unlink()
    chain.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(LakeError, match="its bytes are not those that were written"):
        rebuild(open_lake(lake), "SPX", definition=Definition(rate=0.05))
    chain.write_bytes(whole)
    [table] = lake.glob("regimes/*/*/*both*.parquet")
    whole = table.read_bytes()
    table.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(MissingPartError, match="gexlab rebuild"):
        regimes(open_lake(lake), "SPX")
    table.unlink()
    rebuild(open_lake(lake), "SPX")
    assert len(regimes(open_lake(lake), "SPX")) == 2
    assert not side_table(open_lake(lake), "profile", "SPX").empty


def test_the_command(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verify", "--lake", str(lake), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["damaged"] == []
    [chain] = lake.glob("chains/*/year=*/*.parquet")
    chain.unlink()
    assert cli.run(["verify", "--lake", str(lake), "--json"]) == 1
    [damage] = json.loads(capsys.readouterr().out)["damaged"]
    assert (damage["underlying"], damage["session"]) == ("SPX", "2022-12-12")
    assert (damage["file"], damage["what"][:4]) == (str(chain), "gone")
    assert cli.run(["verify", "--lake", str(lake)]) == 1
    assert "1 damaged" in capsys.readouterr().out


CSV = "date,expiry,strike,cp,oi,iv,spot\n{0},2024-01-19,470,C,3010,0.15,476\n"
MAP = """[columns]
session = "date"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
spot = "spot"
[timing]
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""


def test_what_was_lost_comes_back_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    for day in ("2024-01-11", "2024-01-12"):
        (tmp_path / f"{day}.csv").write_text(CSV.format(day), encoding="utf-8")
    lake = tmp_path / "lake"

    def read(*names: str) -> int:
        return ingest(
            [tmp_path / f"{name}.csv" for name in names], vendor="columns", underlying="SPY",
            lake=lake, mapping=tmp_path / "map.toml",
        ).rows_written  # fmt: skip

    read("2024-01-11", "2024-01-12")  # both in one part
    [part] = lake.glob("chains/*/year=*/*.parquet")
    part.unlink()
    with pytest.raises(GexlabError, match=r"also held 1 sessions .*2024-01-12\.csv"):
        read("2024-01-11")
    assert read("2024-01-11", "2024-01-12") == 2
    assert verify(lake).damaged == ()


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "year=2022/x.parquet"])
def test_a_record_names_no_file_outside(name: str, lake: Path) -> None:
    record = records.record_of(lake, "SPX", open_lake(lake).at())
    assert record is not None
    rows = pq.read_table(lake / "sessions" / record.path)
    planted = rows.set_column(rows.column_names.index("file"), "file", pa.array([name]))
    pq.write_table(planted, lake / "sessions" / record.path)
    with pytest.raises(LakeError, match="bytes are not those that were written"):
        open_lake(lake).sessions("SPX")
    assert verify(lake).damaged
    digest = file_fingerprint(lake / "sessions" / record.path)  # a record that agrees with its log
    with pytest.raises(LakeError, match="no name of a part"):
        records.read_record(lake, "SPX", replace(record, digest=digest))


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "a/../../b.parquet"])
def test_a_log_names_no_file_outside(name: str) -> None:
    file = DataFile(name, 1, 1, "0" * 64, {"underlying": "SPX"})
    with pytest.raises(ValueError, match="is no name of a file of this table"):
        files_in(commit_lines([file], [], operation="WRITE").splitlines())


@pytest.mark.parametrize("path", ["underlying=SPX/../../x.parquet", "../x.parquet"])
def test_a_log_that_agrees_with_its_versions_names_no_file_outside(path: str, lake: Path) -> None:
    """Somebody else's lake: every digest is right."""
    shape = TableShape(pa.schema([("session", pa.date32())]), ())
    file = DataFile(path, 1, 1, "0" * 64, {"underlying": "SPX"})
    commit(lake, newest(lake), [Change("chains", shape, (file,))], operation="ingest",
           underlying="SPX", sessions=0)  # fmt: skip
    with pytest.raises(LakeError, match="is no name of a file of this table"):
        table_files(lake, newest(lake), "chains")
    assert any("is no name of a file" in damage.what for damage in verify(lake).damaged)


def test_a_line_of_a_log_that_cannot_be_read_is_named() -> None:
    held = LoggedFiles({"a.parquet": b'{"add": {"path": "a.parquet", "tags": {}, "stats": "no"}}'})
    with pytest.raises(LakeError, match=r"says of a\.parquet cannot be read .*restore the lake"):
        held["a.parquet"]


def test_a_link_out_of_the_lake_is_not_followed(lake: Path, tmp_path: Path) -> None:
    [year] = lake.glob("chains/*/year=*")
    shutil.move(year, tmp_path / "elsewhere")
    year.symlink_to(tmp_path / "elsewhere")
    assert verify(lake).damaged
    with pytest.raises(LakeError, match="lies outside the lake"):
        open_lake(lake).chain_files("SPX")


def test_a_lake_may_be_a_link(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lake)
    assert verify(tmp_path / "link").damaged == ()
