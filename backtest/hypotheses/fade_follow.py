"""Fading in long gamma and following in short gamma, close to close and over the gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import EXCHANGE_SESSIONS
from ..statistics import metrics
from ..statistics.diagnostics.regression import mean_test, ols
from ..statistics.intervals import in_words
from ..statistics.multiple import deflated_sharpe
from ..statistics.sharpe_intervals import return_intervals
from ..statistics.sharpe_tests import expected_best
from .features import Daily, daily, gex_before, needs, tercile
from .kill_conditions import Requirement, holds, kill_condition
from .outcomes import score_series
from .protocol import Card, Dataset, Hypothesis, Outcome, Published, ResultTable, Settings, Traded

__all__ = ["HYPOTHESIS", "Legs", "gap_fade", "positions", "rule_returns", "sharpe"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement(
        "deflated",
        ">=",
        0.95,
        "deflated Sharpe ratio below 0.95 with the number of strategies tried",
    ),
    Requirement("profit", ">", 0.0, "no profit after costs"),
)

_CARD = Card(
    name="fade-follow",
    claim="Fading the last return in long gamma and following it in short gamma earns money, "
    "filled when the regime is known and net of costs.",
    source="practitioners' rule; no paper found claims it at the daily horizon",
    how_read="own computation",
    specification="the main strategy as gexlab backtest trades it: position -sign(r_t) in long "
    "gamma, sign(r_t) in short, else flat; fill and costs as configured; deflated Sharpe ratio; p "
    "one-sided, since a loss is no evidence. Beside it: open-to-close on the overnight gap by "
    "tercile of GEX",
    tier="D",
    expected_sign="+",
    kill=kill_condition(_REQUIRES),
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
    requires=_REQUIRES,
)
_FEWEST = 20


def positions(features: Daily) -> dict[str, Floats]:
    """Return the position each rule decides at the close of t; NaN where GEX has no percentile."""
    move = np.sign(features.ret)
    known = np.isfinite(features.gex_rank) & np.isfinite(features.ret)
    third = tercile(features.gex_rank)
    rules = {
        # as in the published numbers beside it: zero counts as long gamma
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
    """Return the Sharpe ratio a year of `year` sessions, of the returns that are known."""
    return metrics.sharpe(returns[np.isfinite(returns)], year)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    from scipy.stats import norm

    known = int(dataset.gex.reindex(dataset.bars.index).notna().sum())
    needs(known >= _FEWEST, f"at least {_FEWEST} sessions with GEX, found {known}")
    needs(not dataset.untraded, f"a regime that is public in time: {dataset.untraded}")
    traded = dataset.traded or _traded(dataset, settings)
    every: Floats = np.asarray(traded.returns, dtype=np.float64)
    returns = every[traded.spans == 1]
    # trials without skill differ by sampling alone: the variance of a Sharpe ratio of zero
    deflated = deflated_sharpe(returns, traded.trials, 1.0 / len(returns))
    value, mean = metrics.sharpe(returns, traded.year), mean_test(returns, hac=5)
    ends = return_intervals(
        every[:, None], settings.resampling, year=traded.year, spans=traded.spans
    )[0]
    low, high = ends.sharpe
    found = {"deflated": deflated, "profit": mean.value if np.isfinite(value) else np.nan}
    return Outcome(
        estimate=value,
        std_error=value / mean.t_stat,
        t_stat=mean.t_stat,
        p_value=float(norm.sf(mean.t_stat)),
        n=len(returns),
        low=low,
        high=high,
        supported=holds(_REQUIRES, found),
        needed=_needed(len(returns), traded.trials),
        reason=(
            f"Sharpe {value:+.2f} {in_words(low, high, '+.2f')} over {len(returns)} sessions at "
            f"the {traded.fill.replace('_', ' ')}, {traded.costs}, as traded by a backtest "
            f"({traded.description}); deflated Sharpe {deflated:.2f} with {traded.trials} trials"
        ),
        scores=score_series(returns, traded.returns.index.to_numpy()[traded.spans == 1]),
        tables=(
            _rules_table(positions(daily(dataset)), rule_returns(dataset.bars), traded.year),
            _gap_table(dataset),
        ),
    )


def _needed(n: int, trials: int) -> float:
    """Return the t that a deflated Sharpe ratio of .95 takes, with normal returns."""
    from scipy.stats import norm

    return float(norm.isf(0.05) + expected_best(trials, 1.0 / n) * n**0.5)


def _traded(dataset: Dataset, settings: Settings) -> Traded:
    from .main_strategy import traded_on_dataset

    return traded_on_dataset(dataset, settings.costs_bps, settings.trials)


def _rules_table(rules: dict[str, Floats], legs: Legs, year: int) -> ResultTable:
    published = {
        "fade long, follow short": "SPX -.11, *.19, .09; SPY -.23, -.10, .11 [own]",
        "always fade": "SPX .42, *.42, .03; SPY .32, -.04, -.06 [own]",
        "hold": "SPX .69, *.77, .68; SPY .69, .72, .68 [own]",
    }
    return ResultTable(
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
        "Before costs, each position held one session, over the "
        f"{int(np.isfinite(rules['hold']).sum())} sessions that have a percentile of GEX: not the "
        "sample of the estimate above. "
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
        x = np.where(rows, gap, np.nan)
        # a market that never closes opens at its last close: there is no gap to explain anything
        if rows.sum() >= 8 and np.nanmax(np.abs(x), initial=0.0) > 0.0:
            c = ols(day, {"gap": x}, hac=5).coefficient("gap")
            out[name] = (c.value, c.t_stat, c.n)
    return out


def _gap_table(dataset: Dataset) -> ResultTable:
    published = {"low": "+.044 (.8)", "mid": ".003 (.1)", "high": "-.163 (-2.9)"}
    stale = dataset.stale_opens and dataset.tradable is None
    return ResultTable(
        "Open to close on the overnight gap by tercile of GEX",
        ("tercile", "b", "t", "n", "published"),
        tuple((k, *v, f"{published[k]} [own, SPY]") for k, v in gap_fade(dataset).items()),
        "Exploratory: one of about ten specifications."
        + (" Opens of a cash index are stale: give ETF bars (series tradable)." if stale else ""),
    )


HYPOTHESIS = Hypothesis(_CARD, _run)
