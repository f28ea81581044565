"""Two hundred defects in bars, and as many in series: caught, or without effect on a verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_bars import BAR_DEFECTS, PRICES, SERIES_DEFECTS, market

from gexlab.backtest.run.fragility import fragile_volatility
from gexlab.backtest.statistics.realised import log_bars, parkinson
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.statistics.volatility_by_regime import volatility_summary
from gexlab.data.quality.bar_checks import check_bars, check_intraday
from gexlab.data.quality.series_checks import check_series
from gexlab.data.tables.bars import read_bars
from gexlab.data.tables.intraday_bars import read_intraday

HOW = Resampling(7, 200, 10, 0.95)


def verdicts(bars: pd.DataFrame, regime: pd.Series, value: pd.Series) -> str:
    """Whether the next session is more volatile after short gamma, as the report answers it."""
    ratio = volatility_summary(bars, regime, value, resampling=HOW).ratio["parkinson"]["next_1"]
    return "yes" if ratio.low > 1 else "no" if ratio.high < 1 else "open"


def on_calendar(bars: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    return bars.reindex(index)


def caught_or_harmless(name: str, seed: int) -> bool:
    rng = np.random.default_rng([seed, *name.encode()])
    sound = market(rng)
    value = pd.Series(rng.standard_normal(len(sound)) + 0.5, index=sound.index)
    regime = pd.Series(np.where(value > 0, "long", "short"), index=sound.index, dtype=object)
    i = int(rng.integers(30, len(sound) - 15))
    spoilt = BAR_DEFECTS[name](sound, i, rng)
    gone = len(spoilt) < len(sound)  # the reader counts missing sessions
    if gone or (spoilt["high"] < spoilt["low"]).any():  # and refuses crossed bars by date
        return True
    checked = check_bars(spoilt)
    near = {d.date() for d in sound.index[i - 1 : i + 9]}
    if any(f.session in near for f in checked.findings):
        return True
    after = verdicts(on_calendar(checked.sound, sound.index), regime, value)
    return after == verdicts(sound, regime, value)


@pytest.mark.parametrize("name", sorted(BAR_DEFECTS))
def test_a_planted_bar(name: str) -> None:
    assert caught_or_harmless(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BAR_DEFECTS))
def test_planted_bars(name: str) -> None:
    assert [seed for seed in range(20) if not caught_or_harmless(name, seed)] == []


def series_caught_or_harmless(name: str, seed: int) -> bool:
    rng = np.random.default_rng([seed, *name.encode(), 9])
    bars = market(rng)
    level = np.empty(len(bars))
    level[0] = 1.0
    for k in range(1, len(level)):
        level[k] = 1.0 + 0.9 * (level[k - 1] - 1.0) + 0.4 * rng.standard_normal()
    sound = pd.Series(level * 2_000.0, index=bars.index)
    i = int(rng.integers(30, len(sound) - 15))
    spoilt = SERIES_DEFECTS[name](sound, i, rng)
    checked = check_series(spoilt)
    near = {d.date() for d in bars.index[i - 10 : i + 11]}
    if any(f.session in near for f in checked.findings) or len(spoilt) < len(sound):
        return True

    def answer(values: pd.Series) -> str:
        v = values.reindex(bars.index)
        labels = np.select([v.isna(), v > 0], ["abstain", "long"], "short")
        return verdicts(bars, pd.Series(labels, index=bars.index, dtype=object), v)

    return answer(checked.sound) == answer(sound) or hangs_on_few(bars, checked.sound)


def hangs_on_few(bars: pd.DataFrame, values: pd.Series) -> bool:
    """Whether the answer from the spoilt series is told to hang on fewer than five sessions."""
    v = values.reindex(bars.index).to_numpy(dtype=np.float64)
    logs = log_bars(*(bars[c].to_numpy() for c in PRICES))
    days = pd.DatetimeIndex(bars.index)
    return fragile_volatility(parkinson(logs), v < 0, v > 0, days, HOW) is not None


@pytest.mark.parametrize("name", sorted(SERIES_DEFECTS))
def test_a_planted_value(name: str) -> None:
    assert series_caught_or_harmless(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SERIES_DEFECTS))
def test_planted_values(name: str) -> None:
    assert [seed for seed in range(34) if not series_caught_or_harmless(name, seed)] == []


#: Daily volatility, tails and calendar: a share, a coin around the clock, a currency.
MARKETS = {"share": (0.025, 4.0, "B"), "coin": (0.04, 3.5, "D"), "currency": (0.005, 6.0, "B")}


@pytest.mark.parametrize("name", MARKETS)
def test_sound_markets_raise_no_alarm(name: str) -> None:
    daily, tail, freq = MARKETS[name]
    alarms, sessions = 0, 0
    for seed in range(4):
        bars = market(np.random.default_rng(seed), 750, daily, tail, freq)
        found = check_bars(bars).findings
        alarms += len({f.session for f in found if f.severity != "info"})
        sessions += len(bars)
    assert alarms <= 0.01 * sessions


def test_splits_are_found_and_nothing_else() -> None:
    bars = market(np.random.default_rng(3), 750, 0.02, 4.0)
    for i, ratio in ((200, 4.0), (500, 0.1)):
        bars.loc[bars.index[i] :, PRICES] /= ratio
    grave = [f for f in check_bars(bars).findings if f.severity == "error"]
    assert [(f.session, f.check) for f in grave] == [
        (bars.index[200].date(), "price_scale_changed"),
        (bars.index[500].date(), "price_scale_changed"),
    ]


def as_judged_at(bars: pd.DataFrame, rows: int, full: pd.DataFrame) -> None:
    """Assert that what counts as missing among the first bars is the same without the later ones.

    Only bars of another level may still be there: what ends them has not come.
    """
    cut = check_bars(bars.iloc[:rows]).sound
    left = full.loc[: bars.index[rows - 1]]
    assert left.index.isin(cut.index).all()
    pd.testing.assert_frame_equal(cut.loc[left.index], left)
    extra = cut.index.difference(left.index)
    assert len(extra) <= 10
    jumps = {
        str(f.session) for f in check_bars(bars).findings if "times those before and" in f.detail
    }
    assert {str(day.date()) for day in extra} <= jumps


@pytest.mark.parametrize("name", sorted(set(BAR_DEFECTS) - {"missing"}))
def test_later_bars_change_no_verdict(name: str) -> None:
    for seed in range(4):
        rng = np.random.default_rng([seed, *name.encode(), 4])
        sound = market(rng, 120)
        i = int(rng.integers(3, 90))
        spoilt = BAR_DEFECTS[name](sound, i, rng)
        full = check_bars(spoilt).sound
        for rows in range(max(i - 2, 1), min(i + 25, len(spoilt)) + 1, 3):
            as_judged_at(spoilt, rows, full)


def test_later_sessions_change_no_intraday_verdict() -> None:
    rng = np.random.default_rng(8)
    bars = market(rng, 40 * 26, 0.002).reset_index(drop=True)
    days = pd.bdate_range("2024-01-02", periods=40)
    bars["session"] = np.repeat(days, 26)
    bars["ts"] = (bars["session"] + pd.Timedelta("14:30:00")).dt.tz_localize("UTC")
    bars["ts"] += pd.to_timedelta(15 * (np.arange(len(bars)) % 26), unit="min")
    lows, closes = bars["low"].to_numpy().copy(), bars["close"].to_numpy()
    lows[[130, 415, 700, 937]] *= 0.9
    bars["low"] = lows
    for name in PRICES:
        bars[name] = np.where(bars.index.isin(range(500, 506)), closes[500], bars[name])
    full = check_intraday(bars).sound
    assert set(days) - set(full["session"]) == {days[k // 26] for k in (130, 415, 500, 700, 937)}
    for sessions in range(1, 40):
        cut = check_intraday(bars[: 26 * sessions]).sound
        assert cut["session"].unique().tolist() == [
            day for day in full["session"].unique() if day <= days[sessions - 1]
        ]


#: A lull of ten minutes: minutes usually have a range of 2 ticks of 1.5 bp, there they have none.
TICK = 1.5e-4


@pytest.mark.parametrize(
    ("ticks", "scale", "lost"),
    [
        (2, 1.0, False),  # a tick or two up, and back: trading
        (6, 1.0, False),  # 9 bp
        (8, 1.0, True),  # 12 bp
        (100, 1.0, True),
        (-100, 1.0, True),
        (3, 10.0, False),  # a market ten times as wild: 45 bp, where ranges of 30 are typical
        (6, 10.0, True),
    ],
)
def test_a_step_and_back_in_a_lull(ticks: int, scale: float, lost: bool) -> None:
    tick = TICK * scale
    level = np.zeros(390)
    level[205:209] = ticks * tick
    calm = np.isin(np.arange(390), range(190, 230))
    # in the lull one bar in three moves at all, by a tenth of a tick
    reach = np.where(calm, 0.1 * tick * (np.arange(390) % 3 == 0), tick)
    ts = pd.date_range("2025-12-26 14:30", periods=390, freq="min", tz="UTC")
    close = 600.0 * np.exp(level)
    high, low = close * np.exp(reach), close * np.exp(-reach)
    bars = pd.DataFrame({"open": close, "high": high, "low": low, "close": close})
    bars = bars.assign(session=pd.Timestamp("2025-12-26"), ts=ts)
    wrong = {f.detail[4:9] for f in check_intraday(bars).findings if "all prices" in f.detail}
    assert wrong == ({"17:55", "17:56", "17:57", "17:58"} if lost else set())


def test_a_bar_that_only_later_bars_contradict_is_reported_and_kept() -> None:
    bars = market(np.random.default_rng(2), 120)
    day = bars.index[60]
    spans = np.log(bars["high"].to_numpy() / bars["low"].to_numpy())
    wide = float(np.exp(np.median(spans[40:61])))
    bars.loc[bars.index[61] :, ["open", "high", "low", "close"]] = bars["close"].iloc[60]
    bars.loc[bars.index[61] :, "high"] *= 1.001  # calm from then on
    bars.loc[day, "low"] = bars.loc[day, ["open", "close"]].min() / wide**6
    checked = check_bars(bars)
    assert ("bar_in_doubt", "low") in {
        (f.check, f.field) for f in checked.findings if f.session == day.date()
    }
    assert checked.sound.loc[day, "low"] == bars.loc[day, "low"]


#: Sessions of the shared bars whose low is no price: after-hours prints, and a lost digit.
KNOWN = {"SPY": 7, "QQQ": 9, "SPX": 0, "VIX": 2}
#: Sessions of each, and those with an error or a warning, as docs/quality.md tells them.
TOLD = {"SPY": (4056, 8), "QQQ": (1283, 9), "SPX": (7836, 0), "VIX": (7836, 6)}
#: The same of the shared intraday bars: a session of a rate decision.
INTRADAY = {
    "spx_1h_2023_2026": (736, 1), "spx_5min_2025_2026": (255, 0), "spx_5min_2026": (66, 0),
    "spy_1min_2025_2026": (129, 0),
}  # fmt: skip


@pytest.mark.parametrize("root", sorted(KNOWN))
def test_shared_daily_bars(shared_data: Path, root: str) -> None:
    file = shared_data / "bars" / "spx_spy_qqq_vix_daily_1995_2026.parquet"
    bars = read_bars(file, where={"root": root})
    checked = check_bars(bars)
    assert len(checked.bad) == KNOWN[root]
    alarms = {f.session for f in checked.findings if f.severity != "info"}
    assert (len(bars), len(alarms)) == TOLD[root]
    for rows in (len(bars) // 2, len(bars) - 40, len(bars) - 3):
        as_judged_at(bars, rows, checked.sound)
    if root == "SPY":
        row = bars.index.get_loc(pd.Timestamp("2026-02-02"))
        at = checked.sound.index.get_loc(pd.Timestamp("2026-02-02"))
        assert bars["low"].to_numpy()[row] == 69.005
        assert np.isnan(checked.sound["low"].to_numpy()[at])
        assert checked.sound["close"].to_numpy()[at] == bars["close"].to_numpy()[row]


@pytest.mark.parametrize("name", sorted(INTRADAY))
def test_shared_intraday_bars(shared_data: Path, name: str) -> None:
    columns = {"session": "date"} if name in ("spx_1h_2023_2026", "spx_5min_2026") else None
    bars = read_intraday(shared_data / "bars" / f"{name}.parquet", columns)
    found = check_intraday(bars).findings
    alarms = {f.session for f in found if f.severity != "info"}
    assert (bars["session"].nunique(), len(alarms)) == INTRADAY[name]


@pytest.mark.parametrize("first", [60, 114])
def test_a_price_that_stands_still_is_told_once(first: int) -> None:
    bars = market(np.random.default_rng(2), 120)
    top = float(bars["high"].max())
    bars.loc[bars.index[first : first + 6], "high"] = top
    told = [f for f in check_bars(bars).findings if f.check == "repeated_price"]
    assert [(f.session, f.field) for f in told] == [(bars.index[first + 5].date(), "high")]
    assert "for 6 bars in a row" in told[0].detail


def test_few_bars_are_judged_without_a_warning() -> None:
    bars = market(np.random.default_rng(1), 60)
    for count in (0, 1, 2, 5, 6, 21):
        checked = check_bars(bars.iloc[:count])
        assert len(checked.sound) == count
        assert len(checked.bad) == 0
    spoilt = bars.copy()
    spoilt["low"] = np.where(np.arange(60) < 3, bars["low"] / 10.0, bars["low"])
    assert check_bars(spoilt).bad.tolist() == pd.DatetimeIndex(bars.index[:3]).date.tolist()
