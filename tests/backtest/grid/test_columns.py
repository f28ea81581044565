"""Many portfolios at once are each of them by itself, to the bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from gexlab.backtest.execution.measures import (
    Clock,
    Track,
    metrics_of,
    metrics_of_each,
    share_traded,
)
from gexlab.backtest.grid.accounts import Accounts, marks_of
from gexlab.backtest.statistics import metrics
from gexlab.backtest.statistics.sharpe_intervals import ReturnIntervals

CASH = 100.0
NONE = ReturnIntervals((np.nan, np.nan), (np.nan, np.nan), np.nan)


def _accounts(n: int) -> tuple[Accounts, np.ndarray]:
    source = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(source.normal(0.0, 0.02, n)))
    equity = CASH * np.exp(np.cumsum(source.normal(0.0, 0.1, (90, n)), axis=1))
    equity[0, 5:] = -1.0  # ruined
    equity[1, 0] = 0.0
    equity[2] = CASH  # never traded
    shares = source.choice([-1.0, 0.0, 1.0], (90, n))
    shares[2] = 0.0
    return Accounts(equity, shares, np.abs(shares) * close, np.arange(90)), close


def test_marks_are_those_of_whole_arrays() -> None:
    accounts, close = _accounts(60)
    positions, traded, returns = marks_of(accounts, close, CASH)
    live = np.logical_and.accumulate(accounts.equity > 0.0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        held = np.where(live, accounts.shares * close / accounts.equity, np.nan)
    np.testing.assert_array_equal(positions, held)
    np.testing.assert_array_equal(traded, share_traded(accounts.notional, accounts.equity, CASH))
    np.testing.assert_array_equal(returns, metrics.equity_returns(accounts.equity, CASH))


@pytest.mark.parametrize("at_open", [True, False])
@pytest.mark.parametrize("hole", [True, False])
def test_each_of_many_has_the_metrics_of_one(at_open: bool, hole: bool) -> None:
    accounts, close = _accounts(60)
    accounts.equity[1] = np.abs(accounts.equity[1]) + 1.0
    positions, traded, returns = marks_of(accounts, close, CASH)
    spans = np.ones(59, dtype=np.int64)
    spans[20] = 3 if hole else 1
    clock = Clock(spans, 252, at_open)
    many = Track(accounts.equity, returns, positions, traded, returns, traded, accounts.trades)
    found = metrics_of_each(many, [NONE] * 90, clock)
    for i, figures in enumerate(found):
        one = Track(*(getattr(many, f.name)[i] for f in fields(many)))
        assert repr(metrics_of(one, NONE, clock)) == repr(figures)
    r = returns[4] if not hole else np.delete(returns[4], 20)
    assert found[4].sharpe == pytest.approx(r.mean() / r.std(ddof=1) * np.sqrt(252), rel=1e-13)
    assert np.isnan(found[2].hit_rate)
    assert found[4].trades == 4
