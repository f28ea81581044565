"""Files that begin with the SHA-256 of the rest, so that damage is noticed when they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

__all__ = ["DamagedError", "read_digested", "with_digest"]

_LENGTH: Final = hashlib.sha256().digest_size


class DamagedError(OSError):
    """A file that is not as it was written."""


def with_digest(body: bytes) -> bytes:
    """Return what a file holds: the digest of its body, and the body."""
    return hashlib.sha256(body).digest() + body


def read_digested(path: str | Path) -> bytes:
    """Return the body of a file.

    Raises
    ------
    DamagedError
        If its digest is another one.
    """
    content = Path(path).read_bytes()
    digest, body = content[:_LENGTH], content[_LENGTH:]
    if hashlib.sha256(body).digest() != digest:
        raise DamagedError(f"{path} is damaged")
    return body
