"""Volatility by regime: against plain loops, hand calculation and published quartile tables."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.statistics import realised as rv
from gexlab.backtest.statistics.resampling import Resampling, interval, resampled_sums
from gexlab.backtest.statistics.volatility_by_regime import (
    autocorrelation_by_regime,
    next_return_sd_by_quantile,
    quantile_groups,
    volatility_summary,
)

FEW = Resampling(seed=3, replications=200)


def _market(n: int = 400, seed: int = 5) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Sessions whose volatility tomorrow is twice as high after a short label."""
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2020-01-02", periods=n, name="session")
    label = np.where(rng.random(n) < 0.3, "short", "long").astype(object)
    label[:4] = ["neutral", "abstain", "long", "long"]
    sigma = np.where(np.concatenate([["long"], label[:-1]]) == "short", 0.02, 0.01)
    steps = sigma[:, None] / math.sqrt(40) * rng.standard_normal((n, 40))
    path = np.concatenate([np.zeros((n, 1)), steps.cumsum(axis=1)], axis=1)
    base = np.concatenate([[0.0], path[:-1, -1].cumsum()])[:, None]
    levels = 100.0 * np.exp(base + path)
    bars = pd.DataFrame(
        {
            "open": levels[:, 0],
            "high": levels.max(axis=1),
            "low": levels.min(axis=1),
            "close": levels[:, -1],
        },
        index=index,
    )
    value = pd.Series(rng.standard_normal(n), index=index)
    return bars, pd.Series(label, index=index, dtype="object"), value


def _loop(bars: pd.DataFrame, chosen: np.ndarray, first: int, last: int) -> float:
    """Pooled annualised Parkinson volatility of the sessions first ... last after chosen ones."""
    x = (np.log(bars["high"]) - np.log(bars["low"])).to_numpy() ** 2 / (4 * math.log(2))
    pool: list[float] = []
    for t in np.flatnonzero(chosen):
        if t + last < len(x):
            pool += list(x[t + first : t + last + 1])
    return math.sqrt(252 * float(np.mean(pool)))


def test_cells_equal_a_plain_loop() -> None:
    bars, label, value = _market()
    got = volatility_summary(bars, label, value, resampling=FEW)
    for name in ("short", "long", "neutral", "abstain"):
        cell = got.by_regime["parkinson"][name]
        chosen = (label == name).to_numpy()
        assert cell.n == int(chosen.sum())
        for horizon, first, last in (
            ("today", 0, 0), ("next_1", 1, 1), ("next_5", 1, 5), ("next_21", 1, 21),
        ):  # fmt: skip
            want = _loop(bars, chosen, first, last)
            assert getattr(cell, horizon) == pytest.approx(want, rel=1e-12)


def test_close_to_close_cell_is_a_sample_standard_deviation() -> None:
    bars, label, value = _market()
    returns = np.log(bars["close"]).diff().to_numpy()
    chosen = np.flatnonzero((label == "short").to_numpy())
    following = returns[chosen[chosen + 1 < len(returns)] + 1]
    got = volatility_summary(bars, label, value, resampling=FEW)
    want = float(np.std(following, ddof=1)) * math.sqrt(252)
    assert got.by_regime["close_to_close"]["short"].next_1 == pytest.approx(want, rel=1e-10)


def test_ratio_recovers_the_truth_and_its_interval_covers_it() -> None:
    bars, label, value = _market(n=2_000)
    got = volatility_summary(bars, label, value, resampling=FEW).ratio
    for name in rv.ESTIMATORS:
        estimate = got[name]["next_1"]
        assert estimate.low < 2.0 < estimate.high, name
        assert estimate.value == pytest.approx(2.0, rel=0.12)
        assert got[name]["today"].value == pytest.approx(1.0, abs=0.1)


def test_quantile_cells_cover_all_sessions() -> None:
    bars, label, value = _market()
    value.iloc[7] = math.nan
    got = volatility_summary(bars, label, value, resampling=FEW)
    assert [c.n for c in got.by_quantile["parkinson"]] == [100, 100, 99, 100]


