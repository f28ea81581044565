"""Column maps: a user's TOML file that completes or overrides a preset."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, replace
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_args

from ..base.errors import CalendarError, ConfigError
from ..base.schema import CHAIN_COLUMNS
from ..calendar.corrections import with_corrections
from ..calendar.expiry_codes import expiry_rule
from ..calendar.market_defaults import INSTRUMENTS, known_currency, market_defaults
from ..calendar.monthly_rules import monthly_rule
from ..calendar.trading import trading_calendar
from .layout import side_column
from .preset import (
    Clocked,
    Column,
    Dialect,
    FirstOf,
    Part,
    Preset,
    SettlementRule,
    Timing,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["check_preset", "mapped", "of_each", "of_underlying", "read_mapping"]

#: Keys that may stand at the top of the file or in [timing].
_WORDS: Final = ("encoding", "decimal", "thousands", "expiry_rule", "spot")
_TABLES: Final = (
    "columns", "scale", "constants", "timing", "join", "values", "missing", "where", "aliases",
    "path", "date_format", "order", *_WORDS,
)  # fmt: skip
_JOIN_KEYS: Final = (
    "files", "columns", "keys", "timing", "scale", "constants", "values", "missing", "where",
    "absent", "take", "path", "aliases", "date_format", "order", *_WORDS,
)  # fmt: skip
_CORRECTIONS: Final = ("add_sessions", "drop_sessions")
_TIMING_TYPES: Final[dict[str, type]] = {"oi_lag_sessions": int, "last_is_settlement": bool}
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_NUMBERS: Final = frozenset(name for name, kind in CHAIN_COLUMNS.items() if kind == "DOUBLE")
#: Tables within [columns] of files that hold a call and a put in each row.
_SIDES: Final = ("call", "put")
#: Stands in [columns] for root, expiry, strike and right, all taken from a whole option symbol.
_SYMBOL: Final = "symbol"
#: Stands in [where] for the underlying that is asked for.
_NAME: Final = "{underlying}"
_OF_SYMBOL: Final = ("root", "expiry", "strike", "right")


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the tables of a column map.

    Raises
    ------
    ConfigError
        If the file is absent or not TOML, or a table or key in it is unknown.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"cannot read the column map {path}: {error.strerror}: correct its path "
            "(--map), or name a map of gexlab's own (gexlab inspect FILE says which fits)"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the column map {path} is not valid TOML: {error}") from error
    checked(found, _TABLES, f"{path}: ")
    joins = found.get("join", {})
    _require(
        isinstance(joins, dict) and all(isinstance(j, dict) for j in joins.values()),
        f"{path}: join", "tables, [join.NAME]", joins,
    )  # fmt: skip
    for name, join in joins.items():
        checked(join, _JOIN_KEYS, f"{path}: [join.{name}] ")
    return found


def of_underlying(mapping: Mapping[str, Any], underlying: str) -> dict[str, Any]:
    """Return a map whose ``[where]`` values name the underlying where they say ``{underlying}``.

    Examples
    --------
    >>> of_underlying({"where": {"ticker": "{underlying}"}}, "SPY")
    {'where': {'ticker': 'SPY'}}
    """
    named = dict(mapping)
    if isinstance(named.get("where"), dict):
        named["where"] = _with_name(named["where"], underlying)
    if "join" in named:
        named["join"] = {k: of_underlying(j, underlying) for k, j in named["join"].items()}
    return named


def of_each(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a map for files of many underlyings: the column that ``{underlying}`` selects by.

    Raises
    ------
    ConfigError
        If a join selects by it, or several columns do.

    Examples
    --------
    >>> of_each({"where": {"ticker": "{underlying}"}})
    {'where': {}, 'columns': {'underlying': 'ticker'}}
    """
    named = dict(mapping)
    where = named.get("where", {})
    if isinstance(where, dict):
        selecting = [column for column, value in where.items() if value == _NAME]
        columns = named.get("columns", {})
        if len(selecting) == 1 and "underlying" not in columns:
            named["columns"] = {**columns, "underlying": selecting[0]}
            named["where"] = {k: v for k, v in where.items() if v != _NAME}
    if _NAME in repr(named):
        raise ConfigError(
            f"the column map selects the rows of one underlying by {_NAME}: name one underlying, "
            "or map the column that names it as [columns] underlying"
        )
    return named


