"""Exactly the rebuilt rows that somebody asks for, whoever else rebuilds what in the same lake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..base.errors import LakeError, MissingPartError
from ..base.progress import Progress, silent
from ..lake.lake import Lake, open_lake
from .rebuild import RebuildResult, up_to_date
from .spec import RegimeSpec
from .table import as_frame, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..base.schema import Book
    from ..lake.derived_tables import DerivedStore
    from .job import Job

__all__ = ["RebuiltRows", "rebuilt_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class RebuiltRows:
    """The rebuilt tables of one spec, of the lake and of the spec's files as they were read.

    Attributes
    ----------
    lake : Lake
    spec : RegimeSpec
    store : DerivedStore
        Its parts hold these rows and no others.
    done : RebuildResult
        What had to be computed.
    job : Job or None
        The spec with its files as they were read; None of a peer's rule.
    lake_version : int or None
        The version of the lake that wrote the chains that these rows were computed from.
    """

    lake: Lake
    spec: RegimeSpec
    store: DerivedStore
    done: RebuildResult
    job: Job | None
    lake_version: int | None = None
    _read: dict[tuple[str, Book], pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def content_id(self) -> str:
        """Content id of everything that the rows were computed from.

        Chains, definition, dealer model, books, positions, curves, calendar, kind of instrument
        and the version of the rows: 64 hexadecimal digits.
        """
        return self.store.content

    def content_of(self, book: Book) -> str:
        """Return the content id of one book's rows: that of `content_id` were there no other.

        Parameters
        ----------
        book : {"as_of_close", "post_expiry"}

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        return self.store.of_book(book).content

    def table(self, name: str, book: Book) -> pd.DataFrame:
        """Return a rebuilt table of one book, which is read once.

        Parameters
        ----------
        name : str
            One of `TABLES`.
        book : {"as_of_close", "post_expiry"}

        Returns
        -------
        DataFrame
            Ascending by session; undefined is NaN or None.

        Raises
        ------
        DefinitionError
            If the definition has no such table.
        MissingPartError
            If a file of the rows is damaged.
        LakeError
            If somebody has replaced the rows by those of other chains meanwhile.
        """
        if (name, book) not in self._read:
            self._read[name, book] = self._table(name, book)
        return self._read[name, book].copy(deep=False)  # copied on write

    def _table(self, name: str, book: Book) -> pd.DataFrame:
        store = self.store
        for attempt in range(_ATTEMPTS):
            try:
                return as_frame(rows_of(self.lake, self.spec.underlying, name, [store], book))
            except MissingPartError:
                _, store, _ = up_to_date(self.lake.as_it_is_now(), self.spec)
                if store.content != self.store.content:
                    break
                if attempt + 1 == _ATTEMPTS:  # nobody has moved the rows: their file is damaged
                    raise
        raise LakeError(
            f"{self.lake.root}: chains of {self.spec.underlying}, or what its rows are computed "
            "with, were replaced while they were read: run the same command again"
        )


#: How often rows are read that another rebuild has moved to other files.
_ATTEMPTS = 3


def rebuilt_rows(
    lake: Lake | str | Path, spec: RegimeSpec, *, progress: Progress = silent
) -> RebuiltRows:
    """Bring the rows of a spec up to date, and return them and no others.

    Parameters
    ----------
    lake : Lake, str or Path
    spec : RegimeSpec
    progress : Progress
        Called after every session.

    Returns
    -------
    RebuiltRows

    Raises
    ------
    LakeError, DefinitionError, InputFileError, UnknownNameError
        As `gexlab.data.rebuild`.
    """
    opened = lake if isinstance(lake, Lake) else open_lake(lake)
    with opened.reading():
        plan, store, done = up_to_date(opened, spec, progress=progress)
    return RebuiltRows(opened, spec, store, done, plan.job, plan.chains.version)
