"""Each world held against its closed form: one function per world, all from a seed.

What is simulated can be changed (`parameters`) while the theory stays that of the world's default:
a world that does not do what its equation says must fail here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ...calendar.market_defaults import EXCHANGE_SESSIONS
from ..market.agents import Agents, agent_bars, failure_rate
from ..market.paths import PathMarket, simulate_path
from ..market.records import CLOSE_MINUTES, FULL_SESSION
from ..worlds.calibrations import IMPACT_VISIBLE
from ..worlds.s4_pin import pin_probability
from ..worlds.s9_regime_pays import rule_sharpe
from ..worlds.s10_echo import ECHO
from .closed_forms import (
    NULL_TABLE,
    PIN_STARTS,
    PIN_TABLE,
    long_run_ratio,
    one_step_ratio,
    pin_law,
    reversal_slope,
    variance_ratio,
)
from .measures import LAST_BARS, bar_returns, close_parts, ratio_of_means, realised_variance
from .records import WorldCheck, error_of_mean, slope

__all__ = ["CHECKS", "check_world"]

Floats = npt.NDArray[np.float64]

_KAPPAS = (-0.3, -0.1, 0.1, 0.3)
_NULL_SEEDS, _TABLE_SEEDS = 24, 12
_PIN_PATHS = 6_000
_AGENT_SEEDS = 40
_TRANSIENT = 0.118  # phi of S9 and S10


@dataclass(frozen=True, slots=True)
class _Run:
    """Seed and changed parameters of a check."""

    seed: int
    parameters: Mapping[str, object]

    def market(
        self, world: str, sessions: int, kappa: float | None = None, **more: object
    ) -> PathMarket:
        changes = {**more, **self.parameters}
        return simulate_path(
            world, sessions=sessions, seed=self.seed, kappa=kappa, parameters=changes
        )


def check_world(
    world: str, *, seed: int = 1, parameters: Mapping[str, object] | None = None
) -> tuple[WorldCheck, ...]:
    """Return the checks of one world, simulated without chains.

    Parameters
    ----------
    world : str
        A key of `CHECKS`.
    seed : int
    parameters : mapping, optional
        Fields of `Market` and `Mechanism` to replace in what is simulated; the theory stays.

    Returns
    -------
    tuple of WorldCheck
    """
    return CHECKS[world](_Run(seed, parameters or {}))


def _null(run: _Run) -> tuple[WorldCheck, ...]:
    """S0: the table of volatility by quartile, and no effect of gamma on volatility that is due."""
    tables, slopes = [], []
    for k in range(_NULL_SEEDS):
        market = _Run(_NULL_SEEDS * run.seed + k, run.parameters).market("S0", 3_200)
        r, gamma = np.diff(np.log(market.bars[:, -1, 3])), market.gammas["net_gex"][:-1]
        quartile = np.searchsorted(np.quantile(gamma, [0.25, 0.5, 0.75]), gamma)
        tables.append([100 * r[quartile == q].std(ddof=1) for q in range(4)])
        surprise = np.log(realised_variance(market) / market.effects["fundamental_sd"] ** 2)[1:] / 2
        slopes.append(slope(surprise, gamma / gamma.std())[0])
    means = [error_of_mean([table[q] for table in tables]) for q in range(4)]
    both = (1 + _NULL_SEEDS / _TABLE_SEEDS) ** 0.5  # the table has a simulation error of its own
    rows = [
        WorldCheck("S0", f"sd of next return, %, GEX quartile {q}", theory, mean,
              both * error, _NULL_SEEDS, "markets", tolerance=0.005)
        for q, theory, (mean, error) in zip((1, 2, 3, 4), NULL_TABLE, means, strict=True)
    ]  # fmt: skip
    ratio, error = error_of_mean([table[0] / table[3] for table in tables])
    effect, of_effect = error_of_mean(slopes)
    return (
        *rows,
        WorldCheck("S0", "quartile 1 / quartile 4, no hedging", 1.0, ratio, error,
              _NULL_SEEDS, "markets", ">"),
        WorldCheck("S0", "ln (realised / due vol.) on GEX in sd", 0.0, effect,
              of_effect, _NULL_SEEDS, "markets"),
    )  # fmt: skip


def _instantaneous(run: _Run) -> tuple[WorldCheck, ...]:
    market = run.market("S1", 4_000, drift=0.0)
    x = np.log1p(market.effects["kappa"])
    b, error = slope(np.log(realised_variance(market)) / 2, x)
    r = np.diff(np.log(market.bars[:, -1, 3]))
    daily, of_daily = slope(np.log(np.abs(r)), x[1:])
    return (
        WorldCheck("S1", "ln 5-min vol. on ln(1 + kappa)", -1.0, b, error,
              4_000, "sessions"),
        WorldCheck("S1", "ln |daily return| on ln(1 + kappa)", -1.0, daily,
              of_daily, 3_999, "sessions"),
    )  # fmt: skip


def _lagged(run: _Run) -> tuple[WorldCheck, ...]:
    rows = [check for kappa in _KAPPAS for check in _lagged_at(run, kappa)]
    market = run.market("S2", 5_200, drift=0.0)
    r, kappa = bar_returns(market), market.effects["kappa"]
    x, y = kappa[:, None] * r[:, :-1], r[:, 1:]
    b = float((x * y).sum() / (x * x).sum())
    by_session = (x * (y - b * x)).sum(axis=1)
    error = float(np.sqrt((by_session**2).sum()) / (x * x).sum())
    moving = WorldCheck("S2", "r_i on kappa_t r_(i-1), kappa moving", -1.0, b, error,
                   5_200, "sessions")  # fmt: skip
    return (*rows, moving)


def _walked(r: Floats) -> Floats:
    """Return the sums of each session's returns up to every bar, from 0 at its start."""
    return np.concatenate([np.zeros((len(r), 1)), np.cumsum(r, axis=1)], axis=1)


