"""Long-short portfolios of names and books over several: returns, timing and weights by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_sections import CALENDAR, days, section

from gexlab.backtest import LongShortSection, combined_book, load_long_short, long_short
from gexlab.data import ConfigError, DefinitionError, NotEnoughDataError, UnknownNameError

NAMES = [f"N{i:02d}" for i in range(10)]


def drifting(sessions: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return names of which the first two rise 1 % a session and the last two fall 1 %."""
    index = days(sessions)
    step = np.zeros(10)
    step[:2], step[-2:] = 0.01, -0.01
    spots = 100 * (1 + step) ** np.arange(sessions)[:, None]
    ratio = np.tile(np.linspace(-0.9, 0.9, 10), (sessions, 1))
    return pd.DataFrame(spots, index, NAMES), pd.DataFrame(ratio, index, NAMES)


def one(**chosen: Any) -> LongShortSection:
    given: dict[str, Any] = {
        "signals": ("net_to_gross",), "quantiles": (0.2,), "weights": ("equal",),
        "holds": (1,), "fees_bps": (0.0,),
    }  # fmt: skip
    return LongShortSection(**(given | chosen))


def test_returns_and_costs_by_hand() -> None:
    """Half long two names that rise 1 %, half short two that fall 1 %: 1 % a session."""
    found = long_short(section(*drifting(12)), CALENDAR, one(fees_bps=(0.0, 10.0)))
    free, charged = (found.returns[name] for name in found.table["trial_id"])
    # the row of the first session fills at the second's close; the third session is the first one
    assert list(found.returns.index) == list(days(12)[2:])
    np.testing.assert_allclose(free, 0.01, rtol=1e-12)
    # in: 1 of the equity; then winners are at the target of .505, losers at .495 short of it
    first, later = 1.0 + 0.01 / 1.01, 0.01 / 1.01
    np.testing.assert_allclose(charged.iloc[0], 1.01 * (1 - 1e-3 * first) - 1, rtol=1e-12)
    np.testing.assert_allclose(charged.iloc[1:-1], 1.01 * (1 - 1e-3 * later) - 1, rtol=1e-12)
    np.testing.assert_allclose(charged.iloc[-1], 0.01, rtol=1e-12)
    row = found.table.iloc[0]
    assert (row["names_long"], row["names_short"], row["exposure"]) == (2, 2, pytest.approx(1))
    assert row["turnover"] == pytest.approx((first + 8 * later) * 252 / 10)
    # of two: Euler's constant times the quantile of 1 - 1 / 2e, which is .9009
    assert found.best_by_luck == pytest.approx(np.sqrt(252 / 10) * 0.5772 * 0.9009, rel=1e-3)


def test_the_other_side_earns_the_opposite_and_the_label_is_a_signal() -> None:
    section_ = section(*drifting(12))
    both = long_short(section_, CALENDAR, one(sides=("low", "high"))).returns
    np.testing.assert_allclose(both.iloc[:, 0], -both.iloc[:, 1], rtol=1e-12)
    # five names short gamma, two of them rise; five long gamma, two of them fall
    label = long_short(section_, CALENDAR, one(signals=("regime",), quantiles=(0.1, 0.3)))
    assert label.trials == 1
    np.testing.assert_allclose(label.returns.iloc[:, 0], 0.004, rtol=1e-12)


def test_a_row_is_acted_on_at_the_next_close_and_not_before_it_is_known() -> None:
    """The signal changes sides once: the return changes two sessions later, or never if late."""
    spots, ratio = drifting(12)
    ratio.iloc[5:] = -ratio.iloc[5:]
    found = long_short(section(spots, ratio), CALENDAR, one()).returns.iloc[:, 0]
    signs = np.sign(found.to_numpy())
    assert list(signs) == [1] * 5 + [-1] * 5
    assert found.index[signs < 0][0] == days(12)[7]
    held = long_short(section(spots, ratio), CALENDAR, one(holds=(2,))).returns.iloc[:, 0]
    # the first of two portfolios begins alone; at the turn they cancel
    np.testing.assert_allclose(held.iloc[:2], [0.005, 0.01], rtol=1e-12)
    assert held.loc[days(12)[7]] == pytest.approx(0, abs=1e-12)
    late = section(spots, ratio, hours=24 * 8)
    with pytest.raises(NotEnoughDataError, match="at least 10 names"):
        long_short(late, CALENDAR, one())


