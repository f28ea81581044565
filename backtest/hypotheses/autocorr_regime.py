"""Within a session, prices revert under high gamma and trend under low gamma."""

from __future__ import annotations

import numpy as np

from ..statistics.diagnostics.dependence import (
    RatioByGroup,
    autocorrelation_on_gex,
    ratio_t,
    session_sums,
    variance_ratio_by_group,
)
from ..statistics.intervals import in_words
from ..statistics.intraday import IntradayGrid
from .features import (
    Split,
    gex_before,
    needs,
    needs_spread,
    spans,
    split_sessions,
    standardised,
)
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import one_sided, score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings

__all__ = ["HORIZONS", "HYPOTHESIS"]

_REQUIRES = (
    Requirement("high_upper", "<", "low_lower", "the intervals of the two variance ratios overlap"),
    Requirement("p", "<=", "alpha", "p above 5 %, of t or of books made by rules"),
)

_CARD = Card(
    name="autocorr-regime",
    claim="Within the session prices revert more (trend less) when dealers' gamma is high.",
    source="Barbon, Buraschi, Gamma Fragility (SSRN 3725454); Dim, Eraker, Vilkov (SSRN 4692190)",
    how_read="abstract",
    specification="within-session variance ratio over 60 minutes by GEX of the previous session, "
    "intervals by resampling sessions; autocorrelation of h-minute returns, h 1 ... 60, on GEX, "
    "clustered by session; p the larger of that of t and of books made by rules on the same prices",
    tier="M",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="variance ratio over 60 minutes, high less low gamma",
    effect=-0.10,
    requires=_REQUIRES,
)
HORIZONS = (1, 5, 15, 30, 60)
_FEWEST = 10


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(dataset.intraday is not None, "intraday bars of at most 30 minutes (data.intraday)")
    grid = dataset.intraday
    assert grid is not None
    needs(grid.minutes <= 30, f"intraday bars of at most 30 minutes, not {grid.minutes}")
    gex, rank = gex_before(dataset, grid.sessions)
    needs_spread(gex)
    returns = grid.returns()
    usable = np.asarray(np.isfinite(returns).sum(axis=1) * grid.minutes >= 180)
    split = split_sessions(gex, rank, usable)
    counts = int(split.low.sum()), int(split.high.sum())
    needs(
        min(counts) >= _FEWEST,
        f"at least {_FEWEST} sessions with intraday bars in each group, found {counts[0]} and "
        f"{counts[1]}",
    )
    ratios = {
        minutes: variance_ratio_by_group(
            returns, split.low, split.high, minutes // grid.minutes, settings.resampling
        )
        for minutes in spans(grid)
    }
    main = ratios[max(ratios)]
    value = main.difference[0]
    t = value / main.std_error
    sums = session_sums(returns, main_span := max(ratios) // grid.minutes)
    linear = ratio_t(sums, split.low, split.high, main_span)
    evidence = against_nulls("autocorr-regime", linear, dataset, settings, upper=False)
    p = max(one_sided(t, "-"), evidence.p)
    return Outcome(
        estimate=value,
        std_error=main.std_error,
        t_stat=t,
        p_value=p,
        n=main.n_low + main.n_high,
        low=main.difference[1],
        high=main.difference[2],
        supported=holds(
            _REQUIRES,
            {"high_upper": main.high[2], "low_lower": main.low[1], "p": p, "alpha": settings.alpha},
        ),
        reason=(
            f"variance ratio {main.low[0]:.3f} {in_words(*main.low[1:], '.3f')} under low, "
            f"{main.high[0]:.3f} {in_words(*main.high[1:], '.3f')} under high gamma, "
            f"split by {split.by}, p of t {one_sided(t, '-'):.3f}; {evidence.sentence()}"
        ),
        evidence=evidence,
        scores=score_series(main.scores, grid.sessions),
        tables=(_ratio_table(ratios), _slope_table(dataset, grid, split)),
    )


def _ratio_table(ratios: dict[int, RatioByGroup]) -> ResultTable:
    return ResultTable(
        "Variance ratio within the session",
        ("minutes", "low gamma", "from", "to", "high gamma", "from", "to", "difference", "t"),
        tuple(
            (m, *r.low, *r.high, r.difference[0], r.difference[0] / r.std_error)
            for m, r in ratios.items()
        ),
        f"{next(iter(ratios.values())).n_low} low and {next(iter(ratios.values())).n_high} high "
        "sessions; 1 is a random walk, below it reverts.",
    )


def _slope_table(dataset: Dataset, grid: IntradayGrid, split: Split) -> ResultTable:
    gex, _ = gex_before(dataset, grid.sessions)
    z = standardised(np.where(split.low | split.high | np.isfinite(gex), gex, np.nan))
    rows: list[tuple[str | int | float, ...]] = []
    nan = float("nan")
    for minutes in HORIZONS:
        if minutes % grid.minutes or minutes < grid.minutes:
            rows.append((minutes, nan, nan, nan, nan, 0))
            continue
        fit = autocorrelation_on_gex(grid.returns(minutes), z, grid.sessions)
        level, change = fit.coefficient("lagged"), fit.coefficient("interaction")
        rows.append((minutes, level.value, level.t_stat, change.value, change.t_stat, level.n))
    return ResultTable(
        "Autocorrelation of h-minute returns on GEX of the previous session",
        ("h", "autocorrelation", "t", "per sd of GEX", "t", "n"),
        tuple(rows),
        "Clustered by session; the claim is a negative effect, largest at 60 minutes.",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
