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
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_plus, urlsplit
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
#: Bytes a second below which an answer counts as lost, beyond the time allowed for all tries.
_SLOWEST: Final = 10_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 4.0
_EMPTY: Final = hashlib.sha256(b"").hexdigest()
_NOT_FOUND, _EXISTS = 404, 412
_AGAIN: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
#: Refusals (400, 403) that say no more than that a request came too slowly, or was dated wrongly.
_SLOW, _SKEWED = "RequestTimeout", "RequestTimeTooSkewed"
#: Refusals of a conditional put that do not mean that the store knows none.
_OTHERWISE: Final = ("AuthorizationHeaderMalformed", "ExpiredToken", "Invalid", "EntityTooLarge")


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
        #: How far the store's clock is ahead of this machine's, where it minds.
        self.ahead = timedelta(0)

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

    def drop(self) -> None:
        """Close those that wait: where one was found dead, the others are likely to be."""
        kept, self._kept = self._kept, []
        for connection in kept if self._owner == os.getpid() else []:
            connection.close()

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
            page = _Page.read(self._asked("GET", "", query=query).body)
            yield from page.objects
            token = page.token
            if not token or most < 1000:
                break
        if page.cut and most >= 1000:
            raise LakeError(
                f"{self._place}: the store lists {len(page.objects)} objects, says that there are "
                "more and not how to go on: use one that knows ListObjectsV2"
            )

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
                if query is not None and answer.status < 300:
                    _Page.read(answer.body)  # a list that was cut off is asked for again
            except (OSError, http.client.HTTPException, ET.ParseError) as error:
                last = str(error) or type(error).__name__
                self._idle.drop()
                continue
            if answer.status < 300 or (missing and answer.status == _NOT_FOUND):
                return answer
            if only_new and answer.status == _EXISTS:
                return answer
            last = f"{answer.status} {_reason(answer)}".strip()
            if answer.status not in _AGAIN and not self._corrected(answer):
                raise LakeError(self._refused(answer, only_new))
        raise LakeError(
            f"{self._place}: no answer to {method} {key or 'the list'} in {_TRIES} tries "
            f"({time.monotonic() - began:.0f} s; the last one: {last}): try again; nothing is "
            "visible of a write that did not end"
        )

    def _corrected(self, answer: _Answer) -> bool:
        """Return whether a refusal may be gone the next time; a wrong clock is allowed for."""
        said = _reason(answer)
        if said.startswith(_SKEWED) and "date" in answer.headers:  # of several threads each
            there = parsedate_to_datetime(answer.headers["date"])
            self._idle.ahead = there - datetime.now(UTC)
            return True
        return said.startswith(_SLOW + ":") or said == _SLOW

    @property
    def _place(self) -> str:
        return f"the bucket {self.name} at {self.host}"

    def _refused(self, answer: _Answer, only_new: bool) -> str:
        said = _reason(answer) or str(answer.status)
        if answer.status == _NOT_FOUND:
            return f"{self._place} does not exist ({said}): create it, or correct the address"
        region = answer.headers.get("x-amz-bucket-region", "")
        if answer.status in (301, 307, 400) and region not in ("", self.region):
            return f"{self._place} lies in another region ({said}): set AWS_REGION={region}"
        if 300 <= answer.status < 400:
            to = answer.headers.get("location", "another address")
            return f"{self._place} has moved to {to} ({said}): correct AWS_ENDPOINT_URL"
        if said.startswith(_SKEWED):
            return f"{self._place}: this machine's clock is wrong ({said}): set it"
        if answer.status in (401, 403):
            return (
                f"{self._place} does not let you in ({said}): set AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and, if it is not Amazon's, AWS_ENDPOINT_URL"
            )
        other = answer.status == 400 and said.startswith(_OTHERWISE)
        if only_new and answer.status in (400, 501) and not other:
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
        headers |= self._signed(method, path, asked, digest, datetime.now(UTC) + self._idle.ahead)
        connection = self._idle.taken() or self._connected()
        url = f"{path}?{asked}" if asked else path
        try:
            connection.request(
                method, url, body=content if method == "PUT" else None, headers=headers
            )
            response = connection.getresponse()
            body = _read(response)
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


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a list: its objects, how to go on, and whether there are more."""

    objects: tuple[Stored, ...]
    token: str
    cut: bool

    @classmethod
    def read(cls, body: bytes) -> _Page:
        page = ET.fromstring(body)
        space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
        # a store that does not know the encoding asked for gives keys as they are
        encoded = page.findtext(f"{space}EncodingType") == "url"
        found = []
        for item in page.iter(f"{space}Contents"):
            said = {child.tag.removeprefix(space): child.text or "" for child in item}
            at = datetime.fromisoformat(said["LastModified"].replace("Z", "+00:00"))
            key = unquote_plus(said["Key"]) if encoded else said["Key"]
            found.append(Stored(key, int(said["Size"]), at.timestamp()))
        token = page.findtext(f"{space}NextContinuationToken") or ""
        return cls(tuple(found), token, page.findtext(f"{space}IsTruncated") == "true")


def _read(response: http.client.HTTPResponse) -> bytes:
    """Return the bytes of an answer, unless they come too slowly to wait for."""
    began, read, parts = time.monotonic(), 0, list[bytes]()
    while part := response.read1(1 << 20):
        parts.append(part)
        read += len(part)
        if time.monotonic() - began > _PATIENCE + read / _SLOWEST:
            raise TimeoutError(f"{read} bytes in {time.monotonic() - began:.0f} s")
    response.close()  # Python 3.11 leaves it open here, and its connection unusable
    return b"".join(parts)


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