def _lagged_at(run: _Run, kappa: float) -> tuple[WorldCheck, ...]:
    """Return the checks at a constant kappa; errors are over sessions, which are independent."""
    sessions = 5_200
    market = run.market("S2", sessions, kappa, drift=0.0)
    r = bar_returns(market)
    squares = (r**2).mean(axis=1)
    variance = squares.mean()
    path = _walked(r)
    blocks = ((path[:, 30:] - path[:, :-30]) ** 2).mean(axis=1) / 30
    ac, of_ac = ratio_of_means((r[:, 1:] * r[:, :-1]).mean(axis=1), squares)
    vr, of_vr = ratio_of_means(blocks, squares)
    shock = market.effects["fundamental_sd"][0] * (0.8 / r.shape[1]) ** 0.5
    step, of_step = error_of_mean(squares / shock**2)
    whole, of_whole = error_of_mean(path[:, -1] ** 2 / (r.shape[1] * shock**2))
    # over whole sessions the long-run variance is reached up to the bars at their ends
    finite = one_step_ratio(kappa) * variance_ratio(kappa, r.shape[1]) ** 0.5
    assert abs(finite / long_run_ratio(kappa) - 1) < 0.012
    assert variance > 0
    found = (
        ("AC(1)", -kappa, ac, of_ac),
        ("VR(30)", variance_ratio(kappa, 30), vr, of_vr),
        ("sd of a bar / eps", one_step_ratio(kappa), step**0.5, of_step / 2 / step**0.5),
        ("sd of a session / eps", finite, whole**0.5, of_whole / 2 / whole**0.5),
    )
    return tuple(
        WorldCheck("S2", f"{name}, kappa {kappa:+g}", theory, value, error, sessions, "sessions")
        for name, theory, value, error in found
    )


def _close(run: _Run) -> tuple[WorldCheck, ...]:
    market = run.market("S3", 6_000, drift=0.0)
    day, late, _ = close_parts(market)
    true = -0.5 * market.effects["kappa"][1:-1]
    rows = []
    for name, chosen in (("short", true > 0), ("long", true < 0)):
        x = day[chosen]
        b, error = slope(late[chosen], x)
        theory = float(true[chosen] @ x**2 / (x @ x))
        quantity = f"last half hour on day, dealers {name}"
        rows.append(WorldCheck("S3", quantity, theory, b, error, len(x), "sessions"))
    for kappa in (-0.3, 0.3, -0.9):
        rows += _close_at(run, kappa)
    return tuple(rows)


