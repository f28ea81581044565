"""What a killed grid leaves, and what a changed one need not compute again."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ...data import code_digest, published_file
from ...strategies import RULED, Component
from ..execution.engine import engine_name
from ..run.strategy_results import Metrics

if TYPE_CHECKING:
    from ...strategies import Strategy
    from ..statistics.resampling import Resampling
    from .columns import Ground

__all__ = ["FOUND", "KEY", "Store", "code_of", "ground_id", "program_id"]

#: Column that says what a trial was computed from: data, code and resampling.
KEY: Final = "computed_from"
#: What is known of a trial once it has been computed.
FOUND: Final = (*(f.name for f in fields(Metrics)), "late", "undefined")
_PREFIX: Final = ".gexlab-trials-"


class Store:
    """Computed trials in the folder of a grid's results: of the last grid, and of a killed one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, dict[str, Any]] = {}
        if folder is None:
            return
        for file in (folder / "trials.parquet", *sorted(folder.glob(f"{_PREFIX}*.parquet"))):
            with suppress(OSError, ValueError, KeyError):  # not there, or not of a grid
                table = pd.read_parquet(file)[[KEY, *FOUND]]
                for row in table.to_dict("records"):
                    self._known[str(row.pop(KEY))] = {str(k): v for k, v in row.items()}

    def get(self, key: str) -> Mapping[str, Any] | None:
        """Return what is known of a trial, None where it has to be computed.

        Parameters
        ----------
        key : str
            Of the trial: data, code and parameters.

        Returns
        -------
        mapping of str to object, or None
        """
        return self._known.get(key)

    def keep(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep computed trials, in a file of their own, at once.

        Parameters
        ----------
        rows : mapping of str to mapping
            Key of a trial to its row.
        """
        self._known |= {key: dict(row) for key, row in rows.items()}
        if self._folder is None or not rows:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("".join(rows).encode()).hexdigest()[:16]
        table = pd.DataFrame([{KEY: key, **row} for key, row in rows.items()])
        with published_file(self._folder / f"{_PREFIX}{name}.parquet") as draft:
            table.to_parquet(draft, index=False)

    def clear(self) -> None:
        """Remove what was kept on the way: the results hold it now."""
        if self._folder is not None:
            for file in self._folder.glob(f"{_PREFIX}*.parquet"):
                file.unlink(missing_ok=True)


def ground_id(ground: Ground, how: Resampling) -> str:
    """Return a digest of all data, moments and resampling behind trials of one market and fill."""
    schedule, panel = ground.schedule, ground.evaluation.panel
    digest = hashlib.sha256(f"{panel.content_id}:{how!r}:{ground.clock.year}".encode())
    for moments in (schedule.sessions.asi8, schedule.due, schedule.row, ground.clock.spans):
        digest.update(moments.tobytes())
    digest.update(ground.evaluation.deadline.tobytes())
    # prices of a stated intraday bar are in no column of the panel
    digest.update(ground.bars.filter(regex="^at_fill$|_before$|_after$").to_numpy().tobytes())
    return digest.hexdigest()


@cache
def program_id() -> str:
    """Return a digest of the code that computes trials, and of the engine's and numpy's version.

    Results of another version are never taken for those of this one.
    """
    parts = f"{engine_name()}:{version('numpy')}:{code_digest()}"
    return hashlib.sha256(parts.encode()).hexdigest()


def code_of(strategy: Strategy) -> str:
    """Return a digest of the users' own modules behind a strategy; ``""`` where there are none."""
    parts = [strategy.filter, strategy.sizing, *(strategy.rule(label) for label in RULED)]
    modules = sorted({name for part in parts for name in _own_modules(part)})
    return ":".join(f"{name}={_digest(name)}" for name in modules)


@lru_cache(maxsize=8192)  # equal components are of one class
def _own_modules(component: Component) -> tuple[str, ...]:
    found = [
        base.__module__
        for base in type(component).__mro__
        if base is not object and not base.__module__.startswith("gexlab.")
    ]
    for value in component.parameters().values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Component):
                found += _own_modules(part)
    return tuple(found)


@cache
def _digest(name: str) -> str:
    module = sys.modules.get(name) or import_module(name)
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):  # typed at a prompt: only this process knows it
        source = str(id(module))
    return hashlib.sha256(source.encode()).hexdigest()[:16]
