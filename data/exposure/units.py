"""Units of gamma exposure: conversions of dollars per 1 %, never sums of their own."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from ..base.errors import GexlabError, UnknownNameError

__all__ = ["UNITS", "Unit", "from_unit", "to_unit"]

Floats: TypeAlias = npt.NDArray[np.float64]
Unit = Literal["per_percent", "per_point", "shares_per_point", "share_of_adv"]

#: Names of the units.
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)


def to_unit(
    exposure: npt.ArrayLike,
    unit: Unit,
    *,
    spot: npt.ArrayLike,
    dollar_volume: npt.ArrayLike | None = None,
) -> Floats:
    """Convert exposures from dollars per 1 %.

    Parameters
    ----------
    exposure : array_like
        Dollars of delta per +1 % move, e.g. ``net_gex``; broadcast against the others.
    unit : {"per_percent", "per_point", "shares_per_point", "share_of_adv"}
        Dollars of delta per 1 %; dollars of delta per point of the underlying; shares of delta per
        point; dollars of delta per 1 % as a share of the average daily dollar volume.
    spot : array_like
        Points, at the moment of the exposure.
    dollar_volume : array_like, optional
        Average daily dollar volume known at that moment; only ``share_of_adv`` needs it.

    Returns
    -------
    ndarray
        The sign stays. NaN where an input is NaN, or the dollar volume is not positive.

    Raises
    ------
    UnknownNameError
        If there is no such unit.
    GexlabError
        If ``share_of_adv`` is asked for without a dollar volume.

    Examples
    --------
    $ 400 m per 1 % at 4,000 points: $ 10 m per point, 2,500 shares per point.

    >>> float(to_unit(4e8, "per_point", spot=4000))
    10000000.0
    >>> float(to_unit(4e8, "shares_per_point", spot=4000))
    2500.0
    """
    return np.asarray(exposure, dtype=np.float64) / _per_percent(unit, spot, dollar_volume)


def from_unit(
    exposure: npt.ArrayLike,
    unit: Unit,
    *,
    spot: npt.ArrayLike,
    dollar_volume: npt.ArrayLike | None = None,
) -> Floats:
    """Convert exposures back to dollars per 1 %; the inverse of `to_unit`.

    Parameters
    ----------
    exposure : array_like of float
        In `unit`.
    unit : {"per_percent", "per_point", "shares_per_point", "share_of_adv"}
    spot : array_like of float
        Points, of the same shape.
    dollar_volume : array_like of float, optional
        Dollars a day; ``share_of_adv`` needs it.

    Returns
    -------
    ndarray of float
        Dollars of delta per +1 % move; NaN where an input is.

    Raises
    ------
    UnknownNameError
        If there is no such unit.
    GexlabError
        If ``share_of_adv`` has no dollar volume.

    Examples
    --------
    >>> float(from_unit(2500.0, "shares_per_point", spot=4000))
    400000000.0
    """
    return np.asarray(exposure, dtype=np.float64) * _per_percent(unit, spot, dollar_volume)


def _per_percent(unit: Unit, spot: npt.ArrayLike, dollar_volume: npt.ArrayLike | None) -> Floats:
    """Return how many dollars per 1 % one of the unit is."""
    points = 0.01 * np.asarray(spot, dtype=np.float64)
    if unit == "per_percent":
        return np.ones_like(points)
    if unit == "per_point":
        return points
    if unit == "shares_per_point":
        return points * np.asarray(spot, dtype=np.float64)
    if unit != "share_of_adv":
        raise UnknownNameError("unit", unit, UNITS)
    if dollar_volume is None:
        raise GexlabError(
            "share_of_adv needs the average daily dollar volume: give dollar_volume, or daily bars "
            "with volumes (--bars)"
        )
    volume = np.asarray(dollar_volume, dtype=np.float64)
    return np.where(volume > 0.0, volume, np.nan)
