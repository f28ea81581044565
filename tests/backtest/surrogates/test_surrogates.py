"""Books made by rules: no look ahead, the kernel's twin, weights and p by hand, the family."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import held_out
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from gexlab.backtest.hypotheses import Dataset, Settings, null_routes
from gexlab.backtest.hypotheses.cloud_statistics import STATISTICS, Many
from gexlab.backtest.hypotheses.features import Daily
from gexlab.backtest.hypotheses.fragility_tail import fit_fragility
from gexlab.backtest.hypotheses.null_routes import against_nulls
from gexlab.backtest.hypotheses.protocol import MissingDataError
from gexlab.backtest.statistics.diagnostics.regression import ols
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.surrogates.cloud import draw_books, effective_number, kernel_weights
from gexlab.backtest.surrogates.customers import CUSTOMERS, rule
from gexlab.backtest.surrogates.kernels import CALL_REACH, PUT_REACH, STEP
from gexlab.backtest.surrogates.parameters import NAMES, PARAMETERS
from gexlab.backtest.surrogates.path import FILLING, ewma_volatility, path_of, weeks
from gexlab.backtest.surrogates.path import Path as BookPath
from gexlab.backtest.surrogates.returns import MAKES, Observed
from gexlab.backtest.surrogates.statistics import clark_west_t, joint_t, rolling_ranks
from gexlab.data import market_facts
from gexlab.reports.page.sections.null_routes import cloud_figure, family_table, routes_table

Floats = npt.NDArray[np.float64]
RULE = market_facts().monthly


def _prices(n: int, seed: int = 5) -> tuple[Floats, Floats, npt.NDArray[np.datetime64]]:
    rng = np.random.default_rng(seed)
    close = np.log(4_000.0) + 0.01 * rng.standard_normal(n).cumsum()
    sigma = 0.16 * np.exp(0.2 * rng.standard_normal(n))
    days = pd.bdate_range("2019-03-06", periods=n).to_numpy().astype("datetime64[D]")
    return close, sigma, days


def _path(n: int) -> BookPath:
    close, sigma, days = _prices(300)
    return path_of(close[:n], sigma[:n], days[:n], RULE)


def test_what_comes_later_changes_no_earlier_row() -> None:
    rng = np.random.default_rng(1)
    points = rng.random((6, len(PARAMETERS)))
    seeds = np.arange(12).reshape(6, 2)
    whole, part = draw_books(_path(300), points, seeds), draw_books(_path(170), points, seeds)
    np.testing.assert_array_equal(whole.call[:170], part.call)
    np.testing.assert_array_equal(whole.put[:170], part.put)


SIDES = ((0, CALL_REACH, 0.02, 0.018), (1, PUT_REACH, 0.04, 0.028))


def _plain(p: dict[str, float], n: int) -> Floats:
    """One book of fixed contracts without reactions, contract by contract."""
    close, sigma, days = _prices(300)
    before = np.busday_offset(days[0], -np.arange(FILLING, 0, -1), roll="forward")
    level = np.concatenate([np.full(FILLING, close[0]), close])[: FILLING + n]
    vol = np.concatenate([np.full(FILLING, sigma[0]), sigma])
    every = np.concatenate([before.astype("datetime64[D]"), days])[: FILLING + n]
    week, first = weeks(every), float(close[0]) - 100 * STEP
    months = np.arange("2018-06", "2021-06", dtype="datetime64[M]").astype(object)
    standard = set(weeks(np.array([RULE.day(m.year, m.month) for m in months], dtype="M8[D]")))
    lots: dict[tuple[int, int, int], float] = {}  # contracts by week, side and cell
    out = np.zeros((FILLING + n, 2))
    for t in range(FILLING + n):
        place = math.floor((level[t] - first) / STEP + 0.5)
        weekday = int((every[t].astype(int) + 3) % 7)
        listed = {}
        for w in range(week[t], week[t] + 27):
            left = 5 * (w - week[t]) + 4 - weekday
            if left > 0 and w - week[t] <= (26 if w in standard else 13):
                share = math.exp(-0.5 * (math.log(left / (5 * 4.0)) / 0.5) ** 2) + 1e-12
                listed[w] = share * (1.0 if w in standard else p["weekly"])
        total = sum(listed.values())
        lots = {lot: c * (1 - p["closing"]) for lot, c in lots.items() if lot[0] >= week[t]}
        for side, reach, center, spread in SIDES:
            shape = [
                math.exp(-0.5 * ((j * STEP - center) / spread) ** 2) + 1e-9 for j in range(reach)
            ]
            for w, share in listed.items():
                if share / total < 0.004:
                    continue
                for j, weight in enumerate(shape):
                    lot = (w, side, place + (j if side == 0 else -j))
                    size = 0.5 * share / total * weight / sum(shape)
                    lots[lot] = lots.get(lot, 0.0) + size
        for (w, side, k), contracts in lots.items():
            left = max(5 * (w - week[t]) + 4 - weekday, 0.25)
            v = math.sqrt(vol[t] ** 2 * left / 252.0 + STEP**2 / 12.0)
            if abs(k - place) > min(32, int(3.2 * v / STEP) + 1):
                continue
            offset = (level[t] - first) / STEP - place
            d1 = (offset - (k - place)) * STEP / v + 0.5 * v
            gamma = math.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi) / v
            out[t, side] += contracts * gamma * math.exp(level[t])
    return out[FILLING:]


def test_kernel_agrees_with_a_book_kept_contract_by_contract() -> None:
    n = 12
    p = dict(zip(NAMES, rule("calls sold and puts bought, fixed contracts"), strict=True))
    found = draw_books(_path(n), np.array([list(p.values())]), np.zeros((1, 2), int), scaled=True)
    expected = _plain(p, n)
    np.testing.assert_allclose(found.call[:, 0], expected[:, 0], rtol=2e-4)
    np.testing.assert_allclose(found.put[:, 0], expected[:, 1], rtol=2e-4)


def test_weights_and_effective_number() -> None:
    assert effective_number(np.array([0.5, 0.5, 0.5, 0.5])) == pytest.approx(4.0)
    w = kernel_weights(np.array([0.5, 1.0, 1.5, 3.0, 9.0]), 3.0)
    assert effective_number(w) == pytest.approx(3.0)
    assert (np.diff(w) < 0.0).all()
    assert w[0] == 1.0


def test_ranks_and_joint_t_are_those_of_pandas_and_least_squares() -> None:
    rng = np.random.default_rng(3)
    x = np.round(rng.standard_normal((300, 3)), 1)  # with ties
    expected = pd.DataFrame(x).rolling(60, min_periods=20).rank(pct=True).to_numpy()
    np.testing.assert_allclose(rolling_ranks(x, 60, 20), expected)
    y, control = rng.standard_normal((2, 300))
    first, second = rng.standard_normal((2, 300, 4))
    base = np.column_stack([np.ones(300), control])
    found = joint_t(y, base, first, second, 10)
    for i in range(4):
        columns = {"c": control, "x": first[:, i], "z": second[:, i]}
        assert found[i] == pytest.approx(ols(y, columns, hac=10).coefficient("x").t_stat, rel=1e-9)


def test_volatility_of_past_returns_by_hand() -> None:
    close = np.log(np.array([100.0, 101.0, 99.0]))
    a, b = np.diff(close) ** 2
    start = (a + b) / 2
    one = 0.94 * start + 0.06 * a
    expected = [start, one, 0.94 * one + 0.06 * b]
    assert ewma_volatility(close) == pytest.approx(np.sqrt(252.0 * np.array(expected)))


def _market(n: int = 420) -> Dataset:
    """Return a market whose gamma is one more book made by a rule."""
    close, sigma, days = _prices(n, 9)
    path = path_of(close, sigma, days, RULE)
    book = draw_books(path, rule("calls sold in calm")[None], np.zeros((1, 2), int), scaled=True)
    index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="session")
    level = np.exp(close)
    rng = np.random.default_rng(2)
    reach = 0.004 * np.exp(0.4 * rng.standard_normal(n))
    bars = pd.DataFrame(
        {"open": level, "high": level * (1 + reach), "low": level * (1 - reach), "close": level},
        index=index,
    )
    call, put = (pd.Series(x[:, 0], index=index) for x in (book.call, book.put))
    return Dataset(
        bars=bars,
        gex=call - put,
        vix=pd.Series(100 * sigma, index=index),
        legs=pd.DataFrame({"call": call, "put": put}),
    )


QUICK = Settings(resampling=Resampling(replications=99), surrogates=60)


def test_p_counts_the_series_itself_and_is_the_weighted_share() -> None:
    data = _market()
    low = against_nulls("vol-damping", -1e9, data, QUICK, upper=False)
    high = against_nulls("vol-damping", 1e9, data, QUICK, upper=False)
    effective = low.place.effective
    assert effective == pytest.approx(0.44 * 60, abs=0.01)
    assert low.place.p == pytest.approx(1.0 / (1.0 + effective))
    assert high.place.p == pytest.approx(1.0)
    middle = against_nulls("vol-damping", low.place.quantiles[2], data, QUICK, upper=False)
    assert middle.place.p == pytest.approx((1.0 + 0.5 * effective) / (1.0 + effective), abs=0.04)
    assert low.place.stretch == pytest.approx(math.sqrt(1.0 + low.place.median**2 / 2.0))
    assert low.place.control == "the implied volatility index"


def test_without_a_volatility_series_the_control_is_named() -> None:
    found = against_nulls("sign-audit", -2.0, replace(_market(), vix=None), QUICK, upper=False)
    assert found.place.control.startswith("past returns, exponentially weighted")


def test_books_do_not_follow_a_volatility_that_says_nothing() -> None:
    """Moves of .5 and 2 % in spells of 50: past returns tell of them, noise does not."""
    n = 600
    size = np.where(np.arange(n) // 50 % 2 == 0, 0.005, 0.02)
    noise = np.random.default_rng(4).standard_normal((2, n))
    close = np.cumsum(size * np.sign(noise[0]) * (0.5 + np.abs(noise[0])))
    index = pd.bdate_range("2020-01-01", periods=n)
    bars = pd.DataFrame({"close": np.exp(close)}, index=index)
    follow = {
        name: null_routes._volatility(pd.Series(x, index=index), bars, close, np.arange(n))
        for name, x in (("noise", 20 * np.exp(noise[1] / 20)), ("true", 1600 * np.roll(size, -1)))
    }
    assert "the implied volatility series does not" in follow["noise"][1]
    np.testing.assert_array_equal(follow["noise"][0], ewma_volatility(close))
    assert follow["true"][1] == "the implied volatility index"
    np.testing.assert_allclose(follow["true"][0], 16 * np.roll(size, -1))


def test_the_worst_member_that_fits_decides() -> None:
    how = replace(QUICK, simulations=5)
    found = against_nulls("vol-damping", -3.0, _market(), how, upper=False)
    assert found.family is not None
    members = found.family.members
    assert len(members) == 5 * (len(CUSTOMERS) + 1)
    fitting = [m.p for m in members if m.compatible and m.markets >= 5]
    assert fitting
    assert found.family.worst.p == max(fitting)
    assert found.p == max(found.place.p, found.family.worst.p)
    assert found.family.worst.name in found.sentence()
    # the page shows both p's, how near the books are, and each member
    told = {row.cells[0]: row.cells[1] for row in routes_table("vol-damping", found).rows}
    assert told["Books made by rules on the same prices: p"] == f"{found.place.p:.3f}"
    assert told["Simulated markets without dealers: p"] == f"{found.family.worst.p:.3f}"
    assert "Distance of the nearest book" in told
    (table,) = family_table("vol-damping", found)
    assert [row.cells[0] for row in table.rows] == [m.returns for m in members]
    assert cloud_figure("vol-damping", found)


def test_what_was_found_is_kept_and_read_again(tmp_path: Path) -> None:
    how = replace(QUICK, store=tmp_path / "books")
    first = against_nulls("vol-damping", -2.0, _market(), how, upper=False)
    (file,) = (tmp_path / "books").iterdir()
    again = against_nulls("vol-damping", -2.0, _market(), how, upper=False)
    assert again.place == first.place
    file.write_bytes(b"damaged")
    assert against_nulls("vol-damping", -2.0, _market(), how, upper=False).place == first.place


def test_too_few_sessions_for_any_book() -> None:
    with pytest.raises(MissingDataError, match="at least 40 sessions"):
        against_nulls("vol-damping", -2.0, _market(30), QUICK, upper=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(held_out.GENERATORS))
def test_held_out_markets_look_like_dealers_without_any(name: str) -> None:
    """Calm follows high gamma in each, though nothing moves a price: what makes them nulls."""
    market = held_out.draw(name, 12, 1_500)
    following = np.diff(np.log(market.bars["close"].to_numpy()))
    gex = (market.call - market.put).to_numpy()[:-1]
    quarter = np.argsort(np.argsort(gex)) * 4 // len(gex)
    spread = [following[quarter == q].std() for q in range(4)]
    assert spread[0] > 1.2 * spread[3]
    assert 0.02 < (gex < 0).mean() < 0.6
    assert np.corrcoef(gex, market.vix.to_numpy()[:-1])[0, 1] < -0.15


def test_clark_and_wests_t_is_that_of_plain_regressions() -> None:
    """Regressions on all rows before, anew every 20; their adjusted gains, and a HAC mean."""
    import statsmodels.api as sm

    rng = np.random.default_rng(9)
    n, first, refit, hac = 200, 80, 20, 5
    base = np.column_stack([np.ones(n), rng.standard_normal(n)])
    gex = rng.standard_normal((n, 3))
    y = base @ [0.2, 0.5] + 0.2 * gex[:, 0] + rng.standard_normal(n)
    found = clark_west_t(y, base, gex, first, refit, hac)
    for k in range(3):
        gains = []
        both = np.column_stack([base, gex[:, k]])
        for origin in range(first, n, refit):
            fitted = [np.linalg.lstsq(x[: origin - 1], y[: origin - 1])[0] for x in (base, both)]
            for t in range(origin, min(origin + refit, n)):
                without, having = base[t] @ fitted[0], both[t] @ fitted[1]
                gains.append((y[t] - without) ** 2 - (y[t] - having) ** 2 + (without - having) ** 2)
        model = sm.OLS(gains, np.ones(len(gains)))
        want = model.fit(cov_type="HAC", cov_kwds={"maxlags": hac, "use_correction": False})
        assert found[k] == pytest.approx(float(want.tvalues[0]), rel=1e-9)


def test_the_tail_statistic_of_many_series_is_that_of_the_test() -> None:
    """The t of statsmodels' logit, with its sign: a series for which low gamma precedes losses."""
    rng = np.random.default_rng(4)
    n = 700
    rank = rng.uniform(-0.5, 0.5, (n, 2))
    ret = 0.01 * rng.standard_normal(n)
    ret[1:] *= np.where(rank[:-1, 0] < 0.0, 1.6, 0.8)
    one = np.full(n, np.nan)
    found = []
    for k in range(2):
        features = Daily(
            np.arange(n).astype("datetime64[D]"), ret.cumsum(), ret, np.append(ret[1:], np.nan),
            one, one, np.column_stack([one] * 3), rank[:, k], rank[:, k],
            np.log(0.2 + 0.02 * rng.standard_normal(n)), one,
        )  # fmt: skip
        every = np.ones(n, dtype=np.bool_)
        many = Many(features, np.arange(n), every, rank, rank, rank, rank, every)
        found.append(STATISTICS["fragility-tail"](many)[k])
        assert found[k] == pytest.approx(fit_fragility(features).coefficient.t_stat, rel=1e-6)
    assert found[0] > 2.0 > abs(found[1])


