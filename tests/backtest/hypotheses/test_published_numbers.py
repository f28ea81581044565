"""Own numbers computed elsewhere on public series, to their printed digits.

The series are the published GEX of the S&P 500 joined by date with daily bars; sessions, lags
and samples are those stated with each number.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses import beyond_leverage, fade_follow, fragility_tail
from gexlab.backtest.hypotheses import test as testing
from gexlab.backtest.hypotheses.cloud_statistics import STATISTICS, Many
from gexlab.backtest.hypotheses.features import Daily, daily, tercile
from gexlab.backtest.hypotheses.null_routes import against_nulls
from gexlab.backtest.hypotheses.protocol import Dataset, Settings
from gexlab.backtest.hypotheses.vol_damping import fit_damping
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.statistics import realised as rv
from gexlab.backtest.statistics.diagnostics.regression import ols
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.statistics.volatility_by_regime import (
    next_return_sd_by_quantile,
    quantile_groups,
)
from gexlab.backtest.surrogates.cloud import draw_books
from gexlab.backtest.surrogates.customers import rule
from gexlab.backtest.surrogates.path import path_of

ROOT = Path(__file__).resolve().parents[3]
PRICES = ["open", "high", "low", "close"]


@dataclass(frozen=True)
class Series:
    gex: pd.Series
    spx: pd.DataFrame
    spy: pd.DataFrame
    vix: pd.Series


@pytest.fixture(scope="module")
def series(shared_data: Path) -> Series:
    bars = pd.read_parquet(shared_data / "bars" / "spx_spy_qqq_vix_daily_1995_2026.parquet")
    by_root = {
        str(root): frame.set_index("Date").sort_index().rename(columns=str.lower)[PRICES]
        for root, frame in bars.groupby("root")
    }
    gex = pd.read_parquet(shared_data / "series" / "squeezemetrics_dix_gex.parquet")
    gex_by_day = gex.set_index("date")["gex"]
    return Series(gex_by_day, by_root["SPX"], by_root["SPY"], by_root["VIX"]["close"])


def _dataset(series: Series, bars: pd.DataFrame) -> Dataset:
    """Sessions that have bars, GEX and VIX alike."""
    both = bars[bars.index.isin(series.gex.index) & bars.index.isin(series.vix.index)]
    gex, vix = (x.reindex(both.index) for x in (series.gex, series.vix))
    return Dataset(bars=both, gex=gex, vix=vix)


@pytest.fixture(scope="module")
def spx(series: Series) -> tuple[Dataset, Daily]:
    dataset = _dataset(series, series.spx)
    return dataset, daily(dataset)


@pytest.fixture(scope="module")
def spy(series: Series) -> tuple[Dataset, Daily]:
    dataset = _dataset(series, series.spy)
    return dataset, daily(dataset)


def test_share_of_negative_days_by_year(spx: tuple[Dataset, Daily]) -> None:
    gex = spx[0].gex
    share = (gex < 0).groupby(pd.DatetimeIndex(gex.index).year).mean().round(3)
    assert share.to_dict() == {
        2011: 0.176, 2012: 0.052, 2013: 0.008, 2014: 0.020, 2015: 0.091, 2016: 0.087,
        2017: 0.008, 2018: 0.155, 2019: 0.071, 2020: 0.123, 2021: 0.063, 2022: 0.414,
        2023: 0.092, 2024: 0.004, 2025: 0.036, 2026: 0.000,
    }  # fmt: skip
    assert (len(gex), int((gex < 0).sum())) == (3724, 338)
    early = gex["2011-05":"2020-05"]
    assert (int((early < 0).sum()), len(early)) == (180, 2285)


@pytest.mark.parametrize(
    ("first", "last", "published"),
    [
        ("2011-05", "2017-12", (0.46, 0.59, 0.82, 1.42)),
        ("2011-05", "2019-12", (0.46, 0.59, 0.89, 1.40)),
        ("2020-01", "2026-02", (0.66, 0.77, 1.09, 2.16)),
        ("2011-05", "2026-02", (0.49, 0.70, 0.94, 1.78)),
    ],
)
def test_quartiles_by_vix(
    series: Series,
    spx: tuple[Dataset, Daily],
    first: str,
    last: str,
    published: tuple[float, ...],
) -> None:
    close = spx[0].bars["close"]
    rows = close.index.slice_indexer(first, last)
    vix = series.vix.reindex(close.index[rows])
    # the last session's next return lies outside the sample, and counts
    got = next_return_sd_by_quantile(close.iloc[rows.start : rows.stop + 1], vix)
    assert tuple(round(x, 2) for x in got) == published


def test_next_range_by_quartile(spx: tuple[Dataset, Daily]) -> None:
    features = spx[1]
    following = 100 * np.exp(features.next_log_vol)
    known = np.isfinite(following)
    group = quantile_groups(np.where(known, features.gex, np.nan))
    means = [round(float(following[group == q].mean()), 2) for q in range(4)]
    assert means == [1.06, 0.62, 0.49, 0.49]
    assert round(float(following[known & (features.gex < 0)].mean()), 2) == 1.38
    assert round(float(following[known & (features.gex >= 0)].mean()), 2) == 0.59


@pytest.mark.parametrize(
    ("first", "last", "n", "park", "r2", "dummy", "klass", "klass_dummy"),
    [
        ("2011", "2026", 3472, (-0.359, -12.0), (0.5255, 0.5452), (0.112, 3.9),
         (-0.288, -10.0), (0.103, 3.5)),
        ("2012", "2019", 1930, (-0.296, -7.1), (0.4914, 0.5038), (-0.051, -1.2),
         (-0.230, -5.7), (-0.028, -0.6)),
        ("2020", "2026", 1520, (-0.344, -6.9), (0.5249, 0.5420), (0.170, 4.9),
         (-0.296, -6.1), (0.155, 4.3)),
    ],
    ids=["full", "to 2019", "2020 on"],
)  # fmt: skip
def test_next_session_log_range(
    spx: tuple[Dataset, Daily],
    first: str,
    last: str,
    n: int,
    park: tuple[float, float],
    r2: tuple[float, float],
    dummy: tuple[float, float],
    klass: tuple[float, float],
    klass_dummy: tuple[float, float],
) -> None:
    # the last dummy of the full sample is printed as 3.6; it is 3.547
    # bars of the sample alone (averages begin anew), ranks of GEX over the whole series
    whole, features = spx
    chosen = whole.bars.index.slice_indexer(first, last)
    part = Dataset(bars=whole.bars.iloc[chosen], gex=whole.gex.iloc[chosen], vix=whole.vix)
    plain = replace(daily(part), gex_rank=features.gex_rank[chosen])
    frames = {"parkinson": plain, "garman_klass": _garman_klass(part, plain)}
    for name, (slope, level) in (
        ("parkinson", (park, dummy)), ("garman_klass", (klass, klass_dummy)),
    ):  # fmt: skip
        f = frames[name]
        fit = fit_damping(f, f.gex_rank)
        c = fit.coefficient("gex")
        got = (round(c.value, 3), round(c.t_stat, 1))
        negative = np.where(np.isfinite(f.gex_rank), f.gex < 0.0, np.nan)
        d = fit_damping(f, negative).coefficient("gex")
        assert (got, (round(d.value, 3), round(d.t_stat, 1))) == (slope, level), name
        if name == "parkinson":
            columns = {**f.har_columns(), "ln_vix": f.log_vix, "loss": f.loss}
            base = ols(np.where(fit.used, f.next_log_vol, np.nan), columns, hac=10)
            assert (round(base.r2, 4), round(fit.r2, 4), c.n) == (*r2, n)


def _garman_klass(dataset: Dataset, features: Daily) -> Daily:
    logs = rv.log_bars(*(dataset.bars[c].to_numpy() for c in PRICES))
    log_vol = rv.log_volatility(rv.garman_klass(logs))
    return replace(
        features,
        log_vol=log_vol,
        next_log_vol=np.append(log_vol[1:], np.nan),
        har=rv.har_regressors(log_vol),
    )


def test_ladder(spx: tuple[Dataset, Daily]) -> None:
    published = [
        (-0.440, -13.9, 0.4745, 0.5061, 4.07, 2.04, 6.38, 3.43, 10.07),
        (-0.375, -12.6, 0.5216, 0.5442, 5.02, 7.00, 2.63, 4.27, 7.21),
        (-0.244, -7.1, 0.5451, 0.5520, 1.55, 2.81, 0.06, 1.87, 3.25),
        (-0.192, -5.2, 0.5508, 0.5544, 0.50, 1.03, -0.11, 0.82, 2.36),
    ]
    for rung, want in zip(beyond_leverage.climb(spx[1]), published, strict=True):
        o = rung.out_of_sample
        assert o is not None
        assert (rung.gex.n, len(o.rows)) == (3472, 2472)
        assert (
            round(rung.gex.value, 3), round(rung.gex.t_stat, 1), round(rung.without.r2, 4),
            round(rung.with_gex.r2, 4), round(100 * o.gain, 2), round(100 * o.first_half, 2),
            round(100 * o.second_half, 2), round(o.diebold_mariano.t_stat, 2),
            round(o.clark_west.t_stat, 2),
        ) == want  # fmt: skip


def test_many_series_at_once_give_the_numbers_of_each_alone(spx: tuple[Dataset, Daily]) -> None:
    f = spx[1]
    whole = beyond_leverage.climb(f)[-1].out_of_sample
    assert whole is not None
    known = np.flatnonzero(np.isfinite(f.gex))
    rank = np.column_stack([f.gex_rank[known], -f.gex_rank[known]])
    every = np.ones(len(known), dtype=bool)
    many = Many(f, known, every, rank, rank, rank, rank, every)
    found = {name: STATISTICS[name](many) for name in ("vol-damping", "beyond-leverage")}
    assert found["beyond-leverage"][0] == pytest.approx(whole.clark_west.t_stat, rel=1e-6)
    assert found["vol-damping"] == pytest.approx([-11.981, 11.981], abs=0.001)
    alone = fragility_tail.fit_fragility(f).coefficient.t_stat
    assert STATISTICS["fragility-tail"](many) == pytest.approx([alone, -alone], rel=1e-5)


@pytest.mark.slow
def test_books_that_move_nothing_come_near_published_gex(spx: tuple[Dataset, Daily]) -> None:
    """The sentence of README and hypotheses.md: t -12.0 beside -8.7 on average, p about .11."""
    how = Settings(resampling=Resampling(seed=7), surrogates=500)
    found = against_nulls("vol-damping", -11.98, spx[0], how, upper=False).place
    assert found.mean == pytest.approx(-8.7, abs=0.6)
    assert 0.03 < found.p < 0.2
    assert found.effective >= 200.0
    assert found.median == pytest.approx(1.24, abs=0.15)


@pytest.mark.slow
def test_the_table_of_what_published_gex_says(shared_data: Path, tmp_path: Path) -> None:
    """Each number of the table in hypotheses.md, and of the sentence on how near the books are."""
    (tmp_path / "config.toml").write_text(
        f"""
