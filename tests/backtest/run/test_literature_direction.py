"""The direction table of the literature, from decisions of the built-in components."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from gexlab.backtest.execution.costs import FREE
from gexlab.backtest.execution.performance import Trading, trade
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.strategies import strategies_named

NAMES: Final = ("fade-long-follow-short", "always-fade", "buy-and-hold")
#: Gross Sharpe ratios from 2012-04-30 on, of log returns: sign rule, always fade, hold.
PUBLISHED: Final = {
    ("SPX", "same_close"): (-0.11, 0.42, 0.69),
    ("SPX", "next_open"): (0.19, 0.42, 0.77),
    ("SPX", "next_close"): (0.09, 0.03, 0.68),
    ("SPY", "same_close"): (-0.23, 0.32, 0.69),
    ("SPY", "next_open"): (-0.10, -0.04, 0.72),
    ("SPY", "next_close"): (0.11, -0.06, 0.68),
}


def _sharpes(trading: Trading, prices: str, decided: int) -> list[float]:
    """Return Sharpe ratios of targets times log returns; `decided`: rows back to the decision."""
    level = np.log(trading.bars[prices].to_numpy())
    found = []
    for plan in trading.plans:
        target = plan.wanted
        # the target that fills at a row earns from it to the next, or, unlagged, a row earlier
        earned = (
            target[decided : decided + len(level) - 1] * np.diff(level)[: len(target) - decided]
        )
        earned = earned[np.isfinite(earned)]
        found.append(float(earned.mean() / earned.std(ddof=1) * np.sqrt(252.0)))
    return found


@pytest.mark.parametrize("root", ["SPX", "SPY"])
def test_the_direction_table_to_the_printed_digit(shared_data: Path, root: str) -> None:
    bars = shared_data / "bars" / "spx_spy_qqq_vix_daily_1995_2026.parquet"
    gex = shared_data / "series" / "squeezemetrics_dix_gex.parquet"
    document: dict[str, Any] = {
        "data": {
            "underlying": root, "bars": str(bars), "bars_where": {"root": root},
            "bars_columns": {"session": "Date"}, "start": "2012-04-30",
        },
        "regime": {
            "source": "series",
            "series": {
                "path": str(gex), "columns": {"session": "date", "value": "gex"},
                "known": "next_open",
            },
        },
    }  # fmt: skip
    market = load_market(parse_config(document, "."))
    found = {}
    for fill in ("next_open", "next_close"):
        trading = trade(market, strategies_named(*NAMES), fill, FREE, 1e6)
        found[fill] = _sharpes(trading, "open" if fill == "next_open" else "close", 0)
        # for reference only: at the close of the decision itself, which the engine refuses
        found["same_close"] = _sharpes(trading, "close", 1)
    for fill, values in found.items():
        assert tuple(round(value, 2) for value in values) == PUBLISHED[root, fill], fill
