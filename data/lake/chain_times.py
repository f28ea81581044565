"""When each session's chain was quoted, settled and published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..base.sql import load_sql
from .connection import connect
from .lake import Lake, retry_while_written

__all__ = ["chain_times"]

if TYPE_CHECKING:
    from collections.abc import Sequence


@retry_while_written
def chain_times(lake: Lake, underlying: str) -> pd.DataFrame:
    """Return the latest stamps of each session's chain rows.

    Parameters
    ----------
    lake : Lake
    underlying : str

    Returns
    -------
    DataFrame
        Indexed by session: ``quote_ts``, ``known_at`` (UTC) and ``oi_asof`` (session after whose
        close the open interest was settled; NaT where unknown).

    Raises
    ------
    UnknownNameError
        If the lake holds nothing of that underlying.
    """
    files: Sequence[str] = [str(path) for path in lake.chain_files(underlying)]
    with connect(lake, threads=1) as connection:
        query = connection.sql(load_sql("lake/chain_times"), params={"files": files})
        table: pd.DataFrame = query.to_arrow_table().to_pandas(date_as_object=False)
    index = pd.DatetimeIndex(table.pop("session"), name="session").as_unit("ns")
    return table.set_index(index)
