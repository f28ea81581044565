"""The named peer rules against the published comparison, to the printed digit."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from golden_peers import (
    ALL_ROOTS,
    CONTRACTS,
    FIRST_PER_STRIKE,
    GROSS,
    NET_TO_GROSS,
    ROWS,
    WALLS,
    Golden,
    golden_cells,
)
from reference_data import cboe_quote_table

from gexlab.data import ingest, rebuild, regimes
from gexlab.data.base.errors import UnknownNameError
from gexlab.data.peers import exposures
from gexlab.data.peers.exposures import PeerRow, peer_row
from gexlab.data.peers.rules import PEER_RULES, peer_rule

INDICES = ("SPX", "NDX", "RUT")


@lru_cache(maxsize=3)
def chain_of(shared_data: Path, underlying: str) -> pd.DataFrame:
    return cboe_quote_table(shared_data, underlying)


@cache
def row_of(shared_data: Path, underlying: str, rule: str) -> PeerRow:
    return peer_row(chain_of(shared_data, underlying), peer_rule(rule))


@pytest.mark.parametrize("cell", golden_cells(), ids=lambda c: f"{c.rule}-{c.underlying}")
def test_published_numbers(shared_data: Path, cell: Golden) -> None:
    row = row_of(shared_data, cell.underlying, cell.rule)
    if cell.net is not None:
        assert round(row.net_gex / 1e9, 3) == cell.net
    if cell.nearest is not None:
        assert round(row.flip, 1) == pytest.approx(cell.nearest, abs=1e-9)
    if cell.n_roots is not None:
        assert len(row.roots) == cell.n_roots


@pytest.mark.parametrize(("rule", "underlying"), ALL_ROOTS)
def test_all_published_roots(shared_data: Path, rule: str, underlying: str) -> None:
    roots = row_of(shared_data, underlying, rule).roots
    assert [round(level, 1) for level in roots] == pytest.approx(ALL_ROOTS[rule, underlying])


@pytest.mark.parametrize("underlying", INDICES)
def test_bold_row_at_spot(shared_data: Path, underlying: str) -> None:
    row = row_of(shared_data, underlying, "calendar-carry")
    assert row.contracts == CONTRACTS[underlying]
    assert round(row.gross_gex / 1e9, 2) == GROSS[underlying]
    assert round(row.net_gex / row.gross_gex, 3) == NET_TO_GROSS[underlying]


def _largest(values: pd.Series[float]) -> float:
    return float(values.index[int(values.to_numpy().argmax())])


@pytest.mark.parametrize("underlying", INDICES)
def test_published_walls(shared_data: Path, underlying: str) -> None:
    """The strikes that peers call walls, unsigned, come of the exposures behind a row."""
    rows = exposures._latest(chain_of(shared_data, underlying))
    spot = float(rows["spot"].median())
    used = exposures._contracts(rows, spot, peer_rule("calendar-carry"))
    signed = pd.Series(exposures._at_spot(used, spot), index=used.index)
    is_call, strike = used["right"] == "C", used["strike"]
    calls, puts = (side.groupby(strike).sum() for side in (signed[is_call], -signed[~is_call]))
    net = signed.groupby(strike).sum()
    interest = [used["open_interest"][side].groupby(strike).sum() for side in (is_call, ~is_call)]
    found = (
        *map(_largest, (calls, puts, calls[calls.index >= spot], puts[puts.index <= spot])),
        *map(_largest, (net, -net, *interest)),
    )
    assert found == WALLS[underlying]


@pytest.mark.parametrize("underlying", INDICES)
def test_first_change_by_strike_is_far_from_spot(shared_data: Path, underlying: str) -> None:
    roots = row_of(shared_data, underlying, "per-strike").roots
    assert round(roots[0], 1) == FIRST_PER_STRIKE[underlying]


def test_parity_of_five_strikes_fails_where_quotes_are_missing(shared_data: Path) -> None:
    """The S&P 500 table has hardly any bid: three contracts remain, which is no exposure."""
    assert row_of(shared_data, "SPX", "parity-five").contracts == 3


def test_first_crossing_is_not_the_nearest(shared_data: Path) -> None:
    """The tutorial takes the lowest of its zeros."""
    assert round(row_of(shared_data, "NDX", "perfiliev-first").flip, 1) == 10697.0


def test_unmoved_spot_gives_the_unmoved_number(shared_data: Path) -> None:
    """Smiles per root: pooling roots would change the number at spot."""
    chain = chain_of(shared_data, "SPX")
    sticky = peer_row(chain, peer_rule("sticky-moneyness"))
    plain = row_of(shared_data, "SPX", "calendar-carry")
    assert sticky.net_gex == pytest.approx(plain.net_gex, abs=1e-12 * plain.gross_gex)


def test_clipped_interpolation_returns_an_end(shared_data: Path) -> None:
    row = row_of(shared_data, "NDX", "jensolson")
    assert row.flip == pytest.approx(row.spot - 100.0, abs=1e-9)


def test_every_rule_has_a_published_row() -> None:
    assert {name for name, *_ in ROWS} == set(PEER_RULES) - {"perfiliev-first"}


def test_identifiers_are_all_different() -> None:
    assert len({rule.definition_id for rule in PEER_RULES.values()}) == len(PEER_RULES)
    assert all(rule.definition_id.startswith("peer-") for rule in PEER_RULES.values())


def test_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'zerogex'"):
        peer_rule("zerogx")


def test_a_chain_without_usable_rows_has_no_numbers(shared_data: Path) -> None:
    chain = chain_of(shared_data, "RUT").assign(iv_quoted=np.nan)
    row = peer_row(chain, peer_rule("calendar-carry"))
    assert row.contracts == 0
    assert np.isnan([row.net_gex, row.gross_gex, row.flip]).all()
    assert row.roots == ()


@pytest.mark.parametrize("underlying", INDICES)
def test_open_interest_without_greeks(shared_data: Path, underlying: str) -> None:
    """Facts about the file itself: shares of open interest that the vendor leaves unvalued."""
    published = {
        "SPX": (0.306, 0.084, 0.019, 0.0005),
        "NDX": (0.307, 0.002, 0.024, 0.092),
        "RUT": (0.072, 0.023, 0.008, 0.059),
    }
    chain = chain_of(shared_data, underlying)
    interest = chain["open_interest"] / chain["open_interest"].sum()
    today = chain["expiry"] == chain["session"]
    shares = [
        interest[mask].sum() for mask in (chain["gamma"] == 0, chain["iv_quoted"] == 0, today)
    ]
    used = chain[(chain["open_interest"] > 0) & (chain["iv_quoted"] > 0) & ~today]
    sides = used.pivot_table(
        index=["expiry", "root", "strike"], columns="right", values="iv_quoted"
    )
    gap = (sides["C"] - sides["P"]).abs().median()
    assert [round(share, 3) for share in shares] == list(published[underlying][:3])
    assert round(gap, 4 if underlying == "SPX" else 3) == published[underlying][3]


@pytest.fixture(scope="module")
def vendor_lake(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the quote tables, ingested by their vendor's preset."""
    folder = tmp_path_factory.mktemp("golden")
    for underlying in ("NDX", "RUT"):
        file = shared_data / "raw" / f"cboe_quote_table_{underlying.lower()}_20221212.csv"
        ingest([file], vendor="cboe_quote_table", underlying=underlying, lake=folder)
    return folder


#: The smallest table in every row (it has the volatilities outside the range), another in two.
THROUGH_THE_LAKE = [
    cell
    for cell in golden_cells()
    if cell.underlying == "RUT"
    or (cell.underlying == "NDX" and cell.rule in ("perfiliev", "calendar-carry"))
]


@pytest.mark.parametrize("cell", THROUGH_THE_LAKE, ids=lambda c: f"{c.rule}-{c.underlying}")
def test_named_definitions_through_the_lake(vendor_lake: Path, cell: Golden) -> None:
    """What `gexlab ingest` and `gexlab rebuild --definition NAME` give."""
    rule = peer_rule(cell.rule)
    rebuild(vendor_lake, cell.underlying, definition=rule)
    row = regimes(vendor_lake, cell.underlying, definition_id=rule.definition_id).iloc[0]
    if cell.net is not None:
        assert round(row["net_gex"] / 1e9, 3) == cell.net
    if cell.nearest is not None:
        assert round(row["flip"], 1) == pytest.approx(cell.nearest, abs=1e-9)
    if cell.n_roots is not None:
        assert row["n_roots"] == cell.n_roots
