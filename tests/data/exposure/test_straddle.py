"""The straddle of the first expiration after a session, on chains small enough to read."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from gexlab.data.exposure.forwards import ForwardCurve
from gexlab.data.exposure.snapshot import Groups, Snapshot, expiry_groups
from gexlab.data.exposure.straddle import Straddle, next_straddle

#: expiry day, morning, strike, is call, mid; the chain's session is day 10
Rows = list[tuple[int, bool, float, bool, float]]
TODAY: Rows = [(10, False, 100.0, False, 0.1), (10, False, 100.0, True, 0.1)]
MORNING: Rows = [(11, True, 100.0, False, 1.0), (11, True, 100.0, True, 1.5)]
EVENING: Rows = [
    (11, False, 99.0, False, 1.2),
    (11, False, 99.0, True, 2.9),
    (11, False, 101.0, False, 2.25),
    (11, False, 101.0, True, 1.75),
    (11, False, 105.0, True, 0.2),
]
LATER: Rows = [(18, False, 100.0, False, 3.0), (18, False, 100.0, True, 3.5)]


def _found(rows: Rows, forward: float = 100.2) -> Straddle | None:
    day, morning, strike, call, mid = (np.array(c) for c in zip(*rows, strict=True))
    moment = day.astype(np.int64) * 86_400_000_000 + np.where(morning, 0, 1)
    none = np.full(day.size, nan)
    chain = Snapshot(
        10 * 86_400_000_000, 0, 100.0, day.astype(np.int32), morning, moment, strike, call,
        none, mid.astype(float), none, none,
    )  # fmt: skip
    groups = Groups(*expiry_groups(chain.expiry, chain.morning, chain.expiry_us))
    size = groups.expiry.size
    flags, level = np.zeros(size, bool), np.zeros(size)
    market = ForwardCurve(level, np.full(size, forward), flags, flags, level, level)
    return next_straddle(chain, groups, market, groups.expiry, 10)


def test_the_evening_of_the_next_session() -> None:
    # 101 is nearer to 100.2 than 99: 2.25 + 1.75; neither today's nor the morning's
    assert _found([*TODAY, *MORNING, *EVENING, *LATER]) == Straddle(4.0, 101.0, 11)


def test_between_two_strikes_the_lower() -> None:
    found = _found([*EVENING, *LATER], forward=100.0)
    assert found is not None
    assert found.price == pytest.approx(4.1)
    assert found.strike == 99.0


def test_an_unpriced_expiration_is_passed_over() -> None:
    unpriced: Rows = [(11, False, 100.0, False, nan), (11, False, 100.0, True, 1.0)]
    assert _found([*unpriced, *LATER]) == Straddle(6.5, 100.0, 18)
    assert _found([*TODAY, *MORNING, *unpriced]) == Straddle(2.5, 100.0, 11)


@pytest.mark.parametrize("forward", [nan, inf])
def test_nothing_is_said_without_price_or_forward(forward: float) -> None:
    assert _found(TODAY) is None
    assert _found(LATER, forward=forward) is None
