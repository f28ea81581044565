"""Column maps: a user's TOML file that completes or overrides a preset."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_args

from ..base.errors import CalendarError, ConfigError
from ..base.schema import CHAIN_COLUMNS
from ..calendar.market_rules import known_currency, monthly_rule
from .preset import Preset, SettlementRule, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["check_preset", "mapped", "read_mapping"]

_TABLES: Final = ("columns", "scale", "constants", "timing")
_TIMING_TYPES: Final[dict[str, type]] = {"oi_lag_sessions": int, "last_is_settlement": bool}
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_NUMBERS: Final = frozenset(name for name, kind in CHAIN_COLUMNS.items() if kind == "DOUBLE")


def read_mapping(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a column map.

    Raises
    ------
    ConfigError
        If the file is absent or not TOML, or a table or key in it is unknown.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the column map {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the column map {path} is not valid TOML: {error}") from error
    _known(found, _TABLES, f"{path}: table")
    for table, content in found.items():
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: {table} must be a table, [{table}]")
        keys = [f.name for f in fields(Timing)] if table == "timing" else CHAIN_COLUMNS
        _known(content, keys, f"{path}: [{table}] key")
        for key, value in content.items():
            _check_value(f"{path}: [{table}] {key}", table, key, value)
    return found


def mapped(preset: Preset, mapping: Mapping[str, Mapping[str, Any]]) -> Preset:
    """Return a preset with a column map laid over it."""
    return replace(
        preset,
        columns={**preset.columns, **mapping.get("columns", {})},
        scale={**preset.scale, **mapping.get("scale", {})},
        constants={**preset.constants, **mapping.get("constants", {})},
        timing=replace(preset.timing, **mapping.get("timing", {})),
        optional=preset.optional.difference(mapping.get("columns", {})),
    )


def check_preset(preset: Preset) -> None:
    """Refuse a preset that leaves something to be guessed.

    Raises
    ------
    ConfigError
        Naming what is missing or contradictory.
    """
    given = {*preset.columns, *preset.constants}
    for need, choices in {
        "a session": {"session", "quote_ts"},
        "an expiry": {"expiry"},
        "a strike": {"strike"},
        "a right": {"right"},
        "a spot": {"spot"},
    }.items():
        if not given & choices:
            names = " or ".join(sorted(choices))
            raise ConfigError(f"vendor {preset.name}: {need} is needed: map {names} in [columns]")
    _check_rules(preset.timing, given, f"vendor {preset.name}: [timing]")


def _check_rules(timing: Timing, given: set[str], where: str) -> None:
    if timing.quote_time is None and "quote_ts" not in given:
        raise ConfigError(f'{where} quote_time is missing: "close", "HH:MM", or map quote_ts')
    if timing.known_at is None and "known_at" not in given:
        raise ConfigError(f'{where} known_at is missing: "quote", "next_open", "HH:MM", or map it')
    if timing.settlement is None and not given & {"settlement", "root"}:
        raise ConfigError(f'{where} settlement is missing: "PM", "AM", "third_friday", or map root')
    if "open_interest" in given and "oi_asof" not in given and timing.oi_lag_sessions is None:
        raise ConfigError(
            f"{where} oi_lag_sessions is missing: 0 where open interest is settled after the "
            "session itself, 1 where after the session before"
        )
    if timing.oi_lag_sessions == 0 and timing.known_at == "quote":
        raise ConfigError(
            f'{where} oi_lag_sessions = 0 contradicts known_at = "quote": open interest settled '
            "after the close is not known at the quote; say next_open or HH:MM"
        )


def _check_value(where: str, table: str, key: str, value: object) -> None:
    if table == "columns":
        _require(isinstance(value, str) and value != "", where, "the name of a column", value)
    elif table == "scale":
        _require(
            key in _NUMBERS, where, f"a column of numbers ({', '.join(sorted(_NUMBERS))})", key
        )
        _require(_is_number(value) and value != 0, where, "a number other than 0", value)
    elif table == "constants":
        number = key in _NUMBERS
        fits = _is_number(value) if number else isinstance(value, str)
        _require(fits, where, "a number" if number else "text in quotes", value)
    else:
        _check_timing(where, key, value)


def _check_timing(where: str, key: str, value: object) -> None:
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
