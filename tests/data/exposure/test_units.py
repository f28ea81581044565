"""Units of exposure against hand calculations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexlab.data import average_dollar_volume, with_unit
from gexlab.data.base.errors import GexlabError, InputFileError, UnknownNameError
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


def rows() -> pd.DataFrame:
    days = pd.to_datetime(["2024-01-30", "2024-01-31", "2024-02-01"])
    return pd.DataFrame(
        {"session": days, "spot": [4000.0, 5000.0, math.nan], "net_gex": [-4e8, 1e9, 1.0]}
    ).assign(gross_gex=[8e8, 2e9, math.nan])


def test_rows_keep_their_columns_and_gain_two() -> None:
    """-$400 m per 1 % at 4,000 points: -$10 m per point; $2 bn at 5,000: 8,000 shares a point."""
    found = with_unit(rows(), "per_point")
    assert list(found.columns) == [*rows().columns, "net_gex_per_point", "gross_gex_per_point"]
    pd.testing.assert_frame_equal(found[rows().columns], rows())
    assert found["net_gex_per_point"].tolist()[:2] == [-1e7, 2e7]
    assert found["gross_gex_per_point"].isna().tolist() == [False, False, True]
    shares = with_unit(rows(), "shares_per_point")
    assert shares["net_gex_shares_per_point"].tolist()[:2] == [-2500.0, 4000.0]
    assert shares["gross_gex_shares_per_point"].tolist()[:2] == [5000.0, 8000.0]


def test_share_of_the_average_dollar_volume() -> None:
    """21 sessions of 10 m shares at 100 dollars, then one of 31 m: (20 x 1 + 3.1) / 21 $bn."""
    days = pd.bdate_range("2024-01-03", periods=21)  # the 21st is 2024-01-31
    bars = pd.DataFrame({"close": 100.0, "volume": [1e7] * 20 + [3.1e7]}, index=days)
    volume = average_dollar_volume(bars)
    assert volume.isna().sum() == 20
    assert volume.iloc[-1] == pytest.approx(1.1e9, rel=1e-12)
    found = with_unit(rows(), "share_of_adv", dollar_volume=volume)["net_gex_share_of_adv"]
    assert found.isna().tolist() == [True, False, True]
    assert found[1] == pytest.approx(1e9 / 1.1e9, rel=1e-12)
    with pytest.raises(InputFileError, match="no column 'volume'"):
        average_dollar_volume(bars[["close"]])
    with pytest.raises(GexlabError, match="dollar_volume"):
        with_unit(rows(), "share_of_adv")
