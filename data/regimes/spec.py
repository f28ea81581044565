"""What regimes are asked for: everything that decides their numbers besides the chains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import DefinitionError, UnknownNameError
from ..base.schema import BOOKS, Book
from ..exposure.definition import CURVES, DEFAULT, DEFAULT_NAME, Definition, stored_definition
from ..peers.rules import PEER_RULES, PeerRule
from ..tables.definition_file import load_definition

if TYPE_CHECKING:
    from ..lake.derived_tables import DerivedStore

__all__ = ["RegimeSpec", "definition_named", "spec_of_store"]


@dataclass(frozen=True, slots=True)
class RegimeSpec:
    """The regimes of one underlying: what is computed, from whose positions, for which books.

    Attributes
    ----------
    underlying : str
    definition : Definition or PeerRule
        Rates and curves included. A peer's rule has its own book and dealer model.
    dealer : str
        Name of a dealer model; ``signed``; or ``sql:`` and an expression of the dealers' sign.
    positions : Path or None
        File of the dealers' positions, for ``signed``.
    books : tuple of {"as_of_close", "post_expiry"}
    calendar : str or None
        Exchange calendar; None: the one that the lake's chains were stamped with.
    instrument : {"index", "etf", "future", "share"} or None
        Kind of underlying, where it is known. Only ``share`` changes a row: naive dealers of a
        single stock are a finding.
    """

    underlying: str
    definition: Definition | PeerRule = DEFAULT
    dealer: str = "naive"
    positions: Path | None = None
    books: tuple[Book, ...] = BOOKS
    calendar: str | None = None
    instrument: str | None = None

    @property
    def definition_id(self) -> str:
        """Id of the definition."""
        return self.definition.definition_id

    def inputs(self, calendar: str) -> dict[str, str]:
        """Return what rows are computed with that is not the lake's own.

        Parameters
        ----------
        calendar : str
            The lake's exchange calendar.

        Returns
        -------
        dict of str to str
            ``calendar, positions, rate_curve, dividend_curve, instrument``, where they act.
        """
        found: dict[str, str] = {}
        if isinstance(self.definition, PeerRule):
            return found
        if self.calendar not in (None, calendar):
            found["calendar"] = str(self.calendar)
        if self.positions is not None:
            found["positions"] = str(self.positions.expanduser().absolute())
        for name in CURVES:
            if (curve := getattr(self.definition, name)) is not None:
                found[name] = curve.path
        if self.instrument == "share":
            found["instrument"] = "share"
        return found

    def require_bare(self) -> None:
        """Refuse what a peer's rule would pass over in silence.

        Raises
        ------
        DefinitionError
        """
        rule = self.definition
        if not isinstance(rule, PeerRule):
            return
        if self.dealer != "naive" or self.positions is not None or "as_of_close" not in self.books:
            raise DefinitionError(
                f"the peer rule {rule.name!r} has naive dealers and the book as_of_close: leave "
                "out dealer model, positions and the other book"
            )


def spec_of_store(store: DerivedStore, underlying: str) -> RegimeSpec:
    """Return what a store's rows were computed with.

    Parameters
    ----------
    store : DerivedStore
    underlying : str

    Returns
    -------
    RegimeSpec

    Raises
    ------
    DefinitionError
        If they are a peer's rule, or another version's.
    """
    inputs = store.inputs
    return RegimeSpec(
        underlying,
        stored_definition(store.definition),
        store.dealer_model,
        Path(inputs["positions"]) if "positions" in inputs else None,
        calendar=inputs.get("calendar"),
        instrument=inputs.get("instrument"),
    )


def definition_named(name: str | Path) -> Definition | PeerRule:
    """Return a definition by its name: ``default``, a peer's rule, or the path of a TOML file.

    Parameters
    ----------
    name : str or Path

    Returns
    -------
    Definition or PeerRule

    Raises
    ------
    UnknownNameError
        If it is none of them.
    DefinitionError, InputFileError
        If the file is not valid.

    Examples
    --------
    >>> definition_named("default") == Definition()
    True
    >>> definition_named("perfiliev").day_count
    'weekdays_262'
    """
    text = str(name)
    if text == DEFAULT_NAME:
        return DEFAULT
    if text.endswith(".toml"):
        return load_definition(name)
    if text not in PEER_RULES:
        known = (DEFAULT_NAME, *PEER_RULES)
        raise UnknownNameError("definition (a name, or the path of a .toml file)", text, known)
    return PEER_RULES[text]
