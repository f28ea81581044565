"""A lake in an object store is the lake that it would be on a disk, however bad the way there."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from make_lake import session_tables
from s3_store import BUCKET, bad_way, store, surroundings
from small_store import SmallStore, small_store

from gexlab.data import compact, open_lake, query, rebuild, regimes, vacuum, verify, versions
from gexlab.data.base.errors import LakeError
from gexlab.data.lake import data_files, s3_client, writer
from gexlab.data.lake.mirror import folder_of_lake, forgotten
from gexlab.data.lake.s3_client import bucket_of
from gexlab.data.lake.storage import sent
from gexlab.data.lake.writer import write_sessions
from gexlab.reports.cli import app as cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = f"s3://{BUCKET}/some/lake"


@pytest.fixture(scope="module")
def chains() -> list[pa.Table]:
    return list(session_tables(3, 20, seed=4))


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallStore]:
    """A store, reached by a way on which every tenth request fails."""
    with small_store() as served, bad_way(served.address, 0.1, 5) as (way, _):
        _go(monkeypatch, way, tmp_path / "mirror")
        yield served


def _go(monkeypatch: pytest.MonkeyPatch, address: str, mirror: Path) -> None:
    for name, value in surroundings(address, mirror).items():
        monkeypatch.setenv(name, value)


def _written(place: str | Path, chains: list[pa.Table]) -> pd.DataFrame:
    lake = open_lake(place, create=True)
    for rows in chains:
        write_sessions(lake, "SPX", rows)
    rebuild(lake, "SPX")
    return regimes(lake, "SPX")


def test_requests_are_signed_as_amazon_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against two examples of Amazon's documentation of Signature Version 4."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = bucket_of("examplebucket")
    at = datetime(2013, 5, 24, tzinfo=UTC)
    none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    shown = {
        "lifecycle=": "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        "max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    }
    for asked, signature in shown.items():
        headers = bucket._signed("GET", "/", asked, none, at)
        # their host is that of all regions
        again = type(bucket)(
            bucket.name, "examplebucket.s3.amazonaws.com", bucket.region, True, ""
        )._signed("GET", "/", asked, none, at)
        assert again["Authorization"].endswith(f"Signature={signature}")
        assert headers["host"] == "examplebucket.s3.us-east-1.amazonaws.com"


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _go(monkeypatch, "http://127.0.0.1:1", tmp_path)
    assert folder_of_lake("s3://lakes/a/b") == folder_of_lake(Path("s3://lakes/a/b/"))
    assert folder_of_lake("s3://lakes/a") != folder_of_lake("s3://lakes/b")
    here = folder_of_lake("s3://lakes/a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
    assert folder_of_lake("s3://lakes/a") != here  # another store
    for wrong in ("s3://lakes/../x", "gs://lakes/a", "s3://lakes/a//b"):
        with pytest.raises(LakeError, match="address"):
            folder_of_lake(wrong)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(LakeError, match="set AWS_ACCESS_KEY_ID"):
        open_lake("s3://lakes/a")


@pytest.mark.parametrize("encodes", [True, False])
def test_keys_are_listed_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encodes: bool
) -> None:
    """Whether the store encodes them (a space as a plus) or not, over several pages."""
    with small_store() as served:
        _go(monkeypatch, served.address, tmp_path)
        served.encodes = encodes
        names = ["a b", "a+b", "a%2Fb", "a%20b", "ä=1", *(f"n{i:02d}" for i in range(20))]
        bucket = bucket_of(BUCKET)
        for name in names:
            bucket.put(f"in it/{name}", name.encode())
        assert {o.key for o in bucket.listed("in it/")} == {f"in it/{n}" for n in names}
        assert all(bucket.get(f"in it/{name}") == name.encode() for name in names)


def _answers(monkeypatch: pytest.MonkeyPatch, *said: Any) -> tuple[Any, list[Any]]:
    """Return a bucket that answers so, one after the other, and the headers of what was asked."""
    for name, value in surroundings("http://127.0.0.1:1", Path("/nowhere")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("gexlab.data.lake.s3_client._FIRST_PAUSE", 0.0)
    left, bucket = list(said), bucket_of(BUCKET)
    asked: list[Any] = []

    def answer(_: Any, method: str, key: str, content: bytes, *more: Any) -> Any:
        asked.append(bucket._idle.ahead)
        status, headers, body = left.pop(0)
        return s3_client._Answer(status, headers, body)

    monkeypatch.setattr(s3_client.Bucket, "_sent", answer)
    return bucket, asked


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>so</Message></Error>".encode()


_LIST = (
    b"<ListBucketResult><IsTruncated>%s</IsTruncated><Contents><Key>a</Key><Size>1</Size>"
    b"<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents></ListBucketResult>"
)


def test_what_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that are no refusal: too slow, dated wrongly, a list that was cut."""
    bucket, _ = _answers(
        monkeypatch, (400, {}, _error("RequestTimeout")), (409, {}, b""), (200, {}, b"x")
    )
    assert bucket.get("a") == b"x"
    bucket, _ = _answers(monkeypatch, (200, {}, _LIST[:60]), (200, {}, _LIST % b"false"))
    assert [o.key for o in bucket.listed("")] == ["a"]
    date = {"date": "Fri, 01 Jan 2100 00:00:00 GMT"}
    skewed = (403, date, _error("RequestTimeTooSkewed"))
    bucket, asked = _answers(monkeypatch, skewed, skewed, (200, {}, b"x"))  # as of two threads
    assert bucket.get("a") == b"x"
    assert [gap.days > 20_000 for gap in asked] == [False, True, True]
    # a put whose answer was lost is its own; one that another made is not
    for there, own in ((b"mine", True), (b"other", False)):
        bucket, _ = _answers(monkeypatch, (500, {}, b""), (412, {}, b""), (200, {}, there))
        assert bucket.put_new("a", b"mine") is own


