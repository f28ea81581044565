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

from ..grid.section import GridSection
from .config_identity import settings_digest
from .config_sections import (
    DataConfig,
    ExecutionConfig,
    Fill,
    InferenceConfig,
    Instrument,
    LedgerConfig,
    NightlyConfig,
    RegimeConfig,
    SeriesConfig,
    StrategyConfig,
    _Section,
)

if TYPE_CHECKING:
    pass

__all__ = [
    "Config",
    "default_fill",
    "ledger_beside",
]


class Config(_Section):
    """A whole configuration.

    Attributes
    ----------
    data, regime, strategies, execution, series, inference, nightly, grid, ledger
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
    grid: GridSection = Field(default_factory=dict)

    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def sha256(self) -> str:
        """SHA-256 of the configuration as it acts, wherever it lies and however it was written.

        Every setting counts, defaults included, as it is now: comments, the order of keys and the
        folder do not, changes made in Python (``model_copy``) do. Where trials are recorded
        changes no result.
        """
        settings = self.model_dump(mode="python", exclude={"ledger"})
        return settings_digest(settings, self._folder)

    @property
    def ledger_path(self) -> Path | None:
        """Folder of the ledger of trials; None where there is none."""
        lake = self.data.lake
        if self.ledger.path is not None or lake is None or "://" in lake:
            return self.ledger.path
        return ledger_beside(Path(lake))

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
        for strategy in self.strategies:
            if strategy.on is not None and strategy.on not in self.series:
                raise ValueError(
                    f"strategy {strategy.name!r} reads series {strategy.on!r}, which [series] "
                    f"does not define: known are {', '.join(sorted(self.series)) or 'none'}"
                )
        return self


def ledger_beside(lake: Path) -> Path:
    """Return the folder of the ledger that belongs to a lake.

    Parameters
    ----------
    lake : Path
        The lake's folder.

    Returns
    -------
    Path
    """
    return lake.absolute().parent / "ledger"


def default_fill(instrument: Instrument) -> Fill:
    """Return the fill of an instrument: the next close for cash indices, else the next open.

    The opens of cash indices are stale: they are partly yesterday's close.
    """
    return "next_close" if instrument == "index" else "next_open"
