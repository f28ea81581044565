"""What each test of volatility, sign, flip and tail says of many gamma series on one market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import NotEnoughDataError
from ..statistics.diagnostics.dependence import ratio_t, session_sums
from ..statistics.diagnostics.regression import t_stats
from ..surrogates.statistics import clark_west_t, joint_t, logit_t
from .features import Daily, Momentum, Split, split_sessions

__all__ = ["INTRADAY", "STATISTICS", "Many"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_HAC: Final = 10
_FEWEST: Final = 40
_REFIT: Final = 21


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """Many gamma series on one market, on the sessions whose own gamma is known.

    Attributes
    ----------
    features : Daily
        Of the market, all its sessions; its own gamma plays no part.
    rows : ndarray of int, shape (k,)
        Sessions of `features` that the series have, those that warm up ranks included.
    counted : ndarray of bool, shape (k,)
        Those that count.
    gex, rank, call, put : ndarray, shape (k, m)
        Value, centred percentile, gamma of calls and of puts.
    flips : ndarray of bool, shape (k,)
        Sessions with a flip.
    momentum : Momentum or None
    before : ndarray of int, shape (s,)
        Place among `rows` of the previous session each of `momentum`, -1 where there is none.
    returns : ndarray or None, shape (g, steps)
        Intraday returns.
    grid_before : ndarray of int, shape (g,)
        As `before`, for `returns`.
    span : int
        Intraday steps of the longest horizon.
    """

    features: Daily
    rows: Ints
    counted: npt.NDArray[np.bool_]
    gex: Floats
    rank: Floats
    call: Floats
    put: Floats
    flips: npt.NDArray[np.bool_]
    momentum: Momentum | None = None
    before: Ints | None = None
    returns: Floats | None = None
    grid_before: Ints | None = None
    span: int = 0


def _on(many: Many, columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: x[many.rows] for name, x in columns.items()}


def _known(x: Floats) -> bool:
    return int(np.isfinite(x).sum()) > _FEWEST


def _complete(*arrays: Floats) -> npt.NDArray[np.bool_]:
    out = np.ones(len(arrays[0]), dtype=np.bool_)
    for x in arrays:
        out &= np.isfinite(x) if x.ndim == 1 else np.isfinite(x).all(axis=1)
    return out


def _base(columns: Mapping[str, Floats]) -> Floats:
    data = list(columns.values())
    return np.column_stack([np.ones(len(data[0])), *data])


def _damping(many: Many) -> Floats:
    f = many.features
    columns = {**f.har_columns(), "ln_vix": f.log_vix, "loss": f.loss}
    return t_stats(f.next_log_vol[many.rows], _on(many, columns), many.rank, hac=_HAC)


def _leverage(many: Many) -> Floats:
    from .beyond_leverage import last_columns

    f = many.features
    y, base = f.next_log_vol[many.rows], _base(_on(many, last_columns(f)))
    rows = _complete(y, base, many.rank)
    known = _complete(many.rank, f.log_vix[many.rows]) & many.counted
    first = min(1_000, int(known.sum()) // 2)
    if rows.sum() < first + 2 * _REFIT:
        return np.full(many.rank.shape[1], np.nan)
    return clark_west_t(y[rows], base[rows], many.rank[rows], first, _REFIT, _HAC)


def _tail(many: Many) -> Floats:
    from .fragility_tail import tail_events

    f = many.features
    event, log_vix = tail_events(f)[many.rows], f.log_vix[many.rows]
    rows = _complete(event, log_vix, many.rank)
    return logit_t(event[rows], -many.rank[rows], log_vix[rows, None], _HAC)


def _signs(many: Many) -> Floats:
    f = many.features
    columns = f.har_columns() | ({"ln_vix": f.log_vix} if _known(f.log_vix) else {})
    y, base = f.next_log_vol[many.rows], _base(_on(many, columns))
    naive, gross = many.call - many.put, many.call + many.put
    rows = _complete(y, base, naive) & many.counted
    return joint_t(y[rows], base[rows], naive[rows], gross[rows], _HAC)


def _flip(many: Many) -> Floats:
    from .flip_placebo import controls

    f = many.features
    # the curve rises through the flip: the spot lies above it where gamma is positive
    above = np.where(many.flips[:, None], many.gex > 0.0, np.nan).astype(np.float64)
    return t_stats(f.next_log_vol[many.rows], _on(many, controls(f)), above, hac=_HAC)


def _eras(many: Many) -> Floats:
    from .era_split import usable_eras

    f = many.features
    columns = _on(many, {**f.har_columns(), "ln_vix": f.log_vix, "loss": f.loss})
    known = _complete(many.rank, f.log_vix[many.rows]) & many.counted
    eras = usable_eras(f.sessions[many.rows], known)
    slopes = [
        t_stats(
            f.next_log_vol[many.rows], columns, np.where(rows[:, None], many.rank, np.nan), hac=_HAC
        )
        for rows in eras.values()
    ]
    if len(slopes) < 2:
        return np.full(many.rank.shape[1], np.nan)
    return np.asarray(np.max(slopes, axis=0), dtype=np.float64)


def _at(x: Floats, place: Ints) -> Floats:
    return np.where(place >= 0, x[np.maximum(place, 0)], np.nan)


def _each(many: Many, fit: Callable[[Momentum, Split], float]) -> Floats:
    m, at = many.momentum, many.before
    assert m is not None
    assert at is not None
    out = np.full(many.gex.shape[1], np.nan)
    for i in range(len(out)):
        gex, rank = _at(many.gex[:, i], at), _at(many.rank[:, i], at)
        one = replace(m, gex=gex, rank=rank)
        try:
            out[i] = fit(one, split_sessions(gex, rank))
        except (NotEnoughDataError, np.linalg.LinAlgError):
            continue
    return out


def _split(many: Many) -> Floats:
    from .momentum_split import FEWEST, fit_split

    def fit(m: Momentum, s: Split) -> float:
        if min(s.low.sum(), s.high.sum()) < FEWEST:  # as the test itself
            return float("nan")
        return fit_split(m, s).coefficient("difference").t_stat

    return _each(many, fit)


def _interaction(many: Many) -> Floats:
    from .momentum_interaction import fit_interaction

    return _each(many, lambda m, _: fit_interaction(m).coefficient("interaction").t_stat)


def _reversion(many: Many) -> Floats:
    at = many.grid_before
    assert many.returns is not None
    assert at is not None
    sums = session_sums(many.returns, many.span)
    usable = np.asarray((sums != 0.0).any(axis=1))
    out = np.full(many.gex.shape[1], np.nan)
    for i in range(len(out)):
        split = split_sessions(_at(many.gex[:, i], at), _at(many.rank[:, i], at), usable)
        if min(split.low.sum(), split.high.sum()) >= 10:
            out[i] = ratio_t(sums, split.low, split.high, many.span)
    return out


#: Test to statistic, with the same sign and, but for the flip, the same number as the test's own.
STATISTICS: Final[Mapping[str, Callable[[Many], Floats]]] = {
    "vol-damping": _damping,
    "beyond-leverage": _leverage,
    "fragility-tail": _tail,
    "sign-audit": _signs,
    "flip-placebo": _flip,
    "era-split": _eras,
    "momentum-split": _split,
    "momentum-interaction": _interaction,
    "autocorr-regime": _reversion,
}
#: Those that need bars within the session.
INTRADAY: Final = ("momentum-split", "momentum-interaction", "autocorr-regime")
