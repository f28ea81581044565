"""The engine against the readable twin, on chains made to be awkward.

Everything goes through the public door: rows into a lake, `rebuild`, the tables out.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_rows import assert_same_row, engine_rows, engine_side, one_lake
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples
from reference import regime_row, sixteen_nets
from reference_book import BOOKS, Settings, value_book
from reference_profile import (
    GRID,
    contract_exposures,
    dealer_positions,
    exposure_curve,
    find_roots,
)
from small_chains import SESSIONS, Oddities, random_chain

MODELS = ("naive", "inverted", "all_long", "all_short", "calls_only", "puts_only")

oddities = st.builds(
    Oddities,
    roots_known=st.booleans(),
    intraday=st.booleans(),
    two_snapshots=st.booleans(),
    unequal_spots=st.booleans(),
    early_knowledge=st.booleans(),
    few_quotes=st.booleans(),
    stale_spot=st.booleans(),
    settlement_prices=st.booleans(),
    carry=st.sampled_from([0.0, 0.02, 0.04]),
)
definitions = st.builds(
    Settings,
    rate=st.sampled_from([0.0, 0.03, 0.045]),
    dividend_yield=st.sampled_from([0.0, 0.012]),
    iv_source=st.sampled_from(["otm", "own"]),
    iv_dynamics=st.sampled_from(["sticky_strike", "sticky_moneyness"]),
    parity=st.booleans(),
    floor_seconds=st.sampled_from([1800.0, 86400.0]),
)
bounded = examples(5)


@bounded
@given(
    seed=st.integers(0, 2**32 - 1),
    session=st.sampled_from(SESSIONS),
    odd=oddities,
    chosen=definitions,
    model=st.sampled_from(MODELS),
)
def test_regime_rows(seed: int, session: Any, odd: Oddities, chosen: Settings, model: str) -> None:
    chain = random_chain(np.random.default_rng(seed), session, odd)
    chosen = replace(chosen, last_is_settlement=odd.settlement_prices)
    with tempfile.TemporaryDirectory() as folder:
        lake = one_lake(Path(folder), chain, settlement_prices=odd.settlement_prices)
        rows = engine_rows(lake, "SPX", chosen, model).set_index("book")
        roots = engine_side(lake, "flip_roots", "SPX", chosen, model)
        expiries = engine_side(lake, "exposure_by_expiry", "SPX", chosen, model)
    nets = sixteen_nets(chain, model, chosen)
    for book in BOOKS:
        assert_same_forwards(expiries[expiries["book"] == book], chain, book, chosen)
        wanted = regime_row(chain, book, model, settings=chosen, nets=nets)
        assert_same_row(dict(rows.loc[book]), wanted)
        levels = roots.loc[roots["book"] == book, "level"]
        assert levels.tolist() == pytest.approx(wanted["roots"], rel=1e-8)


def assert_same_forwards(
    found: pd.DataFrame, chain: pd.DataFrame, book: str, chosen: Settings
) -> None:
    """Time, forward and where it comes from, per expiry and settlement."""
    keys = ["expiry", "settlement"]
    groups = value_book(chain, book, chosen).contracts.groupby(keys)
    wanted = groups[["years", "forward", "forward_source"]].first()
    assert found["time"].tolist() == pytest.approx(wanted["years"].tolist(), rel=1e-14)
    assert found["forward"].tolist() == pytest.approx(wanted["forward"].tolist(), rel=1e-12)
    assert found["forward_source"].tolist() == wanted["forward_source"].tolist()


def contracts_of(chain: pd.DataFrame, book: str, chosen: Settings, model: str) -> pd.DataFrame:
    """Contracts that the twin uses, with their dollars."""
    valued = value_book(chain, book, chosen)
    used = valued.contracts[valued.contracts["used"]]
    dollars = dealer_positions(used, model) * contract_exposures(valued, used)
    return used.assign(dollars=dollars, gross=np.abs(dollars))


@pytest.mark.parametrize("dynamics", ["sticky_strike", "sticky_moneyness"])
@pytest.mark.parametrize("source", ["otm", "own"])
def test_profile_at_every_level(tmp_path: Path, dynamics: str, source: str) -> None:
    """At most 1e-12 of gross at each of the 401 levels."""
    chain = random_chain(np.random.default_rng(11), SESSIONS[2], Oddities(intraday=True))
    chosen = Settings(0.03, 0.01, iv_source=source, iv_dynamics=dynamics)
    lake = one_lake(tmp_path, chain)
    engine_rows(lake, "SPX", chosen, "naive")
    profile = engine_side(lake, "profile", "SPX", chosen, "naive")
    for book in BOOKS:
        found = profile[profile["book"] == book].reset_index(drop=True)
        curve = exposure_curve(value_book(chain, book, chosen), "naive")
        assert found["log_move"].to_numpy() == pytest.approx(GRID, abs=1e-15)
        for j, u in enumerate(GRID):
            gross = curve.gross(float(u))
            assert abs(found["net_gex"][j] - curve.net(float(u))) <= 1e-12 * gross
            assert found["gross_gex"][j] == pytest.approx(gross, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_roots_with_direction_and_slope(tmp_path: Path, seed: int) -> None:
    chain = random_chain(np.random.default_rng(seed), SESSIONS[seed], Oddities())
    chosen = Settings(0.03)
    lake = one_lake(tmp_path, chain)
    engine_rows(lake, "SPX", chosen, "naive")
    roots = engine_side(lake, "flip_roots", "SPX", chosen, "naive")
    for book in BOOKS:
        valued = value_book(chain, book, chosen)
        wanted = find_roots(exposure_curve(valued, "naive"), valued.spot)
        found = roots[roots["book"] == book]
        assert found["direction"].tolist() == [root.direction for root in wanted]
        assert found["slope"].tolist() == pytest.approx([r.slope for r in wanted], rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_sums_by_expiry_and_by_strike(tmp_path: Path, model: str) -> None:
    chain = random_chain(np.random.default_rng(5), SESSIONS[3], Oddities(intraday=True))
    chosen = Settings(0.03)
    lake = one_lake(tmp_path, chain)
    engine_rows(lake, "SPX", chosen, model)
    by_expiry = engine_side(lake, "exposure_by_expiry", "SPX", chosen, model)
    by_strike = engine_side(lake, "exposure_by_strike", "SPX", chosen, model)
    for book in BOOKS:
        used = contracts_of(chain, book, chosen, model)
        slack = 1e-12 * used["gross"].sum()
        wanted = used.groupby(["expiry", "settlement"])[["dollars", "gross"]].sum()
        found = by_expiry[(by_expiry["book"] == book) & (by_expiry["contracts_used"] > 0)]
        assert found["net_gex"].tolist() == pytest.approx(wanted["dollars"].tolist(), abs=slack)
        assert found["gross_gex"].tolist() == pytest.approx(wanted["gross"].tolist(), abs=slack)
        strikes = used.groupby("strike")[["dollars", "gross"]].sum()
        rows = by_strike[by_strike["book"] == book]
        rows = rows.set_index("strike")[["net_gex", "gross_gex"]]
        # a strike whose contracts carry no sign is not listed
        at = rows.reindex(strikes.index, fill_value=0.0)
        assert at["net_gex"].tolist() == pytest.approx(strikes["dollars"].tolist(), abs=slack)
        assert at["gross_gex"].tolist() == pytest.approx(strikes["gross"].tolist(), abs=slack)
        assert rows["net_gex"].sum() == pytest.approx(used["dollars"].sum(), abs=slack)


@pytest.mark.parametrize(
    ("strike", "interest", "expiry_row"),
    [(1.0, 1e7, 0), (1e6, 1e7, 0), (101.0, 1e9, 1), (60.0, 1e7, 5), (400.0, 1.0, 5)],
    ids=["strike-1", "strike-a-million", "huge-interest", "below-the-grid", "far-above"],
)
def test_single_contracts_far_from_the_grid(
    tmp_path: Path, strike: float, interest: float, expiry_row: int
) -> None:
    """One contract whose peak lies off the profile, or dwarfs everything else."""
    base = random_chain(np.random.default_rng(2), SESSIONS[0], Oddities())
    row = base[base["expiry"] == sorted(base["expiry"].unique())[min(expiry_row, 3)]].iloc[[0]]
    chain = row.assign(strike=strike, open_interest=interest, iv=0.2, spot=100.0, right="C")
    chosen = Settings()
    lake = one_lake(tmp_path, chain)
    found = engine_rows(lake, "SPX", chosen, "naive").set_index("book")
    profile = engine_side(lake, "profile", "SPX", chosen, "naive")
    for book in BOOKS:
        if not value_book(chain, book, chosen).contracts["used"].any():
            continue
        curve = exposure_curve(value_book(chain, book, chosen), "naive")
        wanted = regime_row(chain, book, settings=chosen)
        assert found.loc[book, "regime"] == wanted["regime"]
        net = profile.loc[profile["book"] == book, "net_gex"].to_numpy()
        exact = np.array([curve.net(float(u)) for u in GRID])
        assert np.abs(net - exact).max() <= 1e-12 * np.abs(exact).max()


def test_copy_of_the_previous_session(tmp_path: Path) -> None:
    """95 % of the contracts that both sessions hold repeat: the later day is degraded."""
    first = random_chain(np.random.default_rng(8), SESSIONS[0], Oddities())
    second = first.assign(
        session=pd.Timestamp("2022-04-14").date(),
        quote_ts=first["quote_ts"] + pd.Timedelta(days=1),
        known_at=first["known_at"] + pd.Timedelta(days=1),
    )
    changed = second.copy()
    many = changed.index[: len(changed) // 10]
    changed.loc[many, "open_interest"] = changed.loc[many, "open_interest"].fillna(0.0) + 7.0
    chosen = replace(Settings(), rate=0.03)
    for name, later in {"copy": second, "changed": changed}.items():
        lake = one_lake(tmp_path / name, first, later)
        rows = engine_rows(lake, "SPX", chosen, "naive")
        for book in BOOKS:
            wanted = regime_row(later, book, settings=chosen, previous=first)
            found = rows[(rows["book"] == book) & (rows["session"] == "2022-04-14")].iloc[0]
            assert found["quality"] == wanted["quality"]
            assert ("copy_of_previous_session" in found["quality"]) == (name == "copy")
            assert_same_row(dict(found), wanted)
