"""Which rebuilt rows are meant: the ones named, or the only ones there are; never the latest."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import (
    DefinitionError,
    LakeError,
    NotRebuiltError,
    SeveralDefinitionsError,
    UnknownNameError,
)
from ..exposure.dealers import dealer_name
from ..exposure.definition import DEFAULT, Definition
from ..lake.derived_records import stores_of
from ..lake.derived_tables import WITHOUT_SIDE_TABLES, DerivedStore
from ..peers.rules import PeerRule
from .spec import RegimeSpec, definition_named, spec_of_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..lake.lake import Lake

__all__ = ["DefinitionChoice", "find_stores", "spec_chosen"]

#: A definition; its name or the path of its file; the id of one that was rebuilt.
DefinitionChoice = Definition | PeerRule | str | Path | None


def find_stores(
    lake: Lake,
    underlying: str,
    *,
    definition: DefinitionChoice = None,
    dealer_model: str | None = None,
) -> list[DerivedStore]:
    """Return the stores of one definition, one for each dealer model: the only ones that fit.

    Parameters
    ----------
    lake : Lake
    underlying : str
    definition : Definition, PeerRule, str or Path, optional
        The definition; a name or a file that says it; or the id of one that was rebuilt (with
        ``@`` and a key where several sets of inputs share it). Without it there must be only one.
    dealer_model : str, optional
        All that were rebuilt where it is left out.

    Raises
    ------
    UnknownNameError
        If the lake holds others, but not the underlying.
    NotRebuiltError
        If nothing has been rebuilt for the underlying.
    DefinitionError
        If nothing that was rebuilt fits.
    SeveralDefinitionsError
        If several definitions or sets of inputs fit: the message lists them.
    """
    stores = _readable(lake, underlying, definition)
    if not stores and lake.version is not None:
        raise NotRebuiltError(
            f"{lake.root}: no regimes of {underlying} had been rebuilt at version {lake.version}: "
            f"name a later one (gexlab versions --lake {shlex.quote(str(lake.root))} lists them)"
        )
    if not stores:
        held = lake.underlyings()
        if underlying not in held and held:
            raise UnknownNameError("underlying", underlying, held)
        command = ["gexlab", "rebuild", "--lake", str(lake.root), "--underlying", underlying]
        raise NotRebuiltError(
            f"{lake.root}: no regimes of {underlying} have been rebuilt: run {shlex.join(command)}"
        )
    fitting = [s for s in _of_definition(stores, definition) if _of_dealer(s, dealer_model)]
    if not fitting:
        asked = _words(definition) if definition is not None else "any definition"
        raise DefinitionError(
            f"{lake.root}: nothing rebuilt of {underlying} for definition {asked} and dealer model "
            f"{dealer_model or 'any'}; there are {_listed(stores)}: name one of them, or run "
            "gexlab rebuild with what you mean"
        )
    chosen = [_preferred(group) for group in _alike(fitting)]
    if len({store.definition_id for store in chosen}) > 1 or len(
        {store.dealer_model for store in chosen}
    ) < len(chosen):
        raise SeveralDefinitionsError(
            f"{lake.root}: {underlying} has been rebuilt by several definitions: "
            f"{_listed(chosen)}: name the one that is meant (--definition ID; in Python "
            "definition_id)"
        )
    return chosen


def _readable(lake: Lake, underlying: str, definition: DefinitionChoice) -> list[DerivedStore]:
    """Return all stores; where a record cannot be read, those of the definition that is named."""
    try:
        return stores_of(lake, underlying)
    except LakeError:
        if definition is None:
            raise
        return stores_of(lake, underlying, _ids(definition))


def _ids(definition: Definition | PeerRule | str | Path) -> set[str]:
    """Return the ids of definitions that may be meant."""
    if isinstance(definition, (Definition, PeerRule)):
        return {definition.definition_id}
    as_id = str(definition).partition("@")[0]
    try:
        return {as_id, definition_named(definition).definition_id}
    except UnknownNameError:
        return {as_id}


def spec_chosen(
    lake: Lake,
    underlying: str,
    *,
    definition: DefinitionChoice = None,
    dealer: str | None = None,
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> RegimeSpec:
    """Return what one session is to be evaluated by: as named, else as the only rebuild was.

    In a lake in which nothing has been rebuilt that is the default definition with naive dealers.

    Parameters
    ----------
    lake : Lake
    underlying : str
    definition : str, Path or Definition, optional
        Id, name, TOML file or the definition itself.
    dealer : str, optional
        Name of a dealer model.
    positions : str or Path, optional
        File of the dealers' positions, for ``signed``.
    calendar : str, optional
        Exchange calendar; the lake's own where not given.

    Returns
    -------
    RegimeSpec

    Raises
    ------
    DefinitionError
        If several definitions or dealer models were rebuilt and the one that is meant is not named.
    """
    given = _stated(lake, underlying, definition)
    spec = RegimeSpec(underlying, DEFAULT if given is None else given, dealer or "naive")
    if given is None or dealer is None or positions is None:
        found = _rebuilt_spec(lake, underlying, definition, dealer)
        if found is not None:
            spec = replace(found, definition=found.definition if given is None else given)
    if positions is not None:
        spec = replace(spec, positions=Path(positions))
    return spec if calendar is None else replace(spec, calendar=calendar)


def _rebuilt_spec(
    lake: Lake, underlying: str, definition: DefinitionChoice, dealer: str | None
) -> RegimeSpec | None:
    """Return what the only fitting rebuild was made with; None where there is none to go by."""
    try:
        stores = find_stores(lake, underlying, definition=definition, dealer_model=dealer)
    except NotRebuiltError:
        return None
    except DefinitionError:
        stated = _stated(lake, underlying, definition)
        if stated is not None and not _of_definition(stores_of(lake, underlying), stated):
            return None  # a definition that says everything need not have been rebuilt
        raise
    if len(stores) > 1:
        names = ", ".join(repr(store.dealer_model) for store in stores)
        raise SeveralDefinitionsError(
            f"{lake.root}: {underlying} has been rebuilt with the dealer models {names}: name the "
            "one that is meant (--dealer)"
        )
    return spec_of_store(stores[0], underlying)


def _stated(
    lake: Lake, underlying: str, definition: DefinitionChoice
) -> Definition | PeerRule | None:
    """Return the definition that is stated; None where an id refers to a rebuilt one."""
    if definition is None or isinstance(definition, (Definition, PeerRule)):
        return definition
    try:
        return definition_named(definition)
    except UnknownNameError:
        ids = {s.definition_id for s in stores_of(lake, underlying)}
        if str(definition).partition("@")[0] in ids:
            return None
        raise


def _of_definition(
    stores: Sequence[DerivedStore], definition: DefinitionChoice
) -> list[DerivedStore]:
    if definition is None:
        return list(stores)
    if isinstance(definition, (Definition, PeerRule)):
        found = [s for s in stores if s.definition_id == definition.definition_id]
        curves = _curves_of(definition)
        return [s for s in found if _curves_in(s) == curves] if curves else found
    text = str(definition)
    by_id = [s for s in stores if text in (s.definition_id, s.label)]
    if by_id:
        return by_id
    try:
        return _of_definition(stores, definition_named(definition))
    except UnknownNameError as error:
        raise DefinitionError(
            f"nothing was rebuilt by definition {text!r}; there are {_listed(stores)}: name one of "
            "them, a named definition, or a definition file (.toml)"
        ) from error


def _of_dealer(store: DerivedStore, dealer: str | None) -> bool:
    return dealer is None or store.dealer_model == dealer_name(dealer)


def _curves_of(definition: Definition | PeerRule) -> dict[str, str]:
    if isinstance(definition, PeerRule):
        return {}
    curves = {"rate_curve": definition.rate_curve, "dividend_curve": definition.dividend_curve}
    return {name: curve.path for name, curve in curves.items() if curve is not None}


def _curves_in(store: DerivedStore) -> dict[str, str]:
    return {k: v for k, v in store.inputs.items() if k in ("rate_curve", "dividend_curve")}


#: Inputs that change no number of the regime table: a finding more, or side tables less.
_BESIDE = ("instrument", WITHOUT_SIDE_TABLES)


def _alike(stores: Sequence[DerivedStore]) -> list[list[DerivedStore]]:
    """Return the stores grouped by their rows: inputs that gave the same numbers are one."""
    found: list[list[DerivedStore]] = []
    for store in stores:
        fitting = next((group for group in found if _agree(group[0], store)), None)
        if fitting is None:
            found.append([store])
        else:
            fitting.append(store)
    return found


def _agree(one: DerivedStore, other: DerivedStore) -> bool:
    if (one.definition_id, one.dealer_model) != (other.definition_id, other.dealer_model):
        return False
    acting = [{k: v for k, v in s.inputs.items() if k not in _BESIDE} for s in (one, other)]
    return acting[0] == acting[1] or one.rows == other.rows


def _preferred(group: Sequence[DerivedStore]) -> DerivedStore:
    """Return the store that says most: with side tables, with the finding about shares."""
    return min(group, key=lambda s: (WITHOUT_SIDE_TABLES in s.inputs, "instrument" not in s.inputs))


def _words(definition: Any) -> str:
    if isinstance(definition, (Definition, PeerRule)):
        return definition.definition_id
    return repr(str(definition))


def _listed(stores: Sequence[DerivedStore]) -> str:
    """Return the stores in words: id, dealer model, and what differs from the default."""
    return "; ".join(dict.fromkeys(_described(store) for store in stores))


def _described(store: DerivedStore) -> str:
    words = [f"{store.dealer_model} dealers", *_settings(store)]
    words += [f"{name} {value}" for name, value in store.inputs.items() if name not in _BESIDE]
    return f"{store.label} ({', '.join(words)})"


def _settings(store: DerivedStore) -> list[str]:
    """Return what a store's definition changes of the default."""
    if store.definition.get("kind") == "peer rule":
        return [str(store.definition["name"])]
    usual = {name: getattr(DEFAULT, name) for name in DEFAULT.__dataclass_fields__}
    changed = {k: v for k, v in store.definition.items() if k in usual and v != usual[k]}
    if not changed:
        return ["default"]
    return [f"{k} {v if not isinstance(v, dict) else 'by session'}" for k, v in changed.items()]
