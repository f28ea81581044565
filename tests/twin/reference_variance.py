"""Cboe's published method for a variance swap's rate, step by step, in many digits."""

from __future__ import annotations

from typing import Any

import mpmath as mp

Quotes = dict[float, tuple[float | None, float | None]]


def variance(quotes: Quotes, years: float, rate: float) -> Any:
    """Return the variance a year of one expiration.

    Parameters
    ----------
    quotes : dict
        Strike to the mids of call and put; None where there is no bid.
    years, rate : float
    """
    strikes = sorted(quotes)
    growth = mp.exp(mp.mpf(rate) * years)
    both = [k for k in strikes if None not in quotes[k]]
    middle = min(both, key=lambda k: abs(mp.mpf(quotes[k][0]) - mp.mpf(quotes[k][1])))
    forward = mp.mpf(middle) + growth * (mp.mpf(quotes[middle][0]) - mp.mpf(quotes[middle][1]))
    centre = max(k for k in both if k <= forward)
    price = {centre: (mp.mpf(quotes[centre][0]) + mp.mpf(quotes[centre][1])) / 2}
    for side, step in ((1, -1), (0, 1)):
        zeros, i = 0, strikes.index(centre) + step
        while 0 <= i < len(strikes) and zeros < 2:
            quoted = quotes[strikes[i]][side]
            zeros = zeros + 1 if quoted is None else 0
            if quoted is not None:
                price[strikes[i]] = mp.mpf(quoted)
            i += step
    kept = sorted(price)
    total = mp.mpf(0)
    for i, k in enumerate(kept):
        around = kept[max(i - 1, 0) : i + 2]
        width = mp.mpf(around[-1] - around[0])
        if len(around) == 3:
            width /= 2
        total += width / mp.mpf(k) ** 2 * growth * price[k]
    return 2 / mp.mpf(years) * total - (forward / centre - 1) ** 2 / mp.mpf(years)


def thirty_days(days: tuple[float, float], variances: tuple[Any, Any]) -> Any:
    """Return the volatility at 30 days from two expirations around it, in minutes as published."""
    near, following = (mp.mpf(d) * 1440 for d in days)
    month, year = mp.mpf(43_200), mp.mpf(525_600)
    total = near / year * variances[0] * (following - month) / (following - near)
    total += following / year * variances[1] * (month - near) / (following - near)
    return mp.sqrt(total * year / month)
