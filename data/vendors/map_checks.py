"""What a column map may say, and what the preset under it has to know."""

from __future__ import annotations

import re
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_args

from ..base.errors import CalendarError, ConfigError
from ..base.schema import CHAIN_COLUMNS
from ..calendar.market_defaults import INSTRUMENTS, known_currency, market_defaults
from ..calendar.monthly_rules import monthly_rule
from ..calendar.trading import trading_calendar
from .vendor_preset import Preset, SettlementRule, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CORRECTIONS",
    "JOIN_KEYS",
    "SIDES",
    "SYMBOL",
    "TABLES",
    "WORDS",
    "check_preset",
    "checked",
    "require",
]

#: Keys that may stand at the top of the file or in [timing].
WORDS: Final = ("encoding", "decimal", "thousands", "expiry_rule", "spot")
TABLES: Final = (
    "columns", "scale", "constants", "timing", "join", "values", "missing", "where", "aliases",
    "path", "date_format", "order", *WORDS,
)  # fmt: skip
JOIN_KEYS: Final = (
    "files", "columns", "keys", "timing", "scale", "constants", "values", "missing", "where",
    "absent", "take", "path", "aliases", "date_format", "order", *WORDS,
)  # fmt: skip
CORRECTIONS: Final = ("add_sessions", "drop_sessions")
#: Tables within [columns] of files that hold a call and a put in each row.
SIDES: Final = ("call", "put")
#: Stands in [columns] for root, expiry, strike and right, all taken from a whole option symbol.
SYMBOL: Final = "symbol"
_TIMING_TYPES: Final[dict[str, type]] = {"oi_lag_sessions": int, "last_is_settlement": bool}
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_NUMBERS: Final = frozenset(name for name, kind in CHAIN_COLUMNS.items() if kind == "DOUBLE")


def checked(found: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse unknown tables and keys, and values of another type than theirs."""
    _known(found, known, f"{where}table")
    for table, content in found.items():
        if table in ("files", "keys", "take", "order", *WORDS):
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
        return [*(f.name for f in fields(Timing)), *CORRECTIONS, *WORDS, "order"]
    if table == "columns":
        return [*CHAIN_COLUMNS, SYMBOL, *SIDES]
    if table in ("missing", "date_format"):
        return [*CHAIN_COLUMNS, "*", "all", "values"]
    return list(CHAIN_COLUMNS)


def check_preset(preset: Preset) -> None:
    """Refuse a preset that leaves something to be guessed.

    Raises
    ------
    ConfigError
        Naming what is missing or contradictory.
    """
    joined = {name for join in preset.joins for name in join.given}
    given = {*preset.columns, *preset.constants, *preset.dialect.path, *joined}
    if preset.dialect.spot == "parity":
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
    if table == "columns" and key in SIDES:
        require(_is_side(value), where, "a table of canonical names and columns", value)
    elif table == "columns":
        require(
            _is_column(value),
            where,
            "the name of a column, a list of them, { date, time }, or { column, pattern } (a "
            "regular expression with a group)",
            value,
        )
    elif table == "scale":
        require(key in _NUMBERS, where, f"a column of numbers ({', '.join(sorted(_NUMBERS))})", key)
        require(_is_number(value) and value != 0, where, "a number other than 0", value)
    elif table in ("constants", "absent"):
        number = key in _NUMBERS
        fits = _is_number(value) if number else isinstance(value, str)
        fits = fits or (key == "spot" and value == "parity")
        require(fits, where, "a number" if number else "text in quotes", value)
    elif table == "values":
        require(isinstance(value, dict), where, "a table, { source = value }", value)
    elif table == "missing":
        require(not isinstance(value, dict), where, "a value or a list of values", value)
    elif table in ("path", "date_format"):
        require(isinstance(value, str), where, "text in quotes", value)
        if table == "path":
            require(_is_pattern(str(value)), where, "a regular expression with a group", value)
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
    if key in CORRECTIONS or key in WORDS or key == "order":
        return
    kind = _TIMING_TYPES.get(key, str)
    require(
        type(value) is kind,
        where,
        {int: "a whole number", bool: "true or false"}.get(kind, "text in quotes"),
        value,
    )
    if key == "oi_lag_sessions":
        require(isinstance(value, int) and 0 <= value <= 5, where, "0 to 5", value)
    elif key == "settlement":
        require(value in get_args(SettlementRule), where, "PM, AM or third_friday", value)
    elif key == "instrument":
        require(value in INSTRUMENTS, where, ", ".join(INSTRUMENTS), value)
    elif key in ("monthly", "currency"):
        _check_market(where, key, str(value))
    elif key in ("quote_time", "known_at"):
        words = ("close",) if key == "quote_time" else ("quote", "next_open")
        fits = value in words or bool(_CLOCK.fullmatch(str(value)))
        require(fits, where, f"{', '.join(words)} or HH:MM", value)


def _check_market(where: str, key: str, value: str) -> None:
    try:
        monthly_rule(value) if key == "monthly" else known_currency(value)
    except CalendarError as error:
        raise ConfigError(f"{where}: {error}") from error


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def require(condition: bool, where: str, expected: str, found: object) -> None:
    if not condition:
        raise ConfigError(f"{where}: expected {expected}, found {found!r}")


def _known(found: Iterable[str], known: Iterable[str], what: str) -> None:
    names = list(known)
    for name in found:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise ConfigError(f"{what} {name!r} is unknown: {hint}")
