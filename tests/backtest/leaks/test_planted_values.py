"""Forty series and bars that hold the future are found, sixty honest ones raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from gjr_market import Gjr, gjr, loaded, write

from gexlab.backtest.leaks.leakcheck import leakcheck, market_leaks
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.market import Market

Floats = npt.NDArray[np.float64]
Make = Callable[[Gjr], Floats]


def ahead(x: Floats, k: int) -> Floats:
    """Return x of k sessions later (before, where k is negative)."""
    return np.asarray(pd.Series(x).shift(-k).to_numpy(), dtype=np.float64)


def over(x: Floats, first: int, last: int) -> Floats:
    """Return the sum over the sessions from `first` to `last` later."""
    return np.asarray(np.sum([ahead(x, k) for k in range(first, last + 1)], axis=0))


def _noise(m: Gjr, seed: int = 3) -> Floats:
    return np.asarray(np.random.default_rng(seed).standard_normal(len(m.ret)))


def _unit(x: Floats) -> Floats:
    return np.asarray((x - np.nanmean(x)) / np.nanstd(x), dtype=np.float64)


def _close(m: Gjr) -> Floats:
    return np.asarray(np.log(m.bars["close"].to_numpy(dtype=np.float64)), dtype=np.float64)


def _range(m: Gjr) -> Floats:
    return np.asarray(
        np.log(m.bars["high"].to_numpy() / m.bars["low"].to_numpy()).astype(np.float64),
        dtype=np.float64,
    )


def _gap(m: Gjr) -> Floats:
    return np.asarray(
        np.log(m.bars["open"].to_numpy(dtype=np.float64)) - ahead(_close(m), -1), dtype=np.float64
    )


def _weekly(m: Gjr, x: Floats) -> Floats:
    """Return the last value of each calendar week on all of its sessions."""
    week = (m.days.astype(np.int64) + 3) // 7
    return np.asarray(
        pd.Series(x).groupby(week).transform("last").to_numpy(dtype=np.float64), dtype=np.float64
    )


def _monthly(m: Gjr, x: Floats) -> Floats:
    month = m.days.astype("datetime64[M]").astype(np.int64)
    return np.asarray(
        pd.Series(x).groupby(month).transform("last").to_numpy(dtype=np.float64), dtype=np.float64
    )


def _centred(x: Floats, window: int) -> Floats:
    return np.asarray(
        pd.Series(x).rolling(window, center=True).mean().to_numpy(dtype=np.float64),
        dtype=np.float64,
    )


def _smooth(x: Floats, width: float) -> Floats:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(x, width), dtype=np.float64)


def _filtered_back(m: Gjr) -> Floats:
    """Return what a state-space smoother gives: a filter run forwards, then backwards."""
    forward = pd.Series(np.abs(m.ret)).ewm(halflife=3).mean()
    back = forward[::-1].ewm(halflife=3).mean()[::-1]
    return np.asarray(back.to_numpy(), dtype=np.float64)


def _until_drop(m: Gjr) -> Floats:
    """Return the sessions until the next loss of 1.5 usual sizes."""
    drop = m.ret < -1.5 * np.std(m.ret)
    at = np.where(drop, np.arange(len(drop)), np.nan)
    following = pd.Series(at).bfill().shift(-1).to_numpy()
    return np.asarray(following - np.arange(len(drop)), dtype=np.float64)


#: What a series holds. The first block is what people have planted; the rest is ours.
PLANTED: dict[str, Make] = {
    "next return": lambda m: ahead(m.ret, 1),
    "sign of the next return": lambda m: np.sign(ahead(m.ret, 1)),
    "five-day forward return": lambda m: over(m.ret, 1, 5),
    "month's forward return": lambda m: over(m.ret, 1, 21),
    "next month's volatility": lambda m: np.sqrt(over(m.ret**2, 1, 21)),
    "next week's volatility": lambda m: np.sqrt(over(m.ret**2, 1, 5)),
    "next absolute return": lambda m: np.abs(ahead(m.ret, 1)),
    "next range": lambda m: ahead(_range(m), 1),
    "next return in noise": lambda m: _unit(ahead(m.ret, 1)) + _noise(m),
    "next return in much noise": lambda m: 0.4 * _unit(ahead(m.ret, 1)) + _noise(m),
    "five days in noise": lambda m: _unit(over(m.ret, 1, 5)) + _noise(m),
    "cumulated future": lambda m: np.nancumsum(ahead(m.ret, 1)),
    "cumulated future, in noise": lambda m: np.nancumsum(ahead(m.ret, 1)) + 0.01 * _noise(m),
    "next gap": lambda m: ahead(_gap(m), 1),
    "next high": lambda m: ahead(np.log(m.bars["high"].to_numpy(dtype=np.float64)), 1),
    "next close": lambda m: np.exp(ahead(_close(m), 1)),
    "vix a session early": lambda m: ahead(m.vix, 1),
    "gex a session early": lambda m: ahead(m.gex, 1),
    "gex two sessions early": lambda m: ahead(m.gex, 2),
    # of our own
    "gex with the next return": lambda m: _unit(m.gex) + 0.5 * _unit(ahead(m.ret, 1)),
    "vix tilted by the next return": lambda m: m.vix * np.exp(8.0 * ahead(m.ret, 1)),
    "return of the day after": lambda m: ahead(m.ret, 2),
    "return of three weeks later": lambda m: ahead(m.ret, 15),
    "quarter's forward return": lambda m: over(m.ret, 1, 60),
    "distance to a centred mean": lambda m: _close(m) - _centred(_close(m), 11),
    "centred volatility": lambda m: _centred(np.abs(m.ret), 21),
    "slope of a smoothed price": lambda m: np.gradient(_smooth(_close(m), 4.0)),
    "smoothed volatility": _filtered_back,
    "best of the next five closes": lambda m: np.max(
        [over(m.ret, 1, k) for k in range(1, 6)], axis=0
    ),
    "worst of the next ten closes": lambda m: np.min(
        [over(m.ret, 1, k) for k in range(1, 11)], axis=0
    ),
    "sessions until the next drop": _until_drop,
    "week's return from Monday on": lambda m: _weekly(m, _close(m)) - _close(m),
    "week's gex backfilled": lambda m: _weekly(m, m.gex),
    "month's close from its first day": lambda m: _monthly(m, _close(m)) - _close(m),
    "up tomorrow, one in five wrong": lambda m: np.where(
        np.random.default_rng(8).random(len(m.ret)) < 0.2, -1.0, 1.0
    ) * np.sign(ahead(m.ret, 1)),
    "today and tomorrow": lambda m: m.ret + ahead(m.ret, 1),
    "next volume": lambda m: ahead(m.bars["volume"].to_numpy(dtype=np.float64), 1),
    "three days' range": lambda m: over(_range(m), 1, 3),
    "rank within the next month": lambda m: np.sum(
        [over(m.ret, 1, k) > 0.0 for k in range(1, 22)], axis=0
    ).astype(np.float64),
    "exponential of the next return": lambda m: np.exp(50.0 * ahead(m.ret, 1) + _noise(m) / 2),
}  # fmt: skip

#: Tried every time; the rest with the slow tests.
SAMPLE = ("next return", "next return in noise", "cumulated future", "week's gex backfilled")


def _planted(config: Config, market: Market, values: Floats, name: str) -> Market:
    index = pd.DatetimeIndex(market.bars.index)
    if name == "vix":
        table = market.series["vix"].assign(value=pd.Series(values, index=index))
        return replace(market, series={"vix": table})
    table = market.regime.table.assign(value=pd.Series(values, index=index))
    return replace(market, regime=replace(market.regime, table=table))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gjr, Config, Market]:
    made = gjr(900)
    return made, *loaded(made, tmp_path_factory.mktemp("gjr"))


def _traces(world: tuple[Gjr, Config, Market], values: Floats, name: str) -> list[tuple[str, str]]:
    _, config, market = world
    found = market_leaks(config, _planted(config, market, values, name), ())
    return [(leak.input, leak.kind) for leak in found.leaks]


def _assert_found(world: tuple[Gjr, Config, Market], name: str, at: str) -> None:
    found = _traces(world, PLANTED[name](world[0]), at)
    assert [each for each, kind in found if kind.startswith("moves_with")] == [at]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_series_that_holds_the_future(name: str, world: tuple[Gjr, Config, Market]) -> None:
    _assert_found(world, name, "regime")


@pytest.mark.slow
@pytest.mark.parametrize("at", ["regime", "vix"])
@pytest.mark.parametrize("name", list(PLANTED))
def test_forty_series_that_hold_the_future(
    name: str, at: str, world: tuple[Gjr, Config, Market]
) -> None:
    _assert_found(world, name, at)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "sessions", "found"),
    [("month", 3_700, True), ("month", 1_500, False), ("3", 800, True), ("5", 3_700, True)],
)
def test_how_faint_a_future_is_found(
    share: str, sessions: int, found: bool, tmp_path: Path
) -> None:
    """The numbers of leaks.md: noise as large as next month's volatility, 3 or 5 times a return."""
    made = gjr(sessions)
    if share == "month":
        values = _unit(PLANTED["next month's volatility"](made)) + _noise(made)
    else:
        values = _unit(ahead(made.ret, 1)) + float(share) * _noise(made)
    traced = _traces((made, *loaded(made, tmp_path)), values, "regime")
    assert any(kind.startswith("moves_with") for _, kind in traced) == found


