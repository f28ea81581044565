# mypy: disable-error-code="no-any-return,attr-defined,operator,arg-type,call-arg,call-overload"
"""The same quantities from the rawest tables, by pandas and numpy alone."""

from __future__ import annotations

from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd
from scipy.stats import norm

FLOOR = 30.0 / (365.0 * 24.0 * 60.0)


#: Sessions on weekends that the library does not know: days of the Indian budget.
SPECIAL = {"XBOM": ("2025-02-01", "2026-02-01")}


class Clock:
    """Opens and closes of a calendar, from its own library."""

    def __init__(self, name: str) -> None:
        schedule = exchange_calendars.get_calendar(name).schedule
        for day in map(pd.Timestamp, SPECIAL.get(name, ())):
            near = schedule.iloc[schedule.index.searchsorted(day) - 1]
            schedule.loc[day] = near + (day - near.name)
        schedule = schedule.sort_index()
        self.sessions = pd.DatetimeIndex(schedule.index)
        self.opens, self.closes = schedule["open"], schedule["close"]

    def following(self, day: pd.Timestamp) -> pd.Timestamp:
        return self.sessions[self.sessions.searchsorted(day, side="right")]

    def before(self, day: pd.Timestamp) -> pd.Timestamp:
        return self.sessions[self.sessions.searchsorted(day, side="left") - 1]

    def dies(self, expiry: pd.Timestamp) -> pd.Timestamp:
        """The last session at or before an expiry."""
        return self.sessions[self.sessions.searchsorted(expiry, side="right") - 1]

    def on_calendar(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return rows by session, NaN for every session of the calendar that lacks one."""
        days = self.sessions[(self.sessions >= frame.index[0]) & (self.sessions <= frame.index[-1])]
        return frame.reindex(days)

    def follows(self, days: pd.Index) -> Any:
        """Return whether each day is the session after the one before it in the list."""
        place = self.sessions.get_indexer(pd.DatetimeIndex(days))
        return np.append(False, np.diff(place) == 1)

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> int:
        return int(((self.sessions >= first) & (self.sessions <= last)).sum())


def regime_rows(chains: pd.DataFrame, clock: Clock, book: str, monthly: set[Any]) -> pd.DataFrame:
    """Return regime rows of chains without quotes at rates of 0, where the forward is the spot."""
    rows = [
        _regime_row(chain, pd.Timestamp(day), clock, book, monthly)
        for day, chain in chains.groupby("session")
    ]
    return pd.DataFrame(rows).set_index("session")


def _regime_row(
    chain: pd.DataFrame, day: pd.Timestamp, clock: Clock, book: str, monthly: set[Any]
) -> dict[str, Any]:
    following = clock.following(day)
    valued = clock.closes[day] if book == "as_of_close" else clock.opens[following]
    dies = chain["expiry"].map(lambda expiry: clock.dies(pd.Timestamp(expiry)))
    ends = dies.map(clock.closes)
    chain = chain[(ends > valued) & (ends > clock.closes[day])]
    dies, ends = dies[chain.index], ends[chain.index]
    spot, strike = float(chain["spot"].iloc[0]), chain["strike"].to_numpy(float)
    time = np.maximum((ends - valued).dt.total_seconds().to_numpy() / (365.0 * 86400.0), FLOOR)
    sigma, call = chain["iv"].to_numpy(float), (chain["right"] == "C").to_numpy()
    held = np.where(call, 1.0, -1.0) * chain["oi"].to_numpy(float) * 100.0
    v = sigma * np.sqrt(time)
    d1 = np.log(spot / strike) / v + v / 2.0
    d2 = d1 - v
    gex = pd.Series(held * norm.pdf(d1) / (spot * v) * spot**2 * 0.01, chain.index)
    delta = np.where(call, norm.cdf(d1), norm.cdf(d1) - 1.0)
    net, gross = float(gex.sum()), float(gex.abs().sum())
    by_strike = gex.groupby(chain["strike"]).sum()
    calls = gex[call].groupby(chain["strike"][call]).sum().loc[spot:]
    puts = gex[~call].groupby(chain["strike"][~call]).sum().loc[:spot]
    size = gex.abs().groupby(chain["strike"]).sum() / gross
    share = gex.abs().groupby(dies).sum() / gross
    today = day if book == "as_of_close" else following
    months = [d for d in share.index if d.date() in monthly]
    ratio = net / gross
    return {
        "session": day, "spot": spot, "valuation_ts": valued, "known_at": clock.opens[following],
        "oi_asof": clock.before(day), "net_gex": net, "gross_gex": gross, "net_to_gross": ratio,
        "net_dex": float((held * delta).sum() * spot),
        "net_vex": float((held * -norm.pdf(d1) * d2 / sigma).sum() * spot * 0.01),
        "net_cex": float((held * norm.pdf(d1) * d2 / (2.0 * time)).sum() * spot / 365.0),
        "regime": "neutral" if abs(ratio) < 0.02 else "long" if net > 0 else "short",
        "call_wall": calls.idxmax(), "call_wall_strength": float(calls.max() / gross),
        "put_wall": puts.idxmin(), "put_wall_strength": float(-puts.min() / gross),
        "pin_strike": by_strike.abs().idxmax(),
        "pin_strength": float(by_strike.abs().max() / gross),
        "concentration": float((size**2).sum()),
        "gex_0dte_share": float(share.get(today, 0.0)),
        "gex_next_expiry_share": float(share.iloc[0]),
        "gex_next_opex_share": float(share[months[0]]) if months else np.nan,
        "contracts_used": len(chain), "contracts_rejected": 0, "oi_rejected_share": 0.0,
        "quality": "ok", "flip_status": None,
    }  # fmt: skip


def metrics(
    equity: pd.DataFrame, orders: pd.DataFrame, trades: pd.DataFrame, year: int, clock: Clock
) -> dict[str, Any]:
    """Return the metrics of one strategy; a return over missing sessions is none."""
    value = equity.set_index("session")["equity"]
    sessions = clock.between(value.index[0], value.index[-1])
    returns = value.pct_change()[clock.follows(value.index)]
    spread = float(returns.std(ddof=1))
    before = value.shift(1).reindex(orders["session"]).fillna(value.iloc[0]).to_numpy()
    traded = (orders["size"].abs() * orders["price"]).to_numpy() / before
    growth = float(value.iloc[-1] / value.iloc[0])
    peak = value.cummax()
    held = equity["position"].shift(1).fillna(0.0)
    return {
        "n": len(returns),
        "sharpe": float(returns.mean()) / spread * np.sqrt(year) if spread else np.nan,
        "cagr": growth ** (year / (sessions - 1)) - 1.0,
        "volatility": spread * np.sqrt(year),
        "max_drawdown": float((value / peak - 1.0).min()),
        "total_return": growth - 1.0,
        "turnover": float(traded.sum()) / sessions * year,
        "exposure": float(equity["position"].abs().mean()),
        "trades": len(trades),
        "held": held,
    }


def rebuilt_equity(
    orders: pd.DataFrame, bars: pd.DataFrame, sessions: pd.Index, cash: float
) -> pd.Series:
    """Return equity from orders and closes: cash after each order, shares at the close."""
    ordered = orders.set_index("session").reindex(sessions)
    size, price = ordered["size"].fillna(0.0), ordered["price"].fillna(0.0)
    left = cash - (size * price + ordered["fees"].fillna(0.0)).cumsum()
    closes = bars.set_index("session")["close"].reindex(sessions)
    return left + size.cumsum() * closes


def label_in_force(regime: pd.Series, fill: str) -> pd.Series:
    """Return the regime of the decision that each session's return counts under."""
    lag = 2 if fill == "next_close" else 1
    moved = regime.shift(lag)
    moved.iloc[1] = regime.iloc[0]
    return moved


def main_target(regime: pd.Series, close: pd.Series) -> pd.Series:
    """Return fade in long, follow in short gamma of the last session's return."""
    change = np.sign(close.pct_change())
    return change.where(regime == "short", -change.where(regime == "long", 0.0))


HORIZONS = {"today": (0, 0), "next_1": (1, 1), "next_5": (1, 5), "next_21": (1, 21)}


def _pooled(parts: pd.DataFrame, mask: pd.Series, first: int, last: int) -> tuple[Any, int]:
    """Return the sessions of a horizon after each session of a mask, and how many have it whole."""
    ahead = np.stack([parts.shift(-k).to_numpy() for k in range(first, last + 1)], axis=1)
    whole = np.isfinite(ahead).all(axis=(1, 2)) & mask.to_numpy()
    return ahead[whole].reshape(-1, parts.shape[1]), int(whole.sum())


def _variance(name: str, x: Any) -> float:
    """Return the variance a session from overnight move, up, down and body in logs."""
    o, u, d, c = x.T
    if name == "close_to_close":
        return float(np.var(o + c, ddof=1)) if len(x) > 1 else np.nan
    if name == "parkinson":
        return float(np.mean((u - d) ** 2) / (4.0 * np.log(2.0)))
    if name == "garman_klass":
        return float(np.mean((u - d) ** 2 / 2.0 - (2.0 * np.log(2.0) - 1.0) * c**2))
    rogers = float(np.mean(u * (u - c) + d * (d - c)))
    if name == "rogers_satchell":
        return rogers
    n = len(x)
    if n < 2:
        return np.nan
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    return float(np.var(o, ddof=1) + k * np.var(c, ddof=1) + (1.0 - k) * rogers)


def volatility(frame: pd.DataFrame, mask: pd.Series, name: str, year: int) -> dict[str, Any]:
    """Return pooled volatility after the sessions of a mask: the root of the mean variance.

    `frame` holds bars by session of the calendar, NaN where one is missing.
    """
    mask = mask.reindex(frame.index, fill_value=False).astype(bool)
    o, h, low, c = (np.log(frame[k]) for k in ("open", "high", "low", "close"))
    parts = pd.DataFrame({"o": o - c.shift(1), "u": h - o, "d": low - o, "c": c - o})
    if name not in ("close_to_close", "yang_zhang"):
        parts["o"] = 0.0
    cell: dict[str, Any] = {}
    for horizon, (first, last) in HORIZONS.items():
        pooled, rows = _pooled(parts, mask, first, last)
        variance = _variance(name, pooled) if rows else np.nan
        cell[horizon] = float(np.sqrt(variance * year))
        cell["n" if horizon == "today" else f"n_{horizon}"] = rows
    return cell
