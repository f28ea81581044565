"""What a desk asks first of the last session: its numbers, those before, and how usual they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ...backtest import BacktestResult
    from .picture import SessionPicture
    from .story import SessionStory

__all__ = ["MEASURES", "Measure", "Morning", "measures_of", "run_length"]

#: Numbers of a regime row that are shown beside those of the previous session.
MEASURES: Final = (
    "value",
    "net_to_gross",
    "spot",
    "flip",
    "flip_distance",
    "call_wall",
    "put_wall",
    "pin_strike",
    "definition_agreement",
    "gex_0dte_share",
    "gex_next_opex_share",
    "swap_30d",
    "contracts_used",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the last session in its history.

    Attributes
    ----------
    now, before : float
        Of the last session and of the previous one; NaN is undefined.
    percentile : float
        Share of the last year's sessions, this one included, whose value is at most today's;
        NaN where today's is undefined.
    n : int
        How many sessions of that year have a value.
    """

    now: float
    before: float
    percentile: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Morning:
    """The last session of a run, and what stands beside it.

    Attributes
    ----------
    result : BacktestResult
    history : DataFrame
        Rows of the regime by session up to the last one, labels as the run used them.
    band : float or None
        Neutral band on net over gross; None where the regime has none.
    picture : SessionPicture or None
        The last session's book, labelled as the run labelled it; None of a published series or a
        peer's rule.
    story : SessionStory or None
        Where its gamma came from and what becomes of it.
    """

    result: BacktestResult
    history: pd.DataFrame
    band: float | None
    picture: SessionPicture | None = None
    story: SessionStory | None = None

    @property
    def session(self) -> pd.Timestamp:
        """The last session."""
        return self.history.index[-1]  # type: ignore[no-any-return]

    @property
    def regime(self) -> str:
        """Its label."""
        return str(self.history["regime"].iloc[-1])


def measures_of(history: pd.DataFrame, year: int) -> dict[str, Measure]:
    """Return the numbers of the last session, of the previous one, and their percentiles.

    Parameters
    ----------
    history : DataFrame
        Ascending by session.
    year : int
        Sessions of a year.
    """
    return {name: _measure(history[name], year) for name in MEASURES if name in history}


def _measure(column: pd.Series[Any], year: int) -> Measure:
    values = column.to_numpy(dtype=float)[-year:]
    now = float(values[-1])
    known = values[np.isfinite(values)]
    share = float((known <= now).mean()) if np.isfinite(now) else float("nan")
    before = float(values[-2]) if len(values) > 1 else float("nan")
    return Measure(now, before, share, int(known.size))


def run_length(labels: pd.Series[str]) -> int:
    """Return how many sessions the last label has been in force without a break.

    Examples
    --------
    >>> import pandas as pd
    >>> run_length(pd.Series(["long", "short", "short"]))
    2
    """
    other = np.flatnonzero(labels.to_numpy() != labels.iloc[-1])
    return len(labels) - (int(other[-1]) + 1 if other.size else 0)
