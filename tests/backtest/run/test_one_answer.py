"""One question, one answer: what is stated in several places is the same in all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.datasets import load_dataset
from gexlab.backtest.hypotheses.test import test as run_test
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config
from gexlab.data.base.errors import ConfigError
from gexlab.data.quality.messages import CATALOGUE
from gexlab.reports.page.sections.verdict import direction_verdict

MakeMarket = Callable[..., Path]
CONTROLS = ["follow-long-fade-short", "always-fade", "always-follow", "buy-and-hold"]


@pytest.mark.parametrize(
    ("changes", "trials"),
    [
        ({}, 5),
        ({"instrument": "index"}, 5),
        ({"execution": "fees_bps = 2.0\nslippage_bps = 1.0\nfixed_per_share = 0.01"}, 5),
        ({"execution": 'fill = "next_close"\nfees_bps = 1.0'}, 5),
        ({"strategies": "[[strategies]]\nname = 'mine'\nlong = 'hold'\nshort = 'flat'"}, 5),
        ({"strategies": "[[strategies]]\nname = 'fade-long-follow-short'\nlookback = 3"}, 5),
    ],
)
def test_the_hypothesis_is_what_the_backtest_trades(
    make_market: MakeMarket, changes: dict[str, str], trials: int
) -> None:
    file = make_market(sessions=200, **changes)
    main = backtest(file)
    traded = main.strategies.get("fade-long-follow-short")
    if traded is None:  # the configuration asks for something else: ask it for the main strategy
        text = file.read_text()
        file.write_text(text.replace("name = 'mine'\nlong = 'hold'\nshort = 'flat'", ""))
        file.write_text(file.read_text().replace("[[strategies]]\n", ""))
        traded = backtest(file).strategies["fade-long-follow-short"]
        file.write_text(text)
    outcome = run_test(["fade-follow"], file).results[0].outcome
    assert outcome is not None
    m = traded.metrics
    assert (outcome.estimate, outcome.n) == (m.sharpe, m.n)
    assert (outcome.low, outcome.high) == pytest.approx((m.sharpe_low, m.sharpe_high), rel=1e-12)
    assert main.provenance.trials == trials == len(main.strategies)
    assert f"with {trials} trials" in outcome.reason
    # and both are what pandas makes of the equity
    returns = traded.equity.pct_change().dropna()
    assert m.sharpe == pytest.approx(returns.mean() / returns.std() * math.sqrt(252), rel=1e-9)
    assert outcome.n == len(returns)


@pytest.mark.parametrize(
    ("strategies", "names"),
    [
        ("", ["fade-long-follow-short", *CONTROLS]),
        (
            "[[strategies]]\nname = 'mine'\nfilter = 'always'\nlong = 'hold'",
            ["mine", *CONTROLS],
        ),
        ("[[strategies]]\nname = 'always-fade'", ["always-fade", *CONTROLS[:1], *CONTROLS[2:]]),
        (
            "[[strategies]]\nname = 'buy-and-hold'\nsize = 0.5",
            ["buy-and-hold", *CONTROLS[:3], "buy-and-hold (as built in)"],
        ),
    ],
)
def test_controls_always_run(make_market: MakeMarket, strategies: str, names: list[str]) -> None:
    result = backtest(make_market(sessions=60, strategies=strategies))
    assert list(result.strategies) == names
    roles = [s.role for s in result.strategies.values()]
    assert roles == ["main", *["control"] * (len(names) - 1)]
    assert result.main.role == "main"


def test_holding_under_another_name_is_no_better_than_holding(make_market: MakeMarket) -> None:
    hold = "[[strategies]]\nname = 'mine'\nfilter = 'always'\nlong = 'hold'"
    file = make_market(sessions=400, strategies=hold)
    bars = pd.read_parquet(file.parent / "bars.parquet")
    drift = np.exp(0.002 * np.arange(len(bars)))
    prices = ["open", "high", "low", "close"]
    bars[prices] = bars[prices].mul(drift, axis=0)
    bars.to_parquet(file.parent / "bars.parquet")
    result = backtest(file)
    assert result.main.metrics.sharpe_low > 0.0
    found = direction_verdict(result)
    assert found.answer == "No better than its controls"
    assert "But buy-and-hold earned" in found.reason


def test_a_typo_in_a_control_is_an_error_in_the_configuration(make_market: MakeMarket) -> None:
    typo = "[[strategies]]\nname = 'buy-and-hald'"
    with pytest.raises(ConfigError, match="did you mean 'buy-and-hold'"):
        backtest(make_market(sessions=30, strategies=typo))


def test_regimes_of_orders_and_results_are_the_sessions(make_market: MakeMarket) -> None:
    result = backtest(make_market(sessions=150, execution="fees_bps = 3.0"))
    regime = result.regime.table["regime"]
    for name, strategy in result.strategies.items():
        decided = pd.DatetimeIndex(strategy.orders["decided"])
        assert strategy.orders["regime"].tolist() == regime.loc[decided].tolist(), name
        parts = strategy.by_regime.values()
        assert sum(p.sessions for p in parts) == strategy.metrics.n
        total = np.prod([1.0 + p.total_return for p in parts]) - 1.0
        assert total == pytest.approx(strategy.metrics.total_return, rel=1e-9)
        last = strategy.equity.iloc[-1] / result.execution.cash - 1.0
        assert strategy.metrics.total_return == pytest.approx(last, rel=1e-9)
        # by pandas: the return of a session under the regime of the session decided on, which
        # with fills at the open is the one before
        before = regime.shift(1).reindex(strategy.returns.index)
        for label, part in strategy.by_regime.items():
            mine = strategy.returns[before == label]
            assert part.sessions == len(mine)
            assert part.mean_bps == pytest.approx(1e4 * mine.mean(), rel=1e-9)


def test_backtests_and_tests_check_their_bars_first(make_market: MakeMarket) -> None:
    """A lost decimal point in one close: both say so, by the name of the check."""
    config = make_market(sessions=260)
    bars = pd.read_parquet(config.parent / "bars.parquet")
    day = bars.index[200]
    bars.loc[day, ["open", "high", "low", "close"]] *= 10.0
    bars.to_parquet(config.parent / "bars.parquet", index=False)
    result = backtest(config)
    told = {n.code for n in result.notices if n.severity == "error"}
    assert told & set(CATALOGUE)
    assert result.data.bars_bad == 1
    data = load_dataset(load_config(config))
    assert math.isnan(data.bars["close"].loc[bars.loc[day, "session"]])
