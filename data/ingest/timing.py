"""Session, settlement and moments for typed rows, and the first reason to reject a row.

Moments are counted in microseconds and days in days since 1970, both as int64: a table of a hundred
thousand rows is then dated in a few milliseconds. `NONE` is a moment or day that is not known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import InputFileError
from ..base.schema import CHAIN_COLUMNS
from ..lake.arrow_tables import array_of
from ..vendors.projection import PROJECTED, TAKEN, raw_key
from ..vendors.roots import AM_INDICES, index_name, same_underlying
from .arrow_arrays import (
    NONE,
    Codes,
    Flags,
    Ints,
    codes_of,
    day_array,
    earliest,
    first_known,
    float_array,
    floats_of,
    integers,
    integers_of,
    is_there,
    moment_array,
    taken_at,
    word_array,
)
from .contract_roots import (
    AM,
    PM,
    UNDECIDED,
    UNKNOWN,
    deliverable,
    plain_roots,
    root_code,
    root_index,
    roots_of,
)
from .open_interest_lag import settled_of_rows
from .session_lookup import (
    SessionLookup,
    offset_within,
    rows_outside,
    session_lookup,
    session_position,
    sessions_of,
)
from .spellings import SAID, spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..vendors.roots import Root
    from ..vendors.vendor_preset import InputFile, Preset, Timing
    from .joined_file import JoinedFile

__all__ = ["Dating", "TwoSpellingsError", "dated_join", "refused", "stated"]


_RULES: Final = {"PM": PM, "AM": AM, None: UNKNOWN}
_SETTLEMENTS: Final = {"AM": AM, "A": AM, "PM": PM, "P": PM}
_RIGHTS: Final = ("C", "P")
_SIDES: Final = dict.fromkeys(
    ("C", "CALL", "CALLS", "CE", "CA", "CALL OPTION", "買權", "认购", "認購", "购", "コール", "콜"),
    0,
) | dict.fromkeys(
    ("P", "PUT", "PUTS", "PE", "PA", "PUT OPTION", "賣權", "认沽", "認沽", "沽", "プット", "풋"), 1
)
#: Codes are of 8 bits.
_MOST_SPELLINGS: Final = 127
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


class TwoSpellingsError(Exception):
    """Files hold two names that differ in case alone: they are two underlyings."""


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
    exact : bool
        A name that differs from the underlying's in case alone is another's.
    named : bool
        All rows are the underlying's.
    spelled : set of str
        How the files spelled the underlying so far, where case alone differs.
    several : bool
        Rows that are all the underlying's name it in more than one way.
    spellings : list of str
        How the files named the underlying so far: what `said` counts through, from 1.
    """

    preset: Preset
    underlying: str
    files: Sequence[InputFile]
    joins: tuple[JoinedFile, ...] = ()
    others: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    exact: bool = False
    named: bool = False
    spelled: set[str] = field(default_factory=set)
    several: bool = False
    spellings: list[str] = field(default_factory=list)

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
        table, said = self._own(self._asked(table))
        timing, calendar = self.preset.timing, session_lookup(self.preset.timing)
        stamp = integers_of(table, "quote_ts")
        position = session_position(integers_of(table, "session"), stamp, calendar)
        listed = offset_within(
            integers_of(table, "expiry"), calendar.expiry_day, len(calendar.is_monthly)
        )
        right = codes_of(table, "right", _side)
        stated = integers_of(table, "known_at")
        if self.joins:
            table, later = self._joined(table, position, right, calendar)
            stamp = integers_of(table, "quote_ts")
            stated = np.maximum(integers_of(table, "known_at"), later)
        reject = _reject(table, position, listed, right)
        self.left_out["outside"] += rows_outside(table, position, calendar)
        quote = taken_at(calendar.quote, position)
        shown = taken_at(calendar.shown, position)
        if (stamp != NONE).any():
            quote = first_known(stamp, quote)
            shown = earliest(quote, taken_at(calendar.close, position))
        rule = quote if timing.known_at == "quote" else taken_at(calendar.known, position)
        known = np.maximum(stated, rule)
        self._refuse_missing(table, "known_at", (known == NONE) & (reject < 0))
        facts = roots_of(table, self.underlying)
        monthly = taken_at(calendar.is_monthly, listed, False)
        settlement = self._settlement(table, monthly, reject, facts)
        made = {
            "file_index": table.column("file_index"),
            "reject": word_array(reject, _REASONS),
            "session": day_array(taken_at(sessions_of(calendar), position)),
            "quote_ts": moment_array(shown),
            "settlement": word_array(np.where(settlement < 2, settlement, -1), ("PM", "AM")),
            "right": word_array(right, _RIGHTS),
            "oi_asof": day_array(settled_of_rows(table, taken_at(calendar.settled, position))),
            "known_at": moment_array(known),
            **_ends(table, settlement, listed, calendar, timing),
            **_volatility(table),
            **deliverable(table, facts),
            **({} if said is None else {SAID: pa.array(said)}),
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
        self, table: Any, position: Ints, right: Codes, calendar: SessionLookup
    ) -> tuple[Any, Ints]:
        """Return the rows with what joins give, and when that was known."""
        known = np.full(len(table), NONE)
        if not len(table):
            return table, known
        day = taken_at(sessions_of(calendar), position)
        typed = {"session": day_array(day), "right": word_array(right, _RIGHTS).cast(pa.string())}
        # a key from a whole symbol is its plain root, in the chains as in the files that are joined
        if "root" in table.column_names:
            typed["root"] = plain_roots(table.column("root"))
        if "underlying" in table.column_names:
            typed["underlying"] = pc.utf8_upper(table.column("underlying"))
        for joined in self.joins:
            keys = {n: typed[n] if n in typed else table.column(n) for n in joined.keys}
            found = joined.looked_up(keys)
            matched = pc.fill_null(found.column("matched"), False)
            covered = np.isin(day, list(joined.sessions)) if joined.sessions else None
            joined.count(int(pc.sum(matched).as_py() or 0), keys)
            for name in joined.join.given:
                value = _filled(found.column(name), joined.join.absent.get(name), covered)
                table = _laid_over(table, name, value)
            if "open_interest" in joined.join.given:
                settled = found.column("oi_asof")
                if covered is not None and "open_interest" in joined.join.absent:
                    settled = pc.coalesce(settled, pc.max(settled))
                table = _laid_over(table, "oi_asof", settled)
            known = np.maximum(known, integers(found.column("known_at")))
        return table, known

    def _own(self, table: Any) -> tuple[Any, Codes | None]:
        """Return the rows of the underlying and how they spell it, and count the others'."""
        if "underlying" not in table.column_names or (self.named and not self.several):
            return table, None
        if self.named:
            return table, codes_of(table, "underlying", self._spelling)
        named = table.column("underlying")
        mine = codes_of(table, "underlying", self._is_mine)
        if len(self.spelled) > 1 and not self.exact:
            raise TwoSpellingsError
        keep = array_of(mine != 0)
        if pc.all(keep).as_py() or not len(table):
            return table, mine
        for found in pc.value_counts(named.filter(pc.invert(keep))).to_pylist():
            self.others[found["values"]] += found["counts"]
        return table.filter(keep), mine[mine != 0]

    def _spelling(self, name: str) -> int:
        """Return the place of a name among the spellings so far, from 1; one place for too many."""
        said = spelling(name)
        if said not in self.spellings:
            self.spellings.append(said)
        return min(self.spellings.index(said) + 1, _MOST_SPELLINGS)

    def _is_mine(self, name: str) -> int:
        """Return the place of the underlying's name among its spellings, 0 for another's."""
        said = self.preset.dialect.aliases.get(self.underlying.upper(), ())
        if name in said:
            return self._spelling(name)
        if name.upper() == self.underlying.upper():
            self.spelled.add(name)
            mine = name == self.underlying or not self.exact
            return self._spelling(name) if mine else 0
        known = any(name.strip().upper() == alias.strip().upper() for alias in said)
        mine = known or same_underlying(name, self.underlying)
        return self._spelling(name) if mine else 0

    def _settlement(
        self, table: Any, monthly: Flags, reject: Codes, facts: list[Root | None]
    ) -> Codes:
        """Return the code of how each row settles: a column says so, or its root, or the rule."""
        stated = codes_of(table, "settlement", _stated_settlement)
        self._refuse_unread(table, "settlement", stated)
        rule = self.preset.timing.settlement
        if rule == "third_friday":
            opens = index_name(self.underlying) in AM_INDICES
            code = np.where(monthly & opens, UNDECIDED, PM).astype(np.int8)
        else:
            code = np.full(len(table), _RULES[rule], dtype=np.int8)
        if "root" in table.column_names:
            default = PM if rule in (None, "third_friday") else _RULES[rule]
            codes = [root_code(fact, default) for fact in facts]
            by_root = np.array(codes, dtype=np.int8)[root_index(table)]
            code = np.where(by_root >= 0, by_root, code)
        code = np.where(stated >= 0, stated, code)
        self._refuse_missing(table, "settlement", (code == UNKNOWN) & (reject < 0))
        return code

    def _refuse_unread(self, table: Any, name: str, codes: Codes) -> None:
        """Refuse text that is there and was not understood."""
        if name not in table.column_names or not (codes < 0).any():
            return
        unread = np.flatnonzero((codes < 0) & is_there(table.column(name)))
        if len(unread):
            row = int(unread[0])
            value = table.column(name)[row].as_py()
            raise refused(self._file(table, row), name, value[:80])

    def _refuse_missing(self, table: Any, name: str, missing: Flags) -> None:
        if missing.any():
            raise refused(self._file(table, int(np.argmax(missing))), name, "")

    def _file(self, table: Any, row: int) -> InputFile:
        index: int = table.column("file_index")[row].as_py()
        return self.files[index]


