"""Ties between strikes, and stretches of the profile that are exactly zero: answers by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from plain_chains import Contract, one_row, plain_chain, rebuilt
from reference import regime_row
from reference_book import Settings, value_book
from reference_profile import exposure_curve, find_roots

from gexlab.data import regimes, side_table
from gexlab.data.exposure.walls import Wall, Walls, fill_walls

STRIKES = np.array([90.0, 95.0, 100.0, 105.0, 110.0])


def walls_at(spot: float, call: list[float], put: list[float]) -> Walls:
    c, p, found = np.array(call, float), np.array(put, float), np.empty((3, 2))
    concentration = fill_walls(STRIKES, c, p, np.abs(c) + np.abs(p), spot, found)
    call_wall, put_wall, pin = (Wall(*row) for row in found.tolist())
    return Walls(call_wall, put_wall, pin, concentration)


@pytest.mark.parametrize(
    ("call", "spot", "wall"),
    [
        ([9, 0, 1, 5, 2], 100.0, 105.0),  # the largest lies below spot and does not count
        ([0, 0, 7, 5, 2], 100.0, 100.0),  # at spot counts
        ([0, 0, 3, 3, 3], 99.0, 100.0),  # ties: nearest to spot
        ([0, 0, 3, 3, 3], 103.0, 105.0),
        ([0, 0, -3, -5, 0], 99.0, math.nan),  # no positive exposure: none
        ([4, 4, 0, 0, 0], 99.0, math.nan),  # none at or above spot
    ],
)
def test_call_wall(call: list[float], spot: float, wall: float) -> None:
    found = walls_at(spot, call, [0.0] * 5).call
    assert found.strike == pytest.approx(wall, nan_ok=True)
    gross = sum(abs(c) for c in call)
    share = math.nan if math.isnan(wall) else call[STRIKES.tolist().index(wall)] / gross
    assert found.strength == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize(
    ("put", "spot", "wall"),
    [
        ([-1, -5, -2, 0, -9], 100.0, 95.0),
        ([0, -3, -7, 0, 0], 100.0, 100.0),
        ([-3, -3, -3, 0, 0], 101.0, 100.0),
        ([-3, -3, 0, 0, 0], 101.0, 95.0),
        ([3, 5, 0, 0, 0], 101.0, math.nan),
        ([0, 0, 0, -4, -4], 101.0, math.nan),
    ],
)
def test_put_wall(put: list[float], spot: float, wall: float) -> None:
    found = walls_at(spot, [0.0] * 5, put).put
    assert found.strike == pytest.approx(wall, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "put", "spot", "pin", "strength"),
    [
        ([0, 6, 0, 5, 0], [0, -6, 0, 0, 0], 100.0, 105.0, 5 / 17),  # calls and puts cancel
        ([0, 0, 0, 4, 0], [0, -4, 0, 0, 0], 101.0, 105.0, 0.5),  # ties: nearest
        ([0, 0, 0, 4, 0], [0, -4, 0, 0, 0], 100.0, 95.0, 0.5),  # equally near: the lower
        ([2, 0, 0, 0, 0], [-2, 0, 0, 0, 0], 100.0, math.nan, math.nan),
    ],
)
def test_pin_strike(
    call: list[float], put: list[float], spot: float, pin: float, strength: float
) -> None:
    found = walls_at(spot, call, put).pin
    assert found.strike == pytest.approx(pin, nan_ok=True)
    assert found.strength == pytest.approx(strength, nan_ok=True)


def cancelling_pair(*others: Contract) -> tuple[Contract, ...]:
    """A call and a put of one strike share their volatility: their net is exactly zero."""
    return (Contract("C", 4000.0, 5000.0, iv=0.3), Contract("P", 4000.0, 5000.0, iv=0.3), *others)


def test_a_run_of_zeros_is_one_root_at_its_middle(tmp_path: Path) -> None:
    """Narrow put gamma below, narrow call gamma above, exact zero in between."""
    chain = plain_chain(
        *cancelling_pair(Contract("P", 3700.0, iv=0.02), Contract("C", 4300.0, iv=0.02))
    )
    lake = rebuilt(tmp_path, chain)
    found = side_table(lake, "flip_roots", "SPX", book="as_of_close")
    valued = value_book(chain, "as_of_close", Settings())
    wanted = find_roots(exposure_curve(valued, "naive"), valued.spot)
    assert len(wanted) == 1
    assert found["level"].tolist() == pytest.approx([wanted[0].level], rel=1e-9)
    assert found["direction"].tolist() == ["up"]
    # the run ends where either side has faded to 1e-12 of gross: about as far from both
    assert abs(math.log(found["level"][0] / math.sqrt(3700.0 * 4300.0))) < 0.004


def test_zeros_between_equal_signs_are_no_root(tmp_path: Path) -> None:
    chain = plain_chain(
        *cancelling_pair(Contract("C", 3700.0, iv=0.02), Contract("C", 4300.0, iv=0.02))
    )
    row = one_row(tmp_path, chain)
    assert row["n_roots"] == 0
    assert row["n_roots"] == regime_row(chain, "as_of_close", agreement=False)["n_roots"]


def test_a_book_that_cancels_everywhere(tmp_path: Path) -> None:
    """Gross but no net at any spot: neutral, no root, no wall of net."""
    row = regimes(rebuilt(tmp_path, plain_chain(*cancelling_pair())), "SPX").iloc[0]
    assert (row["net_gex"], row["regime"], row["n_roots"]) == (0.0, "neutral", 0)
    assert row["gross_gex"] > 0.0
    assert np.isnan(row["flip"])
    assert np.isnan(row["pin_strike"])
