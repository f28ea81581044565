"""A store that speaks S3 in a process of its own (moto's server), and a bad way to it.

`store` starts and ends one; ``python tests/robustness/s3_store.py`` serves it.
"""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUCKET: Final = "lakes"
#: Ways in which a request fails: refused before it arrives, answered by an error after it was
#: carried out, cut off in the middle of the answer, answered late.
KINDS: Final = ("refused", "lost", "cut", "late")
LATE: Final = 0.05


def serve() -> None:
    """Serve until the parent has gone; the address is the first line printed."""
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    # Moto looks whether a key is free and takes it in two steps: of four writers at once, two were
    # told that it was theirs (39 of 1,500 keys where threads change often). A store promises one.
    one_at_a_time, put = threading.Lock(), S3Response.put_object

    def put_alone(response: S3Response) -> Any:
        with one_at_a_time:
            return put(response)

    patch.object(S3Response, "put_object", put_alone).start()
    sys.setswitchinterval(1e-4)  # as on a busy machine
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)


@contextmanager
def store() -> Iterator[str]:
    """Start a store with an empty bucket and give its address."""
    words = [sys.executable, "-W", "ignore", __file__]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            address = next((line.strip() for line in lines if line.startswith("http")), None)
            if address is None:
                raise SystemExit("the store did not start: pip install 'moto[s3,server]'?")
            connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
            said = "Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"
            signed = {"Authorization": f"AWS4-HMAC-SHA256 {said}, Signature=0"}
            connection.request("PUT", f"/{BUCKET}", headers=signed)
            assert connection.getresponse().status == 200
            yield address
        finally:
            process.kill()


def surroundings(address: str, cache: Path) -> dict[str, str]:
    """Return the environment in which a lake there is found."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "GEXLAB_CACHE": str(cache),
    }


class _Way(ThreadingHTTPServer):
    """Hands requests on, some of them badly."""

    daemon_threads = True

    def __init__(self, address: str, share: float, seed: int, kinds: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.host, self.share = address.removeprefix("http://"), share
        self.kinds = kinds
        self.draw, self.lock = random.Random(seed), threading.Lock()
        self.told = dict.fromkeys(("requests", *KINDS), 0)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: whoever asked was killed."""

    def kind(self) -> str:
        """Draw what becomes of a request; nothing bad where empty."""
        with self.lock:
            self.told["requests"] += 1
            found = self.draw.choice(self.kinds) if self.draw.random() < self.share else ""
            if found:
                self.told[found] += 1
            return found


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go apart: the second would wait 40 ms
    server: _Way

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.server.kind()
        if kind == "refused":
            self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
            return
        connection = http.client.HTTPConnection(self.server.host, timeout=60)
        headers = dict(self.headers.items())
        connection.request(self.command, self.path, body=body or None, headers=headers)
        answer = connection.getresponse()
        content, said = answer.read(), dict(answer.getheaders())
        connection.close()
        if kind == "lost":
            self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
            return
        time.sleep(LATE if kind == "late" else 0.0)
        kept = {k: v for k, v in said.items() if k.lower() in ("etag", "last-modified")}
        head = self.command == "HEAD"
        kept["Content-Length"] = said["Content-Length"] if head else str(len(content))
        self._answer(answer.status, kept, content, cut=kind == "cut")

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False
    ) -> None:
        self.close_connection |= cut
        if cut and not content:
            return
        with suppress(OSError):
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)

    do_GET = do_PUT = do_HEAD = do_DELETE = _pass

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def bad_way(
    address: str, share: float, seed: int, kinds: Sequence[str] = KINDS
) -> Iterator[tuple[str, dict[str, int]]]:
    """Give another address of a store, by which a share of requests fails, and their counts."""
    way = _Way(address, share, seed, kinds)
    threading.Thread(target=way.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{way.server_address[1]}", way.told
    finally:
        way.shutdown()
        way.server_close()


if __name__ == "__main__":
    serve()