def _ewma(m: Gjr, halflife: float) -> Floats:
    return np.asarray(
        np.sqrt(pd.Series(m.ret**2).ewm(halflife=halflife).mean().to_numpy(dtype=np.float64)),
        dtype=np.float64,
    )


def _trail(x: Floats, k: int) -> Floats:
    return np.asarray(pd.Series(x).rolling(k).mean().to_numpy(dtype=np.float64), dtype=np.float64)


def _rsi(m: Gjr, k: int) -> Floats:
    return _trail(np.maximum(m.ret, 0.0), k) / _trail(np.abs(m.ret), k)


def _momentum(m: Gjr, k: int) -> Floats:
    return over(m.ret, 1 - k, 0)


def _distance(m: Gjr, k: int) -> Floats:
    return _close(m) - _trail(_close(m), k)


def _volatility(m: Gjr, k: int) -> Floats:
    return np.asarray(np.sqrt(_trail(m.ret**2, k)), dtype=np.float64)


#: Honest: nothing but the past, however predictive of volatility.
HONEST: dict[str, Make] = {
    "gex": lambda m: m.gex,
    "vix": lambda m: m.vix,
    "true volatility": lambda m: ahead(m.sigma, 1),  # decided by the returns until today
    "price": lambda m: np.exp(_close(m)),
    "log price": _close,
    "volume": lambda m: m.bars["volume"].to_numpy(dtype=np.float64),
    "range": _range,
    "gap": _gap,
    "absolute return": lambda m: np.abs(m.ret),
    "squared return": lambda m: m.ret**2,
    "sign of gex": lambda m: np.sign(m.gex),
    "gex late": lambda m: ahead(m.gex, -1),
    "gex nine sessions late": lambda m: ahead(m.gex, -9),
    "vix late": lambda m: ahead(m.vix, -1),
    "change of vix": lambda m: m.vix - ahead(m.vix, -1),
    "cumulated gex": lambda m: np.cumsum(m.gex),
    "weekday": lambda m: ((m.days.astype(np.int64) + 3) % 7).astype(np.float64),
    "month": lambda m: (m.days.astype("datetime64[M]").astype(np.int64) % 12).astype(np.float64),
    "noise": _noise,
    "drifting noise": lambda m: np.cumsum(_noise(m)),
    "year's high": lambda m: _close(m) - pd.Series(_close(m)).rolling(252).max().to_numpy(),
    "gex over vix": lambda m: m.gex / m.vix,
    "yesterday's return": lambda m: ahead(m.ret, -1),
    **{f"momentum {k}": partial(_momentum, k=k) for k in (1, 2, 3, 5, 10, 21, 63, 126)},
    **{f"mean of {k}": partial(_distance, k=k) for k in (5, 10, 20, 50, 200)},
    **{f"volatility of {k}": partial(_volatility, k=k) for k in (5, 10, 21, 63)},
    **{f"ewma {k}": partial(_ewma, halflife=float(k)) for k in (2, 5, 11, 30)},
    **{f"rsi {k}": partial(_rsi, k=k) for k in (2, 14)},
    **{f"noise {k}": partial(_noise, seed=k) for k in range(40, 54)},
}  # fmt: skip


