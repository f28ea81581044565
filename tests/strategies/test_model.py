"""What a strategy says about itself."""

from __future__ import annotations

import pytest

from gexlab.strategies.filters.ranks import Percentile
from gexlab.strategies.model import Strategy
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
