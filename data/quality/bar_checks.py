"""Bars held against themselves and their neighbours: which cannot be what the market did.

Nothing is repaired. A price that contradicts its bar or its neighbours (`bad_bar`) counts as
missing in all that it would touch: a low in volatilities from ranges; a close, and whatever
concerns a whole bar, in fills too. Everything else is reported.
What counts as missing is decided by the bar and those before it, so that it is the same however
the data go on; but for bars of another level, which are known by the jump back that ends them: no
bar after them, and none before, is judged otherwise for it. What stands out against later bars
only (`bar_in_doubt`) is reported and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..calendar.market_defaults import EXCHANGE_SESSIONS
from .finding import Finding, Severity
from .messages import CATALOGUE
from .usual_ranges import around, share_until, typical, up_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["BarCheck", "check_bars", "check_intraday"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_PRICES: Final = ("open", "high", "low", "close")

#: A shadow beyond the body of more than this many usual ranges is no price. In 30 years of the
#: S&P 500, the crash of May 2010 included, the longest is 6.2 and of VIX 7.0.
_SHADOW: Final = 7.5
_SHADOW_INTRADAY: Final = 6.0
#: The same by bars on both sides, which know what followed: there the longest is 4.6.
_SHADOW_AROUND: Final = 5.0
#: The same, of an open or close outside low ... high, where no shadow is usual at all.
_OUTSIDE: Final = 0.5
#: Jumps between bars of more than this many usual ranges, one back from the other, enclose bars
#: of another level.
_JUMP: Final = 4.0
#: And intraday of more than twice the range that is typical of the file, and of .1 %: in a lull
#: the usual range is a tick, and a tick or two up and back are trading.
_JUMP_TYPICAL: Final = 2.0
_JUMP_LEAST: Final = 1e-3
#: Most of a jump is undone by the one that ends the bars of another level.
_UNDONE: Final = 0.35
#: Bars of another level in a row, at most.
_LONGEST: Final = 10
#: An overnight factor from which a jump that stays is a change of scale until it is looked at.
_SCALE: Final = float(np.log(1.4))
#: And it is beyond what a volatility index opens away from its close (6 usual ranges, 1997).
_STAYS: Final = 7.0
#: Intraday bars in a row that are the same: a feed that stood still.
_STUCK: Final = 3
#: Repeated values are reported where chance would repeat them in this share of such files.
_CHANCE: Final = 1e-4
#: Where more of a file's bars are flat or without volume, that is how it trades.
_USUAL: Final = 0.05
#: Daily bars among which flat ones must be rare, and the fewest.
_YEAR: Final = EXCHANGE_SESSIONS
_SOME: Final = 20
#: Fewer bars say nothing about a file as a whole.
_FEW: Final = 21


@dataclass(frozen=True, slots=True, eq=False)
class BarCheck:
    """What was found in bars, and what is left of them.

    Attributes
    ----------
    findings : tuple of Finding
        In order of session; ``field`` names the price.
    sound : DataFrame
        The bars without what findings gate: NaN for a high or low, without the row for an open,
        a close or a whole bar; intraday bars without the session.
    bad : ndarray of datetime64[D]
        Sessions that lost a bar or a part of it, ascending.
    """

    findings: tuple[Finding, ...]
    sound: pd.DataFrame
    bad: npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class _Bars:
    """Bars in logs; shape (n,) each.

    `usual` is the range to expect by the bars up to the end of each one's session, `around` by
    those on both sides, `typical` by all bars up to that end.
    """

    session: npt.NDArray[np.datetime64]
    ts: pd.DatetimeIndex | None
    prices: dict[str, Floats]
    logs: dict[str, Floats]
    usual: Floats
    around: Floats
    typical: Floats
    volume: Floats | None
    intraday: bool


def check_bars(bars: pd.DataFrame, *, trusted: Collection[Any] = ()) -> BarCheck:
    """Check daily bars.

    Parameters
    ----------
    bars : DataFrame
        Indexed by session; ``open, high, low, close`` and perhaps ``volume``.
    trusted : collection of date
        Sessions whose bars were looked at and are right: they are reported, not gated.

    Returns
    -------
    BarCheck
    """
    days = pd.DatetimeIndex(bars.index).to_numpy().astype("datetime64[D]")
    return _checked(bars, _prepared(bars, days, None), trusted)


def check_intraday(bars: pd.DataFrame, *, trusted: Collection[Any] = ()) -> BarCheck:
    """Check intraday bars; a session with a bad bar leaves whole, since its sums would be wrong.

    Parameters
    ----------
    bars : DataFrame
        Columns ``session, ts, open, high, low, close`` and perhaps ``volume``, in order.
    trusted : collection of date
        As in `check_bars`.

    Returns
    -------
    BarCheck
    """
    days = pd.DatetimeIndex(bars["session"]).to_numpy().astype("datetime64[D]")
    return _checked(bars, _prepared(bars, days, pd.DatetimeIndex(bars["ts"])), trusted)


def _prepared(
    bars: pd.DataFrame, days: npt.NDArray[np.datetime64], ts: pd.DatetimeIndex | None
) -> _Bars:
    prices = {c: bars[c].to_numpy(dtype=np.float64) for c in _PRICES}
    logs = {c: np.log(p) for c, p in prices.items()}
    span = logs["high"] - logs["low"]
    volume = bars["volume"].to_numpy(dtype=np.float64) if "volume" in bars else None
    last = np.searchsorted(days, days, side="right") - 1  # of each bar's session
    ever = typical(span, last)
    scales = up_to(span, last, ever), around(span), ever
    return _Bars(days, ts, prices, logs, *scales, volume, ts is not None)


def _checked(bars: pd.DataFrame, given: _Bars, trusted: Collection[Any]) -> BarCheck:
    if bars.empty:
        return BarCheck((), bars, given.session)
    found = [*_shadows(given), *_outside(given), *_other_levels(given), *_repeated(given)]
    found += _flat(given)
    found += _in_doubt(given, {(row, field) for row, _, field, _ in found})
    known = np.array([np.datetime64(str(day), "D") for day in trusted], dtype="datetime64[D]")
    gated = [
        (i, field)
        for i, check, field, _ in found
        if CATALOGUE[check].gates and not np.isin(given.session[i], known)
    ]
    findings = [
        _finding(given, i, check, field, text, accepted=bool(np.isin(given.session[i], known)))
        for i, check, field, text in sorted(found)
    ]
    bad = np.unique(given.session[[i for i, _ in gated]]) if gated else given.session[:0]
    return BarCheck((*_of_the_file(given), *findings), _without(bars, given, gated), bad)


def _without(bars: pd.DataFrame, given: _Bars, gated: list[tuple[int, str]]) -> pd.DataFrame:
    """Return the bars without what is wrong."""
    if given.intraday:
        return bars[~np.isin(given.session, given.session[[i for i, _ in gated]])]
    parts = [(i, field) for i, field in gated if field in ("high", "low")]
    kept = np.ones(len(bars), np.bool_)
    kept[[i for i, field in gated if field not in ("high", "low")]] = False
    sound = bars.copy() if parts else bars
    for i, field in parts:
        sound.loc[sound.index[i], field] = np.nan
    return sound[kept]


#: Row, name of the check, field, what was measured.
_Found: TypeAlias = tuple[int, str, str, str]


def _finding(
    given: _Bars, row: int, check: str, field: str, text: str, *, accepted: bool
) -> Finding:
    session = given.session[row].item()
    moment = "" if given.ts is None else f" {given.ts[row]:%H:%M} UTC"
    detail = f"{field}{moment}: {text}" + ("; trusted, kept" if accepted else "")
    severity: Severity = "info" if accepted else CATALOGUE[check].severity
    return Finding(session, check, severity, 1, float("nan"), detail, field)


def _price(given: _Bars, field: str, row: int | np.signedinteger[Any]) -> str:
    return f"{given.prices[field][row]:g}"


def _beyond(given: _Bars) -> dict[str, Floats]:
    """Return how far each high and low lies beyond the bar's own open and close, in logs."""
    top = np.fmax(given.logs["open"], given.logs["close"])
    bottom = np.fmin(given.logs["open"], given.logs["close"])
    return {"high": given.logs["high"] - top, "low": bottom - given.logs["low"]}


