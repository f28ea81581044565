"""JSON files that state a digest of their own bytes: a flipped bit is noticed when one is read."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

__all__ = ["sealed", "unsealed"]

#: From this format on a file without a seal is a damaged one.
_SEALED_SINCE: Final = 2
_KEY: Final = ',\n"digest": "'


def sealed(text: str) -> str:
    """Return the text of a JSON object with the SHA-256 of all that stands before as its last key.

    Examples
    --------
    >>> print(sealed('{"format": 2}'), end="")
    {"format": 2,
    "digest": "2bb8fbffc58029191b10ee68d35407aa542a076957777658505debc015e5a878"}
    """
    body = text.rstrip().removesuffix("}")
    return f'{body}{_KEY}{hashlib.sha256(body.encode()).hexdigest()}"}}\n'


def unsealed(text: str) -> dict[str, Any]:
    """Return the object of a sealed text, without its seal.

    Files of a format before seals are returned as they are.

    Raises
    ------
    ValueError
        If the text is not the one that was sealed, or no JSON object.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    said = found.pop("digest", None)
    if said is None and found.get("format", 1) < _SEALED_SINCE:
        return found
    body, key, _ = text.rpartition(_KEY)
    if not key or sealed(body + "}") != text:
        raise ValueError("its bytes are not those that were written")
    return found
