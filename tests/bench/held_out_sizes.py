"""Size of the tests of gamma on markets that took no part in building them.

``python tests/bench/held_out_sizes.py --markets 400 --minutes 5`` goes on where the
file of results ends and stops after that long; ``--table`` prints what has been found so far.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "twin"))

from dataclasses import replace
from datetime import date

import held_out
import numpy as np
import pandas as pd

from gexlab.backtest import Resampling
from gexlab.backtest.calibration.hypotheses import path_dataset
from gexlab.backtest.calibration.worlds import MarketRun, simulate_run
from gexlab.backtest.hypotheses import Dataset, MissingDataError, Settings
from gexlab.backtest.hypotheses.cloud_statistics import STATISTICS, Many
from gexlab.backtest.hypotheses.features import daily
from gexlab.backtest.hypotheses.null_routes import against_nulls
from gexlab.backtest.statistics.rejection import wilson

TESTS = ("vol-damping", "beyond-leverage", "fragility-tail", "sign-audit", "flip-placebo")
UPPER = ("beyond-leverage", "fragility-tail")
#: Worlds of the product and strengths: what the tests were built on, and their power.
WORLDS = {"S0": ("S0", 0.0)} | {f"S1 x {s:g}": ("S1", s) for s in (0.25, 0.5, 1.0)}
EVERY = sorted([*WORLDS, *held_out.GENERATORS])
#: Seeds that no table or test used before.
FIRST_SEED = 7_000_000


def dataset_of(market: held_out.Drawn, *, named: bool = True) -> Dataset:
    """Return a market as tests are handed it; without `named` no volatility series."""
    return Dataset(
        bars=market.bars,
        gex=market.call - market.put,
        vix=market.vix if named else None,
        table=pd.DataFrame({"flip": market.flip}),
        legs=pd.DataFrame({"call": market.call, "put": market.put}),
        simulated=True,
    )


def examine(name: str, seed: int, *, named: bool, books: int, sessions: int) -> dict[str, Any]:
    """Return what books made by rules say of every test on one market.

    What a test reports is the largest of several p's, this one among them: its share of rejections
    is no larger than the one found here.
    """
    if name in WORLDS:
        data = _world(name, seed, sessions)
    else:
        data = dataset_of(held_out.draw(name, seed, sessions), named=named)
    how = Settings(resampling=Resampling(seed=seed % 100_000), surrogates=books)
    own = alone(data)
    row: dict[str, Any] = {"market": name, "seed": seed, "named": named, "books": books}
    for test in TESTS if named else ("sign-audit", "flip-placebo"):
        t = float(STATISTICS[test](own)[0])
        if not np.isfinite(t):
            continue
        try:
            found = against_nulls(test, t, data, how, upper=test in UPPER)
        except MissingDataError:
            continue
        row[test] = {"t": t, "p": found.p, "mean": found.place.mean, "sd": found.place.sd}
        row["distance"] = found.place.median
    return row


def _world(name: str, seed: int, sessions: int) -> Dataset:
    """Return a market of the product's own worlds, without its bars within the session."""
    world, strength = WORLDS[name]
    run = MarketRun(world, "visible", strength, sessions, date(2018, 1, 2))
    return replace(path_dataset(simulate_run(run, seed)), intraday=None)


def alone(data: Dataset) -> Many:
    """Return the market's own gamma as the only one of many."""
    f = daily(data)
    known = np.flatnonzero(np.isfinite(f.gex))
    every = np.ones(len(known), dtype=bool)
    assert data.legs is not None
    call, put = (data.legs[c].to_numpy()[known, None] for c in ("call", "put"))
    return Many(f, known, every, f.gex[known, None], f.gex_rank[known, None], call, put, every)


def work(file: Path, markets: range, minutes: float, names: list[str], *, named: bool) -> None:
    """Go on until all markets are there or the time is up; one line a market."""
    done = set()
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done.add((row["market"], row["seed"], row["named"]))
    stop = time.monotonic() + 60.0 * minutes
    with file.open("a", encoding="utf-8") as stream:
        for k in markets:
            for name in names:
                if (name, FIRST_SEED + k, named) in done:
                    continue
                if time.monotonic() > stop:
                    return
                row = examine(name, FIRST_SEED + k, named=named, books=99, sessions=1_500)
                stream.write(json.dumps(row) + "\n")
                stream.flush()


def table(file: Path) -> str:
    """Return shares with their Wilson intervals as Markdown."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    out = [
        "| market | volatility | test | markets | **p <= .05** | median distance of books |",
        "|---|---|---|---|---|---|",
    ]
    for name in (*WORLDS, *held_out.GENERATORS):
        for named in (True, False):
            chosen = [r for r in rows if r["market"] == name and r["named"] == named]
            for test in TESTS:
                found = [r[test]["p"] for r in chosen if test in r]
                if not found:
                    continue
                s = wilson(sum(p <= 0.05 for p in found), len(found))
                share = f"**{100 * s.share:.1f} ({100 * s.low:.1f} to {100 * s.high:.1f})**"
                far = np.median([r["distance"] for r in chosen if test in r])
                word = "implied" if named else "past returns"
                out.append(f"| {name} | {word} | `{test}` | {len(found)} | {share} | {far:.2f} |")
    return "\n".join(out)


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("held_out.jsonl"))
    parser.add_argument("--markets", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--skip", type=int, default=0, help="markets that another run does")
    parser.add_argument("--only", action="append", choices=EVERY)
    parser.add_argument("--unnamed", action="store_true", help="without a volatility series")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        names = given.only or list(held_out.GENERATORS)
        work(
            given.file,
            range(given.skip, given.markets),
            given.minutes,
            names,
            named=not given.unnamed,
        )
    print(table(given.file))


if __name__ == "__main__":
    main()