def test_intraday_variance_joins_as_an_estimator() -> None:
    bars, label, value = _market()
    variance = pd.Series(1e-4, index=bars.index)
    got = volatility_summary(bars, label, value, intraday_variance=variance, resampling=FEW)
    cell = got.by_regime["realised_variance"]["long"]
    assert cell.next_5 == pytest.approx(math.sqrt(252 * 1e-4), rel=1e-12)
    assert "realised_variance" not in volatility_summary(bars, label, value, resampling=FEW).ratio


def test_a_missing_bar_is_counted_nowhere() -> None:
    bars, label, value = _market()
    bars.iloc[100] = math.nan
    label.iloc[[99, 100, 101]] = "long"
    got = volatility_summary(bars, label, value, resampling=FEW).by_regime["parkinson"]["long"]
    assert got.n == int((label == "long").sum()) - 1
    assert math.isfinite(got.next_21)


def test_empty_regime_is_nan() -> None:
    bars, label, value = _market(n=60)
    got = volatility_summary(bars, label.replace("short", "long"), value, resampling=FEW)
    cell = got.by_regime["yang_zhang"]["short"]
    assert cell.n == 0
    assert math.isnan(cell.today)
    ratio = got.ratio["parkinson"]["next_1"]
    assert math.isnan(ratio.value)
    assert math.isnan(ratio.low)


def test_autocorrelation_by_hand_and_by_construction() -> None:
    index = pd.bdate_range("2021-01-04", periods=6)
    close = pd.Series(np.exp([0.0, 0.01, 0.0, 0.03, 0.02, 0.04]), index=index)
    label = pd.Series(["long"] * 6, index=index)
    # pairs (.01,-.01) (-.01,.03) (.03,-.01) (-.01,.02): sums by hand
    x, y = [0.01, -0.01, 0.03, -0.01], [-0.01, 0.03, -0.01, 0.02]
    sxy = sum(a * b for a, b in zip(x, y, strict=True)) - sum(x) * sum(y) / 4
    sxx = sum(a * a for a in x) - sum(x) ** 2 / 4
    syy = sum(b * b for b in y) - sum(y) ** 2 / 4
    got = autocorrelation_by_regime(close, label, resampling=FEW)
    assert got["long"].value == pytest.approx(sxy / math.sqrt(sxx * syy), rel=1e-9)
    assert got["long"].n == 4
    assert math.isnan(got["short"].value)

    rng = np.random.default_rng(1)
    shocks, r = rng.standard_normal(4_000), np.zeros(4_000)
    for t in range(1, 4_000):
        r[t] = -0.3 * r[t - 1] + shocks[t]
    index = pd.bdate_range("2000-01-03", periods=4_000)
    close = pd.Series(np.exp(0.01 * r.cumsum()), index=index)
    label = pd.Series("short", index=index)
    estimate = autocorrelation_by_regime(close, label, resampling=FEW)["short"]
    assert estimate.low < -0.3 < estimate.high
    assert estimate.high - estimate.low < 0.1


def test_quantile_groups_follow_qcut() -> None:
    rng = np.random.default_rng(0)
    x = np.round(rng.standard_normal(501), 1)
    want = pd.qcut(x, 4, labels=False)
    np.testing.assert_array_equal(quantile_groups(x, 4), want)
    assert quantile_groups([math.nan, 1.0, 2.0])[0] == -1


def test_values_of_rounding_belong_to_no_quantile() -> None:
    assert quantile_groups([0.3, 0.1 + 0.2, 0.3]).tolist() == [-1, -1, -1]
    # edges of (.3, .3, .3, 1): .3, .3, .475 by linear interpolation; ties below the first edge
    assert quantile_groups([0.1 + 0.2, 0.3, 1.0, 0.3]).tolist() == [0, 0, 3, 0]