@pytest.mark.parametrize(
    ("status", "headers", "code", "message"),
    [
        (301, {"x-amz-bucket-region": "eu-west-1"}, "PermanentRedirect", "AWS_REGION=eu-west-1"),
        (400, {}, "ExpiredToken", "refuses .400 ExpiredToken"),
        (307, {"location": "https://x"}, "TemporaryRedirect", "has moved to https://x"),
        (403, {}, "RequestTimeTooSkewed", "clock is wrong"),
        (501, {}, "NotImplemented", "knows no conditional put"),
        (404, {}, "NoSuchBucket", "does not exist"),
    ],
)
def test_refusals_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: Any, code: str, message: str
) -> None:
    bucket, _ = _answers(monkeypatch, (status, headers, _error(code)))
    with pytest.raises(LakeError, match=message):
        bucket.put_new("a", b"mine")


def test_a_list_that_does_not_go_on_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, _ = _answers(monkeypatch, (200, {}, _LIST % b"true"))
    with pytest.raises(LakeError, match="not how to go on"):
        list(bucket.listed(""))


def test_a_lake_far_away_is_the_lake_on_a_disk(
    far: SmallStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table]
) -> None:
    near = _written(tmp_path / "lake", chains)
    pd.testing.assert_frame_equal(_written(ADDRESS, chains), near)
    monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "another"))  # as on another machine
    pd.testing.assert_frame_equal(regimes(ADDRESS, "SPX"), near)
    asked = (
        "SELECT session, count(*) AS n, sum(open_interest) AS oi FROM chains GROUP BY 1 ORDER BY 1"
    )
    assert query(ADDRESS, asked).equals(query(tmp_path / "lake", asked))
    past = open_lake(ADDRESS, as_of=1)
    assert [e.session for e in past.sessions("SPX")] == sorted(near["session"].dt.date.unique())[:2]
    assert compact(ADDRESS).files_after == 1
    assert vacuum(ADDRESS, retention=0.0, grace=0.0).files > 0
    pd.testing.assert_frame_equal(regimes(ADDRESS, "SPX"), near)
    assert not verify(ADDRESS).damaged
    assert cli.run(["regimes", "--lake", ADDRESS, "--underlying", "SPX", "--json"]) == 0
    assert not [key for key in far.objects if ".probe" in key]


