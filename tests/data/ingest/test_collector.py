"""The collector against a local server that misbehaves in every way it can."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gexlab.data.base.errors import GexlabError, InputFileError
from gexlab.data.ingest.download import Retries, download
from gexlab.data.ingest.snapshot import snapshot
from gexlab.data.lake.lake import open_lake

Answer = Callable[[BaseHTTPRequestHandler], None]


def chain(symbol: str = "^SPX", stamp: str = "2026-08-21 21:05:00") -> bytes:
    """Return a small file as Cboe writes it: three contracts of 2026-08-21."""
    options = [
        {
            "option": name,
            "bid": 10.0,
            "ask": 11.0,
            "iv": 0.15,
            "open_interest": 100.0,
            "volume": 5.0,
            "delta": delta,
            "gamma": 0.001,
            "last_trade_price": 10.5,
        }
        for name, delta in (
            ("SPX260918C07700000", 0.5),
            ("SPXW260821P07600000", -0.2),
            ("SPXW260918P07700000", -0.5),
        )
    ]
    data = {
        "options": options,
        "symbol": symbol,
        "current_price": 7674.37,
        "last_trade_time": "2026-08-21T16:15:04",
    }
    return json.dumps({"timestamp": stamp, "data": data, "symbol": "_SPX"}).encode()


@dataclass
class Server:
    """A server that gives one prepared answer after another, the last one for ever."""

    address: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            server.asked.append(self.path)
            answers[min(len(server.asked), len(answers)) - 1](self)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def sends(body: bytes, kind: str = "application/json", length: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def fails(status: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte every 20 ms: never silent for long, never done."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    pause = threading.Event()
    try:
        while not pause.wait(0.02):
            handler.wfile.write(b" ")
    except OSError:
        return


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte of an endless header every 20 ms: no read of the socket ever waits for long."""
    pause = threading.Event()
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not pause.wait(0.02):
            handler.wfile.write(b"x")
    except OSError:
        return


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def taken(lake: Path, server: Server, *, retries: int = 3, **more: Any) -> tuple[Any, list[float]]:
    """Take a snapshot without really waiting; return it and the pauses it asked for."""
    pauses: list[float] = []
    patience = Retries(timeout=more.pop("timeout", 300.0), retries=retries, sleep=pauses.append)
    url = more.pop("url", f"{server.address}/{{symbol}}.json")
    result = snapshot("SPX", open_lake(lake, create=True), url=url, patience=patience, **more)
    return result, pauses


def lake_files(lake: Path) -> set[str]:
    return {str(p.relative_to(lake)) for p in lake.rglob("*.parquet")}


def test_a_good_answer_is_kept_and_ingested(tmp_path: Path) -> None:
    with serving(sends(chain())) as server:
        result, pauses = taken(tmp_path, server)
    assert server.asked == ["/_SPX.json"]
    assert (result.attempts, pauses) == (1, [])
    assert result.raw_file.read_bytes() == chain()
    assert result.raw_file.name.startswith("SPX_20260821T210500Z_")
    assert (result.ingest.rows_read, result.ingest.rows_written) == (3, 3)
    [entry] = open_lake(tmp_path).sessions("SPX")
    assert (entry.session.isoformat(), entry.rows) == ("2026-08-21", 3)


def test_the_same_snapshot_twice_changes_nothing(tmp_path: Path) -> None:
    with serving(sends(chain())) as server:
        first, _ = taken(tmp_path, server)
        before = open_lake(tmp_path).sessions("SPX")
        second, _ = taken(tmp_path, server)
    assert first.raw_file == second.raw_file
    assert len(list(first.raw_file.parent.iterdir())) == 1
    assert open_lake(tmp_path).sessions("SPX") == before


@pytest.mark.parametrize(
    ("bad", "pauses"),
    [
        pytest.param(fails(500), [1.0], id="status 500"),
        pytest.param(fails(503), [1.0], id="status 503"),
        pytest.param(fails(429), [1.0], id="status 429"),
        pytest.param(fails(429, Retry_After="7"), [7.0], id="status 429 that says when"),
        pytest.param(fails(429, Retry_After="86400"), [60.0], id="at most a minute"),
        pytest.param(sends(chain()[:-40]), [1.0], id="JSON cut short"),
        pytest.param(sends(chain()[:-40], length=len(chain())), [1.0], id="body cut short"),
        pytest.param(hangs_up, [1.0], id="hangs up"),
    ],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, bad: Answer, pauses: list[float]) -> None:
    with serving(bad, sends(chain())) as server:
        result, waited = taken(tmp_path, server)
    assert (result.attempts, waited) == (2, pauses)
    assert result.ingest.rows_written == 3


