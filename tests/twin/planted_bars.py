"""Defects to plant into sound bars and series, and markets to plant them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

Rng = np.random.Generator
Plant = Callable[[pd.DataFrame, int, Rng], pd.DataFrame]

PRICES = ["open", "high", "low", "close"]


def market(
    rng: Rng, sessions: int = 260, daily: float = 0.011, tail: float = 5.0, freq: str = "B"
) -> pd.DataFrame:
    """Return daily bars of a price with fat tails and clustered volatility, by 78 steps a day."""
    level = np.empty(sessions)
    level[0] = 0.0
    for i in range(1, sessions):
        level[i] = 0.95 * level[i - 1] + 0.12 * rng.standard_normal()
    scale = daily * np.exp(level)
    steps = rng.standard_t(tail, (sessions, 79)) * np.sqrt((tail - 2) / tail)
    steps *= (scale / np.sqrt(79 + 25))[:, None]
    steps[:, 0] *= 5.0  # overnight
    path = np.log(100.0) + np.cumsum(steps.ravel()).reshape(sessions, 79)
    prices = np.exp(path)
    bars = pd.DataFrame(
        {
            "open": prices[:, 0],
            "high": prices.max(axis=1),
            "low": prices.min(axis=1),
            "close": prices[:, -1],
            "volume": rng.lognormal(15.0, 0.3, sessions).round(),
        },
        index=pd.date_range("2024-01-02", periods=sessions, freq=freq, name="session"),
    )
    bars[PRICES] = bars[PRICES].round(2)
    return bars


def _set(bars: pd.DataFrame, i: int, **values: float) -> pd.DataFrame:
    out = bars.copy()
    for name, value in values.items():
        out.loc[out.index[i], name] = value
    return out


def digit(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    """Change one digit of one price."""
    field = str(rng.choice(PRICES))
    text = f"{bars[field].iloc[i]:.2f}"
    places = [k for k, c in enumerate(text) if c.isdigit()]
    k = int(rng.choice(places))
    others = [d for d in "0123456789" if d != text[k]]
    value = float(text[:k] + str(rng.choice(others)) + text[k + 1 :])
    return _set(bars, i, **{field: max(value, 0.01)})


def lost_digit(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    field = str(rng.choice(["low", "open", "close"]))
    return _set(bars, i, **{field: bars[field].iloc[i] / 10})


def shifted(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    """Shift the decimal point of one price, or of the whole bar."""
    factor = float(rng.choice([0.01, 0.1, 10.0, 100.0]))
    if rng.random() < 0.5:
        return _set(bars, i, **{f: bars[f].iloc[i] * factor for f in PRICES})
    field = str(rng.choice(PRICES))
    return _set(bars, i, **{field: bars[field].iloc[i] * factor})


def swapped(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    a, b = rng.choice(PRICES, 2, replace=False)
    return _set(bars, i, **{a: bars[b].iloc[i], b: bars[a].iloc[i]})


def split(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    ratio = float(rng.choice([1.5, 2, 3, 4, 5, 7, 10, 20, 0.5, 0.1, 0.05, 2.5]))
    out = bars.copy()
    out.loc[out.index[i] :, PRICES] /= ratio
    return out


def stale(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    out = bars.copy()
    for k in range(i, min(i + int(rng.integers(1, 6)), len(bars))):
        out.iloc[k] = out.iloc[i - 1]
    return out


def duplicated(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    return _set(bars, i, **{f: bars[f].iloc[i - 1] for f in PRICES})


def other_instrument(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    out = bars.copy()
    factor = float(rng.choice([0.1, 0.7, 0.88, 1.15, 1.5, 10.0]))
    days = out.index[i : min(i + int(rng.integers(1, 8)), len(bars) - 2)]
    out.loc[days, PRICES] = out.loc[days, PRICES].to_numpy(dtype=np.float64) * factor
    return out


def flat(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    return _set(bars, i, **dict.fromkeys(PRICES, bars["close"].iloc[i - 1]), volume=0.0)


def missing(bars: pd.DataFrame, i: int, rng: Rng) -> pd.DataFrame:
    return bars.drop(bars.index[i : i + int(rng.integers(1, 4))])


BAR_DEFECTS: Final[dict[str, Plant]] = {
    "digit": digit,
    "lost_digit": lost_digit,
    "shifted": shifted,
    "swapped": swapped,
    "split": split,
    "stale": stale,
    "duplicated": duplicated,
    "other_instrument": other_instrument,
    "flat": flat,
    "missing": missing,
}


def series_digit(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    text = f"{values.iloc[i]:.2f}"
    places = [k for k, c in enumerate(text) if c.isdigit()]
    k = int(rng.choice(places))
    others = [d for d in "0123456789" if d != text[k]]
    return _with(values, i, float(text[:k] + str(rng.choice(others)) + text[k + 1 :]))


def series_shifted(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    return _with(values, i, values.iloc[i] * float(rng.choice([0.001, 0.01, 0.1, 10, 100, 1000])))


def series_sign(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    return _with(values, i, -values.iloc[i])


def series_unit(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    out = values.copy()
    out.iloc[i:] *= float(rng.choice([0.001, 1e-6, 1e-9, 100, 1000]))
    return out


def series_stale(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    out = values.copy()
    out.iloc[i : i + int(rng.integers(1, 6))] = values.iloc[i - 1]
    return out


def series_missing(values: pd.Series, i: int, rng: Rng) -> pd.Series:
    return values.drop(values.index[i : i + int(rng.integers(1, 4))])


def _with(values: pd.Series, i: int, value: float) -> pd.Series:
    out = values.copy()
    out.iloc[i] = value
    return out


SERIES_DEFECTS: Final = {
    "digit": series_digit,
    "shifted": series_shifted,
    "sign": series_sign,
    "unit": series_unit,
    "stale": series_stale,
    "missing": series_missing,
}