def test_a_mirror_that_is_emptied_beside_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table]
) -> None:
    """As `verify` of another process does: before and after each file that is sent."""
    with small_store() as served:
        _go(monkeypatch, served.address, tmp_path)
        root = folder_of_lake(ADDRESS)

        def beside(draft: Path, path: Path) -> None:
            forgotten(root)
            sent(draft, path)
            forgotten(root)

        for module in (data_files, writer):
            monkeypatch.setattr(module, "sent", beside)
        far = _written(ADDRESS, chains)
        assert not verify(ADDRESS).damaged
        pd.testing.assert_frame_equal(far, _written(tmp_path / "lake", chains))


def test_a_reader_far_away_that_lasts_longer_than_ten_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table]
) -> None:
    """It has fetched no row when it begins; compaction and vacuum come too."""
    with small_store() as served:
        _go(monkeypatch, served.address, tmp_path / "writer")
        near = pa.concat_tables(chains)
        write_sessions(open_lake(ADDRESS, create=True), "SPX", near)
        monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "reader"))
        pinned = open_lake(ADDRESS).as_of_now("SPX")
        monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "writer"))
        for turn in range(11):
            write_sessions(open_lake(ADDRESS), "SPX", chains[turn % 3].slice(turn % 2, 19))
        compact(ADDRESS)
        vacuum(ADDRESS, grace=0.0)
        monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "reader"))
        assert versions(ADDRESS)[-1].version >= 11
        days = sorted({day for rows in chains for day in rows.column("session").to_pylist()})
        read = pa.concat_tables(
            [pq.ParquetFile(path).read() for path in pinned.chain_files("SPX", days[0], days[-1])]
        )
        assert read.num_rows == near.num_rows
        assert pc.sum(read["open_interest"]).as_py() == pc.sum(near["open_interest"]).as_py()


@pytest.mark.slow
def test_what_is_damaged_far_away_is_found_and_comes_back(
    far: SmallStore, chains: list[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _written(ADDRESS, chains)
    for table in ("chains", "regimes", "sessions/_delta_log", "versions/_delta_log"):
        key = max(k for k in far.objects if f"/{table}/" in k and (
            "_delta_log" in table or k.endswith(".parquet")))  # fmt: skip
        whole = far.objects[key]
        for harmed in (whole[:-9], whole[:40] + bytes([whole[40] ^ 4]) + whole[41:], None):
            far.objects.pop(key)
            if harmed is not None:
                far.objects[key] = harmed
            assert verify(ADDRESS).damaged, key
            monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / f"{time.monotonic_ns()}"))
            try:
                seen = regimes(ADDRESS, "SPX")
            except LakeError:
                seen = before
            pd.testing.assert_frame_equal(seen, before)
            far.objects[key] = whole
    lost = next(k for k in far.objects if "/chains/" in k and k.endswith(".parquet"))
    whole = far.objects.pop(lost)
    assert [d.file.endswith(lost.rpartition("/")[2]) for d in verify(ADDRESS).damaged] == [True]
    for rows in chains:
        write_sessions(open_lake(ADDRESS), "SPX", rows)
    assert far.objects[lost] == whole
    assert not verify(ADDRESS).damaged


def test_a_store_without_conditional_puts_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table]
) -> None:
    with small_store(conditional=False) as served:
        _go(monkeypatch, served.address, tmp_path / "mirror")
        with pytest.raises(LakeError, match="use a store with conditional puts"):
            _written(ADDRESS, chains)
    monkeypatch.setattr("gexlab.data.lake.s3_client._TRIES", 3)
    _go(monkeypatch, "http://127.0.0.1:9", tmp_path / "mirror")
    with pytest.raises(LakeError, match="no answer to GET"):  # it has gone
        open_lake(ADDRESS)


