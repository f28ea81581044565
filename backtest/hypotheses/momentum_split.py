"""The last half hour follows the rest of the day when dealers are short gamma."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Coefficient, Fit, ols
from ..statistics.diagnostics.wild import wild_p
from .features import Momentum, Split, momentum, needs, needs_spread, split_sessions, tercile
from .kill_conditions import CRITICAL_T, Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["FEWEST", "HYPOTHESIS", "fit_split"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement("low", ">", 0.0, "the interval of the difference covers zero"),
    Requirement("p", "<=", "alpha", "p above 5 %"),
    Requirement(
        "smallest_era", ">", 0.0, "no difference in one of the eras that have sessions enough"
    ),
)

_CARD = Card(
    name="momentum-split",
    claim="The last half hour follows the rest of the day on sessions that start with negative "
    "dealer gamma, and hardly otherwise.",
    source="Baltussen, Da, Lammers, Martens (2021), Table 7",
    how_read="full text",
    specification="last half hour on the return from the previous close until then, by the sign "
    "of GEX of the previous session (terciles where a sign is rare); full sessions, Newey-West; p "
    "by the wild bootstrap",
    tier="M+C",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
    estimate="difference of the slopes, negative less positive gamma, x 100",
    published=(
        Published(
            5.81,
            "6.63 (4.78) less 0.82 (1.03), x 100, S&P 500 futures, 1996 to 2020",
            "Baltussen et al. (2021), Table 7",
            "full text",
            comparable=True,
        ),
    ),
    effect=5.81,
    requires=_REQUIRES,
)
FEWEST = 10


def fit_split(m: Momentum, split: Split) -> Fit:
    """Return the regression; ``difference`` is the low group's slope less the high group's."""
    use = split.low | split.high
    low = np.where(use, split.low, np.nan)
    columns = {"low": low, "rest": m.rest, "difference": np.where(use, low * m.rest, np.nan)}
    return ols(m.last, columns)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    m = momentum(dataset)
    needs_spread(m.gex)
    split = split_sessions(m.gex, m.rank)
    counts = int(split.low.sum()), int(split.high.sum())
    needs(
        min(counts) >= FEWEST,
        f"at least {FEWEST} full sessions with intraday bars in each group, found "
        f"{counts[0]} and {counts[1]}",
    )
    fit = fit_split(m, split)
    c = fit.coefficient("difference")
    low, high = c.value - CRITICAL_T * c.std_error, c.value + CRITICAL_T * c.std_error
    eras = _eras(m, split)
    wild = wild_p(fit, "difference", settings.resampling, side="upper")
    evidence = against_nulls("momentum-split", c.t_stat, dataset, settings, upper=True)
    p = max(wild, evidence.p)
    # without two eras there is none that could disagree
    smallest = float(np.min([np.inf, *(e.value for e in eras.values())]))
    found = {"low": low, "p": p, "alpha": settings.alpha, "smallest_era": smallest}
    supported = holds(_REQUIRES, found)
    reason = (
        f"t {c.t_stat:.2f}, {CRITICAL_T} of its errors reach from {100 * low:+.2f} to "
        f"{100 * high:+.2f}, p {wild:.3f}, "
        f"split by {split.by}, {counts[0]} low and {counts[1]} high sessions; {evidence.sentence()}"
    )
    return coefficient_outcome(
        fit,
        "difference",
        m.sessions,
        settings,
        supported=supported,
        reason=reason,
        scale=100.0,
        critical=CRITICAL_T,
        p_value=p,
        evidence=evidence,
        tables=(_table(m, split, eras),),
    )


def _eras(m: Momentum, split: Split) -> dict[str, Coefficient]:
    """Return the difference before and after publication, where each has sessions enough."""
    after = m.sessions >= np.datetime64("2021-11-01")
    out: dict[str, Coefficient] = {}
    for name, rows in (("before 2021-11", ~after), ("from 2021-11", after)):
        part = Split(split.low & rows, split.high & rows, split.by)
        if min(part.low.sum(), part.high.sum()) >= FEWEST and rows.sum() < len(rows):
            out[name] = fit_split(m, part).coefficient("difference")
    return out


def _group(m: Momentum, rows: npt.NDArray[np.bool_]) -> Fit | None:
    return ols(m.last, {"rest": np.where(rows, m.rest, np.nan)}) if rows.sum() >= 8 else None


def _table(m: Momentum, split: Split, eras: dict[str, Coefficient]) -> ResultTable:
    published = {"GEX < 0": "6.63 (4.78), R2 3.58", "GEX >= 0": "0.82 (1.03), R2 0.05"}
    groups = {
        "GEX < 0": m.gex < 0.0,
        "GEX >= 0": m.gex >= 0.0,
        "low tercile": tercile(m.rank) == 0,
        "high tercile": tercile(m.rank) == 2,
    }
    rows: list[tuple[str | int | float, ...]] = []
    nan = float("nan")
    for name, chosen in groups.items():
        fit = _group(m, chosen)
        if fit is None:
            rows.append((name, nan, nan, nan, nan, int(chosen.sum()), published.get(name, "")))
            continue
        a, b = fit.coefficient("intercept"), fit.coefficient("rest")
        values = (100 * a.value, 100 * b.value, b.t_stat, 100 * fit.r2, b.n)
        rows.append((name, *values, published.get(name, "")))
    for name, c in eras.items():
        rows.append((f"difference {name}", nan, 100 * c.value, c.t_stat, nan, c.n, ""))
    return ResultTable(
        "Last half hour on the rest of the day",
        ("sessions", "intercept x 100", "b x 100", "t", "R2 %", "n", "published"),
        tuple(rows),
        f"Newey-West; the test splits by {split.by}. Published: full text, Table 7.",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
