"""Names that files give one underlying, and contracts that come under two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.arrow_values import plain
from ..base.errors import InputFileError
from ..lake.arrow_tables import array_of
from ..vendors.roots import index_name, root_facts, symbol_parts
from .session_order import tied_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["SAID", "refuse_doubled", "spelling", "without_spellings"]

#: Column of dated rows: which spelling of the underlying the file has, counted from 1.
SAID: Final = "said"


def spelling(said: str) -> str:
    """Return what a cell names the underlying: of a whole option symbol its root.

    Examples
    --------
    >>> spelling("FB"), spelling("AAPL240119C00185000")
    ('FB', 'AAPL')
    """
    parts = symbol_parts(said)
    return said.strip() if parts is None else parts[0]


def without_spellings(
    rows: Any, spellings: Sequence[str], underlying: str
) -> tuple[Any, dict[date, frozenset[str]]]:
    """Return rows without `SAID`, and the sessions in which one file gives a contract twice.

    These with the spellings under which it does.

    Rows that are equal in everything else are one, as everywhere. Spellings that are roots of their
    own (SPX and SPXW) name two series: such rows are two contracts.

    Parameters
    ----------
    rows : pyarrow.Table
        Dated rows that were not rejected.
    spellings : sequence of str
        What `SAID` counts through, from 1.
    underlying : str
    """
    if SAID not in rows.column_names:
        return rows, {}
    said, whole = plain(rows.column(SAID)), rows.drop_columns([SAID])
    if not len(said) or (said == said[0]).all():
        return whole, {}
    places, key = tied_rows(whole)
    tied = rows.take(array_of(places)).to_pandas()
    once = ~tied.drop(columns=SAID).duplicated()
    tied = tied.loc[once & (tied[SAID] > 0), ["session", SAID]]
    tied["root"] = tied[SAID].map(
        {i: _root(name, underlying) for i, name in enumerate(spellings, start=1)}
    )
    counts = tied.groupby(key[tied.index])[[SAID, "root"]].transform("nunique")  # not of None
    twice = tied[(counts[SAID] > 1) & (counts["root"] < counts[SAID])]
    return whole, {
        day: frozenset(spellings[i - 1] for i in numbers.unique())
        for day, numbers in twice.groupby("session")[SAID]
    }


def refuse_doubled(doubled: Mapping[date, frozenset[str]], underlying: str) -> None:
    """Refuse files that give contracts of an underlying under two spellings in one session.

    Parameters
    ----------
    doubled : mapping of date to frozenset of str
        What `without_spellings` returns, of all rows.
    underlying : str

    Raises
    ------
    InputFileError
        If there is such a session.
    """
    if not doubled:
        return
    names = " and ".join(sorted(frozenset().union(*doubled.values())))
    days = f"{len(doubled)} session{'s' if len(doubled) > 1 else ''}"
    raise InputFileError(
        f"one file holds the same contracts of {underlying} under the names {names} in {days} "
        f"(the first {min(doubled)}), with different values: both would count. Nothing was "
        "written: leave out the rows of one name ([where]) or the name ([aliases]), or put each "
        "name into a file of its own: of one contract the later file's row then stays"
    )


def _root(name: str, underlying: str) -> str | None:
    return index_name(name) if root_facts(name, underlying).known else None
