"""The engine's rows for the twin's settings, and the comparison of the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from lakes import lake_of
from reference_book import Settings

from gexlab.data import Definition, rebuild, regimes, side_table
from gexlab.data.lake.lake import Lake

DOLLARS = ("net_gex", "gross_gex", "net_dex", "net_vex", "net_cex")
NUMBERS = (
    "spot",
    "net_to_gross",
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
    "oi_rejected_share",
)
EXACT = ("contracts_used", "contracts_rejected", "n_roots", "regime", "quality")
OPTIONAL_TEXT = ("flip_status", "flip_direction")


def definition_of(settings: Settings) -> Definition:
    """The engine's definition that means the same."""
    return Definition(
        rate=settings.rate,
        dividend_yield=settings.dividend_yield,
        iv_source=cast("Any", settings.iv_source),
        iv_dynamics=cast("Any", settings.iv_dynamics),
        forward_source="parity" if settings.parity else "rates",
        floor_minutes=settings.floor_seconds / 60.0,
        band=settings.band,
    )


def engine_rows(lake: Lake, underlying: str, settings: Settings, model: str) -> pd.DataFrame:
    """Regime rows of a lake, one per session and book."""
    definition = definition_of(settings)
    rebuild(lake, underlying, definition=definition, dealer=model)
    rows: pd.DataFrame = regimes(
        lake, underlying, dealer_model=model, definition_id=definition.definition_id
    )
    return rows


def engine_side(
    lake: Lake, name: str, underlying: str, settings: Settings, model: str
) -> pd.DataFrame:
    """Rows of a side table, after `engine_rows` has rebuilt them."""
    definition = definition_of(settings)
    rows: pd.DataFrame = side_table(
        lake,
        name,
        underlying,
        dealer_model=model,
        definition_id=definition.definition_id,
    )
    return rows


def one_lake(tmp_path: Path, *sessions: pd.DataFrame, settlement_prices: bool = False) -> Lake:
    """A lake of SPX."""
    return lake_of(tmp_path / "lake", "SPX", *sessions, settlement_prices=settlement_prices)


def same(found: Any, wanted: Any) -> bool:
    missing = wanted is None or (isinstance(wanted, float) and pd.isna(wanted))
    return bool(pd.isna(found)) if missing else bool(found == wanted)


def assert_same_row(
    found: dict[Any, Any], wanted: dict[str, Any], *, dollars: float = 1e-10, flip: float = 1e-8
) -> None:
    """Every column of the regime table that the twin also has.

    Dollars are compared relative to gross or to themselves; the tolerance leaves room for
    volatilities solved from prices that barely depend on them, charm most of all.
    """
    for name in EXACT:
        assert found[name] == wanted[name], name
    for name in OPTIONAL_TEXT:
        assert same(found[name], wanted.get(name)), name
    assert pd.Timestamp(found["valuation_ts"]) == wanted["valuation_ts"]
    assert pd.Timestamp(found["known_at"]) == wanted["known_at"]
    gross = wanted.get("gross_gex", 0.0)
    for name in DOLLARS:
        if name not in wanted:
            assert pd.isna(found[name]), name
            continue
        slack = (100.0 if name == "net_cex" else 1.0) * dollars
        assert found[name] == pytest.approx(wanted[name], rel=slack, abs=slack * gross), name
    for name in NUMBERS:
        if name not in wanted:
            assert pd.isna(found[name]), name
            continue
        assert found[name] == pytest.approx(wanted[name], rel=1e-8, abs=1e-10, nan_ok=True), name
    if "flip" in wanted:
        assert found["flip"] == pytest.approx(wanted["flip"], rel=flip, nan_ok=True)
        away = found["flip_distance"]
        assert away == pytest.approx(wanted["flip_distance"], abs=flip, nan_ok=True)
    if "definition_agreement" in wanted:
        assert found["definition_agreement"] == wanted["definition_agreement"]
