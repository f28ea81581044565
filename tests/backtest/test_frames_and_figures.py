"""Frames and figures of results from Python, and the example in the guide."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from small_markets import write_lake

from gexlab.backtest import backtest, diff, leakcheck, ledger, lockbox
from gexlab.data import (
    DEFAULT,
    ConfigError,
    cross_section,
    explain,
    open_lake,
    profile,
    rebuild,
)
from gexlab.reports import figures, frames

MakeMarket = Callable[..., Path]
ROOT = Path(__file__).parents[2]

GRID = """
[grid]
filters = ["sign", { name = "percentile", window = [40, 60] }]
fees_bps = [0, 2]
[tournament]
placebos = 20
folds = { train = 60, test = 60 }
lockbox = "2020-01-02"
[ledger]
path = "ledger"
"""


@pytest.fixture
def config(make_market: MakeMarket) -> Path:
    return make_market(strategies=GRID, sessions=300)


def _texts(found: go.Figure) -> str:
    return str(found.to_json())


def test_the_example_of_the_guide(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "figures(" in b)
    config.rename(config.parent / "config.toml")
    monkeypatch.chdir(config.parent)
    names: dict[str, Any] = {}
    exec(block, names)
    table = names["spanned"].table
    assert names["best"]["sharpe"].tolist() == sorted(table["sharpe"], reverse=True)[:5]
    heat = names["heat_map"].data[0]
    # each cell is the median of the trials with these two values
    cell = table[(table["filter"] == "percentile") & (table["fees_bps"] == 2.0)]["sharpe"].median()
    shown = np.array(heat.z)[list(heat.y).index("percentile"), list(heat.x).index("2.0")]
    assert shown == pytest.approx(cell, rel=1e-5)
    found = names["found"]
    trials = names["trials"]
    assert len(trials) == found.trials
    for entry in found.entries:
        assert trials.loc[entry.trial_id, "sharpe"] == entry.sharpe
    assert names["equities"]
    drawn = names["equities"][0].data[-1]
    assert np.array(drawn.y) == pytest.approx(found.breakdowns[0].equity, rel=1e-5)
    for one in (*figures(found).values(), *figures(names["spanned"]).values()):
        assert isinstance(one, go.Figure)
        assert one.layout.title.text
        assert "css:" not in _texts(one)  # colours are colours, not those of a page
    # counted, and drawn as counted
    counted = ledger(str(config.parent / "ledger"))
    grown = figures(counted)["trials"].data[0]
    assert grown.y[-1] == counted.trials == len(set(frames(counted)["entries"]["trial_id"]))
    # a lockbox that was opened: ratios with the ends of their intervals
    named = found.entries[0].trial_id
    opened = lockbox("config.toml", open_for=(named,))
    assert opened.found is not None
    drawn = figures(opened)["opened"].data[0]
    (row,) = opened.found["trials"]
    assert (drawn.x[0], drawn.y[0]) == (named, pytest.approx(row["sharpe"], rel=1e-5))
    assert drawn.y[0] + drawn.error_y.array[0] == pytest.approx(row["high"], rel=1e-4)
    assert figures(lockbox("config.toml")) != {}


def test_a_backtest_as_frames(make_market: MakeMarket) -> None:
    result = backtest(make_market(sessions=150))
    found = frames(result)
    for name, one in result.strategies.items():
        np.testing.assert_array_equal(found["strategies.equity"][name], one.equity)
        mine = found["strategies.orders"][found["strategies.orders"]["name"] == name]
        assert mine["size"].tolist() == one.orders["size"].tolist()
    sharpes = found["strategies"].set_index("name")["metrics.sharpe"]
    assert sharpes.to_dict() == {n: s.metrics.sharpe for n, s in result.strategies.items()}
    assert set(figures(result)) >= {"regime", "equity", "volatility", "ratio", "quantiles"}
    assert figures(result, dark=True)["equity"].layout.paper_bgcolor == "#14171a"


def test_sessions_names_and_differences(tmp_path: Path) -> None:
    write_lake(tmp_path, "XNYS", sessions=6)
    lake = tmp_path / "lake"
    day = open_lake(lake).held("MKT").sessions[-1].session
    told = explain(lake, "MKT", day)
    found = frames(told)
    drawn = figures(told)["profile"]
    assert found["strikes"]["net_gex"].sum() == pytest.approx(told.profile.row["net_gex"], rel=1e-9)
    assert found["profile"]["level"].tolist() == told.profile.level.tolist()
    assert set(figures(profile(lake, "MKT", day))) == {"profile"}
    assert len(drawn.data) > 2
    rebuild(lake, "MKT")
    beside = cross_section(lake)
    names = figures(beside)["names"].data[0]
    last = beside.names[beside.names["session"] == beside.names["session"].max()]
    assert list(names.y) == pytest.approx(last["net_to_gross"].tolist(), rel=1e-5)
    changed = diff(lake, "MKT", DEFAULT, DEFAULT, dealers=("naive", "inverted"))
    assert len(frames(changed)["rows"]) == changed.changed == 6
    assert len(figures(changed)["changes"].data) == 2


def test_what_has_no_rows_and_what_is_no_result(config: Path) -> None:
    checked = leakcheck(config, cuts=2)
    assert frames(checked)["summary"]["checked"].tolist() == [checked.checked]
    assert len(frames(checked)["leaks"]) == 0
    with pytest.raises(ConfigError, match="nothing is drawn of LeakResult"):
        figures(checked)
    with pytest.raises(ConfigError, match="expected a result of gexlab"):
        frames("results.json")


def test_every_field_of_a_result_is_in_a_frame() -> None:
    @dataclass(frozen=True)
    class Inner:
        value: float
        rows: tuple[int, ...]

    @dataclass(frozen=True)
    class Outer:
        name: str
        inner: Inner
        by_name: dict[str, Inner]
        lists: dict[str, tuple[Inner, ...]]
        series: pd.Series[float]
        matrix: np.ndarray[Any, Any]
        nothing: None = None

    one = Inner(1.5, (1, 2))
    found = frames(
        Outer("x", one, {"a": one}, {"b": (one, one)}, pd.Series([1.0], name="s"), np.eye(2))
    )
    assert found["summary"].to_dict("records") == [{"name": "x", "nothing": None}]
    assert found["inner"]["value"].tolist() == [1.5]
    assert found["inner.rows"]["value"].tolist() == [1, 2]
    assert found["by_name"].to_dict("records") == [{"name": "a", "value": 1.5, "rows": (1, 2)}]
    assert found["lists"]["name"].tolist() == ["b", "b"]
    assert found["series"]["s"].tolist() == [1.0]
    assert found["matrix"].shape == (2, 2)