def _false_alarm(world: tuple[Gjr, Config, Market], name: str) -> list[tuple[str, str]]:
    return _traces(world, HONEST[name](world[0]), "regime")


@pytest.mark.parametrize("name", ["gex", "vix", "ewma 5", "momentum 5"])
def test_an_honest_series_raises_no_alarm(name: str, world: tuple[Gjr, Config, Market]) -> None:
    assert _false_alarm(world, name) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_sixty_honest_series_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    assert len(HONEST) == 60
    for sessions in (400, 1500):
        made = gjr(sessions, seed)
        world = (made, *loaded(made, tmp_path))
        assert {n: f for n in HONEST if (f := _false_alarm(world, n))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7"])
def test_gamma_of_simulated_markets_raises_no_alarm(name: str, tmp_path: Path) -> None:
    from gexlab.data.simulate import simulate_path

    made = simulate_path(name, sessions=750, seed=77, start=date(2015, 1, 2))
    bars = made.daily().reset_index()
    ours = replace(gjr(750), bars=bars, gex=made.gammas["net_gex"], vix=100.0 * made.gammas["iv"])
    config, market = loaded(ours, tmp_path)
    assert market_leaks(config, market, ()).leaks == ()


def test_a_calendar_is_exempt_from_association(tmp_path: Path) -> None:
    """What is known in advance may say what comes; only stamps are held against it."""
    made = gjr(400)
    config = write(replace(made, vix=ahead(made.ret, 1)), tmp_path)
    assert [leak.input for leak in leakcheck(config, cuts=1).leaks] == ["vix"]
    series = config.series["vix"].model_copy(update={"scheduled": True})
    exempt = config.model_copy(update={"series": {"vix": series}})
    assert leakcheck(exempt, cuts=1).leaks == ()


def _kinds(config: Config) -> set[str]:
    return {leak.kind for leak in leakcheck(config, cuts=1).leaks}


@pytest.mark.parametrize("hours", [1, 2])
def test_bars_that_are_stamped_early(hours: int, tmp_path: Path) -> None:
    made = gjr(120)
    early = made.minutes.assign(timestamp=made.minutes["timestamp"] - pd.Timedelta(hours=hours))
    config = write(replace(made, minutes=early), tmp_path, intraday="minutes.parquet")
    assert _kinds(config) == {"bars_stamped_early"}


def test_bars_that_are_stamped_right_or_late(tmp_path: Path) -> None:
    made = gjr(120)
    for hours in (0, 1):
        late = made.minutes.assign(timestamp=made.minutes["timestamp"] + pd.Timedelta(hours=hours))
        config = write(replace(made, minutes=late), tmp_path, intraday="minutes.parquet")
        assert _kinds(config) == set()


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_close_that_is_the_next_open(fill: str, tmp_path: Path) -> None:
    made = gjr(300)
    bars = made.bars.assign(close=made.bars["open"].shift(-1).fillna(made.bars["close"]))
    config = write(replace(made, bars=bars), tmp_path, fill=fill)
    assert "close_is_the_next_open" in _kinds(config)


def test_an_open_that_is_the_previous_close(tmp_path: Path) -> None:
    made = gjr(300)
    before = made.bars["close"].shift(1).fillna(made.bars["open"])
    bars = made.bars.assign(
        open=before,
        high=np.maximum(made.bars["high"], before),
        low=np.minimum(made.bars["low"], before),
    )
    stale = replace(made, bars=bars)
    there = {"instrument": "index", "underlying": "SPX"}
    assert "open_is_the_previous_close" in _kinds(write(stale, tmp_path, fill="next_open", **there))
    # an index fills at the close, where nobody trades at its opens
    assert _kinds(write(stale, tmp_path, fill="next_close", **there)) == set()


def test_earnings_beyond_any_honest_signal(tmp_path: Path) -> None:
    made = gjr(500)
    hold = [{"name": "timing", "filter": "sign", "long": "hold", "short": "flat"}]
    leaking = replace(made, gex=ahead(made.ret, 2))  # filled at the next close
    config = write(leaking, tmp_path, fill="next_close", strategies=hold)
    found = [(leak.input, leak.kind) for leak in leakcheck(config, cuts=1).leaks]
    assert ("regime", "moves_with_later_returns") in found
    assert ("timing", "earns_what_no_honest_signal_does") in found
    assert _kinds(write(made, tmp_path, fill="next_close", strategies=hold)) == set()
