"""The configuration file: what it may say, and its defaults.

Unknown keys are errors that name the nearest right spelling. Paths are relative to the file.
Every key is described in ``docs/configuration.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import (
    Field,
    PrivateAttr,
    model_validator,
)

from ...data import folder_of_lake, is_remote
from ..execution.terms import lot_named
from ..grid.section import GridSection
from .config_identity import settings_digest
from .config_sections import (
    ADDED_LATER,
    DataConfig,
    InferenceConfig,
    Instrument,
    RegimeConfig,
    SeriesConfig,
    StrategyConfig,
)
from .execution_section import ExecutionConfig, Fill
from .nightly_section import NightlyConfig
from .section_base import Section
from .tournament_section import LedgerConfig, TournamentConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

__all__ = [
    "Config",
    "default_fill",
    "ledger_beside",
    "require_terms",
]


class Config(Section):
    """A whole configuration.

    Attributes
    ----------
    data, regime, strategies, execution, series, inference, nightly, grid, ledger, tournament
        Sections of the same names. Without strategies the main one and all controls run.
    """

    data: DataConfig
    regime: RegimeConfig = RegimeConfig()
    strategies: tuple[StrategyConfig, ...] = ()
    execution: ExecutionConfig = ExecutionConfig()
    series: dict[str, SeriesConfig] = Field(default_factory=dict)
    inference: InferenceConfig = InferenceConfig()
    nightly: NightlyConfig = NightlyConfig()
    ledger: LedgerConfig = LedgerConfig()
    tournament: TournamentConfig = TournamentConfig()
    grid: GridSection = Field(default_factory=dict)

    _folder: Path = PrivateAttr(default_factory=Path)
    _lake_version: int | None = PrivateAttr(default=None)
    _lake_place: str | None = PrivateAttr(default=None)

    @property
    def sha256(self) -> str:
        """SHA-256 of the configuration as it acts, wherever it lies and however it was written.

        Every setting counts, defaults included, as it is now: comments, the order of keys and the
        folder do not, changes made in Python (``model_copy``) do. Where trials are recorded
        changes no result.
        """
        unsaid = {name for name in ADDED_LATER if getattr(self.data, name) is None}
        if not self.data.total_return:
            unsaid.add("total_return")
        settings = self.model_dump(
            mode="python",
            exclude={
                "ledger": True,
                "data": unsaid,
                "execution": self.execution.unsaid,
                # change no result
                "nightly": {"compact_after", "grid", "tournament", "test", "webhook", "mail"},
            },
        )
        return settings_digest(settings, self._folder)

    @property
    def ledger_path(self) -> Path | None:
        """Folder of the ledger of trials, or what stands for it in an object store; or None."""
        path, lake = self.ledger.path, self.data.lake
        if path is not None:
            return folder_of_lake(path) if is_remote(path) else path
        return None if lake is None else ledger_beside(lake)

    @property
    def decides_within(self) -> bool:
        """Whether a strategy decides within the session, at intraday bars."""
        return any(chosen.build().intraday for chosen in self.strategies)

    @property
    def folder(self) -> Path:
        """Folder that its paths are relative to."""
        return self._folder

    def located(self, folder: Path) -> Config:
        """Return the configuration with where it was read.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        Config
        """
        found = self.model_copy()
        found._folder = folder
        return found

    @property
    def lake_version(self) -> int | None:
        """Version of the lake that is read; the newest where None. It is no setting: see `past`."""
        return self._lake_version

    def past(self, lake_version: int) -> Config:
        """Return the configuration with a version of its lake that is read, and no other.

        What it says, and so its digest, stays the same.

        Parameters
        ----------
        lake_version : int

        Returns
        -------
        Config
        """
        found = self.model_copy()
        found._lake_version = lake_version
        return found

    @property
    def lake_place(self) -> str | None:
        """Where the lake's tables are read; `data.lake` but for a replay (see `with_lake_at`)."""
        return self.data.lake if self._lake_place is None else self._lake_place

    def with_lake_at(self, place: Path) -> Config:
        """Return the configuration with its lake's tables read elsewhere than it says.

        Parameters
        ----------
        place : Path
            Where the lake lies that `data.lake` names.

        Returns
        -------
        Config
        """
        found = self.model_copy()
        found._lake_place = str(place)
        return found

    def until(self, end: date | None) -> Config:
        """Return the configuration with no session after a day, and none after its own end.

        Parameters
        ----------
        end : date or None
            None leaves it as it is.

        Returns
        -------
        Config
        """
        if end is None or (self.data.end is not None and self.data.end <= end):
            return self
        return self.model_copy(update={"data": self.data.model_copy(update={"end": end})})

    @property
    def fill(self) -> Fill:
        """Fill that applies: the configured one, else the instrument's default."""
        return self.execution.fill or default_fill(self.data.instrument_kind)

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if self.regime.source == "lake" and self.data.lake is None:
            raise ValueError(
                'regime.source is "lake" but data.lake is missing: name the lake\'s folder'
            )
        names = [strategy.name for strategy in self.strategies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"strategy {twice[0]!r} is defined twice: give each its own name")
        require_terms(self.execution, self.data, tuple(self.series))
        for strategy in self.strategies:
            if strategy.on is not None and strategy.on not in self.series:
                raise ValueError(
                    f"strategy {strategy.name!r} reads series {strategy.on!r}, which [series] "
                    f"does not define: known are {', '.join(sorted(self.series)) or 'none'}"
                )
        return self


def require_terms(execution: ExecutionConfig, data: DataConfig, series: Sequence[str]) -> None:
    """Refuse terms of trading that contradict the data, or name a series that is not there.

    Raises
    ------
    ValueError
    """
    for key, name in execution.named.items():
        if name not in series:
            raise ValueError(
                f"execution.{key} reads series {name!r}, which [series] does not define: known "
                f"are {', '.join(sorted(series)) or 'none'}"
            )
    lot_named(execution.lot, data.underlying)
    twice = data.total_return or "adjusted_close" in data.bars_columns
    if execution.dividends is not None and twice:
        raise ValueError(
            "execution.dividends would count dividends twice: the bars include them already "
            "(data.total_return, or adjusted_close in data.bars_columns); leave one of them out"
        )
    future = data.known_instrument == "future"
    for key in ("financing_rate", "borrow_rate", "dividends"):
        if future and getattr(execution, key) not in (0.0, None):
            raise ValueError(
                f"execution.{key}: a future is neither paid for nor borrowed and has no dividends; "
                "leave it out (cash_rate is earned on all equity)"
            )
    if execution.fill is not None and ":" in execution.fill and data.intraday is None:
        raise ValueError(
            f"execution.fill = {execution.fill!r} is an intraday bar, and there are none: name "
            "them in data.intraday"
        )


def ledger_beside(lake: str | Path) -> Path | None:
    """Return the folder of the ledger that belongs to a lake.

    Parameters
    ----------
    lake : str or Path
        The lake's folder, or its address in an object store.

    Returns
    -------
    Path or None
        Beside a lake on a disk. Of one in an object store what stands for its address: the ledger
        is a table in it. None where that is not one that lakes can lie in.
    """
    if is_remote(lake):
        return folder_of_lake(lake)
    return None if "://" in str(lake) else Path(lake).absolute().parent / "ledger"


def default_fill(instrument: Instrument) -> Fill:
    """Return the fill of an instrument: the next close for cash indices, else the next open.

    The opens of cash indices are stale: they are partly yesterday's close.
    """
    return "next_close" if instrument == "index" else "next_open"
