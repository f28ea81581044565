"""What is needed to repeat a run."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .results import Provenance

if TYPE_CHECKING:
    from datetime import datetime

    from .config import Config
    from .market import Market

__all__ = ["library_versions", "provenance_of"]

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


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that produce numbers.

    A library that is not installed is left out.
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


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
        inputs=market.inputs,
        definition_id=market.regime.definition_id,
        trials=trials,
        seed=config.inference.seed,
        bootstrap=config.inference.bootstrap,
        block=config.inference.block,
        level=config.inference.level,
        created_at=created_at,
        seconds=seconds,
    )
