"""The profile kernel against a plain sum over contracts and levels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.exposure.flips import Grid, _zero_of_cubic, mixture_roots
from gexlab.data.exposure.profile_kernel import (
    Mixture,
    derivative_at,
    net_and_gross_at,
    profile_on_grid,
)

Floats = npt.NDArray[np.float64]
GRID = Grid()


def plain(mixture: Mixture, levels: Floats) -> Floats:
    """Sum every Gaussian at every level, smallest terms first."""
    x = (levels[:, None] - mixture.centre) * mixture.inverse_width
    density = np.exp(-0.5 * x * x)
    out = np.empty((2, levels.size))
    for j, u in enumerate(levels):
        out[0, j] = math.fsum(density[j] * mixture.net) * math.exp(u)
        out[1, j] = math.fsum(density[j] * mixture.gross) * math.exp(u)
    return out


def kernel(mixture: Mixture) -> Floats:
    return np.asarray(
        profile_on_grid(
            -GRID.width,
            GRID.step,
            GRID.points,
            mixture.centre,
            mixture.inverse_width,
            mixture.net,
            mixture.gross,
        )
    )


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    """Books from a single contract to some hundred; widths from minutes to years."""
    n = draw(st.sampled_from([1, 2, 5, 40, 300]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = 10.0 ** rng.uniform(draw(st.sampled_from([-4.5, -2.5])), 0.3, n)
    centre = rng.uniform(-1.5, 1.5, n) if draw(st.booleans()) else rng.normal(0, 0.05, n)
    size = 10.0 ** rng.uniform(0, draw(st.sampled_from([2.0, 12.0])), n)
    return Mixture(centre, 1.0 / width, size * rng.choice([-1.0, 1.0], n), size)


@examples(150)
@given(mixtures())
def test_kernel_equals_plain_sum(mixture: Mixture) -> None:
    expected, found = plain(mixture, GRID.levels()), kernel(mixture)
    # Below the smallest normal numbers a relative error has no meaning.
    scale = np.maximum(expected[1], 1e-290)
    assert (np.abs(found[0] - expected[0]) <= 1e-12 * scale).all()
    assert (np.abs(found[1] - expected[1]) <= 1e-12 * scale).all()


def test_single_contract_far_from_the_grid_keeps_its_sign() -> None:
    mixture = Mixture(np.array([0.9]), np.array([1 / 0.03]), np.array([-5.0]), np.array([5.0]))
    found = kernel(mixture)
    assert (found[0] < 0.0).all()
    np.testing.assert_allclose(found[0], plain(mixture, GRID.levels())[0], rtol=1e-12)


def test_empty_book_is_flat() -> None:
    nothing = np.empty(0)
    assert not kernel(Mixture(nothing, nothing, nothing, nothing)).any()


@examples(60)
@given(mixtures())
def test_every_root_is_a_sign_change_of_the_exact_sum(mixture: Mixture) -> None:
    profile = kernel(mixture)
    for root in mixture_roots(100.0, GRID, mixture, profile[0], profile[1]):
        u = math.log(root.level / 100.0)
        below, above = plain(mixture, np.array([u - 2e-9, u + 2e-9]))[0]
        gross = plain(mixture, np.array([u]))[1, 0]
        assert below * above <= 0.0 or abs(below) <= 1e-9 * gross
        if below * above < 0.0:
            assert (root.direction == "up") == (below < 0.0)


def test_slope_is_the_derivative() -> None:
    mixture = Mixture(
        np.array([-0.02, 0.01, 0.05]),
        np.array([20.0, 30.0, 5.0]),
        np.array([-3.0, 2.0, 1.5]),
        np.array([3.0, 2.0, 1.5]),
    )
    args = (mixture.centre, mixture.inverse_width, mixture.net)
    step = 1e-6
    above = net_and_gross_at(0.003 + step, *args, mixture.gross)[0]
    below = net_and_gross_at(0.003 - step, *args, mixture.gross)[0]
    np.testing.assert_allclose(derivative_at(0.003, *args), (above - below) / (2 * step), rtol=1e-8)


def test_two_roots_and_the_nearest() -> None:
    """Short around spot, long on both sides: two roots, of opposite directions."""
    mixture = Mixture(
        np.array([-0.08, 0.0, 0.08]),
        np.full(3, 1 / 0.03),
        np.array([2.0, -2.0, 2.0]),
        np.full(3, 2.0),
    )
    profile = kernel(mixture)
    roots = mixture_roots(100.0, GRID, mixture, profile[0], profile[1])
    assert [r.direction for r in roots] == ["down", "up"]
    # By symmetry the roots lie at -u and u: 2 cosh(0.08 u / 0.03^2) = exp(0.08^2/(2 0.03^2)).
    expected = math.acosh(0.5 * math.exp(0.08**2 / (2 * 0.03**2))) * 0.03**2 / 0.08
    np.testing.assert_allclose(
        [math.log(r.level / 100.0) for r in roots], [-expected, expected], atol=3e-9
    )


def test_the_first_guess_is_the_zero_of_the_cubic_through_four_points() -> None:
    for zero in (0.05, 0.3, 0.8):
        values = [(x - zero) * (x + 4.0) * (x - 7.0) for x in (-1.0, 0.0, 1.0, 2.0)]
        assert abs(_zero_of_cubic(*values) - zero) < 1e-9
