"""Column maps: a user's TOML file that completes or overrides a preset."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import ConfigError
from ..calendar.corrections import with_corrections
from ..calendar.expiry_codes import expiry_rule
from .layout import side_column
from .map_checks import (
    CORRECTIONS,
    JOIN_KEYS,
    SIDES,
    SYMBOL,
    TABLES,
    WORDS,
    checked,
    require,
)
from .vendor_preset import (
    Clocked,
    Column,
    Dialect,
    FirstOf,
    Part,
    Preset,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["mapped", "of_each", "of_underlying", "read_mapping"]

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
    checked(found, TABLES, f"{path}: ")
    joins = found.get("join", {})
    require(
        isinstance(joins, dict) and all(isinstance(j, dict) for j in joins.values()),
        f"{path}: join", "tables, [join.NAME]", joins,
    )  # fmt: skip
    for name, join in joins.items():
        checked(join, JOIN_KEYS, f"{path}: [join.{name}] ")
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


def mapped(preset: Preset, mapping: Mapping[str, Any]) -> Preset:
    """Return a preset with a column map laid over it; joins come from `joins.with_joins`."""
    timing = dict(mapping.get("timing", {}))
    words = {w: timing.pop(w) for w in (*WORDS, "order") if w in timing}
    words |= {w: mapping[w] for w in (*WORDS, "order") if w in mapping}
    corrections = [timing.pop(name, []) for name in CORRECTIONS]
    if any(corrections):
        base = timing.get("calendar", preset.timing.calendar)
        timing["calendar"] = with_corrections(base, *map(_dates, corrections))
    said = mapping.get("columns", {})
    sides = _sides(said)
    columns = {k: _column(v) for k, v in said.items() if k not in SIDES}
    if sides:
        columns |= {name: side_column(name) for name, _, _ in sides}
        columns["right"] = side_column("right")
    constants = dict(mapping.get("constants", {}))
    if constants.get("spot") == "parity" or columns.get("spot") == "parity":
        words["spot"] = "parity"
        constants.pop("spot", None)
        columns.pop("spot", None)
    symbol = columns.pop(SYMBOL, None)
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
    call, put = (columns.get(side, {}) for side in SIDES)
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
        "spot": ("parity", "nearest_expiry"),
        "order": ("MDY", "DMY", "YMD"),
    }.items():
        if word in words:
            require(words[word] in allowed, word, " or ".join(map(repr, allowed)), words[word])
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
            require(set(wanted) == {"not"}, f"[where] {column}", "{ not = value }", wanted)
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
