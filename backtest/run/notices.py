"""What a reader of a result must know about the data and settings behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ...data import varies
from .results import Notice, Severity
from .soundness import finding_notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...data import Finding
    from ..execution.intraday import BarTrading
    from ..execution.performance import Trading
    from .config import Config
    from .market import Market

__all__ = ["notices_of", "sorted_notices"]

_ORDER: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "info": 2}

#: Fewer sessions of a label than this say little about it.
_FEW: Final = 30


def notices_of(
    config: Config, market: Market, trading: Trading, findings: Sequence[Finding] = ()
) -> tuple[Notice, ...]:
    """Return warnings and remarks, most severe first.

    Parameters
    ----------
    config : Config
    market : Market
    trading : Trading
    findings : sequence of Finding
        What was found in the inputs within the period.
    """
    found = [
        *market.notices,
        *_execution(config),
        *_terms(config, market, trading),
        *_regime(config, market),
        *_bars(market),
        *finding_notices(findings),
        *_decisions(trading),
    ]
    return sorted_notices(found)


def sorted_notices(found: Iterable[Notice]) -> tuple[Notice, ...]:
    """Return notices, most severe first.

    Parameters
    ----------
    found : iterable of Notice

    Returns
    -------
    tuple of Notice
    """
    return tuple(sorted(found, key=lambda notice: _ORDER[notice.severity]))


def _execution(config: Config) -> Iterator[Notice]:
    if config.data.instrument_kind == "index" and config.fill == "next_open":
        detail = (
            "the bars are those of a cash index, whose open is stale: it is partly yesterday's "
            "close, so fills at it are not tradable; fill at the next close, or use an ETF's or a "
            "future's bars"
        )
        yield Notice("stale_index_open", "warning", detail)
    if config.data.instrument_kind == "index" and config.execution.fill is None:
        detail = "a cash index cannot be traded itself: its next close stands in for a future's"
        yield Notice("index_proxy", "info", detail)


def _terms(config: Config, market: Market, trading: Trading) -> Iterator[Notice]:
    data, execution = config.data, config.execution
    included = data.total_return or "adjusted_close" in data.bars_columns
    pays = data.instrument_kind != "future" and not market.simulated
    if pays and not included and execution.dividends is None:
        detail = (
            "prices are not adjusted for dividends: returns of long positions lack them, and short "
            "ones do not pay them; give a dividend file (execution.dividends), a total-return "
            "series (data.total_return) or adjusted closes (bars_columns)"
        )
        yield Notice("dividends_missing", "info", detail)
    if trading.unfilled:
        detail = (
            f"{_sessions(trading.unfilled)} without an intraday bar at {config.fill}: orders fill "
            "at the next bar of the session, or at its close"
        )
        yield Notice("stated_bar_missing", "warning", detail, trading.unfilled)
    capped = sum(account.capped for account in trading.net.accounts)
    if capped:
        detail = (
            f"orders made smaller by execution.max_leverage = {execution.max_leverage:g}: {capped}"
        )
        yield Notice("leverage_capped", "info", detail, capped)


def _regime(config: Config, market: Market) -> Iterator[Notice]:
    table = market.regime.table
    sessions = market.sessions
    lacking = len(sessions.difference(pd.DatetimeIndex(table.index)))
    if lacking:
        detail = f"{_sessions(lacking)} with a bar but no regime row: flat, and left out of tables"
        yield Notice("regime_missing", "warning", detail, lacking)
    inside = table.loc[sessions[0] : sessions[-1]]
    barless = len(pd.DatetimeIndex(inside.index).difference(sessions))
    if barless:
        detail = f"{_sessions(barless)} with a regime row but no bar: not tradable"
        yield Notice("bars_missing_for_regime", "warning", detail, barless)
    value = inside["value"].to_numpy(dtype=float)
    known = int(np.isfinite(value).sum())
    if known > 1 and not varies(value):
        detail = (
            f"the regime's value is the same on all {_sessions(known)}, but for rounding: its "
            "quartiles and percentiles are undefined"
        )
        yield Notice("regime_constant", "warning", detail, known)
    labels = inside["regime"][inside.index.isin(sessions)]
    for label in ("long", "short"):
        count = int((labels == label).sum())
        if count < _FEW:
            detail = f"only {_sessions(count)} of {label} gamma: read the figures with their n"
            yield Notice(f"few_{label}_sessions", "warning", detail, count)
    gated = int((labels == "abstain").sum())
    if gated:
        detail = f"{_sessions(gated)} without a regime (abstain): no position is decided after them"
        yield Notice("abstaining_sessions", "info", detail, gated)
    lake = config.regime.source == "lake"
    if lake and config.data.instrument_kind == "share" and config.regime.dealer_model == "naive":
        detail = (
            "the naive dealer model is doubtful on a single stock: end users are net short there; "
            "compare with dealer_model = inverted"
        )
        yield Notice("naive_single_stock", "warning", detail)


def _bars(market: Market) -> Iterator[Notice]:
    bars = market.bar_set
    if bars.missing:
        detail = f"{_sessions(bars.missing)} without a daily bar: orders wait for the next one"
        yield Notice("bars_missing", "warning", detail, bars.missing)
    if bars.not_sessions:
        detail = f"daily bars dated on days that are no sessions, left out: {bars.not_sessions}"
        yield Notice("bars_not_sessions", "info", detail, bars.not_sessions)
    if market.intraday is not None and not market.intraday.minutes > 0.0:
        detail = "no session has two intraday bars, so there is no variance to take from them"
        yield Notice("intraday_too_thin", "warning", detail)
    if market.intraday is not None and market.intraday.missing:
        count = market.intraday.missing
        detail = f"intraday bars missing in sessions that have others: {count}"
        yield Notice("intraday_missing", "info", detail, count)


def _decisions(trading: Trading) -> Iterator[Notice]:
    pairs = list(zip(trading.strategies, trading.decisions, strict=True))
    late = [(s.name, d.late) for s, d in pairs if d.late]
    undefined = [(s.name, d.undefined) for s, d in pairs if d.undefined]
    if late:
        count = max(n for _, n in late)
        detail = (
            "regime rows published after the order had to go out, treated as missing in "
            f"{_names(late)}: {count}"
        )
        yield Notice("late_regime", "warning", detail, count)
    if trading.left_out:
        detail = (
            f"controls left out, because they would have to know the close that they trade at: "
            f"{', '.join(trading.left_out)}"
            if trading.schedule.strict
            else "controls left out, because the regime is published after their orders had to go "
            f"out: {', '.join(trading.left_out)}"
        )
        yield Notice("controls_left_out", "info", detail, len(trading.left_out))
    if trading.within is not None:
        yield from _within(trading.within)
    if undefined:
        count = max(n for _, n in undefined)
        detail = f"{_sessions(count)} flat for want of earlier bars in {_names(undefined)}"
        yield Notice("rule_undefined", "info", detail, count)
    gone = [name for name, column in trading.net.equity.items() if (column <= 0.0).any()]
    if gone:
        detail = f"{', '.join(map(str, gone))} lost all its equity; its metrics are undefined"
        yield Notice("ruined", "error", detail, len(gone))


def _within(trading: BarTrading) -> Iterator[Notice]:
    """Say what strategies that decide within the session lack."""
    names = [s.name for s in trading.strategies]
    sessions = trading.ground.sessions
    first, last = sessions[0].date(), sessions[-1].date()
    detail = (
        f"{', '.join(names)} trade on intraday bars: the period tested is theirs, {first} to {last}"
    )
    yield Notice("period_of_intraday_bars", "info", detail, len(sessions))
    lacking = int(trading.spans.sum() - len(trading.spans))
    if lacking:
        detail = f"{_sessions(lacking)} without intraday bars: strategies that need them are flat"
        yield Notice("sessions_without_intraday_bars", "warning", detail, lacking)
    for code, counts, what in (
        ("late_within", trading.late, "with an input published only after a bar's order"),
        ("undefined_within", trading.undefined, "flat for a while for want of an input"),
    ):
        found = [(n, c) for n, c in zip(names, counts, strict=True) if c]
        if found:
            most = max(c for _, c in found)
            yield Notice(code, "info", f"{_sessions(most)} {what}, in {_names(found)}", most)
    gone = [name for name, column in trading.net.equity.items() if (column <= 0.0).any()]
    if gone:
        detail = f"{', '.join(map(str, gone))} lost all its equity; its metrics are undefined"
        yield Notice("ruined", "error", detail, len(gone))


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _names(counted: Iterable[tuple[str, int]]) -> str:
    return ", ".join(name for name, _ in counted)
