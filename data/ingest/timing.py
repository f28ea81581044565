"""Session, settlement and moments for typed rows, and the first reason to reject a row.

Moments are counted in microseconds and days in days since 1970, both as int64: a table of a hundred
thousand rows is then dated in a few milliseconds. `NONE` is a moment or day that is not known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import InputFileError
from ..base.schema import CHAIN_COLUMNS
from ..vendors.projection import PROJECTED, TAKEN, raw_key
from ..vendors.roots import AM_INDICES, index_name, root_facts, same_underlying, symbol_parts
from .calendar_tables import calendar_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..vendors.preset import InputFile, Preset, Timing
    from ..vendors.roots import Root
    from .joined_file import JoinedFile

__all__ = ["Dating", "dated_join", "refused", "stated"]

_Ints = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.int8]
_Flags = npt.NDArray[np.bool_]

NONE: Final = int(np.iinfo(np.int64).min)
_DAY: Final = 86_400_000_000
_MOMENT: Final = pa.timestamp("us", tz="UTC")
#: Codes of a settlement; the last is decided by the order of the file's rows.
_PM, _AM, _UNDECIDED, _UNKNOWN = range(4)
_RULES: Final = {"PM": _PM, "AM": _AM, None: _UNKNOWN}
_SETTLEMENTS: Final = {"AM": _AM, "A": _AM, "PM": _PM, "P": _PM}
_RIGHTS: Final = ("C", "P")
_SIDES: Final = dict.fromkeys(
    ("C", "CALL", "CALLS", "CE", "CA", "CALL OPTION", "買權", "认购", "認購", "购", "コール", "콜"),
    0,
) | dict.fromkeys(
    ("P", "PUT", "PUTS", "PE", "PA", "PUT OPTION", "賣權", "认沽", "認沽", "沽", "プット", "풋"), 1
)
#: Smaller prices count as missing: 1/price would overflow.
_LEAST: Final = 1e-15
#: In the order in which they are looked for.
_REASONS: Final = ("not_a_session", "spot_missing", "bad_contract", "negative_open_interest")
_MISSING: Final = {
    "settlement": "it states no settlement and no root for a row: say in [timing] settlement what "
    "holds there",
    "known_at": "it states for a row no time at which it was known: say in [timing] known_at what "
    "holds there",
}


@dataclass(frozen=True, slots=True)
class _Calendar:
    """One exchange's calendar under one set of timing rules, each value found by its day.

    Attributes
    ----------
    session : tuple of int and ndarray
        First day, and for each day from there the position of the session on it, -1 for none.
    close, quote, known, settled : ndarray
        By session: close, the moments that the rules give, the day of the open interest.
    stamp_day : int
        First day of the following three.
    opens, session_here, session_before : ndarray
        By day in UTC: open of the session that opens on it, that session, the session before it.
    expiry_day : int
        First day of the following three.
    expiry_open, expiry_close, is_monthly : ndarray
        By listed expiration.
    """

    session: tuple[int, _Ints]
    close: _Ints
    quote: _Ints
    known: _Ints
    settled: _Ints
    stamp_day: int
    opens: _Ints
    session_here: _Ints
    session_before: _Ints
    expiry_day: int
    expiry_open: _Ints
    expiry_close: _Ints
    is_monthly: _Flags


@lru_cache(maxsize=8)
def _calendar(timing: Timing) -> _Calendar:
    tables = calendar_tables(timing)
    sessions, stamps, expiries = tables.sessions, tables.stamps, tables.expiries
    days = _plain(sessions.column("session"))
    position = np.full(int(days[-1] - days[0]) + 1, -1)
    position[days - days[0]] = np.arange(len(days))
    return _Calendar(
        session=(int(days[0]), position),
        close=_plain(sessions.column("close_ts")),
        quote=_plain(sessions.column("quote_ts")),
        known=_plain(sessions.column("known_at")),
        settled=_plain(sessions.column("oi_asof")),
        stamp_day=int(_plain(stamps.column("day"))[0]),
        opens=_plain(stamps.column("open_ts")),
        session_here=_plain(stamps.column("session")),
        session_before=_plain(stamps.column("before")),
        expiry_day=int(_plain(expiries.column("expiry"))[0]),
        expiry_open=_plain(expiries.column("open_ts")),
        expiry_close=_plain(expiries.column("close_ts")),
        is_monthly=expiries.column("is_monthly").to_numpy(),
    )


@dataclass(frozen=True, slots=True)
class Dating:
    """How the rows of an ingest get what follows from the calendar and the vendor's rules.

    Attributes
    ----------
    preset : Preset
        Its timing.
    underlying : str
        Rows of others are left out.
    files : sequence of InputFile
        What `file_index` counts through.
    joins : tuple of JoinedFile
        Files that give further columns.
    others : Counter of str
        How many rows of each other underlying were met so far.
    left_out : Counter of str
        How many rows the map does not ask for, were met so far.
    """

    preset: Preset
    underlying: str
    files: Sequence[InputFile]
    joins: tuple[JoinedFile, ...] = ()
    others: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def dated(self, table: Any) -> Any:
        """Return the rows of the underlying, dated and settled, in the table's order.

        Parameters
        ----------
        table : pyarrow.Table
            Columns of the view ``contracts`` that `stated` names; the others are NULL throughout.

        Returns
        -------
        pyarrow.Table
            What the table states of canonical columns, filled in by the calendar: `session`,
            `quote_ts`, `settlement`, `expiry_ts`, `oi_asof` and `known_at`; `file_index`;
            `reject`, NULL where the row may enter the lake; under the third-Friday rule
            `morning_ts`: NULL where settlement is decided. Where it is not, settlement is NULL,
            `expiry_ts` the one of PM and `morning_ts` that of AM.

        Raises
        ------
        InputFileError
            If settlement is neither AM nor PM, or is given neither by the row nor by the timing
            rules, or the publication time is.
        """
        table = self._own(self._asked(table))
        timing, calendar = self.preset.timing, _calendar(self.preset.timing)
        stamp = _numbers_of(table, "quote_ts")
        position = _session_position(_numbers_of(table, "session"), stamp, calendar)
        listed = _within(
            _numbers_of(table, "expiry"), calendar.expiry_day, len(calendar.is_monthly)
        )
        right = _coded(table, "right", _side)
        table, known_later = self._joined(table, position, right, calendar)
        stamp = _numbers_of(table, "quote_ts")
        reject = _reject(table, position, listed, right)
        self.left_out["outside"] += _outside(table, position, calendar)
        quote = _or(stamp, _at(calendar.quote, position))
        close = _at(calendar.close, position)
        rule = quote if timing.known_at == "quote" else _at(calendar.known, position)
        known = np.maximum(np.maximum(_numbers_of(table, "known_at"), rule), known_later)
        self._refuse_missing(table, "known_at", (known == NONE) & (reject < 0))
        facts = _roots(table, self.underlying)
        monthly = _at(calendar.is_monthly, listed, False)
        settlement = self._settlement(table, monthly, reject, facts)
        made = {
            "file_index": table.column("file_index"),
            "reject": _words(reject, _REASONS),
            "session": _days(_at(_sessions(calendar), position)),
            "quote_ts": _moments(_least(quote, close)),
            "settlement": _words(np.where(settlement < 2, settlement, -1), ("PM", "AM")),
            "right": _words(right, _RIGHTS),
            "oi_asof": _days(self._settled(table, _at(calendar.settled, position))),
            "known_at": _moments(known),
            **_ends(table, settlement, listed, calendar, timing),
            **_volatility(table),
            **_deliverable(table, facts),
        }
        for name in table.column_names:
            if name in CHAIN_COLUMNS and name not in made and name != "underlying":
                made[name] = table.column(name)
        return pa.table(made)

    def _asked(self, table: Any) -> Any:
        """Return the rows that the map asks for, and count the others."""
        if TAKEN not in table.column_names:
            return table
        taken = table.column(TAKEN)
        count = len(table) - int(pc.sum(taken).as_py() or 0)
        if count:
            self.left_out["where"] += count
        return table.filter(taken)

    def _joined(
        self, table: Any, position: _Ints, right: _Codes, calendar: _Calendar
    ) -> tuple[Any, _Ints]:
        """Return the rows with what joins give, and when that was known."""
        known = np.full(len(table), NONE)
        if not self.joins or not len(table):
            return table, known
        day = _at(_sessions(calendar), position)
        typed = {"session": _days(day), "right": _words(right, _RIGHTS).cast(pa.string())}
        for joined in self.joins:
            keys = {n: typed[n] if n in typed else table.column(n) for n in joined.keys}
            found = joined.looked_up(keys)
            matched = pc.fill_null(found.column("matched"), False)
            covered = np.isin(day, list(joined.sessions)) if joined.sessions else None
            joined.unmatched["rows"] += len(table) - int(pc.sum(matched).as_py() or 0)
            for name in joined.join.given:
                value = _filled(found.column(name), joined.join.absent.get(name), covered)
                table = _laid_over(table, name, value)
            if "open_interest" in joined.join.given:
                settled = found.column("oi_asof")
                if covered is not None and "open_interest" in joined.join.absent:
                    settled = pc.coalesce(settled, pc.max(settled))
                table = _laid_over(table, "oi_asof", settled)
            known = np.maximum(known, _plain(found.column("known_at")))
        return table, known

    def _own(self, table: Any) -> Any:
        """Return the rows of the underlying, and count the others'."""
        if "underlying" not in table.column_names:
            return table
        named = table.column("underlying")
        mine = _coded(table, "underlying", self._is_mine)
        keep = pa.array(mine != 0)
        if pc.all(keep).as_py() or not len(table):
            return table
        for found in pc.value_counts(named.filter(pc.invert(keep))).to_pylist():
            self.others[found["values"]] += found["counts"]
        return table.filter(keep)

    def _is_mine(self, name: str) -> int:
        """Return 1 for a name of the underlying, 0 for another's."""
        said = self.preset.dialect.aliases.get(self.underlying.upper(), ())
        known = any(name.strip().upper() == alias.strip().upper() for alias in said)
        return int(known or same_underlying(name, self.underlying))

    def _settlement(
        self, table: Any, monthly: _Flags, reject: _Codes, facts: list[Root | None]
    ) -> _Codes:
        """Return the code of how each row settles: a column says so, or its root, or the rule."""
        stated = _coded(table, "settlement", _stated_settlement)
        self._refuse_unread(table, "settlement", stated)
        rule = self.preset.timing.settlement
        if rule == "third_friday":
            opens = index_name(self.underlying) in AM_INDICES
            code = np.where(monthly & opens, _UNDECIDED, _PM).astype(np.int8)
        else:
            code = np.full(len(table), _RULES[rule], dtype=np.int8)
        if "root" in table.column_names:
            default = _PM if rule in (None, "third_friday") else _RULES[rule]
            codes = [_root_code(fact, default) for fact in facts]
            by_root = np.array(codes, dtype=np.int8)[_root_index(table)]
            code = np.where(by_root >= 0, by_root, code)
        code = np.where(stated >= 0, stated, code)
        self._refuse_missing(table, "settlement", (code == _UNKNOWN) & (reject < 0))
        return code

    def _settled(self, table: Any, rule: _Ints) -> _Ints:
        if "open_interest" not in table.column_names:
            return np.full(len(table), NONE)
        known = _valid(table.column("open_interest"))
        return np.where(known, _or(_numbers_of(table, "oi_asof"), rule), NONE)

    def _refuse_unread(self, table: Any, name: str, codes: _Codes) -> None:
        """Refuse text that is there and was not understood."""
        if name not in table.column_names or not (codes < 0).any():
            return
        unread = np.flatnonzero((codes < 0) & _valid(table.column(name)))
        if len(unread):
            row = int(unread[0])
            value = table.column(name)[row].as_py()
            raise refused(self._file(table, row), name, value[:80])

    def _refuse_missing(self, table: Any, name: str, missing: _Flags) -> None:
        if missing.any():
            raise refused(self._file(table, int(np.argmax(missing))), name, "")

    def _file(self, table: Any, row: int) -> InputFile:
        index: int = table.column("file_index")[row].as_py()
        return self.files[index]


