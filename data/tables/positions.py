"""Where dealers' positions come from when the right alone does not say: a file, an expression."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from ..base.errors import DefinitionError, InputFileError
from ..base.sql import load_sql
from ..exposure.dealers import SQL_PREFIX, DealerModel, dealer_model, dealer_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pandas as pd

__all__ = ["DealerSource", "Positions", "dealer_source", "load_positions"]

_UNSIGNED: Final = float("nan")
_RIGHTS: Final = {"C": "C", "CALL": "C", "CE": "C", "P": "P", "PUT": "P", "PE": "P"}
_KEY: Final = ("session", "expiry", "settlement", "root", "strike", "right")


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Dealers' positions as a user supplies them.

    Attributes
    ----------
    name : str
        The file, for messages.
    table : pyarrow.Table
        ``session, expiry`` (dates), ``settlement, root`` (null where the file has none),
        ``strike, right, position`` (contracts, signed for dealers), ``known_at`` (UTC); sorted
        by session.
    marks : mapping of date to str
        Fingerprint of each session's rows.
    counts : mapping of date to int
        Rows of each session.
    """

    name: str
    table: pa.Table
    marks: Mapping[date, str] = field(default_factory=dict)
    counts: Mapping[date, int] = field(default_factory=dict)

    def between(self, first: date, last: date) -> pa.Table:
        """Return the rows of some sessions, both ends included, without a copy."""
        begin = sum(n for day, n in self.counts.items() if day < first)
        return self.table.slice(
            begin, sum(n for day, n in self.counts.items() if first <= day <= last)
        )


@dataclass(frozen=True, slots=True)
class DealerSource:
    """A dealer model, and what signs its contracts.

    Attributes
    ----------
    model : DealerModel
        Its name, and the signs of calls and puts; NaN where they differ by contract.
    expression : str or None
        A checked SQL expression of the dealers' sign: position = sign x open interest.
    positions : Positions or None
    by_right : bool
        Whether the right alone signs contracts, so that chains are read as they are.
    """

    model: DealerModel
    expression: str | None = None
    positions: Positions | None = None
    by_right: bool = False

    def mark(self, session: date) -> str:
        """Return a text that changes whenever the positions of a session change."""
        return self.positions.marks.get(session, "none") if self.positions else ""

    def lay_out(
        self,
        connection: duckdb.DuckDBPyConnection,
        files: Sequence[Path],
        first: date,
        last: date,
    ) -> None:
        """Make the view ``positioned_rows``: the chains with ``position, position_known_at``.

        The view is registered with this connection alone: threads share one database, and each
        reads other files.

        Raises
        ------
        DefinitionError
            If a position fits several contracts of a snapshot.
        """
        import duckdb

        chains = connection.read_parquet([str(f) for f in files], hive_partitioning=False)
        if self.expression is not None:
            sign = duckdb.SQLExpression(self.expression).cast(duckdb.sqltypes.DOUBLE)
            nobody = duckdb.ConstantExpression(None).cast(duckdb.sqltypes.TIMESTAMP_TZ)
            signed = chains.select(
                duckdb.StarExpression(),
                (sign * duckdb.ColumnExpression("open_interest")).alias("position"),
                nobody.alias("position_known_at"),
            )
            connection.register("positioned_rows", signed)
            return
        assert self.positions is not None
        connection.register("chain_rows", chains)
        connection.register("positions", self.positions.between(first, last))
        _require_one_contract(connection, self.positions, first, last)
        connection.register("positioned_rows", connection.sql(load_sql("tables/positions_join")))


def dealer_source(dealer: str, positions: str | Path | None = None) -> DealerSource:
    """Return a dealer model by its name, as an expression, or from a file.

    Parameters
    ----------
    dealer : str
        A built-in model; ``signed``; or ``sql:`` and an expression of the dealers' sign.
    positions : path, optional
        The file that ``signed`` needs; see `load_positions`.

    Raises
    ------
    UnknownNameError, DefinitionError, InputFileError
    """
    if positions is not None and dealer != "signed":
        raise DefinitionError(
            f"positions were given with the dealer model {dealer!r}, which does not read them: ask "
            "for the dealer model signed, or leave them out"
        )
    if dealer == "signed":
        if positions is None:
            raise DefinitionError(
                "the dealer model signed needs dealers' positions: give their file (--positions), "
                "or positions under [regime] of a configuration"
            )
        model = DealerModel("signed", _UNSIGNED, _UNSIGNED)
        return DealerSource(model, positions=load_positions(positions))
    if dealer.startswith(SQL_PREFIX):
        from .dealer_expressions import checked_expression

        model = DealerModel(dealer_name(dealer), _UNSIGNED, _UNSIGNED)
        text = dealer.removeprefix(SQL_PREFIX).strip()
        return DealerSource(model, expression=checked_expression(text))
    return DealerSource(dealer_model(dealer), by_right=True)