[data]
underlying = "SPX"
bars = "{shared_data}/bars/spx_spy_qqq_vix_daily_1995_2026.parquet"
bars_where = {{ root = "SPX" }}
start = 2011-05-01
[regime]
source = "series"
[regime.series]
path = "{shared_data}/series/squeezemetrics_dix_gex.parquet"
columns = {{ session = "date", value = "gex" }}
known = "next_open"
[series.vix]
path = "{shared_data}/series/vix_daily.parquet"
columns = {{ session = "date" }}
known = "close"
""",
        encoding="utf-8",
    )
    found = testing.test(
        ["vol-damping", "beyond-leverage", "fragility-tail"],
        load_config(tmp_path / "config.toml"),
        out=tmp_path / "out",
        surrogates=500,
        simulations=20,
    )
    assert len(found.results) == 3
    told = json.loads((tmp_path / "out" / "hypotheses.json").read_text(encoding="utf-8"))
    text = " ".join((ROOT / "docs" / "hypotheses.md").read_text(encoding="utf-8").split())
    first, gain, odds = told
    heads = (
        f"| {_bare(first['estimate'], 3)} ({first['t_stat']:.1f}) |",
        f"| {_bare(gain['estimate'], 2)} % ({gain['t_stat']:.2f}) |",
        f"| {odds['estimate']:.2f} ({odds['t_stat']:.2f}) |",
    )
    for one, head, tail in zip(told, heads, ("5", "95", "95"), strict=True):
        books = one["surrogates"]
        assert f"| `{one['name']}` {head}" in text
        row = text.partition(f"| `{one['name']}` {head}")[2][:400]
        assert (
            f"| {_bare(books['p'], 3)} | {_bare(books['mean'], 1)} ({_bare(books['sd'], 1)}), "
            f"{_bare(books['quantiles'][tail], 1)} | {_bare(one['family']['p'], 3)} ("
        ) in row
    books = first["surrogates"]
    nearest, median = _bare(books["nearest"], 2), _bare(books["median_distance"], 2)
    assert f"distance of {nearest}, the median of 500 at {median} " in text
    assert f"stretched by {books['stretch']:.2f}." in text
    assert f"nobody should read {_bare(books['p'], 2)} as a proof" in text


def _bare(number: float, digits: int) -> str:
    """Return a number without the 0 before its point."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{number:.{digits}f}")


