"""Which market a configuration speaks of: calendar, monthly expirations, currency, contracts.

Resolved once. What the lake says counts, then what a series says, then the configuration; one
that contradicts another is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...data import (
    DEFAULT_CALENDAR,
    CalendarError,
    ConfigError,
    GexlabError,
    MarketFacts,
    market_facts,
    spells_in_words,
    trading_calendar,
)
from .lake_of import lake_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...data import Lake, Manifest
    from .config import Config

__all__ = ["instrument_in_lake", "market_of"]

#: How contracts settle, as a rule of a column map says it and as rows of a lake show it.
_SETTLE: Final = {"PM": "PM", "AM": "AM", "third_friday": "AM and PM"}


def market_of(config: Config, lake: Lake | None = None) -> MarketFacts:
    """Return the facts of the market that a configuration speaks of.

    Parameters
    ----------
    config : Config
    lake : Lake, optional
        The configured one where it is open already.

    Raises
    ------
    ConfigError
        If the lake, a series and the configuration contradict each other.
    """
    manifest = _manifest(config, lake)
    facts = None if manifest is None else manifest.facts
    held = facts if manifest is not None and manifest.sources else None
    said = list(_calendars(config, held))
    try:
        for whose, name in said[1:]:
            if trading_calendar(name).name != trading_calendar(said[0][1]).name:
                raise ConfigError(
                    f"{whose} says calendar {name!r}, {said[0][0]} {said[0][1]!r}: correct the "
                    "one that is wrong, or leave the configuration's out"
                )
        name = said[0][1] if said else DEFAULT_CALENDAR
        asked = market_facts(name, monthly=config.data.monthly, currency=config.data.currency)
    except CalendarError as error:
        raise ConfigError(str(error)) from error
    if facts is not None:
        _require_contracts(config, facts)
    return asked if held is None else _agreed(config, held, asked)


def instrument_in_lake(config: Config) -> str | None:
    """Return the kind of underlying that a configuration's lake states; None where it does not."""
    try:
        manifest = _manifest(config, None)
        return None if manifest is None else manifest.instrument
    except GexlabError:  # whoever reads the lake says what is wrong with it
        return None


def _manifest(config: Config, opened: Lake | None) -> Manifest | None:
    """Return what the lake holds of the underlying, None where there is no lake to look at."""
    lake = config.data.lake
    if lake is None:
        return None
    try:
        return (opened or lake_of(config)).manifest(config.data.underlying)
    except GexlabError:
        if config.regime.source == "lake":
            raise
        return None


def _calendars(config: Config, held: MarketFacts | None) -> Iterator[tuple[str, str]]:
    """Yield who says which calendar, the lake first."""
    if held is not None:
        yield f"the lake's {config.data.underlying}", held.calendar
    named = {"regime.series": config.regime.series} | {
        f"series.{name}": series for name, series in config.series.items()
    }
    for where, series in named.items():
        if series is not None and series.calendar is not None:
            yield where, series.calendar
    if config.data.calendar is not None:
        yield "data.calendar", config.data.calendar


def _agreed(config: Config, held: MarketFacts, asked: MarketFacts) -> MarketFacts:
    """Return what the lake says, unless the configuration contradicts it."""
    for key, one, other in (
        ("monthly", held.monthly.name, asked.monthly.name),
        ("currency", held.currency, asked.currency),
        ("instrument", held.instrument, config.data.instrument),
    ):
        if getattr(config.data, key) is not None and one not in (None, other):
            raise ConfigError(
                f"data.{key} = {other!r} contradicts the lake's {config.data.underlying}, "
                f"{one!r}: leave it out, or ingest again with [timing] {key} = {other!r}"
            )
    return held


def _require_contracts(config: Config, held: MarketFacts) -> None:
    """Refuse what a configuration says of the lake's contracts and their rows contradict."""
    data = config.data
    settles = None if data.settlement is None else _SETTLE[data.settlement]
    for key, table, asked, found, words in (
        ("multiplier", "constants", data.multiplier,
         {s.value for s in held.multiplier}, spells_in_words(held.multiplier)),
        ("oi_lag_sessions", "timing", data.oi_lag_sessions,
         {s.value for s in held.oi_lag_sessions}, spells_in_words(held.oi_lag_sessions)),
        ("settlement", "timing", settles, {held.settlement} - {None}, held.settlement),
    ):  # fmt: skip
        if asked is not None and found and found != {asked}:
            said = getattr(data, key)
            said = f"{said:g}" if isinstance(said, (int, float)) else repr(said)
            raise ConfigError(
                f"data.{key} = {said} contradicts the lake's {data.underlying}, {words}: leave it "
                f"out, or ingest again with [{table}] {key} = {said}"
            )
