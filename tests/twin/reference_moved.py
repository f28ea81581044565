"""The twin's books at other moments than those of the two books, from the same chain."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from reference_book import Book, Settings, latest_snapshot, quoted_contracts, years_with_floor
from reference_profile import GRID, Root, exposure_curve, find_roots, nearest_root


def book_at(chain: pd.DataFrame, moment: pd.Timestamp, settings: Settings) -> Book:
    """What is live at a moment, with the forwards and volatilities of the chain's own moment."""
    chain = latest_snapshot(chain)
    quoted = quoted_contracts(chain, settings)
    seconds = np.array([(dies - moment).total_seconds() for dies in quoted["expiry_ts"]])
    years = years_with_floor(seconds, settings.floor_seconds)
    drift = settings.rate - settings.dividend_yield
    valued = quoted.assign(
        years=years,
        forward=quoted["quote_forward"] * np.exp(drift * (years - quoted["quote_years"])),
    )[seconds > 0.0]
    used = (valued["open_interest"] > 0) & valued["volatility"].notna()
    return Book(
        spot=float(chain["spot"].median()),
        valuation=moment,
        valuation_session=date(1970, 1, 1),
        contracts=valued.assign(used=used),
        surface=quoted,
        forwards=quoted[["expiry", "settlement", "quote_forward"]],
        expired=len(chain) - len(valued),
        settings=settings,
    )


def state_at(
    chain: pd.DataFrame, moment: pd.Timestamp, spot: float, settings: Settings, model: str
) -> tuple[float, float, float]:
    """Net, gross and flip (NaN: none) at a moment and a spot; net NaN where nothing is live."""
    book = book_at(chain, moment, settings)
    curve = exposure_curve(book, model)
    u = math.log(spot / book.spot)
    gross = curve.gross(u)
    if not gross > 0.0:
        return math.nan, 0.0, math.nan
    root = nearest_root([_seen_from(r, u) for r in find_roots(curve, book.spot, u + GRID)])
    return curve.net(u), gross, root.level if root else math.nan


def _seen_from(root: Root, u: float) -> Root:
    return replace(root, u=root.u - u)
