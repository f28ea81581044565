"""What the last half hour moved is given back over the following sessions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Coefficient, ols, wald
from ..statistics.diagnostics.wild import wild_p
from .features import Momentum, momentum, needs
from .kill_conditions import Requirement, holds, kill_condition
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement("p", "<=", "alpha", "the joint test fails at 5 %"),
    Requirement("sum", "<", 0.0, "the sum of the slopes is not negative"),
)

_CARD = Card(
    name="close-reversal",
    claim="The last half hour's move reverses within three sessions, as a price pressure would.",
    source="Baltussen, Da, Lammers, Martens (2021), Table 11",
    how_read="full text",
    specification="returns of t + 1 ... t + 3 on the last half hour of t, Newey-West, jointly "
    "(Wald; p by the wild bootstrap), and on its part that the day predicts and the rest",
    tier="M",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="slope of the next session's return, x 100",
    published=(
        Published(
            -14.51,
            "slope of t + 1, x 100, equity index futures",
            "Baltussen et al. (2021), Table 11",
            "full text",
            -1.70,
            comparable=True,
        ),
    ),
    effect=-14.51,
    requires=_REQUIRES,
)
_PUBLISHED = ("-14.51 (-1.70)", "-29.05 (-3.16)", "-27.98 (-2.61)")
_FEWEST = 40


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    m = momentum(dataset)
    complete = int(np.isfinite(m.next_days).all(axis=1).sum())
    needs(complete >= _FEWEST, f"at least {_FEWEST} full sessions, found {complete}")
    fits = [ols(m.next_days[:, k], {"last": m.last}) for k in range(3)]
    # that all three covariances vanish is one restriction set, tested in the reverse regression
    names = tuple(f"t+{k}" for k in (1, 2, 3))
    reverse = ols(m.last, dict(zip(names, m.next_days.T, strict=True)))
    joint, asymptotic = wild_p(reverse, names, settings.resampling), wald(reverse, names)
    total = sum(fit.coefficient("last").value for fit in fits)
    return coefficient_outcome(
        fits[0],
        "last",
        m.sessions,
        settings,
        supported=holds(_REQUIRES, {"p": joint, "alpha": settings.alpha, "sum": total}),
        reason=(
            f"joint test p {joint:.3f} (Newey-West {asymptotic.p_value:.3f}), sum of slopes "
            f"{100 * total:+.1f}; the placebo after 16:00 needs futures bars"
        ),
        scale=100.0,
        p_value=joint,
        tables=(_table(m, [fit.coefficient("last") for fit in fits]),),
    )


def _table(m: Momentum, slopes: list[Coefficient]) -> ResultTable:
    first = ols(m.last, {"rest": m.rest})
    fitted = np.full(len(m.last), np.nan)
    fitted[first.used] = first.design @ first.params
    rows: list[tuple[str | int | float, ...]] = []
    for k, c in enumerate(slopes):
        parts = ols(m.next_days[:, k], {"fitted": fitted, "residual": m.last - fitted})
        a, b = parts.coefficient("fitted"), parts.coefficient("residual")
        rows.append(
            (f"t + {k + 1}", 100 * c.value, c.t_stat, 100 * a.value, a.t_stat, 100 * b.value,
             b.t_stat, c.n, _PUBLISHED[k])
        )  # fmt: skip
    return ResultTable(
        "Later returns on the last half hour",
        ("return", "b x 100", "t", "b fitted", "t", "b residual", "t", "n", "published"),
        tuple(rows),
        "Fitted: what the rest of the day predicts. If only that part were hedging, the slope "
        "could not exceed its R2. Published: full text, Table 11.",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
