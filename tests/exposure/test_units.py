"""Units of exposure against hand calculations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexlab.data.errors import GexlabError, UnknownNameError
from gexlab.data.exposure.units import UNITS, from_unit, to_unit

#: One contract of gamma 0.002 per share, multiplier 100, 5,000 of them, spot 4,000.
SHARES = 0.002 * 100.0 * 5000.0
DOLLARS_PER_PERCENT = SHARES * 4000.0**2 * 0.01


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("per_percent", 160_000_000.0),
        ("per_point", 4_000_000.0),
        ("shares_per_point", 1000.0),
        ("share_of_adv", 0.004),
    ],
)
def test_by_hand(unit: str, wanted: float) -> None:
    found = to_unit(DOLLARS_PER_PERCENT, unit, spot=4000.0, dollar_volume=4e10)  # type: ignore[arg-type]
    assert float(found) == pytest.approx(wanted, rel=1e-15)


@given(
    st.floats(-1e13, 1e13),
    st.floats(0.01, 1e6),
    st.floats(1.0, 1e13),
    st.sampled_from(UNITS),
)
def test_conversions_invert_exactly(exposure: float, spot: float, volume: float, unit: str) -> None:
    there = to_unit(exposure, unit, spot=spot, dollar_volume=volume)  # type: ignore[arg-type]
    back = from_unit(there, unit, spot=spot, dollar_volume=volume)  # type: ignore[arg-type]
    assert float(back) == pytest.approx(exposure, rel=4e-16, abs=1e-290)


def test_missing_volume_is_nan_and_absent_volume_an_error() -> None:
    found = to_unit(1e9, "share_of_adv", spot=4000.0, dollar_volume=[math.nan, 0.0, 1e10])
    assert np.isnan(found).tolist() == [True, True, False]
    with pytest.raises(GexlabError, match="dollar_volume"):
        to_unit(1e9, "share_of_adv", spot=4000.0)


def test_unknown_unit_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'per_point'"):
        to_unit(1e9, "per_points", spot=4000.0)  # type: ignore[arg-type]