def _shadow_text(given: _Bars, field: str, row: int | np.signedinteger[Any], ratio: float) -> str:
    by = f"{ratio:.1f} usual ranges" if np.isfinite(ratio) else "a factor of 1.4 or more"
    body = f"open {_price(given, 'open', row)} and close {_price(given, 'close', row)}"
    return f"{_price(given, field, row)} lies {by} beyond {body}"


def _shadows(given: _Bars) -> Iterator[_Found]:
    """Highs and lows far beyond their own open and close."""
    limit = _SHADOW_INTRADAY if given.intraday else _SHADOW
    most = np.where(np.isnan(given.usual), _SCALE, limit * given.usual)
    for field, shadow in _beyond(given).items():
        for row in np.flatnonzero(shadow > most):
            text = _shadow_text(given, field, row, float(shadow[row] / given.usual[row]))
            yield int(row), "bad_bar", field, text


def _in_doubt(given: _Bars, told: set[tuple[int, str]]) -> Iterator[_Found]:
    """What only later bars speak against, or will: shadows, flat bars, jumps near the end."""
    limit = _SHADOW_INTRADAY if given.intraday else _SHADOW_AROUND
    for field, shadow in _beyond(given).items():
        for row in np.flatnonzero(shadow > limit * given.around):
            if (int(row), field) not in told:
                ratio = float(shadow[row] / given.around[row])
                yield int(row), "bar_in_doubt", field, _shadow_text(given, field, row, ratio)
    if given.intraday:
        return
    flat = given.prices["high"] == given.prices["low"]
    if 0.0 < flat.mean() <= _USUAL:
        for row in np.flatnonzero(flat):
            if (int(row), "bar") not in told:
                text = f"high and low are both {_price(given, 'high', row)}"
                yield int(row), "bar_in_doubt", "bar", text
    known = {row for row, _ in told}
    for row in np.flatnonzero(_large(given)):
        if row >= given.session.size - _LONGEST and row not in known:
            factor = float(np.exp(_jumps(given)[row]))
            text = f"opens at {factor:.4g} times the close before: wrong if prices come back"
            yield int(row), "bar_in_doubt", "open", text


