"""One session as it is drawn: the regime row and the side tables behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..data.errors import UnknownNameError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from ..data.lake import Lake
    from ..data.schema import Book

__all__ = ["SessionPicture", "session_picture"]


@dataclass(frozen=True, slots=True, eq=False)
class SessionPicture:
    """One session, book, dealer model and definition.

    Attributes
    ----------
    row : dict
        The regime row; columns of ``schema.REGIME_COLUMNS``.
    strikes : DataFrame
        ``strike, call_gex, put_gex, net_gex, gross_gex``, $ per 1 %.
    expiries : DataFrame
        ``expiry, settlement, net_gex, gross_gex``, ...; $ per 1 %.
    profile : DataFrame
        ``level, net_gex, gross_gex``; at a level the unit is $ per 1 % of that level.
    roots : DataFrame
        ``level, direction, slope, is_flip``, ascending.
    """

    row: dict[str, Any]
    strikes: pd.DataFrame
    expiries: pd.DataFrame
    profile: pd.DataFrame
    roots: pd.DataFrame


def session_picture(
    lake: Lake,
    underlying: str,
    session: date | None = None,
    *,
    book: Book = "post_expiry",
    dealer_model: str = "naive",
    definition_id: str | None = None,
) -> SessionPicture:
    """Read what is drawn of one session.

    Parameters
    ----------
    lake : Lake
    underlying : str
    session : date, optional
        The last one rebuilt where it is left out.
    book, dealer_model, definition_id
        As in `gexlab.data.regimes`.

    Raises
    ------
    UnknownNameError
        If the session has not been rebuilt; the message lists the nearest that was.
    """
    from ..data.regime_table import regimes, side_table

    choice: Any = {"book": book, "dealer_model": dealer_model, "definition_id": definition_id}
    rows = regimes(lake, underlying, **choice)
    days = [f"{day:%Y-%m-%d}" for day in rows["session"]]
    wanted = days[-1] if session is None else session.isoformat()
    if wanted not in days:
        raise UnknownNameError("session", wanted, _around(days, wanted))

    def of_session(name: str) -> pd.DataFrame:
        frame = side_table(lake, name, underlying, **choice)
        return frame[frame["session"] == wanted].reset_index(drop=True)

    return SessionPicture(
        row={str(k): v for k, v in rows.iloc[days.index(wanted)].items()},
        strikes=of_session("exposure_by_strike"),
        expiries=of_session("exposure_by_expiry"),
        profile=of_session("profile"),
        roots=of_session("flip_roots"),
    )


def _around(days: list[str], wanted: str) -> list[str]:
    """Return the sessions nearest to one that is not there: enough to see what there is."""
    earlier = [day for day in days if day < wanted]
    later = [day for day in days if day > wanted]
    return [*earlier[-3:], *later[:3]]
