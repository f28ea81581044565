"""A backtest's result made up by hand, so that pages are tested without running one."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.results import (
    BacktestResult,
    DataSummary,
    Estimate,
    ExecutionSummary,
    Metrics,
    Notice,
    Provenance,
    Ratio,
    RegimePerformance,
    RegimeSummary,
    RunInput,
    StrategyResult,
    StrategySpec,
    VolatilityCell,
    VolatilitySummary,
)
from gexlab.data.exposure.time_structure import BookState, RollOff, TimeStructure
from gexlab.reports.session.morning import MEASURES, Morning
from gexlab.reports.session.picture import SessionPicture
from gexlab.reports.session.story import SessionStory

NAN = math.nan
NAMES = (
    "fade-long-follow-short",
    "follow-long-fade-short",
    "always-fade",
    "always-follow",
    "buy-and-hold",
)
SESSIONS = 260


def _sessions() -> pd.DatetimeIndex:
    return pd.bdate_range("2025-01-02", periods=SESSIONS, name="session")


def metrics(sharpe: float, low: float, high: float) -> Metrics:
    """Return metrics with a Sharpe ratio and its interval; the rest is of plausible size."""
    return Metrics(
        sharpe=sharpe,
        sharpe_low=low,
        sharpe_high=high,
        sharpe_error=(high - low) / 3.92,
        cagr=0.021,
        cagr_low=-0.1,
        cagr_high=0.15,
        volatility=0.142,
        max_drawdown=-0.113,
        turnover=183.4,
        trades=131,
        exposure=0.97,
        break_even_bps=NAN if sharpe < 0 else 1.3,
        hit_rate=0.51,
        total_return=0.02,
        n=SESSIONS,
    )


def _strategy(name: str, role: Literal["main", "control"], seed: int) -> StrategyResult:
    days = _sessions()
    returns = pd.Series(np.random.default_rng(seed).normal(0.0, 0.009, SESSIONS), index=days)
    position = pd.Series(np.where(np.arange(SESSIONS) % 3 == 0, -1.0, 1.0), index=days)
    sharpe = float(returns.mean() / returns.std() * math.sqrt(252))
    by_regime = {
        "long": RegimePerformance(180, 1.0, 0.4, 0.3, 0.007),
        "short": RegimePerformance(60, 1.0, -1.2, -0.4, -0.007),
        "neutral": RegimePerformance(18, 0.0, NAN, NAN, 0.0),
    }
    spec = StrategySpec(
        name, "sign", "fade", "follow", "flat", {"lookback": 1}, f"What {name} does, in words."
    )
    measured = metrics(sharpe, sharpe - 1.9, sharpe + 1.9)
    equity = 1e6 * (1.0 + returns).cumprod()
    return StrategyResult(
        spec, role, measured, by_regime, equity, returns, position, pd.DataFrame(), _trades(days)
    )


def _trades(days: pd.DatetimeIndex) -> pd.DataFrame:
    rows = [
        {
            "opened": days[i],
            "closed": days[i + 2],
            "direction": "Short" if i % 4 else "Long",
            "size": 201.5 + i,
            "entry_price": 5900.25 + i,
            "exit_price": 5910.75 + i,
            "fees": 0.0,
            "pnl": -120.4 if i % 4 else 98.7,
            "return": -0.0012 if i % 4 else 0.001,
            "regime": "short" if i % 4 == 0 else "long",
            "status": "Open" if i == 256 else "Closed",
        }
        for i in range(0, 258, 2)
    ]
    return pd.DataFrame(rows)


def _regime(days: pd.DatetimeIndex) -> RegimeSummary:
    wave = 0.35 * np.sin(np.arange(SESSIONS) / 19.0) + 0.12
    wave += np.random.default_rng(5).normal(0, 0.07, SESSIONS)
    label = np.where(np.abs(wave) < 0.02, "neutral", np.where(wave > 0, "long", "short"))
    label = label.astype(object)
    label[100:103] = "abstain"
    value = wave * 9e9
    value[100] = NAN
    table = pd.DataFrame(
        {
            "value": value,
            "regime": label,
            "known_at": days.tz_localize("UTC") + pd.Timedelta(hours=21),
            "close": 5900
            * np.exp(np.cumsum(np.random.default_rng(3).normal(4e-4, 0.009, SESSIONS))),
            "spot": 5900.0,
            "net_to_gross": wave,
        },
        index=days,
    )
    counts = {name: int((label == name).sum()) for name in ("long", "short", "neutral", "abstain")}
    return RegimeSummary(
        source="lake",
        name="dealer model naive, book post_expiry",
        known="known_at",
        dealer_model="naive",
        book="post_expiry",
        definition_id="d-1f2e3d4c",
        band=0.02,
        counts=counts,
        negative_share_by_year={2025: 0.31},
        table=table,
    )


def _volatility() -> VolatilitySummary:
    def cells(base: float) -> dict[str, VolatilityCell]:
        return {
            "long": VolatilityCell(base, base * 1.02, base * 1.05, 198),
            "short": VolatilityCell(base * 1.9, base * 1.7, base * 1.5, 60),
            "neutral": VolatilityCell(base * 1.3, base * 1.3, NAN, 2),
        }

    sizes = {
        "close_to_close": 0.118,
        "parkinson": 0.103,
        "garman_klass": 0.101,
        "yang_zhang": 0.112,
    }
    ratio = {
        name: {
            "today": Ratio(1.9, 1.5, 2.4, 258, 60, 198),
            "next_1": Ratio(1.7, 1.32, 2.12, 257, 60, 197),
            "next_5": Ratio(1.5, 1.1, 1.9, 253, 59, 194),
        }
        for name in sizes
    }
    by_regime = {name: cells(size) for name, size in sizes.items()}
    by_quantile = {name: tuple(cells(size).values()) for name, size in sizes.items()}
    efficiency = {"long": Estimate(0.43, 0.40, 0.46, 180), "short": Estimate(0.48, 0.42, 0.54, 60)}
    return VolatilitySummary(by_regime, by_quantile, ratio, efficiency)


@pytest.fixture
def result() -> BacktestResult:
    """Return a result that has every part: gaps, undefined numbers, warnings."""
    days = _sessions()
    close = _regime(days).table["close"]
    bars = pd.DataFrame({"open": close, "high": close * 1.01, "low": close * 0.99, "close": close})
    data = DataSummary(
        "SPX",
        "index",
        "XNYS",
        date(2025, 1, 2),
        date(2025, 12, 31),
        SESSIONS,
        True,
        262,
        1,
        2,
        250,
        "USD",
    )
    strategies = {
        name: _strategy(name, "main" if i == 0 else "control", i) for i, name in enumerate(NAMES)
    }
    notices = (
        Notice("copy_of_previous_session", "warning", "3 sessions repeat the one before.", 3),
        Notice("no_carry", "info", "Rates are 0 and no parity forward exists on 2 sessions.", 2),
    )
    provenance = Provenance(
        gexlab="0.1.0",
        versions={"duckdb": "2.0.0", "vectorbt": "1.2.0"},
        config_sha256="ab" * 32,
        inputs=(RunInput("lake", "cd" * 32), RunInput("bars.parquet", "ef" * 32)),
        definition_id="d-1f2e3d4c",
        trials=5,
        seed=7,
        bootstrap=2000,
        block=10,
        created_at=datetime(2026, 1, 2, 6, 0, tzinfo=UTC),
        seconds=12.3,
    )
    return BacktestResult(
        data=data,
        regime=_regime(days),
        execution=ExecutionSummary("next_close", 0.5, 0.5, 0.0, 1e6, "vectorbt 1.2.0 (rust)"),
        strategies=strategies,
        volatility=_volatility(),
        next_return_sd_by_quantile=(1.39, 0.83, 0.65, 0.45),
        vix_return_sd_by_quantile=(0.42, 0.66, 0.85, 1.41),
        autocorrelation={
            "long": Estimate(-0.11, -0.24, 0.02, 179),
            "short": Estimate(0.03, -0.21, 0.26, 59),
        },
        notices=notices,
        provenance=provenance,
        bars=bars,
    )


@pytest.fixture
def morning(result: BacktestResult) -> Morning:
    """Return a last session with a book of three strikes, a change and what expires next."""
    history = result.regime.table.copy()
    history["flip"] = np.linspace(5600.0, 5755.0, SESSIONS)
    history["flip_distance"] = np.log(history["spot"] / history["flip"])
    history["call_wall"], history["put_wall"], history["pin_strike"] = 6000.0, 5800.0, 6000.0
    history["definition_agreement"], history["contracts_used"] = 1.0, 812.0
    history["gex_0dte_share"], history["gex_next_opex_share"] = 0.12, 0.31
    history["swap_30d"] = np.linspace(0.11, 0.16, SESSIONS)
    last = history.iloc[-1]
    row = {
        "session": history.index[-1],
        "underlying": "SPX",
        "book": "post_expiry",
        "valuation_ts": datetime(2026, 1, 2, 14, 30, tzinfo=UTC),
        "quality": "ok",
        "regime": last["regime"],
        "net_gex": last["value"],
        "gross_gex": 9e9,
        "flip_status": "ok",
        "call_wall_strength": 0.21,
        "put_wall_strength": 0.13,
        "pin_strength": 0.2,
        "oi_rejected_share": 0.001,
        **{name: last[name] for name in MEASURES if name not in ("value", "swap_30d")},
    }
    strikes = pd.DataFrame(
        {
            "strike": [5800.0, 5900.0, 6000.0],
            "call_gex": [1e8, 4e8, 9e8],
            "put_gex": [-8e8, -3e8, -1e8],
            "net_gex": [-7e8, 1e8, 8e8],
            "gross_gex": [9e8, 7e8, 1e9],
        }
    )
    level = 5900.0 * np.exp(np.linspace(-0.2, 0.2, 41))
    profile = pd.DataFrame({"level": level, "net_gex": level - 5755.0, "gross_gex": level})
    none = pd.DataFrame(columns=["check", "severity", "count", "open_interest", "detail"])
    picture = SessionPicture(
        row=row,
        strikes=strikes,
        expiries=pd.DataFrame(),
        profile=profile,
        roots=pd.DataFrame({"level": [5755.0], "direction": ["up"], "slope": [1e9]}),
        lines=pd.DataFrame(),
        definitions=pd.DataFrame(),
        findings=none,
        sign="$",
        implied={
            "swap_30d": 0.16,
            "atm_30d": 0.15,
            "expected_move": 59.5,
            "net_gex_sd": 1.2e8,
            "flip_sd": 0.002,
            "straddle": 71.25,
            "straddle_strike": 5900.0,
            "straddle_expires": date(2026, 1, 2),
        },
    )
    change = {
        "session": history.index[-1],
        "previous_session": history.index[-2],
        "before": 1.0e9,
        "after": float(last["value"]),
        "gross": 9e9,
        "expired": -2e8,
        "spot": float(last["value"]) - 1.1e9,
        "time": 1e8,
        "volatility": 5e7,
        "forwards": 0.0,
        "open_interest": 1.5e8,
        "coverage": 0.0,
        "residual": 0.0,
    }
    today, later = (
        BookState(datetime(2026, 1, d, 14, 30, tzinfo=UTC), net, 9e9, net / 9e9, "long", 5755.0)
        for d, net in ((2, 1.2e9), (5, 1e8))
    )
    dying = RollOff(date(2026, 1, 5), 1.1e9, 2.7e9, 0.3, monthly=False)
    structure = TimeStructure(today, (), today, later, None, (dying,), (later,))
    return Morning(result, history, 0.02, picture, SessionStory(change, structure, "$"))
