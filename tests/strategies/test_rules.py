"""Targets by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import targets_of

from gexlab.data.base.errors import ConfigError, UnknownNameError
from gexlab.strategies.components import built_in
from gexlab.strategies.registry import (
    MAIN,
    STRATEGIES,
    is_control,
    make_strategy,
    strategies_named,
    strategy,
    with_controls,
)
from gexlab.strategies.rules.returns import Follow, Hold
from gexlab.strategies.sizings.basic import Fixed

CLOSES = np.array([100.0, 101.0, 101.0, 99.0, 102.0])


def _target(rule: str, **parameters: Any) -> list[float]:
    return targets_of(rule, CLOSES, **parameters).tolist()  # type: ignore[no-any-return]


def test_fading_is_against_the_last_return_and_following_with_it() -> None:
    np.testing.assert_equal(_target("fade"), [np.nan, -1.0, 0.0, 1.0, -1.0])
    np.testing.assert_equal(_target("follow"), [np.nan, 1.0, 0.0, -1.0, 1.0])


def test_a_longer_lookback() -> None:
    # over two sessions: 101/100, 99/101, 102/101
    np.testing.assert_equal(_target("follow", lookback=2), [np.nan, np.nan, 1.0, -1.0, 1.0])


def test_rules_that_read_no_bars() -> None:
    assert _target("flat") == [0.0] * 5
    assert _target("hold") == [1.0] * 5
    rules = {name: made() for name, made in built_in("rule").items()}
    assert {name for name, rule in rules.items() if not rule.inputs()} == {"flat", "hold"}


def test_a_scaled_signal_is_the_move_in_units_of_its_volatility() -> None:
    # +1 % and -1 % in turn, so that the last 21 returns have a known spread; then half a move
    steps = np.array([0.01 if i % 2 else -0.01 for i in range(40)])
    closes = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + steps, [1.004]]))
    found = targets_of("follow", closes, scale="scaled")
    window = np.concatenate([steps[-20:], [0.004]])
    assert found[-1] == pytest.approx(0.004 / np.std(window, ddof=1))
    assert np.isnan(found[20])
    assert np.nanmax(np.abs(found)) <= 1.0


def test_a_scaled_move_over_several_sessions_grows_with_the_root_of_their_number() -> None:
    steps = np.array([0.01 if i % 2 else -0.01 for i in range(40)])
    closes = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + steps, [1.004, 1.0, 1.0]]))
    found = targets_of("follow", closes, scale="scaled", lookback=4)
    window = np.concatenate([steps[-18:], [0.004, 0.0, 0.0]])
    move = 1.01 * 1.004 - 1.0
    assert found[-1] == pytest.approx(move / (np.std(window, ddof=1) * 2.0), rel=1e-9)
    assert abs(found[-1]) < 1.0


def test_a_calm_window_holds_no_trace_of_earlier_moves() -> None:
    # 21 sessions without a move: no unit, although a running sum would leave 1e-9 of the storm
    closes = 100.0 * np.cumprod(np.concatenate([[1.0, 1.5, 0.5, 1.37], np.ones(30)]))
    found = targets_of("follow", closes, scale="scaled", lookback=28)
    assert np.isnan(found[-1])


def test_without_volatility_a_scaled_signal_is_undefined() -> None:
    found = targets_of("fade", np.full(30, 100.0), scale="scaled")
    assert np.isnan(found).all()


def test_the_built_in_strategies() -> None:
    assert list(STRATEGIES) == [
        "fade-long-follow-short",
        "follow-long-fade-short",
        "always-fade",
        "always-follow",
        "buy-and-hold",
    ]
    main = strategy(MAIN)
    rules = (main.long, main.short, main.neutral, main.rule("abstain"))
    assert tuple(rule.name for rule in rules) == (
        "fade",
        "follow",
        "flat",
        "flat",
    )
    assert [s.name for s in strategies_named()] == list(STRATEGIES)


def test_changing_a_built_in_strategy() -> None:
    changed = make_strategy("buy-and-hold", size=0.5)
    assert (changed.long.name, changed.sizing) == ("hold", Fixed(0.5))
    assert make_strategy("mine", lookback=5).short == Follow(5)


@pytest.mark.parametrize(
    ("name", "changes", "nearest"),
    [
        ("buy-and-hald", {}, "buy-and-hold"),
        ("buy_and_hold", {}, "buy-and-hold"),
        ("Always-Fade", {"size": 0.5}, "always-fade"),
        ("alway-follow", {"lookback": 5}, "always-follow"),
        ("fade-long-folow-short", {"long": "fade", "short": "follow"}, "fade-long-follow-short"),
        ("follow-long-fade-shrot", {"neutral": "hold"}, "follow-long-fade-short"),
        ("buy-hold", {}, "buy-and-hold"),
    ],
)
def test_a_misspelt_control_is_an_error(name: str, changes: dict[str, Any], nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{nearest}'"):
        make_strategy(name, **changes)


def test_a_name_alone_says_nothing() -> None:
    with pytest.raises(UnknownNameError, match="give a strategy of your own another name"):
        make_strategy("mine")
    assert make_strategy("always-fade-5", lookback=5).name == "always-fade-5"
    assert make_strategy("hold-in-short", long="flat", short="hold").short == Hold()


def test_controls_join_whatever_is_chosen() -> None:
    names = ["follow-long-fade-short", "always-fade", "always-follow", "buy-and-hold"]
    mine = make_strategy("mine", filter="always", long="hold")
    assert [s.name for s in with_controls([mine])] == ["mine", *names]
    half = make_strategy("buy-and-hold", size=0.5)
    held = with_controls([half])
    assert [s.name for s in held] == ["buy-and-hold", *names[:3], "buy-and-hold (as built in)"]
    assert [is_control(s) for s in held] == [False, True, True, True, True]
    assert held[-1].sizing == Fixed()
    assert [s.name for s in with_controls([strategy("buy-and-hold")])] == [
        "buy-and-hold",
        *names[:3],
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter": "sing"}, "unknown filter 'sing': did you mean 'sign'"),
        ({"long": "fad"}, "unknown rule 'fad': did you mean 'fade'"),
        ({"neutral": "x"}, "unknown rule 'x'"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        make_strategy("mine", **changes)


def test_an_exit_above_the_entry_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"exit 0\.9 lies above enter 0\.8"):
        make_strategy("mine", filter="percentile", enter=0.8, exit=0.9)


def test_an_unknown_strategy() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'always-fade'"):
        strategy("always-fad")
