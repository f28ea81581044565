"""What rounding makes of equal values is no difference."""

from __future__ import annotations

import numpy as np
import pytest

from gexlab.data import varies, without_rounding


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.3, 0.1 + 0.2], False),
        ([5e9, 5e9 * (1.0 + 4e-16)], False),
        ([5e9, 5e9 + 0.01], True),  # 2e-12 of it
        ([-0.0, 0.0], False),
        ([0.0, 1e-300], True),  # zero has no size of its own
        ([1.0, np.nan, np.inf], False),
        ([], False),
    ],
)
def test_a_spread_of_rounding_is_none(values: list[float], expected: bool) -> None:
    assert varies(values) is expected


def test_equal_but_for_rounding_is_equal() -> None:
    values = [7.0, 0.1 + 0.2, np.nan, -2.0, 0.3, 7.0 + 1e-9]
    expected = [7.0, 0.3, np.nan, -2.0, 0.3, 7.0 + 1e-9]
    np.testing.assert_array_equal(without_rounding(values), expected)
    assert without_rounding([]).tolist() == []


def test_order_is_kept() -> None:
    x = np.random.default_rng(0).standard_normal(500) * 1e9
    np.testing.assert_array_equal(without_rounding(x), x)
