"""A configuration of a universe: its grid is one of long-short portfolios of a lake's names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from ...data import (
    DEFAULT_NAME,
    Book,
    ConfigError,
    definition_from_table,
    definition_named,
    folder_of_lake,
    is_remote,
    open_lake,
)
from ..grid.long_short_section import LongShortSection, long_short_of
from .config import Config, ledger_beside
from .config_errors import first_problem
from .config_sections import (
    AddressNearConfig,
    DealerName,
    DefinitionSaid,
    InferenceConfig,
    NearConfig,
)
from .load_config import load_config, read_document
from .section_base import Section
from .tournament_section import LedgerConfig

if TYPE_CHECKING:
    from datetime import datetime

    from ...data import Definition, PeerRule

__all__ = ["UniverseConfig", "UniverseRegime", "load_grid"]

#: Key of [grid] by which its trials are long-short portfolios.
_KEY: Final = "long_short"


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _portfolios(value: dict[str, Any]) -> dict[str, Any]:
    long_short_of(value)
    return value


class UniverseData(Section):
    """Which names of which lake.

    Attributes
    ----------
    lake : str
        Folder or address.
    underlying : str
        Names with commas, a pattern, or all of them.
    start, end : date or None
        First and last session whose regimes count.
    settings : Path or None
        What holds for whom; sectors and market values are taken from it too.
    volumes : Path or None
        Dollar volumes: ``underlying, session, dollar_volume``.
    simulated : bool
        Whether the names are simulated ones.
    """

    lake: AddressNearConfig
    underlying: Annotated[str, Field(min_length=1)] = "*"
    start: date | None = None
    end: date | None = None
    settings: NearConfig | None = None
    volumes: NearConfig | None = None
    simulated: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> UniverseData:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} lies after end {self.end}: exchange them")
        return self


class UniverseRegime(Section):
    """What is computed of every name, but for what the settings say of it.

    Attributes
    ----------
    dealer_model : str
    book : {"as_of_close", "post_expiry"}
    definition : str or mapping
        As in a configuration of one market.
    """

    dealer_model: DealerName = "naive"
    book: Book = "post_expiry"
    definition: DefinitionSaid = DEFAULT_NAME


class UniverseGrid(Section):
    """What spans the grid: lists of portfolios, and of regimes that they go by.

    Attributes
    ----------
    long_short : mapping
        See `LongShortSection`.
    dealer_model, book, definition : tuple
        Instead of those of ``[regime]``.
    """

    long_short: Annotated[dict[str, Any], AfterValidator(_portfolios)]
    dealer_model: Annotated[tuple[DealerName, ...], BeforeValidator(_several)] = ()
    book: Annotated[tuple[Book, ...], BeforeValidator(_several)] = ()
    definition: Annotated[tuple[DefinitionSaid, ...], BeforeValidator(_several)] = ()


class UniverseConfig(Section):
    """A configuration of a universe.

    Attributes
    ----------
    data, regime, grid, ledger, inference
        Sections of the same names.
    """

    data: UniverseData
    regime: UniverseRegime = UniverseRegime()
    grid: UniverseGrid
    ledger: LedgerConfig = LedgerConfig()
    inference: InferenceConfig = InferenceConfig()

    _folder: Path = PrivateAttr(default_factory=Path)
    _lake_version: int | None = PrivateAttr(default=None)

    @property
    def lake_version(self) -> int | None:
        """Version of the lake that is read; the newest where None."""
        return self._lake_version

    def at_version(self, as_of: int | str | datetime | None) -> UniverseConfig:
        """Return the configuration with a past version of its lake.

        Parameters
        ----------
        as_of : int, str or datetime or None
            As for `as_of_version`; None leaves it as it is.

        Returns
        -------
        UniverseConfig

        Raises
        ------
        LakeError
            If the lake has no such version.
        """
        if as_of is None:
            return self
        found = self.model_copy()
        found._lake_version = open_lake(self.data.lake, as_of=as_of).version
        return found

    @property
    def portfolios(self) -> LongShortSection:
        """What spans the product of portfolios."""
        return long_short_of(self.grid.long_short)

    @property
    def regimes(self) -> tuple[UniverseRegime, ...]:
        """Every regime that the portfolios go by."""
        mine = self.regime
        return tuple(
            mine.model_copy(update={"dealer_model": dealer, "book": book, "definition": said})
            for dealer in self.grid.dealer_model or (mine.dealer_model,)
            for book in self.grid.book or (mine.book,)
            for said in self.grid.definition or (mine.definition,)
        )

    def definition_of(self, regime: UniverseRegime) -> Definition | PeerRule:
        """Return the definition that a regime states: its file is read here.

        Parameters
        ----------
        regime : UniverseRegime

        Returns
        -------
        Definition or PeerRule

        Raises
        ------
        DefinitionError, InputFileError
            If it cannot be read.
        """
        said = regime.definition
        if isinstance(said, str):
            return definition_named(said)
        return definition_from_table(said, self._folder, "of the configuration")

    @property
    def ledger_path(self) -> Path | None:
        """Folder of the ledger of trials, or what stands for it in an object store; or None."""
        path = self.ledger.path
        if path is None:
            return ledger_beside(self.data.lake)
        return folder_of_lake(path) if is_remote(path) else path


def load_grid(path: str | Path) -> Config | UniverseConfig:
    """Read and check the configuration of a grid, be it of one market or of a universe.

    Parameters
    ----------
    path : str or Path
        A TOML file; with ``[grid.long_short]`` it is one of a universe.

    Returns
    -------
    Config or UniverseConfig

    Raises
    ------
    ConfigError
        If the file cannot be read, is not TOML, or says something that is not valid.
    """
    document, file = read_document(path)
    grid = document.get("grid")
    if not isinstance(grid, dict) or _KEY not in grid:
        return load_config(path)
    folder = file.parent.absolute()
    try:
        found = UniverseConfig.model_validate(document, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError(f"{file}: {first_problem(error.errors(), UniverseConfig)}") from error
    found._folder = folder
    return found
