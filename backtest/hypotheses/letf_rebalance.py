"""Leveraged funds' rebalancing drives the last half hour, whatever dealers' gamma."""

from __future__ import annotations

import numpy as np

from ...data import varies
from ..statistics.diagnostics.regression import ols
from ..statistics.diagnostics.wild import wild_p
from .features import momentum, needs, needs_spread, standardised
from .kill_conditions import Requirement, holds, kill_condition
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS"]

_REQUIRES = (
    Requirement("t", ">", 2.0, "t of at most 2"),
    Requirement("p", "<=", "alpha", "p above 5 %"),
)

_CARD = Card(
    name="letf-rebalance",
    claim="The last half hour follows the day more when leveraged funds have more to rebalance.",
    source="Baltussen, Da, Lammers, Martens (2021), Table 9",
    how_read="full text",
    specification="last half hour on r_ROD, z(funds) r_ROD and z(funds) of the previous session, "
    "with z(GEX) r_ROD where GEX is known; Newey-West; p by the wild bootstrap",
    tier="M",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
    estimate="change of the slope per standard deviation of the funds' demand, x 100",
    published=(
        Published(
            1.79,
            "interaction with a dummy of indices with leveraged funds, x 100",
            "Baltussen et al. (2021), Table 9",
            "full text",
            2.20,
        ),
    ),
    effect=1.79,
    requires=_REQUIRES,
)
_FEWEST = 40


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(
        dataset.letf is not None,
        "rebalancing demand of leveraged funds, sum of NAV (x^2 - x), as series.letf",
    )
    assert dataset.letf is not None
    m = momentum(dataset)
    before = dataset.letf.reindex(dataset.bars.index).shift(1)
    index = m.sessions.astype("datetime64[ns]")
    demand = before.reindex(index).to_numpy(dtype=np.float64)
    known = int(np.isfinite(demand).sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} full sessions with series.letf, found {known}")
    needs_spread(demand, "series.letf")
    funds = standardised(demand)
    columns = {"rest": m.rest, "interaction": funds * m.rest, "funds": funds}
    if np.isfinite(m.gex).sum() >= known // 2 and varies(m.gex):
        z = standardised(m.gex)
        columns |= {"gamma": z * m.rest, "gex": z}
    fit = ols(m.last, columns)
    c = fit.coefficient("interaction")
    p = wild_p(fit, "interaction", settings.resampling, side="upper")
    rows = tuple(
        (name, 100 * k.value, k.t_stat, k.n)
        for name, k in ((n, fit.coefficient(n)) for n in columns)
    )
    return coefficient_outcome(
        fit,
        "interaction",
        m.sessions,
        settings,
        supported=holds(_REQUIRES, {"t": c.t_stat, "p": p, "alpha": settings.alpha}),
        reason=f"interaction {100 * c.value:+.2f} per standard deviation, t {c.t_stat:.2f}, "
        f"p {p:.3f}",
        scale=100.0,
        critical=2.0,
        p_value=p,
        tables=(
            ResultTable(
                "Last half hour on the rest of the day and leveraged funds",
                ("regressor", "b x 100", "t", "n"),
                rows,
                "Published (full text, Table 9): r_ROD 2.90 (4.51), with leveraged funds "
                "1.79 (2.20) more.",
            ),
        ),
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
