"""A grid against bare calls of the engine on prepared arrays, in one process.

``python tests/bench/bench_grid.py [TRIALS] [SESSIONS]``: 10,000 trials x 2,500 sessions unless
stated. Deciding, simulating and point metrics of the grid are held against ``from_orders`` and
``value`` of vectorbt in chunks of 500 columns, and against one trial in an event-driven backtester
where its environment is there (``make bench-env``); the same on two cores, then the whole of
``gexlab grid`` with intervals, files and page. Times are of the processor unless stated, so that a
busy machine counts alike for both; numbers are compared before they are printed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.backtest.execution.costs import FREE
from gexlab.backtest.execution.measures import metrics_of_each
from gexlab.backtest.grid.columns import (
    Ground,
    books_of,
    ground_of,
    planned,
    tracks_of,
)
from gexlab.backtest.grid.documents import write_grid
from gexlab.backtest.grid.grid import CHUNK, run_grid
from gexlab.backtest.grid.space import space_of
from gexlab.backtest.grid.store import Store
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.panel import market_panel
from gexlab.backtest.run.strategy_results import Metrics
from gexlab.backtest.statistics.sharpe_intervals import ReturnIntervals
from gexlab.data import Crew, Workers, silent
from gexlab.data.calendar.trading import trading_calendar
from gexlab.reports.page.grid_page import write_grid_page
from gexlab.strategies import Strategy

Floats = npt.NDArray[np.float64]
CASH = 1_000_000.0
#: Columns of one bare call.
COLUMNS = 500
#: Python of the environment that has the event-driven backtester.
APART = Path(__file__).resolve().parents[2] / ".venv-bench" / "bin" / "python"
#: Share of a target that is traded there: it refuses an order for the last cent.
SHARE = 0.95
NONE = ReturnIntervals((0.0, 0.0), (0.0, 0.0), 0.0)

CONFIG = """
[data]
underlying = "SPX"
instrument = "etf"
bars = "bars.parquet"

[regime]
source = "series"

[regime.series]
path = "gex.parquet"
known = "next_open"

