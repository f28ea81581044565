"""What is left of GEX after volatility, signed returns and the state of VIX."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.ladder import OutOfSample, Rung, ladder
from ..statistics.intervals import ends, lacking, spread_of_scores
from .features import Daily, daily_with_volatility, needs, needs_spread, trailing_sum
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS", "climb", "first_origin", "last_columns"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement("t", ">=", 1.65, "on the last rung, Clark-West t below 1.65"),
    Requirement(
        "p",
        "<=",
        "alpha",
        "books made by rules, or simulated markets without dealers, do as well (p above 5 %)",
    ),
    Requirement("first_half", ">", 0.0, "no gain in the first half"),
    Requirement("second_half", ">", 0.0, "no gain in the second half: GEX is a state proxy"),
)

_CARD = Card(
    name="beyond-leverage",
    claim="GEX improves volatility forecasts beyond volatility, past returns and an implied "
    "volatility index (IVX).",
    source="ablation ladder of this project",
    how_read="own computation",
    specification="ln Parkinson volatility of t + 1 on HAR, + ln IVX, + signed returns, + IVX "
    "state, each with and without the percentile of GEX; expanding out of sample; p of the last "
    "rung's Clark-West t, one-sided, the larger of two routes: books made by rules on the same "
    "prices, and simulated markets without dealers",
    tier="D",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
    estimate="out-of-sample gain of the last rung, percent of squared error",
    published=(
        Published(
            0.50,
            "percent, last rung, S&P 500, 2012 to 2026 (Clark-West t)",
            "own computation on a published series",
            "own computation",
            2.36,
            comparable=True,
        ),
    ),
    effect=0.5,
    requires=_REQUIRES,
)
_PUBLISHED = (
    "-.440 (-13.9); 4.07 % [own]",
    "-.375 (-12.6); 5.02 % [own]",
    "-.244 (-7.1); 1.55 % [own]",
    "-.192 (-5.2); 0.50 % [own]",
)
_FEWEST = 300


def climb(features: Daily, *, refit: int = 21) -> tuple[Rung, ...]:
    """Return the ladder of a dataset's daily features.

    The first forecast comes after 1,000 rows, or after half of a shorter sample.
    """
    return ladder(
        features.next_log_vol,
        _blocks(features),
        features.gex_rank,
        first_origin=first_origin(features),
        refit=refit,
    )


def last_columns(features: Daily) -> dict[str, Floats]:
    """Return the controls of the last rung by name."""
    return {name: c for block in _blocks(features) for name, c in block.items()}


def first_origin(features: Daily) -> int:
    """Return how many complete rows come before the first forecast."""
    known = int((np.isfinite(features.gex_rank) & np.isfinite(features.log_vix)).sum())
    return min(1_000, known // 2)


def _is_control(features: Daily) -> bool:
    """Return whether the percentile of GEX is a linear function of the last rung's controls."""
    x = np.column_stack([np.ones(len(features.gex_rank)), *last_columns(features).values()])
    known = np.isfinite(x).all(axis=1) & np.isfinite(features.gex_rank)
    if known.sum() <= x.shape[1]:
        return False
    q, gex = np.linalg.qr(x[known])[0], features.gex_rank[known]
    return float(((gex - q @ (q.T @ gex)) ** 2).sum()) <= 1e-12 * float((gex**2).sum())


