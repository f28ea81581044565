"""Quotes of one expiration on a skew, as the twin and as the engine take them."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt
from reference_variance import Quotes
from scipy.special import ndtr

from gexlab.data.exposure.variance_swap import expiry_variance

Floats = npt.NDArray[np.float64]
SPOT, RATE = 5000.0, 0.04


def black(forward: float, strike: float, years: float, sigma: float, *, call: bool) -> float:
    """Return Black's price."""
    v = sigma * sqrt(years)
    d1 = log(forward / strike) / v + v / 2
    value = forward * ndtr(d1) - strike * ndtr(d1 - v)
    return float(exp(-RATE * years) * (value if call else value - forward + strike))


def chain(days: float, seed: int, lost: float = 0.1) -> Quotes:
    """Return quotes on a skew, some without a bid, far ones ever more seldom."""
    rng = np.random.default_rng(seed)
    quotes: Quotes = {}
    forward = SPOT * exp(0.03 * days / 365)
    for k in np.arange(3500.0, 6200.0, 25.0).tolist():
        x = log(k / forward) / sqrt(days / 365)
        sigma = 0.16 - 0.12 * x + 0.2 * x * x
        far = abs(x) / 0.16
        mids: list[float | None] = []
        for call in (True, False):
            mid = round(black(forward, k, days / 365, sigma, call=call) * 20) / 20
            bidden = mid > 0.05 and (far < 2.0 or rng.random() > lost * far)
            mids.append(mid if bidden else None)
        quotes[k] = (mids[0], mids[1])
    return quotes


def columns(quotes: Quotes) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return strikes, rights and mids as the engine takes them, puts first."""
    rows = [(k, c, v) for k, mids in quotes.items() for c, v in ((False, mids[1]), (True, mids[0]))]
    strike, is_call, mid = zip(*rows, strict=True)
    prices = [np.nan if m is None else m for m in mid]
    return np.array(strike), np.array(is_call), np.array(prices, dtype=np.float64)


def quoted_variance(quotes: Quotes, days: float, rate: float = RATE) -> tuple[float, int]:
    """Return what the engine says of them: variance a year, and reason code."""
    strike, is_call, mid = columns(quotes)
    return expiry_variance(0, len(strike), strike, is_call, mid, days / 365, rate)
