"""One careful download: bounded in time and size, repeated where that can help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from ..base.errors import InputFileError

__all__ = ["Download", "Retries", "download"]

_CHUNK: Final = 1 << 16
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How long and how often to try.

    Attributes
    ----------
    timeout : float
        Seconds for everything, attempts and the pauses between them, however slowly a server
        drips. One attempt gets half of what is left, the last one all of it.
    retries : int
        Attempts after the first one.
    backoff : float
        Seconds before the second attempt; doubled each time, at most a minute. A server's
        ``Retry-After`` is obeyed up to the same minute.
    sleep : callable
        What to wait with (a test passes its own).
    """

    timeout: float = 120.0
    retries: int = 4
    backoff: float = 1.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Download:
    """What a server sent: its bytes, the content type, and how many attempts that took."""

    body: bytes
    content_type: str
    attempts: int


class _TransientError(Exception):
    """A failure that the next attempt may not see."""

    def __init__(self, what: str, pause: float | None = None) -> None:
        super().__init__(what)
        self.pause = pause


class _SameHostOnly(HTTPRedirectHandler):
    """Follow redirects within the same scheme, host and port, and no others."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        if _origin(newurl) != _origin(req.full_url):
            fp.close()
            raise InputFileError(
                f"{req.full_url} redirects to another host, {_origin(newurl)}: if you trust it, "
                "name that address itself"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str, *, patience: Retries, max_bytes: int, accept: Callable[[bytes], None]
) -> Download:
    """Fetch `url`, trying again after failures that may pass.

    Parameters
    ----------
    url : str
        An https address; http only on this machine (loopback).
    patience : Patience
        Time and number of attempts.
    max_bytes : int
        Largest body that is taken.
    accept : callable
        Raises ValueError when a complete body is not usable; that, too, is tried again, because
        servers do cut bodies short.

    Returns
    -------
    Download

    Raises
    ------
    InputFileError
        When the address is not allowed, the server says no for good, the body is too large, or
        every attempt failed.
    """
    _require_allowed(url)
    opener = build_opener(_SameHostOnly(), _proxies(url))
    end = time.monotonic() + patience.timeout
    for attempt in range(1, patience.retries + 2):
        left = end - time.monotonic()
        limit = left if attempt > patience.retries else left / 2  # some is kept for the next one
        try:
            body, content_type = _bounded(opener, url, limit, max_bytes)
            accept(body)
            return Download(body, content_type, attempt)
        except (_TransientError, ValueError) as failure:
            if isinstance(failure, InputFileError):
                raise
            pause = _pause(failure, patience.backoff, attempt)
            if attempt > patience.retries or time.monotonic() + pause >= end:
                raise _given_up(url, attempt, patience.timeout, failure) from failure
            patience.sleep(pause)
    raise InputFileError(f"{url}: retries must be 0 or more, found {patience.retries}")


def _given_up(url: str, attempts: int, timeout: float, last: Exception) -> InputFileError:
    tries = "the only attempt" if attempts == 1 else f"{attempts} attempts"
    return InputFileError(
        f"{url}: {tries} within {timeout:g} s failed, the last one with: {last}; try again later, "
        "allow more time (--timeout), or check the address and your connection"
    )


def _bounded(opener: OpenerDirector, url: str, limit: float, max_bytes: int) -> tuple[bytes, str]:
    """Try once, and leave after `limit` seconds wherever it hangs.

    A socket's own limit is for one read: names that do not resolve and headers that drip byte by
    byte never reach it.
    """
    found: list[tuple[bytes, str]] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            found.append(_attempt(opener, url, limit, max_bytes))
        except Exception as error:  # it belongs to whoever waits
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True, name="download")
    worker.start()
    worker.join(limit)
    if failed:
        raise failed[0]
    if not found:
        raise _TransientError(f"no answer within {limit:.3g} s")
    return found[0]


def _attempt(opener: OpenerDirector, url: str, timeout: float, max_bytes: int) -> tuple[bytes, str]:
    deadline = time.monotonic() + timeout
    request = Request(url, headers={"User-Agent": "gexlab", "Accept": "application/json"})
    try:
        with opener.open(request, timeout=timeout) as response:
            return _read(response, url, deadline, max_bytes), response.headers.get_content_type()
    except HTTPError as error:
        with error:
            raise _refusal(url, error) from error
    except TimeoutError as error:
        raise _TransientError(f"no answer within {timeout:.3g} s") from error
    except (URLError, HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise _TransientError(f"{type(reason).__name__}: {reason}".rstrip(": ")) from error


def _read(response: HTTPResponse, url: str, deadline: float, max_bytes: int) -> bytes:
    expected = response.headers.get("Content-Length", "")
    if expected.isdigit() and int(expected) > max_bytes:
        raise _too_large(url, max_bytes)
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise _too_large(url, max_bytes)
        if time.monotonic() > deadline:
            raise TimeoutError
    if expected.isdigit() and size != int(expected):
        raise _TransientError(f"the body ends after {size} of {expected} bytes")
    return b"".join(parts)


def _too_large(url: str, max_bytes: int) -> InputFileError:
    return InputFileError(
        f"{url} sends more than {max_bytes} bytes: raise the limit if that is meant to be"
    )


def _refusal(url: str, error: HTTPError) -> Exception:
    if error.code == 429 or error.code >= 500:
        after = error.headers.get("Retry-After", "") if error.headers else ""
        pause = min(float(after), _LONGEST_PAUSE) if after.isdigit() else None
        return _TransientError(f"status {error.code} {error.reason}", pause)
    return InputFileError(
        f"{url} answers with status {error.code} {error.reason}: check the address and the symbol"
    )


def _pause(failure: Exception, backoff: float, attempt: int) -> float:
    asked = getattr(failure, "pause", None)
    return float(asked) if asked is not None else min(backoff * 2 ** (attempt - 1), _LONGEST_PAUSE)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _require_allowed(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise InputFileError(
        f"expected an https address (http only on this machine), found {url!r}: correct the address"
    )


def _proxies(url: str) -> ProxyHandler:
    """Return the proxies of the environment, and none for this machine itself."""
    return ProxyHandler({}) if urlsplit(url).hostname in _LOOPBACK else ProxyHandler()
