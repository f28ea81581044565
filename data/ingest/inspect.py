"""What a file seems to be: the preset that fits it, and a starting column map."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from ..base.date_cells import is_blank
from ..base.date_dialect import AmbiguousDateError, days_of, moments_of
from ..base.errors import GexlabError, InputFileError
from ..base.sql import load_sql
from ..calendar.trading import trading_calendar
from ..lake.connection import connect
from ..vendors import vendor as vendor_preset
from ..vendors.column_map import mapped, read_mapping
from ..vendors.column_names import names_in, respelled
from ..vendors.projection import projected
from ..vendors.roots import index_name, root_facts, symbol_parts
from ..vendors.shipped_maps import map_file, recognised_map
from ..vendors.table_reader import read_tables
from .calendar_tables import zone_of
from .files import find_files, opened
from .starting_map import starting_map
from .synonyms import MEANINGS, meaning_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..vendors.vendor_preset import InputFile

__all__ = ["InspectedColumn", "Inspection", "inspect"]

#: Presets in the order in which they are tried, the most particular first.
_ORDER: Final = (
    "optionsdx", "orats", "nse_bhavcopy", "historicaloptiondata", "ivolatility", "deribit",
    "yfinance", "options_hist", "canonical",
)  # fmt: skip
#: Presets whose files are no plain tables.
_OWN_READER: Final = ("cboe_quote_table", "cboe_delayed_json")
_ENCODINGS: Final = ("utf-8", "cp950", "gb18030", "shift_jis", "cp949", "cp1252")
_ROWS: Final = 20_000
#: The options of a coin, as the exchange names them: one coin a contract, not a hundred.
_COIN: Final = re.compile(r"symbol \([A-Z]+-\d{1,2}[A-Z]{3}\d{2}-")
_RIGHTS: Final = frozenset(
    (
        "C", "P", "CALL", "PUT", "CALLS", "PUTS", "CE", "PE", "CA", "PA", "買權", "賣權", "认购",
        "认沽", "認購", "認沽", "购", "沽", "コール", "プット", "콜", "풋",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InspectedColumn:
    """One column of a file.

    Attributes
    ----------
    name : str
    type : str
        date, moment, number, symbol or text, and the range that was seen.
    meaning : str or None
        Canonical name that it seems to be.
    warning : str or None
        What looks wrong, or has to be decided.
    """

    name: str
    type: str
    meaning: str | None
    warning: str | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file seems to be.

    Attributes
    ----------
    vendor : str or None
        The preset that fits; None where a column map is needed.
    columns : tuple of InspectedColumn
    sessions, underlyings : tuple of str
        As far as its columns say so.
    map : str
        A starting column map (TOML, with comments).
    """

    vendor: str | None
    columns: tuple[InspectedColumn, ...]
    sessions: tuple[str, ...]
    underlyings: tuple[str, ...]
    map: str


def inspect(file: str | Path) -> Inspection:
    """Say what a file seems to be, which preset fits, and what its columns seem to mean.

    Parameters
    ----------
    file : str or Path
        A file, or an archive or folder of which the first table is looked at.

    Returns
    -------
    Inspection

    Raises
    ------
    InputFileError
        If the file cannot be read as a table.
    """
    with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
        found = find_files([file]).files
        files = [f for path in found[:1] for f in opened(path, Path(folder))]
        filled = [f for f in files if f.path.stat().st_size]
        if not filled:
            raise InputFileError(f"{file} is empty: download or export it again")
        for name in _OWN_READER:
            if any(_fits(f, name) for f in filled):
                return Inspection(name, (), (), (), _for_preset(name))
        encoding, table = _table(filled)
        shipped = recognised_map(table)
        vendor = None
        if shipped is None:
            vendor = next((n for n in _ORDER if any(_fits(f, n) for f in filled)), None)
        return _inspection_of(vendor, shipped, encoding, table)


def _fits(file: InputFile, name: str) -> bool:
    preset = vendor_preset(name)
    with connect() as connection:
        connection.execute(load_sql("ingest/macros"))
        try:
            for table in preset.reader(connection, [file]):
                rows = projected(
                    connection, table, preset, zone_of(preset.timing), 0, careful=False
                )
                if rows.limit(1).fetchall():
                    return True
        except GexlabError:
            return False
        except Exception:
            return False
    return False


def _table(files: Sequence[InputFile]) -> tuple[str, dict[str, list[Any]]]:
    """Return the columns of the first table that can be read, and its encoding."""
    failures = []
    for file in files:
        best: tuple[int, str, dict[str, list[Any]]] | None = None
        for encoding in _ENCODINGS:
            try:
                table = _columns(replace(file, encoding=encoding))
            except (GexlabError, UnicodeError) as error:
                failures.append(str(error))
                continue
            known = sum(meaning_of(name) is not None for name in table)
            if recognised_map(table) is not None:
                return encoding, table
            if best is None or known > best[0]:
                best = known, encoding, table
            if encoding == "utf-8":
                break
        if best is not None:
            return best[1], best[2]
    raise InputFileError(failures[0])


