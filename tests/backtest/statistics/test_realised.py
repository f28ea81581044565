"""Realised variance against formulas evaluated elsewhere, and against Brownian motion.

`TTR` holds what R 4.2.2 with TTR 0.24.3 prints for ``volatility(OHLC, n = 5, N = 252)`` on the ten
bars below (``sprintf("%.17g")``), and `_ttr` evaluates TTR's documented formulas in 50-digit
arithmetic (mpmath): neither depends on the code under test.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from property_search import examples

from gexlab.backtest.statistics import intraday
from gexlab.backtest.statistics import realised as rv
from gexlab.data.base.errors import NotEnoughDataError, UnknownNameError

# open, high, low, close
BARS = (
    ("100.00", "101.50", "99.20", "100.90"),
    ("101.20", "102.10", "100.40", "100.60"),
    ("100.10", "100.80", "97.90", "98.30"),
    ("98.90", "99.70", "98.10", "99.50"),
    ("99.50", "101.00", "99.30", "100.70"),
    ("100.20", "100.90", "99.60", "99.80"),
    ("99.10", "99.90", "96.80", "97.20"),
    ("97.90", "100.30", "97.50", "100.10"),
    ("100.40", "101.20", "100.10", "100.80"),
    ("100.60", "102.40", "100.20", "102.00"),
)
NAMES = {
    "close_to_close": "close",
    "parkinson": "parkinson",
    "garman_klass": "garman.klass",
    "rogers_satchell": "rogers.satchell",
    "yang_zhang": "yang.zhang",
}
# R: tail(volatility(OHLC, n = 5, calc, N = 252), 3), for "close" n = 6 closes (five returns)
TTR = {
    "close_to_close": (0.34294185697555657, 0.33677744032741364, 0.33650906344050641),
    "parkinson": (0.21374750144720486, 0.20760875616869845, 0.21549449623163647),
    "garman_klass": (0.2064066063771155, 0.1985506060903546, 0.2076702985373336),
    "rogers_satchell": (0.19642433536421883, 0.18601580284418467, 0.19496728352272341),
    "yang_zhang": (0.22760523951647169, 0.21552344404334417, 0.22322275257149293),
}
# R: calc = "gk.yz", Garman and Klass with the overnight move
TTR_OVERNIGHT = (0.22541289205886475, 0.21497596894737425, 0.22387068596023732)


def _bars(rows: tuple[tuple[str, ...], ...] = BARS) -> rv.LogBars:
    prices = np.array([[float(x) for x in row] for row in rows])
    return rv.log_bars(*prices.T)


def _var(x: list[mpf]) -> mpf:
    mean = mp.fsum(x) / len(x)
    return mp.fsum([(v - mean) ** 2 for v in x]) / (len(x) - 1)


def _ttr(calc: str, n: int = 5) -> mpf:
    """TTR's documented formulas for the last row, annualised with N = 252."""
    rows = [[mpf(x) for x in row] for row in BARS]
    last = rows[-n:]
    before = [row[3] for row in rows[-n - 1 : -1]]
    hl = [mp.log(h / lo) for _, h, lo, _ in last]
    co = [mp.log(c / o) for o, _, _, c in last]
    oc1 = [mp.log(row[0] / p) for row, p in zip(last, before, strict=True)]
    cc = [mp.log(row[3] / p) for row, p in zip(last, before, strict=True)]
    rs = [mp.log(h / c) * mp.log(h / o) + mp.log(lo / c) * mp.log(lo / o) for o, h, lo, c in last]
    k = mpf("0.34") / (mpf("1.34") + mpf(n + 1) / (n - 1))
    gk = [a**2 / 2 - (2 * mp.log(2) - 1) * b**2 for a, b in zip(hl, co, strict=True)]
    variance = {
        "close": _var(cc),
        "parkinson": mp.fsum([x**2 for x in hl]) / (4 * n * mp.log(2)),
        "garman.klass": mp.fsum(gk) / n,
        "rogers.satchell": mp.fsum(rs) / n,
        "yang.zhang": _var(oc1) + k * _var(co) + (1 - k) * mp.fsum(rs) / n,
    }[calc]
    return mp.sqrt(252 * variance)


@pytest.mark.parametrize("name", list(NAMES))
def test_windowed_volatility_is_ttrs(name: str) -> None:
    ours = rv.annualised(rv.rolling_variance(name, _bars(), 5))[-3:]
    assert float(ours[-1]) == pytest.approx(float(_ttr(NAMES[name])), rel=1e-12)
    np.testing.assert_allclose(ours, TTR[name], rtol=1e-12)


@pytest.mark.parametrize("name", list(NAMES))
def test_a_sample_is_its_own_window(name: str) -> None:
    bars = _bars()[1:]
    whole = rv.rolling_variance(name, bars, len(bars))[-1]
    assert rv.sample_variance(name, bars) == pytest.approx(whole, rel=1e-14)


