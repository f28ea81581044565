"""One run's inputs: each read once, all of one moment, and known by their content."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import BOOKS, Progress, silent
from .lake_of import as_of_version, lake_of
from .load_config import load_config
from .load_market import load_market
from .market import Market
from .provenance import content_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ...data import Book
    from .config import Config

__all__ = ["RunContext", "open_run"]


@dataclass(frozen=True, slots=True, eq=False)
class RunContext:
    """What a run reads.

    Attributes
    ----------
    config : Config
    market : Market
        Its inputs, loaded; the lake is that of the moment at which the run began.
    """

    config: Config
    market: Market

    @property
    def content_id(self) -> str:
        """Content id of everything that the run's results depend on; see `provenance`."""
        return content_id(self.config, self.market)


@contextmanager
def open_run(
    config: Config | str | Path,
    *,
    books: tuple[Book, ...] | None = None,
    as_of: int | str | datetime | None = None,
    within: bool | None = None,
    progress: Progress = silent,
) -> Iterator[RunContext]:
    """Read a configuration's inputs, once; what a block does with them sees nothing newer.

    Parameters
    ----------
    config : Config, str or Path
    books : tuple of {"as_of_close", "post_expiry"}, optional
        Books to bring up to date, the configured one among them. Left out: that one, and both of a
        simulated market, whose truth knows both.
    as_of : int, str or datetime, optional
        A version of the lake, or a moment at which it was in force; rows that it lacks are computed
        and not kept.
    within : bool, optional
        As `load_market`.
    progress : Progress

    Yields
    ------
    RunContext
        Files of the lake that others replace meanwhile stay until the block ends.

    Raises
    ------
    GexlabError
        As `load_market`.
    """
    settings = load_config(config) if isinstance(config, (str, Path)) else config
    settings = as_of_version(settings, as_of)
    place = settings.data.lake
    if settings.regime.source != "lake" or place is None:
        yield RunContext(settings, load_market(settings, within=within, progress=progress))
        return
    lake = lake_of(settings)
    if books is None and (lake.root / "truth.json").is_file():
        books = BOOKS
    with lake.reading():
        now = lake.as_of_now(settings.data.underlying)
        market = load_market(settings, lake=now, books=books, within=within, progress=progress)
        yield RunContext(settings, market)