@pytest.mark.slow
def test_what_holds_no_option_has_the_famous_t(spx: tuple[Dataset, Daily]) -> None:
    """Weekly sellers who roll, and the distance from a high: the sentence of hypotheses.md."""
    dataset = spx[0]
    close, vix = dataset.bars["close"], dataset.vix
    assert vix is not None
    days = dataset.bars.index.to_numpy().astype("datetime64[D]")
    prices = close.to_numpy(dtype=np.float64)
    implied = np.asarray(vix.to_numpy(dtype=np.float64) / 100.0, dtype=np.float64)
    book = draw_books(
        path_of(np.log(prices), implied, days, dataset.market.monthly),
        rule("weekly sellers who roll")[None, :], np.array([[0, 1]]), scaled=True,
    )  # fmt: skip
    told = []
    for values in (
        book.gex[:, 0],
        np.log(prices / close.rolling(20).max().to_numpy(dtype=np.float64)),
    ):
        made = daily(replace(dataset, gex=pd.Series(values, index=dataset.bars.index)))
        told.append(fit_damping(made, made.gex_rank).coefficient("gex").t_stat)
        last = beyond_leverage.climb(made)[-1].out_of_sample
        assert last is not None
        told.append(last.clark_west.t_stat)
    text = " ".join((ROOT / "docs" / "hypotheses.md").read_text(encoding="utf-8").split())
    assert f"has t {told[0]:.1f} and a Clark-West t of {told[1]:.1f} on the same prices" in text
    assert f"in which there is no option at all, has {told[2]:.1f}." in text


