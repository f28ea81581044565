"""Whether closes gather at strikes, above all on expirations and where gamma is long."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...data import MarketFacts, market_facts, trading_calendar, varies
from ..statistics.diagnostics.regression import Coefficient, Fit, ols
from ..statistics.intervals import Group, ends, lacking, spread_of_groups
from ..statistics.resampling import resampled_sums
from .features import Daily, daily, needs
from .kill_conditions import CRITICAL_T, Requirement, holds, kill_condition
from .outcomes import coefficient_outcome, one_sided, score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings

__all__ = ["HYPOTHESIS", "fit_attraction", "is_monthly", "strike_distance"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_REQUIRES = (
    Requirement("p", "<=", "alpha", "Kolmogorov-Smirnov p above 5 %"),
    Requirement("nearer", ">", 0.0, "closes no nearer to strikes on expirations"),
)

#: With fewer than 8 expirations.
_ATTRACTION = (
    Requirement(
        "t",
        ">",
        CRITICAL_T,
        f"with fewer than 8 expirations, attraction t of at most {CRITICAL_T}",
    ),
)

_CARD = Card(
    name="pin-distance",
    claim="On expirations closes lie nearer to a strike than otherwise unless dealers are short "
    "there, and sessions end nearer to the pin the longer dealers are.",
    source="Ni, Pearson, Poteshman (2005); Golez, Jackwerth (2012)",
    how_read="abstract",
    specification="distance of the close to the nearest strike over the distance of strikes, "
    "monthly expirations against other sessions (one-sided Kolmogorov-Smirnov, and mean); "
    "attraction to the pin strike of the previous session, against its mirror image at that close, "
    "on the signed gamma there",
    tier="D+C",
    expected_sign="+",
    kill=kill_condition((*_REQUIRES, *_ATTRACTION)),
    estimate="mean distance on other sessions less that on expirations, in strikes (0 ... 0.5)",
    effect=0.03,
    requires=_REQUIRES,
)
_FEWEST = 8


def strike_distance(close: Floats, step: float) -> Floats:
    """Return the distance to the nearest multiple of `step`, in steps: 0 at a strike ... 0.5."""
    place = close / step
    return np.asarray(np.abs(place - np.rint(place)), dtype=np.float64)


def is_monthly(sessions: npt.NDArray[np.datetime64], facts: MarketFacts | None = None) -> Mask:
    """Return whether each session is the monthly expiration of its market."""
    known = facts or market_facts()
    calendar = trading_calendar(known.calendar)
    days = sessions.astype("datetime64[D]")
    months = {(d.year, d.month) for d in days.tolist()}
    expirations = [calendar.monthly_expiration(y, m, known.monthly) for y, m in months]
    return np.isin(days, np.array(expirations, dtype="datetime64[D]"))


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(np.isfinite(dataset.strike_step), _lacking_strikes(dataset))
    features = daily(dataset)
    expiry = _expirations(dataset, features) & np.isfinite(features.gex)
    # where dealers are known to be short at the pin they push away: not what is claimed
    expiry &= ~(_signed_pin(dataset, features) < 0.0)
    other = ~expiry & np.isfinite(features.gex)
    fit = fit_attraction(dataset, features)
    if expiry.sum() >= _FEWEST:
        return _by_expiry(dataset, features, expiry, other, fit, settings)
    needs(
        fit is not None,
        f"at least {_FEWEST} expirations (found {int(expiry.sum())}) or 20 pin strikes",
    )
    assert fit is not None
    c = fit.coefficient("gamma")
    return coefficient_outcome(
        fit,
        "gamma",
        features.sessions,
        settings,
        supported=holds(_ATTRACTION, {"t": c.t_stat}),
        reason=(
            f"too few expirations ({int(expiry.sum())}); attraction to the pin strike "
            f"{c.value:+.5f} per unit of signed strength, t {c.t_stat:.2f}"
        ),
        critical=CRITICAL_T,
        p_value=one_sided(c.t_stat, "+"),
        tables=(_table(dataset, features, expiry, other, c),),
    )


def _lacking_strikes(dataset: Dataset) -> str:
    if dataset.table is None:
        return "chains (regime.source = lake) for the strikes"
    return (
        "neighbouring strikes with open interest within 2 % of the last close: the lake's last "
        "session has none there"
    )


def _expirations(dataset: Dataset, features: Daily) -> Mask:
    if dataset.expirations is None:
        return is_monthly(features.sessions, dataset.market)
    listed = dataset.expirations.reindex(dataset.bars.index, fill_value=False)
    return np.asarray(listed.to_numpy(), dtype=np.bool_)


def _signed_pin(dataset: Dataset, features: Daily) -> Floats:
    """Return dealers' gamma at the pin of the previous session, share of gross; NaN unknown."""
    unknown = np.full(len(features.close), np.nan)
    if dataset.table is None or "pin_strike" not in dataset.table:
        return unknown
    table = dataset.table.reindex(dataset.bars.index)
    if "pin_gamma" in table:
        signed = np.asarray(table["pin_gamma"].to_numpy(), dtype=np.float64)
    elif "pin_strength" in table:
        strength = np.asarray(table["pin_strength"].to_numpy(), dtype=np.float64)
        gex = dataset.warmed.reindex(dataset.bars.index).to_numpy(dtype=np.float64)
        signed = strength * np.sign(gex)
    else:
        return unknown
    return np.concatenate([[np.nan], signed[:-1]])