def test_exact_garman_klass_by_hand() -> None:
    # u = ln 1.02, d = -ln 1.01, c = ln 1.01: with a = ln 1.02, b = ln 1.01
    bars = rv.log_bars([1.0], [1.02], [1 / 1.01], [1.01])
    a, b = math.log(1.02), math.log(1.01)
    expected = 0.511 * (a + b) ** 2 - 0.019 * (b * (a - b) + 2 * a * b) - 0.383 * b * b
    assert rv.garman_klass(bars, exact=True)[0] == pytest.approx(expected, rel=1e-13)


def test_overnight_move_is_added_on_demand() -> None:
    bars = _bars()
    without, with_it = rv.garman_klass(bars), rv.garman_klass(bars, overnight=True)
    assert with_it[1] - without[1] == pytest.approx(math.log(101.2 / 100.9) ** 2, rel=1e-12)
    assert np.isnan(with_it[0])
    windows = np.lib.stride_tricks.sliding_window_view(with_it, 5)[-3:]
    np.testing.assert_allclose(np.sqrt(252 * windows.mean(axis=1)), TTR_OVERNIGHT, rtol=1e-12)


def test_simple_and_exact_garman_klass_are_close() -> None:
    bars = _bars()
    np.testing.assert_allclose(rv.garman_klass(bars), rv.garman_klass(bars, exact=True), rtol=0.05)


def test_degenerate_bars_are_counted() -> None:
    nan = math.nan
    bars = rv.log_bars(
        [100, 100, nan, 100, 103], [101, 100, nan, 101, 101], [99, 100, nan, 99, 99],
        [100, 100, nan, 100.5, 100],
    )  # fmt: skip
    counted = rv.degenerate_bars(bars)
    assert counted == rv.DegenerateBars(
        missing=1, zero_range=1, inconsistent=1, negative_garman_klass=1
    )
    assert rv.garman_klass(bars)[4] == 0.0
    assert rv.garman_klass(bars, floor=False)[4] < 0.0
    assert rv.parkinson(bars)[1] == 0.0
    assert np.isnan(rv.log_volatility(rv.parkinson(bars))[[1, 2]]).all()
    assert np.isnan(bars.overnight[[0, 2, 3]]).all()
    assert np.isfinite(bars.overnight[4])


def test_windows_with_a_missing_bar_are_nan() -> None:
    rows = np.array([[float(x) for x in row] for row in BARS])
    rows[4] = np.nan
    bars = rv.log_bars(*rows.T)
    for name in rv.ESTIMATORS:
        got = rv.rolling_variance(name, bars, 3)
        assert np.isnan(got[4:7]).all()
        assert np.isfinite(got[8])
    assert np.isnan(rv.rolling_variance("parkinson", bars[:2], 3)).all()


def test_bad_input_is_refused_with_its_place() -> None:
    with pytest.raises(NotEnoughDataError, match=r"low of row 1 is 0\.0"):
        rv.log_bars([1, 1], [1, 1], [1, 0], [1, 1])
    with pytest.raises(NotEnoughDataError, match="one length"):
        rv.log_bars([1, 1], [1, 1], [1], [1, 1])
    with pytest.raises(NotEnoughDataError, match="at least 2"):
        rv.rolling_variance("yang_zhang", _bars(), 1)
    with pytest.raises(UnknownNameError, match="did you mean 'parkinson'"):
        rv.sample_variance("parkinsn", _bars())


def test_too_few_sessions_are_nan_not_zero() -> None:
    one = _bars()[1:2]
    assert math.isnan(rv.sample_variance("close_to_close", one))
    assert math.isnan(rv.sample_variance("yang_zhang", one))
    assert math.isnan(rv.sample_variance("parkinson", one[:0]))


# --- intraday -----------------------------------------------------------------------------------

RETURNS = (0.001, -0.002, 0.0015, 0.0005, -0.001, 0.004)


def test_intraday_measures_by_hand() -> None:
    r = np.array([RETURNS])
    assert intraday.realised_variance(r)[0] == pytest.approx(24.5e-6, rel=1e-12)
    # 1+4+2.25+.25+1+16 = 24.5 (1e-6); products 2+3+.75+.5+4 = 10.25 (1e-6), times pi/2 * 6/5
    assert intraday.realised_variance(r, [0.003])[0] == pytest.approx(24.5e-6 + 9e-6, rel=1e-12)
    assert intraday.bipower_variation(r)[0] == pytest.approx(
        math.pi / 2 * 1.2 * 10.25e-6, rel=1e-12
    )
    up, down = intraday.semivariances(r)
    assert up[0] == pytest.approx(19.5e-6, rel=1e-12)
    assert down[0] == pytest.approx(5.0e-6, rel=1e-12)


