"""Reading what was rebuilt: the regime table and its side tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.arrow_values import records_of
from ..base.errors import (
    DefinitionError,
    EmptyTableError,
    LakeError,
    MissingPartError,
    UnknownNameError,
)
from ..base.exporting import defused_frame
from ..base.publishing import published_file
from ..base.schema import BOOKS, Book
from ..lake.derived_rows import read_rows
from ..lake.derived_tables import TABLES, DerivedStore
from ..lake.lake import Lake, open_lake
from ..lake.naming import is_several
from ..quality.carry import CARRY_FINDINGS
from .outdated_rows import require_current
from .store_choice import DefinitionChoice, find_stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

    from ..tables.underlying_settings import UnderlyingSettings

__all__ = [
    "as_frame",
    "carry_findings",
    "export_regimes",
    "read_rebuilt",
    "regimes",
    "regimes_and_carry",
    "require_one_definition",
    "rows_of",
    "side_table",
]

_CARRY_COLUMNS: Final = ["session", "book", "dealer_model", "check", "detail"]


def regimes(
    lake: Lake | str | os.PathLike[str],
    underlying: str,
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
    settings: UnderlyingSettings | str | Path | None = None,
) -> pd.DataFrame:
    """Return the regime table of one definition.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
        ``"*"``, a pattern (capitals matter) or names with commas: the rows of all of them.
    book : {"as_of_close", "post_expiry"}, optional
        Both where it is left out.
    dealer_model : str, optional
        All that were rebuilt where it is left out.
    definition_id : str, Definition or PeerRule, optional
        Id of a definition that was rebuilt, its name, the path of its file, or the definition
        itself. Left out, it is the only one there is; with several of them that is an error:
        definitions never mix, and nobody's rebuild changes what others get.
    settings : UnderlyingSettings or path, optional
        Rates and dealer model by underlying, as they were rebuilt with.

    Returns
    -------
    DataFrame
        One row per session, book and dealer model; columns of
        ``regime_columns.REGIME_COLUMNS``. A row may be used from its ``known_at`` on. Undefined
        is NaN or None, never 0.

    Raises
    ------
    OutdatedRowsError
        If rows are of other chains, or files, than there are now.
    LakeError, DefinitionError, UnknownNameError
    """
    if settings is not None or is_several(underlying):
        from .many import regimes_of_many

        return regimes_of_many(
            open_lake(lake), underlying, book=book, dealer_model=dealer_model,
            definition_id=definition_id, settings=settings,
        )  # fmt: skip
    return as_frame(read_rebuilt(lake, "regimes", underlying, book, dealer_model, definition_id))


def regimes_and_carry(
    lake: Lake | str | os.PathLike[str],
    underlying: str,
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return the regime table as Arrow, and what its carry lacks: both of one state of the lake.

    Parameters
    ----------
    lake : Lake, str or Path
    underlying : str
    book : {"as_of_close", "post_expiry"}, optional
        Both where not given.
    dealer_model : str, optional
        Name of a dealer model; the only one where not given.
    definition_id : str, Path or Definition
        Id or name of a definition, or a TOML file; the only one where not given.

    Returns
    -------
    Table
        The rows of `regimes`, missing as null.
    list of dict
        Those of `carry_findings`.

    Raises
    ------
    UnknownNameError, LakeError
        As `regimes`.
    """
    asked = (underlying, book, dealer_model, definition_id)
    rows, findings = _read_rebuilt(lake, ("regimes", "quality_findings"), *asked)
    if rows is None:
        raise _empty(open_lake(lake), "regimes", underlying, book)
    found = [] if findings is None else records_of(findings.select(_CARRY_COLUMNS))
    return rows, [row for row in found if row["check"] in CARRY_FINDINGS]


def side_table(
    lake: Lake | str | os.PathLike[str],
    name: str,
    underlying: str,
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
) -> pd.DataFrame:
    """Return one of the side tables, e.g. ``exposure_by_strike``; see `regimes`.

    Parameters
    ----------
    lake : Lake, str or Path
    name : str
        ``exposure_by_expiry, exposure_by_strike, flip_roots, profile, fixed_strike_vol`` or
        ``quality_findings``.
    underlying : str
    book : {"as_of_close", "post_expiry"}, optional
        Both where not given.
    dealer_model : str, optional
        Name of a dealer model; the only one where not given.
    definition_id : str, Path or Definition
        Id or name of a definition, or a TOML file; the only one where not given.

    Returns
    -------
    DataFrame
        Ascending by session; each row with underlying, session, book, dealer model and definition
        id.

    Raises
    ------
    UnknownNameError, LakeError
        As `regimes`, or if there is no such table.
    """
    if name not in TABLES:
        raise UnknownNameError("table", name, TABLES)
    return as_frame(read_rebuilt(lake, name, underlying, book, dealer_model, definition_id))


