"""The compiled session against its readable twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples
from session_twin import pinned_end, session_bars

from gexlab.data.simulate.market import session_kernels as kernels


@examples(50)
@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(6, 78),
    memory=st.floats(-0.9, 0.9),
    slope=st.floats(-0.5, 0.5),
    gap=st.floats(-0.05, 0.05),
    drift=st.floats(-0.01, 0.01),
)
def test_session_bars_equal_their_twin(
    seed: int, bars: int, memory: float, slope: float, gap: float, drift: float
) -> None:
    source = np.random.default_rng(seed)
    shocks, uniforms = source.standard_normal(bars), 1 - source.random((bars, 2))
    out = np.empty((bars, 4))
    push = kernels.session_bars(shocks, uniforms, 0.001, gap, memory, slope, 6, out, drift)
    expected, expected_push = session_bars(
        shocks.tolist(), uniforms.tolist(), 0.001, gap, memory, slope, 6, drift
    )
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-15)
    assert push == pytest.approx(expected_push, abs=1e-16)
    assert (out[:, 1] >= out[:, [0, 3]].max(axis=1)).all()
    assert (out[:, 2] <= out[:, [0, 3]].min(axis=1)).all()


@pytest.mark.parametrize("beta", [-1.0, 0.0, 0.5, 2.0])
def test_pinned_sessions_equal_their_twin(beta: float) -> None:
    shocks = np.random.default_rng(5).standard_normal((20, 500))
    ends = np.empty(20)
    kernels.pin_ends(shocks, 0.7, beta, ends)
    expected = [pinned_end(row.tolist(), 0.7, beta) for row in shocks]
    np.testing.assert_allclose(ends, expected, rtol=1e-12, atol=1e-12)
    out = np.empty((78, 4))
    z = kernels.pinned_bars(shocks[0], 0.007, beta, 0.01, 78, out)
    assert z == pytest.approx(expected[0], abs=1e-12)
    assert out[-1, 3] == pytest.approx(z * 0.01 - 0.007, abs=1e-12)
    np.testing.assert_array_equal(out[1:, 0], out[:-1, 3])


def test_a_bars_range_has_the_variance_of_brownian_motion() -> None:
    # E[ln(H/L)^2] = 4 ln 2 sigma^2 for a driftless Brownian motion (Parkinson 1980)
    source = np.random.default_rng(11)
    ranges = []
    for _ in range(4_000):
        out = np.empty((78, 4))
        shocks, uniforms = source.standard_normal(78), 1 - source.random((78, 2))
        kernels.session_bars(shocks, uniforms, 78**-0.5, 0.0, 0.0, 0.0, 6, out)
        ranges.append((out[:, 1].max() - out[:, 2].min()) ** 2)
    found, error = np.mean(ranges), np.std(ranges) / 4_000**0.5
    assert abs(found - 4 * np.log(2)) < 4 * error
