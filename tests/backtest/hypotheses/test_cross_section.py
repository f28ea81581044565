"""Claims over many names: timing by hand, a planted effect, and none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_sections import CALENDAR, days, section

from gexlab.backtest import cross_section_panel, cross_section_tests, intraday_panel
from gexlab.data import InputFileError, UnknownNameError


def market(
    seed: int, effect: float, names: int = 20, sessions: int = 60
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return spots whose volatility falls with net to gross of the session before."""
    rng = np.random.default_rng(seed)
    ratio = np.clip(0.7 * rng.normal(size=(sessions, names)), -1, 1)
    sigma = 0.01 * np.exp(rng.normal(size=names) * 0.3)
    common = rng.normal(size=sessions)[:, None] * 0.5
    shocks = sigma * (rng.normal(size=(sessions, names)) + common)
    shocks[1:] *= np.exp(effect * ratio[:-1])
    index, columns = days(sessions), [f"N{i:02d}" for i in range(names)]
    spots = 100 * np.exp(np.cumsum(shocks, axis=0))
    return pd.DataFrame(spots, index, columns), pd.DataFrame(ratio, index, columns)


def test_a_row_explains_the_next_session_by_hand() -> None:
    index = days(8)
    spots = pd.DataFrame({"A": [100, 110, 99, 99, 198, 198, 198, 200.0]}, index)
    spots.loc[index[6], "A"] = np.nan  # a session without a chain
    ratio = pd.DataFrame({"A": np.linspace(0.1, 0.8, 8)}, index)
    panel, left = cross_section_panel(section(spots.dropna(), ratio), CALENDAR)
    found = panel.set_index("session")
    assert found.index.tolist() == [index[0], index[1], index[2], index[4]]
    assert found["return_next"].tolist() == pytest.approx([0.10, -0.10, 0.0, 0.0])
    assert found["absolute_next"].tolist() == pytest.approx([np.log(1.1), -np.log(0.9), 0, 0])
    assert found["net_to_gross"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.5])
    # the doubling is taken for a split; the session before the gap and the last have no next one
    assert left == {"abstains": 0, "known_late": 0, "no_next_session": 2, "split_suspected": 1}


def test_a_row_known_after_the_next_open_explains_nothing() -> None:
    spots, ratio = market(1, 0.0, names=3, sessions=12)
    early, none = cross_section_panel(section(spots, ratio, hours=24), CALENDAR)
    late, left = cross_section_panel(section(spots, ratio, hours=24 * 5), CALENDAR)
    assert (len(early), none["known_late"]) == (33, 0)
    assert (len(late), left["known_late"]) == (0, 36)


def test_what_comes_later_moves_no_row() -> None:
    spots, ratio = market(2, 0.0, names=4, sessions=30)
    whole, _ = cross_section_panel(section(spots, ratio), CALENDAR)
    cut, _ = cross_section_panel(section(spots.iloc[:20], ratio.iloc[:20]), CALENDAR)
    both = whole.merge(cut, on=["underlying", "session"], suffixes=("", "_cut"))
    assert len(both) == len(cut)
    for name in ("return_next", "absolute", "absolute_week", "net_to_gross"):
        pd.testing.assert_series_equal(both[name], both[f"{name}_cut"], check_names=False)


def test_a_planted_effect_is_found_and_none_is_not() -> None:
    spots, ratio = market(3, -0.8)
    results, _ = cross_section_tests(section(spots, ratio, volume=1e4), CALENDAR)
    found = {one.name: one for one in results}
    damping = found["net-gamma-absolute-return"]
    assert (damping.verdict, damping.estimate < 0) == ("supported", True)
    assert (damping.names, damping.expected_sign) == (20, -1)
    assert "hangs on few" in damping.reason
    assert found["gamma-imbalance"].verdict == "supported"
    assert found["net-gamma-return"].verdict == "not supported"
    spots, ratio = market(4, 0.0)
    (null,), _ = cross_section_tests(section(spots, ratio), CALENDAR, ["net-gamma-absolute-return"])
    assert null.verdict == "not supported"


def bars(prices: dict[str, list[float]], day: str = "2024-01-03") -> pd.DataFrame:
    """Return bars of half an hour from 9:30 New York on, each at its close."""
    frames = []
    for name, closes in prices.items():
        start = pd.Timestamp(f"{day} 09:30", tz="America/New_York")
        stamps = [start + pd.Timedelta(minutes=30 * i) for i in range(len(closes))]
        opens = [closes[0], *closes[:-1]]
        frame = pd.DataFrame({"timestamp": stamps, "open": opens, "close": closes})
        both = frame[["open", "close"]]
        frame = frame.assign(high=both.max(axis=1), low=both.min(axis=1))
        frames.append(frame.assign(underlying=name))
    return pd.concat(frames, ignore_index=True)


