"""What makes two trials two: whatever of the regime, series or execution they depend on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Made
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.trials import trial_settings
from gexlab.backtest.tournament.arena import reads_options
from gexlab.strategies import Strategy, columns_read, component_names, make_component, make_strategy

REGIMES = (
    {"dealer_model": "naive", "book": "post_expiry"},
    {"dealer_model": "inverted", "book": "post_expiry"},
    {"dealer_model": "naive", "book": "as_of_close"},
    {"dealer_model": "naive", "book": "post_expiry", "band": 0.05},
)


def _id(strategy: Strategy, regime: dict[str, Any], market: Any) -> str:
    data = {"underlying": "SPX", "bars": "b.parquet", "lake": "lake"}
    named = {name: {"path": "v.parquet", "known": "close"} for name in ("vix", "vix_futures")}
    document = {"data": data, "regime": regime, "series": named}
    return trial_settings(parse_config(document, Path()), market, strategy)[0]


def _market(**regime: Any) -> Any:
    days = pd.date_range("2024-01-02", periods=30, freq="B", name="session")
    values = pd.DataFrame({"value": np.arange(30.0)}, index=days)
    made = {"kind": "lake", "definition_id": "d0", "table": values} | regime
    return Made(regime=Made(**made), series={"vix": values, "vix_futures": values})


@pytest.mark.parametrize("name", component_names("filter"))
def test_a_filter_of_options_is_another_trial_under_another_regime(name: str) -> None:
    made = make_component("filter", name)
    strategy = make_strategy("s", filter=made, long="hold", short="flat")
    found = {_id(strategy, regime, _market()) for regime in REGIMES}
    found.add(_id(strategy, REGIMES[0], _market(definition_id="d1")))
    if any(column.startswith("bar.net") for column in columns_read(made)):
        assert len(found) == 4  # what lies in front of the session, whatever the book
    else:
        assert len(found) == (5 if reads_options(made) else 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"filter": "always", "long": "wall-breakout", "short": "flat"},
        {"filter": "always", "long": "hold", "short": "flat", "sizing": "strength"},
        {"filter": {"name": "all", "of": ["trend", "flip-side"]}, "long": "hold", "short": "flat"},
    ],
)
def test_rules_sizings_and_parts_count_likewise(settings: dict[str, Any]) -> None:
    strategy = make_strategy("s", **settings)
    assert len({_id(strategy, regime, _market()) for regime in REGIMES}) == len(REGIMES)


def test_the_sign_of_another_series_is_another_trial() -> None:
    """The main strategy: one published series, or another, or the same a day longer."""
    days = pd.date_range("2024-01-02", periods=31, freq="B", name="session")
    one = pd.DataFrame({"value": np.arange(31.0)}, index=days)
    regime = {"source": "series", "series": {"path": "g.parquet", "known": "close"}}
    ids = [
        _id(make_strategy("fade-long-follow-short"), regime, _market(kind="series", table=table))
        for table in (one, one.iloc[:30], one + 1.0)
    ]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]
