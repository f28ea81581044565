"""The least of a store that speaks S3: objects in a dictionary, and a put that replaces nothing."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEN = "2026-01-02T03:04:05.000Z"
_PAGE = 7  # objects a page: lists take several


class SmallStore(ThreadingHTTPServer):
    """Objects by key, of one bucket."""

    daemon_threads = True

    def __init__(self, *, conditional: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.objects: dict[str, bytes] = {}
        self.lock, self.conditional = threading.Lock(), conditional
        self.encodes = True  # keys of lists; others give them as they are

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go apart: the second would wait 40 ms
    server: SmallStore

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).partition("/")[2].partition("/")[2]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            only_new = self.headers.get("If-None-Match") == "*" and self.server.conditional
            taken = only_new and self._key() in self.server.objects
            if not taken:
                self.server.objects[self._key()] = body
        self._answer(412 if taken else 200)

    def do_GET(self) -> None:
        if not self._key():
            self._list({k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()})
            return
        found = self.server.objects.get(self._key())
        self._answer(404 if found is None else 200, found or b"")

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._key(), None)
        self._answer(204)

    def _list(self, asked: dict[str, str]) -> None:
        after = unquote(asked.get("continuation-token", asked.get("start-after", "")))
        keys = [k for k in sorted(self.server.objects) if k.startswith(asked["prefix"])]
        keys = [k for k in keys if k > after]
        shown = keys[: min(_PAGE, int(asked.get("max-keys", "1000")))]
        said = quote_plus if self.server.encodes else str
        rows = "".join(
            f"<Contents><Key>{said(k)}</Key><LastModified>{_WHEN}</LastModified>"
            f"<Size>{len(self.server.objects[k])}</Size></Contents>"
            for k in shown
        )
        last = quote(shown[-1]) if len(shown) < len(keys) else ""
        more = f"<NextContinuationToken>{last}</NextContinuationToken>" if last else ""
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        more += "<EncodingType>url</EncodingType>" if self.server.encodes else ""
        more += f"<IsTruncated>{str(bool(last)).lower()}</IsTruncated>"
        text = f'<ListBucketResult xmlns="{space}">{rows}{more}</ListBucketResult>'
        self._answer(200, text.encode())

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def small_store(*, conditional: bool = True) -> Iterator[SmallStore]:
    """Serve one."""
    served = SmallStore(conditional=conditional)
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield served
    finally:
        served.shutdown()
        served.server_close()
