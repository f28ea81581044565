"""Numbers that others call the flip, named for what they are: for comparison only.

No regime, filter or status reads them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from .table import side_table

if TYPE_CHECKING:
    import os

    import pandas as pd

    from ..base.schema import Book
    from ..lake.lake import Lake

__all__ = ["first_sign_change", "look_alike_flips"]

Floats: TypeAlias = npt.NDArray[np.float64]


def look_alike_flips(
    lake: Lake | str | os.PathLike[str],
    underlying: str,
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: str | None = None,
) -> pd.DataFrame:
    """Return the flip of every rebuilt session next to its look-alikes.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
    book, dealer_model, definition_id
        As in `gexlab.data.regimes`.

    Returns
    -------
    DataFrame
        One row per row of the regime table: ``session, book, dealer_model, definition_id,
        known_at, spot, flip`` and, in points, NaN where there is none:

        - ``flip_per_strike``: lowest strike level at which exposure by strike changes sign;
        - ``flip_cumulative``: the same of exposure summed from the lowest strike upwards;
        - ``flip_first_root``: the lowest root of the profile.

        Known when the regime row is.
    """

    def read(table: str) -> pd.DataFrame:
        return side_table(
            lake,
            table,
            underlying,
            book=book,
            dealer_model=dealer_model,
            definition_id=definition_id,
        )

    keys = ["session", "book", "dealer_model"]
    strikes, roots = read("exposure_by_strike"), read("flip_roots")
    found = read("regimes")[[*keys, "definition_id", "known_at", "spot", "flip"]]
    crossings = {key: _of_strikes(group) for key, group in strikes.groupby(keys)}
    lowest = roots.groupby(keys)["level"].min().to_dict()
    index = list(found[keys].itertuples(index=False, name=None))
    nothing = (math.nan, math.nan)
    return found.assign(
        flip_per_strike=[crossings.get(key, nothing)[0] for key in index],
        flip_cumulative=[crossings.get(key, nothing)[1] for key in index],
        flip_first_root=[lowest.get(key, math.nan) for key in index],
    )


def _of_strikes(group: pd.DataFrame) -> tuple[float, float]:
    group = group.sort_values("strike")
    strike = group["strike"].to_numpy(dtype=np.float64)
    net = group["net_gex"].to_numpy(dtype=np.float64)
    return first_sign_change(strike, net), first_sign_change(strike, net.cumsum())


def first_sign_change(levels: Floats, values: Floats) -> float:
    """Return the lowest level at which a broken line changes sign; NaN where it does not.

    Parameters
    ----------
    levels : ndarray, shape (n,)
        Ascending.
    values : ndarray, shape (n,)
        Exact zeros are passed over: the line runs between their neighbours.

    Examples
    --------
    >>> first_sign_change(np.array([90.0, 100.0, 110.0]), np.array([-1.0, 0.0, 3.0]))
    95.0
    """
    kept = np.flatnonzero(values)
    x, y = levels[kept], values[kept]
    change = np.flatnonzero(np.sign(y[:-1]) != np.sign(y[1:]))
    if not change.size:
        return math.nan
    i = int(change[0])
    return float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))
