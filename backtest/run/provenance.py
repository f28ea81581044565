"""What is needed to repeat a run."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from ...data import calendar_mark
from .config_identity import settings_digest
from .results import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .config import Config
    from .market import Market

__all__ = ["content_id", "library_versions", "provenance_of"]

#: Libraries whose version can change a number.
_LIBRARIES = (
    "arch",
    "duckdb",
    "exchange-calendars",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "statsmodels",
    "vectorbt",
    "vectorbt-rust",
)


#: Sections that say what is done before, after and with many runs.
_BESIDE = ("grid", "ledger", "nightly")


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that produce numbers.

    A library that is not installed is left out.
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = _installed(version, name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _installed(read: Callable[[str], str], name: str) -> str:
    """Return a version, read once a process: what has been loaded does not change under it."""
    return read(name)


def content_id(config: Config, market: Market) -> str:
    """Return the content id of everything that a run's results depend on.

    The configuration as it acts, with the code of users' own components; the content of every
    input (the lake's rows by the chains, definition, positions, curves and calendar that they were
    computed from; bars and series by their bytes); gexlab's version and those of the libraries
    that produce numbers. Equal ids: running again would give the same results.

    Parameters
    ----------
    config : Config
    market : Market
        Its inputs, loaded.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    parts = ["gexlab", version("gexlab"), _acting(config), str(market.regime.definition_id)]
    parts += [chosen.build().strategy_id for chosen in config.strategies]
    parts += [f"{name}={number}" for name, number in sorted(library_versions().items())]
    parts += [f"{file.path}={file.sha256}" for file in market.inputs]
    parts += [f"calendar={calendar_mark(market.calendar)}", f"simulated={market.simulated}"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _acting(config: Config) -> str:
    """Return the digest of all settings but those of sections that act on no result of a run."""
    settings = config.model_dump(mode="python", exclude=set(_BESIDE))
    return settings_digest(settings, config.folder)


def provenance_of(
    config: Config, market: Market, trials: int, created_at: datetime, seconds: float
) -> Provenance:
    """Return the provenance of a run.

    Parameters
    ----------
    config : Config
    market : Market
    trials : int
        Strategies evaluated.
    created_at : datetime
        UTC.
    seconds : float
        Wall-clock time.
    """
    return Provenance(
        gexlab=version("gexlab"),
        versions=library_versions(),
        config_sha256=config.sha256,
        content_id=content_id(config, market),
        inputs=market.inputs,
        definition_id=market.regime.definition_id,
        trials=trials,
        seed=config.inference.seed,
        bootstrap=config.inference.bootstrap,
        block=config.inference.block,
        level=config.inference.level,
        created_at=created_at,
        seconds=seconds,
        lake_version=market.regime.lake_version,
    )