def _blocks(features: Daily) -> tuple[dict[str, Floats], ...]:
    return (
        features.har_columns(),
        {"ln_vix": features.log_vix},
        {
            "ret": features.ret,
            "loss": features.loss,
            "ret_5": trailing_sum(features.ret, 5),
            "ret_20": trailing_sum(features.ret, 20),
        },
        {
            "vix_rank": features.vix_rank,
            "vix_change": np.concatenate([[np.nan], np.diff(features.log_vix)]),
        },
    )


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    features = daily_with_volatility(dataset)
    needs_spread(features.log_vix, "an implied volatility index")
    known = int((np.isfinite(features.gex_rank) & np.isfinite(features.log_vix)).sum())
    needs(
        known >= _FEWEST,
        f"at least {_FEWEST} sessions with GEX and an implied volatility index, found {known}",
    )
    # the index itself as GEX has the index's own percentile, which is a control
    needs(
        not _is_control(features),
        "GEX that is not its own control: its percentile follows from the implied volatility "
        "index and past returns exactly",
    )
    rungs = climb(features)
    last = rungs[-1].out_of_sample
    needs(last is not None, f"at least {_FEWEST} complete sessions, found {rungs[-1].gex.n}")
    assert last is not None
    test = last.clark_west
    evidence = against_nulls("beyond-leverage", test.t_stat, dataset, settings, upper=True)
    critical = max(1.65, evidence.critical)
    found = {
        "t": test.t_stat,
        "p": evidence.p,
        "alpha": settings.alpha,
        "first_half": last.first_half,
        "second_half": last.second_half,
    }
    supported = holds(_REQUIRES, found)
    low, high = _gain_interval(last, settings)
    sessions = features.sessions[rungs[-1].rows][last.rows]
    return Outcome(
        estimate=100.0 * last.gain,
        std_error=_std_error(low, high, settings.resampling.level),
        t_stat=test.t_stat,
        p_value=evidence.p,
        n=test.n,
        low=low,
        high=high,
        supported=supported,
        reason=(
            f"last rung: gain {100 * last.gain:.2f} %, Clark-West t {test.t_stat:.2f} against "
            f"{critical:.2f}; {evidence.sentence()}; by half {100 * last.first_half:+.2f}, "
            f"{100 * last.second_half:+.2f} %" + ("" if supported else ": GEX is a state proxy")
        ),
        p_simulated=evidence.p_family,
        critical=critical,
        scores=score_series(last.clark_west_terms, sessions),
        tables=(_table(rungs),),
        evidence=evidence,
    )


def _std_error(low: float, high: float, level: float) -> float:
    """Return the standard error that an interval of that coverage stands for."""
    from scipy.stats import norm

    return (high - low) / (2.0 * float(norm.ppf(0.5 + level / 2.0)))


def _gain_interval(last: OutOfSample, settings: Settings) -> tuple[float, float]:
    """Return the interval of the gain in percent, of the logarithm of the ratio of errors."""
    without, full = last.squared_without, last.squared_with
    if lacking([len(full)]):
        return float("nan"), float("nan")
    scores = (full / full.mean() - without / without.mean()) / len(full)
    spread = spread_of_scores(scores[:, None])[0]
    low, high = ends(1.0 - last.gain, spread, settings.resampling.level, "log")
    return 100.0 * (1.0 - high), 100.0 * (1.0 - low)


def _table(rungs: tuple[Rung, ...]) -> ResultTable:
    return ResultTable(
        "Ablation ladder: what GEX adds on each rung",
        (
            "base", "b", "t", "standardised b", "R2 without", "R2 with", "gain %", "first half %",
            "second half %", "QLIKE gain %", "DM t", "CW t", "published",
        ),
        tuple(_row(rung, text) for rung, text in zip(rungs, _PUBLISHED, strict=True)),
        f"In sample n {rungs[-1].gex.n}, HAC(10); out of sample expanding. Models are nested: "
        "Clark-West (CW) is the test of the right size.",
    )  # fmt: skip


def _row(rung: Rung, published: str) -> tuple[str | int | float, ...]:
    o = rung.out_of_sample
    nan = float("nan")
    gains = (
        (nan,) * 6
        if o is None
        else (
            100 * o.gain,
            100 * o.first_half,
            100 * o.second_half,
            100 * o.qlike_gain,
            o.diebold_mariano.t_stat,
            o.clark_west.t_stat,
        )
    )
    fits = (rung.gex.value, rung.gex.t_stat, rung.standardised, rung.without.r2, rung.with_gex.r2)
    return (rung.name, *fits, *gains, published)


HYPOTHESIS = Hypothesis(_CARD, _run)
