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

__all__ = ["finding_notices", "of_other_instrument", "sound_bars", "sound_intraday", "sound_series"]

#: What gates takes its session, bar or value out of the answers; a change of scale is still in
#: the returns of whoever held a position over it.
_LEFT_OUT: Final = frozenset(
    name for name, check in CATALOGUE.items() if check.gates and name != "price_scale_changed"
)
#: Findings of a kind that a notice names one by one.
_NAMED: Final = 3
#: Daily moves that bars and spots must have in common, below which they are of two instruments.
_ALIKE: Final = 0.5
_FEWEST_MOVES: Final = 20


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

    Its values are kept: whoever decided on them could not know what came after, and only that
    tells a spike from a move.
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
