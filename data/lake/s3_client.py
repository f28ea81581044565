"""A bucket of an object store that speaks S3: few requests, each signed, each tried again.

Written here and not taken from a library: the ones that can be had start threads of their own and
hang, or panic, in a process that is forked after their first use.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import random
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from ..base.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Bucket", "Stored", "bucket_of"]

#: How often a request is tried, and for how long in all, in seconds.
_TRIES: Final = 9
_PATIENCE: Final = 120.0
#: Seconds without a byte after which an answer counts as lost.
_SILENCE: Final = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 4.0
_EMPTY: Final = hashlib.sha256(b"").hexdigest()
_NOT_FOUND, _CONFLICT, _EXISTS = 404, 409, 412
_AGAIN: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Stored:
    """An object.

    Attributes
    ----------
    key : str
    size : int
    written : float
        Seconds since 1970.
    """

    key: str
    size: int
    written: float


class _Idle:
    """Connections that wait for the next request; a forked process has none of its parent's."""

    def __init__(self) -> None:
        self._kept: list[http.client.HTTPConnection] = []
        self._owner = os.getpid()

    def taken(self) -> http.client.HTTPConnection | None:
        """Give one away, None where there is none."""
        if self._owner != os.getpid():
            self._kept, self._owner = [], os.getpid()
        try:
            return self._kept.pop()
        except IndexError:
            return None

    def put(self, connection: http.client.HTTPConnection) -> None:
        """Take one that is free again."""
        self._kept.append(connection)

    def __del__(self) -> None:
        for connection in self._kept:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """Where a bucket is reached, and as whom.

    Attributes
    ----------
    name, host, region : str
    secure : bool
        Whether by TLS.
    prefix : str
        What a path of this bucket begins with: empty, or ``/name``.
    """

    name: str
    host: str
    region: str
    secure: bool
    prefix: str
    _idle: _Idle = field(default_factory=lambda: _Idle(), repr=False)

    def get(self, key: str) -> bytes | None:
        """Return the bytes of an object, None where there is none."""
        answer = self._asked("GET", key, missing=True)
        return None if answer.status == _NOT_FOUND else answer.body

    def stat(self, key: str) -> Stored | None:
        """Return size and time of an object, None where there is none."""
        answer = self._asked("HEAD", key, missing=True)
        if answer.status == _NOT_FOUND:
            return None
        written = parsedate_to_datetime(answer.headers["last-modified"]).timestamp()
        return Stored(key, int(answer.headers["content-length"]), written)

    def put(self, key: str, content: bytes) -> None:
        """Write an object, over one that is there."""
        self._asked("PUT", key, content=content)

    def put_new(self, key: str, content: bytes) -> bool:
        """Write an object only if there is none of that key; return whether it is this one.

        An answer that was lost leaves open who wrote it: what is there then decides.
        """
        answer = self._asked("PUT", key, content=content, only_new=True)
        return answer.status != _EXISTS or self.get(key) == content

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        self._asked("DELETE", key, missing=True)

    def listed(self, begin: str, after: str = "", most: int = 1000) -> Iterator[Stored]:
        """Yield the objects whose key begins with a text, in order, those after another alone."""
        token = ""
        while True:
            query = {"list-type": "2", "prefix": begin, "encoding-type": "url"}
            query |= {"max-keys": str(most)} if most < 1000 else {}
            query |= {"continuation-token": token} if token else {}
            query |= {"start-after": after} if after and not token else {}
            page = ET.fromstring(self._asked("GET", "", query=query).body)
            space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
            for item in page.iter(f"{space}Contents"):
                said = {child.tag.removeprefix(space): child.text or "" for child in item}
                at = datetime.fromisoformat(said["LastModified"].replace("Z", "+00:00"))
                yield Stored(unquote(said["Key"]), int(said["Size"]), at.timestamp())
            token = page.findtext(f"{space}NextContinuationToken") or ""
            if not token or most < 1000:
                return

    def _asked(
        self,
        method: str,
        key: str,
        *,
        content: bytes = b"",
        query: Mapping[str, str] | None = None,
        missing: bool = False,
        only_new: bool = False,
    ) -> _Answer:
        """Ask, again where the store is busy or its answer was lost, and return the answer.

        Raises
        ------
        LakeError
            If it refuses, or does not answer in time.
        """
        began, last = time.monotonic(), ""
        for tried in range(_TRIES):
            if tried:
                pause = min(_FIRST_PAUSE * 2.0**tried, _LONGEST_PAUSE)
                time.sleep(pause * random.uniform(0.5, 1.0))
            if time.monotonic() - began > _PATIENCE:
                break
            try:
                answer = self._sent(method, key, content, query or {}, only_new)
            except (OSError, http.client.HTTPException) as error:
                last = str(error) or type(error).__name__
                continue
            if answer.status < 300 or (missing and answer.status == _NOT_FOUND):
                return answer
            if only_new and answer.status == _EXISTS:
                return answer
            last = f"{answer.status} {_reason(answer)}".strip()
            if answer.status not in _AGAIN:
                raise LakeError(self._refused(answer, only_new))
        raise LakeError(
            f"{self._place}: no answer to {method} {key or 'the list'} in {_TRIES} tries "
            f"({time.monotonic() - began:.0f} s; the last one: {last}): try again; nothing is "
            "visible of a write that did not end"
        )

    @property
    def _place(self) -> str:
        return f"the bucket {self.name} at {self.host}"

    def _refused(self, answer: _Answer, only_new: bool) -> str:
        said = _reason(answer) or str(answer.status)
        if answer.status == _NOT_FOUND:
            return f"{self._place} does not exist ({said}): create it, or correct the address"
        if answer.status in (401, 403):
            return (
                f"{self._place} does not let you in ({said}): set AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and, if it is not Amazon's, AWS_ENDPOINT_URL"
            )
        if only_new and answer.status in (400, 501):
            return (
                f"{self._place} knows no conditional put ({said}), without which two writers "
                "could lose each other's sessions: use a store that has it (If-None-Match)"
            )
        return f"{self._place} refuses ({answer.status} {said}): correct what it names"

    def _sent(
        self, method: str, key: str, content: bytes, query: Mapping[str, str], only_new: bool
    ) -> _Answer:
        path = f"{self.prefix}/{quote(key, safe='/-_.~')}"
        asked = "&".join(
            f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items())
        )
        headers = {"If-None-Match": "*"} if only_new else {}
        headers |= {"Content-Length": str(len(content))} if method == "PUT" else {}
        digest = hashlib.sha256(content).hexdigest() if content else _EMPTY
        headers |= self._signed(method, path, asked, digest, datetime.now(UTC))
        connection = self._idle.taken() or self._connected()
        url = f"{path}?{asked}" if asked else path
        try:
            connection.request(
                method, url, body=content if method == "PUT" else None, headers=headers
            )
            response = connection.getresponse()
            body = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            stated = found.get("content-length")
            if method != "HEAD" and stated is not None and int(stated) != len(body):
                raise http.client.IncompleteRead(body)
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return _Answer(response.status, found, body)

    def _connected(self) -> http.client.HTTPConnection:
        if not self.secure:
            return http.client.HTTPConnection(self.host, timeout=_SILENCE)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self.host, timeout=_SILENCE, context=context)

    def _signed(
        self, method: str, path: str, query: str, digest: str, now: datetime
    ) -> dict[str, str]:
        """Return the headers that say who asks (AWS Signature Version 4)."""
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not key or not secret:
            raise LakeError(
                f"{self._place}: nobody to ask as: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
        headers = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        token = os.environ.get("AWS_SESSION_TOKEN")
        if token:
            headers["x-amz-security-token"] = token
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = "\n".join([method, path, query, lines, names, digest])
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = "\n".join(
            ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()]
        )
        made = f"AWS4{secret}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            made = hmac.new(made, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(made, text.encode(), hashlib.sha256).hexdigest()
        said = f"Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {said}"}