def test_hourly_returns_by_hand(tmp_path: Path) -> None:
    """Six hours of thirteen half hours: up 1 %, down 1 % and so on; and all up."""
    up, down = np.exp(0.01), np.exp(-0.01)
    turning, trending = [100.0], [100.0]
    for hour in range(6):
        turning += [turning[-1], turning[-1] * (down if hour % 2 else up)]
        trending += [trending[-1], trending[-1] * up]
    rest = {"A/B": turning, "T": trending}  # and a last half hour, which is no hour
    whole = {name: [*found[1:], found[-1] * up] for name, found in rest.items()}
    whole["S"] = turning[1:7]
    file = tmp_path / "bars.parquet"
    bars(whole).to_parquet(file)
    found = intraday_panel(file, ["A/B", "T", "S", "none"], CALENDAR).set_index("underlying")
    assert list(found.index) == ["A/B", "T"]  # the last one has half a session
    assert found["volatility"].tolist() == pytest.approx([0.01 * np.sqrt(6)] * 2)
    assert found["momentum"].tolist() == pytest.approx([-5 / 6, 5 / 6])
    assert list(found["session"]) == [pd.Timestamp("2024-01-03")] * 2
    apart = tmp_path / "by" / "A%2FB.parquet"
    apart.parent.mkdir()
    bars({"A/B": whole["A/B"]}).drop(columns="underlying").to_parquet(apart)
    again = intraday_panel(tmp_path / "by" / "{underlying}.parquet", ["A/B", "T"], CALENDAR)
    pd.testing.assert_frame_equal(again.set_index("underlying"), found.loc[["A/B"]])
    with pytest.raises(InputFileError, match="no intraday bars of none"):
        intraday_panel(file, ["none"], CALENDAR)


def test_what_happens_within_the_next_session_is_explained() -> None:
    """Volatility and momentum fall with the imbalance of the session before."""
    spots, ratio = market(5, 0.0)
    rng = np.random.default_rng(5)
    before = ratio.shift(1).fillna(0.0).stack()
    names = ["session", "underlying"]
    frame = pd.DataFrame(
        {
            "volatility": 0.01 * np.exp(-0.5 * before + 0.1 * rng.normal(size=len(before))),
            "momentum": -0.2 * before + 0.1 * rng.normal(size=len(before)),
        }
    ).rename_axis(names).reset_index()  # fmt: skip
    given = section(spots, ratio, volume=1e4)
    results, left = cross_section_tests(given, CALENDAR, intraday=frame.drop(index=40))
    found = {one.name: one for one in results}
    for name in ("gamma-imbalance-volatility", "gamma-imbalance-momentum"):
        assert (found[name].verdict, found[name].estimate < 0) == ("supported", True)
    # the third session of the first name: of the row before it, and of nobody else
    assert left["no_bars"] == 1
    panel, _ = cross_section_panel(given, CALENDAR, frame)
    row = panel[(panel["underlying"] == "N03") & (panel["session"] == days(9)[7])].iloc[0]
    wanted = frame[(frame["underlying"] == "N03") & (frame["session"] == days(9)[8])].iloc[0]
    assert row["volatility_next"] == wanted["volatility"]
    assert row["momentum_next"] == wanted["momentum"]
    lacking, _ = cross_section_tests(given, CALENDAR, ["gamma-imbalance-momentum"])
    assert (lacking[0].verdict, "--intraday" in lacking[0].reason) == ("needs data", True)


@pytest.mark.slow
def test_size_without_any_effect() -> None:
    """Of 60 markets without an effect about 5 % are called supported (at most 9: p .002)."""
    hits = 0
    for seed in range(60):
        spots, ratio = market(100 + seed, 0.0, sessions=40)
        (one,), _ = cross_section_tests(
            section(spots, ratio), CALENDAR, ["net-gamma-absolute-return"]
        )
        hits += one.verdict == "supported"
    assert hits <= 9


def test_what_is_lacking_is_said() -> None:
    spots, ratio = market(5, 0.0, names=3)
    results, _ = cross_section_tests(section(spots, ratio), CALENDAR)
    assert {one.verdict for one in results} == {"needs data"}
    reasons = {one.name: one.reason for one in results}
    assert "at least 10 names and 10 sessions: found 3" in reasons["net-gamma-return"]
    assert "dollar volume" in reasons["gamma-imbalance"]
    with pytest.raises(UnknownNameError, match="net-gamma-return"):
        cross_section_tests(section(spots, ratio), CALENDAR, ["net-gamma-returns"])


def test_the_spread_of_quintiles_by_hand() -> None:
    names, index = 10, days(14)
    ratio = pd.DataFrame([np.linspace(-0.9, 0.9, names)] * 14, index,
                         [f"N{i}" for i in range(names)])  # fmt: skip
    steps = np.array([[0.01 if i < 2 else 0.0 for i in range(names)]] * 14)
    steps += np.arange(14)[:, None] % 2 * np.linspace(0, 0.001, names)
    spots = pd.DataFrame(100 * np.cumprod(1 + steps, axis=0), index, ratio.columns)
    (one,), _ = cross_section_tests(section(spots, ratio), CALENDAR, ["net-gamma-return"])
    daily = [steps[t, 8:].mean() - steps[t, :2].mean() for t in range(1, 14)]
    assert one.spread == pytest.approx(1e4 * np.mean(daily))
    assert one.spread_t == pytest.approx(np.mean(daily) / (np.std(daily, ddof=1) / np.sqrt(13)))