def test_nothing_later_changes_what_was_held() -> None:
    rng = np.random.default_rng(3)
    index = days(40)
    spots = pd.DataFrame(100 * np.exp(np.cumsum(rng.normal(0, 0.02, (40, 10)), 0)), index, NAMES)
    ratio = pd.DataFrame(np.clip(rng.normal(size=(40, 10)), -1, 1), index, NAMES)
    grid = LongShortSection()
    whole = long_short(section(spots, ratio), CALENDAR, grid).returns
    part = long_short(section(spots[:30], ratio[:30]), CALENDAR, grid).returns
    assert list(part.columns) == list(whole.columns)
    # the last return of the shorter one lacks the order at its close alone
    pd.testing.assert_frame_equal(part.iloc[:-1], whole.loc[part.index[:-1]], rtol=1e-12)


def test_splits_missing_prices_and_few_names_are_counted() -> None:
    spots, ratio = drifting(12)
    spots.iloc[8:, 0] /= 4
    spots.iloc[4, 9] = np.nan  # a session without a chain: its price is that of the one before
    found = long_short(section(spots, ratio), CALENDAR, one())
    assert found.left_out == {
        "abstains": 0, "known_late": 0, "no_price": 1, "split_suspected": 1,
    }  # fmt: skip
    returns = found.returns.iloc[:, 0]
    assert returns.loc[days(12)[8]] == pytest.approx(0.0075)  # one of four names counts as 0
    # no price to fill at, then no row to act on: nine names are too few, twice
    assert list(returns[returns == 0].index) == list(days(12)[5:7])


def test_a_name_of_another_calendar_is_refused() -> None:
    """A holiday of the calendar would be taken for the session after it."""
    spots, ratio = drifting(12)
    spots.index = ratio.index = days(12)[:-1].union([pd.Timestamp("2024-01-15")])
    with pytest.raises(DefinitionError, match="2024-01-15 of N00 is no session of XNYS"):
        long_short(section(spots, ratio), CALENDAR, one())


def test_the_lists_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "portfolios.toml"
    file.write_text('signals = "regime"\nholds = [1, 5]\n')
    assert load_long_short(file) == LongShortSection(signals=("regime",), holds=(1, 5))
    for text, kind, told in (
        ("hold = [1]", UnknownNameError, "did you mean 'holds'"),
        ("quantiles = [0.6]", ConfigError, "up to 0.5, found 0.6"),
        ("holds = [true]", ConfigError, "found True"),
        ('sides = ["long"]', UnknownNameError, "unknown side"),
        ("fees_bps = []", ConfigError, "at least one"),
        ("fees_bps = [", ConfigError, "no TOML"),
        ("signals = [[1], [1]]", ConfigError, "different values"),
    ):
        file.write_text(text)
        with pytest.raises(kind, match=told):
            load_long_short(file)


def test_one_book_by_hand() -> None:
    """Two components of returns that cancel by half, the second without its first return."""
    index = days(3)
    returns = pd.DataFrame({"A": [0.02, 0.04, 0.0], "B": [np.nan, -0.02, 0.01]}, index)
    book = combined_book(returns)
    assert list(book.returns) == pytest.approx([0.01, 0.01, 0.005])
    assert dict(book.contribution) == pytest.approx({"A": 0.03, "B": -0.005})
    given = combined_book(returns, {"A": 0.25})
    assert list(given.returns) == pytest.approx([0.005, 0.01, 0.0])
    with pytest.raises(UnknownNameError, match="unknown component"):
        combined_book(returns, {"C": 1.0})


def test_weights_by_volatility_are_known_before_the_session() -> None:
    rng = np.random.default_rng(5)
    returns = pd.DataFrame(rng.normal(0, [0.01, 0.03], (80, 2)), days(80), ["A", "B"])
    book = combined_book(returns, "inverse_volatility")
    assert (book.weights.iloc[:21] == 0.5).all(axis=None)
    past = returns.iloc[70 - 63 : 70].std(ddof=1)
    assert list(book.weights.iloc[70]) == pytest.approx(list((1 / past) / (1 / past).sum()))
    np.testing.assert_allclose(book.weights.sum(axis=1), 1.0)
    both = returns.corr().iloc[0, 1]
    assert book.metrics["mean_correlation"] == pytest.approx(both)
