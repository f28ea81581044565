"""The option ``--bars``: daily closes without those that cannot be right, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data import DEFAULT_CALENDAR, ConfigError, MissingColumnError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from ...data import Finding, Lake

__all__ = ["DailyCloses", "closes_from"]

_BARS = ("session", "open", "high", "low", "close", "volume", "adjusted_close")


@dataclass(frozen=True, slots=True, eq=False)
class DailyCloses:
    """Official closes, checked.

    Attributes
    ----------
    frame : DataFrame
        By session: ``close`` and, where the file has it, ``volume``; NaN in sessions whose bar
        counts as missing.
    findings : tuple of Finding
        About the bars, in order of session.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]

    def sentences(self) -> list[str]:
        """Return errors and warnings for a reader, a sentence for each kind."""
        from ...backtest import finding_notices

        grave = [f for f in self.findings if f.severity != "info"]
        return [f"bars: {notice.detail}" for notice in finding_notices(grave)]


def closes_from(
    path: Path | None, columns: str | None, lake: Lake, underlying: str | None
) -> DailyCloses | None:
    """Return official closes on the calendar of an underlying, None where no file is named.

    Bars with open, high and low are checked whole, closes alone as a series.

    Parameters
    ----------
    path : Path or None
        Parquet or CSV with session and close at least.
    columns : str or None
        ``name=column`` pairs between commas, for columns that are named otherwise.
    lake : Lake
        Says whose calendar it is.
    underlying : str or None
        None: the lake's only one.

    Raises
    ------
    ConfigError
        If the columns are not written as pairs, or come without a file.
    InputFileError
        If the file holds no usable bars.
    """
    if path is None:
        if columns is not None:
            raise ConfigError("--bars-columns says how the columns of --bars are named: add --bars")
        return None
    mapped = _pairs(columns)
    names = [underlying] if underlying else lake.underlyings()
    calendar = lake.calendar(names[0]) if names else DEFAULT_CALENDAR
    whole = _whole_bars(path, mapped, calendar)
    return whole if whole is not None else _closes_alone(path, mapped, calendar)


def _pairs(columns: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in (columns or "").split(",") if pair.strip()]
    for name, equals, column in pairs:
        if not equals or not name.strip() or not column.strip():
            raise ConfigError(
                f"--bars-columns holds {name + equals + column!r}: expected NAME=COLUMN pairs "
                "between commas, e.g. session=date,close=c"
            )
    mapped = {name.strip(): column.strip() for name, _, column in pairs}
    if unknown := [name for name in mapped if name not in _BARS]:
        raise UnknownNameError("name in --bars-columns", unknown[0], _BARS)
    return mapped


def _whole_bars(path: Path, mapped: Mapping[str, str], calendar: str) -> DailyCloses | None:
    """Return the closes of sound bars; None where the file lacks open, high or low."""
    from ...data import check_bars, load_bars

    try:
        bars = load_bars(path, mapped, calendar=calendar).frame
    except MissingColumnError:
        if {"open", "high", "low"} & set(mapped):  # said to be there
            raise
        return None
    checked = check_bars(bars)
    kept = [name for name in ("close", "volume") if name in bars]
    return DailyCloses(checked.sound[kept].reindex(bars.index), checked.findings)


def _closes_alone(path: Path, mapped: Mapping[str, str], calendar: str) -> DailyCloses:
    from ...data import check_series, load_series

    session = {"session": mapped["session"]} if "session" in mapped else {}
    wanted = {name: session | {"value": mapped.get(name, name)} for name in ("close", "volume")}
    closes = load_series(path, wanted["close"], "close", calendar).frame.set_index("session")
    checked = check_series(closes["value"], name="close")
    frame = checked.sound.to_frame("close")
    try:
        volume = load_series(path, wanted["volume"], "close", calendar).frame
    except MissingColumnError:
        return DailyCloses(frame, checked.findings)
    return DailyCloses(frame.assign(volume=volume.set_index("session")["value"]), checked.findings)
