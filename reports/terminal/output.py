"""What a command prints: one JSON document, or a short text for a person.

Standard output carries the result, standard error everything else, so that a command can be
piped while its progress is still seen.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...data import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

__all__ = ["emit", "plain", "stderr_console", "stdout_console", "to_json"]

_NARROWEST = 40
_USUAL = 100
_WIDEST = 10_000


def emit(document: object, as_json: bool, show: Callable[[Console], None]) -> None:
    """Print ``document`` as JSON, or let ``show`` draw it for a person."""
    if as_json:
        sys.stdout.write(to_json(document) + "\n")
    else:
        show(stdout_console())


def to_json(document: object) -> str:
    """Return ``document`` as one JSON document; NaN, infinities and NaT become null.

    Examples
    --------
    >>> to_json({"flip": float("nan"), "sessions": 3})
    '{\\n  "flip": null,\\n  "sessions": 3\\n}'
    """
    return json.dumps(plain(document), indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say; undefined becomes None, never 0.

    Parameters
    ----------
    value : object
        Dataclasses, mappings, sequences, pandas frames (as a list of rows), numpy scalars and
        arrays, dates, paths.

    Examples
    --------
    >>> plain({"sharpe": float("nan"), "counts": (1, 2)})
    {'sharpe': None, 'counts': [1, 2]}
    """
    if isinstance(value, str):
        return encodable(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_key(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value)]
        return {name: plain(getattr(value, name)) for name in names}
    return _foreign(value)


def _key(value: Any) -> str:
    text = plain(value)
    return text if isinstance(text, str) else str(text)


def _foreign(value: Any) -> Any:
    """Turn pandas, numpy, dates and paths into plain values without importing them."""
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return [plain(row) for row in value.to_dict("records")]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return None if value != value else _day_or_moment(value)
    if isinstance(value, Decimal):  # sums of whole numbers in SQL
        return (
            None if not value.is_finite() else int(value) if value == int(value) else float(value)
        )
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    return encodable(str(value))


def _day_or_moment(value: Any) -> str:
    """Return ISO text: frames keep a day as a midnight without a zone, moments have one."""
    text: str = value.isoformat()
    return text if getattr(value, "tzinfo", None) else text.removesuffix("T00:00:00")


def stdout_console() -> Console:
    """Return a console on standard output; plain text where that is not a terminal."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """Return a console on standard error, for progress and notes."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from .plain_console import PlainConsole

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _columns()
    return PlainConsole(stderr=stderr, width=width)


def _columns() -> int:
    """Return the width of what is no terminal: ``COLUMNS`` where it is a number, else 100."""
    stated = os.environ.get("COLUMNS", "")
    number = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 6 else _USUAL
    return min(max(number, _NARROWEST), _WIDEST) if number else _USUAL
