"""Peer rules through the lake: rows beside gexlab's own, never mixed with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lakes import lake_of
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import Lake, look_alike_flips, rebuild, regimes, side_table
from gexlab.data.base.errors import DefinitionError, UnknownNameError
from gexlab.data.peers.exposures import peer_row
from gexlab.data.peers.rules import PEER_RULES, peer_rule
from gexlab.data.regimes.store_choice import spec_chosen
from gexlab.data.regimes.table import require_one_definition
from gexlab.reports.cli.arguments import definition_from


@pytest.fixture
def chains() -> list[pd.DataFrame]:
    """Three sessions; the last repeats the one before it."""
    first = random_chain(np.random.default_rng(1), SESSIONS[0], Oddities())
    second = random_chain(np.random.default_rng(2), SESSIONS[3], Oddities())
    day = pd.Timedelta(days=4)  # the Monday is a holiday
    third = second.assign(
        session=pd.Timestamp("2022-06-21").date(),
        quote_ts=second["quote_ts"] + day,
        known_at=second["known_at"] + day,
    )
    return [first, second, third]


@pytest.fixture
def lake(tmp_path: Path, chains: list[pd.DataFrame]) -> Lake:
    return lake_of(tmp_path / "lake", "SPX", *chains)


@pytest.mark.parametrize("name", PEER_RULES)
def test_rows_are_those_of_the_rule(lake: Lake, chains: list[pd.DataFrame], name: str) -> None:
    rule = peer_rule(name)
    result = rebuild(lake, "SPX", definition=rule)
    assert (result.sessions, result.rebuilt) == (3, 3)
    rows = regimes(lake, "SPX", definition_id=rule.definition_id)
    roots = side_table(lake, "flip_roots", "SPX", definition_id=rule.definition_id)
    assert rows["book"].unique().tolist() == ["as_of_close"]
    for chain, (_, row) in zip(chains, rows.iterrows(), strict=True):
        wanted = peer_row(chain.assign(gamma=np.nan), rule)
        assert row["contracts_used"] == wanted.contracts
        net = wanted.net_gex if wanted.gross_gex > 0.0 else np.nan
        assert row["net_gex"] == pytest.approx(net, rel=1e-12, nan_ok=True)
        assert row["flip"] == pytest.approx(wanted.flip, rel=1e-12, nan_ok=True)
        mine = roots[roots["session"] == row["session"]]
        assert mine["level"].tolist() == pytest.approx(list(wanted.roots), rel=1e-12)
        assert mine["direction"].tolist() == list(wanted.directions)


def test_second_run_computes_nothing(lake: Lake) -> None:
    rule = peer_rule("perfiliev-60")
    rebuild(lake, "SPX", definition=rule)
    assert rebuild(lake, "SPX", definition=rule).rebuilt == 0


def test_gate_holds_for_peers_too(lake: Lake) -> None:
    rebuild(lake, "SPX", definition=peer_rule("perfiliev-60"))
    last = regimes(lake, "SPX").iloc[-1]
    # the market lists a weekly expiry twice on that session: once for itself, once as the month's
    assert last["quality"] == "copy_of_previous_session,contradicting_duplicates"
    assert (last["regime"], last["flip_status"]) == ("abstain", "degraded")


def test_never_mixed_with_own_rows(lake: Lake) -> None:
    own = rebuild(lake, "SPX")
    peer = rebuild(lake, "SPX", definition=peer_rule("perfiliev-60"))
    first = regimes(lake, "SPX", definition_id=own.definition_id)
    second = regimes(lake, "SPX", definition_id=peer.definition_id)
    assert require_one_definition(second).startswith("peer-")
    with pytest.raises(DefinitionError, match="2 definitions"):
        require_one_definition(pd.concat([first, second]))


def test_profile_of_a_rule_is_refused(lake: Lake) -> None:
    rebuild(lake, "SPX", definition=peer_rule("perfiliev-60"))
    with pytest.raises(DefinitionError, match="rebuild"):
        side_table(lake, "profile", "SPX")
    with pytest.raises(DefinitionError, match="peer rule 'perfiliev-60'"):
        spec_chosen(lake, "SPX")


def test_names_on_the_command_line() -> None:
    assert definition_from("zerogex", {"rate": None}) is PEER_RULES["zerogex"]
    with pytest.raises(DefinitionError, match="rate"):
        definition_from("zerogex", {"rate": 0.04})
    with pytest.raises(UnknownNameError, match="did you mean 'zerogex'"):
        definition_from("zerogx", {})


def test_look_alikes_stand_beside_each_rebuilt_session(lake: Lake) -> None:
    rebuild(lake, "SPX")
    found, rows = look_alike_flips(lake, "SPX"), regimes(lake, "SPX")
    assert found["session"].nunique() == 3
    where = ["session", "book"]
    pd.testing.assert_frame_equal(found[[*where, "flip"]], rows[[*where, "flip"]])