def _close_at(run: _Run, kappa: float) -> list[WorldCheck]:
    day, late, following = close_parts(run.market("S3", 5_000, kappa, drift=0.0))
    b, error = slope(late, day)
    rows = [
        WorldCheck(
            "S3",
            f"last half hour on day, kappa {kappa:+g}",
            -0.5 * kappa,
            b,
            error,
            len(day),
            "sessions",
        )
    ]
    if abs(kappa) > 0.5:
        theory = reversal_slope(-0.5 * kappa, 0.6, 0.2, CLOSE_MINUTES / FULL_SESSION)
        found, of_found = slope(following, late)
        name = f"next session on half hour, kappa {kappa:+g}"
        rows.append(WorldCheck("S3", name, theory, found, of_found, len(day), "sessions"))
    return rows


def _pin(run: _Run) -> tuple[WorldCheck, ...]:
    rows = []
    for (beta, stated), law in zip(PIN_TABLE, _laws(), strict=True):
        for start, printed, theory in zip(PIN_STARTS, stated, law, strict=True):
            found, _ = pin_probability(beta, start, paths=_PIN_PATHS, seed=run.seed)
            name = f"pinned, beta {beta:g}, z0 {start:g} (table {_short(printed)})"
            error = (theory * (1 - theory) / _PIN_PATHS) ** 0.5
            rows.append(
                WorldCheck("S4", name, theory, found, error, _PIN_PATHS, "paths", tolerance=3e-4)
            )
    return (*rows, *_pinned_market(run))


def _short(share: float) -> str:
    return f"{share:.4f}".rstrip("0").removeprefix("0")


def _laws() -> list[list[float]]:
    return [pin_law(beta, PIN_STARTS).tolist() for beta, _ in PIN_TABLE]


def _pinned_market(run: _Run) -> tuple[WorldCheck, ...]:
    """Return how often a market's weekly expirations end at the strike, by the dealers' sign."""
    market = run.market("S4", 5_000)
    e = market.effects
    pinned = np.flatnonzero(np.isfinite(e["pin_beta"]))
    beta, z0 = e["pin_beta"][pinned], e["pin_distance"][pinned]
    whole = (e["fundamental_sd"] * e["volatility_multiplier"])[pinned] * 0.8**0.5
    z = np.log(market.bars[pinned, -1, 3] / e["pin_strike"][pinned]) / whole
    theory = _law_between(beta, z0)
    rows = []
    for name, chosen in (("long", beta > 0), ("short", beta < 0)):
        hits, p = np.abs(z[chosen]) < 0.05, theory[chosen]
        n = int(chosen.sum())
        error = float(np.sqrt((p * (1 - p)).sum())) / n
        quantity = f"weekly ends pinned, dealers {name}"
        rows.append(
            WorldCheck("S4", quantity, float(p.mean()), float(hits.mean()), error, n, "expiries",
                  tolerance=2e-3)
        )  # fmt: skip
    return tuple(rows)


def _law_between(beta: Floats, z0: Floats) -> Floats:
    """Return the law at any beta and z0 from a table of it."""
    from scipy.interpolate import RegularGridInterpolator

    betas = np.arange(np.floor(8 * beta.min()) / 8, beta.max() + 0.126, 0.125)
    starts = np.linspace(-0.6, 0.6, 49) * max(1.0, float(np.abs(z0).max()) / 0.6)
    table = np.array([pin_law(float(b), starts) for b in betas])
    between = RegularGridInterpolator((betas, starts), table)
    found: Floats = between(np.column_stack([beta, z0]))
    return found


