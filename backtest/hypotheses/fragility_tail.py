"""Negative gamma makes a sudden loss more likely."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Coefficient
from ..statistics.resampling import Resampling
from .features import Daily, daily_with_volatility, needs_spread
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import score_series
from .protocol import Card, Dataset, Hypothesis, MissingDataError, Outcome, ResultTable, Settings

__all__ = ["HYPOTHESIS", "FragilityFit", "fit_fragility", "tail_events"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement("t", ">", 2.0, "t of at most 2 with IVX"),
    Requirement(
        "p",
        "<=",
        "alpha",
        "books made by rules, or simulated markets without dealers, do as well (p above 5 %)",
    ),
)

_CARD = Card(
    name="fragility-tail",
    claim="Sudden losses are more likely on the session after low or negative gamma.",
    source="Barbon, Buraschi, Gamma Fragility (SSRN 3725454)",
    how_read="abstract",
    specification="logit of a loss beyond the 5 % quantile of all earlier returns, on minus the "
    "percentile of GEX and ln IVX, HAC(10); p one-sided, the larger of two "
    "routes: books made by rules on the same prices, and simulated markets without dealers; the "
    "V-shape (distance from zero GEX) beside it",
    tier="D",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
    estimate="change of the log odds from the highest to the lowest percentile of GEX",
    requires=_REQUIRES,
)
_FEWEST_EVENTS = 15
_FIRST = 250


@dataclass(frozen=True, slots=True, eq=False)
class FragilityFit:
    """A fitted logit.

    Attributes
    ----------
    coefficient : Coefficient
        Of minus the centred percentile of GEX.
    vix : Coefficient
        Of ln IVX.
    bend : Coefficient or None
        Of the absolute percentile, where it is included.
    used : ndarray of bool
    scores : ndarray
        Row by row, the estimate plus its influence.
    events : int
    """

    coefficient: Coefficient
    vix: Coefficient
    bend: Coefficient | None
    used: npt.NDArray[np.bool_]
    scores: Floats
    events: int


def tail_events(features: Daily) -> Floats:
    """Return 1 where the next return is below the 5 % quantile of those up to now, NaN unknown."""
    import pandas as pd

    past = pd.Series(features.ret).expanding(min_periods=_FIRST).quantile(0.05).to_numpy()
    known = np.isfinite(past) & np.isfinite(features.next_ret)
    return np.where(known, features.next_ret < past, np.nan)


def fit_fragility(features: Daily, *, bend: bool = False) -> FragilityFit:
    """Fit the logit, with the V-shape where asked for.

    Raises
    ------
    MissingDataError
        With fewer than 15 losses of that size.
    """
    event, low = tail_events(features), -features.gex_rank
    columns = [np.ones(len(event)), low, features.log_vix]
    if bend:
        columns.append(np.abs(features.gex_rank))
    x = np.column_stack(columns)
    used = np.asarray(np.isfinite(event) & np.isfinite(x).all(axis=1))
    events = int(event[used].sum())
    if events < _FEWEST_EVENTS:
        raise MissingDataError(
            f"at least {_FEWEST_EVENTS} losses beyond the 5 % quantile, found {events}"
        )
    y, x = event[used], x[used]
    fit = _logit(y, x)
    p = np.asarray(fit.predict(), dtype=np.float64)
    weight = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)[1] * len(y)
    scores = np.full(len(used), np.nan)
    scores[used] = float(fit.params[1]) + (x @ weight) * (y - p)
    found = [_coefficient(fit, i, len(y)) for i in range(1, x.shape[1])]
    return FragilityFit(found[0], found[1], found[2] if bend else None, used, scores, events)


def _logit(y: Floats, x: Floats) -> Any:
    """Return a logit with HAC(10) errors.

    Raises
    ------
    MissingDataError
        If a regressor tells losses from other sessions (almost) perfectly.
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

    with warnings.catch_warnings():
        for kind in (ConvergenceWarning, HessianInversionWarning):
            warnings.simplefilter("ignore", kind)
        fit = sm.Logit(y, x).fit(disp=0, maxiter=100, cov_type="HAC", cov_kwds={"maxlags": 10})
    if not (fit.mle_retvals["converged"] and np.isfinite(fit.bse).all()):
        raise MissingDataError("a longer sample: a regressor tells all losses from the rest")
    return fit


def _coefficient(fit: Any, i: int, n: int) -> Coefficient:
    values = (float(v[i]) for v in (fit.params, fit.bse, fit.tvalues, fit.pvalues))
    value, error, t, p_value = values
    return Coefficient(value, error, t, p_value, n)


def _with_bend(features: Daily) -> FragilityFit | None:
    try:
        return fit_fragility(features, bend=True)
    except MissingDataError:
        return None


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    features = daily_with_volatility(dataset)
    needs_spread(features.log_vix, "an implied volatility index")
    fit, bent = fit_fragility(features), _with_bend(features)
    c = fit.coefficient
    evidence = against_nulls("fragility-tail", c.t_stat, dataset, settings, upper=True)
    critical = max(2.0, evidence.critical)
    low, high = _interval(fit, settings.resampling)
    return Outcome(
        estimate=c.value,
        std_error=c.std_error,
        t_stat=c.t_stat,
        p_value=evidence.p,
        n=c.n,
        low=low,
        high=high,
        supported=holds(_REQUIRES, {"t": c.t_stat, "p": evidence.p, "alpha": settings.alpha}),
        reason=(
            f"t {c.t_stat:.2f} against {critical:.2f} with IVX, {fit.events} losses; "
            f"{evidence.sentence()}; "
            + (f"V-shape t {bent.bend.t_stat:.2f}" if bent and bent.bend else "V-shape undefined")
        ),
        p_simulated=evidence.p_family,
        critical=critical,
        scores=score_series(fit.scores, features.sessions),
        tables=(_table(fit, bent),),
        evidence=evidence,
    )


def _interval(fit: FragilityFit, how: Resampling) -> tuple[float, float]:
    """Return the interval of the estimate, of its linear expansion."""
    from ..statistics.intervals import ends, lacking, spread_of_scores

    scores = fit.scores[fit.used]
    if lacking([fit.events, len(scores) - fit.events]):
        return float("nan"), float("nan")
    value = float(scores.mean())
    spread = spread_of_scores((scores - value)[:, None] / len(scores))[0]
    return ends(value, spread, how.level)


def _table(fit: FragilityFit, bent: FragilityFit | None) -> ResultTable:
    named = [("- percentile of GEX", fit.coefficient), ("ln IVX", fit.vix)]
    if bent is not None and bent.bend is not None:
        named.append(("- percentile of GEX (with V-shape)", bent.coefficient))
        named.append(("abs(percentile of GEX)", bent.bend))
    return ResultTable(
        "Log odds of a sudden loss on the next session",
        ("regressor", "b", "t", "n"),
        tuple((name, c.value, c.t_stat, c.n) for name, c in named),
        f"{fit.events} losses below the 5 % quantile of all earlier returns; HAC(10).",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