[grid]
filters = [
  {{ name = "percentile", window = {windows}, enter = [0.6, 0.7, 0.8, 0.9], exit = [0.5, 0.55] }},
  {{ name = "z-score", window = {windows}, level = [0.25, 0.5, 0.75, 1.0] }},
]
rules = [{{ long = {{ rule = "{rule}", lookback = {lookbacks} }}, short = "{other}" }}]
"""


def _market(folder: Path, sessions: int, trials: int, *, dense: bool) -> Path:
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2012-01-03").date())
    days = calendar.sessions[first : first + sessions].astype("datetime64[ns]")
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, sessions)))
    opens = np.append(100.0, close[:-1]) * np.exp(rng.normal(0.0, 0.003, sessions))
    high, low = np.maximum(opens, close) * 1.004, np.minimum(opens, close) * 0.996
    frame = {"session": days, "open": opens, "high": high, "low": low, "close": close}
    pd.DataFrame(frame).to_parquet(folder / "bars.parquet", index=False)
    value = pd.Series(rng.normal(0.0, 1.0, sessions)).ewm(halflife=10).mean()
    gex = pd.DataFrame({"session": days, "value": 1e9 * value})
    gex.to_parquet(folder / "gex.parquet", index=False)
    windows = [20 + 5 * i for i in range(max(1, round(trials / 12 / 10)))]
    lookbacks = list(range(1, 11))
    text = CONFIG.format(
        windows=windows,
        lookbacks=lookbacks,
        rule="fade" if dense else "hold",
        other="follow" if dense else "flat",
    )
    if not dense:
        long = '[{ rule = "breakout", sessions = ' + str(lookbacks) + " }]"
        text = text.replace(f'{{ rule = "hold", lookback = {lookbacks} }}', long)
    file = folder / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _bare(target: Floats, ground: Ground) -> tuple[float, Floats]:
    """Return the seconds and the last equity of bare calls on prepared arrays."""
    import vectorbt

    price = ground.bars["open"].to_numpy(dtype=float)[:, None]
    close = np.repeat(ground.bars["close"].to_numpy()[:, None], target.shape[1], 1)
    frame = pd.DataFrame(close, index=ground.bars.index)
    began = time.process_time()
    portfolio = vectorbt.Portfolio.from_orders(
        frame,
        size=target,
        size_type="targetpercent",
        direction="both",
        price=price,
        val_price=np.inf,
        init_cash=CASH,
        freq="1D",
        engine="rust",
    )
    value = portfolio.value()
    return time.process_time() - began, value.to_numpy()[-1].copy()


@dataclass(slots=True)
class Seconds:
    """What deciding, all of ours, and the bare calls took."""

    deciding: float = 0.0
    ours: float = 0.0
    bare: float = 0.0
    orders: int = 0


def _ours(
    strategies: Sequence[Strategy], ground: Ground, spent: Seconds
) -> list[tuple[Floats, Floats]]:
    """Decide, simulate and measure."""
    kept = []
    for first in range(0, len(strategies), CHUNK):
        began = time.process_time()
        orders = planned(strategies[first : first + CHUNK], ground)
        decided = time.process_time()
        books = books_of(orders, ground, FREE, CASH)
        metrics_of_each(tracks_of(books, books), [NONE] * len(books.trades), ground.clock)
        spent.deciding += decided - began
        spent.ours += time.process_time() - began
        kept.append((orders.target, books.equity[:, -1].copy()))
    return kept


def _both(file: Path) -> tuple[Seconds, int, Floats]:
    """Time ours and the bare calls side by side, columns after columns; return one of them too."""
    config = load_config(file)
    market = load_market(config)
    space = space_of(config)
    panel = market_panel(market)
    spent = Seconds()
    began = time.process_time()
    ground = ground_of(market, panel, "next_open")
    spent.ours = time.process_time() - began
    for first in range(0, len(space.strategies), COLUMNS):
        kept = _ours(space.strategies[first : first + COLUMNS], ground, spent)
        target = np.ascontiguousarray(np.concatenate([t for t, _ in kept], axis=1))
        spent.orders += int(np.isfinite(target).sum())
        found = np.concatenate([equity for _, equity in kept])
        del kept
        seconds, wanted = _bare(target, ground)
        spent.bare += seconds
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    return spent, len(space.strategies), target[:, -1:]


def _event_driven(file: Path, one: Floats, each: float) -> str:
    """Say how long one trial takes in an event-driven backtester, whose equity must be ours.

    `each` is how many seconds one takes here.
    """
    if not APART.exists():
        return "not measured, it has no environment here (make bench-env)"
    market = load_market(load_config(file))
    ground = ground_of(market, market_panel(market), "next_open")
    one, table = SHARE * one, file.with_name("one.csv")
    bars = ground.bars[["open", "high", "low", "close"]].assign(target=one[:, 0])
    bars.to_csv(table, index_label="session", date_format="%Y-%m-%d")
    command = [str(APART), str(Path(__file__).with_name("event_driven.py")), str(table)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(said)
    np.testing.assert_allclose(found["value"], _bare(one, ground)[1], rtol=1e-9)
    return (
        f"backtrader {found['version']} {found['seconds']:.2f} s with "
        f"{int(np.isfinite(one).sum()):,} orders: ratio {found['seconds'] / each:,.0f}"
    )


def _prepare(file: str, dask_worker: Any = None) -> None:
    """Read the market in a worker and compile there, once."""
    config = load_config(file)
    market = load_market(config)
    ground = ground_of(market, market_panel(market), "next_open")
    dask_worker.strategies, dask_worker.ground = space_of(config).strategies, ground
    # what is evaluated here is thrown away: only code is warm
    small = ground_of(market, market_panel(market), "next_open")
    _ours(dask_worker.strategies[:2], small, Seconds())


def _piece(first: int) -> tuple[int, float, list[Metrics]]:
    """Decide, simulate and measure some trials in a worker; return who, how long and what."""
    from distributed import get_worker

    worker: Any = get_worker()
    began = time.process_time()
    orders = planned(worker.strategies[first : first + CHUNK], worker.ground)
    books = books_of(orders, worker.ground, FREE, CASH)
    none = [NONE] * len(books.trades)
    figures = metrics_of_each(tracks_of(books, books), none, worker.ground.clock)
    return os.getpid(), time.process_time() - began, figures


def _on_two(file: Path, count: int) -> tuple[float, float]:
    """Return seconds by the clock, and of the busier of two processes that have read and compiled.

    The first says nothing on a machine that does other things at the same time.
    """
    with Crew(Workers(2)) as crew:
        client = crew._connected(silent, 0)
        client.run(_prepare, str(file))
        began = time.perf_counter()
        found = list(crew.spread(_piece, range(0, count, CHUNK)))
        clock = time.perf_counter() - began
    assert sum(len(figures) for *_, figures in found) == count
    busy: dict[int, float] = {}
    for process, seconds, _ in found:
        busy[process] = busy.get(process, 0.0) + seconds
    return clock, max(busy.values())


def _run(trials: int, sessions: int, *, dense: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _both(_market(folder, 300, 120, dense=dense))  # both have compiled now
        file = _market(folder, sessions, trials, dense=dense)
        spent, count, one = _both(file)
        print(
            f"{count:,} trials x {sessions:,} sessions, {spent.orders / count:,.0f} orders each: "
            f"bare {spent.bare:.1f} s, ours {spent.ours:.1f} s (deciding {spent.deciding:.1f} s, "
            f"{1e3 * spent.deciding / count:.2f} ms a strategy): "
            f"ratio {spent.ours / spent.bare:.2f}"
        )
        each = spent.ours / count
        print(f"  one trial in an event-driven backtester: {_event_driven(file, one, each)}")
        clock, busier = _on_two(file, count)
        print(
            f"  on two cores: {clock:.1f} s by the clock, {busier:.1f} s the busier process: "
            f"ratios {clock / spent.bare:.2f}, {busier / spent.bare:.2f}"
        )
        out = folder / "out"
        out.mkdir()
        began = time.process_time()
        result = run_grid(load_config(file), Store(out))
        write_grid(result, out)
        write_grid_page(result, out / "grid.html")
        whole = time.process_time() - began
        size = (out / "grid.html").stat().st_size / 1e6
        print(
            f"  whole grid with intervals, files and page ({size:.0f} MB): {whole:.1f} s, "
            f"ratio {whole / spent.bare:.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  peak memory {peak:.2f} GB, bare calls included")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    for kind in (True, False):
        _run(*(numbers + [10_000, 2_500][len(numbers) :]), dense=kind)