def _sign_flip(run: _Run) -> tuple[WorldCheck, ...]:
    n = 4_000
    market = run.market("S5", n, drift=0.0)
    y, true = np.log(realised_variance(market)) / 2, market.effects["kappa"]
    # dealers hedge in session t what the book of t - 1 gave them
    naive = np.append(true[0], 100 * IMPACT_VISIBLE * market.gammas["net_gex"][:-1])
    agree = np.sign(market.gammas["net_gex"]) == np.sign(market.gammas["true_net_gex"])
    first, second = slice(1, n // 2), slice(n // 2 + 1, None)
    b1, e1 = slope(y[first], np.log1p(naive[first]))
    b2, e2 = slope(y[second], -np.log1p(-naive[second]))
    whole, of_whole = slope(y, naive)
    x = naive - naive.mean()
    expected = float(-np.log1p(true) @ x / (x @ x))
    return (
        WorldCheck("S5", "ln vol. on naive ln(1 + kappa), half 1", -1.0, b1, e1,
              n // 2 - 1, "sessions"),
        WorldCheck("S5", "ln vol. on -ln(1 - kappa), half 2", 1.0, b2, e2,
              n // 2 - 1, "sessions"),
        WorldCheck("S5", "ln vol. on naive kappa, whole sample", expected, whole, of_whole,
              n, "sessions"),
        WorldCheck("S5", "naive signs that are right", 0.5,
              float(agree.mean()), 0.0, n, "sessions"),
    )  # fmt: skip


def _noise(run: _Run) -> tuple[WorldCheck, ...]:
    seeds, n = 12, 5_000
    ratios, correlations, slopes = [], [], []
    for k in range(seeds):
        market = _Run(seeds * run.seed + k, run.parameters).market("S6", n, drift=0.0)
        true, naive = (market.gammas[name][:-1] for name in ("true_net_gex", "net_gex"))
        kappa = market.effects["kappa"][1:]
        ratios.append(slope(kappa, naive)[0] / slope(kappa, true)[0])
        correlations.append(np.corrcoef(true, naive)[0, 1])
        slopes.append(slope(np.log(realised_variance(market))[1:] / 2, np.log1p(kappa))[0])
    found = (
        ("slope on naive / slope on truth", 0.5476, ratios, 0.0),
        ("correlation of naive with truth", 0.74, correlations, 0.01),
        ("ln vol. on true ln(1 + kappa)", -1.0, slopes, 0.0),
    )
    return tuple(
        WorldCheck(
            "S6", name, theory, *error_of_mean(values), seeds, "markets", tolerance=tolerance
        )
        for name, theory, values, tolerance in found
    )


def _leveraged(run: _Run) -> tuple[WorldCheck, ...]:
    market = run.market("S7", 6_000, drift=0.0)
    day, late, _ = close_parts(market)
    gamma = market.gammas["net_gex"][:-2]
    (b1, e1), (b2, e2) = (slope(late[c], day[c]) for c in (gamma < 0, gamma > 0))
    name = "last half hour on day, GEX"
    return (
        WorldCheck("S7", f"{name} < 0", 0.10, b1, e1, int((gamma < 0).sum()), "sessions"),
        WorldCheck("S7", f"{name} > 0", 0.10, b2, e2, int((gamma > 0).sum()), "sessions"),
        WorldCheck("S7", "their difference", 0.0, b1 - b2,
              float(np.hypot(e1, e2)), len(gamma), "sessions"),
    )  # fmt: skip


def _agents(run: _Run) -> tuple[WorldCheck, ...]:
    """S8 has no closed form: failure and volatility must fall as the hedger's gamma grows."""
    positions = (-80.0, -40.0, 0.0, 40.0, 80.0)
    rows = []
    for immediacy in (0.35, 0.40):
        agents, taking = Agents(immediacy=immediacy), f"{immediacy:.0%} taking"
        shares = [failure_rate(p, markets=10, seed=run.seed, agents=agents) for p in positions]
        rises = sum(after > before for before, after in pairwise(shares))
        name = f"rises with gamma, {taking}"
        rows.append(WorldCheck("S8", name, 0.0, float(rises), 0.0, 10 * len(positions), "markets"))
        drop = f"failure, long - short, {taking}"
        error = (2 * 0.25 / 10) ** 0.5  # the largest that two shares of 10 can have
        rows.append(WorldCheck("S8", drop, 0.0, shares[-1] - shares[0], error, 20, "markets", "<"))
    slopes = [_calming(seed) for seed in np.random.SeedSequence(run.seed).spawn(_AGENT_SEEDS)]
    calm, error = error_of_mean(slopes)
    name = "ln sd of the mid on options / 100"
    return (*rows, WorldCheck("S8", name, 0.0, calm, error, _AGENT_SEEDS, "markets", "<"))


def _calming(stream: np.random.SeedSequence) -> float:
    """Return how ln volatility of one market's mid falls with the hedger's position."""
    positions = np.array([-60.0, -30.0, 0.0, 30.0, 60.0])
    spreads = [
        np.std(
            np.diff(agent_bars(p, np.zeros(78), np.random.default_rng(stream), Agents())[0][:, 3])
        )
        for p in positions.tolist()
    ]
    return slope(np.log(np.array(spreads)), positions / 100)[0]


def _demo(run: _Run) -> tuple[WorldCheck, ...]:
    market = run.market("S1S3", 6_000, drift=0.0)
    kappa = market.effects["kappa"]
    before_close = bar_returns(market)[:, :-LAST_BARS]
    b, error = slope(np.log((before_close**2).sum(axis=1)) / 2, np.log1p(kappa))
    day, late, _ = close_parts(market)
    close, of_close = slope(late, kappa[1:-1] * day)
    return (
        WorldCheck("S1S3", "ln vol. until 15:30 on ln(1 + kappa)", -1.0, b, error,
              6_000, "sessions"),
        WorldCheck("S1S3", "last half hour on kappa x day", -0.5, close, of_close,
              len(day), "sessions"),
    )  # fmt: skip


def _regime_pays(run: _Run) -> tuple[WorldCheck, ...]:
    """S9: the hours take the move before back by gamma's sign, and the rule earns what it says."""
    n = 8_000
    market = run.market("S9", n, drift=0.0)
    side = np.sign(market.gammas["net_gex"])
    close, opened = np.log(market.bars[:, -1, 3]), np.log(market.bars[:, 0, 0])
    before, hours = np.diff(close)[:-1], (close - opened)[2:]
    rows = []
    for name, chosen in (("long", side[1:-1] > 0), ("short", side[1:-1] < 0)):
        b, error = slope(hours[chosen], before[chosen])
        theory = -_TRANSIENT if name == "long" else _TRANSIENT
        rows.append(
            WorldCheck("S9", f"hours on the return before, dealers {name}", theory, b, error,
                  int(chosen.sum()), "sessions")
        )  # fmt: skip
    earned = -side[1:-2] * np.sign(before[:-1]) * (opened[3:] - opened[2:-1])
    ratio = float(earned.mean() / earned.std()) * EXCHANGE_SESSIONS**0.5
    error = (EXCHANGE_SESSIONS / len(earned)) ** 0.5
    return (
        *rows,
        WorldCheck("S9", "annual Sharpe ratio of the rule", rule_sharpe(_TRANSIENT), ratio, error,
              len(earned), "sessions"),
    )  # fmt: skip


def _echo(run: _Run) -> tuple[WorldCheck, ...]:
    """S10: volatility decides; gamma goes with it, and adds nothing to it."""
    n = 8_000
    market = run.market("S10", n, drift=0.0)
    calm, side = np.sign(ECHO - market.gammas["iv"]), np.sign(market.gammas["net_gex"])
    close, opened = np.log(market.bars[:, -1, 3]), np.log(market.bars[:, 0, 0])
    unit = market.effects["fundamental_sd"]
    before, hours = np.diff(close)[:-1] / unit[1:-1], (close - opened)[2:] / unit[2:]
    x = np.column_stack([calm[1:-1] * before, side[1:-1] * before])
    scaled = x * (unit[1:-1] / unit[2:])[:, None]
    inverse = np.linalg.inv(scaled.T @ scaled)
    b = inverse @ (scaled.T @ hours)
    errors = np.sqrt(np.diag(inverse) * np.mean((hours - scaled @ b) ** 2))
    agree = float(np.mean(calm == side))
    return (
        WorldCheck("S10", "hours on the return before, by volatility", -_TRANSIENT, float(b[0]),
              float(errors[0]), n - 2, "sessions"),
        WorldCheck("S10", "the same by gamma, beside it", 0.0, float(b[1]), float(errors[1]),
              n - 2, "sessions"),
        WorldCheck("S10", "sessions whose gamma says what volatility does", 0.6, agree, 0.0,
              n, "sessions", ">"),
    )  # fmt: skip


#: World to its checks.
CHECKS: Mapping[str, Callable[[_Run], tuple[WorldCheck, ...]]] = {
    "S0": _null,
    "S1": _instantaneous,
    "S2": _lagged,
    "S3": _close,
    "S4": _pin,
    "S5": _sign_flip,
    "S6": _noise,
    "S7": _leveraged,
    "S8": _agents,
    "S9": _regime_pays,
    "S10": _echo,
    "S1S3": _demo,
}
