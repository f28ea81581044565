"""The readable twin of the exposure engine: one regime row from one session's chain.

Written from the conventions alone, in plain pandas and numpy, and importing nothing from gexlab:
the tests hold the fast engine against it, and it against the expected tables.

>>> row = regime_row(chain, "post_expiry", settings=Settings(rate=0.045))  # doctest: +SKIP
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from reference_book import (
    BOOKS,
    Book,
    Settings,
    latest_snapshot,
    quoted_contracts,
    value_book,
)
from reference_calendar import is_monthly
from reference_greeks import Array, charm, delta, vanna
from reference_profile import (
    Root,
    contract_exposures,
    dealer_positions,
    exposure_curve,
    find_roots,
    nearest_root,
)

KEY = ["root", "expiry", "settlement", "strike", "right"]


def quality_reasons(
    chain: pd.DataFrame, previous: pd.DataFrame | None, rejected_share: float, gross: float
) -> list[str]:
    """Why the quality gate fails; empty where it does not."""
    reasons = []
    if (chain["known_at"] < chain["quote_ts"]).any():
        reasons.append("known_before_quotes")
    if previous is not None and is_copy(chain, previous):
        reasons.append("copy_of_previous_session")
    if rejected_share > 0.05:
        reasons.append("open_interest_rejected")
    if not gross > 0.0:
        reasons.append("empty_book")
    if contradicts_itself(chain):
        reasons.append("contradicting_duplicates")
    return reasons


def contradicts_itself(chain: pd.DataFrame) -> bool:
    """Whether rows of one key and a known root differ in interest, volatility or quotes."""
    told = chain.loc[chain["root"].notna(), [*KEY, "open_interest", "iv", "bid", "ask"]]
    return bool(told.drop_duplicates().duplicated(KEY).any())


def is_copy(chain: pd.DataFrame, previous: pd.DataFrame) -> bool:
    """Whether the contracts in both sessions repeat what they were.

    At least 95 % of them interest, iv, bid and ask; or at least 98 % of 50 or more the interest,
    at the same spot.
    """
    compared = ["open_interest", "iv", "bid", "ask"]
    today, before = keyed(chain), keyed(latest_snapshot(previous))
    both = today.merge(before, on=[*KEY, "n"], suffixes=("", "_before"))
    if both.empty:
        return False
    same = np.ones(len(both), dtype=bool)
    for name in compared:
        now, then = both[name], both[name + "_before"]
        same &= ((now == then) | (now.isna() & then.isna())).to_numpy()
    frozen = (both["open_interest"] == both["open_interest_before"]).mean()
    spots = chain["spot"].median(), latest_snapshot(previous)["spot"].median()
    evening = len(both) >= 50 and frozen >= 0.98 and spots[0] == spots[1]
    return bool(same.mean() >= 0.95 or evening)


def keyed(chain: pd.DataFrame) -> pd.DataFrame:
    """Contract key, values, and a running number among rows that share the key."""
    frame = chain.assign(root=chain["root"].fillna(""))
    return frame.assign(n=frame.groupby(KEY).cumcount())


def exposures(book: Book, used: pd.DataFrame, positions: Array) -> dict[str, float]:
    """Sums of section 5 over the contracts used."""
    spot, settings = book.spot, book.settings
    forward, strike, years, volatility = (
        used[name].to_numpy(dtype=np.float64)
        for name in ("forward", "strike", "years", "volatility")
    )
    is_call = (used["right"] == "C").to_numpy()
    common = (spot, forward, strike, years, volatility, settings.rate)
    per_percent = contract_exposures(book, used)
    own_charm = charm(*common, settings.dividend_yield, is_call=is_call)
    return {
        "net_gex": float(np.sum(positions * per_percent)),
        "gross_gex": float(np.sum(np.abs(positions) * per_percent)),
        "net_dex": float(np.sum(positions * delta(*common, is_call=is_call)) * spot),
        "net_vex": float(np.sum(positions * vanna(*common)) * spot * 0.01),
        "net_cex": float(np.sum(positions * own_charm) * spot / 365.0),
    }


def strike_sums(used: pd.DataFrame, values: Array) -> dict[float, float]:
    sums: dict[float, float] = {}
    for strike, value in zip(used["strike"], values, strict=True):
        sums[strike] = sums.get(strike, 0.0) + value
    return sums


def largest(sums: dict[float, float], spot: float) -> tuple[float, float]:
    """Strike of the largest positive value, ties nearest to spot, then the lower."""
    positive = {strike: value for strike, value in sums.items() if value > 0.0}
    if not positive:
        return math.nan, math.nan
    best = min(positive, key=lambda k: (-positive[k], abs(k - spot), k))
    return best, positive[best]


def walls(book: Book, used: pd.DataFrame, signed: Array, gross: float) -> dict[str, float]:
    """Call wall, put wall and pin strike, each with its strength; concentration."""
    is_call = (used["right"] == "C").to_numpy()
    calls = strike_sums(used, np.where(is_call, signed, 0.0))
    puts = strike_sums(used, np.where(is_call, 0.0, -signed))
    net = strike_sums(used, signed)
    absolute = strike_sums(used, np.abs(signed))
    spot = book.spot
    call = largest({k: v for k, v in calls.items() if k >= spot}, spot)
    put = largest({k: v for k, v in puts.items() if k <= spot}, spot)
    pin = largest({k: abs(v) for k, v in net.items()}, spot)
    return {
        "call_wall": call[0],
        "call_wall_strength": call[1] / gross,
        "put_wall": put[0],
        "put_wall_strength": put[1] / gross,
        "pin_strike": pin[0],
        "pin_strength": pin[1] / gross,
        "concentration": sum((value / gross) ** 2 for value in absolute.values()),
    }


def expiry_shares(
    book: Book, used: pd.DataFrame, absolute: Array, gross: float
) -> dict[str, float]:
    """Shares of gross by the session on which contracts die; expiries without gross are not in."""
    used, absolute = used[absolute > 0.0], absolute[absolute > 0.0]
    by_session: dict[Any, float] = {}
    for dies, value in zip(used["dies"], absolute, strict=True):
        by_session[dies] = by_session.get(dies, 0.0) + value
    listed = zip(used["dies"], used["expiry"], strict=True)
    monthlies = [dies for dies, expiry in listed if is_monthly(expiry)]
    return {
        "gex_0dte_share": by_session.get(book.valuation_session, 0.0) / gross,
        "gex_next_expiry_share": by_session[min(by_session)] / gross,
        "gex_next_opex_share": by_session[min(monthlies)] / gross if monthlies else math.nan,
    }


def status_of(roots: list[Root], reasons: list[str], at_spot: float) -> str:
    if reasons:
        return "degraded"
    if roots:
        return "ok" if len(roots) == 1 else "multiple"
    return "none_long" if at_spot > 0.0 else "none_short"


def regime_of(net_to_gross: float, reasons: list[str], band: float) -> str:
    if reasons:
        return "abstain"
    if abs(net_to_gross) < band:
        return "neutral"
    return "long" if net_to_gross > 0.0 else "short"


def net_at_spot(book: Book, model: str) -> float:
    used = book.contracts[book.contracts["used"]]
    return float(np.sum(dealer_positions(used, model) * contract_exposures(book, used)))


def sixteen_nets(chain: pd.DataFrame, model: str, settings: Settings) -> list[float]:
    """Net exposure under each of the 16 definitions; both books share them."""
    chain = latest_snapshot(chain)
    nets = []
    for source, floor, carried in product(("otm", "own"), (1800.0, 86400.0), (True, False)):
        variant = replace(settings, iv_source=source, floor_seconds=floor)
        if not carried:
            variant = replace(variant, rate=0.0, dividend_yield=0.0, parity=False)
        quoted = quoted_contracts(chain, variant)
        nets += [net_at_spot(value_book(chain, name, variant, quoted), model) for name in BOOKS]
    return nets


def definition_agreement(nets: list[float], net_gex: float) -> float:
    """Share of the 16 definitions whose sign of net exposure equals that of `net_gex`."""
    return float(sum(np.sign(net) == np.sign(net_gex) for net in nets)) / 16.0


def flip_columns(roots: list[Root], spot: float) -> dict[str, Any]:
    flip = nearest_root(roots)
    return {
        "n_roots": len(roots),
        "roots": [root.level for root in roots],
        "flip": math.nan if flip is None else flip.level,
        "flip_direction": None if flip is None else flip.direction,
        "flip_distance": math.nan if flip is None else math.log(spot / flip.level),
    }


def regime_row(
    chain: pd.DataFrame,
    book: str,
    model: str = "naive",
    *,
    settings: Settings | None = None,
    previous: pd.DataFrame | None = None,
    agreement: bool = True,
    nets: list[float] | None = None,
) -> dict[str, Any]:
    """One row of the regime table, plus `expired` and `roots`.

    Parameters: one session's canonical chain; the book; the dealer model; the settings; the
    lake's previous session (for the copy check); whether to value the 16 definitions, or
    their net exposures where they are known already.
    """
    settings = settings or Settings()
    snapshot = latest_snapshot(chain)
    valued = value_book(snapshot, book, settings)
    used = valued.contracts[valued.contracts["used"]]
    rejected = valued.contracts[valued.contracts["rejected"]]
    rejected_interest = float(rejected["open_interest"].sum())
    interest = rejected_interest + float(used["open_interest"].sum())
    rejected_share = rejected_interest / interest if interest else math.nan
    positions = dealer_positions(used, model)
    sums = exposures(valued, used, positions)
    gross = sums["gross_gex"]
    reasons = quality_reasons(snapshot, previous, rejected_share, gross)
    row: dict[str, Any] = {
        "underlying": snapshot["underlying"].iloc[0],
        "session": snapshot["session"].iloc[0],
        "book": book,
        "dealer_model": model,
        "valuation_ts": valued.valuation,
        "known_at": snapshot["known_at"].max(),
        "spot": valued.spot,
        "contracts_used": len(used),
        "contracts_rejected": len(rejected),
        "oi_rejected_share": rejected_share,
        "expired": valued.expired,
        "quality": ",".join(reasons) or "ok",
    }
    if not gross > 0.0:
        return row | {"regime": "abstain", "flip_status": "degraded", "n_roots": 0, "roots": []}
    signed = positions * contract_exposures(valued, used)
    roots = find_roots(exposure_curve(valued, model), valued.spot)
    net_to_gross = sums["net_gex"] / gross
    row |= sums | {"net_to_gross": net_to_gross} | flip_columns(roots, valued.spot)
    row |= walls(valued, used, signed, gross)
    row |= expiry_shares(valued, used, np.abs(signed), gross)
    row["regime"] = regime_of(net_to_gross, reasons, settings.band)
    row["flip_status"] = status_of(roots, reasons, sums["net_gex"])
    if agreement:
        nets = nets or sixteen_nets(snapshot, model, settings)
        row["definition_agreement"] = definition_agreement(nets, sums["net_gex"])
    return row
