"""Corrections of many trials against the bare work in numpy, and beside arch on fewer.

``python tests/bench/bench_tournament.py [TRIALS] [SESSIONS] [DRAWS]``: 10,000 trials x 2,500
sessions x 2,000 draws unless stated. Ours: studentised columns, SPA with Reality Check, StepM, the
model confidence set of the best hundred, overfitting over 12,870 splits, deflated Sharpe ratios.
Bare: drawing the indices once, draws x sessions x trials once, splits x blocks x trials twice.
Times are of the processor and of one thread, so that a busy machine counts alike for both: threads
of BLAS that wait for each other are busy, too.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from itertools import combinations

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from arch.bootstrap import SPA

from gexlab.backtest.statistics.multiple import deflated_sharpes
from gexlab.backtest.statistics.resampling import Resampling, row_counts
from gexlab.backtest.tournament.confidence_set import confidence_set
from gexlab.backtest.tournament.overfitting import overfitting
from gexlab.backtest.tournament.studentised import studentise
from gexlab.backtest.tournament.superiority import spa, step_m

Floats = npt.NDArray[np.float64]
FEW, FEW_DRAWS = 500, 200


def panel(trials: int, sessions: int) -> Floats:
    """Return trials that share a factor, with fat tails."""
    source = np.random.default_rng(1)
    factor = source.standard_t(5, (sessions, 1))
    return np.asarray(0.01 * (0.5 * factor + source.standard_normal((sessions, trials))))


def timed(name: str, times: dict[str, float], work: object) -> object:
    """Return what a function returns and note its processor time."""
    assert callable(work)
    began = time.process_time()
    found = work()
    times[name] = time.process_time() - began
    print(f"  {name:<42}{times[name]:8.2f} s", flush=True)
    return found


def ours(returns: Floats, how: Resampling, times: dict[str, float]) -> None:
    """Do everything that a tournament does with its trials."""
    columns = timed("studentised columns and draws", times, lambda: studentise(returns, how))
    timed("SPA and Reality Check", times, lambda: spa(columns))  # type: ignore[arg-type]
    timed("StepM", times, lambda: step_m(columns))  # type: ignore[arg-type]
    ratio = returns.mean(axis=0) / returns.std(axis=0)
    best = returns[:, np.argsort(-ratio)[:100]]
    timed("MCS of the best hundred", times, lambda: confidence_set(best, how))
    timed("PBO, 12,870 splits", times, lambda: overfitting(returns, 16))
    timed("deflated Sharpe ratios", times,
          lambda: deflated_sharpes(returns, returns.shape[1], 1 / len(returns)))  # fmt: skip


def drawn_once(n: int, how: Resampling) -> npt.NDArray[np.float32]:
    """Return how often each draw takes each row."""
    return np.concatenate([c.astype(np.float32) for c in row_counts(n, how)])


def bare(returns: Floats, how: Resampling, times: dict[str, float]) -> None:
    """Do the products alone."""
    n = len(returns)
    single = returns.astype(np.float32)
    counts = timed("drawing the indices", times, lambda: drawn_once(n, how))
    timed("draws x sessions x trials, float32", times, lambda: counts @ single)  # type: ignore[operator]
    blocks = np.array([part.sum(axis=0) for part in np.array_split(returns, 16)])
    halves = np.zeros((12_870, 16))
    for i, chosen in enumerate(combinations(range(16), 8)):
        halves[i, list(chosen)] = 1.0

    def twice() -> None:
        for first in range(0, len(halves), 500):
            halves[first : first + 500] @ blocks
            halves[first : first + 500] @ blocks

    timed("splits x blocks x trials, twice", times, twice)


def main() -> None:
    """Measure and print."""
    trials, sessions, draws = (
        int(a) for a in (*sys.argv[1:], *("10000", "2500", "2000")[len(sys.argv) - 1 :])
    )
    returns = panel(trials, sessions)
    how = Resampling(seed=7, replications=draws, block=10.0)
    print(f"{trials:,} trials x {sessions:,} sessions, {draws:,} draws")
    times: dict[str, float] = {}
    reference: dict[str, float] = {}
    ours(returns, how, times)
    bare(returns, how, reference)
    total, base = sum(times.values()), sum(reference.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {'total':<42}{total:8.2f} s, bare {base:.2f} s: {total / base:.2f} times")
    print(f"  {'peak memory':<42}{peak:8.2f} GB")
    few = returns[:, :FEW]
    fewer = Resampling(seed=7, replications=FEW_DRAWS, block=10.0)
    beside: dict[str, float] = {}
    print(f"{FEW} trials, {FEW_DRAWS} draws")
    timed("SPA here", beside, lambda: spa(studentise(few, fewer)))

    def theirs() -> None:
        SPA(np.zeros(sessions), -few, block_size=10, reps=FEW_DRAWS, seed=7).compute()

    timed("SPA of arch", beside, theirs)
    print(f"  {'arch over here':<42}{beside['SPA of arch'] / beside['SPA here']:8.1f} times")


if __name__ == "__main__":
    main()
