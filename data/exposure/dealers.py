"""Who is long what: the dealer's sign of each contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..base.errors import UnknownNameError

__all__ = ["BUILT_IN", "SQL_PREFIX", "DealerModel", "dealer_model", "dealer_name"]

#: What a dealer model written as an SQL expression begins with.
SQL_PREFIX: Final = "sql:"


@dataclass(frozen=True, slots=True)
class DealerModel:
    """A rule that signs contracts by right alone.

    Attributes
    ----------
    name : str
    call_sign, put_sign : float
        +1 where dealers are long, -1 where short, 0 where the side is left out.
    """

    name: str
    call_sign: float
    put_sign: float


#: Signs of calls and puts by name.
BUILT_IN: Final = {
    model.name: model
    for model in (
        DealerModel("naive", 1.0, -1.0),
        DealerModel("inverted", -1.0, 1.0),
        DealerModel("all_long", 1.0, 1.0),
        DealerModel("all_short", -1.0, -1.0),
        DealerModel("calls_only", 1.0, 0.0),
        DealerModel("puts_only", 0.0, -1.0),
    )
}


def dealer_model(name: str) -> DealerModel:
    """Return a built-in dealer model.

    Parameters
    ----------
    name : {"naive", "inverted", "all_long", "all_short", "calls_only", "puts_only"}

    Returns
    -------
    DealerModel
        Signs of calls and puts: +1 dealers long, -1 short, 0 not theirs.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> dealer_model("naive").put_sign
    -1.0
    """
    if name not in BUILT_IN:
        raise UnknownNameError("dealer model", name, BUILT_IN)
    return BUILT_IN[name]


def dealer_name(dealer: str) -> str:
    """Return the name under which the rows of a dealer model are kept.

    Parameters
    ----------
    dealer : str
        Name of a model, ``signed``, or ``sql:`` and an expression.

    Returns
    -------
    str

    Examples
    --------
    >>> dealer_name("naive"), dealer_name("sql:1 ")
    ('naive', 'sql: 1')
    """
    if not dealer.startswith(SQL_PREFIX):
        return dealer
    return f"{SQL_PREFIX} {dealer.removeprefix(SQL_PREFIX).strip()}"
