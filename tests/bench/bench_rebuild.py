"""How fast a rebuild is: against a plain scan, and against repricing with numpy.

All ratios are measured in one run. ``--sessions`` and ``--contracts`` set the size of the lake,
which is generated beside the results and kept for the next run.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from make_lake import forget_rebuilt, make_lake, session_tables
from scipy.stats import norm

from gexlab.data.lake.connection import connect
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.writer import lake_writer

SCAN = """
SELECT max(session), sum(epoch_us(quote_ts)), sum(epoch_us(known_at)), max(expiry),
    sum(epoch_us(expiry_ts)), max(settlement), max("right"), sum(strike), sum(open_interest),
    sum(bid), sum(ask), sum(iv), sum(spot), sum(multiplier), max(oi_asof), max(source), max("last")
FROM read_parquet($files)
"""


def scan_seconds(lake: Lake) -> float:
    """Return the best of three plain scans of the columns that a rebuild needs."""
    files = [str(f) for f in lake.chain_files("SPX")]
    times = []
    with connect(lake) as connection:
        for _ in range(3):
            began = time.perf_counter()
            connection.execute(SCAN, {"files": files}).fetchall()
            times.append(time.perf_counter() - began)
    return min(times)


def rebuild_in_child(lake: Path, *, side_tables: bool, fresh: bool = True) -> dict[str, float]:
    """Rebuild one book in a process of its own; return seconds, start-up included and peak MB."""
    if fresh:
        forget_rebuilt(lake)
    code = (
        "import json, resource, sys; from gexlab.data import rebuild;"
        f"r = rebuild({str(lake)!r}, 'SPX', books=('post_expiry',), side_tables={side_tables});"
        "print(json.dumps({'seconds': r.seconds, 'rebuilt': r.rebuilt,"
        " 'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer | {"wall": time.perf_counter() - began}


def best_of_three(lake: Path, *, side_tables: bool) -> dict[str, float]:
    """Return the fastest of three whole rebuilds, as the scan's is; memory is the largest."""
    runs = [rebuild_in_child(lake, side_tables=side_tables) for _ in range(3)]
    fastest = min(runs, key=lambda run: run["seconds"])
    return fastest | {"peak_mb": max(run["peak_mb"] for run in runs)}


def numpy_seconds_per_session(lake: Lake, reprice: Any, sample: int = 5) -> float:
    """Return the time that one session's profile takes when numpy reprices it on 401 levels."""
    entries = lake.sessions("SPX")
    picked = [entries[i] for i in np.linspace(0, len(entries) - 1, sample).astype(int)]
    times = []
    for entry in picked:
        rows = pq.read_table(
            entry.file,
            columns=["strike", "right", "open_interest", "iv", "spot", "expiry_ts", "quote_ts"],
            filters=[("session", "=", entry.session)],
        ).to_pandas()
        rows = rows[rows["expiry_ts"] > rows["quote_ts"]]
        years = (rows["expiry_ts"] - rows["quote_ts"]).dt.total_seconds().to_numpy() / 31_536_000
        strike, interest, iv = (rows[c].to_numpy(float) for c in ("strike", "open_interest", "iv"))
        sign = np.where(rows["right"].to_numpy() == "C", 1.0, -1.0)
        spot = float(rows["spot"].iloc[0])
        reprice(spot, strike, interest, iv, years, sign)
        began = time.perf_counter()
        reprice(spot, strike, interest, iv, years, sign)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _numpy_profile(spot: float, strike: Any, interest: Any, iv: Any, years: Any, sign: Any) -> Any:
    """Reprice every contract at every level, all at once, as the peers do it."""
    levels = spot * np.exp(np.linspace(-0.2, 0.2, 401))[:, None]
    v = iv * np.sqrt(years)
    d1 = np.log(levels / strike) / v + 0.5 * v
    gamma = np.exp(-0.5 * d1 * d1) / (math.sqrt(2 * math.pi) * levels * v)
    return (gamma * (sign * interest * 100.0)).sum(axis=1) * levels[:, 0] ** 2 * 0.01


def _script_profile(spot: float, strike: Any, interest: Any, iv: Any, years: Any, sign: Any) -> Any:
    """Reprice as published scripts do: level after level, calls and puts apart, scipy's density."""
    sides = [(side, sign == side) for side in (1.0, -1.0)]
    legs = [(side, strike[m], interest[m], iv[m], years[m]) for side, m in sides]
    profile = []
    for level in spot * np.exp(np.linspace(-0.2, 0.2, 401)):
        total = 0.0
        for side, k, size, vol, time_left in legs:
            v = vol * np.sqrt(time_left)
            d1 = (np.log(level / k) + 0.5 * vol**2 * time_left) / v
            gamma = norm.pdf(d1) / (level * v)
            total += side * (size * 100.0 * level * level * 0.01 * gamma).sum()
        profile.append(total)
    return profile


def kernel_seconds_per_session(lake: Lake, sample: int = 5) -> float:
    """Return the time that our kernel takes for one session's profile, one thread."""
    from gexlab.data.exposure.profile_kernel import profile_on_grid

    sessions = lake.sessions("SPX")
    days = [sessions[i].session for i in np.linspace(0, len(sessions) - 1, sample).astype(int)]
    times = []
    for day in days:
        mixture = _mixture(lake, day)
        args = (-0.2, 0.001, 401, mixture.centre, mixture.inverse_width, mixture.net, mixture.gross)
        profile_on_grid(*args)
        began = time.perf_counter()
        for _ in range(5):
            profile_on_grid(*args)
        times.append((time.perf_counter() - began) / 5)
    return float(np.median(times))