def _side(word: str) -> int:
    return _SIDES.get(word.strip(" ").upper(), -1)


def _stated_settlement(word: str) -> int:
    return _SETTLEMENTS.get(word, -1)


def _roots(table: Any, underlying: str) -> list[Root | None]:
    """Return what is known of the table's distinct roots, None (last) for rows without one."""
    if "root" not in table.column_names:
        return [None]
    words = table.column("root").combine_chunks().dictionary_encode().dictionary.to_pylist()
    return [*(root_facts(word, underlying) for word in words), None]


def _root_index(table: Any) -> Any:
    """Return for each row the place of its root among `_roots`."""
    encoded = table.column("root").combine_chunks().dictionary_encode()
    filled = pc.fill_null(encoded.indices, len(encoded.dictionary))
    return filled.to_numpy(zero_copy_only=False)


def _root_code(fact: Root | None, default: int) -> int:
    """Return the code of a root's settlement, -1 where the rule decides."""
    if fact is None:
        return -1
    if fact.settlement is not None:
        return _AM if fact.settlement == "AM" else _PM
    return default


def _deliverable(table: Any, facts: list[Root | None]) -> dict[str, Any]:
    """Return multipliers: as stated, else by the root; NULL where the root is not a standard one.

    Roots are returned without what symbols add to them.
    """
    found: dict[str, Any] = {}
    by_root = pa.array([100.0 if f is None else f.multiplier for f in facts], pa.float64())
    index = _root_index(table) if "root" in table.column_names else np.zeros(len(table), int)
    usual = by_root.take(pa.array(index))
    if "multiplier" in table.column_names:
        stated = table.column("multiplier")
        usual = pc.coalesce(pc.if_else(pc.greater(stated, 0.0), stated, None), usual)
    found["multiplier"] = usual
    if "root" in table.column_names:
        words = table.column("root").combine_chunks().dictionary_encode().dictionary.to_pylist()
        plain = [p[0] if (p := symbol_parts(w)) is not None else w for w in words]
        found["root"] = pa.array([*plain, None], pa.string()).take(pa.array(index))
    return found


