"""The morning's regime re-checked at every intraday bar, next to the frozen one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import InputFileError, LakeError
from ..calendar.day_numbers import from_days
from ..calendar.trading import TradingCalendar
from ..exposure.definition import DEFAULT, Definition
from ..exposure.labels import regime_of
from ..exposure.repricing import reprice
from ..lake.lake import Lake
from .job import Job
from .session_evaluation import SessionEvaluation, evaluate_session
from .sessions import job_of, map_sessions

if TYPE_CHECKING:
    from ..lake.chain_reader import RawSession
    from .spec import RegimeSpec

__all__ = ["IntradayRegimes", "intraday_regimes"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Bars further from the chain's spot than this, in logs, belong to another instrument.
_FURTHEST: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class IntradayRegimes:
    """Regimes at every bar.

    Attributes
    ----------
    frame : DataFrame
        One row per bar, in order:

        - ``session`` (datetime64[ns]), ``ts`` (start of the bar, UTC), ``close_ts`` (its end);
        - ``known_at``: the bar's end, or the moment at which the morning's chain was public where
          that is later. Nothing in the row may be used earlier;
        - ``spot``: the bar's close, points;
        - ``net_gex``, ``gross_gex``, ``net_to_gross``, ``regime``: of the morning's book at that
          spot and moment, dollars per 1 % of that spot;
        - ``flip``, ``flip_distance`` = ln(spot/flip): NaN where there is no root;
        - ``morning_net_to_gross``, ``morning_regime``, ``morning_flip``: of the same book, frozen
          at the session's open and the spot of the evening before.
    sessions : int
        Sessions of the bars that have a book.
    without_book : int
        Sessions of the bars for which the lake lacks the chain of the previous session: left out.
    """

    frame: pd.DataFrame
    sessions: int
    without_book: int


@dataclass(frozen=True, slots=True)
class _Day:
    """The bars of one session, as arrays."""

    start_us: Ints
    close_us: Ints
    spot: Floats


def intraday_regimes(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    bars: pd.DataFrame,
    *,
    definition: Definition = DEFAULT,
    dealer: str = "naive",
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> IntradayRegimes:
    """Re-check the regime at the close of every bar, with spot and time moved on.

    The book is ``post_expiry`` of the previous session: what was known in the morning. At the end
    of each bar it is repriced at the bar's close; contracts that died in between are gone (at the
    session's close that is all of 0DTE).

    Parameters
    ----------
    lake : Lake or path
    underlying : str, RegimeSpec or Job
        A `RegimeSpec` says everything that `definition` to `calendar` say; a `Job` is one whose
        files are read.
    bars : DataFrame
        ``session, ts, close`` at least, as `gexlab.data.read_intraday` returns them, of the
        underlying itself (an ETF's bars do not fit its index's chain).
    definition : Definition
    dealer : str
        As for `gexlab.data.rebuild`.
    positions : path, optional
        Likewise.
    calendar : str, optional
        Exchange calendar of the underlying; the one its chains were stamped with if left out.

    Returns
    -------
    IntradayRegimes

    Raises
    ------
    InputFileError
        If the bars are those of another instrument.
    LakeError
        If no session of the bars has a book.
    """
    if isinstance(underlying, Job):
        job = replace(underlying, books=("post_expiry",))
    else:
        job = job_of(
            lake,
            underlying,
            definition,
            dealer=dealer,
            positions=positions,
            books=("post_expiry",),
            calendar=calendar,
        )
    known = job.facts.calendar
    days = _days(bars, known)
    morning_of = {known.shift(day, -1): day for day in days}

    def rows(raw: RawSession, previous: RawSession | None) -> pd.DataFrame | None:
        day = morning_of.get(raw.session)
        if day is None:
            return None
        return _rows(evaluate_session(raw, previous, job), job, day, days[day])

    bounds = {"first": min(morning_of), "last": max(morning_of)}
    frames = [f for f in map_sessions(lake, job, rows, **bounds) if f is not None]
    if not frames:
        raise LakeError(
            f"no session of the bars ({min(days)} to {max(days)}) has a chain of "
            f"{job.underlying} from the previous session: ingest those chains, or give other bars"
        )
    return IntradayRegimes(
        pd.concat(frames, ignore_index=True), len(frames), len(days) - len(frames)
    )


def _days(bars: pd.DataFrame, calendar: TradingCalendar) -> dict[date, _Day]:
    """Return the bars by session; a bar ends where the next could begin, or at the close."""
    ordered = bars.sort_values("ts", kind="stable")
    start = _microseconds(ordered["ts"])
    session = ordered["session"].to_numpy().astype("datetime64[D]").astype(np.int64)
    step = _bar_length(start, session)
    spot = ordered["close"].to_numpy(np.float64)
    found = {}
    for day in np.unique(session).tolist():
        at = session == day
        close = round(calendar.close_of(from_days(day)).timestamp() * 1e6)
        ends = np.maximum(np.minimum(start[at] + step, close), start[at])
        found[from_days(day)] = _Day(start[at], ends, spot[at])
    return found


def _microseconds(stamps: pd.Series[Any]) -> Ints:
    naive = stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(naive.to_numpy().astype("datetime64[us]").astype(np.int64))


def _bar_length(start: Ints, session: Ints) -> int:
    """Return the most frequent distance of neighbouring bars of a session, microseconds."""
    steps = np.diff(start)[np.diff(session) == 0]
    if not steps.size:
        raise InputFileError(
            "intraday bars: expected at least two bars in some session, found none: give intraday "
            "bars, not daily ones"
        )
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _rows(evaluation: SessionEvaluation, job: Job, day: date, bars: _Day) -> pd.DataFrame:
    """Return the frame of one session."""
    chain, result = evaluation.prepared.chain, evaluation.results["post_expiry"]
    _require_same_instrument(day, bars, chain.spot)
    band = job.definition.band
    degraded = bool(evaluation.verdicts(band)["post_expiry"].measured)
    state = reprice(evaluation.prepared, job.definition, bars.close_us, bars.spot)
    return pd.DataFrame(
        {
            "session": np.full(bars.spot.size, np.datetime64(day, "ns")),
            "ts": _stamps(bars.start_us),
            "close_ts": _stamps(bars.close_us),
            "known_at": _stamps(np.maximum(bars.close_us, chain.known_us)),
            "spot": bars.spot,
            "net_gex": state.net_gex,
            "gross_gex": state.gross_gex,
            "net_to_gross": state.net_to_gross,
            "regime": state.regimes(band, degraded=degraded),
            "flip": state.flip,
            "flip_distance": np.log(bars.spot / state.flip),
            "morning_net_to_gross": result.net_to_gross,
            "morning_regime": regime_of(result.net_to_gross, band, degraded=degraded),
            "morning_flip": result.flip.level if result.flip else math.nan,
        }
    )


def _stamps(microseconds: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(microseconds.astype("datetime64[us]")).tz_localize("UTC")


def _require_same_instrument(day: date, bars: _Day, spot: float) -> None:
    ratio = float(np.median(bars.spot)) / spot
    if not abs(math.log(ratio)) <= _FURTHEST:
        raise InputFileError(
            f"intraday bars of {day}: expected prices near the chain's spot {spot:g}, found "
            f"{float(np.median(bars.spot)):g}: give bars of the underlying itself"
        )
