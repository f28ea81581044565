"""A grid against bare calls of the engine on prepared arrays, in one process.

``python tests/bench/bench_grid.py [TRIALS] [SESSIONS]``: 10,000 trials x 2,500 sessions unless
stated. Deciding, simulating and point metrics of the grid are held against ``from_orders`` and
``value`` of vectorbt in chunks of as many columns; then the whole of ``gexlab grid`` with
intervals, files and page. Times are of the processor, so that a busy machine
counts alike for both; numbers are compared before they are printed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.backtest.execution.costs import FREE
from gexlab.backtest.execution.measures import Track, metrics_of
from gexlab.backtest.grid.columns import Ground, books_of, ground_of, planned
from gexlab.backtest.grid.documents import write_grid
from gexlab.backtest.grid.grid import CHUNK, run_grid
from gexlab.backtest.grid.space import space_of
from gexlab.backtest.grid.store import Store
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.panel import market_panel
from gexlab.backtest.statistics.sharpe_intervals import ReturnIntervals
from gexlab.data.calendar.trading import trading_calendar
from gexlab.reports.page.grid_page import write_grid_page

Floats = npt.NDArray[np.float64]
CASH = 1_000_000.0
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


def _bare(targets: list[Floats], ground: Ground) -> tuple[float, list[Floats]]:
    """Return the seconds and the equity of bare calls on prepared arrays."""
    import vectorbt

    price = ground.bars["open"].to_numpy(dtype=float)[:, None]
    close = [np.repeat(ground.bars["close"].to_numpy()[:, None], t.shape[1], 1) for t in targets]
    frames = [pd.DataFrame(c, index=ground.bars.index) for c in close]
    equity = []
    began = time.process_time()
    for frame, target in zip(frames, targets, strict=True):
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
        equity.append(portfolio.value().to_numpy()[-1].copy())
    return time.process_time() - began, equity


def _ours(file: Path) -> tuple[float, float, list[Floats], list[Floats], Ground]:
    """Return seconds of deciding, of all, the targets, the last equities, and the ground."""
    config = load_config(file)
    market = load_market(config)
    space = space_of(config)
    panel = market_panel(market)
    began = time.process_time()
    ground = ground_of(market, panel, "next_open")
    deciding, targets, equity = 0.0, [], []
    for first in range(0, len(space.strategies), CHUNK):
        started = time.process_time()
        orders = planned(space.strategies[first : first + CHUNK], ground)
        target = orders.target
        deciding += time.process_time() - started
        books = books_of(orders, ground, FREE, CASH)
        for i in range(target.shape[1]):
            track = Track(
                books.equity[i],
                books.returns[i],
                books.positions[i],
                books.traded[i],
                books.returns[i],
                books.traded[i],
                int(books.trades[i]),
            )
            metrics_of(track, NONE, ground.clock)
        targets.append(target)
        equity.append(books.equity[:, -1])
    return deciding, time.process_time() - began, targets, equity, ground


def _run(trials: int, sessions: int, *, dense: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        *_, small, _, where = _ours(_market(folder, 300, 120, dense=dense))
        _bare(small, where)  # both have compiled now
        file = _market(folder, sessions, trials, dense=dense)
        deciding, ours, targets, equity, ground = _ours(file)
        bare, wanted = _bare(targets, ground)
        for found, there in zip(equity, wanted, strict=True):
            np.testing.assert_allclose(found, there, rtol=1e-12)
        count = sum(t.shape[1] for t in targets)
        orders = np.mean([np.isfinite(t).sum() / t.shape[1] for t in targets])
        print(
            f"{count:,} trials x {sessions:,} sessions, {orders:,.0f} orders each: "
            f"bare {bare:.1f} s, "
            f"ours {ours:.1f} s (deciding {deciding:.1f} s, {1e3 * deciding / count:.2f} ms a "
            f"strategy): ratio {ours / bare:.2f}"
        )
        del targets, equity
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
            f"ratio {whole / bare:.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  peak memory {peak:.2f} GB (targets of all trials for the bare calls included)")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    for kind in (True, False):
        _run(*(numbers + [10_000, 2_500][len(numbers) :]), dense=kind)
