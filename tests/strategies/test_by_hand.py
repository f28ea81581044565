"""Every built-in component on a few sessions worked out by hand; none may be left out."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from gexlab.strategies import Column, Evaluation, Panel, make_component
from gexlab.strategies.component import Filter, Kind, Rule, Sizing
from gexlab.strategies.components import built_in
from gexlab.strategies.filters.price import filtered_wild, fit_two_states

NAN: Final = float("nan")
LETTERS: Final = "ALSN"
#: Codes of the regime's own label: long, short, neutral, abstain.
LABEL: Final = [1.0, 2.0, 3.0, 0.0]


def panel_with(columns: dict[str, list[float]]) -> Panel:
    """Return a panel of columns by session, each value known at once."""
    n = len(next(iter(columns.values()))) if columns else 4
    sessions = pd.date_range("2024-01-01", periods=n, name="session")
    known = sessions.to_numpy().astype("datetime64[ns]")
    made = {
        name: Column(name, np.array(values, dtype=np.float64), known)
        for name, values in columns.items()
    }
    return Panel(sessions, made)


def evaluation_with(columns: dict[str, list[float]]) -> Evaluation:
    """Return an evaluation in which nothing is too late."""
    panel = panel_with(columns)
    return Evaluation(panel, np.full(len(panel.sessions), np.datetime64("NaT", "ns")))


def doubled(*closes: float) -> list[float]:
    """Return closes that begin at 100 and are multiplied by each factor in turn."""
    return [100.0, *(100.0 * np.cumprod(closes))]


def _calm_then_wild() -> list[float]:
    """Return closes: 150 sessions of 0.1 % up and down, then 50 of 3 %."""
    moves = np.concatenate([np.full(150, 0.001), np.full(50, 0.03)])
    # lengths of runs vary, so that neither model is fitted to a pure alternation
    signs = np.where(np.random.default_rng(3).random(200) < 0.5, -1.0, 1.0)
    return [100.0, *(100.0 * np.exp(np.cumsum(signs * moves)))]


# name, parameters, columns, labels as letters: A abstain, L long, S short, N neutral
FILTERS: Final[list[tuple[str, dict[str, Any], dict[str, list[float]], str]]] = [
    ("rechecked", {"band": 0.02}, {"bar.net_to_gross": [0.03, -0.02, 0.01, NAN]}, "LSNA"),
    ("sign", {}, {"regime.label": LABEL}, "LSNA"),
    ("sign", {"on": "series.x", "band": 0.5}, {"series.x": [1.0, -1.0, 0.4, NAN]}, "LSNA"),
    ("always", {}, {}, "LLLL"),
    # in at .05, out below .02, and the same mirrored
    (
        "hysteresis",
        {},
        {"regime.net_to_gross": [0.05, 0.03, 0.01, 0.03, -0.06, -0.02, NAN, -0.03]},
        "LLNNSSAN",
    ),
    ("net-to-gross", {"level": 0.1}, {"regime.net_to_gross": [0.1, -0.1, 0.09, NAN]}, "LSNA"),
    ("flip-side", {"band": 0.01}, {"regime.flip_distance": [0.02, -0.02, 0.005, NAN]}, "LSNA"),
    ("flip-distance", {}, {"regime.flip_distance": [0.01, -0.01, 0.0, NAN]}, "LSNA"),
    ("vanna-sign", {}, {"regime.net_vex": [5.0, -5.0, 0.0, NAN]}, "LSNA"),
    ("charm-sign", {}, {"regime.net_cex": [5.0, -5.0, 0.0, NAN]}, "LSNA"),
    (
        "zero-dte-share",
        {"most": 0.5},
        {"regime.label": [1.0, 2.0, 1.0, 1.0], "regime.gex_0dte_share": [0.5, 0.2, 0.6, NAN]},
        "LSNA",
    ),
    (
        "concentration",
        {"least": 0.1},
        {"regime.label": [1.0, 2.0, 1.0, 1.0], "regime.concentration": [0.1, 0.2, 0.05, NAN]},
        "LSNA",
    ),
    (
        "agreement",
        {},
        {"regime.label": [1.0, 2.0, 1.0, 1.0], "regime.definition_agreement": [0.9, 1.0, 0.8, NAN]},
        "LSNA",
    ),
    # 120 is nearest to 100 and above it, 190 to 200 and below it, 200 is a multiple
    ("round-numbers", {"step": 100.0}, {"close": [120.0, 190.0, 200.0, NAN]}, "LSNA"),
    ("level", {"level": 2.0, "on": "series.x"}, {"series.x": [1.9, 2.0, 3.0, NAN]}, "LSSA"),
    ("vix-level", {}, {"series.vix": [19.9, 20.0, 30.0, NAN]}, "LSSA"),
    (
        "vix-term-structure",
        {},
        {"series.vix": [15.0, 20.0, 18.0, NAN], "series.vix3m": [17.0, 18.0, 18.0, 18.0]},
        "LSNA",
    ),
    # 2 to 5 is up, 3 to 1 down, 5 to 5 unchanged
    ("change", {"lookback": 2}, {"regime": [2.0, 3.0, 5.0, 1.0, 5.0]}, "AALSN"),
    # ranks within three: 3 of 3, 3 of 3, 1 of 3, 2 of 3
    (
        "tercile",
        {"window": 3},
        {"regime": [1.0, 2.0, 3.0, 4.0, 0.0, 2.0]},
        "AALLSN",
    ),
    # ranks within two: 1 and 1/2; in at .9, out below .6, and short is at most 1 - .9
    (
        "percentile",
        {"window": 2, "enter": 0.9, "exit": 0.6},
        {"regime": [1.0, 2.0, 1.0, 3.0]},
        "ALNL",
    ),
    # (1, 2, 3): mean 2, deviation 1, 3 lies one above; (2, 3, 2): .58 below; (3, 2, 1): one
    # below; (2, 1, 3): one above; (1, 3, 2): none
    ("z-score", {"window": 3}, {"regime": [1.0, 2.0, 3.0, 2.0, 1.0, 3.0, 2.0]}, "AALSSLN"),
    # four steps of 1 % up or down have one volatility, then 5 % is more than its median
    (
        "realised-volatility",
        {"window": 2, "history": 3},
        {"close": doubled(1.01, 1.01, 1.01, 1.01, 1.05, 1.05, 1.0, 1.0)},
        "AAAASSSLL",
    ),
    ("trend", {"lookback": 2}, {"close": [100.0, 99.0, 101.0, 98.0, 101.0]}, "AALSN"),
    ("moving-average", {"window": 3}, {"close": [1.0, 2.0, 3.0, 1.0, 2.0]}, "AALSN"),
    ("day-of-week", {}, {"calendar.next_weekday": [0.0, 1.0, 2.0, 4.0]}, "LNSL"),
    (
        "expiration-week",
        {"before": 1, "after": 2},
        {
            "calendar.sessions_to_expiration": [2.0, 1.0, 0.0, 20.0, 19.0, 18.0],
            "calendar.sessions_since_expiration": [18.0, 19.0, 0.0, 1.0, 2.0, 3.0],
        },
        "NLLSSN",
    ),
    ("not", {"of": "sign"}, {"regime.label": LABEL}, "SLNA"),
    (
        "all",
        {"of": ["sign", "vix-level"]},
        {"regime.label": [1.0, 1.0, 2.0, 0.0], "series.vix": [10.0, 30.0, 30.0, 30.0]},
        "LNSA",
    ),
    (
        "any",
        {"of": ["sign", "vix-level"]},
        {"regime.label": [3.0, 1.0, 3.0, 0.0], "series.vix": [10.0, 30.0, 30.0, NAN]},
        "LNSA",
    ),
    # of three: two against one; one long, one short, one neutral; one that alone has an opinion
    (
        "vote",
        {"of": ["sign", "vix-level", "vanna-sign"]},
        {
            "regime.label": [1.0, 3.0, 0.0, 0.0],
            "series.vix": [10.0, 10.0, NAN, NAN],
            "regime.net_vex": [-1.0, -1.0, -1.0, NAN],
        },
        "LNSA",
    ),
    ("lagged", {"sessions": 2}, {"regime.label": [1.0, 2.0, 3.0, 0.0]}, "AALS"),
    # who always stays stays, and who never stays alternates
    ("markov", {"stay_long": 1.0, "stay_short": 0.0}, {"close": [1.0] * 6}, "LLLLLL"),
    # before there is a block there is nothing to replay; then only what has been can come
    ("block-shuffle", {"block": 2}, {"regime.label": [2.0, 2.0, 1.0, 1.0]}, "AASS"),
]


def _letters(values: npt.NDArray[np.float64]) -> str:
    return "".join(LETTERS[int(code)] for code in values)


@pytest.mark.parametrize(
    ("name", "parameters", "columns", "wanted"), FILTERS, ids=[row[0] for row in FILTERS]
)
def test_filters(
    name: str, parameters: dict[str, Any], columns: dict[str, list[float]], wanted: str
) -> None:
    made = make_component("filter", {"name": name, **parameters})
    assert isinstance(made, Filter)
    assert _letters(evaluation_with(columns).labels(made).values) == wanted


def test_a_residual_is_what_vix_does_not_say() -> None:
    # the value is 2 VIX + 3 but for the last sessions, which lie far above and far below that line
    vix = [10.0, 12.0, 11.0, 13.0, 14.0, 12.5, 11.5, 13.5, 12.0, 12.0]
    noise = [0.1, -0.1, 0.05, -0.05, 0.1, -0.1, 0.05, -0.05]
    value = [2.0 * x + 3.0 + e for x, e in zip(vix, noise, strict=False)] + [60.0, -20.0]
    made = make_component("filter", {"name": "residual", "window": 3, "enter": 0.9, "exit": 0.8})
    assert isinstance(made, Filter)
    found = _letters(evaluation_with({"regime": value, "series.vix": vix}).labels(made).values)
    assert found[-2:] == "LN"  # rank 1, then 1/3: out, and not yet among the lowest tenth


def test_what_vix_says_in_full_leaves_nothing_to_rank() -> None:
    vix = [10.0, 12.0, 11.0, 13.0, 14.0, 12.5, 11.5, 13.5]
    value = [3e9 * float(np.log(x)) for x in vix]
    made = make_component("filter", {"name": "residual", "window": 3, "enter": 0.9, "exit": 0.8})
    assert isinstance(made, Filter)
    found = _letters(evaluation_with({"regime": value, "series.vix": vix}).labels(made).values)
    assert found == "A" * 8


def test_a_volatility_that_is_the_same_but_for_rounding_is_not_below_its_median() -> None:
    made = make_component("filter", {"name": "realised-volatility", "window": 3, "history": 5})
    assert isinstance(made, Filter)
    closes = [100.0 * 1.01 ** (k % 2) for k in range(40)]  # up and down by the same 1 %
    found = _letters(evaluation_with({"close": closes}).labels(made).values)
    assert found == "A" * 7 + "S" * 33


def test_a_hidden_state_tells_calm_from_wild() -> None:
    made = make_component("filter", {"name": "hidden-markov", "history": 160, "refit": 10})
    assert isinstance(made, Filter)
    found = _letters(evaluation_with({"close": _calm_then_wild()}).labels(made).values)
    assert found == "A" * 161 + "S" * 40  # 3 % a day is the wild state, whichever way it goes


def test_the_filtered_state_is_that_of_statsmodels() -> None:
    """Hamilton's filter at given parameters, and a likelihood that no other fit exceeds by much."""
    from statsmodels.tsa.api import MarkovRegression

    deviation = np.repeat([0.5, 2.0, 0.5, 2.0, 0.5], [60, 20, 70, 30, 20])
    returns = deviation * np.random.default_rng(8).standard_normal(200)
    mean, sd, move = fit_two_states(returns)
    model = MarkovRegression(returns, k_regimes=2, switching_variance=True)
    # it moves on twice before the first return, and ours once
    model.initialize_known(np.linalg.solve(move.T, [0.5, 0.5]))
    # there a column is where from, and the parameters are stays, means, variances
    at = np.array([move[0, 0], move[1, 0], *mean, *sd**2])
    twin = model.smooth(at)
    found = filtered_wild(returns, mean, sd, move)
    np.testing.assert_allclose(found, twin.filtered_marginal_probabilities[:, 1], atol=1e-9)
    assert (np.abs(found - twin.smoothed_marginal_probabilities[:, 1]) > 0.01).any()
    assert model.fit(at, disp=False).llf - twin.llf < 0.01