def test_jump_test_in_long_arithmetic() -> None:
    r = [mpf(str(x)) for x in RETURNS]
    m = len(r)
    rv_ = mp.fsum([x**2 for x in r])
    bv = mp.pi / 2 * mpf(m) / (m - 1) * mp.fsum([abs(a * b) for a, b in pairwise(r)])
    mu = mpf(2) ** (mpf(2) / 3) * mp.gamma(mpf(7) / 6) / mp.gamma(mpf(1) / 2)
    triples = zip(r, r[1:], r[2:], strict=False)
    tq = (
        m
        * mu**-3
        * mpf(m)
        / (m - 2)
        * mp.fsum([abs(a * b * c) ** (mpf(4) / 3) for a, b, c in triples])
    )
    spread = (mp.pi**2 / 4 + mp.pi - 5) / m * max(mpf(1), tq / bv**2)
    z = (1 - bv / rv_) / mp.sqrt(spread)
    got = intraday.jump_test(np.array([RETURNS]))
    assert got.z[0] == pytest.approx(float(z), rel=1e-12)
    assert got.p_value[0] == pytest.approx(float(mp.erfc(z / mp.sqrt(2)) / 2), rel=1e-12)
    assert got.jump_share[0] == pytest.approx(float(1 - bv / rv_), rel=1e-12)


def test_missing_intraday_bars() -> None:
    whole = np.array([RETURNS])
    early = np.concatenate([whole, np.full((1, 4), np.nan)], axis=1)
    for measure in (intraday.realised_variance, intraday.bipower_variation):
        np.testing.assert_allclose(measure(early), measure(whole), rtol=1e-15)
    np.testing.assert_allclose(intraday.jump_test(early).z, intraday.jump_test(whole).z, rtol=1e-15)
    none = np.full((1, 5), np.nan)
    assert np.isnan(intraday.realised_variance(none)).all()
    assert np.isnan(intraday.bipower_variation(none)).all()
    assert np.isnan(intraday.jump_test(none).z).all()
    assert np.isnan(intraday.realised_variance(whole, [math.nan])).all()


def test_flat_sessions_have_no_jump_statistic() -> None:
    flat = np.zeros((1, 10))
    assert intraday.realised_variance(flat)[0] == 0.0
    assert np.isnan(intraday.jump_test(flat).z[0])


def test_har_regressors_look_back_only() -> None:
    got = rv.har_regressors([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], spans=(1, 2, 5))
    np.testing.assert_allclose(got[:, 0], [1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(got[1:, 1], [1.5, 2.5, 3.5, 4.5, 5.5])
    np.testing.assert_allclose(got[4:, 2], [3, 4])
    assert np.isnan(got[:4, 2]).all()


# --- Brownian motion ----------------------------------------------------------------------------


def _brownian(
    sessions: int, steps: int, sigma: float, drift: float, seed: int
) -> tuple[rv.LogBars, npt.NDArray[np.float64]]:
    """Daily bars of a continuously observed Brownian motion, and its returns on a grid.

    Extremes between grid points are drawn from their exact law given both ends (the Brownian
    bridge), so that ranges do not suffer from the grid.
    """
    rng = np.random.default_rng(seed)
    step = sigma / math.sqrt(steps)
    moves = drift / steps + step * rng.standard_normal((sessions, steps))
    path = np.concatenate([np.zeros((sessions, 1)), moves.cumsum(axis=1)], axis=1)
    beyond = np.sqrt(moves**2 - 2 * step**2 * np.log(rng.random((2, sessions, steps))))
    ends = path[:, :-1] + path[:, 1:]
    high, low = ((ends + beyond[0]) / 2).max(axis=1), ((ends - beyond[1]) / 2).min(axis=1)
    base = np.concatenate([[0.0], path[:, -1].cumsum()[:-1]])
    bars = rv.log_bars(*(np.exp(base + x) for x in (path[:, 0], high, low, path[:, -1])))
    return bars, moves


def test_efficiency_on_brownian_paths() -> None:
    """Variance of each per-session estimate against squared returns: 4.9, 7.4 and 6.0 in theory.

    Parkinson (1980) 4.9 (its fourth-moment ratio), Garman and Klass (1980) 7.4, Rogers and
    Satchell (1991) 6.0, all for continuous observation.
    """
    values: dict[str, list[npt.NDArray[np.float64]]] = {}
    for seed in range(6):
        bars, _ = _brownian(10_000, 60, 0.01, 0.0, seed)
        for name, value in (
            ("squared", bars.close**2),
            ("parkinson", rv.parkinson(bars)),
            ("garman_klass", rv.garman_klass(bars)),
            ("exact", rv.garman_klass(bars, exact=True)),
            ("rogers_satchell", rv.rogers_satchell(bars)),
        ):
            values.setdefault(name, []).append(value)
    pooled = {name: np.concatenate(v) for name, v in values.items()}
    spread = {name: v.var() for name, v in pooled.items()}
    for name, theory in (
        ("parkinson", 4.9), ("garman_klass", 7.4), ("exact", 7.4), ("rogers_satchell", 6.0),
    ):  # fmt: skip
        assert spread["squared"] / spread[name] == pytest.approx(theory, rel=0.04), name
    for v in pooled.values():
        assert v.mean() == pytest.approx(1e-4, rel=0.01)


def test_only_drift_free_estimators_ignore_drift() -> None:
    still, _ = _brownian(20_000, 60, 0.01, 0.0, 1)
    moving, _ = _brownian(20_000, 60, 0.01, 0.02, 1)
    for name in ("rogers_satchell", "yang_zhang", "close_to_close"):
        ratio = rv.sample_variance(name, moving) / rv.sample_variance(name, still)
        assert ratio == pytest.approx(1.0, abs=0.02), name
    assert rv.sample_variance("parkinson", moving) > 1.5 * rv.sample_variance("parkinson", still)


def test_intraday_measures_converge_and_split_jumps() -> None:
    _, moves = _brownian(3_000, 78, 0.01, 0.0, 2)
    assert intraday.realised_variance(moves).mean() == pytest.approx(1e-4, rel=0.02)
    assert intraday.bipower_variation(moves).mean() == pytest.approx(1e-4, rel=0.02)
    assert (intraday.jump_test(moves).p_value < 0.05).mean() == pytest.approx(0.06, abs=0.025)
    jumped = moves.copy()
    jumped[:, 40] += 0.02
    assert (intraday.jump_test(jumped).p_value < 0.05).mean() > 0.95
    assert (
        intraday.bipower_variation(jumped).mean() < 0.5 * intraday.realised_variance(jumped).mean()
    )


PRICE = st.floats(50.0, 150.0)


@st.composite
def consistent_bars(draw: st.DrawFn) -> npt.NDArray[np.float64]:
    rows = draw(st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE), min_size=3, max_size=20))
    return np.array([[r[0], max(r), min(r), r[3]] for r in rows])


