"""Whether the data ask for the sign convention that everybody uses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Coefficient, Fit, ols, t_stats
from .features import Daily, daily, needs, needs_spread, standardised
from .kill_conditions import Requirement, holds, kill_condition
from .null_routes import against_nulls
from .outcomes import coefficient_outcome
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings

__all__ = ["HYPOTHESIS", "conventions"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement("calls", "<", 0.0, "gamma of calls does not lower volatility"),
    Requirement("puts", ">", 0.0, "gamma of puts does not raise it"),
    Requirement("naive_r2", ">", "gross_r2", "gross gamma does at least as well as naive"),
    Requirement("naive", "<", 0.0, "inverted gamma does at least as well"),
    Requirement(
        "p",
        "<=",
        "alpha",
        "random signs, books made by rules or markets without dealers show as much: unidentified",
    ),
)

_CARD = Card(
    name="sign-audit",
    claim="Dealers are long calls and short puts: gamma of calls lowers volatility, gamma of puts "
    "raises it.",
    source="duc-v-le/dealer-gamma-volatility (US stocks, 2016 to 2024)",
    how_read="authors' readme",
    specification="ln Parkinson volatility of t + 1 on HAR and (ln of) call and put gamma freely; "
    "each convention alone; naive GEX with its sign reversed at random in blocks of 21 sessions: p "
    "is the largest of the rank among these and of two routes, books made by rules on the same "
    "prices and simulated markets without dealers",
    tier="D+C",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of log volatility per standard deviation of naive GEX, gross GEX held fixed",
    published=(
        Published(
            -0.0268,
            "slope of the net, US stocks",
            "duc-v-le/dealer-gamma-volatility",
            "authors' readme",
            -20.7,
        ),
        Published(
            0.0155,
            "slope of puts alone, US stocks",
            "duc-v-le/dealer-gamma-volatility",
            "authors' readme",
        ),
    ),
    effect=-0.05,
    requires=_REQUIRES,
)
_FEWEST = 40
_FLIPS = 199
_BLOCK = 21


def conventions(call: Floats, put: Floats) -> dict[str, Floats]:
    """Return net gamma under each convention from gamma of calls and of puts (both positive)."""
    return {
        "naive": call - put,
        "inverted": put - call,
        "all long": call + put,
        "all short": -call - put,
        "calls only": call,
        "puts only": -put,
    }


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    needs(
        dataset.legs is not None,
        "gamma of calls and of puts apart (chains, regime.source = lake, rebuilt with calls_only "
        "and puts_only)",
    )
    assert dataset.legs is not None
    counted = dataset.counted
    legs = dataset.legs.reindex(dataset.bars.index)
    call, put = (
        np.where(counted, legs[c].to_numpy(dtype=np.float64), np.nan) for c in ("call", "put")
    )
    known = int(np.isfinite(call + put).sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} sessions with call and put gamma, found {known}")
    for gamma, what in ((call, "gamma of calls"), (put, "gamma of puts"), (call - put, "GEX")):
        needs_spread(gamma, what)
    features = daily(dataset)
    free = _fit(features, {"call": standardised(call), "put": standardised(put)})
    joint = _fit(features, {"naive": standardised(call - put), "gross": standardised(call + put)})
    alone = {
        name: _fit(features, {"gex": standardised(x)}) for name, x in conventions(call, put).items()
    }
    flips = _random_signs(features, call - put, counted, settings.resampling.seed)
    naive, gross = alone["naive"], alone["all long"]
    b_call, b_put = free.coefficient("call"), free.coefficient("put")
    t = naive.coefficient("gex").t_stat
    # few blocks repeat the true signs: a tie counts against the claim, rounding or not
    rank = (1.0 + float((flips <= t + 1e-6 * abs(t)).sum())) / (1.0 + len(flips))
    # low gamma follows losses, and so does volatility: without dealers the signs come out the same
    own = joint.coefficient("naive")
    evidence = against_nulls("sign-audit", own.t_stat, dataset, settings, upper=False)
    p = max(rank, evidence.p)
    found = {
        "calls": b_call.value,
        "puts": b_put.value,
        "naive_r2": naive.r2,
        "gross_r2": gross.r2,
        "naive": naive.coefficient("gex").value,
        "p": p,
        "alpha": settings.alpha,
    }
    supported = holds(_REQUIRES, found)
    return coefficient_outcome(
        joint,
        "naive",
        features.sessions,
        settings,
        supported=supported,
        reason=(
            f"calls {b_call.value:+.3f} (t {b_call.t_stat:.1f}), puts {b_put.value:+.3f} "
            f"(t {b_put.t_stat:.1f}); R2 naive {naive.r2:.4f}, gross {gross.r2:.4f}; "
            f"p against random signs {rank:.3f}; {evidence.sentence()}"
            + ("" if supported else ": the sign is not identified")
        ),
        critical=evidence.critical,
        p_value=p,
        p_simulated=evidence.p_family,
        evidence=evidence,
        tables=(_table(alone, b_call, b_put),),
    )


def _fit(features: Daily, columns: dict[str, Floats]) -> Fit:
    return ols(features.next_log_vol, {**_controls(features), **columns}, hac=10)


def _controls(features: Daily) -> dict[str, Floats]:
    controls = features.har_columns()
    if np.isfinite(features.log_vix).sum() > _FEWEST:
        controls["ln_vix"] = features.log_vix
    return controls


def _random_signs(
    features: Daily, naive: Floats, counted: npt.NDArray[np.bool_], seed: int
) -> Floats:
    """Return t of naive GEX whose sign is reversed at random, block by block."""
    rng = np.random.default_rng(seed)
    sessions = int(counted.sum())
    blocks = -(-sessions // _BLOCK)
    signs = rng.choice((-1.0, 1.0), size=(_FLIPS, blocks)).repeat(_BLOCK, axis=1)
    candidates = np.full((len(naive), _FLIPS), np.nan)
    candidates[counted] = (signs[:, :sessions] * naive[counted]).T
    return t_stats(features.next_log_vol, _controls(features), candidates, hac=10)


def _table(alone: dict[str, Fit], call: Coefficient, put: Coefficient) -> ResultTable:
    published = {
        "naive": "-.0268 (-20.7) [readme]",
        "calls only": "-.0235 [readme]",
        "all long": "-.0103 [readme]",
    }
    rows: list[tuple[str | int | float, ...]] = []
    for name, fit in alone.items():
        c = fit.coefficient("gex")
        rows.append((name, c.value, c.t_stat, fit.r2, c.n, published.get(name, "")))
    nan = float("nan")
    rows.append(("free: calls", call.value, call.t_stat, nan, call.n, ""))
    rows.append(
        ("free: puts (positive gamma)", put.value, put.t_stat, nan, put.n, "+.0155 [readme]")
    )
    return ResultTable(
        "Sign conventions: log volatility of the next session per standard deviation",
        ("convention", "b", "t", "R2", "n", "published"),
        tuple(rows),
        "Published: authors' readme, US stocks, own units.",
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