def carry_findings(
    lake: Lake | str | os.PathLike[str],
    underlying: str,
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
) -> pd.DataFrame:
    """Return the findings about carry behind the rows that `regimes` returns.

    Parameters
    ----------
    lake : Lake, str or Path
    underlying : str
    book : {"as_of_close", "post_expiry"}, optional
        Both where not given.
    dealer_model : str, optional
        Name of a dealer model; the only one where not given.
    definition_id : str, Path or Definition
        Id or name of a definition, or a TOML file; the only one where not given.

    Returns
    -------
    DataFrame
        ``session, book, dealer_model, check, detail``; no row where nothing is missing, nor of a
        peer's rule, which has the carry that it states.

    Raises
    ------
    UnknownNameError, LakeError
        As `regimes`.
    """
    import pandas as pd

    asked = (lake, "quality_findings", underlying, book, dealer_model, definition_id)
    try:
        found = as_frame(read_rebuilt(*asked))
    except EmptyTableError:
        return pd.DataFrame(columns=_CARRY_COLUMNS)
    return found.loc[found["check"].isin(CARRY_FINDINGS), _CARRY_COLUMNS].reset_index(drop=True)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return a frame whose dates are datetime64, so that it joins bars and series."""
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def read_rebuilt(
    lake: Lake | str | os.PathLike[str],
    table: str,
    underlying: str,
    book: str | None,
    dealer_model: str | None,
    definition: DefinitionChoice,
) -> pa.Table:
    """Return rows of a rebuilt table as Arrow, missing as null; arguments as in `regimes`."""
    (found,) = _read_rebuilt(lake, (table,), underlying, book, dealer_model, definition)
    if found is None:
        raise _empty(open_lake(lake), table, underlying, book)
    return found


def _read_rebuilt(
    lake: Lake | str | os.PathLike[str],
    tables: Sequence[str],
    underlying: str,
    book: str | None,
    dealer_model: str | None,
    definition: DefinitionChoice,
) -> list[pa.Table | None]:
    """Return rows of several rebuilt tables of one state of the lake, None for an empty one.

    Where a rebuild replaces the files while they are read, they are read once more as it left
    them.
    """
    if book is not None and book not in BOOKS:
        raise UnknownNameError("book", book, BOOKS)
    opened = open_lake(lake)

    def stores() -> list[DerivedStore]:
        now = opened.as_it_is_now()
        found = find_stores(now, underlying, definition=definition, dealer_model=dealer_model)
        require_current(now, underlying, found)
        return found

    before = stores()
    while True:
        try:
            return [_rows_or_none(opened, underlying, name, before, book) for name in tables]
        except MissingPartError:
            now = stores()
            if now == before:
                raise
            before = now


def rows_of(
    lake: Lake, underlying: str, table: str, stores: Sequence[DerivedStore], book: str | None = None
) -> pa.Table:
    """Return the rows of a table that count in some stores.

    Raises
    ------
    EmptyTableError
        If they have no such table, or nothing of that book.
    MissingPartError
        If a file that they name is gone.
    """
    found = _rows_or_none(lake, underlying, table, stores, book)
    if found is None:
        raise _empty(lake, table, underlying, book)
    return found


def _empty(lake: Lake, table: str, underlying: str, book: str | None) -> EmptyTableError:
    of_book = "" if book is None else f" for the book {book}"
    return EmptyTableError(f"{lake.root}: {table} of {underlying} is empty{of_book}: rebuild it")


def _rows_or_none(
    lake: Lake, underlying: str, table: str, stores: Sequence[DerivedStore], book: str | None
) -> pa.Table | None:
    pieces = [piece for store in stores for piece in store.pieces(table, book)]
    if not pieces:
        return None
    try:
        found = read_rows(pieces)
    except LakeError as error:
        for store in stores:
            store.pieces(table, book)  # says so if one has gone since
        raise LakeError(
            f"{lake.root}: rebuilt {table} of {underlying} cannot be read ({error}): "
            "delete that file and run gexlab rebuild again"
        ) from error
    counted = sum(len(piece.sessions) for piece in pieces)
    if table == "regimes" and found.num_rows != counted:
        raise LakeError(
            f"{lake.root}: {found.num_rows} rows of {table} of {underlying} for {counted} "
            "sessions: gexlab verify names the files; delete them and run gexlab rebuild again"
        )
    return found


def require_one_definition(frame: pd.DataFrame) -> str:
    """Return the only definition id in regime rows.

    Raises
    ------
    DefinitionError
        If there are several: numbers of different definitions must not be aggregated.
    """
    ids = sorted(frame["definition_id"].unique())
    if len(ids) != 1:
        raise DefinitionError(
            f"regime rows of {len(ids)} definitions ({', '.join(ids)}) cannot be used together: "
            "choose one with definition_id"
        )
    return str(ids[0])


def export_regimes(frame: pd.DataFrame, out: Path) -> None:
    """Write regime rows to a Parquet or CSV file, chosen by its ending, whole or not at all.

    In CSV no text is a formula (see `exporting`).

    Parameters
    ----------
    frame : DataFrame
        From `regimes`: one definition of each underlying.
    out : Path
        File to write.

    Raises
    ------
    DefinitionError
        If the ending is neither, or the rows mix definitions.
    """
    for _, rows in frame.groupby("underlying", sort=False):
        require_one_definition(rows)
    if out.suffix not in (".parquet", ".csv"):
        raise DefinitionError(f"{out}: give a file name that ends in .parquet or .csv")
    with published_file(out) as beside:
        if out.suffix == ".parquet":
            frame.to_parquet(beside, index=False)
        else:
            defused_frame(frame).to_csv(beside, index=False)
