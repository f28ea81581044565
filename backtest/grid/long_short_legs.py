"""Prices and signals of many names on one calendar, and the legs that a portfolio has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import NotEnoughDataError
from ..statistics.metrics import Floats
from ..statistics.panel import places_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...data import CrossSection, TradingCalendar

__all__ = ["FEWEST_NAMES", "SIGNALS", "Ground", "ground_of", "tranche_weights"]

#: Columns of a cross-section that rank names; the regime's label is long above short.
SIGNALS: Final = (
    "net_to_gross", "share_of_absolute", "per_dollar_volume", "per_market_value", "regime",
)  # fmt: skip
#: Names with a signal below which no portfolio is formed in a session.
FEWEST_NAMES: Final = 10
#: A return beyond this factor is taken for a split that the spots are not corrected for.
_SPLIT: Final = 1.4
#: Sessions of a past volatility, and the fewest of them.
_WINDOW: Final = 21
_FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that portfolios are formed of, sessions by names.

    Attributes
    ----------
    sessions : ndarray of datetime64[D], shape (n,)
        Of the calendar, from the first row to the last.
    names : list of str
    returns : ndarray, shape (n, k)
        From the last price before a session to that session's; 0 where there is no price, and
        where a split is suspected.
    volatility : ndarray, shape (n, k)
        Of the returns before the session; NaN of fewer than ten.
    signals : mapping of str to ndarray, shape (n, k)
        What is known at the session's close of the session before; NaN where it is not, where the
        row abstains, and where the session has no price to fill at.
    first : int
        First session in which names enough have a signal.
    left_out : dict of str to int
    """

    sessions: npt.NDArray[np.datetime64]
    names: list[str]
    returns: Floats
    volatility: Floats
    signals: Mapping[str, Floats]
    first: int
    left_out: dict[str, int]


def ground_of(section: CrossSection, calendar: TradingCalendar) -> Ground:
    """Return prices and signals of a cross-section, each signal where it can be acted on.

    Raises
    ------
    NotEnoughDataError
        If fewer than `FEWEST_NAMES` names have a signal in every session.
    DefinitionError
        If a row's session is none of the calendar.
    """
    rows = section.names
    every = np.asarray(calendar.sessions).astype("datetime64[D]")
    days = rows["session"].to_numpy().astype("datetime64[D]")
    begin = int(np.searchsorted(every, days.min()))
    end = int(np.searchsorted(every, days.max()))
    sessions = every[begin : end + 1]
    names = sorted(rows["underlying"].unique())
    place = places_on(calendar, rows) - begin
    column = np.searchsorted(names, rows["underlying"].to_numpy(dtype=str))
    spots = np.full((len(sessions), len(names)), np.nan)
    spots[place, column] = rows["spot"].to_numpy("float64")
    returns, splits = _returns(spots)
    closes = np.asarray(calendar.closes).astype("datetime64[us]")[begin : end + 1]
    signals, left = _signals(rows, place, column, spots, closes)
    enough = max(
        (np.isfinite(values).sum(axis=1) >= FEWEST_NAMES for values in signals.values()),
        key=lambda there: int(there.sum()),
    )
    usable = np.flatnonzero(enough[:-2])
    if not len(usable):
        most = max(int(np.isfinite(values).sum(axis=1).max()) for values in signals.values())
        raise NotEnoughDataError(
            f"at least {FEWEST_NAMES} names with a signal in one session, and two sessions after "
            f"it: found at most {most} names"
        )
    past = pd.DataFrame(np.where(np.isnan(spots), np.nan, returns))
    volatility = past.rolling(_WINDOW, min_periods=_FEWEST).std(ddof=1).shift(1).to_numpy()
    left["split_suspected"] = splits
    return Ground(sessions, names, returns, volatility, signals, int(usable[0]), left)


