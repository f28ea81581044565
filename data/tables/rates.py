"""Rate and dividend curves from users' files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import DefinitionError, InputFileError
from ..exposure.definition import CurveFile
from ..exposure.rate_curves import CurveRow, RateCurve, curve_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["curve_file", "curve_in", "load_curve"]

#: A larger number is a percentage, not a decimal.
_LARGEST_RATE: Final = 1.0


def curve_file(path: str | Path) -> CurveFile:
    """Read a curve once and return what a `Definition` keeps of it.

    Parameters
    ----------
    path : str or Path
        See `load_curve`.

    Returns
    -------
    CurveFile
        Equal for equal curves, whatever the file's name, place and format.

    Raises
    ------
    InputFileError
    """
    file = Path(path).expanduser().absolute()
    curve = load_curve(file)
    return CurveFile(curve.digest, str(file), curve)


def curve_in(file: CurveFile | None) -> RateCurve | None:
    """Return the curve that a definition means, as it was read for it; None for None.

    Where only its digest is known, the file is read.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    DefinitionError
        If the file holds another curve by now.
    """
    if file is None:
        return None
    if file.curve is not None:
        return file.curve
    curve = load_curve(file.path)
    if curve.digest != file.digest:
        raise DefinitionError(
            f"{file.path}: expected the rates that the definition was made with ({file.digest}), "
            f"found others ({curve.digest}): rebuild with the file as it is now, or restore it"
        )
    return curve


def load_curve(path: str | Path) -> RateCurve:
    """Read a curve of continuous zero rates.

    Parameters
    ----------
    path : str or Path
        Parquet or CSV with the columns ``session`` (or ``date``), ``rate`` (or ``value``;
        continuous, decimal per year) and optionally ``days`` (calendar days to maturity) and
        ``known_at`` (when the rate was published; stamps without a zone are UTC). Without
        ``days`` each session has one rate for all maturities. Without ``known_at`` a rate counts
        for the sessions after its own only.

    Returns
    -------
    RateCurve

    Raises
    ------
    InputFileError
        If the file cannot be read, a cell is missing, a rate looks like a percentage, days are
        negative, or two rates share session and days.
    """
    import pandas as pd

    from . import cells, reader

    file = Path(path)
    names = {
        "session": ("session", "date"),
        "rate": ("rate", "value"),
        "days": ("days",),
        "known_at": ("known_at",),
    }
    frame = reader.read_table(file, names, optional=["days", "known_at"])
    session = cells.days(file, frame, "session", "UTC").dt.date
    rate = cells.numbers(file, frame, "rate")
    zeros = pd.Series(0.0, index=frame.index)
    maturity = cells.numbers(file, frame, "days") if "days" in frame else zeros
    _require(file, frame, "rate", rate.abs() <= _LARGEST_RATE, "a decimal such as 0.045")
    _require(file, frame, "days", maturity >= 0.0, "a number of days from 0 on")
    rows = zip(session, maturity.tolist(), rate.tolist(), _known(file, frame), strict=True)
    return curve_of(str(file), (CurveRow(*row) for row in rows))


def _known(file: Path, frame: pd.DataFrame) -> list[int]:
    """Return the moment at which each row was public, microseconds; -1 where none is stated."""
    if "known_at" not in frame:
        return [-1] * len(frame)
    from .cells import stamps

    moments = stamps(file, frame, "known_at", "UTC").astype("datetime64[us, UTC]")
    return [int(us) for us in moments.astype("int64")]


def _require(
    file: Path, frame: pd.DataFrame, column: str, fine: pd.Series[Any], expected: str
) -> None:
    import pandas as pd

    wrong = np.flatnonzero(~fine.to_numpy(dtype=bool))
    if wrong.size:
        cell = frame[column].iloc[wrong[0]]
        found = "nothing" if pd.isna(cell) else repr(str(cell))
        raise InputFileError(
            f"{file}: column {column!r} holds {found} in row {wrong[0] + 1}: expected {expected}; "
            "correct it"
        )