@pytest.mark.parametrize(
    ("name", "value", "t_stat", "n"),
    [
        ("GEX < 0", -0.248, -1.6, 308),
        ("GEX >= 0", -0.063, -2.7, 3164),
        ("low", -0.164, -1.7, 1010),
        ("high", 0.004, 0.1, 1388),
        ("GEX < 0 to 2019", -0.002, -0.0, None),
        ("GEX < 0 from 2020", -0.325, -1.9, None),
    ],
)
def test_direction_close_to_close(
    spx: tuple[Dataset, Daily], name: str, value: float, t_stat: float, n: int | None
) -> None:
    f = spx[1]
    third, known = tercile(f.gex_rank), np.isfinite(f.gex_rank)
    late = f.sessions >= np.datetime64("2020-01-01")
    rows = {
        "GEX < 0": known & (f.gex < 0),
        "GEX >= 0": known & (f.gex >= 0),
        "low": third == 0,
        "high": third == 2,
        "GEX < 0 to 2019": known & (f.gex < 0) & ~late,
        "GEX < 0 from 2020": known & (f.gex < 0) & late,
    }[name]
    c = ols(f.next_ret, {"ret": np.where(rows, f.ret, np.nan)}, hac=5).coefficient("ret")
    assert (round(c.value, 3), round(c.t_stat, 1)) == (value, t_stat)
    assert n is None or c.n == n