def _filled(values: Any, absent: float | None, covered: _Flags | None) -> Any:
    """Return values with what the absence of a contract means where its session is covered."""
    if absent is None or covered is None:
        return values
    missing = pc.and_(pc.is_null(values), pa.array(covered))
    return pc.if_else(missing, absent, values)


def _laid_over(table: Any, name: str, values: Any) -> Any:
    """Return a table with values in a column, over those that it had."""
    if name not in table.column_names:
        return table.append_column(name, values)
    place = table.column_names.index(name)
    had = table.column(name)
    return table.set_column(place, name, pc.coalesce(values.cast(had.type), had))


def dated_join(table: Any, preset: Preset, given: Sequence[str], keys: Sequence[str]) -> Any:
    """Return the rows of a joined file with their session and when they were settled and known.

    Rows after their session's close are left out, and so are rows of no session where session is
    a key.

    Returns
    -------
    pyarrow.Table
        Keys and given columns, ``quote_ts``, ``oi_asof``, ``known_at``.
    """
    calendar = _calendar(preset.timing)
    stamp = _numbers_of(table, "quote_ts")
    position = _session_position(_numbers_of(table, "session"), stamp, calendar)
    close = _at(calendar.close, position)
    rule = _at(calendar.known, position)
    if preset.timing.known_at == "quote":
        rule = _or(stamp, _at(calendar.quote, position))
    made = {
        "session": _days(_at(_sessions(calendar), position)),
        "right": _words(_coded(table, "right", _side), _RIGHTS).cast(pa.string()),
    }
    names = list(dict.fromkeys([*keys, *given]))
    kept = {n: made[n] if n in made else table.column(n) for n in names}
    if "root" in kept:
        roots = kept["root"].to_pylist()
        plain = [p[0] if r and (p := symbol_parts(r)) else r for r in roots]
        kept["root"] = pa.array(plain, pa.string())
    settled = _or(_numbers_of(table, "oi_asof"), _at(calendar.settled, position))
    known = np.maximum(_numbers_of(table, "known_at"), rule)
    kept["oi_asof"], kept["known_at"] = _days(settled), _moments(known)
    kept["quote_ts"] = _moments(stamp)
    late = (stamp != NONE) & (close != NONE) & (stamp > close)
    keep = ~late & ((position >= 0) if "session" in keys else True)
    return pa.table(kept).filter(pa.array(keep))


