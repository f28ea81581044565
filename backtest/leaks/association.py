"""Association of a series with what comes after it, beyond what the past explains.

What an honest series says that is new on session t (its own past, and returns and volatility up to
t, taken out) can't be associated with what is new on a later session (what was known the session
before, the series included, taken out), at any lag. A series that holds the future is, at the lags
that it looks ahead. Volatility of the very next session is the exception: an honest forecast may
explain some of it, a value that was computed on that session explains most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LAGS", "SUDDEN", "TOLERATED", "Association", "Paths", "future_association", "paths_of"]

Floats = npt.NDArray[np.float64]
What = Literal["return", "volatility", "volume"]

#: Sessions ahead that are looked at: a quarter of a year.
LAGS: Final = 63
#: Rank correlation that an honest series may have with something later; published GEX, VIX,
#: momentum and volatilities over 15 years have up to .07, sampling included.
TOLERATED: Final = 0.05
#: Likewise with the volatility of the very next session, which is forecast: up to .18 there.
SUDDEN: Final = 0.25
_TOLERATED_ON_AVERAGE: Final = 0.1
#: Likewise with the mean volatility of several sessions, its own forecasts not taken out: .11.
_UNAIDED: Final = 0.15
#: Standard errors beyond what is tolerated, below which no permutation is needed to see nothing.
_SUSPECT: Final = 3.0
#: Permutations behind the standard errors.
_PILOT: Final = 200
#: Sessions that a permutation keeps together.
_BLOCK: Final = 21
_FEWEST: Final = 100
#: Of the values at either end that are drawn in, so that single ones don't decide a regression.
_ENDS: Final = 0.005
_HORIZONS: Final = (5, 10, 21)
_WEEK: Final = range(1, 6)
_TENTH: Final = 0.1
_DETERMINED: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """A market's returns and volatilities, each of shape (n,) by session.

    Attributes
    ----------
    ret : ndarray
        Log return, close to close.
    shock, day_shock : ndarray
        Return, and that from open to close, over the volatility expected the previous session.
    size, move : ndarray
        Log of the range from low to high, and of the absolute return.
    scale : ndarray
        Log of the volatility expected the previous session.
    volume : ndarray
        Log of the volume; NaN where there is none.
    """

    ret: Floats
    shock: Floats
    day_shock: Floats
    size: Floats
    move: Floats
    scale: Floats
    volume: Floats


@dataclass(frozen=True, slots=True)
class Association:
    """The strongest association of a series with something later.

    Attributes
    ----------
    what : {"return", "volatility", "volume"}
    lag : int
        Sessions from the value to what it goes with; the last of them where several were averaged.
    averaged : bool
        Whether it goes with the average of all sessions up to that lag.
    correlation : float
        Of ranks.
    p_value : float
        Of an association no stronger than is tolerated, over all lags: by permuting blocks.
    n : int
    """

    what: What
    lag: int
    averaged: bool
    correlation: float
    p_value: float
    n: int


def paths_of(bars: pd.DataFrame) -> Paths:
    """Return the paths of daily bars (``open, high, low, close``)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        opened, high, low, close = (
            np.log(bars[c].to_numpy(dtype=np.float64)) for c in ("open", "high", "low", "close")
        )
        ret = close - _lag(close, 1)
        spread = np.where(high > low, high - low, np.nan)
        size = np.log(spread)
        usual = 0.1 * float(np.nanmedian(np.abs(ret))) if np.isfinite(ret).any() else 1.0
        move = np.log(np.abs(ret) + max(usual, 1e-12))
        past = pd.Series(ret**2).ewm(alpha=0.06, min_periods=10).mean().shift(1)
        scale = np.sqrt(past.to_numpy(dtype=np.float64))
        shock, day = np.clip(ret / scale, -4.0, 4.0), np.clip((close - opened) / scale, -4.0, 4.0)
        traded = bars["volume"] if "volume" in bars else pd.Series(np.nan, index=bars.index)
        volume = traded.to_numpy(dtype=np.float64)
    return Paths(
        ret, shock, day, size, move,
        scale=np.log(np.where(scale > 0.0, scale, np.nan)),
        volume=np.log(np.where(volume > 0.0, volume, np.nan)),
    )  # fmt: skip


