"""Ranks of GEX and of implied volatility by hand; none where rounding alone tells values apart."""

from __future__ import annotations

from dataclasses import replace

import markets
import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.features import daily, percentile, usual_volatility
from gexlab.backtest.hypotheses.protocol import Dataset, Settings
from gexlab.backtest.hypotheses.registry import hypothesis
from gexlab.backtest.hypotheses.run import run_one
from gexlab.backtest.statistics.resampling import Resampling

_QUICK = Settings(resampling=Resampling(replications=19), surrogates=9)


def test_percentile_by_hand() -> None:
    # within the last 20 of 20 known values 0 ... 19: the last is the highest, rank 20 of 20; then
    # 9.5 comes: of 1 ... 19 and itself nine are below it
    known = [*np.arange(20.0), 9.5]
    found = percentile(pd.Series(known), window=20)
    assert np.isnan(found[:19]).all()
    assert found[19:].tolist() == [1.0, 0.5]
    # a tie but for rounding shares the mean of both ranks: 10 and 11 of 20
    tied = percentile(pd.Series([*np.arange(20.0), 10.0 * (1.0 + 2e-16)]), window=20)
    assert tied[20] == pytest.approx(10.5 / 20.0)


def test_a_window_of_rounding_has_no_rank() -> None:
    noise = 1.0 + 1e-15 * np.random.default_rng(0).standard_normal(60)
    values = pd.Series(np.where(np.arange(60) < 30, 5e9, -5e9) * noise)
    found = percentile(values, window=20)
    # windows that hold both levels alone: sessions 30 ... 48; low ones rank (k + 1) / 2 of 20
    assert np.isfinite(found).nonzero()[0].tolist() == list(range(30, 49))
    assert found[30:49].tolist() == pytest.approx([(k + 1) / 40.0 for k in range(1, 20)])


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return markets.market(700, 3)


@pytest.mark.parametrize(
    "name",
    [
        "vol-damping", "beyond-leverage", "fragility-tail", "era-split", "momentum-split",
        "momentum-interaction", "autocorr-regime",
    ],
)  # fmt: skip
@pytest.mark.parametrize("noise", [0.0, 1e-15])
def test_gex_of_rounding_needs_data(name: str, noise: float, dataset: Dataset) -> None:
    factor = 1.0 + noise * np.random.default_rng(1).standard_normal(len(dataset.gex))
    flat = replace(dataset, gex=pd.Series(5e9 * factor, index=dataset.gex.index))
    result = run_one(hypothesis(name), flat, _QUICK)
    assert result.outcome is None
    assert "GEX that varies" in result.verdict
    assert "the same but for rounding (5e+09)" in result.verdict


def test_gamma_of_one_side_of_rounding_needs_data(dataset: Dataset) -> None:
    put = dataset.gex.abs() + 1.0
    legs = pd.DataFrame({"call": 0.0 * put + 3.0, "put": put})
    result = run_one(hypothesis("sign-audit"), replace(dataset, legs=legs), _QUICK)
    assert "gamma of calls that varies" in result.verdict


def test_a_volatility_index_of_rounding_needs_data(dataset: Dataset) -> None:
    flat = replace(dataset, vix=pd.Series(20.0, index=dataset.gex.index))
    for name in ("beyond-leverage", "fragility-tail"):
        result = run_one(hypothesis(name), flat, _QUICK)
        assert "an implied volatility index that varies" in result.verdict


def test_implied_volatility_is_ranked_on_all_its_sessions(dataset: Dataset) -> None:
    """Bars that begin later, and a bar that is missing, move no rank of another session."""
    assert dataset.vix is not None
    whole = daily(dataset)
    late = replace(dataset, bars=dataset.bars.iloc[300:].drop(dataset.bars.index[400]))
    kept = np.isin(whole.sessions, daily(late).sessions)
    np.testing.assert_array_equal(daily(late).vix_rank, whole.vix_rank[kept])
    own = dataset.vix.rolling(252).rank(pct=True)
    np.testing.assert_allclose(whole.vix_rank, own.reindex(dataset.bars.index), rtol=1e-12)
    # the usual one likewise: the median of all values up to now
    usual = dataset.vix.map(np.log).expanding(20).median()
    np.testing.assert_allclose(usual_volatility(late), usual.reindex(late.bars.index), rtol=1e-12)


def test_implied_volatility_after_the_last_bar_is_not_used(dataset: Dataset) -> None:
    assert dataset.vix is not None
    short = replace(dataset, bars=dataset.bars.iloc[:400])
    cut = replace(short, vix=dataset.vix[dataset.vix.index <= short.bars.index[-1]])
    np.testing.assert_array_equal(daily(short).vix_rank, daily(cut).vix_rank)
