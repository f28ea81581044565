"""Whether same-day expirations on Tuesdays and Thursdays calmed those sessions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Fit, ols
from ..statistics.diagnostics.wild import wild_p
from ..statistics.intraday import IntradayGrid
from .features import needs
from .kill_conditions import CRITICAL_T, Requirement, holds, kill_condition
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS", "fit_difference"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_REQUIRES = (
    Requirement("t", "<", -CRITICAL_T, f"t of at least -{CRITICAL_T}"),
    Requirement(
        "t", "<", "placebo", "a placebo weekday, or a placebo date, with an effect as large"
    ),
    Requirement("p", "<=", "alpha", "p above 5 %"),
)

_CARD = Card(
    name="expiry-did",
    claim="Sessions that gained same-day expirations in 2022 became calmer than the others.",
    source="Adams, Fontaine, Ornthanalai (2025), Table 2",
    how_read="full text",
    specification="mean 10-minute realised volatility of the session, percent, on Tuesday or "
    "Thursday x after introduction, fixed effects of week; clustered by week; p "
    "by the wild bootstrap of weeks",
    tier="M",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of 10-minute realised volatility, percentage points",
    published=(
        Published(
            -0.0058,
            "realised volatility, Tuesday/Thursday x introduction, S&P 500, 2019 to 2023",
            "Adams, Fontaine, Ornthanalai (2025), Table 2",
            "full text",
            -3.38,
        ),
    ),
    effect=-0.0058,
    requires=_REQUIRES,
)
_STARTS = {1: "2022-04-18", 3: "2022-05-11"}
_TREATED = (1, 3)
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri")
_FEWEST_WEEKS = 12


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(dataset.intraday is not None, "intraday bars of at most 10 minutes (data.intraday)")
    grid = dataset.intraday
    assert grid is not None
    needs(10 % grid.minutes == 0, f"intraday bars that divide 10 minutes, not {grid.minutes}")
    y, days = _session_volatility(grid)
    starts = _starts(days)
    weeks = _weeks(days)
    before = len(np.unique(weeks[days < starts.min()]))
    after = len(np.unique(weeks[days >= starts.max()]))
    needs(
        min(before, after) >= _FEWEST_WEEKS,
        f"intraday bars over at least {_FEWEST_WEEKS} weeks before 2022-04-18 and after "
        f"2022-05-11, found {before} and {after}",
    )
    fit = fit_difference(y, days, _TREATED, starts)
    c = fit.coefficient("treated")
    p = wild_p(fit, "treated", settings.resampling, weeks, side="lower")
    pairs = _placebo_days(y, days, starts)
    dates = _placebo_dates(y, days)
    largest = min([f.coefficient("treated").t_stat for f in pairs.values()] + list(dates))
    return coefficient_outcome(
        fit,
        "treated",
        days,
        settings,
        supported=holds(
            _REQUIRES, {"t": c.t_stat, "placebo": largest, "p": p, "alpha": settings.alpha}
        ),
        reason=f"t {c.t_stat:.2f}, p {p:.3f}; most negative of the placebos {largest:.2f}",
        critical=-CRITICAL_T,
        p_value=p,
        tables=(_table(fit, pairs, dates),),
    )


def _session_volatility(grid: IntradayGrid) -> tuple[Floats, npt.NDArray[np.datetime64]]:
    """Return the mean over 10-minute slots of realised volatility, percent; full sessions."""
    steps = max(10 // grid.minutes, 1)
    r = grid.returns()[grid.full]
    slots = r.shape[1] // steps
    squares = (r[:, : slots * steps] ** 2).reshape(len(r), slots, steps).sum(axis=2)
    return 100.0 * np.sqrt(squares).mean(axis=1), grid.sessions[grid.full]


def _weeks(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    # 1970-01-01 was a Thursday: shift so that weeks begin on Monday
    return (days.astype("datetime64[D]").astype(np.int64) + 3) // 7


def _weekday(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _starts(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    return np.array(list(_STARTS.values()), dtype="datetime64[D]")


def fit_difference(
    y: Floats,
    days: npt.NDArray[np.datetime64],
    treated: tuple[int, ...],
    starts: npt.NDArray[np.datetime64],
) -> Fit:
    """Fit the difference in differences with week effects taken out.

    With the same time slots in every session, effects of year x week x time and of week give the
    same slope, so each session is one row.
    """
    weekday, weeks = _weekday(days), _weeks(days)
    columns: dict[str, Floats] = {}
    post = np.zeros(len(days))
    for day, start in zip(treated, np.resize(starts, len(treated)), strict=True):
        here = (weekday == day).astype(np.float64)
        columns[f"weekday_{day}"] = here
        post += here * (days >= start)
    columns["treated"] = post
    centred = {name: _within(x, weeks) for name, x in columns.items()}
    return ols(_within(y, weeks), centred, clusters=weeks, intercept=False)


def _within(x: Floats, groups: npt.NDArray[np.int64]) -> Floats:
    _, index = np.unique(groups, return_inverse=True)
    mean = np.bincount(index, weights=x) / np.bincount(index)
    return x - mean[index]


def _placebo_days(
    y: Floats, days: npt.NDArray[np.datetime64], starts: npt.NDArray[np.datetime64]
) -> dict[str, Fit]:
    """Return the same regression for each weekday that had expirations all along."""
    untreated = ~np.isin(_weekday(days), _TREATED)
    out: dict[str, Fit] = {}
    for day in (0, 2, 4):
        out[_NAMES[day]] = fit_difference(y[untreated], days[untreated], (day,), starts[:1])
    return out


def _placebo_dates(y: Floats, days: npt.NDArray[np.datetime64]) -> tuple[float, ...]:
    """Return t of Tuesday and Thursday at dates well before and well after the true ones."""
    true = np.datetime64("2022-05-01")
    out: list[float] = []
    for rows in (days < true - 14, days > true + 14):
        part = days[rows]
        weeks = np.unique(_weeks(part))
        if len(weeks) < 2 * _FEWEST_WEEKS:
            continue
        middle = np.array([part[len(part) // 2]], dtype="datetime64[D]")
        fit = fit_difference(y[rows], part, _TREATED, middle)
        out.append(fit.coefficient("treated").t_stat)
    return tuple(out)


def _table(fit: Fit, pairs: dict[str, Fit], dates: tuple[float, ...]) -> ResultTable:
    c = fit.coefficient("treated")
    nan = float("nan")
    rows: list[tuple[str | int | float, ...]] = [
        ("Tue, Thu x introduction", c.value, c.t_stat, c.n, "-.0058 (-3.38)")
    ]
    for name, placebo in pairs.items():
        p = placebo.coefficient("treated")
        rows.append((f"placebo {name}", p.value, p.t_stat, p.n, ""))
    rows += [(f"placebo date {i + 1}", nan, t, nan, "") for i, t in enumerate(dates)]
    return ResultTable(
        "10-minute realised volatility, difference in differences",
        ("effect", "b, % points", "t", "n", "published"),
        tuple(rows),
        "Week effects, clustered by week. Published: full text, Table 2 (its unit is its own).",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
