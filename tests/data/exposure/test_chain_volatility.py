"""The chain's own volatility: Cboe's example, a twin in many digits, markets with a known one."""

from __future__ import annotations

from datetime import date
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import reference_variance as twin
from variance_quotes import RATE, chain, quoted_variance

from gexlab.data import ingest, rebuild, side_table
from gexlab.data.exposure.chain_volatility import (
    ChainVolatility,
    Maturity,
    at_maturity,
    expected_move,
)
from gexlab.data.lake.lake import open_lake
from gexlab.data.simulate import simulate


def test_cboes_published_example() -> None:
    # white paper of 2014: 24 days 22 h 44 min and 32 days 5 h 14 min, variances as printed
    days = np.array([35_924.0, 46_394.0]) / 1_440.0
    found = at_maturity(days, np.array([0.01846292, 0.01882101]))
    assert found.volatility == pytest.approx(0.13685821, abs=5e-9)
    # the lowest put of the same paper: strike 1370, 5 apart, mid .20, T .0683486, rate .0305 %
    assert 5 / 1370**2 * exp(0.000305 * 0.0683486) * 0.20 == pytest.approx(5.328e-7, rel=1e-4)


def test_total_variance_is_linear_between_two_expirations() -> None:
    days = (23.4, 37.9)
    exact = [twin.variance(chain(d, 1), d / 365, RATE) for d in days]
    found = at_maturity(
        np.array(days), np.array([quoted_variance(chain(d, 1), d)[0] for d in days])
    )
    expected = twin.thirty_days(days, (exact[0], exact[1]))
    assert found.volatility == pytest.approx(float(expected), rel=1e-12)
    assert (found.near_days, found.next_days) == days


@pytest.mark.parametrize(
    ("days", "ends"),
    [
        ([20.0, 50.0], (20.0, 50.0)),
        ([20.0, 25.0], (25.0, None)),
        ([33.0, 61.0], (None, 33.0)),
        ([80.0, 171.0], (None, 80.0)),
        ([5.0], None),
        ([100.0], None),
        ([20.0, 200.0], (20.0, None)),
    ],
)
def test_which_expirations_make_the_month(days: list[float], ends: Any) -> None:
    found = at_maturity(np.array(days), np.full(len(days), 0.04))
    if ends is None:
        assert np.isnan(found.volatility)
        assert found.reason == "no expirations around 30 days"
        return
    assert found.volatility == pytest.approx(0.2)
    told = tuple(None if np.isnan(d) else d for d in (found.near_days, found.next_days))
    assert told == ends


def test_the_expected_move_by_hand() -> None:
    none = Maturity(float("nan"), float("nan"), float("nan"), "why")
    swap, money = Maturity(0.20, 20.0, 40.0), Maturity(0.16, 20.0, 40.0)
    # 5000 x .20 / root of 252
    assert expected_move(ChainVolatility(money, swap), 5000.0, 252) == pytest.approx(62.9941)
    assert expected_move(ChainVolatility(money, none), 5000.0, 365) == pytest.approx(41.8739)
    assert np.isnan(expected_move(ChainVolatility(none, none), 5000.0, 252))


def test_a_simulated_market_says_its_own_volatility(tmp_path: Path) -> None:
    # without skew every contract of an expiration has one volatility, which the lake states
    made = simulate(
        "S0", years=0.02, seed=5, lake=tmp_path, contracts=1500, start=date(2021, 3, 1),
        parameters={"skew": 0.0, "smile": 0.0}, intraday=None,
    )  # fmt: skip
    rebuild(made.lake, made.underlying)
    found = side_table(made.lake, "implied_volatility", made.underlying, book="as_of_close")
    files = [str(f) for f in open_lake(made.lake).chain_files(made.underlying)]
    rows = pd.concat([pd.read_parquet(f) for f in files])
    years = (rows["expiry_ts"] - rows["quote_ts"]).dt.total_seconds() / (365 * 86_400)
    alive = rows.assign(years=years)[(years > 0) & rows["iv"].notna()]
    expected = [
        np.interp(30 / 365, x["years"], x["iv"] ** 2 * x["years"]) / (30 / 365)
        for _, x in alive.groupby("session")[["years", "iv"]]
        for x in [x.groupby("years", as_index=False).mean()]
    ]
    assert len(found) > 3
    assert set(found["atm_missing"].dropna()) == set()
    np.testing.assert_allclose(found["atm_30d"], np.sqrt(expected), rtol=2e-3)
    # coarse strikes and prices in cents overstate a variance swap by some percent at most
    known = found["swap_30d"].notna().to_numpy()
    assert known.sum() > 2
    assert set(found.loc[~known, "swap_missing"]) <= {
        "strikes are more than 0.6 standard deviations apart"
    }
    ratio = (found["swap_30d"].to_numpy() / np.sqrt(expected))[known]
    assert ((ratio > 0.99) & (ratio < 1.045)).all()
    assert (found["known_at"] > pd.Timestamp("2021-03-01", tz="UTC")).all()


def test_spx_against_vix(shared_data: Path, tmp_path: Path) -> None:
    chains = shared_data / "chains"
    whole = pd.read_parquet(chains / "spx_cboe_snapshots_2026.parquet")
    stamp = next(c for c in whole.columns if "quote" in c or c in ("session", "date", "day"))
    days = sorted(whole[stamp].unique())[::5]
    whole[whole[stamp].isin(days)].to_parquet(tmp_path / "some.parquet")
    ingest(
        [tmp_path / "some.parquet"], vendor="columns", underlying="SPX", lake=tmp_path / "lake",
        mapping=chains / "spx_cboe_snapshots_2026.map.toml",
    )  # fmt: skip
    rebuild(tmp_path / "lake", "SPX", books=("as_of_close",))
    own_30d = side_table(tmp_path / "lake", "implied_volatility", "SPX").set_index("session")
    series = pd.read_parquet(shared_data / "series" / "vix_daily.parquet")
    vix = series.set_index(pd.to_datetime(series["date"]))["value"].reindex(own_30d.index)
    swap = 100 * own_30d["swap_30d"]
    both = pd.concat([swap, vix], axis=1).dropna().to_numpy()
    correlation = float(np.corrcoef(both.T)[0, 1])
    difference = float((both[:, 0] - both[:, 1]).mean())
    told = f"{len(both)} sessions: correlation {correlation:.3f}, mean difference {difference:+.2f}"
    assert len(both) >= 8, told
    assert correlation > 0.97, told
    assert abs(difference) < 0.4, told
