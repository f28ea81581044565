"""The agents' order book: what it conserves, and when it fails."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data import GexlabError
from gexlab.data.simulate import Agents, failure_rate, simulate_path
from gexlab.data.simulate.market.agent_kernels import LEVELS, agent_session, seed_book
from gexlab.data.simulate.market.agents import agent_bars

# Buis et al. (2024), table 1, panel A, as reported by a replication: share of failed markets by
# the hedger's position
PUBLISHED = {0.3: (0.0, 0.0, 0.0), 0.35: (0.5, 0.0, 0.0), 0.4: (1.0, 0.85, 0.0)}


@pytest.mark.parametrize("immediacy", PUBLISHED)
def test_failure_falls_with_the_hedgers_gamma(immediacy: float) -> None:
    agents = Agents(immediacy=immediacy)
    found = [failure_rate(p, markets=10, seed=1, agents=agents) for p in (-80, -40, 0, 80)]
    assert found == sorted(found, reverse=True)
    short, _, long = PUBLISHED[immediacy]
    assert (found[0] > 0.3) == (short > 0.3)
    assert found[-1] == long


@examples(15)
@given(
    position=st.floats(-80, 80),
    immediacy=st.floats(0.0, 0.6),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_book_never_crosses_and_holds_no_negative_volume(
    position: float, immediacy: float, seed: int
) -> None:
    numbers = Agents(immediacy=immediacy).numbers(position)
    book, own = np.empty((2, LEVELS)), np.empty((2, LEVELS))
    seed_book(numbers, book, own)
    source = np.random.default_rng(seed)
    counts = source.poisson(40, 20)
    draws = source.random((int(counts.sum()), 4))
    draws[:, 2] = source.standard_normal(len(draws))
    out = np.empty((20, 4))
    done = agent_session(numbers, book, own, np.full(20, LEVELS / 2), counts, draws, out)
    assert (book >= 0).all()
    assert (own >= 0).all()
    if done == 20:
        bids, asks = np.flatnonzero(book[0] > 1e-9), np.flatnonzero(book[1] > 1e-9)
        assert bids.max() < asks.min()
        assert (out[:, 1] >= out[:, [0, 3]].max(axis=1)).all()
        assert (out[:, 2] <= out[:, [0, 3]].min(axis=1)).all()


def test_a_hedger_without_options_does_nothing() -> None:
    news = np.zeros(78)
    one = agent_bars(0.0, news, np.random.default_rng(1), Agents())
    other = agent_bars(1e-300, news, np.random.default_rng(1), Agents())
    np.testing.assert_array_equal(one[0], other[0])


def test_longer_gamma_calms_the_mid() -> None:
    moves = []
    for position in (-60.0, 0.0, 60.0):
        bars = [
            agent_bars(position, np.zeros(78), np.random.default_rng(k), Agents())[0]
            for k in range(20)
        ]
        moves.append(np.mean([np.std(b[:, 3] - b[:, 0]) for b in bars]))
    assert moves[0] > moves[1] > moves[2]


def test_what_makes_no_book_is_refused() -> None:
    with pytest.raises(GexlabError, match="immediacy: expected a share"):
        Agents(immediacy=1.5)
    with pytest.raises(GexlabError, match="choose a larger tick"):
        Agents(tick=1e-6)
    wide: tuple[dict[str, Any], ...] = ({"spread": 25.0}, {"spread": 0.0, "spread_sd": 0.001})
    for wrong in wide:
        with pytest.raises(GexlabError, match=r"spread \+ 4 spread_sd: expected 1 to 1999 ticks"):
            Agents(**wrong)
    for name in ("orders", "spread_sd", "decay", "option_sd"):
        with pytest.raises(GexlabError, match=f"{name}: expected more than 0"):
            Agents(**cast("Any", {name: 0.0}))
    with pytest.raises(GexlabError, match="order book"):
        simulate_path("S8", sessions=10, seed=1)


@pytest.mark.parametrize("name", ["immediacy", "informed", "decay"])
def test_a_share_may_be_nothing_or_all(name: str) -> None:
    changed: Any
    for changed in ({name: 1e-9 if name == "decay" else 0.0}, {name: 1.0}):
        assert getattr(Agents(**changed), name) == changed[name]
    for changed in ({name: -0.01}, {name: 1.01}):
        with pytest.raises(GexlabError, match="a share between 0 and 1"):
            Agents(**changed)
