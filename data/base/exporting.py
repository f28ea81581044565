"""Tables to CSV files that a spreadsheet opens as what they are: values, never formulas."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from .errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

__all__ = ["defused", "defused_column", "defused_frame", "replacing"]

#: What a spreadsheet takes for the beginning of a formula, full-width signs included.
_FORMULA: Final = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def defused_column(values: pa.Array) -> pa.Array:
    """Return texts in which none is a formula: an apostrophe stands before those that were.

    Texts that are numbers, such as ``-5``, stay as they are.
    """
    import pyarrow.compute as pc

    formula = pc.replace_substring_regex(values, f"^({_FORMULA})", r"'\1")
    return pc.if_else(pc.match_substring_regex(values, _NUMBER), values, formula)


def defused(texts: list[str]) -> list[str]:
    """Return texts in which none is a formula.

    Examples
    --------
    >>> defused(["=1+1", "-5", "+1.5e3", "@x", "a=b"])
    ["'=1+1", '-5', '+1.5e3', "'@x", 'a=b']
    """
    import pyarrow as pa

    found: list[str] = defused_column(pa.array(texts, pa.string())).to_pylist()
    return found


def defused_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts and headings are no formulas; numbers and dates stay."""
    import pandas as pd

    changed = frame.copy()
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
            is_text = column.map(lambda value: isinstance(value, str)).astype(bool)
            if is_text.any():
                changed.loc[is_text, name] = defused(column[is_text].tolist())
    changed.columns = defused([str(name) for name in frame.columns])
    return changed


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Give a file beside `out` that takes its place at the end; a failure leaves neither.

    Folders are made where they don't exist.

    Raises
    ------
    InputFileError
        If the file cannot be written there.
    """
    beside = out.with_name(f".{out.name[:100]}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(out)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and "null byte" not in str(error):
            raise
        reason = getattr(error, "strerror", None) or "not a usable file name"
        raise InputFileError(
            f"{out}: {reason}: free some space, or choose another file with --out"
        ) from error
    finally:
        _remove(beside)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (OSError, ValueError):
        return
