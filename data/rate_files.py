"""Rate and dividend curves from users' files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import pandas as pd

from .errors import InputFileError
from .exposure.curves import RateCurve, curve_of
from .tabular import days, numbers, read_table

__all__ = ["load_curve"]

#: A larger number is a percentage, not a decimal.
_LARGEST_RATE: Final = 1.0


def load_curve(path: str | Path) -> RateCurve:
    """Read a curve of continuous zero rates.

    Parameters
    ----------
    path : str or Path
        Parquet or CSV with the columns ``session``, ``rate`` (continuous, decimal per year) and
        optionally ``days`` (calendar days to maturity). Without ``days`` each session has one
        rate for all maturities. A rate counts from its session's close until the next one.

    Returns
    -------
    RateCurve

    Raises
    ------
    InputFileError
        If the file cannot be read, a rate is missing or looks like a percentage, days are
        negative, or two rates share session and days.
    """
    file = Path(path)
    return _load(file, file.stat().st_mtime_ns if file.is_file() else 0)


@lru_cache(maxsize=8)
def _load(file: Path, _changed: int) -> RateCurve:
    names = {"session": ("session", "date"), "rate": ("rate", "value"), "days": ("days",)}
    frame = read_table(file, names, optional=["days"])
    session = days(file, frame, "session", "UTC")
    rate = numbers(file, frame, "rate")
    maturity = numbers(file, frame, "days") if "days" in frame else pd.Series(0.0, frame.index)
    for values, wrong, expected in (
        (rate, rate.isna() | (rate.abs() > _LARGEST_RATE), "a decimal such as 0.045"),
        (maturity, maturity.isna() | (maturity < 0.0), "a number of days from 0 on"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputFileError(
                f"{file}: column {values.name or 'days'!r} holds {values.iloc[row]:g} in row "
                f"{row + 1}: expected {expected}; correct it"
            )
    rows = zip(session.dt.date, maturity.astype(float), rate.astype(float), strict=True)
    return curve_of(str(file), list(rows))
