"""Whether what holds on average holds before and after the ideas were published."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Coefficient, ols
from .features import Daily, daily_with_volatility, needs
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome, one_sided
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings
from .vol_damping import fit_damping

__all__ = ["HYPOTHESIS", "usable_eras"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Half of the slope that was published: a change of less leaves the claim what it is.
_MARGIN = 0.18

_REQUIRES = (
    Requirement("largest_t", "<", -1.65, "an era without a negative slope (t of at least -1.65)"),
    Requirement(
        "p",
        "<=",
        "alpha",
        "a change that may be as large as .18, half of the published slope (equivalence test: the "
        "90 % interval of the change reaches beyond -.18 or .18), or books made by rules, or "
        "simulated markets without dealers, do as well in their weakest era",
    ),
)

_CARD = Card(
    name="era-split",
    claim="GEX and the next session's volatility go together in every era alike.",
    source="this project: before and after 2011, before and after 2021-11",
    how_read="own computation",
    specification="the regression of vol-damping with GEX x 1{from 2021-11}, and by era; HAC(10); "
    "p is the largest of equivalence within .18 (two one-sided tests) and, for the era with the "
    "weakest slope, of the normal law and two routes: the weakest era of books made by rules on "
    "the same prices, and of simulated markets without dealers",
    tier="D",
    expected_sign="0",
    kill=kill_condition(_REQUIRES),
    estimate="slope from 2021-11 less the slope before",
    effect=_MARGIN,
    requires=_REQUIRES,
)
_ERAS = {
    "before 2011": (None, "2011-01-01"),
    "2011 to 2021-10": ("2011-01-01", "2021-11-01"),
    "from 2021-11": ("2021-11-01", None),
}
_FEWEST = 60


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    features = daily_with_volatility(dataset)
    known = np.isfinite(features.gex_rank) & np.isfinite(features.log_vix)
    usable = usable_eras(features.sessions, known)
    needs(
        "from 2021-11" in usable and len(usable) >= 2,
        f"at least {_FEWEST} sessions with GEX both before and from 2021-11",
    )
    late = np.where(usable["from 2021-11"], 1.0, 0.0)
    columns = {
        **features.har_columns(),
        "ln_vix": features.log_vix,
        "loss": features.loss,
        "gex": features.gex_rank,
        "late": late,
        "change": features.gex_rank * late,
    }
    fit = ols(features.next_log_vol, columns, hac=10)
    change = fit.coefficient("change")
    slopes = {name: _slope(features, rows) for name, rows in usable.items()}
    largest = float(np.max([c.t_stat for c in slopes.values()]))
    equal = _equivalence_p(change)
    # low gamma follows losses, and so does volatility, in every era and without any dealer
    evidence = against_nulls("era-split", largest, dataset, settings, upper=False)
    p = max(equal, one_sided(largest, "-"), evidence.p)
    supported = holds(_REQUIRES, {"largest_t": largest, "p": p, "alpha": settings.alpha})
    return coefficient_outcome(
        fit,
        "change",
        features.sessions,
        settings,
        supported=supported,
        reason="; ".join(f"{n} {c.value:+.3f} (t {c.t_stat:.1f})" for n, c in slopes.items())
        + f"; that they differ by less than {_MARGIN:g}: p {equal:.3f}; "
        + f"the weakest: {evidence.sentence()}",
        p_value=p,
        p_simulated=evidence.p_family,
        evidence=evidence,
        margin=_MARGIN,
        tables=(
            ResultTable(
                "Log volatility of the next session on the percentile of GEX, by era",
                ("era", "b", "t", "n", "share of GEX < 0"),
                tuple(
                    (n, c.value, c.t_stat, c.n, float((features.gex[usable[n]] < 0).mean()))
                    for n, c in slopes.items()
                ),
                "HAR, ln IVX and min(r, 0) in every row; HAC(10).",
            ),
        ),
    )


def _equivalence_p(change: Coefficient) -> float:
    """Return the larger p of two one-sided tests: that the change is beyond the margin."""
    below = one_sided((change.value - _MARGIN) / change.std_error, "-")
    above = one_sided((change.value + _MARGIN) / change.std_error, "+")
    return max(below, above)


def usable_eras(sessions: npt.NDArray[np.datetime64], known: Mask) -> dict[str, Mask]:
    """Return the sessions of each era that has enough known ones, by name."""
    eras = {name: _within(sessions, known, *bounds) for name, bounds in _ERAS.items()}
    return {name: rows for name, rows in eras.items() if rows.sum() >= _FEWEST}


def _within(
    sessions: npt.NDArray[np.datetime64], known: Mask, first: str | None, last: str | None
) -> Mask:
    rows = known.copy()
    if first is not None:
        rows &= sessions >= np.datetime64(first)
    if last is not None:
        rows &= sessions < np.datetime64(last)
    return np.asarray(rows)


def _slope(features: Daily, rows: Mask) -> Coefficient:
    gex: Floats = np.where(rows, features.gex_rank, np.nan)
    return fit_damping(features, gex).coefficient("gex")


HYPOTHESIS = Hypothesis(_CARD, _run)