def future_association(
    values: Floats,
    paths: Paths,
    *,
    overnight: npt.NDArray[np.bool_] | None = None,
    draws: int = 999,
    seed: int = 0,
) -> Association | None:
    """Return the strongest association of a series with what comes after it.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        On the session before whose next open each is public; NaN where there is none.
    paths : Paths
    overnight : ndarray of bool, shape (n,), optional
        Where a value is public only after the close, so that it may know the move until the
        next open.
    draws : int
        Permutations behind the p-value.
    seed : int

    Returns
    -------
    Association or None
        None where there are fewer than 100 values, or the past determines them.
    """
    new = _novelties(values, paths)
    if new is None:
        return None
    late = np.zeros(len(values), dtype=np.bool_) if overnight is None else overnight
    later = list(_later(values, paths, late))
    there = np.isfinite(new).all(axis=0)
    fresh = new[:, there]
    table = np.column_stack([each.values for each in later])[there]
    known = np.isfinite(table)
    table = np.where(known, table, 0.0)
    size = np.sqrt(float(there.sum()) * (table**2).sum(axis=0) / known.mean(axis=0))
    table = table / np.where(size > 0.0, size, np.inf)
    found = fresh @ table / known.mean(axis=0)
    beyond = np.abs(found) - np.array([each.tolerated for each in later]).T
    error, p_value = np.full(beyond.shape, 1.0 / np.sqrt(fresh.shape[1])), 1.0
    suspect = (beyond / error).max() > _SUSPECT
    if suspect:
        error = np.maximum(_spread(fresh, table, seed), error)
    row, best = np.unravel_index(int((beyond / error).argmax()), beyond.shape)
    if suspect:
        strongest = float(beyond[row, best] / error[row, best])
        p_value = _permuted(fresh, table, error, strongest, draws, seed)
    chosen, correlation = later[best], float(found[row, best])
    return Association(
        chosen.what, chosen.lag, chosen.averaged, correlation, p_value, fresh.shape[1]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Later:
    """Something that comes after each session, as scores."""

    what: What
    lag: int
    values: Floats
    averaged: bool = False
    sudden: bool = False
    unaided: bool = False

    @property
    def tolerated(self) -> tuple[float, ...]:
        """Rank correlation that each of the five novelties of an honest series may have with it."""
        if self.unaided:  # how high a series stands forecasts volatility; what is new in it hardly
            return (_UNAIDED, _UNAIDED, np.inf, np.inf, np.inf)
        single = _TOLERATED_ON_AVERAGE if self.averaged else TOLERATED
        return (SUDDEN if self.sudden else single,) * 5


def _later(values: Floats, paths: Paths, late: npt.NDArray[np.bool_]) -> Iterator[_Later]:
    """Yield what comes after each session and couldn't be expected the previous session."""
    lags = range(1, min(LAGS, len(values) // 5) + 1)
    shock = _scores(paths.shock)
    first = np.where(late, _lag(_scores(paths.day_shock), -1), _lag(shock, -1))
    shocks = [first if h == 1 else _lag(shock, -h) for h in lags]
    for h, each in zip(lags, shocks, strict=True):
        yield _Later("return", h, each)
    yield from _averages("return", shocks, 1)
    for observed in (paths.size, paths.move):
        if np.isfinite(observed).sum() < _FEWEST:
            continue
        forecast = _scores(_unexpected(observed, paths, None))
        yield _Later("volatility", 1, _lag(forecast, -1), sudden=True)
        if observed is paths.move:
            coming = [_lag(forecast, -h) for h in lags]
            yield from (replace(each, unaided=True) for each in _averages("volatility", coming, 1))
        news = _scores(_unexpected(observed, paths, values))
        ahead = [_lag(news, -h) for h in lags[1:]]
        for h, each in zip(lags[1:], ahead, strict=True):
            yield _Later("volatility", h, each)
        yield from _averages("volatility", ahead, 2)
    if np.isfinite(paths.volume).sum() >= _FEWEST:
        # expirations and holidays move volume and gamma alike, for weeks ahead
        forecast = _scores(_unexpected(paths.volume, paths, None))
        for h in _WEEK:
            yield _Later("volume", h, _lag(forecast, -h), sudden=True)


def _averages(what: What, ahead: Sequence[Floats], first: int) -> Iterator[_Later]:
    for horizon in _HORIZONS:
        part = ahead[: horizon - first + 1]
        if len(part) == horizon - first + 1:
            yield _Later(what, horizon, _scores(np.mean(part, axis=0)), averaged=True)


def _novelties(values: Floats, paths: Paths) -> Floats | None:
    """Return scores of what is new in each value, shape (5, n): the market's past taken out.

    Beside it the series' own last five values and its mean over a month, the last one alone, or
    none: what looks ahead far, or smooths backwards, is in its own past already. Then whether the
    value is among the lowest, or the highest, tenth: a warning that only counts when it comes.
    """
    if np.isfinite(values).sum() < _FEWEST:
        return None
    x = _drawn_in(values)
    held = _carried_forward(x)
    own = [_lag(held, k) for k in range(1, 6)]
    r, size = paths.ret, paths.size
    market = [
        r, r**2, _lag(r, 1) ** 2, np.minimum(r, 0.0), np.abs(r), *(_lag(r, k) for k in range(1, 6)),
        _mean(r, 5), _mean(r, 20), paths.scale,
    ]  # fmt: skip
    if np.isfinite(size).sum() >= _FEWEST:
        market += [size, _lag(size, 1), _mean(size, 5), _mean(size, 22)]
    out = []
    for past in ([*own, _lag(_mean(held, 22), 1)], own[:1], []):
        rest, spread = _residual(x, [*market, *past])
        if np.isfinite(rest).sum() < _FEWEST:
            return None
        determined = not np.nanstd(rest) > _DETERMINED * spread
        out.append(np.where(np.isnan(rest), np.nan, 0.0) if determined else _scores(rest))
    if not any(np.nanmax(np.abs(each)) > 0.0 for each in out):
        return None
    low, high = np.nanquantile(x, [_TENTH, 1.0 - _TENTH])
    return np.array([*out, _standard(x <= low, x), _standard(x >= high, x)])


def _standard(flags: npt.NDArray[np.bool_], x: Floats) -> Floats:
    """Return flags with mean 0 and deviation 1, NaN where x is; 0 where they do not vary."""
    out = np.where(np.isnan(x), np.nan, flags.astype(np.float64))
    spread = float(np.nanstd(out))
    return np.asarray((out - np.nanmean(out)) / (spread if spread > 0.0 else 1.0))


def _unexpected(observed: Floats, paths: Paths, values: Floats | None) -> Floats:
    """Return what of a volatility was not expected the previous session.

    With a series, what that series said until then is taken out too.
    """
    r = paths.ret
    before = [
        observed, _mean(observed, 5), _mean(observed, 22), _lag(observed, 1), r, r**2,
        np.minimum(r, 0.0), _mean(r, 5), _mean(r, 20), paths.scale,
    ]  # fmt: skip
    if observed is not paths.size and np.isfinite(paths.size).sum() >= _FEWEST:
        before += [paths.size, _mean(paths.size, 5), _mean(paths.size, 22)]
    if values is not None:
        held = _carried_forward(_drawn_in(values))
        before += [held, _mean(held, 5), _mean(held, 22), held - _lag(held, 1)]
    return _residual(observed, [_lag(each, 1) for each in before])[0]


def _residual(y: Floats, columns: Sequence[Floats]) -> tuple[Floats, float]:
    """Return what least squares leave of y, NaN where a row is incomplete, and y's spread."""
    x = np.column_stack([np.ones(len(y)), *columns])
    used = np.isfinite(y) & np.isfinite(x).all(axis=1)
    out = np.full(len(y), np.nan)
    if used.sum() < 2 * x.shape[1]:
        return out, 0.0
    part, spread = x[used], x[used].std(axis=0)
    spread[0] = 1.0
    part = part[:, spread > 0.0] / spread[spread > 0.0]
    solution = np.linalg.lstsq(part, y[used], rcond=1e-9)[0]
    out[used] = y[used] - part @ solution
    return out, float(np.std(y[used]))


def _permuted(
    fresh: Floats, table: Floats, error: Floats, strongest: float, draws: int, seed: int
) -> float:
    """Return the share of block permutations whose strongest association goes as far."""
    narrow = error.astype(np.float32)
    hits = sum(
        int(((np.abs(drawn) / narrow).max(axis=(1, 2)) >= strongest).sum())
        for drawn in _permutations(fresh, table, draws, seed)
    )
    return (1.0 + hits) / (1.0 + draws)


def _spread(fresh: Floats, table: Floats, seed: int) -> Floats:
    """Return the standard errors of all associations, by permutations of their own."""
    drawn = np.concatenate(list(_permutations(fresh, table, _PILOT, seed + 1)))
    return np.asarray(drawn.std(axis=0), dtype=np.float64)


def _permutations(
    fresh: Floats, table: Floats, draws: int, seed: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield associations of series whose blocks are permuted, shape (some, 5, later)."""
    rng = np.random.default_rng(seed)
    n = fresh.shape[1]
    blocks = -(-n // _BLOCK)
    narrow, wide = fresh.astype(np.float32), table.astype(np.float32)
    for start in range(0, draws, 50):
        count = min(50, draws - start)
        order = np.argsort(rng.random((count, blocks)), axis=1) * _BLOCK
        rows = (order[:, :, None] + np.arange(_BLOCK)).reshape(count, -1)
        # the last block is short: what lies beyond the end is left out of each permutation
        inside = np.sort(np.argsort(rows >= n, axis=1, kind="stable")[:, :n], axis=1)
        drawn = narrow[:, np.take_along_axis(rows, inside, axis=1)]
        yield (drawn @ wide).transpose(1, 0, 2)


def _carried_forward(x: Floats) -> Floats:
    """Return each value until the next."""
    return np.asarray(pd.Series(x).ffill().to_numpy(), dtype=np.float64)


def _drawn_in(values: Floats) -> Floats:
    there = values[np.isfinite(values)]
    low, high = np.quantile(there, [_ENDS, 1.0 - _ENDS])
    return np.asarray(np.clip(values, low, high), dtype=np.float64)


def _scores(x: Floats) -> Floats:
    """Return normal scores of ranks; NaN stays."""
    from scipy.special import ndtri

    there = np.isfinite(x)
    out = np.full(len(x), np.nan)
    rank = pd.Series(x[there]).rank().to_numpy(dtype=np.float64)
    out[there] = ndtri((rank - 0.5) / max(int(there.sum()), 1))
    return out


def _mean(x: Floats, window: int) -> Floats:
    mean = pd.Series(x).rolling(window, min_periods=max(1, window // 2)).mean()
    return mean.to_numpy(dtype=np.float64)


def _lag(x: Floats, k: int) -> Floats:
    """Return x of k sessions before, of after where k is negative; NaN where there is none."""
    out = np.full(len(x), np.nan)
    if k >= 0:
        out[k:] = x[: len(x) - k]
    else:
        out[:k] = x[-k:]
    return out
