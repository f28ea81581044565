"""Whether two vendors of GEX mean the same regime."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import varies, without_rounding
from ..statistics.intervals import (
    VARIANCES,
    Spread,
    ends,
    in_words,
    lacking,
    spread_of_scores,
)
from ..statistics.resampling import resampled_sums
from .features import needs
from .kill_conditions import CRITICAL_T, Requirement, holds, kill_condition
from .outcomes import score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings

__all__ = ["HYPOTHESIS", "kappa_from_shares"]

Floats = npt.NDArray[np.float64]

#: Agreement that is called substantial (Landis and Koch).
_LEAST = 0.6

_REQUIRES = (Requirement("low", ">=", _LEAST, "the interval of kappa reaches below 0.6"),)

_CARD = Card(
    name="vendor-parity",
    claim="Two vendors' GEX of one underlying agree on the regime.",
    source="this project: two published series and the naive formula",
    how_read="own computation",
    specification="agreement of signs beyond chance (Cohen's kappa), rank correlation, agreement "
    "of terciles; intervals by scores of sessions, and p of a kappa above .6 by the same law",
    tier="D",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
    estimate="Cohen's kappa of the signs",
    effect=0.8,
    requires=_REQUIRES,
)
_FEWEST = 20


def kappa_from_shares(shares: Floats) -> Floats:
    """Return Cohen's kappa from counts or shares (..., 4): ++, +-, -+, --; NaN where undefined."""
    p = shares / shares.sum(axis=-1, keepdims=True)
    agree = p[..., 0] + p[..., 3]
    one, other = p[..., 0] + p[..., 1], p[..., 0] + p[..., 2]
    chance = one * other + (1.0 - one) * (1.0 - other)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((agree - chance) / (1.0 - chance), dtype=np.float64)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(dataset.other_gex is not None, "a second vendor's GEX, as series.other_gex")
    assert dataset.other_gex is not None
    other_gex = dataset.other_gex[dataset.other_gex.index <= dataset.bars.index[-1]]
    both = pd.concat([dataset.gex, other_gex], axis=1, join="inner").dropna()
    needs(len(both) >= _FEWEST, f"at least {_FEWEST} common sessions, found {len(both)}")
    one, other = (both.iloc[:, k].to_numpy(dtype=np.float64) for k in (0, 1))
    cells = np.column_stack(
        [
            (one >= 0) & (other >= 0), (one >= 0) & (other < 0),
            (one < 0) & (other >= 0), (one < 0) & (other < 0),
        ]
    ).astype(np.float64)  # fmt: skip
    value = float(kappa_from_shares(cells.sum(axis=0)))
    draws = kappa_from_shares(resampled_sums(cells, settings.resampling))
    low, high = _interval(cells, value, settings.resampling.level)
    error = float(np.nanstd(draws, ddof=1))
    t = (value - _LEAST) / error if error > 0.0 else float("nan")
    agree = float(cells[:, 0].mean() + cells[:, 3].mean())
    return Outcome(
        estimate=value,
        std_error=error,
        t_stat=t,
        p_value=_p(cells, value),
        n=len(both),
        low=low,
        high=high,
        supported=holds(_REQUIRES, {"low": low}),
        reason=f"signs agree on {100 * agree:.0f} % of {len(both)} sessions, kappa {value:.2f} "
        f"{in_words(low, high)}",
        needed=CRITICAL_T,
        null=_LEAST,
        scores=score_series(cells[:, 0] + cells[:, 3] - _chance(cells), both.index.to_numpy()),
        tables=(_table(one, other, agree, value),),
    )


def _interval(cells: Floats, kappa: float, level: float) -> tuple[float, float]:
    """Return the interval of kappa, symmetric in the inverse hyperbolic tangent."""
    spread = _spread(cells, kappa)
    if spread is None:
        return float("nan"), float("nan")
    return ends(kappa, spread, level, "fisher")


def _p(cells: Floats, kappa: float) -> float:
    """Return p of a kappa above `_LEAST`, by the law of the interval; NaN where it has none."""
    from scipy.special import stdtr

    spread = _spread(cells, kappa)
    if spread is None or not np.isfinite(_interval(cells, kappa, 0.95)).all():
        return float("nan")
    return float(stdtr(spread.freedom, (np.arctanh(_LEAST) - np.arctanh(kappa)) / spread.error))


def _spread(cells: Floats, kappa: float) -> Spread | None:
    """Return the spread of kappa's inverse hyperbolic tangent; None where there is no interval.

    A session's score is kappa's derivative: of agreement, and of the chance that the two shares
    of long sessions make of it.
    """
    p = cells.mean(axis=0)
    if lacking([len(cells)]) or not abs(kappa) < 1.0:
        return None
    one, other, chance = p[0] + p[1], p[0] + p[2], _chance(cells)
    agree = cells[:, 0] + cells[:, 3] - (p[0] + p[3])
    shares = (2.0 * other - 1.0) * (cells[:, 0] + cells[:, 1] - one)
    shares += (2.0 * one - 1.0) * (cells[:, 0] + cells[:, 2] - other)
    scores = (agree - (1.0 - kappa) * shares) / (1.0 - chance)
    return spread_of_scores(scores[:, None] / (len(cells) * (1.0 - kappa**2)), VARIANCES)[0]


def _chance(cells: Floats) -> float:
    p = cells.mean(axis=0)
    one, other = p[0] + p[1], p[0] + p[2]
    return float(one * other + (1.0 - one) * (1.0 - other))


def _ranks(x: Floats) -> Floats:
    return np.asarray(pd.Series(without_rounding(x)).rank(pct=True).to_numpy(), dtype=np.float64)


def _table(one: Floats, other: Floats, agree: float, kappa: float) -> ResultTable:
    a, b = _ranks(one), _ranks(other)
    correlation, same = float("nan"), float("nan")
    if varies(a) and varies(b):  # the ranks of a constant say nothing
        correlation = float(np.corrcoef(a, b)[0, 1])
        same = float((np.floor(3 * a - 1e-9) == np.floor(3 * b - 1e-9)).mean())
    return ResultTable(
        "Agreement of two GEX series",
        ("measure", "value", "published"),
        (
            ("same sign", agree, "0.72 naive against published, 2026 [own]"),
            ("kappa of signs", kappa, ""),
            ("rank correlation", correlation, ""),
            ("same tercile", same, ""),
            ("negative share, first", float((one < 0).mean()), ""),
            ("negative share, second", float((other < 0).mean()), ""),
        ),
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