def _side(word: str) -> int:
    return _SIDES.get(word.strip(" ").upper(), -1)


def _stated_settlement(word: str) -> int:
    return _SETTLEMENTS.get(word, -1)


def _filled(values: Any, absent: float | None, covered: Flags | None) -> Any:
    """Return values with what the absence of a contract means where its session is covered."""
    if absent is None or covered is None:
        return values
    missing = pc.and_(pc.is_null(values), array_of(covered))
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
    calendar = session_lookup(preset.timing)
    stamp = integers_of(table, "quote_ts")
    position = session_position(integers_of(table, "session"), stamp, calendar)
    close = taken_at(calendar.close, position)
    rule = taken_at(calendar.known, position)
    if preset.timing.known_at == "quote":
        rule = first_known(stamp, taken_at(calendar.quote, position))
    made = {
        "session": day_array(taken_at(sessions_of(calendar), position)),
        "right": word_array(codes_of(table, "right", _side), _RIGHTS).cast(pa.string()),
    }
    names = list(dict.fromkeys([*keys, *given]))
    kept = {n: made[n] if n in made else table.column(n) for n in names}
    if "root" in kept:
        kept["root"] = plain_roots(kept["root"])
    if "underlying" in kept:
        kept["underlying"] = pc.utf8_upper(kept["underlying"])
    settled = first_known(integers_of(table, "oi_asof"), taken_at(calendar.settled, position))
    known = np.maximum(integers_of(table, "known_at"), rule)
    kept["oi_asof"], kept["known_at"] = day_array(settled), moment_array(known)
    kept["quote_ts"] = moment_array(stamp)
    late = (stamp != NONE) & (close != NONE) & (stamp > close)
    keep = ~late & ((position >= 0) if "session" in keys else True)
    return pa.table(kept).filter(array_of(keep))


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