def test_a_forecast_of_volatility_follows_the_moves() -> None:
    rng = np.random.default_rng(11)
    moves = np.concatenate([rng.normal(0.0, 0.005, 150), rng.normal(0.0, 0.03, 20)])
    made = make_component("filter", {"name": "garch-forecast", "history": 110, "refit": 200})
    assert isinstance(made, Filter)
    closes = [100.0, *(100.0 * np.exp(np.cumsum(moves)))]
    found = _letters(evaluation_with({"close": closes}).labels(made).values)
    assert found[:111] == "A" * 111
    # six times the deviation: forecasts lie above the median of the calm ones, but for two after
    # small moves of the wild sessions
    assert found[-18:].count("S") >= 16


CLOSE: Final = [100.0, 110.0, 99.0, 99.0, 108.0]
BARS: Final = {
    "high": [102.0, 103.0, 106.0, 104.0, 109.0],
    "low": [98.0, 97.0, 99.0, 95.0, 100.0],
    "close": [100.0, 101.0, 105.0, 100.0, 102.0],
}

# name, parameters, columns, targets
RULES: Final[list[tuple[str, dict[str, Any], dict[str, list[float]], list[float]]]] = [
    ("fade", {}, {"close": CLOSE}, [NAN, -1.0, 1.0, 0.0, -1.0]),
    ("follow", {"lookback": 2}, {"close": CLOSE}, [NAN, NAN, -1.0, -1.0, 1.0]),
    ("hold", {}, {}, [1.0, 1.0, 1.0, 1.0]),
    ("flat", {}, {}, [0.0, 0.0, 0.0, 0.0]),
    # up 10 down 11: 47.6; down 11 and unchanged: 0; unchanged and up 9: 100
    ("rsi", {}, {"close": CLOSE}, [NAN, NAN, 0.0, 1.0, -1.0]),
    # (1, 1, 4): mean 2, deviation sqrt 2, 4 lies 1.41 of them above; (1, 4, 1) .7 below
    (
        "bollinger",
        {"window": 3, "width": 1.4},
        {"close": [1.0, 1.0, 4.0, 1.0, 1.0]},
        [NAN, NAN, -1.0, 0.0, 0.0],
    ),
    # 102 is 1 % above the mean of 100 and 102 ... 103/101.5: .0148; 92/97.5: -.0564, cut at 1
    (
        "mean-distance",
        {"window": 2, "full": 0.05},
        {"close": [100.0, 100.0, 104.0, 92.0]},
        [NAN, 0.0, -(2.0 / 102.0) / 0.05, 1.0],
    ),
    # 105 lies above 103, 100 inside 99 ... 106, 102 inside 95 ... 104
    ("breakout", {}, BARS, [NAN, 0.0, 1.0, 0.0, 0.0]),
    # left above and below (both: flat), above and closed above, below and back, above and back
    ("failed-breakout", {}, BARS, [NAN, 0.0, 0.0, 1.0, -1.0]),
    # walls of the previous session: 105 and 95; 110 is above, 90 below, 100 between
    (
        "wall-breakout",
        {},
        {
            "close": [100.0, 110.0, 90.0, 100.0],
            "regime.call_wall": [105.0, 105.0, 105.0, NAN],
            "regime.put_wall": [95.0, 95.0, 95.0, 95.0],
        },
        [NAN, 1.0, -1.0, NAN],
    ),
    # without both walls there is no range to leave
    (
        "wall-breakout",
        {},
        {
            "close": [100.0, 100.0, 90.0, 110.0],
            "regime.call_wall": [NAN, 105.0, NAN, 105.0],
            "regime.put_wall": [95.0, NAN, 95.0, 95.0],
        },
        [NAN, NAN, NAN, NAN],
    ),
    # a session of one bar, then one of two: its own range is 98 ... 102, and 105 leaves it
    (
        "opening-range",
        {"minutes": 60},
        {
            "bar.high": [110.0, 102.0, 106.0],
            "bar.low": [90.0, 98.0, 100.0],
            "bar.close": [100.0, 100.0, 105.0],
            "bar.elapsed": [60.0, 60.0, 120.0],
        },
        [0.0, 0.0, 1.0],
    ),
    # bars of half an hour, two sessions; 15:30 decides: 102 against 100 before, 99 against 102
    (
        "last-half-hour",
        {},
        {
            "bar.close": [101.0, 102.0, 104.0, NAN, 101.0, 99.0, 98.0],
            "day.close": [100.0, 100.0, 100.0, 100.0, 102.0, 102.0, 102.0],
            "bar.left": [60.0, 30.0, 0.0, NAN, 60.0, 30.0, 0.0],
            "bar.minutes": [30.0, 30.0, 30.0, NAN, 30.0, 30.0, 30.0],
        },
        [0.0, 1.0, 1.0, NAN, 0.0, -1.0, -1.0],
    ),
    # the first half hour spans 99 ... 101; 102 leaves it, and what comes back stays long
    (
        "opening-range",
        {},
        {
            "bar.high": [101.0, 101.0, 103.0, 102.0, 101.0, 101.0],
            "bar.low": [99.0, 100.0, 101.0, 98.0, 99.0, 97.0],
            "bar.close": [100.0, 101.0, 102.0, 98.5, 100.0, 97.0],
            "bar.elapsed": [30.0, 60.0, 90.0, 120.0, 30.0, 60.0],
        },
        [0.0, 0.0, 1.0, 1.0, 0.0, -1.0],
    ),
    # 10:30 lies above the first price of 100: against it from there on
    (
        "first-hour-fade",
        {},
        {
            "bar.close": [99.0, 101.0, 98.0, 100.0, 99.0],
            "bar.session_open": [100.0] * 5,
            "bar.elapsed": [30.0, 60.0, 90.0, 30.0, 60.0],
            "bar.minutes": [30.0] * 5,
        },
        [0.0, -1.0, -1.0, 0.0, 1.0],
    ),
    # opens of 101 and 100.05 after 100: the second gap is smaller than a tenth of a percent
    (
        "gap-fade",
        {"least": 0.001},
        {"day.close": [100.0] * 4, "bar.session_open": [101.0, 101.0, 100.05, 99.0]},
        [-1.0, -1.0, 0.0, 1.0],
    ),
    (
        "pin",
        {"before": 1},
        {
            "close": [100.0, 100.0, 100.0, 100.0],
            "regime.pin_strike": [105.0, 105.0, 95.0, 100.05],
            "calendar.sessions_to_expiration": [2.0, 1.0, 0.0, 0.0],
        },
        [0.0, 1.0, -1.0, 0.0],
    ),
]


