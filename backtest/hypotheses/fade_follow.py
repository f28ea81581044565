"""Fading in long gamma and following in short gamma, close to close and over the gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data.calendar.market_rules import EXCHANGE_SESSIONS
from ..statistics.diagnostics.regression import mean_test, ols
from ..statistics.multiple import deflated_sharpe
from ..statistics.resampling import Resampling, interval, resampled_sums
from .features import Daily, daily, gex_before, needs, tercile
from .outcomes import score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, Settings, Table

__all__ = ["HYPOTHESIS", "Legs", "gap_fade", "positions", "rule_returns", "sharpe"]

Floats = npt.NDArray[np.float64]

_CARD = Card(
    name="fade-follow",
    claim="Fading the last return in long gamma and following it in short gamma earns money, "
    "filled when the regime is known and net of costs.",
    source="practitioners' rule; no paper found claims it at the daily horizon",
    how_read="own computation",
    specification="position -sign(r_t) where GEX_t >= 0, else sign(r_t); filled at the next close "
    "of a cash index, else at the next open, held one session; deflated Sharpe ratio; p one-sided, "
    "since a loss is no evidence. Beside it: open-to-close on the overnight gap by tercile of GEX",
    tier="D",
    expected_sign="+",
    kill="deflated Sharpe ratio below 0.95 with the logged number of trials, or no profit after "
    "costs",
    estimate="Sharpe ratio a year, net of costs",
    published=(
        Published(
            0.09,
            "Sharpe ratio, gross, S&P 500, next close, 2012 to 2026 (standard error 0.27)",
            "own computation on a published series",
            "own computation",
            comparable=True,
        ),
    ),
    effect=0.5,
)
_FEWEST = 20


def positions(features: Daily) -> dict[str, Floats]:
    """Return the position each rule decides at the close of t; NaN where GEX is unknown."""
    move = np.sign(features.ret)
    known = np.isfinite(features.gex_rank) & np.isfinite(features.ret)
    third = tercile(features.gex_rank)
    rules = {
        "fade long, follow short": np.where(features.gex >= 0.0, -move, move),
        "by tercile, flat between": np.select([third == 2, third == 0], [-move, move], 0.0),
        "always fade": -move,
        "hold": np.ones(len(move)),
    }
    return {name: np.where(known, p, np.nan) for name, p in rules.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Returns that a decision at the close of t can earn, by fill; shape (n,), decimal.

    Attributes
    ----------
    same_close : ndarray
        Close of t to close of t + 1: needs GEX before the close, for reference only.
    next_open : ndarray
        Open of t + 1 to open of t + 2.
    next_close : ndarray
        Close of t + 1 to close of t + 2.
    """

    same_close: Floats
    next_open: Floats
    next_close: Floats


def rule_returns(bars: pd.DataFrame, *, logs: bool = False) -> Legs:
    """Return the legs of a market: simple returns, or log returns where asked for."""
    opens, closes = bars["open"].to_numpy(), bars["close"].to_numpy()

    def leg(prices: Floats, start: int) -> Floats:
        out = np.full(len(prices), np.nan)
        ratio = prices[start + 1 :] / prices[start : len(prices) - 1]
        out[: len(ratio)] = np.log(ratio) if logs else ratio - 1.0
        return out

    return Legs(leg(closes, 0), leg(opens, 1), leg(closes, 1))


def sharpe(returns: Floats, year: int = EXCHANGE_SESSIONS) -> float:
    """Return the Sharpe ratio a year of `year` sessions; NaN where undefined."""
    x = returns[np.isfinite(returns)]
    if len(x) < 2 or x.std(ddof=1) == 0.0:
        return float("nan")
    return float(x.mean() / x.std(ddof=1) * np.sqrt(year))


