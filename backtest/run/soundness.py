"""Inputs of a run without what cannot be right: bars, intraday bars and series, checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ...data import CATALOGUE, BarCheck, Finding, check_bars, check_intraday, check_series
from .results import Notice, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from ...data import IntradaySet
    from .config import Config

__all__ = [
    "finding_notices",
    "of_other_instrument",
    "off_daily_bars",
    "sound_bars",
    "sound_intraday",
    "sound_series",
]

#: Findings that take their session, bar or value out of the answers; a change of scale is still in
#: the returns of positions held over it.
_LEFT_OUT: Final = frozenset(
    name for name, check in CATALOGUE.items() if check.gates and name != "price_scale_changed"
)
#: Findings of a kind that a notice names one by one.
_NAMED: Final = 3
#: Daily moves that bars and spots must have in common, below which they are of two instruments.
_ALIKE: Final = 0.5
_FEWEST_MOVES: Final = 20
#: Usual daily ranges between the last intraday price and the close: of one session, of most.
_OFF_CLOSE: Final = 0.5
_OTHER_PRICES: Final = 0.25
_AROUND: Final = 21
_FEWEST: Final = 5


def sound_bars(
    bars: pd.DataFrame, config: Config
) -> tuple[pd.DataFrame, tuple[Finding, ...], tuple[date, ...]]:
    """Return daily bars up to the configured end without those that count as missing.

    Beside them what was found, and the sessions that lost their bar.
    """
    checked = check_bars(bars.loc[: _end(config)], trusted=config.data.trusted)
    return checked.sound, checked.findings, _days(checked)


def sound_intraday(
    intraday: IntradaySet | None, config: Config
) -> tuple[IntradaySet | None, tuple[Finding, ...], tuple[date, ...]]:
    """Return intraday bars without the sessions that hold a bad one; see `sound_bars`."""
    if intraday is None:
        return None, (), ()
    frame, end = intraday.frame, _end(config)
    if end is not None:
        frame = frame[frame["session"] <= end].reset_index(drop=True)
    checked = check_intraday(frame, trusted=config.data.trusted)
    sound = replace(intraday, frame=checked.sound.reset_index(drop=True))
    return sound, checked.findings, _days(checked)


def _days(checked: BarCheck) -> tuple[date, ...]:
    return tuple(day.item() for day in checked.bad)


def sound_series(
    table: pd.DataFrame, name: str, config: Config
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return a series by session, up to the end of the period, and what was found in it.

    Values are kept: only later ones tell a spike from a move, and a decision could not know them.
    """
    table = table.loc[: _end(config)]
    checked = check_series(table["value"], name=name, trusted=config.data.trusted)
    return table, checked.findings


def _end(config: Config) -> pd.Timestamp | None:
    return pd.Timestamp(config.data.end) if config.data.end else None


def of_other_instrument(bars: pd.DataFrame, spot: pd.Series[float]) -> tuple[Finding, ...]:
    """Return a finding where bars do not move with the spots of the chains.

    Parameters
    ----------
    bars : DataFrame
        Daily bars by session.
    spot : Series of float
        Of the chains, by session; the level may differ, as that of an ETF on an index does.
    """
    both = pd.DataFrame({"close": bars["close"], "spot": spot.astype("float64")}).dropna()
    moves = both.apply(np.log).diff().dropna()
    if len(moves) < _FEWEST_MOVES or not (moves.std() > 0.0).all():
        return ()
    alike = float(moves["close"].corr(moves["spot"], method="spearman"))
    if alike >= _ALIKE:
        return ()
    detail = (
        f"closes move with the chains' spots by a rank correlation of {alike:.2f} over "
        f"{len(moves)} sessions: the bars are another instrument's, or dated otherwise"
    )
    name = "other_instrument"
    severity = CATALOGUE[name].severity
    return (Finding(None, name, severity, len(moves), float("nan"), detail, "close"),)


def off_daily_bars(bars: pd.DataFrame, intraday: IntradaySet | None) -> tuple[Finding, ...]:
    """Return where the last intraday price of a session is not the close of its daily bar.

    A difference of half a usual daily range (median of the 21 sessions to it) is a finding of its
    session; a median difference of a quarter is one of the file, which then has other prices.

    Examples
    --------
    SPY closed at 476.68 and usually moved between high and low by 0.8 %: a last minute at 474.30 is
    off by 0.5 %, 0.62 usual ranges.
    """
    if intraday is None or intraday.frame.empty:
        return ()
    spans = pd.Series(np.log(bars["high"] / bars["low"]), bars.index)
    usual = spans.rolling(_AROUND, min_periods=_FEWEST).median()
    last = intraday.frame.groupby("session")["close"].last()
    both = pd.DataFrame({"last": last, "close": bars["close"], "usual": usual[usual > 0.0]})
    both = both.dropna()
    if both.empty:
        return ()
    off = (np.log(both["last"] / both["close"]) / both["usual"]).abs()
    if float(off.median()) > _OTHER_PRICES:
        ratio = float((both["last"] / both["close"]).median())
        detail = (
            f"the last intraday price is {ratio:.4g} times the daily close over {len(both)} "
            "sessions (median): take both files from one source, both adjusted or both not"
        )
        return (_of_prices(None, "intraday_of_other_prices", len(both), detail),)
    return tuple(
        _of_prices(
            day.date(), "intraday_off_close", 1,
            f"last intraday price {row.last:g}, daily close {row.close:g}",
        )
        for day, row in zip(both.index, both.itertuples(), strict=True)
        if off[day] > _OFF_CLOSE
    )  # fmt: skip


def _of_prices(session: date | None, name: str, count: int, detail: str) -> Finding:
    severity = CATALOGUE[name].severity
    return Finding(session, name, severity, count, float("nan"), detail, "close")


def finding_notices(findings: Iterable[Finding]) -> Iterator[Notice]:
    """Yield a notice for each kind of finding: how often, and where to look.

    Parameters
    ----------
    findings : iterable of Finding

    Yields
    ------
    Notice
    """
    kinds: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.check, finding.severity), []).append(finding)
    for (name, severity), group in kinds.items():
        left_out = severity == "error" and name in _LEFT_OUT
        yield Notice(name, severity, _sentence(name, group), len(group), left_out)


def _sentence(name: str, group: list[Finding]) -> str:
    where = "; ".join(f"{f.session}, {f.detail}" if f.session else f.detail for f in group[:_NAMED])
    more = f"; and {len(group) - _NAMED} more" if len(group) > _NAMED else ""
    return f"{CATALOGUE[name].meaning} {len(group)}: {where}{more}"