def test_stochastic_volatility_has_the_leverage_of_the_market_it_is_fitted_to() -> None:
    """Losses raise volatility as much in what is made as in a market of known numbers."""
    rng = np.random.default_rng(8)
    n, memory, spread, leverage = 12_000, 0.95, 0.2, -0.5
    z, u, logs = rng.standard_normal(n), rng.standard_normal(n), np.zeros(n)
    for t in range(n - 1):
        shock = leverage * z[t] + math.sqrt(1.0 - leverage**2) * u[t]
        logs[t + 1] = memory * logs[t] + spread * shock
    seen = math.log(0.01) + logs + 0.3 * rng.standard_normal(n)
    theirs = Observed(0.01 * np.exp(logs) * z, seen, np.full(n, np.nan))
    made = MAKES["stochastic volatility with leverage"](theirs)(n, rng)

    def felt(ret: Floats, log_vol: Floats) -> float:
        fresh = log_vol[1:] - memory * log_vol[:-1]
        return float(np.corrcoef((ret / np.exp(log_vol))[:-1].clip(-3, 3), fresh)[0, 1])

    # the noise of the range hides some of it: -0.5 * 0.2 / sqrt(0.2^2 + 1.9 * 0.3^2) at most
    assert -0.22 < felt(theirs.ret, seen) < -0.17
    assert felt(made.ret, made.log_vol) == pytest.approx(felt(theirs.ret, seen), abs=0.03)
