"""Tables of expected values, computed elsewhere, and how a row is held against them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CBOE = ("cboe_table_20221212", 0.045, 0.016)
SNAPSHOTS = ("spx_2026", 0.043, 0.012)
DOLLARS = ("net_gex", "gross_gex", "net_dex", "net_vex", "net_cex")
NUMBERS = (
    "spot",
    "oi_rejected_share",
    "net_to_gross",
    "flip",
    "flip_distance",
    "call_wall",
    "call_wall_strength",
    "put_wall",
    "put_wall_strength",
    "pin_strike",
    "pin_strength",
    "concentration",
    "gex_0dte_share",
    "gex_next_expiry_share",
    "gex_next_opex_share",
    "definition_agreement",
)
EXACT = (
    "valuation_ts",
    "known_at",
    "contracts_used",
    "contracts_rejected",
    "expired",
    "quality",
    "n_roots",
    "flip_direction",
    "flip_status",
    "regime",
)


@lru_cache(maxsize=4)
def expected_table(shared_data: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(shared_data / "expected" / f"{name}.parquet")


def assert_equals_expected(
    row: dict[str, Any], expected: pd.Series, *, engine: bool = False
) -> None:
    """Every column that the expected table holds.

    The engine is allowed 1e-9 of gross and 1e-8 of a root.
    """
    gross, near = expected["gross_gex"], 1e-9 if engine else 1e-12
    for name in DOLLARS:
        assert row[name] == pytest.approx(expected[name], rel=near, abs=near * gross), name
    for name in NUMBERS:
        if name == "definition_agreement" and np.isnan(expected[name]):
            continue  # the expected tables value it for the naive model only
        wanted = expected[name]
        assert row[name] == pytest.approx(wanted, rel=10 * near, abs=near, nan_ok=True), name
    for name in EXACT:
        assert absent_as_none(row[name]) == absent_as_none(expected[name]), name
    # printed to six decimals
    slack = 1e-4 if engine else 6e-7
    assert row["roots"] == pytest.approx(json.loads(expected["roots"]), abs=slack)


def absent_as_none(value: Any) -> Any:
    return None if pd.isna(value) else value