def _net(position: Floats, leg: Floats, costs_bps: float) -> Floats:
    """Return the profit per session after the cost of changing the position."""
    held = np.nan_to_num(position)
    traded = np.abs(np.diff(held, prepend=0.0))
    return np.where(np.isfinite(position), position * leg - costs_bps * 1e-4 * traded, np.nan)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    from scipy.stats import norm

    features = daily(dataset)
    rules = positions(features)
    legs = rule_returns(dataset.bars)
    fill = "next close" if dataset.stale_opens else "next open"
    leg = legs.next_close if dataset.stale_opens else legs.next_open
    main = _net(rules["fade long, follow short"], leg, settings.costs_bps)
    known = int(np.isfinite(main).sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} sessions with GEX, found {known}")
    year = dataset.market.sessions_per_year
    value = sharpe(main, year)
    # trials without skill differ by sampling alone: the variance of a Sharpe ratio of zero
    deflated = deflated_sharpe(main, settings.trials, 1.0 / known)
    mean = mean_test(main, hac=5)
    low, high = _sharpe_interval(main, settings.resampling, year)
    return Outcome(
        estimate=value,
        std_error=value / mean.t_stat,
        t_stat=mean.t_stat,
        p_value=float(norm.sf(mean.t_stat)),
        n=mean.n,
        low=low,
        high=high,
        supported=bool(deflated >= 0.95 and mean.value > 0.0),
        reason=(
            f"Sharpe {value:+.2f} ({low:+.2f} to {high:+.2f}) at the {fill} after "
            f"{settings.costs_bps:g} bp a side, deflated Sharpe {deflated:.2f} "
            f"with {settings.trials} trials"
        ),
        scores=score_series(main, features.sessions),
        tables=(_rules_table(rules, legs, year), _gap_table(dataset)),
    )


def _sharpe_interval(returns: Floats, how: Resampling, year: int) -> tuple[float, float]:
    x = returns[np.isfinite(returns)]
    s = resampled_sums(np.column_stack([np.ones(len(x)), x, x**2]), how)
    mean = s[:, 1] / s[:, 0]
    sd = np.sqrt((s[:, 2] - s[:, 0] * mean**2) / (s[:, 0] - 1))
    return interval(mean / sd * np.sqrt(year), how.level)


def _rules_table(rules: dict[str, Floats], legs: Legs, year: int) -> Table:
    published = {
        "fade long, follow short": "SPX -.11, *.19, .09; SPY -.23, -.10, .11 [own]",
        "always fade": "SPX .42, *.42, .03; SPY .32, -.04, -.06 [own]",
        "hold": "SPX .69, *.77, .68; SPY .69, .72, .68 [own]",
    }
    return Table(
        "Gross Sharpe ratio by fill",
        ("rule", "same close", "next open", "next close", "published"),
        tuple(
            (
                name,
                *(
                    sharpe(p * leg, year)
                    for leg in (legs.same_close, legs.next_open, legs.next_close)
                ),
                published.get(name, ""),
            )
            for name, p in rules.items()
        ),
        "The same close is not tradable with a value published in the evening. * Opens of a cash "
        "index are stale: the next open is an artefact there.",
    )


def gap_fade(dataset: Dataset) -> dict[str, tuple[float, float, int]]:
    """Return slope, t (HAC 5) and n of open-to-close on the overnight move by tercile of GEX.

    The percentile is the one known before the open. Bars with real opens are used where given.
    """
    bars = dataset.bars if dataset.tradable is None else dataset.tradable
    logs = {c: np.log(bars[c].to_numpy(dtype=np.float64)) for c in ("open", "close")}
    gap = np.concatenate([[np.nan], logs["open"][1:] - logs["close"][:-1]])
    day = logs["close"] - logs["open"]
    _, rank = gex_before(dataset, dataset.bars.index.to_numpy())
    counted = pd.Series(np.where(dataset.counted, rank, np.nan), index=dataset.bars.index)
    before: Floats = np.asarray(counted.reindex(bars.index).to_numpy(), dtype=np.float64)
    third = tercile(before)
    groups = {name: third == k for k, name in enumerate(("low", "mid", "high"))}
    out: dict[str, tuple[float, float, int]] = {}
    for name, rows in groups.items():
        if rows.sum() >= 8:
            c = ols(day, {"gap": np.where(rows, gap, np.nan)}, hac=5).coefficient("gap")
            out[name] = (c.value, c.t_stat, c.n)
    return out


def _gap_table(dataset: Dataset) -> Table:
    published = {"low": "+.044 (.8)", "mid": ".003 (.1)", "high": "-.163 (-2.9)"}
    stale = dataset.stale_opens and dataset.tradable is None
    return Table(
        "Open to close on the overnight gap by tercile of GEX",
        ("tercile", "b", "t", "n", "published"),
        tuple((k, *v, f"{published[k]} [own, SPY]") for k, v in gap_fade(dataset).items()),
        "Exploratory: one of about ten specifications."
        + (" Opens of a cash index are stale: give ETF bars (series tradable)." if stale else ""),
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