def _columns(file: InputFile) -> dict[str, list[Any]]:
    with connect() as connection:
        tables = read_tables(connection, [file])
        try:
            rows = tables[0].relation.limit(_ROWS).to_arrow_table()
        except duckdb.Error as error:
            raise InputFileError(
                f"{file.label} cannot be read as a table ({str(error).splitlines()[0]}): export it "
                "again, with a header of one line and the same number of cells in every row"
            ) from error
    names = [n for n in rows.column_names if n not in ("file_index", "file_row")]
    found = {name: rows.column(name).to_pylist() for name in names}
    for part in Path(file.label.replace("!", "/")).parts[:-1]:
        key, sign, value = part.partition("=")
        if sign and key not in found:
            found[key] = [value] * len(rows)
    return found


def _inspection_of(
    vendor: str | None, shipped: str | None, encoding: str, table: dict[str, list[Any]]
) -> Inspection:
    columns = [_column(name, values) for name, values in table.items()]
    columns = _once_each(columns if shipped is None else _as_mapped(columns, shipped))
    by_meaning = {c.meaning: c.name for c in columns if c.meaning is not None}
    columns = [replace(c, warning=c.warning or _unit(c, table, by_meaning)) for c in columns]
    if "underlying" in by_meaning and not {"root", "symbol"} & set(by_meaning):
        named = {str(v).strip() for v in table[by_meaning["underlying"]] if v is not None}
        if any(_index_of(name) != index_name(name) for name in named):
            by_meaning["root"] = by_meaning["underlying"]
    underlyings = _underlyings(table, by_meaning)
    sessions = _sessions(table, by_meaning)
    if shipped is not None:
        text = _for_shipped(shipped)
    elif vendor is not None:
        text = _for_preset(vendor)
    else:
        warned = [(c.name, c.warning) for c in columns if c.warning is not None]
        coins = any(c.meaning == "symbol" and _COIN.match(c.type) for c in columns)
        text = starting_map(warned, by_meaning, encoding, underlyings, coins=coins)
    return Inspection(vendor, tuple(columns), sessions, underlyings, text)


def _for_preset(vendor: str) -> str:
    return (
        f"# --vendor {vendor} reads this file; a map is needed only to correct what it says,\n"
        "# see docs/lake.md\n"
    )


