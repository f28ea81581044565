"""Sessions of a simulated market as Arrow tables in the canonical schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...base.schema import BOOKS
from ...calendar.trading import TradingCalendar
from .dealers import book_inputs, dealer_positions
from .pricing import flip_of, net_gamma
from .records import MULTIPLIER, Session

__all__ = [
    "bars_table",
    "chain_table",
    "effects_table",
    "intraday_table",
    "positions_table",
    "truth_table",
]

Floats = npt.NDArray[np.float64]

_STAMP = pa.timestamp("us", tz="UTC")
_PUBLISHED = np.timedelta64(30, "m")  # after the close
_ROOTS = {"AM": "SPX", "PM": "SPXW"}


def chain_table(
    sessions: Sequence[Session], calendar: TradingCalendar, underlying: str, source: str
) -> pa.Table:
    """Return the canonical chain of some sessions, sorted as the lake sorts it."""
    return pa.concat_tables(
        [_chain_of(session, calendar, underlying, source) for session in sessions]
    )


def bars_table(sessions: Sequence[Session], calendar: TradingCalendar) -> pa.Table:
    """Return daily bars: ``session, open, high, low, close``, index points."""
    ohlc = np.array(
        [(s.bars[0, 0], s.bars[:, 1].max(), s.bars[:, 2].min(), s.bars[-1, 3]) for s in sessions]
    )
    return pa.table({"session": _session_dates(sessions, calendar), **_ohlc(ohlc)})


def intraday_table(
    sessions: Sequence[Session], calendar: TradingCalendar, minutes: int
) -> pa.Table:
    """Return intraday bars: ``session, ts, open, high, low, close``; `ts` is the bar's start."""
    count = np.array([len(s.bars) for s in sessions])
    position = np.repeat([s.position for s in sessions], count)
    within = np.concatenate([np.arange(n) for n in count])
    start = calendar.opens[position] + within * np.timedelta64(minutes, "m")
    return pa.table(
        {
            "session": _dates(calendar.sessions[position]),
            "ts": _stamps(start),
            **_ohlc(np.concatenate([s.bars for s in sessions])),
        }
    )


def truth_table(sessions: Sequence[Session], calendar: TradingCalendar) -> pa.Table:
    """Return ``session, book, net_gex, flip`` of the dealers' true positions.

    `net_gex` in $ of delta per +1 %, `flip` in index points, NULL where there is none.
    """
    rows = [(s, book, *_truth_of(s, book)) for s in sessions for book in BOOKS]
    net, flip = np.array([r[2] for r in rows]), np.array([r[3] for r in rows])
    return pa.table(
        {
            "session": _session_dates([r[0] for r in rows], calendar),
            "book": pa.array([r[1] for r in rows]),
            "net_gex": net,
            "flip": pa.array(flip, mask=np.isnan(flip)),
        }
    )


def effects_table(sessions: Sequence[Session], calendar: TradingCalendar) -> pa.Table:
    """Return what moved each session's prices, one column per field of ``Effects``."""
    effects = [asdict(s.effects) for s in sessions]
    columns = {name: np.array([e[name] for e in effects], dtype=np.float64) for name in effects[0]}
    return pa.table({"session": _session_dates(sessions, calendar), **columns})


def positions_table(sessions: Sequence[Session], calendar: TradingCalendar) -> pa.Table:
    """Return the dealers' true positions, as ``rebuild --dealer signed`` reads them.

    The chain's key, ``position`` (contracts, positive = dealers are long) and ``known_at`` (that of
    the chain: a world's dealers are read as if a feed of signed open interest came with it).
    """
    return pa.concat_tables([_positions_of(s, calendar) for s in sessions])


def _truth_of(session: Session, book: str) -> tuple[float, float]:
    position, strike, v = book_inputs(session.quotes, session.effects, book)
    if position.size == 0:
        return float("nan"), float("nan")
    net = float(net_gamma(position, strike, v, np.array([session.spot]))[0])
    return net, flip_of(position, strike, v, session.spot)


def _chain_of(
    session: Session, calendar: TradingCalendar, underlying: str, source: str
) -> pa.Table:
    quotes, listed, spot = session.quotes, session.quotes.listed, session.spot
    rows = 2 * listed.strike.size
    close = calendar.closes[session.position]
    calls_bid, calls_ask, puts_bid, puts_ask = _two_sides(spot, listed.strike, quotes.otm)
    live = ~np.isnan(quotes.iv)
    return pa.table(
        {
            "underlying": _constant(underlying, rows),
            "session": _repeat(_dates(calendar.sessions[[session.position]]), rows),
            "quote_ts": _repeat(_stamps(np.array([close])), rows),
            **_contract_columns(session, calendar),
            "open_interest": _interleave(listed.calls, listed.puts),
            "oi_asof": _repeat(_dates(calendar.sessions[[session.position - 1]]), rows),
            "volume": _interleave(*quotes.traded),
            "bid": _interleave(calls_bid, puts_bid),
            "ask": _interleave(calls_ask, puts_ask),
            "last": _last(session, calls_bid + calls_ask, puts_bid + puts_ask),
            "iv": _nullable(_interleave(quotes.iv, quotes.iv)),
            "delta": _nullable(
                np.round(_interleave(quotes.delta, np.where(live, quotes.delta - 1, np.nan)), 5)
            ),
            "gamma": _nullable(np.round(_interleave(quotes.gamma, quotes.gamma), 8)),
            "spot": np.full(rows, spot),
            "multiplier": np.full(rows, MULTIPLIER),
            "known_at": _repeat(_stamps(np.array([close + _PUBLISHED])), rows),
            "source": _constant(source, rows),
        }
    )


