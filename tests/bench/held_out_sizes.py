"""Size and power of every hypothesis on markets that took no part in building it.

``python tests/bench/held_out_sizes.py --kind daily --markets 400 --minutes 5`` goes on where the
file of results ends and stops after that long; ``--table`` prints what has been found so far.

A row of the file is one market with what each test reports: t, p and the verdict, all of its own
conditions included. Books made by rules are drawn as a user's are, 99 of them; the worst simulated
market is left out for its cost, and could only make p larger.
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
import held_out_intraday
import numpy as np
import pandas as pd

from gexlab.backtest import Resampling
from gexlab.backtest.calibration.hypotheses import path_dataset
from gexlab.backtest.calibration.worlds import MarketRun, simulate_run
from gexlab.backtest.hypotheses import Dataset, MissingDataError, Settings
from gexlab.backtest.hypotheses.registry import hypothesis
from gexlab.backtest.statistics.intraday import IntradayGrid
from gexlab.backtest.statistics.rejection import wilson
from gexlab.data import NotEnoughDataError

BOOKS = 99
START = date(2018, 12, 3)  # of the product's worlds
#: Tests that daily bars, gamma by leg, flips and strikes are enough for.
DAILY = (
    "vol-damping", "beyond-leverage", "fragility-tail", "sign-audit", "flip-placebo", "era-split",
    "fade-follow", "pin-distance",
)  # fmt: skip
WITHOUT_VIX = ("sign-audit", "flip-placebo")
#: Those that need bars within the session, or what chains say at them; on 250 sessions.
BARS = (
    "momentum-split", "momentum-interaction", "close-reversal", "autocorr-regime", "expiry-did",
    "letf-rebalance", "vendor-parity", "screenshot-vs-dynamic", "pin-distance",
)  # fmt: skip
#: Worlds of the product and strengths: what the tests were built on, and their power.
WORLDS = {
    "S0": ("S0", 0.0),
    **{f"S1 x {s:g}": ("S1", s) for s in (0.25, 0.5, 1.0)},
    **{f"{w} x {s:g}": (w, s) for w in ("S2", "S3") for s in (0.25, 0.5)},
}
#: The generators of the table. `egarch` was seen while the family of books was widened, and
#: `heston-jumps` is there for whoever wants a fifth.
HELD_OUT = ("gjr-t", "sv-leverage", "switching", "rough")
KINDS = {
    "daily": "1,500 sessions, daily",
    "unnamed": "1,500 sessions, without a volatility series",
    "bars": "250 sessions with chains and five-minute bars",
}
TESTS = {"daily": DAILY, "unnamed": WITHOUT_VIX, "bars": BARS}
#: Between which the page has the tables.
MARKS = ("<!-- held out: begin -->", "<!-- held out: end -->")
EVERY = sorted([*WORLDS, *held_out.GENERATORS])
#: Seeds that no table or test used before.
FIRST_SEED = {"daily": 8_100_000, "unnamed": 8_300_000, "bars": 8_400_000}


def daily_dataset(market: held_out.Drawn, *, named: bool = True) -> Dataset:
    """Return a market as tests are handed it; without `named` no volatility series."""
    return Dataset(
        bars=market.bars,
        gex=market.call - market.put,
        vix=market.vix if named else None,
        table=pd.DataFrame({"flip": market.flip}),
        legs=pd.DataFrame({"call": market.call, "put": market.put}),
        strike_step=held_out.GRID,
        simulated=True,
    )


def bars_dataset(market: held_out_intraday.DrawnBars) -> Dataset:
    """Return a market with bars within the session, a second vendor and leveraged funds."""
    days = market.bars.index.to_numpy().astype("datetime64[D]")
    return Dataset(
        bars=market.bars,
        gex=market.call - market.put,
        vix=market.vix,
        intraday=IntradayGrid(days, 5, market.log_prices),
        table=market.pin,
        legs=pd.DataFrame({"call": market.call, "put": market.put}),
        other_gex=market.other,
        letf=market.funds,
        frozen=market.frozen,
        dynamic=market.dynamic,
        strike_step=held_out.GRID,
        simulated=True,
    )


def drawn(name: str, seed: int, kind: str) -> tuple[Dataset, tuple[str, ...]]:
    """Return a market and the tests that it is for."""
    if name in WORLDS:
        world, strength = WORLDS[name]
        data = path_dataset(simulate_run(MarketRun(world, "visible", strength, 1_500, START), seed))
        if kind == "bars":
            return data, BARS
        data = replace(data, intraday=None)
        return (data, DAILY) if kind == "daily" else (replace(data, vix=None), WITHOUT_VIX)
    if kind == "bars":
        return bars_dataset(held_out_intraday.draw_bars(name, seed, 250)), BARS
    market = held_out.draw(name, seed, 1_500)
    if kind == "daily":
        return daily_dataset(market), DAILY
    return daily_dataset(market, named=False), WITHOUT_VIX


def examine(name: str, seed: int, kind: str) -> dict[str, Any]:
    """Return what every test reports on one market."""
    began = time.process_time()
    data, tests = drawn(name, seed, kind)
    how = Settings(resampling=Resampling(replications=199, seed=seed % 100_000), surrogates=BOOKS)
    row: dict[str, Any] = {"kind": kind, "market": name, "seed": seed, "tests": {}, "lacks": {}}
    for test in tests:
        try:
            found = hypothesis(test).run(data, how)
        except (MissingDataError, NotEnoughDataError, np.linalg.LinAlgError) as error:
            row["lacks"][test] = str(error)[:80]
            continue
        one = {"t": found.t_stat, "p": found.p_value, "supported": bool(found.supported)}
        if found.evidence is not None:
            place = found.evidence.place
            one |= {"books": place.p, "mean": place.mean, "sd": place.sd}
            row["distance"] = place.median
        row["tests"][test] = one
    row["seconds"] = round(time.process_time() - began, 2)
    return row


def work(file: Path, markets: range, minutes: float, names: list[str], kind: str) -> None:
    """Go on until all markets are there or the time is up; one line a market, makes in turn."""
    done = {(r["kind"], r["market"], r["seed"]) for r in read(file)}
    stop = time.monotonic() + 60.0 * minutes
    with file.open("a", encoding="utf-8") as stream:
        for k in markets:
            for name in names:
                if (kind, name, FIRST_SEED[kind] + k) in done:
                    continue
                if time.monotonic() > stop:
                    return
                stream.write(json.dumps(examine(name, FIRST_SEED[kind] + k, kind)) + "\n")
                stream.flush()


def read(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of results; none where there is no file."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _share(hits: int, n: int) -> str:
    s = wilson(hits, n)
    return f"{100 * s.share:.1f} ({100 * max(s.low, 0.0):.1f} to {100 * s.high:.1f})"


def _cells(rows: list[dict[str, Any]], test: str) -> tuple[str, str, str]:
    found = [r["tests"][test] for r in rows if test in r["tests"]]
    if not found:
        return "0", "–", "–"
    low = sum(one["p"] <= 0.05 for one in found)  # an undefined p rejects nothing
    return (
        str(len(found)),
        _share(low, len(found)),
        _share(sum(one["supported"] for one in found), len(found)),
    )


def table(file: Path) -> str:
    """Return what stands in docs/calibration.md: every test on every market, and all together."""
    rows = read(file)
    out: list[str] = []
    for kind, title in KINDS.items():
        chosen = [r for r in rows if r["kind"] == kind]
        names = [
            n for n in (*held_out.GENERATORS, *WORLDS) if any(r["market"] == n for r in chosen)
        ]
        if not names:
            continue
        out += [f"### {title}", "", "| test | market | n | **p <= .05** | **supported** |"]
        out.append("|---|---|---|---|---|")
        for test in (t for t in TESTS[kind] if any(t in r["tests"] for r in chosen)):
            every = [r for r in chosen if r["market"] in HELD_OUT]
            for name, some in [*((n, [r for r in chosen if r["market"] == n]) for n in names),
                               ("**all held out**", every)]:  # fmt: skip
                n, low, supported = _cells(some, test)
                if n != "0":
                    out.append(f"| `{test}` | {name} | {n} | {low} | {supported} |")
        out.append("")
    return "\n".join(out)


def publish(file: Path, page: Path) -> None:
    """Put the tables between the page's marks."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    page.write_text(before + MARKS[0] + "\n" + table(file) + MARKS[1] + after, encoding="utf-8")


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("held_out.jsonl"))
    parser.add_argument("--kind", choices=tuple(KINDS), default="daily")
    parser.add_argument("--markets", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--skip", type=int, default=0, help="markets that another run does")
    parser.add_argument("--only", action="append", choices=EVERY)
    parser.add_argument("--table", action="store_true", help="print what has been found so far")
    parser.add_argument("--out", type=Path, help="page whose tables are replaced")
    given = parser.parse_args()
    if not given.table and given.out is None:
        markets = range(given.skip, given.markets)
        work(given.file, markets, given.minutes, given.only or list(HELD_OUT), given.kind)
    if given.out is not None:
        publish(given.file, given.out)
    else:
        print(table(given.file))


if __name__ == "__main__":
    main()
