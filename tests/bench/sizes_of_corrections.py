"""How often the corrections reject where nothing is there, on returns that depend on their past.

``python tests/bench/sizes_of_corrections.py [PANELS] [FIRST SEED] [FILE]``: 400 panels of 750
sessions unless stated, with GARCH(1, 1) volatility, t(6) shocks, a common factor and first
autocorrelations of -0.1, 0 or 0.1. Rates stand beside their 95 % Wilson intervals. Then power: one
trial of t about 3.2 beside noise of twenty times its deviation, here and with arch's unstudentised
statistic. FILE keeps one line for each panel: stopped and started again, it goes on.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from arch.bootstrap import SPA

from gexlab.backtest.statistics.rejection import wilson
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.tournament.confidence_set import confidence_set
from gexlab.backtest.tournament.placebos import (
    Legs,
    held_against,
    placebo_labels,
    ratios,
)
from gexlab.backtest.tournament.studentised import automatic_block, studentise
from gexlab.backtest.tournament.superiority import spa, step_m

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]
SESSIONS, TRIALS, DRAWS, PLACEBOS = 750, 20, 500, 200
LEVEL = 0.05
QUESTIONS = (
    "SPA", "Reality Check", "StepM, any", "MCS range, blocks of 10", "MCS range, automatic",
    "MCS max, automatic", "placebo p, any",
)  # fmt: skip


def clustered(source: np.random.Generator, n: int, memory: float) -> Floats:
    """Return one series with autocorrelation and clustered volatility."""
    h, last, out = 1.0, 0.0, np.empty(n)
    shocks = source.standard_t(6, n) / np.sqrt(1.5)
    for t in range(n):
        shock = np.sqrt(h) * shocks[t]
        h = 0.04 + 0.1 * shock**2 + 0.86 * h
        last = memory * last + shock
        out[t] = last
    return 0.01 * out


def panel(seed: int, memory: float) -> Floats:
    """Return trials without skill that share a factor."""
    source = np.random.default_rng([seed, 1])
    factor = clustered(source, SESSIONS, memory)
    own = np.column_stack([clustered(source, SESSIONS, memory) for _ in range(TRIALS)])
    return np.asarray(0.6 * factor[:, None] + 0.8 * own)


def placebo_rejects(seed: int, memory: float) -> bool:
    """Return whether any of four random regimes and two rules has a corrected p of at most .05."""
    source = np.random.default_rng([seed, 2])
    market = clustered(source, SESSIONS, memory)
    legs = Legs(market, np.zeros(SESSIONS), np.ones(SESSIONS, dtype=bool))
    side = np.sign(np.concatenate([[0.0], market[:-1]]))
    hold = np.ones(SESSIONS)
    zero = np.zeros(SESSIONS)
    wanted = np.stack(
        [
            np.column_stack([zero, -side, side, zero]),
            np.column_stack([zero, hold, zero, zero]),
        ]
    )
    own, clouds = [], []
    for stay in (0.98, 0.95, 0.9, 0.8):
        labels = np.empty(SESSIONS, dtype=np.int8)
        state = 1
        for t, draw in enumerate(source.random(SESSIONS)):
            state = state if draw < stay else 3 - state
            labels[t] = state
        own += ratios(labels[None, :], wanted, legs, [0.0])[0, :, 0].tolist()
        drawn = placebo_labels(labels, PLACEBOS, seed)
        clouds.append(ratios(drawn, wanted, legs, [0.0])[:, :, 0])
    found = held_against(np.array(own), np.concatenate(clouds, axis=1))
    return bool((found.p_corrected <= LEVEL).any())


def answers(seed: int) -> list[bool]:
    """Return which corrections reject on one panel."""
    memory = (-0.1, 0.0, 0.1)[seed % 3]
    x = panel(seed, memory)
    how = Resampling(seed=seed, replications=DRAWS, block=10.0)
    asked_for = replace(how, block=automatic_block(x))
    columns = studentise(x, how)
    found = spa(columns)
    return [
        found.p_consistent <= LEVEL,
        found.p_upper <= LEVEL,
        bool((step_m(columns) <= LEVEL).any()),
        bool((confidence_set(x, how) <= LEVEL).any()),
        bool((confidence_set(x, asked_for) <= LEVEL).any()),
        bool((confidence_set(x, asked_for, "max") <= LEVEL).any()),
        placebo_rejects(seed, memory),
    ]


def powers(seed: int) -> list[bool]:
    """Return whether SPA finds one good trial beside wide noise: here, and as arch has it."""
    source = np.random.default_rng([seed, 3])
    x = source.standard_normal((1_000, 20)) * 0.2
    x[:, 0] = 0.01 * source.standard_normal(1_000) + 0.001
    how = Resampling(seed=seed, replications=DRAWS, block=1.0)
    theirs = SPA(np.zeros(1_000), -x, block_size=1, reps=DRAWS, seed=seed)
    theirs.compute()
    return [spa(studentise(x, how)).p_consistent <= LEVEL, theirs.pvalues["consistent"] <= LEVEL]


def kept(
    question: str, work: Callable[[int], list[bool]], seeds: range, file: Path | None
) -> npt.NDArray[np.bool_]:
    """Return the answers of each seed; those that the file has are not worked out again."""
    lines = file.read_text().splitlines() if file is not None and file.exists() else []
    found = {tuple(key): answer for key, answer in map(json.loads, lines)}
    for seed in seeds:
        if (question, seed) not in found:
            found[question, seed] = [bool(answer) for answer in work(seed)]
            if file is not None:
                with file.open("a") as out:
                    out.write(json.dumps([[question, seed], found[question, seed]]) + "\n")
    return np.array([found[question, seed] for seed in seeds])


def main() -> None:
    """Count and print."""
    panels, first = (int(a) for a in (*sys.argv[1:3], *("400", "50000")[len(sys.argv[1:3]) :]))
    file = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    sizes = kept("size", answers, range(first, first + panels), file)
    print(f"{panels} panels of {SESSIONS} sessions x {TRIALS} trials without skill, 5 % level")
    for name, count in zip(QUESTIONS, sizes.sum(axis=0), strict=True):
        share = wilson(int(count), panels)
        low, high = 100 * share.low, 100 * share.high
        print(f"  {name:<26}{100 * share.share:6.1f} %  [{low:.1f}, {high:.1f}]")
    some = max(panels // 4, 1)
    found = kept("power", powers, range(first, first + some), file).mean(axis=0)
    print(f"power, {some} panels: {found[0]:.2f} here, {found[1]:.2f} with arch's own statistic")


if __name__ == "__main__":
    main()