def _with_name(value: Any, underlying: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_name(found, underlying) for key, found in value.items()}
    if isinstance(value, list):
        return [_with_name(found, underlying) for found in value]
    return value.replace(_NAME, underlying) if isinstance(value, str) else value


def checked(found: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse unknown tables and keys, and values of another type than theirs."""
    _known(found, known, f"{where}table")
    for table, content in found.items():
        if table in ("files", "keys", "take", "order", *_WORDS):
            continue
        if table == "date_format" and isinstance(content, str):
            continue
        if not isinstance(content, dict):
            raise ConfigError(f"{where}{table} must be a table, [{table}]")
        if table in ("join", "where", "aliases"):
            continue
        _known(content, _keys_of(table), f"{where}[{table}] key")
        for key, value in content.items():
            _check_value(f"{where}[{table}] {key}", table, key, value)


def _keys_of(table: str) -> list[str]:
    if table == "timing":
        return [*(f.name for f in fields(Timing)), *_CORRECTIONS, *_WORDS, "order"]
    if table == "columns":
        return [*CHAIN_COLUMNS, _SYMBOL, *_SIDES]
    if table in ("missing", "date_format"):
        return [*CHAIN_COLUMNS, "*", "all", "values"]
    return list(CHAIN_COLUMNS)


def mapped(preset: Preset, mapping: Mapping[str, Any]) -> Preset:
    """Return a preset with a column map laid over it; joins come from `joins.with_joins`."""
    timing = dict(mapping.get("timing", {}))
    words = {w: timing.pop(w) for w in (*_WORDS, "order") if w in timing}
    words |= {w: mapping[w] for w in (*_WORDS, "order") if w in mapping}
    corrections = [timing.pop(name, []) for name in _CORRECTIONS]
    if any(corrections):
        base = timing.get("calendar", preset.timing.calendar)
        timing["calendar"] = with_corrections(base, *map(_dates, corrections))
    said = mapping.get("columns", {})
    sides = _sides(said)
    columns = {k: _column(v) for k, v in said.items() if k not in _SIDES}
    if sides:
        columns |= {name: side_column(name) for name, _, _ in sides}
        columns["right"] = side_column("right")
    constants = dict(mapping.get("constants", {}))
    if constants.get("spot") == "parity" or columns.get("spot") == "parity":
        words["spot"] = "parity"
        constants.pop("spot", None)
        columns.pop("spot", None)
    symbol = columns.pop(_SYMBOL, None)
    if symbol is not None:
        columns = dict.fromkeys((n for n in _OF_SYMBOL if n not in constants), symbol) | columns
    kept = {k: v for k, v in preset.constants.items() if k not in columns}
    formats = mapping.get("date_format", {})
    if isinstance(formats, str):
        timing["date_format"], formats = formats, {}
    return replace(
        preset,
        columns={**{k: v for k, v in preset.columns.items() if k not in constants}, **columns},
        scale={**preset.scale, **mapping.get("scale", {})},
        constants={**kept, **constants},
        timing=replace(preset.timing, **timing),
        optional=preset.optional.difference(mapping.get("columns", {})),
        dialect=replace(
            _dialect(preset.dialect, mapping, words, formats), sides=preset.dialect.sides + sides
        ),
    )


def _sides(columns: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return the columns of calls and puts side by side.

    Raises
    ------
    ConfigError
        If one side names what the other does not.
    """
    call, put = (columns.get(side, {}) for side in _SIDES)
    if set(call) != set(put):
        odd = sorted(set(call) ^ set(put))
        raise ConfigError(f"[columns.call] and [columns.put] must both name {odd[0]}")
    return tuple((name, call[name], put[name]) for name in call)


def _dialect(
    before: Dialect,
    mapping: Mapping[str, Any],
    words: Mapping[str, Any],
    formats: Mapping[str, str],
) -> Dialect:
    values = {
        name: {_text(k): _text(v) for k, v in table.items()}
        for name, table in mapping.get("values", {}).items()
    }
    missing = {
        "*" if name in ("*", "all", "values") else name: tuple(_text(v) for v in _listed(found))
        for name, found in mapping.get("missing", {}).items()
    }
    aliases = {
        name.upper(): tuple(_listed(found)) for name, found in mapping.get("aliases", {}).items()
    }
    rule = words.get("expiry_rule")
    if rule is not None:
        expiry_rule(rule)
    for word, allowed in {
        "decimal": (",", "."),
        "spot": ("parity",),
        "order": ("MDY", "DMY", "YMD"),
    }.items():
        if word in words:
            _require(words[word] in allowed, word, " or ".join(map(repr, allowed)), words[word])
    return replace(
        before,
        **words,
        date_format={
            **before.date_format,
            **{("*" if k in ("all", "values") else k): v for k, v in formats.items()},
        },
        values={**before.values, **values},
        missing={**before.missing, **missing},
        where=(*before.where, *_where(mapping.get("where", {}))),
        aliases={**before.aliases, **aliases},
        path={**before.path, **mapping.get("path", {})},
    )


def _where(table: Mapping[str, Any]) -> Iterable[Where]:
    for column, wanted in table.items():
        negated = isinstance(wanted, dict)
        if negated:
            _require(set(wanted) == {"not"}, f"[where] {column}", "{ not = value }", wanted)
            wanted = wanted["not"]
        yield Where(column, tuple(_text(v) for v in _listed(wanted)), negated)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _dates(found: Any) -> list[date]:
    try:
        return [d if isinstance(d, date) else date.fromisoformat(d) for d in _listed(found)]
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"[timing] add_sessions, drop_sessions: expected dates: {error}"
        ) from error


