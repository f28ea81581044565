"""The panel: everything that strategies may read, each value with the moment it became public."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LABELS", "Column", "Panel", "codes_of", "panel_of"]

Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

#: Labels in the order of their codes: ``LABELS[code]``.
LABELS: tuple[str, ...] = ("abstain", "long", "short", "neutral")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Values by session, each with the moment from which it was public.

    Attributes
    ----------
    name : str
        ``close``, ``regime.net_gex``, ``series.vix``, ...
    values : ndarray of float, shape (n,) or (n, bars)
        NaN where missing. Labels are codes, see `LABELS`.
    known_at : ndarray of datetime64[ns], shape of values
        UTC; NaT where there is no value. It is ignored for scheduled columns.
    unit : str
        ``index points``, ``dollars per 1 %``, ``label``, ...
    scheduled : bool
        Whether the value is known long before its session, such as the distance to an expiration.
    content_id : str
        Digest of values and moments: what was read, whatever file or lake it came from.
    """

    name: str
    values: Floats
    known_at: Moments
    unit: str = ""
    scheduled: bool = False
    content_id: str = ""

    def __post_init__(self) -> None:
        if self.values.shape != self.known_at.shape:
            raise ConfigError(
                f"column {self.name!r}: {self.values.shape} values but {self.known_at.shape} "
                "moments: give each value the moment at which it became known"
            )
        if not self.content_id:
            object.__setattr__(self, "content_id", _digest(self.values, self.known_at))


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Sessions and the columns that strategies may read. Components see a `View` of it, never it.

    Attributes
    ----------
    sessions : DatetimeIndex, shape (n,)
        Sessions with a bar or a row of a table, ascending.
    columns : mapping of str to Column
    """

    sessions: pd.DatetimeIndex
    columns: Mapping[str, Column]

    def column(self, name: str) -> Column:
        """Return a column by name.

        Parameters
        ----------
        name : str

        Returns
        -------
        Column

        Raises
        ------
        UnknownNameError
            If there is none, with the nearest name.
        """
        if name not in self.columns:
            raise UnknownNameError("column of the panel", name, tuple(self.columns))
        return self.columns[name]

    @property
    def content_id(self) -> str:
        """Digest of the sessions and of every column."""
        digest = hashlib.sha256(self.sessions.asi8.tobytes())
        for name in sorted(self.columns):
            digest.update(f"{name}:{self.columns[name].content_id}\n".encode())
        return digest.hexdigest()[:16]

    def until(self, rows: int) -> Panel:
        """Return the panel as it was when only the first `rows` sessions existed.

        Parameters
        ----------
        rows : int
            Sessions to keep, from the first.

        Returns
        -------
        Panel
        """
        return Panel(
            self.sessions[:rows],
            {
                name: Column(c.name, c.values[:rows], c.known_at[:rows], c.unit, c.scheduled)
                for name, c in self.columns.items()
            },
        )

    def with_columns(self, columns: Iterable[Column]) -> Panel:
        """Return the panel with columns added or replaced.

        Parameters
        ----------
        columns : iterable of Column

        Returns
        -------
        Panel
        """
        return Panel(self.sessions, {**self.columns, **{c.name: c for c in columns}})


def codes_of(labels: npt.NDArray[np.object_]) -> Floats:
    """Return label texts as codes, NaN where there is none.

    Examples
    --------
    >>> codes_of(np.array(["long", "abstain", None], dtype=object))
    array([ 1.,  0., nan])
    """
    place = {label: float(code) for code, label in enumerate(LABELS)}
    return np.array([place.get(label, np.nan) for label in labels], dtype=np.float64)


def panel_of(
    bars: pd.DataFrame,
    bars_known_at: Moments,
    tables: Mapping[str, pd.DataFrame],
    *,
    opens_known_at: Moments | None = None,
) -> Panel:
    """Return a panel of daily bars and of tables by session.

    Parameters
    ----------
    bars : DataFrame
        ``open, high, low, close`` and optionally ``volume``, by session.
    bars_known_at : ndarray of datetime64[ns], shape (n,)
        Close of each session, UTC.
    tables : mapping of str to DataFrame
        Prefix (``regime``, ``series.vix``) to rows by session: numeric columns, optionally
        ``regime`` (labels), and ``known_at``. The prefix alone is the column ``value``, missing
        where the label says abstain. Sessions that only tables have warm up filters.
    opens_known_at : ndarray of datetime64[ns], shape (n,), optional
        When each open was public; the close where left out.

    Returns
    -------
    Panel
    """
    sessions = pd.DatetimeIndex(bars.index)
    for table in tables.values():
        sessions = sessions.union(pd.DatetimeIndex(table.index))
    place = sessions.get_indexer(pd.DatetimeIndex(bars.index))
    columns: dict[str, Column] = {}
    for name in ("open", "high", "low", "close", "volume"):
        if name in bars:
            known = bars_known_at
            if name == "open" and opens_known_at is not None:
                known = opens_known_at
            values = np.full(len(sessions), np.nan)
            moments = np.full(len(sessions), np.datetime64("NaT", "ns"))
            values[place], moments[place] = bars[name].to_numpy(dtype=np.float64), known
            unit = "shares" if name == "volume" else "price"
            columns[name] = Column(name, values, moments, unit)
    for prefix, table in tables.items():
        for column in _columns_of(prefix, table, sessions):
            columns[column.name] = column
    return Panel(sessions, columns)


def _columns_of(prefix: str, table: pd.DataFrame, sessions: pd.DatetimeIndex) -> Iterable[Column]:
    aligned = table.reindex(sessions)
    known = aligned["known_at"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]")
    for name in table.columns:
        full = f"{prefix}.{name}"
        if name == "known_at":
            continue
        if name == "regime":
            codes = codes_of(aligned[name].to_numpy(dtype=object))
            yield Column(f"{prefix}.label", codes, known, "label")
        elif pd.api.types.is_numeric_dtype(table[name]):
            yield Column(full, aligned[name].to_numpy(dtype=np.float64), known)
            if name == "value":
                value = aligned[name].to_numpy(dtype=np.float64, copy=True)
                if "regime" in table:
                    value[(aligned["regime"] == "abstain").to_numpy()] = np.nan
                yield Column(prefix, value, known)


def _digest(values: Floats, known_at: Moments) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(values).tobytes())
    digest.update(np.ascontiguousarray(known_at).tobytes())
    return digest.hexdigest()[:16]
