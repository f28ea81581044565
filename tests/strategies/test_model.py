"""What a strategy says about itself."""

from __future__ import annotations

import re

import pytest

from gexlab.data.base.errors import ConfigError
from gexlab.strategies.component import Component, Filter, Kind
from gexlab.strategies.components import built_in
from gexlab.strategies.filters.ranks import Percentile
from gexlab.strategies.filters.sign import source_of
from gexlab.strategies.model import Strategy
from gexlab.strategies.registry import _distance
from gexlab.strategies.rules.returns import Fade, Flat, Follow, Hold, Rsi
from gexlab.strategies.sizings.basic import VolatilityTarget


@pytest.mark.parametrize(
    ("long", "short", "neutral", "expected"),
    [
        (Fade(5), Follow(5), Hold(), {"lookback": 5, "scale": "sign"}),
        (Fade(5), Follow(10), Flat(), {"lookback": 5, "scale": "sign", "short.lookback": 10}),
        (Hold(), Follow(10), Fade(5), {"lookback": 10, "scale": "sign", "neutral.lookback": 5}),
        (
            Fade(1),
            Follow(2, "scaled"),
            Fade(1, "scaled"),
            {
                "lookback": 1,
                "scale": "sign",
                "short.lookback": 2,
                "short.scale": "scaled",
                "neutral.scale": "scaled",
            },
        ),
        (Hold(), Flat(), Flat(), {}),
    ],
)
def test_the_parameters_of_three_rules(
    long: Fade | Hold,
    short: Follow | Flat,
    neutral: Fade | Hold | Flat,
    expected: dict[str, object],
) -> None:
    found = Strategy("mine", long=long, short=short, neutral=neutral).parameters()
    assert found == expected | {"on": "regime", "band": None, "size": 1.0}


def test_parts_that_share_a_name_keep_their_own_values() -> None:
    mine = Strategy(
        "mine",
        filter=Percentile(window=126),
        long=Rsi(window=14),
        sizing=VolatilityTarget(window=63),
    )
    found = mine.parameters()
    assert (found["window"], found["filter.window"], found["sizing.window"]) == (14, 126, 63)


def test_an_identity_has_twelve_digits() -> None:
    found = Strategy("mine").strategy_id
    assert re.fullmatch("[0-9a-f]{12}", found)
    assert found == Strategy("of another name").strategy_id
    assert found != Strategy("mine", long=Fade(2)).strategy_id


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("regime", "the regime"),
        ("series.vix", "series vix"),
        ("series.a.b", "series a.b"),
        ("regime.net_vex", "regime.net_vex"),
        ("bar.net_to_gross", "bar.net_to_gross"),
    ],
)
def test_a_column_in_words(column: str, words: str) -> None:
    assert source_of(column) == words


def test_what_decides_at_the_close_is_not_intraday() -> None:
    assert not Strategy("mine").intraday
    rechecked = built_in("filter")["rechecked"]()
    assert isinstance(rechecked, Filter)
    assert Strategy("mine", filter=rechecked, long=Hold(), short=Flat()).intraday


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("hold", "hold", 0),
        ("hold", "", 4),
        ("", "hold", 4),
        ("hold", "hol", 1),
        ("hol", "hold", 1),
        ("ahold", "hold", 1),
        ("hald", "hold", 1),
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("abcdef", "azced", 3),
    ],
)
def test_letters_between_two_names(a: str, b: str, distance: int) -> None:
    """Wagner and Fischer's textbook examples among them."""
    assert _distance(a, b) == distance


#: Kind and name of every component that has bounds: parameter to lowest and highest value.
BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "filter block-shuffle": {"block": (1, 100000.0), "seed": (0, 1e18)},
    "filter change": {"lookback": (1, 100000.0)},
    "filter expiration-week": {"before": (0, 60), "after": (0, 60)},
    "filter flip-side": {"band": (0.0, 1.0)},
    "filter garch-forecast": {"history": (100, 100000.0), "refit": (1, 100000.0)},
    "filter hidden-markov": {"history": (100, 100000.0), "refit": (1, 100000.0)},
    "filter hysteresis": {"enter": (0.0, 1.0), "exit": (0.0, 1.0)},
    "filter lagged": {"sessions": (1, 100000.0)},
    "filter markov": {"stay_long": (0.0, 1.0), "stay_short": (0.0, 1.0), "seed": (0, 1e18)},
    "filter moving-average": {"window": (2, 10000.0), "band": (0.0, 1.0)},
    "filter net-to-gross": {"level": (0.0, 1.0)},
    "filter percentile": {"window": (2, 100000.0), "enter": (0.5, 1.0), "exit": (0.5, 1.0)},
    "filter realised-volatility": {"window": (2, 10000.0), "history": (2, 100000.0)},
    "filter rechecked": {"band": (0.0, 1.0)},
    "filter residual": {"window": (3, 100000.0), "enter": (0.5, 1.0), "exit": (0.5, 1.0)},
    "filter sign": {"band": (0.0, 1.0)},
    "filter tercile": {"window": (2, 100000.0)},
    "filter trend": {"lookback": (1, 10000.0)},
    "filter z-score": {"window": (3, 100000.0), "level": (0.0, 1000.0)},
    "rule bollinger": {"window": (2, 10000.0), "width": (0.0, 100.0)},
    "rule breakout": {"sessions": (1, 10000.0)},
    "rule fade": {"lookback": (1, 10000.0)},
    "rule failed-breakout": {"sessions": (1, 10000.0)},
    "rule first-hour-fade": {"minutes": (1, 1440)},
    "rule follow": {"lookback": (1, 10000.0)},
    "rule gap-fade": {"least": (0.0, 1.0)},
    "rule last-half-hour": {"minutes": (1, 1440)},
    "rule mean-distance": {"window": (2, 10000.0), "full": (1e-09, 1000000000.0)},
    "rule opening-range": {"minutes": (1, 1440)},
    "rule pin": {"before": (0, 60), "nearest": (0.0, 1.0)},
    "rule rsi": {"window": (1, 10000.0), "low": (0.0, 100.0), "high": (0.0, 100.0)},
    "sizing fixed": {"size": (1e-09, 20.0)},
    "sizing strength": {"full": (1e-09, 1.0)},
    "sizing turnover-limit": {"most": (1e-09, 2.0)},
    "sizing volatility-target": {
        "target": (1e-09, 10.0),
        "window": (2, 10000.0),
        "cap": (1e-09, 20.0),
    },
}


def _made(kind: str, name: str, **parameters: float) -> Component:
    kinds: dict[str, Kind] = {"filter": "filter", "rule": "rule", "sizing": "sizing"}
    return built_in(kinds[kind])[name](**parameters)


@pytest.mark.parametrize("which", BOUNDS)
def test_bounds(which: str) -> None:
    kind, _, name = which.partition(" ")
    for parameter, (low, high) in BOUNDS[which].items():
        assert _made(kind, name).bounds[parameter] == (low, high)
        whole = isinstance(_made(kind, name).parameters()[parameter], int)
        step = 1 if whole else 1e-9 * max(1.0, abs(high))
        for beyond in (low - step, high + step):
            if beyond in (low, high):
                continue
            with pytest.raises(ConfigError, match=parameter):
                _made(kind, name, **{parameter: int(beyond) if whole else beyond})


def test_every_component_with_bounds_is_named_here() -> None:
    kinds: tuple[Kind, ...] = ("filter", "rule", "sizing")
    found = {f"{kind} {n}" for kind in kinds for n, made in built_in(kind).items() if made().bounds}
    assert found == set(BOUNDS)
