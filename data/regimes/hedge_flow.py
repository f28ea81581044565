"""The hedge flow that each session's move implied, over a lake."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..exposure.book import exposure_at_spot
from ..exposure.definition import DEFAULT, Definition
from ..exposure.evaluation import book_at
from ..exposure.hedge_flow import Move, hedge_flow
from ..lake.lake import Lake
from .job import Job
from .session_evaluation import prepared_session
from .sessions import job_of, map_sessions

if TYPE_CHECKING:
    from datetime import date

    from ..lake.chain_reader import RawSession
    from .spec import RegimeSpec

__all__ = ["hedge_flows"]

_COLUMNS = (
    "session",
    "chain_session",
    "known_at",
    "spot_before",
    "spot_after",
    "simple_return",
    "flow_dollars",
    "gamma_dollars",
    "unwind_dollars",
    "dollar_volume",
    "flow_share",
)


def hedge_flows(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec,
    bars: pd.DataFrame,
    *,
    definition: Definition = DEFAULT,
    dealer: str = "naive",
    positions: str | Path | None = None,
    dollar_volume: pd.Series[float] | None = None,
    calendar: str | None = None,
) -> pd.DataFrame:
    """Return what dealers had to trade in each session, if they held the morning's book.

    The book is ``post_expiry`` of the previous session, revalued in full at the session's close:
    spot from the chain's to the bar's close, time from the open to the close, volatilities as the
    definition's dynamics say.

    Parameters
    ----------
    lake : Lake or path
    underlying : str or RegimeSpec
        A `RegimeSpec` says everything that `definition` to `calendar` say.
    bars : DataFrame
        Daily bars of the underlying indexed by session, as `gexlab.data.read_bars` returns them;
        ``close``, and ``volume`` in shares where there is one.
    definition : Definition
    dealer : str
        As for `gexlab.data.rebuild`.
    positions : path, optional
        Likewise.
    dollar_volume : Series, optional
        By session, dollars; volume times close of the bars where it is left out. For an index
        give that of the instruments which hedge it (futures and ETFs).
    calendar : str, optional
        Exchange calendar of the underlying; the one its chains were stamped with if left out.

    Returns
    -------
    DataFrame
        One row per session that has a bar and the chain of the previous session:

        - ``session``, ``chain_session``, ``known_at`` (the session's close, or the moment at which
          chain and positions were public where that is later);
        - ``spot_before``, ``spot_after`` (points), ``simple_return``;
        - ``flow_dollars``: dollars traded to follow the delta, positive buys;
        - ``gamma_dollars``: what the morning's net gamma alone says, -net_gex x return / 1 %;
        - ``unwind_dollars``: dollars traded to close the hedges of what expired, on top;
        - ``dollar_volume``, ``flow_share`` = abs(flow) / volume, NaN where volume is unknown.
    """
    job = job_of(
        lake,
        underlying,
        definition,
        dealer=dealer,
        positions=positions,
        books=("post_expiry",),
        calendar=calendar,
    )
    volume = _volume(bars) if dollar_volume is None else dollar_volume
    closes, traded = _by_day(bars["close"]), _by_day(volume)

    def row(raw: RawSession, _: RawSession | None) -> tuple[object, ...] | None:
        day = job.facts.calendar.shift(raw.session, 1)
        if day not in closes:
            return None
        return _row(raw, job, day, closes[day], traded.get(day, math.nan))

    rows = [r for r in map_sessions(lake, job, row) if r is not None]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _by_day(values: pd.Series[float]) -> dict[date, float]:
    days = pd.DatetimeIndex(values.index)
    return {day.date(): float(value) for day, value in zip(days, values, strict=True)}


def _volume(bars: pd.DataFrame) -> pd.Series[float]:
    if "volume" in bars:
        return bars["volume"] * bars["close"]
    return pd.Series(math.nan, index=bars.index)


def _row(raw: RawSession, job: Job, day: date, close: float, volume: float) -> tuple[object, ...]:
    prepared, context = prepared_session(raw, job)
    book = book_at(prepared, context.valuations["post_expiry"], job.definition)
    ends = job.facts.calendar.close_of(day)
    moment = round(ends.timestamp() * 1e6)
    flow = hedge_flow(prepared, book, job.definition, Move(close, moment))
    exposure = exposure_at_spot(book)
    net_gex = exposure.net_gex if exposure.gross_gex > 0.0 else math.nan
    change = close / book.spot - 1.0
    return (
        pd.Timestamp(day),
        pd.Timestamp(raw.session),
        pd.Timestamp(max(moment, prepared.chain.known_us), unit="us", tz="UTC"),
        book.spot,
        close,
        change,
        flow.dollars,
        -net_gex * change / 0.01,
        flow.unwind_dollars,
        volume,
        abs(flow.dollars) / volume if volume > 0.0 else math.nan,
    )
