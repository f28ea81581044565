"""Time of every hypothesis on 15 years of daily data, and who spends it.

The market is simulated (world S0 without chains, 3,780 sessions), so that everybody can run it.
Prints the wall-clock time of ``run_hypotheses`` over all names with corrections, and the share of
the time inside functions of gexlab, of each library, and of Python itself.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd

from gexlab.backtest.hypotheses.protocol import Dataset, Settings
from gexlab.backtest.hypotheses.registry import hypothesis_names
from gexlab.backtest.hypotheses.run import run_hypotheses
from gexlab.backtest.statistics.intraday import IntradayGrid
from gexlab.data.simulate import PathMarket, simulate_path

LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "arch", "numba")


SETTINGS = Settings()


def _dataset(market: PathMarket) -> Dataset:
    gamma = market.gamma()
    prices = np.log(np.concatenate([market.bars[:, :1, 0], market.bars[:, :, 3]], axis=1))
    net, gross = gamma["net_gex"], gamma["gross_gex"]
    return Dataset(
        bars=market.daily(),
        gex=net,
        vix=100.0 * gamma["iv"],
        intraday=IntradayGrid(market.sessions, market.minutes, prices),
        legs=pd.DataFrame({"call": (gross + net) / 2.0, "put": (gross - net) / 2.0}),
        simulated=True,
    )


def _owner(file: str, function: str) -> str:
    for name in LIBRARIES:
        if f"/{name}/" in file or f"{name}." in function:
            return name
    if any(f"/{folder}/" in file for folder in ("backtest", "data", "strategies")):
        return "gexlab"
    return "Python and C" if file == "~" else "Python's library"


def main() -> None:
    market = simulate_path("S0", sessions=3_780, seed=1, minutes=30, start=date(2010, 1, 4))
    dataset = _dataset(market)
    run_hypotheses(hypothesis_names(), dataset, SETTINGS)  # imports, compilation
    started = time.perf_counter()
    results = run_hypotheses(hypothesis_names(), dataset, SETTINGS, correct=True)
    seconds = time.perf_counter() - started
    profile = cProfile.Profile()
    profile.runcall(run_hypotheses, hypothesis_names(), dataset, SETTINGS, correct=True)
    spent: Counter[str] = Counter()
    for (file, _, function), numbers in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[_owner(file, function)] += numbers[2]
    total = sum(spent.values())
    print(f"{len(results)} hypotheses, {len(dataset.bars):,} sessions: {seconds:.1f} s")
    for result in sorted(results, key=lambda r: -r.seconds)[:6]:
        print(f"  {result.card.name:24s} {result.seconds:6.2f} s  {result.verdict[:50]}")
    print("share of the time by owner of the function:")
    for owner, part in spent.most_common():
        print(f"  {owner:24s} {100 * part / total:5.1f} %")


if __name__ == "__main__":
    main()