@pytest.mark.parametrize(
    ("name", "parameters", "columns", "wanted"), RULES, ids=[row[0] for row in RULES]
)
def test_rules(
    name: str, parameters: dict[str, Any], columns: dict[str, list[float]], wanted: list[float]
) -> None:
    made = make_component("rule", {"name": name, **parameters})
    assert isinstance(made, Rule)
    found = evaluation_with(columns).targets(made).values
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


# 1 % up and down: deviation of (+r, -r) with n - 1 is r sqrt 2, times the root of 252
_ANNUAL: Final = np.log(1.01) * np.sqrt(2.0) * np.sqrt(252.0)

# name, parameters, columns, targets, positions
SIZINGS: Final[
    list[tuple[str, dict[str, Any], dict[str, list[float]], list[float], list[float]]]
] = [
    ("fixed", {"size": 0.5}, {}, [1.0, -1.0, 0.0, NAN], [0.5, -0.5, 0.0, NAN]),
    (
        "strength",
        {"full": 0.2},
        {"regime.net_to_gross": [0.1, -0.1, 0.4, NAN]},
        [1.0, 1.0, -1.0, 1.0],
        [0.5, 0.5, -1.0, NAN],
    ),
    (
        "turnover-limit",
        {"most": 0.25},
        {},
        [1.0, 1.0, 1.0, -1.0, NAN, 1.0, 1.0],
        [0.25, 0.5, 0.75, 0.5, NAN, 0.25, 0.5],
    ),
    (
        "volatility-target",
        {"target": 0.1, "window": 2},
        {"close": [100.0, 101.0, 100.0, 101.0], "calendar.sessions_a_year": [252.0] * 4},
        [1.0, 1.0, 1.0, -0.5],
        [NAN, NAN, 0.1 / _ANNUAL, -0.05 / _ANNUAL],
    ),
]