def load_positions(path: str | Path) -> Positions:
    """Read dealers' positions.

    Parameters
    ----------
    path : str or Path
        Parquet or CSV with ``session, expiry, strike, right, position, known_at`` and optionally
        ``settlement`` and ``root``. A position is in contracts, positive where dealers are long.
        ``known_at`` is the moment from which it was public; stamps without a zone are UTC.

    Raises
    ------
    InputFileError
        If the file cannot be read, a cell is not what its column holds, a column is filled in
        part, or a contract appears twice.
    """
    import pandas as pd

    from .cells import days, numbers, stamps
    from .reader import read_table

    file = Path(path)
    names = {name: (name,) for name in (*_KEY, "position", "known_at")}
    frame = read_table(file, names, optional=["settlement", "root"])
    table = pd.DataFrame(
        {
            "session": days(file, frame, "session", "UTC"),
            "expiry": days(file, frame, "expiry", "UTC"),
            "settlement": _words(file, frame, "settlement", {"AM": "AM", "PM": "PM"}),
            "root": _words(file, frame, "root", None),
            "strike": numbers(file, frame, "strike"),
            "right": _words(file, frame, "right", _RIGHTS),
            "position": numbers(file, frame, "position"),
            "known_at": stamps(file, frame, "known_at", "UTC"),
        }
    )
    table = table.sort_values(list(_KEY), ignore_index=True)
    _require_once(file, table)
    starts = np.flatnonzero(table["session"].diff().ne(pd.Timedelta(0)).to_numpy())
    sessions = [moment.date() for moment in table["session"].iloc[starts]]
    edges = [*starts.tolist(), len(table)]
    hashes = pd.util.hash_pandas_object(table, index=False).to_numpy("<u8")
    marks = {
        day: hashlib.sha256(hashes[begin:end].tobytes()).hexdigest()[:16]
        for day, (begin, end) in zip(sessions, pairwise(edges), strict=True)
    }
    counts = dict(zip(sessions, np.diff(edges).tolist(), strict=True))
    return Positions(str(file), _arrow(table), marks, counts)


def _arrow(table: pd.DataFrame) -> pa.Table:
    """Return positions in the types of the chain that they are joined to."""
    kinds = {"session": pa.date32(), "expiry": pa.date32(), "known_at": pa.timestamp("us", "UTC")}
    words = {name: pa.string() for name in ("settlement", "root", "right")}
    columns = {
        name: pa.Array.from_pandas(table[name]).cast(kind) for name, kind in (kinds | words).items()
    }
    numeric = {name: pa.array(table[name].to_numpy("float64")) for name in ("strike", "position")}
    return pa.table(columns | numeric)


def _words(
    path: Path, frame: pd.DataFrame, column: str, known: Mapping[str, str] | None
) -> pd.Series[Any]:
    """Return a column of words as categories, missing throughout where the file lacks it."""
    import pandas as pd

    if column not in frame or frame[column].isna().all():
        return pd.Series(pd.Categorical([None] * len(frame), categories=[""]))
    codes, found = pd.factorize(frame[column])
    upper = [str(cell).strip().upper() for cell in found]
    read = upper if known is None else [known.get(word) for word in upper]
    bad = np.flatnonzero((codes < 0) | np.array([word is None for word in read] or [True])[codes])
    if bad.size:
        row = int(bad[0])
        expected = "a word in every row" if known is None else f"one of {', '.join(known)}"
        raise InputFileError(
            f"{path}: column {column!r} holds {str(frame[column].iloc[row])!r} in row {row + 1}: "
            f"expected {expected}; correct it, or leave the column out"
        )
    words = sorted({str(word) for word in read})
    places = np.array([words.index(str(word)) for word in read], np.int64)
    return pd.Series(pd.Categorical.from_codes(places[codes], dtype=pd.CategoricalDtype(words)))


def _require_once(path: Path, table: pd.DataFrame) -> None:
    twice = table.duplicated(list(_KEY))
    if twice.any():
        row = table[twice].iloc[0]
        raise InputFileError(
            f"{path}: expected one position per contract and session, found two for "
            f"{row['session']:%Y-%m-%d} {row['expiry']:%Y-%m-%d} {row['strike']:g} {row['right']}: "
            "add them up, or "
            "tell the contracts apart by settlement or root"
        )


def _require_one_contract(
    connection: duckdb.DuckDBPyConnection, positions: Positions, first: date, last: date
) -> None:
    bounds = {"first": first, "last": last}
    found = connection.execute(load_sql("tables/positions_ambiguous"), bounds).fetchone()
    if found is not None:
        session, expiry, strike, right, contracts = found
        raise DefinitionError(
            f"{positions.name}: the position of {session} {expiry} {strike:g} {right} fits "
            f"{contracts} contracts of one snapshot: add a column settlement (AM or PM) or root"
        )
