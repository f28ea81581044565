"""More dealer gamma, less volatility on the next session."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.magnitude import (
    ImpactAssumptions,
    ImpliedMagnitude,
    implied_magnitude,
)
from ..statistics.diagnostics.regression import Coefficient, Fit, ols
from ..statistics.volatility_by_regime import quantile_groups
from .features import Daily, daily_with_volatility
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome, halves
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS", "fit_damping"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement(
        "p",
        "<=",
        "alpha",
        "books made by rules, or simulated markets without dealers, do as well (p above 5 %)",
    ),
    Requirement(
        "first_half",
        "<",
        0.0,
        "the sign flips in the first half, or the sample is too short to halve",
    ),
    Requirement("second_half", "<", 0.0, "the sign flips in the second half"),
)

_NAN = float("nan")
_CARD = Card(
    name="vol-damping",
    claim="The higher dealers' gamma, the lower the volatility of the next session.",
    source="Ni, Pearson, Poteshman, White (2021); Anderegg, Ulmann, Sornette (2022)",
    how_read="abstract",
    specification="ln Parkinson volatility of t + 1 on HAR, ln IVX, min(r, 0) and the one-year "
    "percentile of GEX; HAC(10); p one-sided, the larger of two routes: books made by rules on "
    "the same prices, and simulated markets without dealers",
    tier="D",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of log volatility from the lowest to the highest percentile of GEX",
    published=(
        Published(
            -0.359,
            "same regression, S&P 500, 2012 to 2026",
            "own computation on a published series",
            "own computation",
            -12.0,
            comparable=True,
        ),
        Published(
            -0.132,
            "standardised slope of abs(r), DAX, 2002 to 2019",
            "balint41/Thesis",
            "full text",
            -3.8,
        ),
    ),
    effect=-0.359,
    requires=_REQUIRES,
)


_FEWEST_HALVES = 120
_QUARTILES = ("lowest", "second", "third", "highest")


def fit_damping(features: Daily, gex: Floats, y: Floats | None = None) -> Fit:
    """Return the regression; the coefficient of interest is ``gex``."""
    columns = {**features.har_columns(), "ln_vix": features.log_vix, "loss": features.loss}
    target = features.next_log_vol if y is None else y
    return ols(target, {**columns, "gex": gex}, hac=10)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    features = daily_with_volatility(dataset)
    fit = fit_damping(features, features.gex_rank)
    whole = fit.coefficient("gex")
    parts = _by_half(features, fit)
    evidence = against_nulls("vol-damping", whole.t_stat, dataset, settings, upper=False)
    # a sample too short to halve cannot meet the condition, whatever its t
    first, second = (part.value for part in parts) if parts else (np.nan, np.nan)
    found = {"p": evidence.p, "alpha": settings.alpha, "first_half": first, "second_half": second}
    supported = holds(_REQUIRES, found)
    reason = f"t {whole.t_stat:.1f}; {evidence.sentence()}; by half " + (
        ", ".join(f"{part.value:+.3f}" for part in parts) or "too short"
    )
    return coefficient_outcome(
        fit,
        "gex",
        features.sessions,
        settings,
        supported=supported,
        reason=reason,
        critical=evidence.critical,
        p_value=evidence.p,
        p_simulated=evidence.p_family,
        evidence=evidence,
        tables=(_table(features, fit, parts), _magnitude_table(features, dataset)),
    )


def _by_half(features: Daily, fit: Fit) -> list[Coefficient]:
    """Return GEX's coefficient in each half of the sample; none where the halves are too short."""
    if fit.n < _FEWEST_HALVES:
        return []
    ranks = (np.where(rows, features.gex_rank, np.nan) for rows in halves(fit.used))
    return [fit_damping(features, rank).coefficient("gex") for rank in ranks]


def _table(features: Daily, fit: Fit, parts: list[Coefficient]) -> ResultTable:
    negative = np.where(np.isfinite(features.gex_rank), features.gex < 0.0, np.nan)
    rows: list[tuple[str | int | float, ...]]
    whole = fit.coefficient("gex")
    named = [("percentile, all", whole, "-.359 (-12.0) [own]")]
    named += [
        (f"percentile, {half} half", c, "")
        for half, c in zip(("first", "second"), parts, strict=False)
    ]
    rows = [(name, c.value, c.t_stat, c.n, published) for name, c, published in named]
    if np.nanstd(negative) > 0.0:
        dummy = fit_damping(features, negative).coefficient("gex")
        rows.append(("1{GEX < 0}", dummy.value, dummy.t_stat, dummy.n, "+.112 (3.9) [own]"))
    return ResultTable(
        "Log volatility of the next session on GEX",
        ("regressor", "b", "t", "n", "published"),
        tuple(rows),
        "HAR, ln IVX and min(r, 0) are in every row; HAC(10). Published: S&P 500, 2012 to 2026.",
    )


def _magnitude_table(features: Daily, dataset: Dataset) -> ResultTable:
    """Return volatility by quartile of GEX beside what hedging of that size could do."""
    both = np.isfinite(features.next_ret)
    group = quantile_groups(np.where(both, features.gex, np.nan))
    means = [_mean(features.gex[group == q]) for q in range(4)]
    spread = [100.0 * _deviation(features.next_ret[group == q]) for q in range(4)]
    known = dataset.traded_value > 0.0
    a = ImpactAssumptions(dollar_volume=dataset.traded_value) if known else None
    found = [implied_magnitude(mean, a) if a else ImpliedMagnitude(_NAN, _NAN) for mean in means]
    rows = tuple(
        (name, mean, sd, sd / spread[3], f.lambda_gamma, f.volatility_factor)
        for name, mean, sd, f in zip(_QUARTILES, means, spread, found, strict=True)
    )
    return ResultTable(
        "Next session's volatility by quartile of GEX, and what hedging could move",
        (
            "GEX", "mean", "sd of next return %", "over highest", "lambda Gamma",
            "volatility factor by hedging",
        ),
        rows,
        _assumed(a, dataset.market.sign),
    )  # fmt: skip


def _mean(x: Floats) -> float:
    return float(x.mean()) if len(x) else _NAN


def _deviation(x: Floats) -> float:
    return float(x.std(ddof=1)) if len(x) > 1 else _NAN


def _assumed(a: ImpactAssumptions | None, sign: str) -> str:
    if a is None:
        return "The value traded a day is unknown (data.traded_value): hedging implies no factor."
    return (
        "If GEX is in currency per 1 %, linear impact with assumed inputs "
        f"({sign}{a.dollar_volume / 1e9:g}bn traded a day, {100 * a.daily_volatility:g} % a day, "
        f"Y = {a.coefficient:g}) allows only the factors of the last column."
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