def _column(value: Any) -> Column:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "pattern" in value:
        return Part(value["column"], value["pattern"])
    if isinstance(value, dict):
        return Clocked(value["date"], value["time"])
    return FirstOf(tuple((v,) if isinstance(v, str) else tuple(v) for v in value))


def check_preset(preset: Preset) -> None:
    """Refuse a preset that leaves something to be guessed.

    Raises
    ------
    ConfigError
        Naming what is missing or contradictory.
    """
    joined = {name for join in preset.joins for name in join.given}
    given = {*preset.columns, *preset.constants, *preset.dialect.path, *joined}
    if preset.dialect.spot is not None:
        given.add("spot")
    for need, choices in {
        "a session": {"session", "quote_ts"},
        "an expiry": {"expiry"},
        "a strike": {"strike"},
        "a right": {"right"},
        "a spot": {"spot"},
    }.items():
        if not given & choices:
            names = " or ".join(sorted(choices))
            more = (
                "; where another file holds it, name that in [join.spot], and where none does, "
                'spot = "parity" implies it from the quotes (docs/vendors.md)'
                if choices == {"spot"}
                else ""
            )
            raise ConfigError(
                f"vendor {preset.name}: {need} is needed: map {names} in [columns]{more}; "
                "gexlab inspect FILE writes a starting map"
            )
    _check_rules(preset, given, f"vendor {preset.name}: [timing]")


def _check_rules(preset: Preset, given: set[str], where: str) -> None:
    timing = preset.timing
    if timing.quote_time is None and "quote_ts" not in given:
        raise ConfigError(f'{where} quote_time is missing: "close", "HH:MM", or map quote_ts')
    if timing.known_at is None and "known_at" not in given:
        raise ConfigError(f'{where} known_at is missing: "quote", "next_open", "HH:MM", or map it')
    if timing.settlement is None and not given & {"settlement", "root"}:
        raise ConfigError(f'{where} settlement is missing: "PM", "AM", "third_friday", or map root')
    own = {*preset.columns, *preset.constants}
    if "open_interest" in own and "oi_asof" not in given and timing.oi_lag_sessions is None:
        raise ConfigError(
            f"{where} oi_lag_sessions is missing: 0 where open interest is settled after the "
            "session itself, 1 where after the previous session"
        )
    if timing.oi_lag_sessions == 0 and timing.known_at == "quote" and "open_interest" in own:
        raise ConfigError(
            f'{where} oi_lag_sessions = 0 contradicts known_at = "quote": open interest settled '
            "after the close is not known at the quote; say next_open or HH:MM"
        )
    calendar = trading_calendar(timing.calendar)
    american = market_defaults(calendar.name)[1] == "USD" and not calendar.open_every_day
    if "multiplier" not in given and not american:
        raise ConfigError(
            f"vendor {preset.name}: multiplier is missing: 100 holds for US markets alone; say in "
            f"[constants] what a contract of {timing.calendar} delivers, or map its column"
        )


