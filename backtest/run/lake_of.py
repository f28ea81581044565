"""The lake that a configuration names, at the version that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data import ConfigError, open_lake

if TYPE_CHECKING:
    from datetime import datetime

    from ...data import Lake
    from .config import Config

__all__ = ["as_of_version", "lake_of"]


def lake_of(config: Config) -> Lake:
    """Return a configuration's lake, at its version where it reads a past one.

    Raises
    ------
    ConfigError
        If it names none.
    LakeError
        If it cannot be opened, or has no such version.
    """
    if config.lake_place is None:
        raise ConfigError("data.lake is missing: name the lake's folder")
    return open_lake(config.lake_place, as_of=config.lake_version)


def as_of_version(config: Config, as_of: int | str | datetime | None) -> Config:
    """Return a configuration that reads its lake as it was at a version, or at a moment.

    Parameters
    ----------
    config : Config
    as_of : int, str or datetime or None
        A version of the lake, or a moment at which it was in force (UTC where no zone is stated);
        None leaves the configuration as it is.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        If the regime is a series, which has no versions.
    LakeError
        If the lake has no such version.
    """
    if as_of is None:
        return config
    if config.regime.source != "lake" or config.lake_place is None:
        raise ConfigError(
            "a series has no versions: leave out --as-of, or name a lake (regime.source)"
        )
    pinned = open_lake(config.lake_place, as_of=as_of)
    assert pinned.version is not None  # asked for
    return config.past(pinned.version)
