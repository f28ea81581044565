"""Regimes of many underlyings beside each other: ranks, shares, sums over market and sectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import pandas as pd
import pyarrow as pa

from ..base.errors import DefinitionError, InputFileError
from ..base.reprs import short_repr
from ..base.sql import load_sql
from ..lake.lake import Lake, open_lake
from ..tables.reader import require_file
from ..tables.underlying_settings import UnderlyingSettings, load_underlying_settings
from .many import regimes_of_many
from .table import as_frame

if TYPE_CHECKING:
    from ..base.schema import Book
    from .store_choice import DefinitionChoice

__all__ = ["CrossSection", "cross_section", "cross_section_of"]

_READ: Final = (
    "underlying", "session", "known_at", "spot", "regime", "quality", "net_gex", "gross_gex",
    "net_to_gross",
)  # fmt: skip
#: Sessions of an average daily dollar volume: one month.
_MONTH: Final = 21


@dataclass(frozen=True, slots=True)
class CrossSection:
    """Many underlyings, session by session.

    Attributes
    ----------
    names : DataFrame
        One row per underlying and session: ranks, shares of the market, and whether it counts.
    market : DataFrame
        One row per session: sums, shares of names by regime, concentration, dispersion.
    sectors : DataFrame
        The same per sector; empty where no sector is known.
    book, dealer_models, definition_ids : str and tuples of str
        What the rows were computed by.
    not_rebuilt : tuple of str
        Underlyings that were asked for and have no rows.
    """

    names: pd.DataFrame
    market: pd.DataFrame
    sectors: pd.DataFrame
    book: str
    dealer_models: tuple[str, ...]
    definition_ids: tuple[str, ...]
    not_rebuilt: tuple[str, ...]
    __repr__ = short_repr


def cross_section(
    lake: Lake | str | Path,
    underlying: str = "*",
    *,
    book: Book = "post_expiry",
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
    settings: UnderlyingSettings | str | Path | None = None,
    volumes: str | Path | pd.DataFrame | None = None,
) -> CrossSection:
    """Return the regimes of many underlyings beside each other.

    Sums are over names whose quality is ``ok``; the others are counted (`abstaining`), and so are
    names without a row in a session (`lacking`). A row is known when the last of its names is.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
        Names with commas, patterns (capitals matter); all by default.
    book : {"as_of_close", "post_expiry"}
    dealer_model : str, optional
        Needed where an underlying was rebuilt with several; by default that of the settings.
    definition_id : str, Definition or PeerRule, optional
        As for `regimes`.
    settings : UnderlyingSettings or path, optional
        As rebuilt with; sectors and market values are taken from it too.
    volumes : path or DataFrame, optional
        ``underlying, session, dollar_volume``: net GEX is also given as a share of the mean dollar
        volume of 21 sessions, the row's own included.

    Returns
    -------
    CrossSection

    Raises
    ------
    DefinitionError
        If an underlying has several dealer models, or amounts are in several currencies.
    NotRebuiltError
        If nothing has been rebuilt.
    """
    opened = open_lake(lake)
    if settings is not None and not isinstance(settings, UnderlyingSettings):
        settings = load_underlying_settings(settings)
    frame = regimes_of_many(
        opened, underlying, book=book, dealer_model=dealer_model, definition_id=definition_id,
        settings=settings,
    )  # fmt: skip
    names = frame["underlying"].unique()
    currencies = {opened.facts(name).currency for name in names}
    if len(currencies) > 1:
        raise DefinitionError(
            f"the underlyings' amounts are in {', '.join(sorted(currencies))}: name underlyings of "
            "one currency"
        )
    said = settings or UnderlyingSettings()
    about = pd.DataFrame(
        [
            {
                "underlying": name,
                "sector": said.of(name).values.get("sector"),
                "market_value": said.of(name).values.get("market_value"),
            }
            for name in names
        ]
    )
    return cross_section_of(frame, book=book, about=about, volumes=volumes)


def cross_section_of(
    frame: pd.DataFrame,
    *,
    book: str,
    about: pd.DataFrame | None = None,
    volumes: str | Path | pd.DataFrame | None = None,
) -> CrossSection:
    """Return regime rows of one book beside each other.

    Parameters
    ----------
    frame : DataFrame
        Columns of the regime table, one row per underlying and session.
    book : str
    about : DataFrame, optional
        ``underlying, sector, market_value``.
    volumes : path or DataFrame, optional
        As for `cross_section`.

    Returns
    -------
    CrossSection

    Raises
    ------
    DefinitionError
        If a session of an underlying has several rows.
    """
    rows = frame.loc[frame["book"] == book, [*_READ]].copy()
    twice = rows.duplicated(["underlying", "session"])
    if twice.any():
        name = rows.loc[twice, "underlying"].iloc[0]
        raise DefinitionError(
            f"{name} has several rows a session (dealer models): name one (--dealer)"
        )
    if about is None:
        about = pd.DataFrame({"underlying": rows["underlying"].unique()})
    about = about.reindex(columns=["underlying", "sector", "market_value"])
    about = about.astype({"sector": "string", "market_value": "float64"})
    rows = rows.merge(about, on="underlying", how="left").merge(
        _average_volumes(volumes), on=["underlying", "session"], how="left"
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET threads = 1")  # sums in one order: the same last digit
        connection.register("rows", pa.Table.from_pandas(rows, preserve_index=False))
        names = connection.sql(load_sql("regimes/cross_section_names")).to_arrow_table()
        connection.register("names", names)
        connection.register("universe", pa.Table.from_pandas(about, preserve_index=False))
        query = load_sql("regimes/cross_section_groups")
        market = as_frame(connection.sql(query, params={"by_sector": False}).to_arrow_table())
        sectors = as_frame(connection.sql(query, params={"by_sector": True}).to_arrow_table())
    known = bool(about["sector"].notna().any())
    return CrossSection(
        as_frame(names),
        market.drop(columns="sector"),
        sectors if known else sectors.iloc[:0],
        book,
        tuple(sorted(frame["dealer_model"].unique())),
        tuple(sorted(frame["definition_id"].unique())),
        tuple(frame.attrs.get("not_rebuilt", ())),
    )


def _average_volumes(given: str | Path | pd.DataFrame | None) -> pd.DataFrame:
    """Return the mean dollar volume of the month that ends with each session."""
    columns = ["underlying", "session", "dollar_volume"]
    if given is None:
        return pd.DataFrame(
            {
                "underlying": pd.Series(dtype="object"),
                "session": pd.Series(dtype="datetime64[us]"),
                "dollar_volume": pd.Series(dtype="float64"),
            }
        )
    if not isinstance(given, pd.DataFrame):
        require_file(Path(given))
    found = given if isinstance(given, pd.DataFrame) else _read(Path(given))
    if missing := [name for name in columns if name not in found.columns]:
        raise InputFileError(
            f"volumes lack the column {missing[0]!r}: expected {', '.join(columns)}"
        )
    found = found[columns].copy()
    found["session"] = pd.to_datetime(found["session"])
    found["underlying"] = found["underlying"].astype(str)
    if found.duplicated(["underlying", "session"]).any():
        raise InputFileError("volumes have two rows of one underlying and session: leave one")
    found = found.sort_values(["underlying", "session"])
    means = found.groupby("underlying")["dollar_volume"].rolling(_MONTH, min_periods=_MONTH).mean()
    found["dollar_volume"] = means.to_numpy()
    return found


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path, dtype={"underlying": str}, keep_default_na=False,
                               na_values=[""])  # fmt: skip
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path} cannot be read as a Parquet or CSV table: {error}") from error