def _contract_columns(session: Session, calendar: TradingCalendar) -> dict[str, pa.Array]:
    listed = session.quotes.listed
    each = pa.array(np.repeat(listed.expiry, 2).astype(np.int32))
    dies = np.array([e.dies for e in listed.expiries])
    is_am = np.array([e.settlement == "AM" for e in listed.expiries])
    end = np.where(is_am, calendar.opens[dies], calendar.closes[dies])
    settlement = [e.settlement for e in listed.expiries]
    return {
        "root": pa.array([_ROOTS[s] for s in settlement]).take(each),
        "expiry": pa.array([e.expiry for e in listed.expiries], pa.date32()).take(each),
        "settlement": pa.array(settlement).take(each),
        "expiry_ts": _stamps(end).take(each),
        "strike": pa.array(np.repeat(listed.strike, 2)),
        "right": pa.array(["C", "P"]).take(pa.array(np.tile([0, 1], listed.strike.size))),
    }


def _two_sides(spot: float, strike: Floats, otm: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return bid and ask of calls and of puts, in whole cents, that agree with parity.

    The out-of-the-money mid is rounded to a cent and the other side is that plus the intrinsic
    value, so that call mid minus put mid is spot minus strike to the last digit. Below half a
    cent there is no bid.
    """
    thin = np.rint(100 * otm)
    intrinsic = np.rint(100 * np.abs(spot - strike))
    deep = thin + intrinsic
    half_thin = np.where(thin > 0, np.minimum(np.maximum(1, np.rint(0.01 * thin)), thin - 1), 0)
    half_deep = np.minimum(np.maximum(np.rint(0.004 * deep), half_thin), deep)
    offer = np.where(thin > 0, thin + half_thin, 5)
    is_call_thin = strike >= spot
    bids = (
        np.where(is_call_thin, thin - half_thin, deep - half_deep),
        np.where(is_call_thin, deep - half_deep, thin - half_thin),
    )
    asks = (
        np.where(is_call_thin, offer, deep + half_deep),
        np.where(is_call_thin, deep + half_deep, offer),
    )
    return bids[0] / 100, asks[0] / 100, bids[1] / 100, asks[1] / 100


def _last(session: Session, calls: Floats, puts: Floats) -> pa.Array:
    traded = _interleave(*session.quotes.traded)
    mid = np.round(_interleave(calls, puts) / 2, 2)
    return pa.array(mid, mask=~((traded > 0) & (mid > 0)))


def _positions_of(session: Session, calendar: TradingCalendar) -> pa.Table:
    rows = 2 * session.quotes.listed.strike.size
    columns = _contract_columns(session, calendar)
    columns.pop("expiry_ts")
    published = calendar.closes[session.position] + _PUBLISHED
    return pa.table(
        {
            "session": _repeat(_dates(calendar.sessions[[session.position]]), rows),
            **columns,
            "position": _interleave(*dealer_positions(session.quotes.listed, session.effects)),
            "known_at": _repeat(_stamps(np.array([published])), rows),
        }
    )


def _interleave(calls: Floats, puts: Floats) -> Floats:
    return np.column_stack([calls, puts]).ravel()


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _constant(text: str, rows: int) -> pa.Array:
    return _repeat(pa.array([text]), rows)


def _repeat(one: pa.Array, rows: int) -> pa.Array:
    return one.take(pa.array(np.zeros(rows, dtype=np.int32)))


def _dates(days: npt.NDArray[np.datetime64]) -> pa.Array:
    return pa.array(days.astype("datetime64[D]"), pa.date32())


def _stamps(moments: npt.NDArray[np.datetime64]) -> pa.Array:
    return pa.array(moments.astype("datetime64[us]"), pa.timestamp("us")).cast(_STAMP)


def _session_dates(sessions: Sequence[Session], calendar: TradingCalendar) -> pa.Array:
    return _dates(calendar.sessions[[s.position for s in sessions]])


def _ohlc(values: Floats) -> dict[str, Floats]:
    return {name: values[:, i] for i, name in enumerate(("open", "high", "low", "close"))}
