"""Markets without chains: the same from run to run, and consistent with themselves."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pytest

from gexlab.data import GexlabError, trading_calendar
from gexlab.data.simulate import simulate_path


def _closes(seed: int) -> bytes:
    closes: bytes = simulate_path("S6", sessions=50, seed=seed).bars.tobytes()
    return closes


def test_a_seed_is_the_same_market_in_every_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.map(_closes, [4, 5])
    assert there == [_closes(4), _closes(5)]
    assert there[0] != there[1]


def test_frames_say_what_the_arrays_say() -> None:
    market = simulate_path("S1", sessions=30, seed=2, with_flip=True)
    daily, intraday, gamma = market.daily(), market.intraday(), market.gamma()
    assert list(daily.columns) == ["open", "high", "low", "close"]
    assert len(intraday) == 30 * 78
    by_session = intraday.groupby("session")
    np.testing.assert_array_equal(by_session["close"].last(), daily["close"])
    np.testing.assert_array_equal(by_session["high"].max(), daily["high"])
    calendar = trading_calendar()
    day = daily.index[4].date()
    assert intraday["ts"].iloc[4 * 78] == calendar.open_of(day)
    assert gamma["known_at"].iloc[4] == calendar.open_of(calendar.shift(day, 1))
    assert (gamma["spot"] == daily["close"]).all()


def test_the_flip_is_a_root_of_the_books_gamma() -> None:
    # the naive book is long above its flip nearest to spot or below it; at spot the sign of the
    # gamma must be the sign of that side
    market = simulate_path("S3", sessions=400, seed=2, with_flip=True)
    flip, spot = market.gammas["flip"], market.bars[:, -1, 3]
    found = ~np.isnan(flip)
    assert found.mean() > 0.5
    assert (np.abs(np.log(flip[found] / spot[found])) <= 0.2 + 1e-12).all()
    # calls sold above and puts bought below: long above the flip on nearly every day
    above = spot[found] > flip[found]
    assert (above == (market.gammas["net_gex"][found] > 0)).mean() > 0.95


def test_kappa_is_the_gamma_of_the_session_before() -> None:
    market = simulate_path("S1", sessions=100, seed=2)
    net = market.gammas["true_net_gex"]
    np.testing.assert_allclose(market.effects["kappa"][1:], 2e-13 * 100 * net[:-1], rtol=1e-12)


@pytest.mark.parametrize("changes", [{"minutes": 7}, {"sessions": 0}, {"sessions": 10**6}])
def test_bad_requests_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(GexlabError, match="expected"):
        simulate_path("S1", **({"sessions": 10, "seed": 1} | changes))
