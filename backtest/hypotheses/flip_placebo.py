"""Whether the flip separates calm from wild sessions better than levels that mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import ols, t_stats
from .features import Daily, daily, needs, trailing_sum, usual_volatility
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HYPOTHESIS", "controls", "placebo_distances"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement(
        "t", "<", "placebo", "the flip's t lies within the 95th percentile of the placebos'"
    ),
    Requirement(
        "p",
        "<=",
        "alpha",
        "books made by rules, or simulated markets without dealers, do as well (p above 5 %)",
    ),
    Requirement("slope", "<", 0.0, "no calmer above the flip"),
)

_CARD = Card(
    name="flip-placebo",
    claim="The spot against the gamma flip says more about the next session's volatility than the "
    "spot against levels that have nothing to do with options.",
    source="practitioners; no peer-reviewed definition was found",
    how_read="own computation",
    specification="ln Parkinson volatility of t + 1 on 1{spot > flip} with HAR, signed, 5- and "
    "20-session returns (and ln IVX); the same for moving averages, round numbers, earlier flips, "
    "shuffled flips and the median of IVX; p: the largest of the rank among these and of two "
    "routes, books made by rules on the same prices and simulated markets without dealers",
    tier="C",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of log volatility where the spot is above the flip",
    effect=-0.1,
    requires=_REQUIRES,
)
_FEWEST = 40
_FEWEST_PLACEBO = 30
_SHIFTS = 60


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    table = dataset.table
    needs(table is not None and "flip" in table, "chains (regime.source = lake) for the flip")
    assert table is not None
    features = daily(dataset)
    flip = table["flip"].reindex(dataset.bars.index).to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.where(dataset.counted, features.close - np.log(flip), np.nan)
    known = int(np.isfinite(distance).sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} sessions with a flip, found {known}")
    above = _above(distance)
    needs(np.nanstd(above) > 0.0, "sessions on both sides of the flip")
    beside = controls(features)
    fit = ols(features.next_log_vol, {**beside, "above": above}, hac=10)
    c = fit.coefficient("above")
    rows = np.isfinite(distance)
    named = placebo_distances(dataset, features, distance, settings.resampling.seed)
    placebos = _placebo_stats(features, beside, rows, dict(named))
    drawn = np.array([t for t in placebos.values() if np.isfinite(t)])
    needs(len(drawn) >= 19, "at least 19 placebo levels that vary: give a longer sample")
    by_rank = (1.0 + float((drawn <= c.t_stat).sum())) / (1.0 + len(drawn))
    # the flip follows past prices as volatility does, which placebos do not: books made by rules
    # exceed their quantile too often, so these count as well
    evidence = against_nulls("flip-placebo", c.t_stat, dataset, settings, upper=False)
    p = max(by_rank, evidence.p)
    by_placebo = float(np.quantile(drawn, settings.alpha))
    critical = min(by_placebo, evidence.critical)
    return coefficient_outcome(
        fit,
        "above",
        features.sessions,
        settings,
        supported=holds(
            _REQUIRES,
            {
                "t": c.t_stat,
                "placebo": by_placebo,
                "p": evidence.p,
                "alpha": settings.alpha,
                "slope": c.value,
            },
        ),
        reason=(
            f"t {c.t_stat:.2f} against {by_placebo:.2f} of {len(drawn)} placebos "
            f"(p {by_rank:.3f}); "
            f"{evidence.sentence()}"
        ),
        critical=critical,
        p_value=p,
        p_simulated=evidence.p_family,
        evidence=evidence,
        tables=(_table(c.t_stat, placebos),),
    )


def _above(distance: Floats) -> Floats:
    return np.where(np.isfinite(distance), distance > 0.0, np.nan).astype(np.float64)


def controls(features: Daily) -> dict[str, Floats]:
    """Return the regressors beside the side of the flip, by name."""
    columns = {
        **features.har_columns(),
        "ret": features.ret,
        "loss": features.loss,
        "ret_5": trailing_sum(features.ret, 5),
        "ret_20": trailing_sum(features.ret, 20),
    }
    if np.isfinite(features.log_vix).sum() > _FEWEST:
        columns["ln_vix"] = features.log_vix
    return columns


def _placebo_stats(
    features: Daily,
    beside: dict[str, Floats],
    rows: npt.NDArray[np.bool_],
    distances: dict[str, Floats],
) -> dict[str, float]:
    """Return t of each placebo on the flip's rows; NaN where it hardly ever changes sides."""
    above = [_usable(_above(np.where(rows, x, np.nan))) for x in distances.values()]
    stats = t_stats(features.next_log_vol, beside, np.column_stack(above), hac=10)
    return dict(zip(distances, stats.tolist(), strict=True))


def _usable(above: Floats) -> Floats:
    known = above[np.isfinite(above)]
    enough = len(known) >= _FEWEST_PLACEBO and 0.02 <= known.mean() <= 0.98
    return above if enough else np.full(len(above), np.nan)


def placebo_distances(
    dataset: Dataset, features: Daily, distance: Floats, seed: int
) -> Iterator[tuple[str, Floats]]:
    """Yield log distances of the spot to levels that mean nothing, by name."""
    import pandas as pd

    close = pd.Series(np.exp(features.close))
    for window in (5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200):
        mean = close.rolling(window).mean().to_numpy(dtype=np.float64)
        yield f"moving average {window}", features.close - np.log(mean)
    price = close.to_numpy(dtype=np.float64)
    step = 10.0 ** np.floor(np.log10(price)) / 10.0
    nearest = np.round(price / step) * step
    yield "round number", features.close - np.log(nearest)
    flip = _log_flips(dataset, features.close - distance)
    for lag in (5, 10, 15, 21, 30, 42, 63):
        yield f"flip {lag} sessions ago", features.close - _shifted(flip, lag)
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(np.isfinite(distance))
    margin = min(21, len(known) // 4)
    for k in range(_SHIFTS):
        turned = np.full(len(distance), np.nan)
        turn = int(rng.integers(margin, len(known) - margin))
        turned[known] = np.roll(distance[known], turn)
        yield f"shuffled flip {k + 1}", turned
    if dataset.vix is not None:
        yield "median of IVX", usual_volatility(dataset) - features.log_vix


def _log_flips(dataset: Dataset, otherwise: Floats) -> Floats:
    """Return log flips with those before the first session that counts: earlier ones may be."""
    if dataset.table is None or "flip" not in dataset.table:
        return otherwise
    flip = dataset.table["flip"].reindex(dataset.bars.index).to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(flip), dtype=np.float64)


def _shifted(x: Floats, lag: int) -> Floats:
    return np.concatenate([np.full(lag, np.nan), x])[: len(x)]


def _table(t_stat: float, placebos: dict[str, float]) -> ResultTable:
    shuffled = np.array([t for name, t in placebos.items() if name.startswith("shuffled")])
    named = {n: t for n, t in placebos.items() if not n.startswith("shuffled")}
    rows: list[tuple[str | int | float, ...]] = [("gamma flip", t_stat)]
    rows += sorted(named.items(), key=lambda item: np.nan_to_num(item[1], nan=9.0))
    rows.append(("shuffled flips, 5 % quantile", _quantile(shuffled)))
    return ResultTable(
        "t of 1{spot > level} for the next session's log volatility",
        ("level", "t"),
        tuple(rows),
        "The claim is a negative t, further from zero than that of levels without meaning.",
    )


def _quantile(x: Floats) -> float:
    known = x[np.isfinite(x)]
    return float(np.quantile(known, 0.05)) if len(known) else float("nan")


HYPOTHESIS = Hypothesis(_CARD, _run)
