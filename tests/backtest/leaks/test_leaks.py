"""Planted look-ahead is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.leaks import recomputation, traces
from gexlab.backtest.leaks.association import Association
from gexlab.backtest.leaks.leakcheck import LeakResult, leakcheck, market_leaks
from gexlab.backtest.run.backtest import strategies_of
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.strategies.registry import make_strategy

MakeMarket = Callable[..., Path]

ONE = """
[[strategies]]
name = "mine"
filter = "{filter}"
long = "{long}"
"""


def _check(file: Path) -> LeakResult:
    return leakcheck(file, cuts=8)


def _kinds(result: LeakResult) -> list[tuple[str, str]]:
    return [(leak.input, leak.kind) for leak in result.leaks]


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_clean_configuration_has_none(make_market: MakeMarket, fill: str) -> None:
    result = _check(make_market(execution=f'fill = "{fill}"'))
    assert result.leaks == ()
    # 400 regime and 400 VIX stamps and values each, five strategies' orders and 8 cuts
    assert result.checked > 4 * 400 + 5 * 8


def test_a_clean_configuration_with_ranks_has_none(make_market: MakeMarket) -> None:
    ranked = "[[strategies]]\nname = 'r'\nfilter = 'percentile'\nwindow = 60\n"
    assert _check(make_market(strategies=ranked)).leaks == ()


OWN = """
import numpy as np
from gexlab.strategies import Filter, Past, Rule

class WholeSample(Filter):
    def inputs(self):
        return {"value": Past("regime")}
    def labels(self, value):
        return np.where(value[:, -1] > np.nanmedian(value), 1.0, 2.0)

class Smoothed(Filter):
    def inputs(self):
        return {"value": Past("regime", None)}
    def labels(self, value):
        padded = np.concatenate([value[:2], value, value[-2:]])
        middle = np.lib.stride_tricks.sliding_window_view(padded, 5).mean(axis=1)
        return np.where(middle > 0.0, 1.0, 2.0)

class Foresight(Rule):
    def inputs(self):
        return {"close": Past("close")}
    def targets(self, close):
        return np.append(np.sign(np.diff(close[:, -1])), 0.0)
