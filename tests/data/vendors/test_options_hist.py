"""The options_hist schema, which has no spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arrivals import arrived, day, pick, utc
from synthetic_chains import black_scholes


def made(spot: float, session: str, expiries: dict[str, float]) -> pd.DataFrame:
    """Return a chain priced by Black and Scholes around a spot that it does not state."""
    rows = []
    for expiry, t in expiries.items():
        strikes = np.arange(380.0, 421.0, 2.0)
        for right in ("call", "put"):
            calls = np.full(len(strikes), right == "call")
            iv = np.full(len(strikes), 0.2)
            price, delta, gamma = black_scholes(spot, strikes, np.full(len(strikes), t), iv, calls)
            for k, p, d, g in zip(strikes, price, delta, gamma, strict=True):
                name = (
                    f"SPY{expiry[2:4]}{expiry[5:7]}{expiry[8:]}{right[0].upper()}{k * 1000:08.0f}"
                )
                rows.append(
                    (name, "SPY", expiry, k, right, p - 0.01, p + 0.01, 7, 40, session, 0.2, d, g)
                )
    names = (
        "contract_id symbol expiration strike type bid ask volume open_interest date "
        "implied_volatility delta gamma"
    )  # fmt: skip
    return pd.DataFrame(rows, columns=pd.Index(names.split()))


def test_the_spot_is_the_one_parity_implies(tmp_path: Path) -> None:
    file = tmp_path / "options.parquet"
    expiries = {"2021-03-05": 2 / 365, "2021-04-16": 44 / 365}
    frame = made(400.37, "2021-03-03", expiries)
    frame.to_parquet(file)
    found = arrived(tmp_path / "lake", "options_hist", "SPY", file)
    assert found.result.rows_written == len(frame)
    [spot] = {r["spot"] for r in found.rows}
    # off by the carry of two days, 0.03 x 2 / 365 = 0.016 %, by construction
    assert spot == pytest.approx(400.37 * np.exp(0.03 * 2 / 365), rel=2e-5)
    row = found.row(expiry=day("2021-04-16"), strike=400.0, right="P")
    assert pick(row, "session", "quote_ts", "known_at", "oi_asof", "root", "settlement") == (
        day("2021-03-03"), utc(2021, 3, 3, 21), utc(2021, 3, 4, 14, 30), day("2021-03-02"),
        "SPY", "PM",
    )  # fmt: skip
    assert pick(row, "open_interest", "iv", "volume", "multiplier") == (40.0, 0.2, 7.0, 100.0)


def test_a_stated_spot_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "options.parquet"
    made(400.37, "2021-03-03", {"2021-03-05": 2 / 365}).assign(spot=401.0).to_parquet(file)
    assert {r["spot"] for r in arrived(tmp_path / "l", "options_hist", "SPY", file).rows} == {401.0}


def test_sessions_without_parity_are_rejected_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "options.parquet"
    good = made(400.0, "2021-03-03", {"2021-03-05": 2 / 365})
    bad = made(400.0, "2021-03-04", {"2021-03-05": 1 / 365}).assign(bid=0.0)
    pd.concat([good, bad]).to_parquet(file)
    result = arrived(tmp_path / "lake", "options_hist", "SPY", file).result
    assert result.rows_written == len(good)
    assert result.rejects == {"spot_missing": len(bad)}
