"""Cells of users' own tables as numbers, days and moments, checked one by one.

Every complaint names the file, the column, the row and what stands there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..base.date_cells import is_blank
from ..base.date_dialect import AmbiguousDateError, days_of, moments_of
from ..base.errors import InputFileError
from ..base.number_dialect import bare_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["clock_minutes", "days", "numbers", "stamps"]

_NOWHERE = int(np.iinfo(np.int64).min)
#: Years that a market's data can be of; calendars end a year later.
_FIRST_YEAR, _LAST_YEAR = 1800, 2039


def numbers(path: Path, frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """Return a column as floats; missing is NaN.

    Raises
    ------
    InputFileError
        If a cell is not a finite number.
    """
    import pandas as pd

    cells = frame[column]
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    odd = (values.isna() & cells.notna()).to_numpy()
    if odd.any():
        bare = bare_numbers([str(v) for v in cells[odd]], _has_points(cells[~odd]), str(path))
        values = values.copy()
        values[odd] = np.array([math.nan if v is None else v for v in bare])
        nothing = np.array([is_blank(str(v)) for v in cells[odd]])
        cells = cells.copy()
        cells[np.flatnonzero(odd)[nothing]] = None
    bad = (values.isna() & cells.notna()) | np.isinf(values)
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        raise InputFileError(
            f"{path}: column {column!r} holds {str(cells.iloc[row])!r} in row {row + 1}: "
            "expected a number; correct or remove it"
        )
    return values


def _has_points(cells: pd.Series[str]) -> bool:
    return bool(cells.dropna().astype(str).str.contains(r"\.\d", regex=True).any())


def days(path: Path, frame: pd.DataFrame, column: str, timezone: str) -> pd.Series[pd.Timestamp]:
    """Return a column as calendar days (naive midnights).

    A stamp with a zone is a day in `timezone`, unless all of them are midnights in UTC or in the
    zone that they are written in: then the file means dates. A stamp without a zone is the date
    that is written.

    Parameters
    ----------
    timezone : str
        The exchange's zone.

    Raises
    ------
    InputFileError
        If a cell is missing or not a date, or if the order of day and month is ambiguous.
    """
    import pandas as pd

    cells = frame[column]
    _require_filled(path, cells, column)
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        ways = (cells.dt.tz_convert("UTC"), cells)
        dates = next((way for way in ways if (way == way.dt.normalize()).all()), None)
        cells = (cells.dt.tz_convert(timezone) if dates is None else dates).dt.tz_localize(None)
    elif not pd.api.types.is_datetime64_any_dtype(cells):
        cells = _parse_days(path, cells, column, timezone)
    _require_era(path, cells, column)
    midnights: pd.Series[pd.Timestamp] = cells.dt.normalize().astype("datetime64[ns]")
    return midnights


def _parse_days(
    path: Path, cells: pd.Series[str], column: str, timezone: str
) -> pd.Series[pd.Timestamp]:
    import pandas as pd

    codes, found = pd.factorize(cells)  # long files have few days: each is read once
    texts = [_text_of(value) for value in found]
    try:
        known = days_of(texts, zone=timezone)
    except AmbiguousDateError as error:
        raise InputFileError(f"{path}: dates in column {column!r}: {error}") from error
    unread = np.array([text not in known for text in texts])
    if unread.any():
        row = int(np.flatnonzero(unread[codes])[0])
        raise InputFileError(
            f"{path}: column {column!r} holds {texts[codes[row]]!r} in row {row + 1}: expected a "
            "date; write dates as YYYY-MM-DD"
        )
    parsed = np.array([known[text] for text in texts], dtype="datetime64[D]")
    return pd.Series(parsed.astype("datetime64[s]")[codes], index=cells.index)


def _text_of(value: object) -> str:
    """Return a cell as text; whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def stamps(path: Path, frame: pd.DataFrame, column: str, timezone: str) -> pd.Series[pd.Timestamp]:
    """Return a column as moments in UTC.

    Parameters
    ----------
    timezone : str
        Zone of stamps that name none. An hour that a clock change skips or repeats there cannot
        be placed and becomes NaT.

    Raises
    ------
    InputFileError
        If a cell is missing or not a time stamp.
    """
    import pandas as pd

    cells = frame[column]
    _require_filled(path, cells, column)
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        _require_era(path, cells, column)
        utc: pd.Series[pd.Timestamp] = cells.dt.tz_convert("UTC").astype("datetime64[ns, UTC]")
        return utc
    if not pd.api.types.is_datetime64_any_dtype(cells):
        return _parse_stamps(path, cells, column, timezone)
    _require_era(path, cells, column)
    return _in_utc(cells, timezone)