def stated(preset: Preset) -> tuple[str, ...]:
    """Return the columns of the view ``contracts`` that a preset states, and `file_index`."""
    given = {*preset.columns, *preset.constants, *preset.dialect.path}
    if preset.dialect.spot is not None:
        given.add("spot")
    more = [TAKEN] if preset.dialect.where else []
    keys = [mine for join in preset.joins for mine, _ in join.keys if mine not in CHAIN_COLUMNS]
    more += [raw_key(name) for name in dict.fromkeys(keys)]
    return (*(name for name in PROJECTED if name in given), *more, "file_index")


def refused(file: InputFile, column: str, value: str) -> InputFileError:
    """Return the error for a value that is not what its column should hold; empty for none."""
    if value == "" and column in _MISSING:
        return InputFileError(f"{file.label}: {_MISSING[column]}")
    expected = "AM or PM" if column == "settlement" else "a number or a date"
    return InputFileError(
        f"{file.label}: column for {column} holds {value!r} where {expected} is expected: correct "
        "the value, or map another column"
    )


def _session_position(stated: _Ints, stamp: _Ints, calendar: _Calendar) -> _Ints:
    """Return the position of each row's session: the stated one, else the stamp's; -1 for none."""
    day = stated
    if (stamp != NONE).any() and (stated == NONE).any():
        here = _within(
            np.where(stamp == NONE, NONE, stamp // _DAY), calendar.stamp_day, len(calendar.opens)
        )
        opens = _at(calendar.opens, here)
        opened = (opens != NONE) & (stamp >= opens)
        by_stamp = np.where(
            opened, _at(calendar.session_here, here), _at(calendar.session_before, here)
        )
        day = _or(stated, by_stamp)
    first, position = calendar.session
    found: _Ints = _at(position, _within(day, first, len(position)), -1)
    return found


def _outside(table: Any, position: _Ints, calendar: _Calendar) -> int:
    """Return how many rows of no session state a day beyond the calendar's bounds."""
    day = _numbers_of(table, "session")
    first, places = calendar.session
    strange = (position < 0) & (day != NONE) & ((day < first) | (day >= first + len(places)))
    return int(strange.sum())


def _reject(table: Any, position: _Ints, listed: _Ints, right: _Codes) -> _Codes:
    """Return the position among `_REASONS` of the first reason to reject each row, -1 for none."""
    strike, spot = _number(table, "strike"), _number(table, "spot")
    negative = _number(table, "open_interest") < 0
    code = np.where(negative, np.int8(3), np.int8(-1))
    code[(listed < 0) | ~(strike > _LEAST) | (right < 0)] = 2
    code[~(spot > _LEAST)] = 1
    code[position < 0] = 0
    return code


def _ends(
    table: Any, settlement: _Codes, listed: _Ints, calendar: _Calendar, timing: Timing
) -> dict[str, Any]:
    """Return when contracts stop existing, at the open or the close of their last session."""
    stated = _numbers_of(table, "expiry_ts")
    at_open, at_close = _at(calendar.expiry_open, listed), _at(calendar.expiry_close, listed)
    found = {"expiry_ts": _moments(_or(stated, np.where(settlement == _AM, at_open, at_close)))}
    if timing.settlement == "third_friday":
        morning = np.where(settlement == _UNDECIDED, _or(stated, at_open), NONE)
        found["morning_ts"] = _moments(morning)
    return found


def _volatility(table: Any) -> dict[str, Any]:
    """Return volatilities within 0.01 ... 10, and apart from them positive ones outside."""
    if "iv" not in table.column_names:
        return {}
    iv = _number(table, "iv")
    inside = (iv >= 0.01) & (iv <= 10)
    outside = np.where((iv > 0) & ~inside, iv, _number(table, "iv_outside"))
    return {"iv": _numbers(np.where(inside, iv, np.nan)), "iv_outside": _numbers(outside)}


def _sessions(calendar: _Calendar) -> _Ints:
    first, position = calendar.session
    found: _Ints = first + np.flatnonzero(position >= 0)
    return found


def _plain(column: Any) -> _Ints:
    """Return moments or days as numbers, `NONE` where NULL."""
    column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    width = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    values = column.view(width).cast(pa.int64())
    filled = pc.fill_null(values, NONE) if column.null_count else values
    found: _Ints = filled.to_numpy(zero_copy_only=False)
    return found


def _numbers_of(table: Any, name: str) -> _Ints:
    """Return a column of moments or days, `NONE` where NULL or absent."""
    if name not in table.column_names or not len(table):
        return np.full(len(table), NONE)
    return _plain(table.column(name))


def _number(table: Any, name: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers, NaN where NULL."""
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    found: npt.NDArray[np.float64] = table.column(name).to_numpy()
    return found


def _valid(column: Any) -> _Flags:
    if not column.null_count:
        return np.ones(len(column), dtype=bool)
    found: _Flags = column.is_valid().to_numpy()
    return found


def _coded(table: Any, name: str, code_of: Callable[[str], int]) -> _Codes:
    """Return the code of each word, -1 where it is NULL."""
    if name not in table.column_names:
        return np.full(len(table), -1, dtype=np.int8)
    encoded = table.column(name).combine_chunks().dictionary_encode()
    known = [code_of(word) for word in encoded.dictionary.to_pylist()]
    index = pc.fill_null(encoded.indices, len(known)).to_numpy(zero_copy_only=False)
    found: _Codes = np.array([*known, -1], dtype=np.int8)[index]
    return found


def _within(day: _Ints, first: int, count: int) -> _Ints:
    """Return how many days each day is after the first, -1 where it is none of so many."""
    offset = day - first
    inside = (day != NONE) & (offset >= 0) & (offset < count)
    return np.where(inside, offset, -1)


def _at(values: Any, position: _Ints, missing: Any = NONE) -> Any:
    """Return the values at positions, `missing` where a position is -1."""
    found = values[position]
    nowhere = position < 0
    if nowhere.any():
        found[nowhere] = missing
    return found


def _or(first: _Ints, second: _Ints) -> _Ints:
    return np.where(first == NONE, second, first)


def _least(first: _Ints, second: _Ints) -> _Ints:
    """Return the earlier moment, the other one where one is not known."""
    both = (first != NONE) & (second != NONE)
    return np.where(both, np.minimum(first, second), np.maximum(first, second))


def _masked(values: Any, missing: _Flags) -> Any:
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)


def _moments(values: _Ints) -> Any:
    return _masked(values, values == NONE).view(_MOMENT)


def _days(values: _Ints) -> Any:
    missing = values == NONE
    return _masked(np.where(missing, 0, values).astype(np.int32), missing).view(pa.date32())


def _numbers(values: npt.NDArray[np.float64]) -> Any:
    return _masked(values, np.isnan(values))


def _words(codes: npt.NDArray[np.integer], words: Sequence[str]) -> Any:
    """Return words by their codes, NULL where a code is negative."""
    missing = codes < 0
    indices = _masked(codes.astype(np.int32), missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words))