def _check_value(where: str, table: str, key: str, value: object) -> None:
    if table == "columns" and key in _SIDES:
        _require(_is_side(value), where, "a table of canonical names and columns", value)
    elif table == "columns":
        _require(
            _is_column(value),
            where,
            "the name of a column, a list of them, { date, time }, or { column, pattern } (a "
            "regular expression with a group)",
            value,
        )
    elif table == "scale":
        _require(
            key in _NUMBERS, where, f"a column of numbers ({', '.join(sorted(_NUMBERS))})", key
        )
        _require(_is_number(value) and value != 0, where, "a number other than 0", value)
    elif table in ("constants", "absent"):
        number = key in _NUMBERS
        fits = _is_number(value) if number else isinstance(value, str)
        fits = fits or (key == "spot" and value == "parity")
        _require(fits, where, "a number" if number else "text in quotes", value)
    elif table == "values":
        _require(isinstance(value, dict), where, "a table, { source = value }", value)
    elif table == "missing":
        _require(not isinstance(value, dict), where, "a value or a list of values", value)
    elif table in ("path", "date_format"):
        _require(isinstance(value, str), where, "text in quotes", value)
        if table == "path":
            _require(_is_pattern(str(value)), where, "a regular expression with a group", value)
    else:
        _check_timing(where, key, value)


def _is_pattern(text: str) -> bool:
    try:
        return re.compile(text).groups >= 1
    except re.error:
        return False


def _is_side(value: object) -> bool:
    return isinstance(value, dict) and all(
        k in CHAIN_COLUMNS and isinstance(v, str) for k, v in value.items()
    )


def _is_column(value: object) -> bool:
    if isinstance(value, dict):
        texts = all(isinstance(v, str) and v != "" for v in value.values())
        part = set(value) == {"column", "pattern"} and texts and _is_pattern(value["pattern"])
        return part or (set(value) == {"date", "time"} and texts)
    if isinstance(value, list):
        return bool(value) and all(
            (isinstance(v, str) and v != "")
            or (isinstance(v, list) and bool(v) and all(isinstance(w, str) for w in v))
            for v in value
        )
    return isinstance(value, str) and value != ""


def _check_timing(where: str, key: str, value: object) -> None:
    if key in _CORRECTIONS or key in _WORDS or key == "order":
        return
    kind = _TIMING_TYPES.get(key, str)
    _require(
        type(value) is kind,
        where,
        {int: "a whole number", bool: "true or false"}.get(kind, "text in quotes"),
        value,
    )
    if key == "oi_lag_sessions":
        _require(isinstance(value, int) and 0 <= value <= 5, where, "0 to 5", value)
    elif key == "settlement":
        _require(value in get_args(SettlementRule), where, "PM, AM or third_friday", value)
    elif key == "instrument":
        _require(value in INSTRUMENTS, where, ", ".join(INSTRUMENTS), value)
    elif key in ("monthly", "currency"):
        _check_market(where, key, str(value))
    elif key in ("quote_time", "known_at"):
        words = ("close",) if key == "quote_time" else ("quote", "next_open")
        fits = value in words or bool(_CLOCK.fullmatch(str(value)))
        _require(fits, where, f"{', '.join(words)} or HH:MM", value)


def _check_market(where: str, key: str, value: str) -> None:
    try:
        monthly_rule(value) if key == "monthly" else known_currency(value)
    except CalendarError as error:
        raise ConfigError(f"{where}: {error}") from error


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _require(condition: bool, where: str, expected: str, found: object) -> None:
    if not condition:
        raise ConfigError(f"{where}: expected {expected}, found {found!r}")


def _known(found: Iterable[str], known: Iterable[str], what: str) -> None:
    names = list(known)
    for name in found:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise ConfigError(f"{what} {name!r} is unknown: {hint}")
