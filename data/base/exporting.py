"""Tables to CSV files that a spreadsheet opens as what they are: values, never formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["defused", "defused_column", "defused_frame"]

#: What a spreadsheet takes for the beginning of a formula, full-width signs included.
_FORMULA: Final = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def defused_column(values: pa.Array) -> pa.Array:
    """Return texts in which none is a formula: an apostrophe stands before those that were.

    Texts that are numbers, such as ``-5``, stay as they are.

    Parameters
    ----------
    values : Array
        Texts; nulls stay.

    Returns
    -------
    Array
        Of the same length.
    """
    import pyarrow.compute as pc

    formula = pc.replace_substring_regex(values, f"^({_FORMULA})", r"'\1")
    return pc.if_else(pc.match_substring_regex(values, _NUMBER), values, formula)


def defused(texts: list[str]) -> list[str]:
    """Return texts in which none is a formula.

    Parameters
    ----------
    texts : list of str

    Returns
    -------
    list of str
        Of the same length; formulas behind an apostrophe.

    Examples
    --------
    >>> defused(["=1+1", "-5", "+1.5e3", "@x", "a=b"])
    ["'=1+1", '-5', '+1.5e3', "'@x", 'a=b']
    """
    import pyarrow as pa

    found: list[str] = defused_column(pa.array(texts, pa.string())).to_pylist()
    return found


def defused_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts and headings are no formulas; numbers and dates stay.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    DataFrame
        Of the same shape.
    """
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