def _returns(spots: Floats) -> tuple[Floats, int]:
    """Return simple returns since the last price before, and how many were taken for splits."""
    held = pd.DataFrame(spots).ffill().to_numpy()
    found = np.zeros_like(spots)
    with np.errstate(invalid="ignore"):
        found[1:] = held[1:] / held[:-1] - 1.0
    found[~np.isfinite(found)] = 0.0
    splits = np.abs(np.log1p(found)) > np.log(_SPLIT)
    return np.where(splits, 0.0, found), int(splits.sum())


def _signals(
    rows: pd.DataFrame,
    place: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    spots: Floats,
    closes: npt.NDArray[np.datetime64],
) -> tuple[dict[str, Floats], dict[str, int]]:
    """Return each signal at the close at which it is acted on, and the rows that lead to none."""
    known = rows["known_at"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    counts = rows["counts"].to_numpy(dtype=bool)
    ahead = place + 1
    inside = ahead < len(closes)
    fill = np.minimum(ahead, len(closes) - 1)
    in_time = known.astype("datetime64[us]") <= closes[fill]
    priced = np.isfinite(spots[fill, column])
    kept = counts & inside & in_time & priced
    left = {
        "abstains": int((~counts).sum()),
        "known_late": int((counts & inside & ~in_time).sum()),
        "no_price": int((counts & inside & in_time & ~priced).sum()),
    }
    values = {name: rows[name] for name in SIGNALS if name != "regime"}
    values["regime"] = rows["regime"].map({"long": 1.0, "short": -1.0})
    signals: dict[str, Floats] = {}
    for name, said in values.items():
        found = np.full(spots.shape, np.nan)
        found[fill[kept], column[kept]] = said.to_numpy("float64", na_value=np.nan)[kept]
        signals[name] = found
    return signals, left


def tranche_weights(
    ground: Ground, signal: str, side: str, quantile: float | None, weights: str, hold: int
) -> Floats:
    """Return the weights held from each session's close on, shape (n, k).

    Parameters
    ----------
    ground : Ground
    signal : str
        One of `SIGNALS`.
    side : {"low", "high"}
        Which end of the signal is held long; the other one is short.
    quantile : float or None
        Share of the names in each leg; None: by the sign of the signal.
    weights : {"equal", "inverse_volatility"}
        Within a leg.
    hold : int
        Sessions; so many portfolios are held at a time, each with its part of the capital.
    """
    values = ground.signals[signal]
    usable = np.isfinite(values)
    if weights == "inverse_volatility":
        usable &= np.isfinite(ground.volatility) & (ground.volatility > 0)
    high, low = _ends(np.where(usable, values, np.nan), quantile)
    size = np.ones_like(values)
    if weights == "inverse_volatility":
        size = 1.0 / np.where(usable, ground.volatility, 1.0)
    upper, lower = _leg(high, size), _leg(low, size)
    both = (upper.sum(axis=1) > 0) & (lower.sum(axis=1) > 0)
    target = 0.5 * (lower - upper if side == "low" else upper - lower) * both[:, None]
    summed = np.cumsum(target, axis=0)
    before = np.zeros_like(summed)
    before[hold:] = summed[:-hold]
    return np.asarray((summed - before) / hold)


def _ends(values: Floats, quantile: float | None) -> tuple[npt.NDArray[np.bool_], ...]:
    """Return which names are at the upper and the lower end, none where there are too few names.

    Names that share a value are in one leg together, or in none; none is in both.
    """
    count = np.isfinite(values).sum(axis=1, keepdims=True)
    enough = count >= FEWEST_NAMES
    if quantile is None:
        return (values > 0) & enough, (values < 0) & enough
    ranks = pd.DataFrame(values).rank(axis=1, method="average").to_numpy() - 0.5
    share = ranks / np.maximum(count, 1)
    high, low = share > 1.0 - quantile, share < quantile
    return high & enough, low & enough


def _leg(names: npt.NDArray[np.bool_], size: Floats) -> Floats:
    """Return shares of one leg that add up to 1, zeros where it is empty."""
    found = np.where(names, size, 0.0)
    total = found.sum(axis=1, keepdims=True)
    return found / np.where(total > 0, total, 1.0)
