"""A session's book as it would be elsewhere: at other spots, sessions ahead, other volatilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..base.errors import ConfigError
from ..base.schema import Book
from ..calendar.day_numbers import from_days
from ..exposure.definition import DEFAULT
from ..exposure.hedge_flow import Move, hedge_flow
from ..exposure.repricing import reprice
from ..lake.lake import Lake, open_lake
from .explain import open_session
from .session_evaluation import evaluate_session
from .sessions import job_of

if TYPE_CHECKING:
    from ..exposure.evaluation import PreparedChain
    from .job import Job
    from .session_evaluation import SessionEvaluation
    from .spec import RegimeSpec

__all__ = ["what_if"]

_MOVES = (-0.05, -0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.05)
_AHEAD = (0, 1, 2, 5, 10)
_SHIFTS = (-0.02, 0.0, 0.02)
#: A shifted volatility is never below the lowest that a chain may carry.
_LOWEST = 0.01


def what_if(
    lake: Lake | str | Path,
    spec: RegimeSpec | Job,
    session: date,
    *,
    book: Book = "post_expiry",
    moves: Sequence[float] = _MOVES,
    sessions_ahead: Sequence[int] = _AHEAD,
    volatility_shifts: Sequence[float] = _SHIFTS,
) -> pd.DataFrame:
    """Return net GEX, flip and hedge flow over spot, time and volatility, if nobody trades.

    Parameters
    ----------
    lake : Lake or path
    spec : RegimeSpec or Job
        What is computed.
    session : date
    book : {"post_expiry", "as_of_close"}
    moves : sequence of float
        Simple returns of spot, decimal, above -1.
    sessions_ahead : sequence of int
        Sessions after the book's valuation; 0 is the valuation itself.
    volatility_shifts : sequence of float
        Added to every contract's volatility, decimal; none falls below 0.01.

    Returns
    -------
    DataFrame
        A row for each combination, in the order of shifts, sessions, moves: ``spot_move, spot,
        sessions_ahead, moment`` (UTC), ``volatility_shift, net_gex, gross_gex`` (currency per 1 %
        of that spot), ``net_to_gross, flip`` (points; NaN without any), ``flow_dollars`` (what
        dealers trade from now to there; positive buys) and ``unwind_dollars`` (to close the hedges
        of what settles on the way). Known when the session's chain is.

    Raises
    ------
    ConfigError
        If a move or a number of sessions is impossible.
    LakeError
        If the lake does not hold that session.
    """
    if not all(math.isfinite(m) and m > -1.0 for m in moves):
        raise ConfigError("what-if: moves of spot must be numbers above -1, e.g. -0.02 for -2 %")
    if not all(k >= 0 for k in sessions_ahead):
        raise ConfigError("what-if: sessions ahead must be 0 or more")
    opened = open_lake(lake)
    job = job_of(opened, spec, DEFAULT, books=(book,))
    raw, previous, _ = open_session(opened, job.underlying, session, source=job.source)
    found = evaluate_session(raw, previous, job)
    ahead = sorted(set(sessions_ahead))
    parts = [_at_shift(found, job, book, moves, ahead, float(shift)) for shift in volatility_shifts]
    return pd.concat(parts, ignore_index=True)


def _at_shift(
    found: SessionEvaluation,
    job: Job,
    book: Book,
    moves: Sequence[float],
    ahead: Sequence[int],
    shift: float,
) -> pd.DataFrame:
    start = found.results[book].book
    day = from_days(found.context.valuation_days[book])
    calendar = job.facts.calendar
    moment_of = calendar.open_of if book == "post_expiry" else calendar.close_of
    moments = {
        k: round(moment_of(calendar.shift(day, k)).timestamp() * 1e6) if k else start.valuation_us
        for k in ahead
    }
    places = [(k, move) for k in ahead for move in moves]
    when = np.array([moments[k] for k, _ in places], np.int64)
    spots = np.array([start.spot * (1.0 + move) for _, move in places])
    state = reprice(_shifted(found.prepared, shift), job.definition, when, spots)
    flows = [
        hedge_flow(found.prepared, start, job.definition, Move(spot, moment, shift))
        for spot, moment in zip(spots.tolist(), when.tolist(), strict=True)
    ]
    return pd.DataFrame(
        {
            "spot_move": [move for _, move in places],
            "spot": spots,
            "sessions_ahead": [k for k, _ in places],
            "moment": pd.to_datetime(when, unit="us", utc=True),
            "volatility_shift": shift,
            "net_gex": state.net_gex,
            "gross_gex": state.gross_gex,
            "net_to_gross": state.net_to_gross,
            "flip": state.flip,
            "flow_dollars": [flow.dollars for flow in flows],
            "unwind_dollars": [flow.unwind_dollars for flow in flows],
        }
    )


def _shifted(prepared: PreparedChain, shift: float) -> PreparedChain:
    """Return a chain all of whose volatilities are higher by an amount."""
    if shift == 0.0:
        return prepared
    lines = prepared.lines
    moved = replace(lines, volatility=np.maximum(lines.volatility + shift, _LOWEST))
    curves = prepared.curves
    if curves is not None:
        curves = replace(curves, volatility=np.maximum(curves.volatility + shift, _LOWEST))
    return replace(prepared, lines=moved, curves=curves)
