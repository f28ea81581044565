"""Servers on this machine that take what a night sends."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar


@dataclass
class Taken:
    """What came in, and what is answered."""

    port: int = 0
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    welcome: bool = False


@contextmanager
def web_server(tls: ssl.SSLContext | None = None) -> Iterator[Taken]:
    """Serve HTTP, or HTTPS with a certificate; every request is kept."""
    taken = Taken()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            taken.headers.append(dict(self.headers.items()))
            taken.paths.append(self.path)
            self.send_response(taken.status)
            if taken.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    class Quiet(HTTPServer):
        def get_request(self) -> tuple[Any, Any]:
            line, address = super().get_request()
            return (line, address) if tls is None else (tls.wrap_socket(line, True), address)

    with Quiet(("127.0.0.1", 0), Handler) as server, _served(server):
        taken.port = server.server_address[1]
        yield taken


class _Mails(socketserver.StreamRequestHandler):
    taken: Taken
    tls: ssl.SSLContext | None = None
    wrapped = False
    answers: ClassVar[dict[bytes, tuple[str, ...]]] = {
        b"EHLO": ("250-here", "250 AUTH PLAIN"),
        b"AUTH": ("535 wrong password hunter2-in-mail",),
        b"QUIT": ("221 bye",),
    }

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def handle(self) -> None:
        if self.wrapped and not self._wrap():
            return
        self._say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            self.taken.paths.append(word.decode())
            if word == b"DATA":
                self._take()
            elif word == b"STAR" and self.tls is not None:
                self._say("220 go ahead")
                if not self._wrap():
                    return
            elif word == b"EHLO" and self.tls is not None:
                self._say("250-here", "250-AUTH PLAIN", "250 STARTTLS")
            elif word == b"AUTH" and self.taken.welcome:
                self._say("235 welcome")
            elif word == b"RCPT" and any(name.encode() in line for name in self.taken.refuses):
                self._say("550 nobody here")
            else:
                self._say(*self.answers.get(word, ("250 ok",)))
            if word == b"QUIT":
                return

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server closes the socket that TLS was laid around

    def _wrap(self) -> bool:
        assert self.tls is not None
        try:
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        except OSError:  # the other side went away
            return False
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        return True

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.taken.bodies.append(b"".join(lines))
        self._say("250 taken")


@contextmanager
def mail_server(
    certificate: ssl.SSLContext | None = None, *, at_once: bool = False
) -> Iterator[Taken]:
    """Serve SMTP, with a certificate by STARTTLS or from the first byte; every mail is kept.

    `paths` of what is returned are the commands' first four letters.
    """
    held = Taken()

    class Handler(_Mails):
        taken = held
        tls = certificate
        wrapped = at_once

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server, _served(server):
        held.port = server.server_address[1]
        yield held


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
