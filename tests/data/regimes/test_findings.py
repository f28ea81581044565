"""What findings count and weigh, against plain sums over contracts."""

from __future__ import annotations

import numpy as np
import pytest

from gexlab.data.exposure.strike_lines import REJECTED_OI, USED_OI
from gexlab.data.regimes import findings


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by_line", [False, True])
def test_rejected_contracts_are_those_that_no_line_has(seed: int, by_line: bool) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 6)
    start = np.concatenate([[0], np.cumsum(sizes)])
    live = rng.random(6) < 0.7
    strike = np.concatenate([np.sort(rng.integers(1, 6, n)) for n in sizes]).astype(float)
    interest = rng.choice([np.nan, 0.0, 3.0, 7.0], strike.size)
    volatility = rng.choice([np.nan, 0.2], strike.size)
    code = rng.choice(np.array([-1, 1, 2, 3, 4], np.int8), strike.size)
    lines = [np.flatnonzero(rng.random(6) < 0.4).astype(float) for _ in sizes]
    line_start = np.concatenate([[0], np.cumsum([x.size for x in lines])])
    counts, weight = np.zeros(5, np.int64), np.zeros(5)
    findings._count_rejected(
        start, live, strike, interest, volatility, code, line_start, np.concatenate(lines),
        by_line, counts, weight,
    )  # fmt: skip
    expected: dict[int, list[float]] = {c: [] for c in range(5)}
    for g in np.flatnonzero(live):
        for i in range(start[g], start[g + 1]):
            lent = by_line and strike[i] in lines[g]
            if np.isnan(volatility[i]) and interest[i] > 0.0 and code[i] > 0 and not lent:
                expected[int(code[i])].append(interest[i])
    assert counts.tolist() == [len(held) for held in expected.values()]
    assert weight.tolist() == [sum(held) for held in expected.values()]


@pytest.mark.parametrize("seed", range(5))
def test_weight_of_a_part_of_the_expirations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tally, gross = rng.integers(0, 9, (7, 5)).astype(float), rng.integers(0, 9, 7).astype(float)
    live, part, time = rng.random(7) < 0.8, rng.random(7) < 0.5, rng.random(7)
    held = tally[:, USED_OI] + tally[:, REJECTED_OI]
    counted = live & part & (time > 0.3)
    assert findings._weigh(live, part, time, 0.3, tally, gross) == (
        counted.sum(), held[counted].sum(), held[live].sum(),
        gross[counted].sum(), gross[live].sum(),
    )  # fmt: skip