def _mixture(lake: Lake, day: Any) -> Any:
    from gexlab.data.calendar.session_dates import CalendarFacts
    from gexlab.data.calendar.trading import trading_calendar
    from gexlab.data.exposure.book import mixture_of
    from gexlab.data.exposure.dealers import dealer_model
    from gexlab.data.exposure.definition import DEFAULT
    from gexlab.data.regimes.explain import open_session
    from gexlab.data.regimes.job import Job
    from gexlab.data.regimes.session_evaluation import evaluate_session

    facts = CalendarFacts(trading_calendar())
    job = Job("SPX", DEFAULT, "bench", dealer_model("naive"), ("as_of_close",), facts)
    raw, previous, _ = open_session(lake, "SPX", day)
    return mixture_of(evaluate_session(raw, previous, job).results["as_of_close"].book)


def add_one_session(folder: Path, sessions: int, contracts: int) -> None:
    """Append the session after the last one to the lake."""
    *_, last = session_tables(sessions + 1, contracts)
    with lake_writer(open_lake(folder), "SPX") as writer:
        writer.add(last)
        writer.commit()


def one_session_in_child(grown: Path, ready: Path, warm: Path, tiny: Path) -> dict[str, float]:
    """Add one session to a rebuilt lake, in a process that has its kernels loaded.

    Returns the best of five: seconds of the rebuild that computes the session; of one that finds
    everything up to date; and of one that has a single small session to compute, in a lake that
    holds nothing else: what any rebuild costs before its first contract.
    """
    code = f"""
import json, pathlib, shutil, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from make_lake import forget_rebuilt
from gexlab.data import rebuild
def timed(lake):
    began = time.perf_counter()
    rebuilt = rebuild(lake, "SPX", books=("post_expiry",)).rebuilt
    return time.perf_counter() - began, rebuilt
forget_rebuilt(pathlib.Path({str(warm)!r}))
timed({str(warm)!r})
one, none, start = [], [], []
for _ in range(5):
    forget_rebuilt(pathlib.Path({str(tiny)!r}))
    start.append(timed({str(tiny)!r})[0])
    shutil.rmtree({str(grown)!r}, ignore_errors=True)
    shutil.copytree({str(ready)!r}, {str(grown)!r})
    seconds, rebuilt = timed({str(grown)!r})
    assert rebuilt == 1, rebuilt
    one.append(seconds)
    seconds, rebuilt = timed({str(grown)!r})
    assert rebuilt == 0, rebuilt
    none.append(seconds)
print(json.dumps({{"one": min(one), "none": min(none), "start": min(start)}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def measure(out: Path, sessions: int, contracts: int) -> dict[str, float]:
    """Return every figure of the benchmark."""
    folder = make_lake(out / f"lake-{sessions}x{contracts}", sessions, contracts)
    year = make_lake(out / f"lake-{sessions // 10}x{contracts}", sessions // 10, contracts)
    tiny = make_lake(out / "lake-1x100", 1, 100)
    rebuild_in_child(year, side_tables=True)
    first = rebuild_in_child(tiny, side_tables=True)
    scan = scan_seconds(open_lake(folder))
    table = best_of_three(folder, side_tables=False)
    tenth = rebuild_in_child(year, side_tables=False)
    full = best_of_three(folder, side_tables=True)
    startup = rebuild_in_child(folder, side_tables=True, fresh=False)
    numpy_session = numpy_seconds_per_session(open_lake(folder), _numpy_profile)
    script_session = numpy_seconds_per_session(open_lake(folder), _script_profile)
    kernel = kernel_seconds_per_session(open_lake(folder))
    grown = out / "lake-grown"
    shutil.rmtree(grown, ignore_errors=True)
    shutil.copytree(folder, grown)
    add_one_session(grown, sessions, contracts)
    ready = out / "lake-ready"
    shutil.rmtree(ready, ignore_errors=True)
    shutil.copytree(grown, ready)
    warm = one_session_in_child(grown, ready, year, tiny)
    shutil.rmtree(grown)
    shutil.copytree(ready, grown)
    cold = rebuild_in_child(grown, side_tables=True, fresh=False)
    assert (startup["rebuilt"], cold["rebuilt"]) == (0, 1)
    return {
        "scan_seconds": scan,
        "regime_table_seconds": table["seconds"],
        "all_tables_seconds": full["seconds"],
        "numpy_seconds": numpy_session * sessions,
        "regime_table_in_scans": table["seconds"] / scan,
        "all_tables_in_scans": full["seconds"] / scan,
        "numpy_over_regime_table": numpy_session * sessions / table["seconds"],
        "script_over_regime_table": script_session * sessions / table["seconds"],
        "numpy_over_kernel_one_thread": numpy_session / kernel,
        "script_over_kernel_one_thread": script_session / kernel,
        "numpy_over_scan": numpy_session * sessions / scan,
        "peak_mb": full["peak_mb"],
        "growth_exponent": math.log10(table["seconds"] / tenth["seconds"]),
        "one_session_over_full": (warm["one"] - warm["start"]) / full["seconds"],
        "one_session_seconds": warm["one"],
        "startup_seconds": warm["start"],
        "up_to_date_seconds": warm["none"],
        "process_up_to_date_seconds": startup["wall"],
        "process_first_session_seconds": first["wall"],
        "process_one_more_session_seconds": cold["wall"],
        "nanoseconds_per_contract": 1e9 * table["seconds"] / (sessions * contracts),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=2520)
    parser.add_argument("--contracts", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, value in measure(asked.out, asked.sessions, asked.contracts).items():
        print(f"{name:32s} {value:12.4g}")


if __name__ == "__main__":
    main()
