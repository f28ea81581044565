"""Which market a configuration speaks of: calendar, monthly expirations, currency.

Resolved once. What the lake says counts, then what a series says, then the configuration; one
that contradicts another is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data import (
    DEFAULT_CALENDAR,
    CalendarError,
    ConfigError,
    GexlabError,
    MarketFacts,
    market_facts,
    open_lake,
    trading_calendar,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...data import Lake
    from .config import Config

__all__ = ["market_of"]


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
    held = _lake_facts(config, lake)
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
    return asked if held is None else _agreed(config, held, asked)


def _lake_facts(config: Config, opened: Lake | None) -> MarketFacts | None:
    """Return what the lake says of the underlying, None where it says nothing."""
    lake = config.data.lake
    if lake is None or "://" in lake:
        return None
    try:
        manifest = (opened or open_lake(lake)).manifest(config.data.underlying)
    except GexlabError:
        if config.regime.source == "lake":
            raise
        return None
    return manifest.facts if manifest.sources else None


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
    ):
        if getattr(config.data, key) is not None and one != other:
            raise ConfigError(
                f"data.{key} = {other!r} contradicts the lake's {config.data.underlying}, "
                f"{one!r}: leave it out, or ingest again with [timing] {key} = {other!r}"
            )
    return held
