"""Commits that say what their own bytes are, and the mark of the last one.

For tables whose versions no other table names: one byte changed in a commit is seen by the commit
itself, one in an earlier commit by those that follow, and a lost last commit by the mark.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .storage import read_now, replaced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["MARK", "marked", "put_mark", "sealed", "unsealed"]

MARK: Final = "newest.json"
_SEAL: Final = '"digest": "'


def sealed(lines: bytes, said: Mapping[str, Any]) -> bytes:
    """Return the content of a commit with what it says of itself, and a digest of all at its end.

    Parameters
    ----------
    lines : bytes
        From `commit_lines`.
    said : mapping
        With ``version``, its number.
    """
    body, _, info = lines.decode().rstrip("\n").rpartition("\n")
    told = json.loads(info)["commitInfo"] | {"gexlab": dict(said)}
    text = f'{body}\n{{"commitInfo": {json.dumps(told)[:-1]}, {_SEAL}'
    return f'{text}{hashlib.sha256(text.encode()).hexdigest()}"}}}}\n'.encode()


def unsealed(content: bytes, number: int) -> dict[str, Any]:
    """Return what a commit says of itself.

    Raises
    ------
    ValueError
        If its bytes are not those that were written, or it is that of another version.
    """
    text = content.decode()
    body, seal, rest = text.rpartition(_SEAL)
    if not seal or rest != f'{hashlib.sha256((body + seal).encode()).hexdigest()}"}}}}\n':
        raise ValueError("its bytes are not those that were written")
    said: dict[str, Any] = json.loads(text.splitlines()[-1])["commitInfo"]["gexlab"]
    if said["version"] != number:
        raise ValueError(f"it is that of version {said['version']}")
    return said


def marked(folder: Path) -> tuple[int, str]:
    """Return the last version of a table that was marked as written, and its digest; else -1.

    A mark may lag behind, where a writer was killed; it never leads.

    Raises
    ------
    LakeError
        If it cannot be read.
    """
    path = folder / MARK
    try:
        said = json.loads(read_now(path))
        return int(said["version"]), str(said["digest"])
    except FileNotFoundError:
        return -1, ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{path} cannot be read ({type(error).__name__}: {error}): delete it, it is written "
            "again with the next version"
        ) from error


def put_mark(folder: Path, number: int, digest: str) -> None:
    """Note a version as written, so that it is missed should its log be lost."""
    said = json.dumps({"version": number, "digest": digest})
    with suppress(OSError, LakeError):  # the version is committed, with or without
        replaced(folder / MARK, said.encode())
