"""Daily series held against their neighbours: lost digits, other units, values that stand still.

A value that jumps away and back (`bad_value`) counts as missing; the rest is reported. Judged with
hindsight, as bars are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from .finding import Finding
from .messages import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["SeriesCheck", "check_series"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: Values around each one, itself included, whose median change is the scale of what is usual.
_AROUND: Final = 21
#: A value further than this many usual changes from both neighbours, on one side, is wrong.
_SPIKE: Final = 12.0
#: The same for values whose neighbours agree so well that a digit was lost.
_SHIFTED: Final = 5.0
#: Values on either side whose median sizes are compared for a change of unit.
_SIDE: Final = 10
#: Factor from which sizes that stay are another unit.
_UNIT: Final = 20.0
_CHANCE: Final = 1e-4
_FEWEST: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class SeriesCheck:
    """What was found in a series, and what is left of it.

    Attributes
    ----------
    findings : tuple of Finding
        In order of session.
    sound : Series of float
        The values; NaN where a finding gates.
    """

    findings: tuple[Finding, ...]
    sound: pd.Series[float]


def check_series(
    values: pd.Series[float], *, name: str = "value", trusted: Collection[Any] = ()
) -> SeriesCheck:
    """Check a daily series.

    Parameters
    ----------
    values : Series of float
        By session, ascending; NaN is missing.
    name : str
        What findings call it.
    trusted : collection of date
        Sessions whose values were looked at and are right.

    Returns
    -------
    SeriesCheck
    """
    known = values[values.notna()]
    x: Floats = np.asarray(known.to_numpy(), dtype=np.float64)
    days = pd.DatetimeIndex(known.index).to_numpy().astype("datetime64[D]")
    right = np.array([np.datetime64(str(day), "D") for day in trusted], dtype="datetime64[D]")
    found: list[tuple[int, str, str]] = []
    if x.size >= _FEWEST:
        # sizes that only positive values have are compared in logs: VIX, prices, volumes
        scale: Floats = np.asarray(np.log(x) if (x > 0.0).all() else x, dtype=np.float64)
        found += [*_spikes(scale, x), *_units(x), *_repeated(x)]
    gated = np.zeros(x.size, np.bool_)
    findings = []
    for row, check, text in sorted(found):
        accepted = bool(np.isin(days[row], right))
        gated[row] |= CATALOGUE[check].gates and not accepted
        severity = "info" if accepted else CATALOGUE[check].severity
        detail = f"{name} {x[row]:g}: {text}" + ("; trusted, kept" if accepted else "")
        findings.append(Finding(days[row].item(), check, severity, 1, float("nan"), detail, name))
    sound = values.astype("float64").copy()
    sound.loc[known.index[gated]] = np.nan
    return SeriesCheck(tuple(findings), sound)


def _spikes(scale: Floats, x: Floats) -> Iterator[tuple[int, str, str]]:
    """Values that lie beyond both neighbours by many usual changes; up to three in a row."""
    change = np.append(np.nan, np.diff(scale))
    size = pd.Series(np.abs(change))
    around = size.rolling(_AROUND, center=True, min_periods=_FEWEST).median().to_numpy()
    whole = float(np.nanmedian(size[size > 0.0])) if (size > 0.0).any() else np.nan
    usual = np.fmax(around, 0.25 * whole)
    done = np.zeros(x.size, np.bool_)
    for length in (1, 2, 3):
        for row in range(1, x.size - length + 1):
            last = row + length == x.size
            if done[row : row + length].any() or not abs(change[row]) > 0.0:
                continue
            there = change[row] / usual[row]
            if abs(there) <= _SHIFTED:
                continue
            back = 0.0 if last else scale[row + length] - scale[row + length - 1]
            net = 0.0 if last else scale[row + length] - scale[row - 1]
            if last:
                spike = length == 1 and _digits(x[row], x[row - 1])
            else:
                undone = abs(net) <= 0.35 * abs(change[row]) and change[row] * back < 0.0
                far = min(abs(there), abs(back) / usual[row])
                shifted = far > _SHIFTED and _digits(x[row], x[row - 1])
                spike = undone and (far > _SPIKE or shifted)
            if spike:
                done[row : row + length] = True
                for i in range(row, row + length):
                    after = "" if last else f", {x[row + length]:g} after"
                    yield i, "bad_value", f"{x[row - 1]:g} before{after}"


def _digits(value: float, before: float) -> bool:
    """Return whether a value is about ten (100, 1000) times another, or the other way round."""
    if value == 0.0 or before == 0.0 or value * before < 0.0:
        return False
    power = abs(np.log10(value / before))
    return bool(power > 0.8 and abs(power - round(power)) < 0.15)


def _units(x: Floats) -> Iterator[tuple[int, str, str]]:
    """Places at which the size of the values changes by a factor and stays."""
    size = np.abs(x)
    last = -_SIDE
    for row in range(_SIDE, x.size - _SIDE + 1):
        before, after = np.median(size[row - _SIDE : row]), np.median(size[row : row + _SIDE])
        if before <= 0.0 or after <= 0.0 or row - last < _SIDE:
            continue
        factor = after / before
        at = size[row] / size[row - 1] if size[row - 1] > 0.0 else np.nan
        if max(factor, 1.0 / factor) > _UNIT and max(at, 1.0 / at if at else np.nan) > _UNIT / 4:
            last = row
            text = f"sizes from here on are {factor:.3g} times those before: another unit"
            yield row, "series_scale_changed", text


def _repeated(x: Floats) -> Iterator[tuple[int, str, str]]:
    """Values that stay the same for longer than chance has it."""
    same = np.append(False, np.diff(x) == 0.0)
    chance = max(float(np.mean(same)), 1.0 / x.size)
    count = np.cumsum(same)
    run = count - np.maximum.accumulate(np.where(same, 0, count))
    for row in np.flatnonzero((run >= 1) & (chance ** run.astype(float) < _CHANCE)):
        if row + 1 == run.size or run[row + 1] == 0:
            yield int(row), "repeated_value", f"for {run[row] + 1} sessions in a row"
