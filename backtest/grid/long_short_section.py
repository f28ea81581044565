"""What spans a grid of long-short portfolios, read from a TOML file and checked there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...data import ConfigError, InputFileError, UnknownNameError
from .long_short_legs import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LongShortSection", "load_long_short", "long_short_of"]

_SIDES: Final = ("low", "high")
_WEIGHTS: Final = ("equal", "inverse_volatility")


@dataclass(frozen=True, slots=True)
class LongShortSection:
    """Lists that span the product of long-short portfolios.

    Attributes
    ----------
    signals : tuple of str
        ``net_to_gross, share_of_absolute, per_dollar_volume, per_market_value, regime``.
    sides : tuple of {"low", "high"}
        Which end is held long. Names with little net gamma earn more in the literature.
    quantiles : tuple of float
        Share of the names in each leg, in (0, 0.5].
    weights : tuple of {"equal", "inverse_volatility"}
        Within a leg.
    holds : tuple of int
        Sessions that a portfolio is held.
    fees_bps : tuple of float
        Per side.

    Raises
    ------
    ConfigError, UnknownNameError
        If a value is not possible.
    """

    signals: tuple[str, ...] = ("net_to_gross", "share_of_absolute", "regime")
    sides: tuple[str, ...] = ("low",)
    quantiles: tuple[float, ...] = (0.1, 0.2, 0.3)
    weights: tuple[str, ...] = ("equal", "inverse_volatility")
    holds: tuple[int, ...] = (1, 5, 21)
    fees_bps: tuple[float, ...] = (0.0, 1.0, 5.0, 10.0)

    def __post_init__(self) -> None:
        for each in fields(self):
            found = list(getattr(self, each.name))
            if not found or any(found.count(value) > 1 for value in found):
                raise ConfigError(f"{each.name}: expected different values, at least one: {found}")
        for known, kind, values in (
            (SIGNALS, "signal", self.signals),
            (_SIDES, "side", self.sides),
            (_WEIGHTS, "weights", self.weights),
        ):
            for value in values:
                if value not in known:
                    raise UnknownNameError(kind, value, known)
        _require("quantiles", self.quantiles, "a share above 0 and up to 0.5", 1e-9, 0.5)
        _require("holds", self.holds, "a whole number of sessions, 1 to 250", 1, 250, whole=True)
        _require("fees_bps", self.fees_bps, "basis points, 0 to 1000", 0.0, 1000.0)


def _require(
    name: str,
    values: tuple[Any, ...],
    expected: str,
    low: float,
    high: float,
    *,
    whole: bool = False,
) -> None:
    for value in values:
        number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ConfigError(f"{name}: expected {expected}, found {value!r}")


def load_long_short(path: str | Path) -> LongShortSection:
    """Return the lists of a TOML file; what it leaves out is the default.

    Parameters
    ----------
    path : str or Path
        Keys as the attributes of `LongShortSection`, each a list or one value.

    Returns
    -------
    LongShortSection

    Raises
    ------
    InputFileError, ConfigError, UnknownNameError
        If the file cannot be read or is no TOML, or a key or value is not known.
    """
    file = Path(path)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{file} cannot be read ({error.strerror}): name a file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML ({error}): correct that line") from error
    return long_short_of(said)


def long_short_of(said: Mapping[str, Any]) -> LongShortSection:
    """Return the lists of a table; what it leaves out is the default.

    Parameters
    ----------
    said : mapping of str to object
        Keys as the attributes of `LongShortSection`, each a list or one value.

    Returns
    -------
    LongShortSection

    Raises
    ------
    ConfigError, UnknownNameError
        If a key or value is not known.
    """
    known = [each.name for each in fields(LongShortSection)]
    for key in said:
        if key not in known:
            raise UnknownNameError("key", key, known)
    return LongShortSection(
        **{key: tuple(v) if isinstance(v, list) else (v,) for key, v in said.items()}
    )