def _outside(given: _Bars) -> Iterator[_Found]:
    """Opens and closes outside low ... high; by little they are reported only."""
    o, h, lo, c = (given.logs[name] for name in _PRICES)
    with np.errstate(invalid="ignore"):
        excess = {
            "high": np.fmin(o, c) - h,
            "low": lo - np.fmax(o, c),
            "open": np.fmax(o - h, lo - o),
            "close": np.fmax(c - h, lo - c),
        }
    taken = np.zeros(o.size, np.bool_)
    for field, beyond in excess.items():
        out = (beyond > 1e-9) & ~taken
        taken |= out
        ratio = beyond / given.usual
        for row in np.flatnonzero(out):
            far = not ratio[row] <= _OUTSIDE
            text = (
                f"{_price(given, field, row)} contradicts the bar's other prices "
                f"({', '.join(f'{n} {_price(given, n, row)}' for n in _PRICES if n != field)})"
            )
            yield int(row), "bad_bar" if far else "bar_outside_range", field, text


def _jumps(given: _Bars) -> Floats:
    """Log distance of each bar's open from the close before; NaN on the first."""
    out = np.full(given.session.size, np.nan)
    out[1:] = given.logs["open"][1:] - given.logs["close"][:-1]
    return out


def _wide(given: _Bars) -> Floats:
    """Return the larger usual range of each bar and the one before."""
    before = np.append(np.nan, given.usual[:-1])
    return np.where(before > given.usual, before, np.where(given.usual > 0.0, given.usual, before))


def _large(given: _Bars) -> Flags:
    """Return which bars open far from the close before."""
    wide = _wide(given)
    limit = np.where(np.isnan(wide), _SCALE, _JUMP * wide)
    if given.intraday:
        limit = np.fmax(limit, np.fmax(_JUMP_TYPICAL * given.typical, _JUMP_LEAST))
    return np.asarray(np.abs(_jumps(given)) > limit)


def _other_levels(given: _Bars) -> Iterator[_Found]:
    """Bars between a jump and the jump back; and jumps that stay, as those of splits do."""
    jump, wide = _jumps(given), _wide(given)
    large = np.flatnonzero(_large(given))
    done: set[int] = set()
    for k, row in enumerate(large):
        if row in done:
            continue
        back = _undone(jump, large[k + 1 :], int(row))
        if back:
            done |= {*range(int(row), back + 1)}
            for i in range(int(row), back):
                factor = float(np.exp(jump[row]))
                digits = 6 if abs(factor - 1.0) < 0.01 else 4  # "1 times" would say nothing
                text = (
                    f"all prices are {factor:.{digits}g} times those before and after (close "
                    f"{_price(given, 'close', i)}, before {_price(given, 'close', int(row) - 1)})"
                )
                yield i, "bad_bar", "bar", text
        elif not given.intraday and abs(jump[row]) > np.fmax(_SCALE, _STAYS * wide[row]):
            factor = float(np.exp(jump[row]))
            text = (
                f"opens at {factor:.4g} times the close before and stays there: an unadjusted "
                "split, another unit, or a true move"
            )
            yield int(row), "price_scale_changed", "open", text