def _reason(answer: _Answer) -> str:
    """Return what an error says, in a line."""
    try:
        page = ET.fromstring(answer.body)
    except ET.ParseError:
        return ""
    said = [page.findtext(name) or "" for name in ("Code", "Message")]
    return ": ".join(part for part in said if part)


def bucket_of(name: str) -> Bucket:
    """Return a bucket as the environment says that it is reached.

    ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` name a store that is not Amazon's,
    ``AWS_REGION`` or ``AWS_DEFAULT_REGION`` the region.
    """
    said = os.environ
    region = said.get("AWS_REGION") or said.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = said.get("AWS_ENDPOINT_URL_S3") or said.get("AWS_ENDPOINT_URL")
    if not endpoint:
        plain = "." not in name  # a certificate of Amazon's covers one name below it
        host = f"s3.{region}.amazonaws.com"
        return Bucket(name, f"{name}.{host}" if plain else host, region, True,
                      "" if plain else f"/{name}")  # fmt: skip
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    if parts.scheme not in ("http", "https", "") or not parts.netloc:
        raise LakeError(
            f"AWS_ENDPOINT_URL = {endpoint!r}: expected an address such as https://store.example"
        )
    base = parts.path.rstrip("/")
    return Bucket(name, parts.netloc, region, parts.scheme != "http", f"{base}/{name}")