def _by_expiry(
    dataset: Dataset,
    features: Daily,
    expiry: Mask,
    other: Mask,
    fit: Fit | None,
    settings: Settings,
) -> Outcome:
    from scipy.stats import ks_2samp

    distance = strike_distance(np.exp(features.close), dataset.strike_step)
    columns = np.column_stack([expiry, expiry * distance, other, other * distance])
    columns = np.nan_to_num(columns.astype(np.float64))[dataset.counted]
    sums = resampled_sums(columns, settings.resampling)
    draws = sums[:, 3] / sums[:, 2] - sums[:, 1] / sums[:, 0]
    value = float(np.nanmean(distance[other]) - np.nanmean(distance[expiry]))
    low, high = _interval(value, distance, other, expiry, settings.resampling.level)
    error = float(np.nanstd(draws, ddof=1))
    # nearer on expirations: their distribution function lies above the others'
    test = ks_2samp(distance[expiry], distance[other], alternative="greater")
    attraction = None if fit is None else fit.coefficient("gamma")
    scores = np.where(other, distance / other.mean(), 0.0)
    scores = scores - np.where(expiry, distance / expiry.mean(), 0.0)
    return Outcome(
        estimate=value,
        std_error=error,
        t_stat=value / error,
        p_value=float(test.pvalue),
        n=int(expiry.sum() + other.sum()),
        low=low,
        high=high,
        supported=holds(
            _REQUIRES, {"p": float(test.pvalue), "alpha": settings.alpha, "nearer": value}
        ),
        reason=(
            f"{int(expiry.sum())} expirations, Kolmogorov-Smirnov p {test.pvalue:.3f}, mean "
            f"distance {np.nanmean(distance[expiry]):.3f} against "
            f"{np.nanmean(distance[other]):.3f}"
        ),
        scores=score_series(scores, features.sessions),
        tables=(_table(dataset, features, expiry, other, attraction),),
    )


def _interval(
    value: float, distance: Floats, other: Mask, expiry: Mask, level: float
) -> tuple[float, float]:
    """Return the interval of the mean distance on other sessions less that on expirations."""
    masks = [mask & np.isfinite(distance) for mask in (other, expiry)]
    if lacking([int(mask.sum()) for mask in masks]):
        return float("nan"), float("nan")
    groups = [
        Group(mask.astype(np.float64), np.where(mask, distance - distance[mask].mean(), 0.0), sign)
        for mask, sign in zip(masks, (1.0, -1.0), strict=True)
    ]
    return ends(value, spread_of_groups(groups), level)


def fit_attraction(dataset: Dataset, features: Daily) -> Fit | None:
    """Regress how far a session moves towards yesterday's pin strike on the gamma there.

    Half of what the session ends nearer to the strike than to its mirror image at yesterday's
    close, over that close. The calmer a session, the nearer it ends to any level that it began
    near, and high gamma goes with calm: the mirror image has all of that, and no options.
    None where fewer than 20 sessions have a pin strike. ``gamma`` is the coefficient of the
    signed strength: the strength of the pin times the sign of net GEX, or ``pin_gamma`` where
    the table has it.
    """
    if dataset.table is None or "pin_strike" not in dataset.table:
        return None
    pins = dataset.table["pin_strike"].reindex(dataset.bars.index)
    strike = np.asarray(pins.shift(1).to_numpy(), dtype=np.float64)
    signed = _signed_pin(dataset, features)
    price = np.exp(features.close)
    before = np.concatenate([[np.nan], price[:-1]])
    start, mirror = np.abs(before - strike) / before, 2.0 * before - strike
    # gamma of calls lies above the spot, and prices drift: the side alone goes with both
    side = np.sign(strike - before)
    nearer = 0.5 * (np.abs(price - mirror) - np.abs(price - strike)) / before
    nearer = np.where(dataset.counted, nearer, np.nan)
    if np.isfinite(nearer + signed).sum() < 20:
        return None
    columns = {"gamma": signed, "start": start, "side": side, "side_start": side * start}
    return ols(nearer, {name: x for name, x in columns.items() if _varies(x, nearer + signed)})


def _varies(x: Floats, known: Floats) -> bool:
    rows = np.isfinite(known + x)
    return bool(rows.any()) and bool(varies(x[rows]))


def _table(
    dataset: Dataset, features: Daily, expiry: Mask, other: Mask, attraction: Coefficient | None
) -> ResultTable:
    distance = strike_distance(np.exp(features.close), dataset.strike_step)
    rows: list[tuple[str | int | float, ...]] = []
    for name, rows_in in (
        ("expirations", expiry),
        ("the previous session", _day(features, expiry, -1) & ~expiry),
        ("other sessions", other),
    ):
        chosen = distance[rows_in]
        mean = float(np.nanmean(chosen)) if len(chosen) else float("nan")
        error = float(np.nanstd(chosen) / np.sqrt(len(chosen))) if len(chosen) else float("nan")
        rows.append((name, mean, error, len(chosen)))
    if attraction is not None:
        rows.append(
            ("attraction per signed strength", attraction.value, attraction.std_error, attraction.n)
        )
    return ResultTable(
        f"Distance of the close to the nearest multiple of {dataset.strike_step:g}",
        ("sessions", "mean", "standard error", "n"),
        tuple(rows),
        "A uniform close has mean 0.25. Dealers short before an expiration push away.",
    )


def _day(features: Daily, mask: Mask, shift: int) -> Mask:
    moved = np.roll(mask, shift)
    if shift < 0:
        moved[shift:] = False
    return np.asarray(moved & np.isfinite(features.gex))


HYPOTHESIS = Hypothesis(_CARD, _run)