@pytest.mark.parametrize(
    ("name", "parameters", "columns", "targets", "wanted"), SIZINGS, ids=[r[0] for r in SIZINGS]
)
def test_sizings(
    name: str,
    parameters: dict[str, Any],
    columns: dict[str, list[float]],
    targets: list[float],
    wanted: list[float],
) -> None:
    made = make_component("sizing", {"name": name, **parameters})
    assert isinstance(made, Sizing)
    evaluation = evaluation_with(columns or {"close": [1.0] * len(targets)})
    found = evaluation.positions(made, np.array(targets)).values
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("kind", ["filter", "rule", "sizing"])
def test_no_component_is_without_an_example(kind: Kind) -> None:
    named = {row[0] for row in (*FILTERS, *RULES, *SIZINGS)}
    named |= {"residual", "garch-forecast", "hidden-markov"}  # in tests of their own
    assert set(built_in(kind)) - named == set()


def _everything(sessions: int, seed: int) -> dict[str, list[float]]:
    """Return random values of every column that a built-in component reads."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, sessions)))
    columns = {"close": close, "high": close * 1.01, "low": close * 0.99, "open": close}
    for kind in ("filter", "rule", "sizing"):
        for made in built_in(kind).values():
            for name in _columns_of(made()):
                if name not in columns:
                    columns[name] = rng.normal(0.0, 1.0, sessions)
    bar = np.arange(sessions) % 10  # sessions of ten bars of ten minutes
    columns["bar.minutes"] = np.full(sessions, 10.0)
    columns["bar.elapsed"] = (10.0 * (bar + 1)).astype(np.float64)
    columns["bar.left"] = 100.0 - columns["bar.elapsed"]
    for name in ("bar.close", "bar.high", "bar.low", "bar.session_open", "day.close"):
        columns[name] = close * np.exp(rng.normal(0.0, 0.01, sessions))
    columns["regime.label"] = rng.integers(0, 4, sessions).astype(np.float64)
    columns["calendar.sessions_a_year"] = np.full(sessions, 252.0)
    columns["calendar.next_weekday"] = rng.integers(0, 5, sessions).astype(np.float64)
    for name in ("sessions_to_expiration", "sessions_since_expiration"):
        columns[f"calendar.{name}"] = rng.integers(0, 20, sessions).astype(np.float64)
    for name in ("series.vix", "series.vix3m"):
        columns[name] = 20.0 * np.exp(rng.normal(0.0, 0.3, sessions))
    for name in ("regime.call_wall", "regime.put_wall", "regime.pin_strike"):
        columns[name] = close * np.exp(rng.normal(0.0, 0.02, sessions))
    return {name: values.tolist() for name, values in columns.items()}


def _columns_of(made: Any) -> list[str]:
    found: list[str] = []
    for past in made.inputs().values():
        found += [past.of] if isinstance(past.of, str) else _columns_of(past.of)
    return found


_POSITIVE: Final = (
    *("open", "high", "low", "close", "calendar.sessions_a_year"),
    *("regime.call_wall", "regime.put_wall", "regime.pin_strike"),
)
#: Shorter windows than the defaults, so that a short sample holds decisions.
_SHORT: Final[dict[str, Any]] = {"window": 20, "history": 100, "refit": 15, "sessions": 5}
#: What says one thing whatever there is to read.
_CONSTANT: Final = ("always", "hold", "flat")


@pytest.mark.parametrize(
    ("kind", "name"), [(k, n) for k in ("filter", "rule", "sizing") for n in built_in(k)]
)
def test_no_component_sees_the_future(kind: Kind, name: str) -> None:
    """Data that end early, or go on otherwise, change nothing of what was said before."""
    known = built_in(kind)[name]().parameters()
    short = {k: v for k, v in _SHORT.items() if k in known and known[k] > v}
    made = make_component(kind, {"name": name, **short})
    columns, other = _everything(170, seed=1), _everything(170, seed=2)
    targets = np.random.default_rng(4).uniform(-1.0, 1.0, 170)

    def said(values: dict[str, list[float]]) -> npt.NDArray[np.float64]:
        evaluation = evaluation_with(values)
        if isinstance(made, Filter):
            return evaluation.labels(made).values
        if isinstance(made, Rule):
            return evaluation.targets(made).values
        assert isinstance(made, Sizing)
        return evaluation.positions(made, targets[: len(values["close"])]).values

    whole = said(columns)
    # where one thing alone is ever said, what comes later could not be seen to change it
    assert name in _CONSTANT or len(np.unique(whole[np.isfinite(whole)])) > 1
    for cut in (3, 120, 133, 150):
        np.testing.assert_array_equal(said({k: v[:cut] for k, v in columns.items()}), whole[:cut])
        mixed = {
            k: v[:cut] + [1.0 / x if k in _POSITIVE else -x for x in other[k][cut:]]
            for k, v in columns.items()
        }
        mixed["regime.label"] = columns["regime.label"][:cut] + other["regime.label"][cut:]
        np.testing.assert_array_equal(said(mixed)[:cut], whole[:cut])
