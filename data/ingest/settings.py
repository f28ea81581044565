"""What a settings file says of one underlying, laid over a vendor's preset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from ..base.errors import ConfigError
from ..calendar.market_defaults import known_currency
from ..calendar.monthly_rules import monthly_rule
from ..calendar.trading import trading_calendar
from ..tables.underlying_settings import UnderlyingSettings, load_underlying_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ..tables.underlying_settings import Assumed
    from ..vendors.vendor_preset import Preset

__all__ = ["INGEST_KEYS", "settings_from", "with_settings"]

#: Keys that act on rows as they are read; the others act on rebuilds and tables.
INGEST_KEYS: Final = ("multiplier", "calendar", "settlement", "monthly", "currency", "instrument")
_SETTLEMENTS: Final = ("PM", "AM", "third_friday")


def settings_from(given: UnderlyingSettings | str | Path | None) -> UnderlyingSettings:
    """Return settings, read from their file where a path is given; nothing of nothing."""
    if given is None:
        return UnderlyingSettings()
    return given if isinstance(given, UnderlyingSettings) else load_underlying_settings(given)


def with_settings(preset: Preset, assumed: Assumed) -> Preset:
    """Return a preset with what is assumed of an underlying; itself where that is nothing.

    Raises
    ------
    ConfigError, CalendarError, UnknownNameError
        If a value is not what its key should hold.
    """
    said: dict[str, Any] = {k: v for k, v in assumed.values.items() if k in INGEST_KEYS}
    if not said:
        return preset
    multiplier = said.pop("multiplier", None)
    if said.get("settlement", "PM") not in _SETTLEMENTS:
        raise ConfigError(
            f"settlement of {assumed.underlying} must be one of {', '.join(_SETTLEMENTS)}, found "
            f"{said['settlement']!r}"
        )
    if multiplier is not None and "multiplier" in preset.columns:
        raise ConfigError(
            f"the files state the multiplier of {assumed.underlying} in a column: leave it out of "
            "the settings, or out of the column map"
        )
    if "calendar" in said:
        trading_calendar(said["calendar"])
    if "monthly" in said:
        monthly_rule(said["monthly"])
    if "currency" in said:
        known_currency(said["currency"])
    constants = dict(preset.constants)
    if multiplier is not None:
        constants["multiplier"] = multiplier
    return replace(preset, timing=replace(preset.timing, **cast("Any", said)), constants=constants)