"""


def _own(file: Path) -> Path:
    (file.parent / "own.py").write_text(OWN, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("made", "name"), [("WholeSample", "whole-sample"), ("Smoothed", "smoothed")]
)
def test_a_filter_that_reads_later_rows(make_market: MakeMarket, made: str, name: str) -> None:
    file = make_market(strategies="")
    own = ONE.format(filter=f"own.py:{made}", long="fade")
    file.write_text(file.read_text(encoding="utf-8") + own, encoding="utf-8")
    assert (f"filter {name}", "changes_with_later_data") in _kinds(_check(_own(file)))


def test_a_rule_that_knows_the_next_close(make_market: MakeMarket) -> None:
    file = make_market(strategies="")
    own = ONE.format(filter="sign", long="own.py:Foresight")
    file.write_text(file.read_text(encoding="utf-8") + own, encoding="utf-8")
    assert ("rules foresight, follow, flat", "changes_with_later_data") in _kinds(
        _check(_own(file))
    )


def test_a_fill_before_publication(make_market: MakeMarket) -> None:
    result = _check(make_market(known="10:30", execution='fill = "next_open"'))
    assert _kinds(result) == [("regime", "used_before_known")]
    assert str(result.leaks[0].session) == "2019-01-02"


def test_the_same_close(make_market: MakeMarket) -> None:
    result = _check(make_market(execution='fill = "same_close"'))
    assert set(_kinds(result)) == {("regime", "used_before_known"), ("bars", "used_before_known")}


def test_a_series_that_is_dated_too_early(make_market: MakeMarket) -> None:
    result = _check(make_market(shift=1))
    assert ("regime", "moves_with_the_next_return") in _kinds(result)


def test_a_value_known_before_its_session(make_market: MakeMarket) -> None:
    config = load_config(make_market())
    market = load_market(config)
    table = market.regime.table.copy()
    table.loc[table.index[7], "known_at"] -= pd.Timedelta("120h")
    planted = replace(market, regime=replace(market.regime, table=table))
    result = market_leaks(config, planted, strategies_of(config), cuts=5)
    assert _kinds(result) == [("regime", "known_before_session")]
    assert result.leaks[0].session == table.index[7].date()


def test_what_the_gate_refused_is_no_input(make_market: MakeMarket) -> None:
    config = load_config(make_market())
    market = load_market(config)
    table = market.regime.table.copy()
    table.loc[table.index[7], "known_at"] -= pd.Timedelta("120h")
    table.loc[table.index[7], "regime"] = "abstain"
    refused = replace(market, regime=replace(market.regime, table=table))
    assert market_leaks(config, refused, strategies_of(config), cuts=5).leaks == ()


def test_rows_whose_spot_is_the_next_close(make_market: MakeMarket) -> None:
    config = load_config(make_market())
    market = load_market(config)
    table = market.regime.table.assign(spot=market.closes)
    clean = replace(market, regime=replace(market.regime, table=table))
    assert market_leaks(config, clean, strategies_of(config), cuts=5).leaks == ()
    # a spot that is merely off (taken at another hour) is a matter of quality, not of the future
    off = table.assign(spot=market.closes * 1.01)
    inexact = replace(market, regime=replace(market.regime, table=off))
    assert market_leaks(config, inexact, strategies_of(config), cuts=5).leaks == ()
    shifted = table.assign(spot=market.closes.shift(-1))
    planted = replace(market, regime=replace(market.regime, table=shifted))
    result = market_leaks(config, planted, strategies_of(config), cuts=5)
    assert _kinds(result) == [("regime", "spot_of_a_later_session")]


SINCE_2011 = pytest.param("2011-05-02", marks=pytest.mark.slow)


@pytest.mark.parametrize("start", ["2023-01-01", SINCE_2011])
def test_the_published_series_has_none(shared_data: Path, tmp_path: Path, start: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f"""
[data]
start = {start}
underlying = "SPX"
bars = "{shared_data}/bars/spx_spy_qqq_vix_daily_1995_2026.parquet"
bars_where = {{ root = "SPX" }}
[regime]
source = "series"
[regime.series]
path = "{shared_data}/series/squeezemetrics_dix_gex.parquet"
columns = {{ session = "date", value = "gex" }}
known = "next_open"
[series.vix]
path = "{shared_data}/series/vix_daily.parquet"
columns = {{ session = "date" }}
known = "close"
[series.dix]
path = "{shared_data}/series/squeezemetrics_dix_gex.parquet"
columns = {{ session = "date", value = "dix" }}
known = "next_open"
[series.other_gex]
path = "{shared_data}/series/alphagex_spy_net_gex.parquet"
columns = {{ session = "d", value = "net_gex" }}
known = "next_open"
""")
    assert _check(file).leaks == ()


def test_a_series_whose_first_part_is_late_is_no_leak_of_a_filter(make_market: MakeMarket) -> None:
    """Late rows are missing, however the data go on: nothing changes where they end early."""
    config = load_config(make_market())
    market = load_market(config)
    table = market.regime.table.copy()
    table.loc[table.index[:150], "known_at"] += pd.Timedelta("72h")
    late = replace(market, regime=replace(market.regime, table=table))
    assert market_leaks(config, late, strategies_of(config)[:1], cuts=10).leaks == ()


def _traced(n: int = 40) -> Any:
    return traces._Traced("series.x", np.arange(float(n)), np.zeros(n, dtype=np.bool_))


@pytest.mark.parametrize(
    ("found", "kind", "when"),
    [
        (("return", 1, False), "moves_with_the_next_return", "return of the next session"),
        (("return", 2, False), "moves_with_later_returns", "return of the session 2 later"),
        (("return", 1, True), "moves_with_later_returns", "return over the next 1 sessions"),
        (("volatility", 1, False), "moves_with_later_volatility", "of the next session"),
    ],
)
def test_a_trace_says_what_it_goes_with(found: tuple[Any, int, bool], kind: str, when: str) -> None:
    market: Any = SimpleNamespace(bars=pd.DataFrame(index=pd.bdate_range("2024-01-02", periods=40)))
    leak = traces._leak(_traced(), Association(*found, 0.5, 0.001, 39), market)
    assert leak.kind == kind
    assert when in leak.detail


def test_the_smallest_p_value_that_permutations_have_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1 of 1,000 permutations and the sample itself: p is the level, and that is a trace."""
    market: Any = SimpleNamespace(bars=pd.DataFrame(index=pd.bdate_range("2024-01-02", periods=40)))
    found = Association("return", 1, False, 0.5, 0.001, 39)
    monkeypatch.setattr(traces, "paths_of", lambda bars: None)
    monkeypatch.setattr(traces, "future_association", lambda *_, **__: found)
    assert len(list(traces._associated([_traced()], market, 0.001))) == 1
    assert list(traces._associated([_traced()], market, 0.0009)) == []


def test_two_targets_that_are_both_missing_are_the_same() -> None:
    frame = pd.DataFrame(
        {"label": ["long", "short", "long"], "target": [1.0, np.nan, 0.5]},
        index=pd.bdate_range("2024-01-02", periods=3),
    )
    strategy = make_strategy("own", filter="sign", long="fade")
    same = list(recomputation._differences(strategy, frame, frame.copy(), ("k", "said")))
    assert same == []
    other = frame.assign(target=[1.0, np.nan, 0.25])
    (leak,) = recomputation._differences(strategy, frame, other, ("k", "said"))
    assert leak.session == frame.index[2].date()


def test_cuts_are_spread_over_the_period() -> None:
    market: Any = SimpleNamespace(sessions=pd.bdate_range("2024-01-02", periods=101))
    at = market.sessions.get_indexer(recomputation._cut_sessions(market, 4, None))
    assert [k // 25 for k in at] == [0, 1, 2, 3]