def _for_shipped(name: str) -> str:
    """Return a copy of a shipped map; joins whose files are not there are commented out."""
    file = map_file(name)
    said = read_mapping(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    head = [
        f"# gexlab's own map {name} fits: --vendor columns --map {name}, or this copy of it, "
        "corrected"
    ]
    absent = {f"[join.{n}]" for n, join in said.get("join", {}).items() if not _at_hand(join)}
    if absent:
        head.append("# files of joins that were not found here are commented out")
    priced = {"last", "bid", "ask"} & set(said["columns"])
    if "[join.spot]" in absent and priced:
        head.append('spot = "parity"               # in place of the closes: implied from prices')
    out = False
    for line in lines:
        if line.startswith("["):
            out = line in absent
        head.append(f"# {line}" if out else line)
    return "\n".join(head) + "\n"


def _at_hand(join: Mapping[str, Any]) -> bool:
    names = join["files"] if isinstance(join["files"], list) else [join["files"]]
    return all(any(Path().glob(name)) for name in names)


def _as_mapped(columns: list[InspectedColumn], shipped: str) -> list[InspectedColumn]:
    """Let a shipped map say what columns mean."""
    said = read_mapping(map_file(shipped))["columns"]
    preset = mapped(vendor_preset("columns"), {"columns": said})
    whole = ("root", "expiry", "strike", "right") if "symbol" in said else ()
    names = {column.name: "VARCHAR" for column in columns}
    meaning: dict[str, str] = {}
    for canonical, column in preset.columns.items():
        for source in names_in(column):
            found = source if source in names else respelled(source, names)
            if found is not None:
                meaning.setdefault(found, "symbol" if canonical in whole else canonical)
    return [replace(c, meaning=meaning.get(c.name)) for c in columns]


def _column(name: str, values: list[Any]) -> InspectedColumn:
    """Return what one column seems to be, by its name and its cells."""
    said = [str(v).strip() for v in values if v is not None and not is_blank(str(v))]
    said = [text for text in said if text != name]  # headers repeated between the rows
    distinct = list(dict.fromkeys(said))[:2000]
    meaning = meaning_of(name)
    if not distinct:
        return InspectedColumn(name, "empty", None, None)
    if all(symbol_parts(t) is not None for t in distinct):
        return InspectedColumn(name, f"symbol ({distinct[0]})", "symbol", None)
    if len(distinct) <= 4 and {t.upper() for t in distinct} <= _RIGHTS:
        return InspectedColumn(name, "text " + "/".join(distinct), "right", None)
    numbers = [x for t in distinct if (x := _number(t)) is not None]
    dated = meaning in ("session", "expiry", "quote_ts", "known_at", "oi_asof", "expiry_ts")
    if len(numbers) == len(distinct) and not dated:
        shown = f"number {min(numbers):g} ... {max(numbers):g}"
        coded = meaning == "settlement" and set(numbers) <= {0.0, 1.0}
        kept = meaning if coded or MEANINGS.get(meaning or "") == "number" else None
        return InspectedColumn(name, shown, kept, _sentinel(numbers))
    return _dated_column(name, distinct, meaning)


def _dated_column(name: str, texts: list[str], meaning: str | None) -> InspectedColumn:
    dates = ("session", "expiry", "quote_ts", "known_at", "oi_asof", "expiry_ts", "time")
    try:
        days = days_of(texts, zone="America/New_York")
        moments = moments_of(texts, zone="America/New_York")
    except AmbiguousDateError as error:
        kept = meaning if meaning in dates else None
        return InspectedColumn(name, "date", kept, str(error))
    if len(days) < len(texts):
        kept = meaning if MEANINGS.get(meaning or "", "") != "number" else None
        return InspectedColumn(name, f"text ({texts[0][:40]})", kept, None)
    clocked = any(
        m % 86_400_000_000 not in (0, 18_000_000_000, 14_400_000_000) for m in moments.values()
    )
    first, last = min(days.values()), max(days.values())
    kind = "moment" if clocked else "date"
    if meaning == "session" and clocked:
        meaning = "quote_ts"
    elif meaning == "quote_ts" and not clocked:
        meaning = "session"
    return InspectedColumn(
        name, f"{kind} {first} ... {last}", meaning if meaning in dates else None, None
    )


def _number(text: str) -> float | None:
    bare = re.sub(r"[\s'$€£¥%]", "", text)
    for form in (bare, bare.replace(",", ""), bare.replace(".", "").replace(",", ".")):
        try:
            return float(form)
        except ValueError:
            continue
    return None


def _sentinel(numbers: list[float]) -> str | None:
    odd = [x for x in numbers if x in (2147483647.0, 4294967295.0, -99.99, 9999.0, -9999.0)]
    return f"{odd[0]:g} seems to mean unknown: say so in [missing]" if odd else None


def _once_each(columns: list[InspectedColumn]) -> list[InspectedColumn]:
    """Let each meaning stand for the first column that has it."""
    taken: set[str] = set()
    kept = []
    for column in columns:
        if column.meaning in taken:
            column = replace(column, meaning=None)
        elif column.meaning is not None:
            taken.add(column.meaning)
        kept.append(column)
    return kept


def _unit(
    column: InspectedColumn, table: dict[str, list[Any]], by_meaning: dict[str, str]
) -> str | None:
    """Return what looks wrong with the unit of a column."""
    middle = _median(table[column.name])
    if column.meaning == "iv" and middle is not None and middle > 3:
        return "looks like percent: [scale] iv = 0.01"
    if column.meaning == "strike" and "spot" in by_meaning and middle:
        spot = _median(table[by_meaning["spot"]])
        for factor in (0.001, 0.01, 100.0, 1000.0):
            if spot and 0.5 < middle * factor / spot < 2 and not 0.1 < middle / spot < 10:
                return f"is not in the unit of the spot: [scale] strike = {factor:g}"
    return None


def _median(values: list[Any]) -> float | None:
    numbers = sorted(x for v in values if v is not None and (x := _number(str(v))) is not None)
    numbers = [x for x in numbers if x > 0]
    return numbers[len(numbers) // 2] if numbers else None


def _underlyings(table: dict[str, list[Any]], by_meaning: dict[str, str]) -> tuple[str, ...]:
    name = by_meaning.get("underlying") or by_meaning.get("symbol") or by_meaning.get("root")
    if name is None:
        return ()
    said = Counter(str(v).strip() for v in table[name] if v is not None)
    names = Counter[str]()
    for text, count in said.items():
        parts = symbol_parts(text)
        names[_index_of(parts[0] if parts else text)] += count
    return tuple(n for n, _ in names.most_common(20))


def _index_of(text: str) -> str:
    """Return whose options a root is: SPXW's are those of SPX."""
    return root_facts(text, text).underlying


def _sessions(table: dict[str, list[Any]], by_meaning: dict[str, str]) -> tuple[str, ...]:
    name = by_meaning.get("session") or by_meaning.get("quote_ts")
    if name is None:
        return ()
    texts = {str(v).strip() for v in table[name] if v is not None}
    try:
        days = days_of(texts, zone=trading_calendar().timezone)
    except GexlabError:
        return ()
    return tuple(sorted({day.isoformat() for day in days.values()}))
