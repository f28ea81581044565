"""Markets without chains: the same from run to run, and consistent with themselves."""

from __future__ import annotations

import multiprocessing
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from gexlab.data import GexlabError, trading_calendar
from gexlab.data.simulate import simulate_path
from gexlab.data.simulate.market.listings import Expiry
from gexlab.data.simulate.market.market import _most_quoted
from gexlab.data.simulate.market.path_kernels import grid_gamma
from gexlab.data.simulate.market.prices import draws_of


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


def test_implied_volatility_follows_squared_returns_with_a_memory_of_94_percent() -> None:
    """IV is 1.1 times the volatility of a year plus 2 points."""
    market = simulate_path("S1", sessions=40, seed=2, parameters={"dynamics": "constant"})
    daily = ((market.gammas["iv"] - 0.02) / 1.1) ** 2 / 252.0
    returns = np.diff(np.log(market.bars[:, -1, 3]))
    np.testing.assert_allclose(daily[1:], 0.94 * daily[:-1] + 0.06 * returns**2, rtol=1e-9)


def test_gamma_on_the_grid_is_blacks() -> None:
    """5 calls struck 3 % above the spot and 2 puts 1 % below it, a month to go, no carry."""
    calls, puts = np.zeros(2_048), np.zeros(2_048)
    level, origin, iv = 8.0, 800 - 1_024, 0.2
    calls[1_027], puts[1_023] = 5.0, 2.0
    v, spot = iv * np.sqrt(21.0 / 252.0), np.exp(8.0)
    d1 = np.array([-0.03, 0.01]) / v + v / 2.0
    each = 100.0 * np.array([5.0, 2.0]) * norm.pdf(d1) / (spot * v) * spot**2 * 0.01
    found = grid_gamma(calls, puts, level, origin, iv)
    assert found == pytest.approx((each[0] - each[1], each.sum()), rel=1e-12)


def test_a_session_draws_only_what_its_world_needs() -> None:
    for pin, agents in ((0.0, False), (1.0, True)):
        mechanism = SimpleNamespace(pin=pin, agents=agents)
        setting: Any = SimpleNamespace(minutes=5, mechanism=mechanism)
        found = draws_of(setting, np.random.default_rng(1))
        assert (found.shocks.size, found.uniforms.shape) == (79, (78, 2))
        assert found.pin.size == (500 if pin else 0)
        assert (found.orders > 0) is agents


def test_the_book_has_room_for_as_many_expirations_as_are_quoted_at_once() -> None:
    """On the third day the first and the last, on the fourth and fifth the others."""
    spans = [(0, 2), (3, 5), (2, 4)]
    schedule = tuple(Expiry(date(2026, 1, 16), "PM", *span, monthly=False) for span in spans)
    assert _most_quoted(schedule) == 2
