"""A small market in files, written anew for each test that wants one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.data.calendar.trading import trading_calendar

MakeMarket = Callable[..., Path]

CONFIG = """
[data]
underlying = "SPX"
instrument = "{instrument}"
bars = "bars.parquet"

[regime]
source = "series"

[regime.series]
path = "gex.parquet"
known = "{known}"

[execution]
{execution}

[series]
vix = {{ path = "vix.parquet", known = "close" }}

[inference]
bootstrap = 200
{strategies}
"""


def write_market(
    folder: Path,
    *,
    sessions: int = 400,
    seed: int = 1,
    instrument: str = "etf",
    known: str = "next_open",
    execution: str = "",
    strategies: str = "",
    shift: int = 0,
) -> Path:
    """Write bars, a regime series and VIX, and return the path of the configuration.

    The regime follows past returns, as real ones do; with ``shift`` it is dated that many
    sessions too early.
    """
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2019-01-02").date())
    days = calendar.sessions[first : first + sessions].astype("datetime64[ns]")
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0003, 0.01, sessions)
    close = 100.0 * np.cumprod(1.0 + returns)
    opens = np.append(100.0, close[:-1]) * (1.0 + rng.normal(0.0, 0.003, sessions))
    high = np.maximum(opens, close) * (1.0 + np.abs(rng.normal(0.0, 0.004, sessions)))
    low = np.minimum(opens, close) * (1.0 - np.abs(rng.normal(0.0, 0.004, sessions)))
    bars = pd.DataFrame({"session": days, "open": opens, "high": high, "low": low, "close": close})
    memory = pd.Series(returns).ewm(halflife=5).mean().to_numpy()
    value = 1e9 * (memory / 0.003 + 0.3 + 0.2 * rng.normal(size=sessions))
    gex = pd.DataFrame({"session": days, "value": value})
    gex["value"] = gex["value"].shift(-shift)
    vix = pd.DataFrame({"session": days, "value": 15.0 - 300.0 * memory})
    for name, frame in (("bars", bars), ("gex", gex), ("vix", vix)):
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    file = folder / "run.toml"
    text = CONFIG.format(
        instrument=instrument, known=known, execution=execution, strategies=strategies
    )
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def make_market(tmp_path: Path) -> MakeMarket:
    """Return a function that writes a market into the test's own folder."""

    def make(**changes: object) -> Path:
        return write_market(tmp_path, **changes)  # type: ignore[arg-type]

    return make
