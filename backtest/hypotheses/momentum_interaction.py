"""The slope of the last half hour falls with dealer gamma."""

from __future__ import annotations

import numpy as np

from ..statistics.diagnostics.regression import Fit, ols
from ..statistics.diagnostics.wild import wild_p
from .features import Momentum, momentum, needs, needs_spread, standardised
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS", "fit_interaction"]

_REQUIRES = (
    Requirement("t", "<", -2.0, "t of at least -2"),
    Requirement("p", "<=", "alpha", "p above 5 %"),
)

_CARD = Card(
    name="momentum-interaction",
    claim="The more negative dealers' gamma, the more the last half hour follows the day.",
    source="Baltussen, Da, Lammers, Martens (2021), Table 8",
    how_read="full text",
    specification="last half hour on r_ROD, z(GEX) r_ROD and z(GEX) of the previous session; "
    "Newey-West; p the larger of that by the wild bootstrap and of books made by rules on the "
    "same prices",
    tier="M+C",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of the slope per standard deviation of GEX, x 100",
    published=(
        Published(
            -123.04,
            "raw interaction, unit of GEX not recoverable, S&P 500 futures, 1996 to 2020",
            "Baltussen et al. (2021), Table 8 (3)",
            "full text",
            -3.42,
        ),
    ),
    effect=-2.5,
    requires=_REQUIRES,
)
_FEWEST = 40


def fit_interaction(m: Momentum, *, gamma: bool = True) -> Fit:
    """Return the regression; ``interaction`` is the coefficient of z(GEX) r_ROD."""
    if not gamma:
        return ols(m.last, {"rest": np.where(np.isfinite(m.gex), m.rest, np.nan)})
    z = standardised(m.gex)
    return ols(m.last, {"rest": m.rest, "interaction": z * m.rest, "gex": z})


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    m = momentum(dataset)
    known = int(np.isfinite(m.gex).sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} full sessions with GEX, found {known}")
    needs_spread(m.gex)
    fit = fit_interaction(m)
    c = fit.coefficient("interaction")
    wild = wild_p(fit, "interaction", settings.resampling, side="lower")
    evidence = against_nulls("momentum-interaction", c.t_stat, dataset, settings, upper=False)
    p = max(wild, evidence.p)
    return coefficient_outcome(
        fit,
        "interaction",
        m.sessions,
        settings,
        supported=holds(_REQUIRES, {"t": c.t_stat, "p": p, "alpha": settings.alpha}),
        reason=f"interaction {100 * c.value:+.2f} per standard deviation, t {c.t_stat:.2f}, "
        f"p {wild:.3f}; {evidence.sentence()}",
        scale=100.0,
        critical=-2.0,
        p_value=p,
        evidence=evidence,
        tables=(_table(m, fit),),
    )


def _table(m: Momentum, fit: Fit) -> ResultTable:
    alone = fit_interaction(m, gamma=False)
    base, slope = alone.coefficient("rest"), fit.coefficient("rest")
    interaction, level = fit.coefficient("interaction"), fit.coefficient("gex")
    return ResultTable(
        "Last half hour on the rest of the day and GEX",
        ("regressor", "b x 100", "t", "n", "published"),
        (
            ("r_ROD alone", 100 * base.value, base.t_stat, base.n, "5.08 (4.72)"),
            ("r_ROD", 100 * slope.value, slope.t_stat, slope.n, "2.58 (3.86)"),
            (
                "z(GEX) r_ROD", 100 * interaction.value, interaction.t_stat, interaction.n,
                "t -3.42 (own unit)",
            ),
            ("z(GEX)", 100 * level.value, level.t_stat, level.n, "t 1.34 (own unit)"),
        ),
        f"R2 {100 * alone.r2:.2f} % alone, {100 * fit.r2:.2f} % with GEX; published 2.32 and "
        "3.78 % (full text, Table 8). The unit of the published GEX cannot be recovered: compare "
        "t values.",
    )  # fmt: skip


HYPOTHESIS = Hypothesis(_CARD, _run)