def _undone(jump: Floats, later: npt.NDArray[np.intp], row: int) -> int:
    """Return the row of the jump that undoes one, 0 where none does."""
    for back in later:
        if back - row > _LONGEST:
            break
        if abs(jump[row] + jump[back]) <= _UNDONE * abs(jump[row]):
            return int(back)
    return 0


def _repeated(given: _Bars) -> Iterator[_Found]:
    """Bars that are the one before, and prices that stand still for longer than chance has it."""
    same = {c: np.append(False, np.diff(p) == 0.0) for c, p in given.prices.items()}
    flat = given.prices["high"] == given.prices["low"]
    whole = np.logical_and.reduce(list(same.values())) & ~flat
    stuck = _run_lengths(whole) >= _STUCK if given.intraday else whole
    for row in np.flatnonzero(stuck):
        yield int(row), "bad_bar", "bar", "open, high, low and close are those of the bar before"
    yield from _standing_still(given, np.logical_and.reduce(list(same.values())))
    for field, repeats in same.items() if not given.intraday else ():
        chance = max(float(np.mean(repeats)), 1.0 / max(repeats.size, 1))
        run = _run_lengths(repeats)
        for row in np.flatnonzero((run >= 2) & (chance ** run.astype(float) < _CHANCE)):
            if not whole[row] and (row + 1 == run.size or run[row + 1] == 0):
                text = f"{_price(given, field, row)} for {run[row] + 1} bars in a row"
                yield int(row), "repeated_price", field, text


def _standing_still(given: _Bars, same: Flags) -> Iterator[_Found]:
    """Intraday bars that stay the same without a range, where there were hardly such bars."""
    if not given.intraday:
        return
    run = _run_lengths(same)
    begun = np.maximum(np.arange(same.size) - run, 1)  # as often as they were before the run
    chance = np.fmax(np.cumsum(same)[begun - 1] / begun, 1.0 / begun)
    long = (run >= _STUCK) & (chance ** run.astype(float) < _CHANCE**2)
    for row in np.flatnonzero(long & (given.prices["high"] == given.prices["low"])):
        text = f"{_price(given, 'close', row)} without a move for {run[row] + 1} bars"
        yield int(row), "bad_bar", "bar", text


def _run_lengths(repeats: Flags) -> npt.NDArray[np.int64]:
    """Return how many repeats in a row end at each place."""
    count = np.cumsum(repeats)
    start = np.maximum.accumulate(np.where(repeats, 0, count))
    return np.asarray(count - start, dtype=np.int64)


def _flat(given: _Bars) -> Iterator[_Found]:
    """Bars without a range or volume, in files whose bars have them."""
    flat = given.prices["high"] == given.prices["low"]
    if not given.intraday:
        rare = share_until(flat, _YEAR, _SOME) <= _USUAL
        for row in np.flatnonzero(flat & rare):
            text = f"high and low are both {_price(given, 'high', row)}"
            yield int(row), "flat_bar", "bar", text
    if given.volume is None:
        return
    none = given.volume == 0.0
    if 0.0 < none.mean() <= _USUAL:
        for row in np.flatnonzero(none):
            yield int(row), "no_volume", "volume", "0, where other bars have some"


def _of_the_file(given: _Bars) -> Iterator[Finding]:
    """Report opens and closes that look exchanged, and opens that are the close before."""
    if given.intraday or given.session.size < _FEW:
        return
    o, c = given.logs["open"], given.logs["close"]
    gap = float(np.median(np.abs(o[1:] - c[:-1])))
    crossed = float(np.median(np.abs(c[1:] - o[:-1])))
    if crossed < 0.5 * gap:
        text = (
            "open and close look exchanged: closes lie nearer to the open before "
            f"({crossed:.2%}) than opens to the close before ({gap:.2%})"
        )
        severity = CATALOGUE["fields_exchanged"].severity
        yield Finding(None, "fields_exchanged", severity, o.size, float("nan"), text, "open")
    stale = o[1:] == c[:-1]
    if stale.mean() > 0.2:
        severity = CATALOGUE["opens_are_closes"].severity
        text = f"{stale.mean():.0%} of the opens are the close before, to the last digit"
        count = int(stale.sum())
        yield Finding(None, "opens_are_closes", severity, count, float("nan"), text, "open")
