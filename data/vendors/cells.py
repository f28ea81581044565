"""How the cells of one table are written, decided by whole columns."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import CoalesceOperator, ConstantExpression, FunctionExpression
from duckdb.func import FunctionNullHandling, PythonUDFType

from ..base.date_cells import is_blank
from ..base.date_dialect import days_of, moments_of
from ..base.errors import InputFileError
from ..base.number_dialect import Style, style_of
from ..calendar.expiry_codes import MonthCodes, expiry_rule
from ..calendar.trading import trading_calendar
from .roots import symbol_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .vendor_preset import Preset, RawTable

__all__ = ["DAYS", "MOMENTS", "Cells"]

DAYS: Final = ("session", "expiry", "oi_asof")
MOMENTS: Final = ("quote_ts", "expiry_ts", "known_at")
#: Rows that are looked at before a column is read.
_HEAD_ROWS: Final = 2048
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_STAMP: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)?"
)
#: What states a time of day: a clock, a count of seconds or parts of them, a fraction of a day.
_CLOCKED: Final = re.compile(r":|^\d{10,}$|^\d{10,}\.\d*$|^\d{5}\.\d*[1-9]")
#: Formats that the engine reads by itself, for files that write their dates in one way.
_FORMATS: Final = (
    "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d-%b-%Y", "%d%b%y", "%a %b %d %Y", "%Y/%m/%d",
    "%d-%b-%y", "%d.%m.%Y",
)  # fmt: skip


class Cells:
    """Reads the cells of one table.

    Parameters
    ----------
    connection : DuckDBPyConnection
    table : RawTable
    preset : Preset
    zone : str
        Of stamps that state none.
    taken : Expression, optional
        Which rows count.
    careful : bool
        Look at all cells, not at the first rows alone.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: RawTable,
        preset: Preset,
        zone: str,
        taken: Any | None,
        *,
        careful: bool,
    ) -> None:
        self._connection = connection
        self._table = table
        self._preset = preset
        self._dialect = preset.dialect
        self._taken = taken
        self.zone = zone
        #: Of the exchange, whose days sessions and expirations are.
        self.place = trading_calendar(preset.timing.calendar).timezone
        self.careful = careful

    def known(self, name: str, value: Any, kind: str) -> Any:
        """Return a value as NULL where the map says that it means unknown."""
        missing = (*self._dialect.missing.get("*", ()), *self._dialect.missing.get(name, ()))
        if not missing:
            return value
        text = FunctionExpression("key_text", value.cast("VARCHAR"))
        said = [FunctionExpression("key_text", ConstantExpression(word)) for word in missing]
        return duckdb.CaseExpression(
            CoalesceOperator(text.isin(*said), ConstantExpression(False)),
            ConstantExpression(None),
        ).otherwise(value)

    def translated(self, name: str, value: Any, source: Any) -> tuple[Any, str]:
        """Return a value as what the map's dictionary says that it means."""
        words = dict(self._dialect.values.get(name, {}))
        if name == "settlement" and re.match(r"(?i)(is_?)?am([_ ]|$)", source.column):
            words = {"1": "AM", "0": "PM", "true": "AM", "false": "PM"} | words
        if not words:
            return value, source.kind
        text = value.cast("VARCHAR")
        key = FunctionExpression("key_text", text)
        chosen = None
        for said, meant in words.items():
            here = key == FunctionExpression("key_text", ConstantExpression(said))
            word = ConstantExpression(meant)
            chosen = (
                duckdb.CaseExpression(here, word) if chosen is None else chosen.when(here, word)
            )
        assert chosen is not None
        return chosen.otherwise(text), "VARCHAR"

    def day(self, name: str, text: Any) -> Any:
        """Return the days that texts mean."""
        given = self._given(name)
        codes = self._month_codes if name == "expiry" else None

        def read(texts: Iterable[str]) -> dict[str, date]:
            texts = list(texts)
            symbols = {t: s[1] for t in texts if (s := symbol_parts(t)) is not None}
            rest = [t for t in texts if t not in symbols]
            return symbols | days_of(
                rest, zone=self.place, given=given, order=self._dialect.order, month_code=codes
            )

        if not self.careful:
            sample = self._sample(text)
            found = self._refusing(name, read, sample, final=False)
            if found is not None and len(found) == len(sample):
                if all(_ISO_DAY.fullmatch(t) and d.isoformat() == t for t, d in found.items()):
                    return FunctionExpression("iso_day", text)
                form = _format_of(found)
                if form is not None:
                    return FunctionExpression("day_by", text, ConstantExpression(form))
            if found and all(symbol_parts(t) is not None for t in found):
                return self._function(
                    text,
                    "DATE",
                    lambda ts: {t: s[1] for t in ts if (s := symbol_parts(t)) is not None},
                )
        found = self._refusing(name, read, self._all(text), final=True)
        assert found is not None
        days = found
        return self._function(text, "DATE", lambda texts: days)

    def moment(self, name: str, text: Any) -> Any:
        """Return the moments that texts mean."""
        given = self._given(name)

        def read(texts: Iterable[str]) -> dict[str, int]:
            return moments_of(texts, zone=self.zone, given=given, order=self._dialect.order)

        if not self.careful and given is None:
            sample = self._sample(text)
            if sample and all(_ISO_STAMP.fullmatch(t) for t in sample):
                return FunctionExpression("iso_moment", text, ConstantExpression(self.zone))
            if sample and all(re.fullmatch(r"\d{10}|\d{13}|\d{16}|\d{19}", t) for t in sample):
                number = FunctionExpression("epoch_number", text)
                return FunctionExpression("moment_of_number", number)
        found = self._refusing(name, read, self._all(text), final=True)
        assert found is not None
        moments = found
        return self._function(text, "TIMESTAMPTZ", lambda texts: moments)

    def require_clock(self, name: str, text: Any) -> None:
        """Refuse moments of quotes that are dates alone: they would belong to the previous session.

        Raises
        ------
        InputFileError
            If no row that is looked at states a time of day, and no session is stated.
        """
        stated = {*self._preset.columns, *self._preset.constants, *self._dialect.path}
        open_at_midnight = trading_calendar(self._preset.timing.calendar).open_every_day
        if name != "quote_ts" or "session" in stated or open_at_midnight:
            return
        sample = self._sample(text)
        plain = [re.sub(r"[ T]0?0:00(:00([.]0+)?)?$", "", t.strip()) for t in sample]
        if sample and not any(_CLOCKED.search(t) for t in plain):
            raise InputFileError(
                f"{self._table.files[0].label}: the column for quote_ts holds dates without a time "
                f"of day, such as {sample[0]!r}: map it as session and state [timing] quote_time, "
                'or name the column of the time, quote_ts = { date = "...", time = "..." }'
            )

    def number(self, name: str, text: Any, file_index: Any) -> Any:
        """Return the numbers that texts mean."""
        if name == "strike":
            sample = self._sample(text)
            if sample and all(symbol_parts(t) is not None for t in sample):
                return self._function(text, "DOUBLE", _strikes)
        what = ConstantExpression(name)
        style = self._style
        if style is None:
            return FunctionExpression("number_of_text", text, what, file_index)
        percent = name == "iv" and "iv" not in self._preset.scale
        return FunctionExpression(
            "number_of_styled",
            text,
            ConstantExpression(style.decimal),
            ConstantExpression(style.thousands),
            ConstantExpression(100.0 if percent else 1.0),
            what,
            file_index,
        )

    def right(self, text: Any) -> Any:
        """Return calls and puts out of whole symbols; other words stay as they are."""
        sample = self._sample(text)
        if sample and all(symbol_parts(t) is not None for t in sample):
            return self._function(text, "VARCHAR", _rights)
        return text

    def zone_of_days(self, moment: Any) -> str:
        """Return the zone in which a column's moments are the days that they mean.

        Moments that are all midnights in UTC, or in a zone that the file's own types state, mean
        dates there; others are the days of the exchange.
        """
        for zone in ("UTC", *self._table.zones):
            local = FunctionExpression("timezone", ConstantExpression(zone), moment)
            midnight = local.cast("TIMESTAMP") == local.cast("DATE").cast("TIMESTAMP")
            rows = self._table.relation.select(midnight.alias("v")).aggregate("bool_and(v)")
            if (rows.fetchall() or [(False,)])[0][0]:
                return zone
        return self.place

    @cached_property
    def _style(self) -> Style | None:
        """How the table writes numbers, None where the engine's own way does."""
        dialect = self._dialect
        stated = dialect.decimal is not None or dialect.thousands is not None
        if stated:
            return Style(dialect.decimal or ".", dialect.thousands or "")
        if not self.careful:
            return None
        columns = [c for c in self._number_columns() if c in self._table.relation.columns]
        odd: set[str] = set()
        points = False
        for column in columns:
            cell = duckdb.ColumnExpression(column)
            query = self._table.relation.select(cell.cast("VARCHAR").alias("v"))
            odd.update(t for (t,) in query.filter("is_odd_number(v)").distinct().fetchall())
            points = points or bool(query.filter("has_decimals(v)").limit(1).fetchall())
        return style_of(odd, points=points, label=self._table.files[0].label)

    def _number_columns(self) -> set[str]:
        from ..base.schema import CHAIN_COLUMNS
        from .column_names import names_in, respelled

        available = {
            c: str(t)
            for c, t in zip(self._table.relation.columns, self._table.relation.types, strict=True)
            if str(t) == "VARCHAR"
        }
        names = {
            said if said in available else respelled(said, available)
            for name, column in self._preset.columns.items()
            if CHAIN_COLUMNS[name] == "DOUBLE"
            for said in names_in(column)
        }
        return {name for name in names if name is not None}

    @cached_property
    def _month_codes(self) -> MonthCodes:
        timing = self._preset.timing
        said = self._dialect.expiry_rule or timing.monthly
        calendar = trading_calendar(timing.calendar)
        rule = calendar.monthly if said is None else expiry_rule(said)
        return MonthCodes(calendar, rule, self._first_year())

    def _first_year(self) -> int:
        """Return the year of the table's first session, from which codes of one digit count."""
        column = self._preset.columns.get("session", self._preset.columns.get("quote_ts"))
        if not isinstance(column, str) or column not in self._table.relation.columns:
            return 2000
        text = duckdb.ColumnExpression(column).cast("VARCHAR")
        try:
            days = days_of(self._sample(text), zone=self.zone, order=self._dialect.order)
        except InputFileError:
            return 2000
        return min((day.year for day in days.values()), default=2000)

    def _given(self, name: str) -> str | None:
        formats = self._dialect.date_format
        return formats.get(name, formats.get("*", self._preset.timing.date_format))

    def _refusing(
        self,
        name: str,
        read: Callable[[Iterable[str]], dict[str, Any]],
        texts: list[str],
        *,
        final: bool,
    ) -> dict[str, Any] | None:
        """Return what a column's texts mean; name the file where they can mean two things."""
        try:
            return read(texts)
        except InputFileError as error:
            if not final:
                return None
            column = self._preset.columns.get(name)
            said = f"column {column!r}" if isinstance(column, str) else "the column"
            raise InputFileError(
                f"{self._table.files[0].label}: {said} (for {name}): {error}"
            ) from error

    @cached_property
    def _head(self) -> Any:
        head = self._table.head
        rows = self._table.relation if head is None else head
        return self._connection.from_arrow(rows.limit(_HEAD_ROWS).to_arrow_table())

    def _sample(self, text: Any) -> list[str]:
        rows = self._table.relation.limit(_HEAD_ROWS) if self._table.columnar else self._head
        return _texts(rows.select(text.alias("v")))

    def _all(self, text: Any) -> list[str]:
        return _texts(self._table.relation.select(text.alias("v")).distinct())

    def _function(
        self, text: Any, kind: str, meaning: Callable[[list[str]], dict[str, Any]]
    ) -> Any:
        """Return an expression that looks texts up, each distinct one of a vector once."""
        name = f"meaning_{uuid4().hex}"

        def look_up(texts: Any) -> Any:
            encoded = pc.dictionary_encode(texts)
            if isinstance(encoded, pa.ChunkedArray):
                encoded = encoded.combine_chunks()
            words = encoded.dictionary.to_pylist()
            table = meaning([word for word in words if word is not None])
            found = _array([table.get(word) for word in words], kind)
            return found.take(encoded.indices)

        self._connection.create_function(
            name,
            look_up,
            ["VARCHAR"],
            kind,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
        return FunctionExpression(name, text)


def _array(values: list[Any], kind: str) -> Any:
    if kind == "DATE":
        return pa.array(values, pa.date32())
    if kind == "TIMESTAMPTZ":
        return pa.array(values, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.array(values, pa.float64() if kind == "DOUBLE" else pa.string())


def _strikes(texts: list[str]) -> dict[str, float]:
    return {t: parts[3] for t in texts if (parts := symbol_parts(t)) is not None}


def _rights(texts: list[str]) -> dict[str, str]:
    return {t: parts[2] for t in texts if (parts := symbol_parts(t)) is not None}


def _texts(relation: duckdb.DuckDBPyRelation) -> list[str]:
    found = relation.to_arrow_table().column("v").unique().to_pylist()
    return [text for text in found if text is not None and not is_blank(text)]


def _format_of(found: dict[str, date]) -> str | None:
    """Return the one of the engine's formats that reads texts as what they mean, or None."""
    import datetime as dt

    for form in _FORMATS:
        try:
            if found and all(
                dt.datetime.strptime(t.strip(), form).date() == d  # noqa: DTZ007
                for t, d in found.items()
            ):
                return form
        except ValueError:
            continue
    return None
