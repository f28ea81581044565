"""The live record: what nights said before they knew, beside the backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..formats import count, fixed, percent, plural, signed
from ..views import Column, Row, Section, Table, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....backtest import BacktestResult
    from ...nightly.live_record import Entry, Score

__all__ = ["live_section"]

_BPS = 1e4


def live_section(
    result: BacktestResult, earlier: Sequence[Entry], scores: Sequence[Score]
) -> Section | None:
    """Return how forecasts of earlier nights came out; None where no night came before.

    Parameters
    ----------
    result : BacktestResult
    earlier : sequence of Entry
        The first entry of each session before the last.
    scores : sequence of Score
        Of their forecasts.
    """
    if not earlier:
        return None
    timely = [entry for entry in earlier if not entry.late]
    text = []
    if timely:
        text.append(
            f"{plural(len(timely), 'night')} from {timely[0].session} to {timely[-1].session}, as "
            "published at the time and never changed. Returns run from the fill to the following "
            "fill, before costs; those of the backtest are net of costs."
        )
    if len(timely) < len(earlier):
        text.append(
            f"{plural(len(earlier) - len(timely), 'night')} not counted: begun after the next "
            "session had opened, or after the night of a later session, so that nothing was "
            "forecast."
        )
    if not timely:
        return Section("live", "Live record", tuple(text))
    numbers = {entry.number for entry in timely}
    came = [score for score in scores if score.of in numbers]
    tables = (_targets(result, timely, came), _said(timely, came))
    return Section("live", "Live record", tuple(text), tables=tables)


def _targets(result: BacktestResult, earlier: Sequence[Entry], scores: Sequence[Score]) -> Table:
    columns = (
        text_column("Strategy"),
        Column("Nights"),
        Column("Abstained"),
        Column("Scored"),
        Column("Hits", "of those with a position"),
        Column("Live mean", "bp a session"),
        Column("Backtest mean", "bp a session"),
        Column("Live total"),
    )
    told = [f for entry in earlier for f in entry.forecasts if f.kind == "target"]
    rows = []
    for name in dict.fromkeys(f.name for f in told):
        own = [f for f in told if f.name == name]
        came = [s for s in scores if s.kind == "target" and s.name == name and s.pnl is not None]
        pnl = np.array([s.pnl for s in came], dtype=float)
        hits = [s.hit for s in came if s.hit is not None]
        kept = result.strategies.get(name)
        rows.append(
            Row(
                (
                    name,
                    count(len(own)),
                    count(sum(f.value is None for f in own)),
                    count(len(came)),
                    percent(float(np.mean(hits)), 0) if hits else percent(None),
                    signed(float(pnl.mean()) * _BPS, 1) if pnl.size else signed(None),
                    signed(None if kept is None else float(kept.returns.mean()) * _BPS, 1),
                    percent(float(pnl.sum()), 2, sign=True) if pnl.size else percent(None),
                ),
                strong=name == result.main.spec.name,
            )
        )
    return Table("tab-live", "Targets as they were published", columns, tuple(rows))


def _said(earlier: Sequence[Entry], scores: Sequence[Score]) -> Table:
    columns = (
        text_column("Forecast"),
        Column("Nights"),
        Column("Scored"),
        Column("Forecast mean"),
        Column("Realised mean"),
        Column("As said"),
    )
    rows = []
    for kind, title in _KINDS.items():
        told = [f for entry in earlier for f in entry.forecasts if f.kind == kind]
        came = [s for s in scores if s.kind == kind]
        both = [s for s in came if isinstance(s.forecast, float) and isinstance(s.realised, float)]
        hits = [s.hit for s in came if s.hit is not None]
        form = percent if kind == "volatility" else fixed
        rows.append(
            Row(
                (
                    title,
                    count(len(told)),
                    count(len(came)),
                    form(_root_mean([s.forecast for s in both])) if kind == "volatility" else "",
                    form(_root_mean([s.realised for s in both])) if kind == "volatility" else "",
                    percent(float(np.mean(hits)), 0) if hits else percent(None),
                )
            )
        )
    note = (
        "Regime: the share of labels that today's data still give those sessions; less than all "
        "means that data were revised. Volatility a year, roots of mean squares, from the next "
        "session's range. Direction: that of the main strategy."
    )
    return Table("tab-forecasts", "Forecasts as they were published", columns, tuple(rows), note)


_KINDS = {
    "regime": "regime of the session",
    "volatility": "volatility of the next session",
    "direction": "direction to the next fill",
}


def _root_mean(values: Sequence[object]) -> float:
    squares = np.square(np.array(values, dtype=float))
    return float(np.sqrt(squares.mean())) if squares.size else float("nan")
