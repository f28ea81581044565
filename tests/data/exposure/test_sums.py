"""Sums in compiled loops: in numpy's order, and by expiry group, strike and session as numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gexlab.data.exposure.expiry_shares import expiry_shares
from gexlab.data.exposure.flips import sign_changes, signs
from gexlab.data.exposure.pairwise import pairwise_sum
from gexlab.data.exposure.walls import fill_walls


@pytest.mark.parametrize("size", [*range(20), 127, 128, 129, 136, 255, 256, 257, 1_000, 5_003])
def test_sums_are_numpys_to_the_last_digit(size: int) -> None:
    rng = np.random.default_rng(size)
    values = rng.normal(size=size) * 10.0 ** rng.uniform(-6.0, 6.0, size)
    assert pairwise_sum(values) == values.sum()


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_sums_of_what_dies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gross = rng.uniform(0.0, 9.0, 30) * rng.integers(0, 2, 30)
    live, monthly = rng.random(30) < 0.8, rng.random(30) < 0.2
    dies = np.sort(rng.integers(100, 112, 30)).astype(np.int32)
    present = live & (gross > 0.0)

    def share(day: int) -> float:
        return float(gross[present & (dies == day)].sum() / gross[present].sum())

    opex = int(dies[present & monthly].min())
    wanted = (share(101), share(int(dies[present].min())), share(opex))
    found = expiry_shares(gross, live, dies, monthly, 101)
    assert found == wanted


def test_a_book_that_has_died_has_no_shares() -> None:
    one = np.ones(1)
    found = expiry_shares(one, one == 0.0, np.array([5], np.int32), one == 1.0, 5)
    assert all(math.isnan(share) for share in found)


def test_concentration_is_the_sum_of_squared_shares() -> None:
    gross = np.random.default_rng(4).uniform(0.0, 5.0, 300)
    strike, nothing, walls = np.arange(300.0), np.zeros(300), np.empty((3, 2))
    concentration = fill_walls(strike, gross, nothing, gross, 150.0, walls)
    assert concentration == ((gross / gross.sum()) ** 2).sum()
    (call, strength), (put, _), _ = walls.tolist()
    assert call == 150.0 + np.argmax(gross[150:])
    assert strength == gross[150:].max() / gross.sum()
    assert math.isnan(put)
    assert math.isnan(fill_walls(strike, nothing, nothing, nothing, 1.0, walls))


@pytest.mark.parametrize("seed", range(20))
def test_pairs_of_levels_are_those_between_whose_signs_it_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = rng.choice([-3.0, -1e-13, 0.0, 1e-13, 2.0, np.nan], 40, p=[0.3, 0.1, 0.1, 0.1, 0.3, 0.1])
    gross = np.full(40, 5.0)
    sign = signs(net, gross)
    (at,) = np.nonzero(sign)
    (change,) = np.nonzero(sign[at[1:]] != sign[at[:-1]])
    assert sign_changes(net, gross) == [(at[i], at[i + 1]) for i in change]
