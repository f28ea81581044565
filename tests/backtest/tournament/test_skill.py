"""What a Sharpe ratio says of skill, by the papers' formulas written out."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import kurtosis, norm, skew

from gexlab.backtest.tournament.skill import skill_of


def test_track_record_and_false_discoveries_written_out() -> None:
    rng = np.random.default_rng(4)
    returns = 0.01 * rng.standard_t(5, (700, 4)) + [0.0008, -0.002, 0.0, 0.0006]
    returns[:200, 3] = np.nan
    returns[:, 2] = 0.001  # does not vary
    found = skill_of(returns, 252)
    for j in (0, 1, 3):
        x = returns[np.isfinite(returns[:, j]), j]
        ratio, g3, g4 = x.mean() / x.std(ddof=1), skew(x), kurtosis(x, fisher=False)

        def error(at: float, g3: float = g3, g4: float = g4, n: int = len(x)) -> float:
            return math.sqrt((1 - g3 * at + (g4 - 1) / 4 * at**2) / n)

        true = 1 / math.sqrt(252)
        none, some = norm.sf(ratio / error(0.0)), norm.sf((ratio - true) / error(true))
        expected = 0.95 * none / (0.95 * none + 0.05 * some)
        np.testing.assert_allclose(found.false_discovery[j], expected, rtol=1e-9)
        if j == 1:
            assert ratio < 0.0
            assert math.isnan(found.track_record[j])
            continue
        # as many sessions at this ratio are just above zero at 5 %
        n = found.track_record[j]
        assert abs(norm.sf(ratio / error(ratio) * math.sqrt((n - 1) / len(x))) - 0.05) < 1e-9
    assert math.isnan(found.track_record[2])
    assert math.isnan(found.false_discovery[2])


def test_nobody_without_returns_has_a_record() -> None:
    found = skill_of(np.full((5, 1), np.nan), 252)
    assert np.isnan([found.track_record, found.false_discovery]).all()
