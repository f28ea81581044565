"""Regime rows in other units: columns beside those in dollars per 1 %, never instead of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from ..base.errors import InputFileError
from ..exposure.units import Unit, to_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["average_dollar_volume", "with_unit"]

#: Sessions of an average daily dollar volume: one month.
_SESSIONS: Final = 21
_CONVERTED: Final[Sequence[str]] = ("net_gex", "gross_gex")


def with_unit(
    frame: pd.DataFrame, unit: Unit, *, dollar_volume: pd.Series[float] | None = None
) -> pd.DataFrame:
    """Return regime rows with net and gross GEX in another unit as well.

    Parameters
    ----------
    frame : DataFrame
        As `gexlab.data.regimes` returns it.
    unit : {"per_percent", "per_point", "shares_per_point", "share_of_adv"}
        See `gexlab.data.to_unit`.
    dollar_volume : Series, optional
        Average daily dollar volume by session, for ``share_of_adv``; a session that it lacks
        gives NaN.

    Returns
    -------
    DataFrame
        All columns of `frame`, then ``net_gex_<unit>`` and ``gross_gex_<unit>``. The conversion is
        at the row's spot, and known when the row is.

    Raises
    ------
    UnknownNameError
        If there is no such unit.
    GexlabError
        If ``share_of_adv`` is asked for without a dollar volume.
    """
    spot = frame["spot"].to_numpy("float64")
    volume = None
    if dollar_volume is not None:
        volume = dollar_volume.reindex(pd.DatetimeIndex(frame["session"])).to_numpy("float64")
    converted = {
        f"{name}_{unit}": to_unit(
            frame[name].to_numpy("float64"), unit, spot=spot, dollar_volume=volume
        )
        for name in _CONVERTED
    }
    return frame.assign(**converted)


def average_dollar_volume(bars: pd.DataFrame) -> pd.Series[float]:
    """Return the mean of close x volume over 21 sessions up to and including each.

    Parameters
    ----------
    bars : DataFrame
        Daily bars indexed by session, with ``close`` and ``volume`` in shares.

    Returns
    -------
    Series
        Dollars, by session; known at its close. NaN for the first 20 sessions and where a bar of
        the 21 lacks its volume.

    Raises
    ------
    InputFileError
        If the bars have no volume.
    """
    if "volume" not in bars:
        raise InputFileError(
            "the bars have no column 'volume': share_of_adv needs shares traded a session; add it, "
            "or use another unit"
        )
    traded: pd.Series[float] = bars["close"] * bars["volume"]
    return traded.rolling(_SESSIONS, min_periods=_SESSIONS).mean()
