"""A return over sessions without a bar is no return of one session, whoever uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.datasets import load_dataset
from gexlab.backtest.hypotheses.fade_follow import rule_returns
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.diff import diff
from gexlab.backtest.run.load_config import parse_config
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.exposure.definition import Definition

_HOLE = slice(100, 160)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """300 sessions, 60 of them without a bar, across which the price doubles."""
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2019-01-02").date())
    days = calendar.sessions[first : first + 300].astype("datetime64[ns]")
    rng = np.random.default_rng(2)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0005, 0.01, 300))
    close[_HOLE.stop :] *= 2.0
    frame = pd.DataFrame({"session": days, "close": close})
    frame["open"] = frame["close"].shift(1).fillna(100.0)
    frame["high"] = frame[["open", "close"]].max(axis=1) * 1.001
    frame["low"] = frame[["open", "close"]].min(axis=1) * 0.999
    kept = np.ones(300, dtype=bool)
    kept[_HOLE] = False
    frame[kept].to_parquet(tmp_path / "bars.parquet", index=False)
    gex = pd.DataFrame({"session": days, "value": rng.normal(size=300)})
    gex.to_parquet(tmp_path / "gex.parquet", index=False)
    return tmp_path


def _config(folder: Path) -> Any:
    return parse_config(
        {
            "data": {"underlying": "SPY", "bars": "bars.parquet"},
            "regime": {"source": "series", "series": {"path": "gex.parquet", "known": "close"}},
            "strategies": [{"name": "buy-and-hold"}],
            "execution": {"fill": "next_close"},
            "inference": {"bootstrap": 200},
        },
        folder,
    )


def test_metrics_are_those_of_single_sessions(folder: Path) -> None:
    held = backtest(_config(folder)).main
    equity = held.equity
    returns = equity.pct_change().dropna()
    over = returns.index[int(np.argmax(returns.to_numpy()))]
    assert returns[over] > 0.9  # the doubling
    single = returns.drop(over)
    year = 252
    m = held.metrics
    assert m.n == len(single) == 238
    assert m.sharpe == pytest.approx(single.mean() / single.std(ddof=1) * np.sqrt(year))
    assert m.volatility == pytest.approx(single.std(ddof=1) * np.sqrt(year))
    assert m.total_return == pytest.approx(equity.iloc[-1] / equity.iloc[0] - 1.0)
    elapsed = 299  # sessions of the calendar, not rows
    assert m.cagr == pytest.approx((1.0 + m.total_return) ** (year / elapsed) - 1.0)
    assert m.cagr_low < m.cagr < m.cagr_high
    assert m.sharpe_low < m.sharpe < m.sharpe_high
    assert m.hit_rate == pytest.approx((single.iloc[1:] > 0).mean())


def test_volatilities_and_hypotheses_leave_it_out_alike(folder: Path) -> None:
    result = backtest(_config(folder))
    cells = result.volatility.by_regime["close_to_close"].values()
    assert max(cell.today for cell in cells) < 0.3
    legs = rule_returns(load_dataset(_config(folder)).bars)
    assert np.nanmax(np.abs(legs.next_close)) < 0.1


def test_diff_trades_neither_over_holes_nor_at_refused_spots(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gexlab.backtest.run.diff as module
    from gexlab.backtest.run import diff as room  # noqa: F401

    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2019-01-02").date())
    days = calendar.sessions[first : first + 14].astype("datetime64[ns]")
    spot = np.array([100.0, 101, 102, 103, 999, 105, 106, 107, 108, 109, 220, 221, 222, 223])
    kept = np.ones(14, dtype=bool)
    kept[9] = False  # a session that the lake lacks
    first_label = np.where(np.arange(14) == 4, "abstain", "long")
    frame = pd.DataFrame({"session": days, "spot_a": spot, "spot_b": spot})
    for side, label in (("a", first_label), ("b", np.full(14, "short"))):
        frame[f"regime_{side}"] = label
        for name in ("net_to_gross", "flip"):
            frame[f"{name}_{side}"] = 0.1
    frame["changed"] = True
    frame = frame[kept].reset_index(drop=True)
    monkeypatch.setattr(module, "diff_regimes", lambda *a, **k: frame.copy())

    class Calendars:
        def calendar(self, underlying: str) -> str:
            return "XNYS"

    monkeypatch.setattr(module, "open_lake", lambda path: Calendars())
    found = diff("nowhere", "SPX", Definition(), Definition(rate=0.01))
    short = found.rows.set_index("session")["return_b"]
    # follow: up since the last close known, so long from the next close to the one after
    good = {1: 103 / 102 - 1, 6: 108 / 107 - 1, 11: 223 / 222 - 1}
    good |= {5: 107 / 106 - 1, 10: 222 / 221 - 1}  # the first sessions after a hole
    for i, value in good.items():
        assert short[days[i]] == pytest.approx(value), i
    assert short[[days[i] for i in (0, 2, 3, 4, 7, 8, 12, 13)]].isna().all()
    assert found.unpriced == 8


def test_a_signal_spans_missing_sessions_and_they_are_counted(folder: Path) -> None:
    """The price doubled between the last bar before the hole and the first after it: fade sells."""
    result = backtest(_config(folder))
    after = pd.read_parquet(folder / "bars.parquet")["session"].iloc[_HOLE.start]
    orders = result.strategies["always-fade"].orders.set_index("decided")
    assert orders.loc[after, "target"] == -1.0
    missing = next(n for n in result.notices if n.code == "bars_missing")
    assert missing.count == result.data.bars_missing == 60