def test_resampled_sums_are_draws_of_whole_rows() -> None:
    columns = np.column_stack([np.ones(50), np.arange(50.0)])
    drawn = resampled_sums(columns, Resampling(seed=1, replications=300, block=5))
    assert drawn.shape == (300, 2)
    np.testing.assert_array_equal(drawn[:, 0], 50.0)
    assert drawn[:, 1].mean() / 50 == pytest.approx(24.5, rel=0.05)
    again = resampled_sums(columns, Resampling(seed=1, replications=300, block=5))
    np.testing.assert_array_equal(drawn, again)
    assert interval(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))
    assert all(math.isnan(v) for v in interval([1.0, math.nan, math.nan], 0.9))


@pytest.mark.parametrize(
    ("first", "last", "published"),
    [
        ("2011-05-01", "2017-12-31", (1.39, 0.83, 0.65, 0.45)),
        ("2011-05-01", "2019-12-31", (1.40, 0.86, 0.64, 0.45)),
        ("2020-01-01", "2026-02-28", (2.10, 1.10, 0.83, 0.74)),
        ("2011-05-01", "2026-02-28", (1.71, 0.91, 0.70, 0.73)),
    ],
)
def test_published_quartile_tables(
    shared_data: Path, first: str, last: str, published: tuple[float, ...]
) -> None:
    series = pd.read_parquet(shared_data / "series" / "squeezemetrics_dix_gex.parquet")
    gex = series.set_index("date")["gex"]
    bars = pd.read_parquet(shared_data / "bars" / "spx_spy_qqq_vix_daily_1995_2026.parquet")
    close = bars[bars["root"] == "SPX"].set_index("Date")["Close"].sort_index()
    joined = close[close.index.isin(gex.index)].loc[first:last]
    got = next_return_sd_by_quantile(joined, gex)
    assert tuple(round(x, 2) for x in got) == published


def test_every_estimate_has_the_n_of_its_own_estimator_horizon_and_regimes() -> None:
    bars, label, value = _market()
    minutes = pd.Series(np.nan, index=bars.index)
    minutes.iloc[100:140] = 1e-4
    bars.loc[bars.index[50], ["high", "low"]] = math.nan
    got = volatility_summary(bars, label, value, intraday_variance=minutes, resampling=FEW)
    closes = bars["close"].notna() & bars["close"].shift(1).notna()
    known = {
        "close_to_close": closes,
        "parkinson": bars["high"].notna() & bars["low"].notna(),
        "realised_variance": minutes.notna(),
    }
    for name, own in known.items():
        ahead = {
            "today": own,
            "next_1": own.shift(-1, fill_value=False),
            "next_5": own[::-1].rolling(5).sum()[::-1].shift(-1) == 5,
        }
        for horizon, usable in ahead.items():
            rows = {side: int((usable & (label == side)).sum()) for side in ("short", "long")}
            ratio = got.ratio[name][horizon]
            assert (ratio.n_short, ratio.n_long) == (rows["short"], rows["long"]), (name, horizon)
            assert ratio.n == rows["short"] + rows["long"]
            for side, n in rows.items():
                cell = got.by_regime[name][side]
                assert {"today": cell.n, "next_1": cell.n_next_1, "next_5": cell.n_next_5}[
                    horizon
                ] == n


def test_a_price_that_does_not_move_makes_no_ratio() -> None:
    bars, label, value = _market()
    flat = bars * 0.0 + 1234.56789
    flat.iloc[::3] *= 1.0 + 2.2e-16
    got = volatility_summary(flat, label, value, resampling=FEW)
    for name, horizons in got.ratio.items():
        for horizon, ratio in horizons.items():
            assert math.isnan(ratio.value), (name, horizon)
    assert all(math.isnan(e.value) for e in got.range_efficiency.values())
    found = autocorrelation_by_regime(flat["close"], label, resampling=FEW)
    assert all(math.isnan(e.value) for e in found.values())