def _parse_stamps(
    path: Path, cells: pd.Series[str], column: str, timezone: str
) -> pd.Series[pd.Timestamp]:
    import pandas as pd

    text = cells.map(_text_of) if cells.dtype.kind in "iuf" else cells.astype(str).str.strip()
    zoned = text.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
    if text.str.fullmatch(r"\d{10}|\d{13}|\d{16}|\d{19}").all():
        return _counted(text)
    parsed = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=bool(zoned.any()))
    bad = parsed.isna().to_numpy()
    if bad.any() or text.str.fullmatch(r"\d{8,14}").any():
        return _read_stamps(path, text, column, timezone)
    if zoned.nunique() > 1:
        raise InputFileError(
            f"{path}: column {column!r} holds {text.iloc[0]!r} in row 1: expected time stamps such "
            "as 2026-01-05 09:30, all with a zone or all without"
        )
    _require_era(path, parsed, column)
    if zoned.all():
        return parsed.astype("datetime64[ns, UTC]")
    return _in_utc(parsed, timezone)


def _counted(text: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return moments that count seconds, or thousandths of them and so on, since 1970."""
    import pandas as pd

    digits = text.str.len().to_numpy()
    nanoseconds = text.astype("int64").to_numpy() * 10 ** (19 - digits)
    stamped = pd.to_datetime(pd.Series(nanoseconds, index=text.index), unit="ns", utc=True)
    return stamped.astype("datetime64[ns, UTC]")


def _read_stamps(
    path: Path, text: pd.Series[str], column: str, timezone: str
) -> pd.Series[pd.Timestamp]:
    """Return moments that are not written as ISO does."""
    import pandas as pd

    codes, found = pd.factorize(text)
    try:
        known = moments_of(list(found), zone=timezone)
        days = days_of([t for t in found if t not in known], zone=timezone)
    except AmbiguousDateError as error:
        raise InputFileError(f"{path}: stamps in column {column!r}: {error}") from error
    bad = np.array([t not in known and t not in days for t in found])
    if bad.any():
        row = int(np.flatnonzero(bad[codes])[0])
        raise InputFileError(
            f"{path}: column {column!r} holds {text.iloc[row]!r} in row {row + 1}: expected time "
            "stamps such as 2026-01-05 09:30, all with a zone or all without"
        )
    moments = np.array([known.get(t, _NOWHERE) for t in found], dtype="datetime64[us]")
    placed = pd.Series(moments[codes], index=text.index).dt.tz_localize("UTC")
    return placed.astype("datetime64[ns, UTC]")


def _in_utc(naive: pd.Series[pd.Timestamp], timezone: str) -> pd.Series[pd.Timestamp]:
    local = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    return local.dt.tz_convert("UTC").astype("datetime64[ns, UTC]")


def clock_minutes(path: Path, frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """Return a column of clock times (``HH:MM`` or ``HH:MM:SS``) as minutes of the day.

    Raises
    ------
    InputFileError
        If a cell is missing or not a clock time.
    """
    cells = frame[column]
    _require_filled(path, cells, column)
    text = cells.astype(str).str.strip()
    parts = text.str.extract(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$").astype("float64")
    minutes = parts[0] * 60 + parts[1] + parts[2].fillna(0.0) / 60
    bad = (minutes.isna() | (minutes >= 24 * 60) | (parts[1] >= 60)).to_numpy()
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputFileError(
            f"{path}: column {column!r} holds {text.iloc[row]!r} in row {row + 1}: expected a "
            "clock time HH:MM"
        )
    return minutes


def _require_era(path: Path, moments: pd.Series[pd.Timestamp], column: str) -> None:
    years = moments.dt.year
    strange = ((years < _FIRST_YEAR) | (years > _LAST_YEAR)).to_numpy()
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise InputFileError(
            f"{path}: column {column!r} holds a date of the year {years.iloc[row]} in row "
            f"{row + 1}: expected {_FIRST_YEAR} to {_LAST_YEAR}; correct it"
        )


def _require_filled(path: Path, cells: pd.Series[str], column: str) -> None:
    empty = cells.isna().to_numpy()
    if empty.any():
        raise InputFileError(
            f"{path}: column {column!r} is empty in row {int(np.flatnonzero(empty)[0]) + 1}: "
            "fill or remove that row"
        )