@pytest.mark.parametrize(
    ("market", "published"),
    [
        ("spx", {"fade long, follow short": (-0.11, 0.19, 0.09), "always fade": (0.42, 0.42, 0.03),
                 "hold": (0.69, 0.77, 0.68)}),
        ("spy", {"fade long, follow short": (-0.23, -0.10, 0.11),
                 "always fade": (0.32, -0.04, -0.06), "hold": (0.69, 0.72, 0.68)}),
    ],
)  # fmt: skip
def test_sharpe_ratios_by_fill(
    request: pytest.FixtureRequest, market: str, published: dict[str, tuple[float, ...]]
) -> None:
    dataset, features = request.getfixturevalue(market)
    if market == "spy":  # this table joined SPY with GEX alone, without VIX
        series = request.getfixturevalue("series")
        bars = series.spy[series.spy.index.isin(series.gex.index)]
        dataset = Dataset(bars=bars, gex=series.gex.reindex(bars.index))
        features = daily(dataset)
    rules = fade_follow.positions(features)
    legs = fade_follow.rule_returns(dataset.bars, logs=True)
    for name, want in published.items():
        fills = (legs.same_close, legs.next_open, legs.next_close)
        assert tuple(round(fade_follow.sharpe(rules[name] * leg), 2) for leg in fills) == want


def test_sharpe_by_tercile_and_by_leg(spx: tuple[Dataset, Daily]) -> None:
    dataset, f = spx
    rules = fade_follow.positions(f)
    leg = fade_follow.rule_returns(dataset.bars, logs=True).same_close
    assert round(fade_follow.sharpe(rules["by tercile, flat between"] * leg), 2) == -0.38
    profit = 1e4 * rules["fade long, follow short"] * leg
    assert round(float(np.nanmean(profit[f.gex < 0]))) == -20
    assert round(float(np.nanmean(profit[f.gex >= 0])), 1) == 1.1
    main = rules["fade long, follow short"] * leg
    late = f.sessions >= np.datetime64("2020-01-01")
    assert round(fade_follow.sharpe(main[~late]), 2) == -0.21
    assert round(fade_follow.sharpe(main[late]), 2) == -0.03


def test_gap_fade(spy: tuple[Dataset, Daily]) -> None:
    got = fade_follow.gap_fade(spy[0])
    assert {k: (round(b, 3), round(t, 1), n) for k, (b, t, n) in got.items()} == {
        "low": (0.044, 0.8, 1009),
        "mid": (0.003, 0.1, 1072),
        "high": (-0.163, -2.9, 1385),
    }


def test_path_shape(spy: tuple[Dataset, Daily]) -> None:
    dataset, f = spy
    logs = rv.log_bars(*(dataset.bars[c].to_numpy() for c in PRICES))
    efficiency = np.abs(logs.close) / logs.range
    before = {
        name: np.concatenate([[np.nan], x[:-1]])
        for name, x in (("gex", f.gex_rank), ("vix", f.log_vix), ("range", np.log(logs.range)))
    }
    third = tercile(before["gex"])
    means = [round(float(np.nanmean(efficiency[third == k])), 3) for k in range(3)]
    assert means == [0.482, 0.466, 0.442]
    c = ols(efficiency, before, hac=10).coefficient("gex")
    assert (round(c.value, 3), round(c.t_stat, 1)) == (-0.036, -2.1)
    late = f.sessions >= np.datetime64("2020-01-01")
    for rows, want in ((~late, -1.4), (late, -0.7)):
        part = {**before, "gex": np.where(rows, before["gex"], np.nan)}
        assert round(ols(efficiency, part, hac=10).coefficient("gex").t_stat, 1) == want


def test_endogeneity_and_persistence(spx: tuple[Dataset, Daily]) -> None:
    f = spx[1]
    change = np.diff(f.gex)
    assert round(float(np.corrcoef(f.ret[1:], change)[0, 1]), 2) == 0.43
    z = (f.gex - f.gex.mean()) / f.gex.std(ddof=1)
    same = ols(f.ret, {"z": z}, hac=10).coefficient("z")
    following = ols(f.next_ret, {"z": z}, hac=10).coefficient("z")
    assert (round(1e4 * same.value, 1), round(same.t_stat, 1)) == (24.5, 8.6)
    assert (round(1e4 * following.value, 1), round(following.t_stat, 1)) == (-2.7, -1.6)
    assert round(float(np.corrcoef(f.gex[1:], f.gex[:-1])[0, 1]), 2) == 0.83
    assert round(float((np.sign(f.gex[1:]) == np.sign(f.gex[:-1])).mean()), 3) == 0.947
    known = np.isfinite(f.gex_rank)
    assert round(float(np.corrcoef(f.gex_rank[known], f.log_vix[known])[0, 1]), 2) == -0.52
