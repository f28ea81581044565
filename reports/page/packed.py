"""What makes a page small: long columns as typed arrays, each once; the library compressed.

A long column of numbers becomes the base64 text of 32-bit floats where their six significant
digits come back, else of 64-bit ones; sessions become steps of days; words a list and places in
it. Columns that several traces share are written once and referred to by number. `page.js` turns
all of it back.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .views import Figure

__all__ = ["compressed", "in_base_85", "packed_figures", "plotly_source"]

#: Columns shorter than this stay lists.
_LONG: Final = 40
_DIGITS: Final = 6
_BYTE: Final = 256
_COLUMNS: Final = ("x", "y", "text")
_DAY_LENGTH: Final = len("2000-01-01")
_PLACES: Final = 85 ** np.arange(4, -1, -1)
_MARKUP: Final = bytes.maketrans(b"<&", b"{|")


def plotly_source() -> str:
    """Return Plotly's JavaScript as the installed package carries it."""
    file = resources.files("plotly") / "package_data" / "plotly.min.js"
    return file.read_text(encoding="utf-8")


@cache
def compressed(text: str | None = None) -> str:
    """Return a script as text of gzip, which browsers unpack themselves; default Plotly's."""
    source = plotly_source() if text is None else text
    return in_base_85(gzip.compress(source.encode("utf-8"), 9, mtime=0))


def in_base_85(raw: bytes) -> str:
    """Return bytes as text, five signs for four bytes: a sixteenth shorter than base64.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    str
        Each four bytes as a number of five digits, the highest first; n bytes that are left over
        as n + 1 digits. Digits are ``!`` to ``u`` as in Ascii85, but for ``<``, which is ``{``, and
        ``&``, which is ``|``: nothing of it is markup.
    """
    left = -len(raw) % 4
    numbers = np.frombuffer(raw + bytes(left), ">u4").astype(np.int64)
    digits = numbers[:, None] // _PLACES % 85
    text = (digits + ord("!")).astype(np.uint8).tobytes().translate(_MARKUP)
    return text[: len(text) - left].decode("ascii")


def packed_figures(figures: Iterable[Figure]) -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """Return the figures' specs by id, and the columns that they refer to as ``{"#": number}``."""
    columns: dict[str, int] = {}
    specs = {figure.id: _packed(figure.spec, columns) for figure in figures}
    return specs, [json.loads(text) for text in columns]


def _packed(spec: dict[str, Any], columns: dict[str, int]) -> dict[str, Any]:
    traces = [
        {
            key: _column(value, columns) if key in _COLUMNS else value
            for key, value in trace.items()
            if value is not None
        }
        for trace in spec["data"]
    ]
    for trace in traces:
        if trace["type"] == "heatmap":
            trace["z"] = [_column(row, columns) for row in trace["z"]]
    return {**spec, "data": traces}


def _column(values: Any, columns: dict[str, int]) -> Any:
    """Return a reference to a long column, a short one as it is."""
    if not isinstance(values, list) or len(values) < _LONG:
        return values
    found = _days(values) or _numbers(values) or _words(values)
    if found is None:
        return values
    return {"#": columns.setdefault(json.dumps(found, sort_keys=True), len(columns))}


def _numbers(values: Sequence[Any]) -> dict[str, str] | None:
    if not all(
        v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values
    ):
        return None
    numbers = np.array([np.nan if v is None else v for v in values], dtype="<f8")
    with np.errstate(over="ignore"):
        short = numbers.astype("<f4")
    if _as_read(short.tolist()) == _as_read(numbers.tolist(), exact=True):
        return {"f4": _base64(short.tobytes())}
    return {"f8": _base64(numbers.tobytes())}


def _as_read(values: Sequence[float], *, exact: bool = False) -> list[str]:
    """Return numbers as the page reads them: 32-bit ones to six significant digits."""
    return [repr(v if exact else float(f"{v:.{_DIGITS}g}")) for v in values]


def _days(values: Sequence[Any]) -> dict[str, Any] | None:
    """Return ascending dates as the first and the steps between them, at most 255 days each."""
    if not all(isinstance(v, str) and len(v) == _DAY_LENGTH and v[4] == "-" for v in values):
        return None
    try:
        days = np.array([date.fromisoformat(v).toordinal() for v in values])
    except ValueError:
        return None
    steps = np.diff(days)
    if (steps < 0).any() or (steps >= _BYTE).any():
        return None
    return {"first": values[0], "days": _base64(steps.astype("u1").tobytes())}


def _words(values: Sequence[Any]) -> dict[str, Any] | None:
    if not all(isinstance(v, str) for v in values):
        return None
    words = list(dict.fromkeys(values))
    if len(words) >= _BYTE:
        return None
    at = {word: i for i, word in enumerate(words)}
    return {"words": words, "at": _base64(bytes(at[v] for v in values))}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