@pytest.mark.slow
def test_another_lake_in_the_same_place(far: SmallStore, chains: list[pa.Table]) -> None:
    _written(ADDRESS, chains)
    far.objects.clear()
    again = _written(ADDRESS, chains[1:])
    assert len(again) == 4
    assert [v.operation for v in versions(ADDRESS)] == ["write", "write", "rebuild"]
    assert not verify(ADDRESS).damaged


_WRITER = """
import sys
sys.path[:0] = {paths!r}
from make_lake import session_tables
from gexlab.data import open_lake
from gexlab.data.lake.writer import write_sessions
number, rounds = int(sys.argv[1]), int(sys.argv[2])
for turn in range(rounds):
    rows = list(session_tables(4, 6, seed=100 * number + turn))
    write_sessions(open_lake("{address}", create=True), "SPX", rows[(number + turn) % 4])
"""


def _writer(number: int, rounds: int, mirror: Path) -> subprocess.Popen[str]:
    script = _WRITER.format(paths=[p for p in sys.path if p], address=ADDRESS)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(number), str(rounds)], stderr=subprocess.PIPE,
        text=True, env={**os.environ, "GEXLAB_CACHE": str(mirror)},
    )  # fmt: skip


@pytest.mark.slow
def test_a_real_server_gives_a_key_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, what writers do to each other there says nothing about a store."""
    pytest.importorskip("moto")
    with store() as address, ThreadPoolExecutor(4) as crew:
        _go(monkeypatch, address, tmp_path / "mirror")
        bucket = bucket_of(BUCKET)
        for key in range(300):
            given = [f"{key} of {writer}".encode() * 200 for writer in range(4)]
            told = list(crew.map(lambda content: bucket.put_new(f"k{key}", content), given))  # noqa: B023
            assert told.count(True) == 1
            assert bucket.get(f"k{key}") == given[told.index(True)]


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_on_a_real_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chains: list[pa.Table], share: float
) -> None:
    """Same tables as on disk, four writers at once, killed ones: nothing lost, nothing doubled."""
    pytest.importorskip("moto")
    near = _written(tmp_path / "lake", chains)
    with store() as address, bad_way(address, share, 8) as (way, told):
        _go(monkeypatch, way, tmp_path / "mirror")
        pd.testing.assert_frame_equal(_written(ADDRESS, chains), near)
        before = versions(ADDRESS)[-1].version
        rounds = 8
        running = [_writer(i, rounds, tmp_path / f"w{i}") for i in range(4)]
        ended = [(p.communicate()[1], p.returncode) for p in running]
        assert [code for _, code in ended] == [0] * 4, ended
        assert versions(ADDRESS)[-1].version == before + 4 * rounds
        for i in range(4):
            killed = _writer(7, 50, tmp_path / "killed")
            time.sleep(1.5 + 0.4 * i)
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
            assert not verify(ADDRESS).damaged
        days = [e.session for e in open_lake(ADDRESS).sessions("SPX")]
        assert days == sorted(set(days))
        for listed in versions(ADDRESS):
            held = open_lake(ADDRESS, as_of=listed.version)
            for entry in held.sessions("SPX"):
                assert entry.file in held.chain_files("SPX", entry.session, entry.session)
        vacuum(ADDRESS, retention=0.0, grace=0.0)
        assert not verify(ADDRESS).damaged
        sys.stdout.write(json.dumps(told) + "\n")


def _child(address: str, queue: Any) -> None:
    queue.put(len(regimes(address, "SPX")))


@pytest.mark.slow
def test_a_process_that_was_forked_reads_it_too(far: SmallStore, chains: list[pa.Table]) -> None:
    rows = _written(ADDRESS, chains)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(ADDRESS, queue))
    child.start()
    assert queue.get(timeout=60) == len(rows)
    child.join()
