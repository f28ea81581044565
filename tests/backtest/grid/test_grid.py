"""A grid's trials are backtests: the same numbers, once, whatever was killed or changed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.grid import grid as module
from gexlab.backtest.grid.grid import grid
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config, parse_config
from gexlab.backtest.run.strategy_results import Metrics
from gexlab.data.base.errors import ConfigError, LookAheadError, UnknownNameError
from gexlab.reports.cli.app import run

MakeMarket = Callable[..., Path]

GRID = """
[grid]
filters = ["sign", { name = "percentile", window = [63, 126] }, "always"]
rules = [
  { long = "fade", short = "follow" },
  { long = { rule = "follow", lookback = [2, 5], scale = "scaled" }, short = "rsi" },
]
sizings = ["fixed", { name = "volatility-target", target = 0.1 }, "turnover-limit"]
fees_bps = [0, 2]
fill = ["next_open", "next_close"]
"""


def _close(found: Any, wanted: Any) -> bool:
    """Return whether two numbers are the same to 1e-12, or both undefined."""
    x, y = float(found), float(wanted)
    return (np.isnan(x) and np.isnan(y)) or abs(x - y) <= 1e-12 * max(1.0, abs(y))


@pytest.mark.parametrize("gaps", [0, 3])
def test_every_trial_is_the_backtest_of_its_strategy(make_market: MakeMarket, gaps: int) -> None:
    config = make_market(strategies=GRID, sessions=260)
    if gaps:  # bars that are missing: returns over them are no returns of one session
        bars = pd.read_parquet(config.parent / "bars.parquet")
        bars.drop(index=[100, 101, 180]).to_parquet(config.parent / "bars.parquet", index=False)
    table = grid(config).table
    assert len(table) == 4 * 3 * 3 * 2 * 2
    for fill in ("next_open", "next_close"):
        for fees in (0.0, 2.0):
            one = make_market(
                sessions=260,
                execution=f'fill = "{fill}"\nfees_bps = {fees}',
                strategies=STRATEGIES,
            )
            if gaps:
                bars.drop(index=[100, 101, 180]).to_parquet(one.parent / "bars.parquet")
            found = backtest(one).strategies
            mine = table[(table["fill"] == fill) & (table["fees_bps"] == fees)]
            for name, where in ROWS.items():
                row = mine
                for column, value in where.items():
                    row = row[row[column] == value]
                assert len(row) == 1, name
                for field in fields(Metrics):
                    there = getattr(found[name].metrics, field.name)
                    assert _close(row[field.name].iloc[0], there), (name, fill, fees, field.name)


STRATEGIES = """
[[strategies]]
name = "a"
filter = "sign"
[[strategies]]
name = "b"
filter = { name = "percentile", window = 126 }
long = { rule = "follow", lookback = 5, scale = "scaled" }
short = "rsi"
sizing = { name = "volatility-target", target = 0.1 }
[[strategies]]
name = "c"
filter = { name = "percentile", window = 63 }
sizing = "turnover-limit"
[[strategies]]
name = "d"
filter = "always"
long = { rule = "follow", lookback = 2, scale = "scaled" }
short = "rsi"
"""
ROWS: dict[str, dict[str, Any]] = {
    "a": {"filter": "sign", "long": "fade", "sizing": "fixed"},
    "b": {
        "filter": "percentile",
        "filter.window": 126,
        "long.lookback": 5,
        "short": "rsi",
        "sizing": "volatility-target",
    },
    "c": {"filter": "percentile", "filter.window": 63, "long": "fade", "sizing": "turnover-limit"},
    "d": {"filter": "always", "long.lookback": 2, "short": "rsi", "sizing": "fixed"},
}


def test_only_what_changed_is_computed_again(make_market: MakeMarket, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = make_market(strategies=GRID, sessions=200)
    first = grid(config, out=out)
    again = grid(config, out=out)
    assert (first.computed, first.reused) == (144, 0)
    assert (again.computed, again.reused) == (0, 144)
    pd.testing.assert_frame_equal(first.table, again.table)
    wider = make_market(strategies=GRID.replace("[0, 2]", "[0, 2, 7]"), sessions=200)
    assert (grid(wider, out=out).computed, len(grid(wider).table)) == (72, 216)
    # other bars: every number may change
    other = make_market(strategies=GRID, sessions=201)
    assert grid(other, out=out).reused == 0


def test_a_killed_grid_goes_on(
    make_market: MakeMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    config = make_market(strategies=GRID, sessions=200)
    monkeypatch.setattr(module, "CHUNK", 7)
    calls = []

    def killed(done: int, total: int | None, what: str = "") -> None:
        calls.append(done)
        if done >= 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grid(config, out=out, progress=killed)
    assert not (out / "trials.parquet").exists()
    after = grid(config, out=out)
    assert after.reused >= 50
    assert after.computed == 144 - after.reused
    pd.testing.assert_frame_equal(after.table, grid(config).table)
    assert sorted(f.name for f in out.iterdir()) == ["grid.json", "trials.parquet"]


def test_files(make_market: MakeMarket, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = grid(make_market(strategies=GRID, sessions=200), out=out)
    table = pd.read_parquet(out / "trials.parquet")
    assert table["trial_id"].is_unique
    document = json.loads((out / "grid.json").read_text(encoding="utf-8"))
    best = table.sort_values("sharpe").iloc[-1]
    assert document["best"] == {"trial_id": best["trial_id"], "sharpe": best["sharpe"]}
    # Bailey and Lopez de Prado's expected maximum, with another library's quantiles; the standard
    # error of an annual ratio is the root of 252 over 199 returns
    quantile, g = NormalDist().inv_cdf, 0.5772156649015329
    largest = (1 - g) * quantile(1 - 1 / 144) + g * quantile(1 - 1 / (144 * math.e))
    assert document["best_by_luck"] == pytest.approx(largest * math.sqrt(252 / 199), rel=1e-9)
    assert document["trials"] == 144 == result.trials
    assert "144 trials were tried" in document["sentence"]


def test_equal_combinations_are_one_trial(make_market: MakeMarket) -> None:
    result = grid(make_market(strategies='[grid]\nfilters = ["sign", "sign", { name = "sign" }]\n'))
    assert (result.trials, result.duplicates) == (1, 2)


def test_eras_are_markets_of_their_own(make_market: MakeMarket) -> None:
    text = '[grid]\neras = ["2019..2019", { start = 2019-07-01 }, "2019-03-01..2020-03-31"]\n'
    table = grid(make_market(strategies=text)).table
    config = make_market().read_text(encoding="utf-8")
    for row in table.to_dict("records"):
        dates = "".join(
            f"{key} = {row[key]}\n" for key in ("start", "end") if isinstance(row[key], str)
        )
        file = make_market()
        file.write_text(config.replace("[data]\n", f"[data]\n{dates}"), encoding="utf-8")
        wanted = backtest(file).strategies["fade-long-follow-short"].metrics
        for name, value in asdict(wanted).items():
            assert _close(row[str(name)], value), (dates, name)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('filtres = ["sign"]', "did you mean 'filters'?"),
        ('filters = ["percentil"]', "did you mean 'percentile'?"),
        ('filters = [{ name = "percentile", windw = [5, 6] }]', "did you mean 'window'?"),
        ('rules = [{ lng = "fade" }]', "did you mean 'long'?"),
        ('rules = ["fade"]', "expected tables"),
        ("fees_bps = [0, -1]", "fees_bps = -1"),
        ('fill = ["next_opn"]', "did you mean 'next_open'?"),
        ('book = ["as_of_close"]', "grid.book is about chains"),
        ('underlyings = ["NDX"]', "needs bars of its own"),
        ('eras = ["last year"]', "grid.eras: expected texts"),
        ("filters = []", "empty list"),
    ],
)
def test_what_is_wrong_is_said(make_market: MakeMarket, section: str, said: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=r"grid|filter|rule|fees") as failure:
        grid(make_market(strategies=f"[grid]\n{section}\n"))
    assert said in str(failure.value)


def test_without_a_grid_there_is_nothing_to_span(make_market: MakeMarket) -> None:
    with pytest.raises(ConfigError, match=r"has no \[grid\]"):
        grid(make_market())


def test_an_order_that_knew_too_much_is_refused(make_market: MakeMarket) -> None:
    config = make_market(strategies='[grid]\nfill = ["next_open", "same_close"]\n')
    with pytest.raises(LookAheadError, match="same_close"):
        grid(config)


def test_lists_of_lists_span_parameters_that_are_lists(make_market: MakeMarket) -> None:
    text = (
        '[grid]\nfilters = [{ name = "day-of-week", long = [[0, 1], [4]] }, { name = "all", of = '
        '["sign", { name = "trend", lookback = [5, 21] }] }]\n'
    )
    config = load_config(make_market(strategies=text))
    table = grid(config).table
    assert table["filter"].tolist() == ["day-of-week", "day-of-week", "all", "all"]
    assert table["filter.long"].tolist()[:2] == ["0, 1", "4"]


def test_the_command_prints_one_document(
    make_market: MakeMarket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_market(strategies='[grid]\nfilters = ["sign", "always"]\n', sessions=120)
    assert run(["grid", str(config), "--out", str(tmp_path / "out"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["trials"], document["computed"], document["reused"]) == (2, 2, 0)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["grid.html", "grid.json", "trials.parquet"]
    assert run(["grid", str(config), "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reused"] == 2


PUBLISHED: dict[str, Any] = {
    "data": {
        "underlying": "SPX",
        "bars": "bars/spx_spy_qqq_vix_daily_1995_2026.parquet",
        "bars_where": {"root": "SPX"},
        "start": "2012-04-30",
    },
    "regime": {
        "source": "series",
        "series": {
            "path": "series/squeezemetrics_dix_gex.parquet",
            "columns": {"session": "date", "value": "gex"},
            "known": "next_open",
        },
    },
    "inference": {"bootstrap": 200},
}


def test_on_the_published_series_trials_are_backtests(shared_data: Path) -> None:
    filters = ["sign", {"name": "percentile", "window": 126}]
    table = grid(parse_config({**PUBLISHED, "grid": {"filters": filters}}, shared_data)).table
    strategies = [{"name": f"{i}", "filter": chosen} for i, chosen in enumerate(filters)]
    found = backtest(parse_config({**PUBLISHED, "strategies": strategies}, shared_data)).strategies
    for i, row in enumerate(table.to_dict("records")):
        for field in fields(Metrics):
            wanted = getattr(found[f"{i}"].metrics, field.name)
            assert _close(row[field.name], wanted), (i, field.name)


def test_underlyings_are_markets_of_their_own(make_market: MakeMarket) -> None:
    """Each trial is the backtest of its own bars, and none takes the other's."""
    bars = pd.read_parquet(make_market(sessions=120).parent / "bars.parquet")
    prices = ["open", "high", "low", "close"]
    text = (
        '[grid]\nunderlyings = ["SPX", { underlying = "NDX", bars = "ndx.parquet" }]\n'
        'eras = ["2019..", "2019-03-01.."]\n'
    )
    config = make_market(strategies=text, sessions=120)
    bars[prices] = (1e6 / bars[["open", "low", "high", "close"]]).to_numpy()
    bars.to_parquet(config.parent / "ndx.parquet", index=False)
    result = grid(config)
    assert result.underlyings == ("SPX", "NDX")
    assert [*result.table["underlying"]] == ["SPX", "SPX", "NDX", "NDX"]
    alone = make_market(sessions=120).read_text(encoding="utf-8")
    for row in result.table.to_dict("records"):
        file = make_market(sessions=120)
        own = alone.replace("[data]\n", f"[data]\nstart = {row['start']}\n")
        if row["underlying"] == "NDX":
            own = own.replace("bars.parquet", "ndx.parquet").replace('"SPX"', '"NDX"')
        file.write_text(own, encoding="utf-8")
        wanted = backtest(file).strategies["fade-long-follow-short"].metrics
        for name, value in asdict(wanted).items():
            assert _close(row[str(name)], value), (row["underlying"], row["start"], name)
