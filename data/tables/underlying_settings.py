"""What holds for which underlying: a user's file of multipliers, calendars, rates, dealers."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import ConfigError, UnknownNameError
from ..calendar.market_defaults import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SETTINGS_KEYS", "Assumed", "UnderlyingSettings", "load_underlying_settings"]

#: Key to the type of its value.
SETTINGS_KEYS: Final[dict[str, type]] = {
    "multiplier": float,
    "calendar": str,
    "settlement": str,
    "monthly": str,
    "currency": str,
    "instrument": str,
    "rate": float,
    "dividend_yield": float,
    "rate_curve": str,
    "dividend_curve": str,
    "dealer": str,
    "positions": str,
    "sector": str,
    "market_value": float,
}
_FILES: Final = ("rate_curve", "dividend_curve", "positions")
_TABLES: Final = ("default", "kinds", "underlyings")
#: Stands for every underlying that has no row of its own, in tables.
_EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of one underlying, and who says so.

    Attributes
    ----------
    underlying : str
    values : dict of str to value
        By key of `SETTINGS_KEYS`, those that are said.
    said_by : dict of str to str
        ``own`` (an entry of the underlying's own), ``kind``, ``default``, or what a command adds.
    """

    underlying: str
    values: dict[str, Any]
    said_by: dict[str, str]

    def without(self, keys: Iterable[str]) -> Assumed:
        """Return it without what is said of some keys.

        Parameters
        ----------
        keys : iterable of str

        Returns
        -------
        Assumed
        """
        left_out = set(keys)
        kept = {key: value for key, value in self.values.items() if key not in left_out}
        return Assumed(self.underlying, kept, {key: self.said_by[key] for key in kept})

    def over(self, values: Mapping[str, Any], who: str) -> Assumed:
        """Return it with further values where it says nothing.

        Parameters
        ----------
        values : mapping
            By key; None says nothing.
        who : str
            Who says them.

        Returns
        -------
        Assumed
        """
        more = {k: v for k, v in values.items() if v is not None and k not in self.values}
        return Assumed(
            self.underlying,
            {**self.values, **more},
            {**self.said_by, **dict.fromkeys(more, who)},
        )


@dataclass(frozen=True, slots=True)
class UnderlyingSettings:
    """A settings file: what holds by default, by kind of underlying, and for one underlying.

    Attributes
    ----------
    default : mapping
    kinds : mapping of str to mapping
        Kind of underlying to what holds for it.
    underlyings : mapping of str to mapping
        What holds for one; capitals matter.
    """

    default: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    underlyings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, underlying: str, instrument: str | None = None) -> Assumed:
        """Return what holds for an underlying: its own entry, else its kind's, else the default.

        Parameters
        ----------
        underlying : str
        instrument : str, optional
            Its kind, where the file does not say it.

        Returns
        -------
        Assumed
        """
        own = self.underlyings.get(underlying, {})
        kind = own.get("instrument") or self.default.get("instrument") or instrument
        layers = [(own, "own"), (self.kinds.get(str(kind), {}), "kind"), (self.default, "default")]
        found = Assumed(underlying, {}, {})
        for values, who in layers:
            found = found.over(values, who)
        return found

    def unused(self, names: Iterable[str]) -> list[str]:
        """Return the underlyings that have an entry and are not among some names.

        Parameters
        ----------
        names : iterable of str

        Returns
        -------
        list of str
        """
        return sorted(set(self.underlyings) - set(names))


def load_underlying_settings(path: str | Path) -> UnderlyingSettings:
    """Return the settings in a TOML file or in a table (Parquet, CSV) of one row an underlying.

    TOML has ``[default]``, ``[kinds.share]`` (or index, etf, future) and ``[underlyings.NAME]``; a
    table has a column ``underlying``, in which ``*`` is the default, and columns named by the keys.
    Paths within are relative to the file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    UnderlyingSettings

    Raises
    ------
    InputFileError
        If there is no such file.
    ConfigError
        If the file cannot be read, or a value is not what its key should hold.
    UnknownNameError
        If a key or a kind is unknown; the message names the nearest.
    """
    from .reader import require_file

    file = Path(path)
    require_file(file)
    if file.suffix.lower() in (".parquet", ".pq", ".csv"):
        found = _from_table(file)
    else:
        found = _from_toml(file)
    checked = {
        "default": _checked(found["default"], f"{file}: [default]", file),
        "kinds": {
            kind: _checked(values, f"{file}: [kinds.{kind}]", file)
            for kind, values in found["kinds"].items()
        },
        "underlyings": {
            name: _checked(values, f"{file}: [underlyings.{name}]", file)
            for name, values in found["underlyings"].items()
        },
    }
    for name in checked["underlyings"]:
        if any(sign in name for sign in "*?[,"):
            raise ConfigError(
                f"{file}: [underlyings.{name}] is no name: settings take no patterns; name each "
                "underlying, or use [kinds.share] (or another kind) or [default]"
            )
    for kind in checked["kinds"]:
        if kind not in INSTRUMENTS:
            raise UnknownNameError(f"kind of underlying in {file}", kind, INSTRUMENTS)
    return UnderlyingSettings(**checked)


def _from_toml(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{file}: expected a TOML file, a Parquet or a CSV table of settings: {error}"
        ) from error
    for table, content in found.items():
        if table not in _TABLES:
            raise UnknownNameError(f"table in {file}", table, _TABLES)
        nested = [] if table == "default" or not isinstance(content, dict) else content.values()
        if not all(isinstance(each, dict) for each in [content, *nested]):
            raise ConfigError(f"{file}: {table} must hold tables, e.g. [{table}.SPX]")
    return {table: found.get(table, {}) for table in _TABLES}


def _from_table(file: Path) -> dict[str, Any]:
    import pandas as pd

    try:
        if file.suffix.lower() == ".csv":
            frame = pd.read_csv(file, dtype={"underlying": str}, keep_default_na=False,
                                na_values=[""])  # fmt: skip
        else:
            frame = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read as a table of settings: {error}") from error
    if "underlying" not in frame.columns:
        raise ConfigError(f"{file}: lacks the column 'underlying': add it, '*' for the default")
    rows: dict[str, dict[str, Any]] = {}
    for row in frame.to_dict("records"):
        name = str(row.pop("underlying"))
        if name in rows:
            raise ConfigError(f"{file}: {name} has two rows: leave one")
        rows[name] = {str(k): v for k, v in row.items() if v is not None and v == v}
    return {"default": rows.pop(_EVERY, {}), "kinds": {}, "underlyings": rows}


def _checked(values: Mapping[str, Any], where: str, file: Path) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in SETTINGS_KEYS:
            raise UnknownNameError(f"key in {where}", key, list(SETTINGS_KEYS))
        checked[key] = _value(key, value, where, file)
    return checked


def _value(key: str, value: Any, where: str, file: Path) -> Any:
    if SETTINGS_KEYS[key] is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(f"{where} {key} must be a number, found {value!r}")
        number = float(value)
        positive = key in ("multiplier", "market_value")
        if not math.isfinite(number) or (positive and number <= 0):
            expected = "a positive number" if positive else "a finite number"
            raise ConfigError(f"{where} {key} must be {expected}, found {value!r}")
        return number
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where} {key} must be a text, found {value!r}")
    if key == "instrument" and value not in INSTRUMENTS:
        raise UnknownNameError(f"instrument in {where}", value, INSTRUMENTS)
    if key in _FILES:
        return str(file.absolute().parent / value)
    return value