def test_pauses_double_and_attempts_end(tmp_path: Path) -> None:
    waited: list[float] = []
    with (
        serving(fails(502)) as server,
        pytest.raises(InputFileError, match=r"4 attempts within 120 s failed.*status 502"),
    ):
        snapshot(
            "SPX",
            open_lake(tmp_path, create=True),
            url=f"{server.address}/{{symbol}}.json",
            patience=Retries(retries=3, sleep=waited.append),
        )
    assert waited == [1.0, 2.0, 4.0]
    assert len(server.asked) == 4
    assert not lake_files(tmp_path)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param(fails(404), r"status 404.*check the address and the symbol", id="status 404"),
        pytest.param(sends(b"<html>no</html>", "text/html"), r"found text/html", id="a web page"),
        pytest.param(sends(chain(), "image/png"), r"found image/png", id="wrong type"),
        pytest.param(sends(b"[1, 2]"), r"expected Cboe delayed quotes", id="another JSON"),
        pytest.param(sends(b'{"data": 1}'), r"expected the keys timestamp", id="other keys"),
        pytest.param(sends(chain("^NDX")), r"expected quotes of SPX, found 'NDX'", id="other name"),
        pytest.param(sends(chain(stamp="soon")), r"expected a timestamp", id="no stamp"),
        pytest.param(sends(chain() + b" " * 4096), r"more than 2000 bytes", id="too large"),
        pytest.param(
            fails(302, Location="http://localhost.invalid/x"),
            r"redirects to another host",
            id="redirect elsewhere",
        ),
        pytest.param(
            fails(301, Location="file:///etc/passwd"),
            r"edirect",
            id="redirect to a file",
        ),
    ],
)
def test_what_will_not_pass_is_refused_at_once(tmp_path: Path, bad: Answer, message: str) -> None:
    with serving(bad) as server, pytest.raises(InputFileError, match=message) as caught:
        taken(tmp_path, server, max_bytes=2000)
    assert len(server.asked) == 1
    assert "\n" not in str(caught.value)
    assert not lake_files(tmp_path)


def test_a_body_of_unstated_length_is_cut_at_the_limit() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            return

    with serving(endless) as server, pytest.raises(InputFileError, match="more than 100000 bytes"):
        download(server.address, patience=Retries(), max_bytes=100_000, accept=lambda _: None)


def test_a_slow_answer_ends_with_its_time(tmp_path: Path) -> None:
    with serving(drips) as server, pytest.raises(InputFileError, match=r"no answer within 0\.2 s"):
        taken(tmp_path, server, retries=0, timeout=0.2)


@pytest.mark.parametrize("slow", [drips, drips_headers])
def test_the_time_holds_for_all_attempts_together(tmp_path: Path, slow: Any) -> None:
    began = time.monotonic()
    patience = Retries(timeout=0.4, retries=50, backoff=0.001)
    with (
        serving(*[slow] * 60) as server,
        pytest.raises(InputFileError, match=r"attempts within 0\.4 s failed.*allow more time"),
    ):
        download(server.address, patience=patience, max_bytes=10_000, accept=lambda _: None)
    assert time.monotonic() - began < 5.0


def test_a_redirect_on_the_same_host_is_followed(tmp_path: Path) -> None:
    with serving(fails(302, Location="/elsewhere.json"), sends(chain())) as server:
        result, _ = taken(tmp_path, server)
    assert server.asked == ["/_SPX.json", "/elsewhere.json"]
    assert result.attempts == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/{symbol}.json",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "x",
        "https://",
    ],
)
def test_only_https_or_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputFileError, match="expected an https address"):
        taken(tmp_path, Server(), url=url)


@pytest.mark.parametrize("name", ["", "spx", "../SPX", "SPX/../..", "A" * 40, "S'; DROP TABLE x"])
def test_names_that_are_no_symbols(tmp_path: Path, name: str) -> None:
    with pytest.raises(GexlabError, match="expected an underlying of capital letters"):
        snapshot(name, open_lake(tmp_path, create=True))


def test_a_share_has_no_underscore(tmp_path: Path) -> None:
    with serving(fails(404)) as server, pytest.raises(InputFileError):
        snapshot(
            "SPY",
            open_lake(tmp_path, create=True),
            url=f"{server.address}/{{symbol}}.json",
            patience=Retries(retries=0),
        )
    assert server.asked == ["/SPY.json"]
