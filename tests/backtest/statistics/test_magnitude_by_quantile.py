"""What hedging could explain, by quartile, against the formula written out."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gexlab.backtest.statistics.diagnostics.magnitude import ImpactAssumptions
from gexlab.backtest.statistics.diagnostics.quantiles import magnitude_by_quantile


def test_each_quartile_by_hand() -> None:
    value = pd.Series([4e9, -2e9, math.nan, 8e9, 2e9, 6e9, 0.0, 10e9, 12e9])
    assumed = ImpactAssumptions(dollar_volume=1e11, daily_volatility=0.01, coefficient=2.0)
    found = magnitude_by_quantile(value, (1.4, 0.8, 0.6, 0.4), assumed)
    # sorted in pairs: -2 and 0, 2 and 4, 6 and 8, 10 and 12
    assert [m.mean for m in found] == [-1e9, 3e9, 7e9, 11e9]
    # lambda = 2 * 0.01 / 1e11 a dollar; gamma is 100 times the dollars per 1 %
    expected = [1 / (1 + 2e-13 * 100 * mean) for mean in (-1e9, 3e9, 7e9, 11e9)]
    assert [m.volatility_factor for m in found] == pytest.approx(expected, rel=1e-12)
    assert [m.next_return_sd for m in found] == [1.4, 0.8, 0.6, 0.4]


def test_nothing_known_is_undefined() -> None:
    found = magnitude_by_quantile(pd.Series([math.nan]), (math.nan, math.nan))
    assert all(math.isnan(m.mean) and math.isnan(m.volatility_factor) for m in found)


def test_no_quantiles_no_rows() -> None:
    assert magnitude_by_quantile(pd.Series([1e9]), ()) == ()