@examples(60)
@given(consistent_bars(), st.floats(0.01, 100.0))
def test_variances_ignore_the_price_unit(prices: npt.NDArray[np.float64], unit: float) -> None:
    one, other = rv.log_bars(*prices.T), rv.log_bars(*(unit * prices).T)
    for name in rv.ESTIMATORS:
        np.testing.assert_allclose(
            rv.sample_variance(name, one), rv.sample_variance(name, other), rtol=1e-8, atol=1e-14
        )


@examples(60)
@given(consistent_bars(), st.floats(0.1, 3.0))
def test_variances_scale_with_the_square(prices: npt.NDArray[np.float64], factor: float) -> None:
    one, other = rv.log_bars(*prices.T), rv.log_bars(*(prices**factor).T)
    for name in rv.ESTIMATORS:
        np.testing.assert_allclose(
            rv.sample_variance(name, other), factor**2 * rv.sample_variance(name, one),
            rtol=1e-8, atol=1e-14,
        )  # fmt: skip


@examples(60)
@given(consistent_bars())
def test_consistent_bars_are_never_negative(prices: npt.NDArray[np.float64]) -> None:
    bars = rv.log_bars(*prices.T)
    assert (rv.garman_klass(bars, floor=False) >= -1e-15).all()
    assert (rv.garman_klass(bars, exact=True, floor=False) >= -1e-15).all()
    assert (rv.rogers_satchell(bars) >= -1e-15).all()
    assert rv.degenerate_bars(bars).inconsistent == 0


@examples(60)
@given(st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=40))
def test_semivariances_add_up(returns: list[float]) -> None:
    r = np.array([returns])
    up, down = intraday.semivariances(r)
    np.testing.assert_allclose(up + down, intraday.realised_variance(r), rtol=1e-12, atol=1e-18)


def test_a_bar_is_inconsistent_beyond_rounding_only() -> None:
    """Prices in logs relative to the open: a low of 1e-12 is the open's, 2e-12 lies above it."""
    nothing = np.zeros(4)
    low = np.array([0.0, 1e-12, 2e-12, -0.01])
    bars = rv.LogBars(nothing, nothing + 0.02, low, nothing + 0.01)
    assert rv.degenerate_bars(bars).inconsistent == 1
    high = np.array([0.01, 0.01 - 1e-12, 0.01 - 3e-12, 0.02])
    assert rv.degenerate_bars(rv.LogBars(nothing, high, nothing, nothing + 0.01)).inconsistent == 1