def _reject(table: Any, position: Ints, listed: Ints, right: Codes) -> Codes:
    """Return the position among `_REASONS` of the first reason to reject each row, -1 for none."""
    strike, spot = floats_of(table, "strike"), floats_of(table, "spot")
    negative = floats_of(table, "open_interest") < 0
    code = np.where(negative, np.int8(3), np.int8(-1))
    code[(listed < 0) | ~(strike > _LEAST) | (right < 0)] = 2
    code[~(spot > _LEAST)] = 1
    code[position < 0] = 0
    return code


def _ends(
    table: Any, settlement: Codes, listed: Ints, calendar: SessionLookup, timing: Timing
) -> dict[str, Any]:
    """Return when contracts stop existing, at the open or the close of their last session."""
    stated = integers_of(table, "expiry_ts")
    at_open, at_close = (
        taken_at(calendar.expiry_open, listed),
        taken_at(calendar.expiry_close, listed),
    )
    found = {
        "expiry_ts": moment_array(
            first_known(stated, np.where(settlement == AM, at_open, at_close))
        )
    }
    if timing.settlement == "third_friday":
        morning = np.where(settlement == UNDECIDED, first_known(stated, at_open), NONE)
        found["morning_ts"] = moment_array(morning)
    return found


def _volatility(table: Any) -> dict[str, Any]:
    """Return volatilities within 0.01 ... 10, and apart from them positive ones outside."""
    if "iv" not in table.column_names:
        return {}
    iv = floats_of(table, "iv")
    inside = (iv >= 0.01) & (iv <= 10)
    outside = np.where((iv > 0) & ~inside, iv, floats_of(table, "iv_outside"))
    return {"iv": float_array(np.where(inside, iv, np.nan)), "iv_outside": float_array(outside)}
