"""Whether rebuilt rows still are those of the chains that the lake holds."""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING, Final

from ..base.errors import DefinitionError, GexlabError, OutdatedRowsError
from ..exposure.definition import DEFAULT
from ..lake.derived_tables import WITHOUT_SIDE_TABLES
from ..peers.rules import PEER_RULES
from .plan import Plan, marks_of_other_versions, plan_of
from .spec import RegimeSpec, spec_of_store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ..lake.derived_tables import DerivedStore
    from ..lake.lake import Lake

__all__ = ["require_current"]

_log = logging.getLogger("gexlab")

#: Settings of a definition that the command says by an option of its own.
_OPTIONS: Final = {
    "rate": "--rate",
    "dividend_yield": "--dividend-yield",
    "iv_source": "--iv-source",
    "iv_dynamics": "--iv-dynamics",
}


def require_current(lake: Lake, underlying: str, stores: Sequence[DerivedStore]) -> None:
    """Refuse rows that were computed from other chains than the lake holds, or other files.

    Sessions that have no row yet are no wrong number: they are told as a warning.

    Parameters
    ----------
    lake : Lake
    underlying : str
    stores : sequence of DerivedStore
        Those that are going to be read.

    Raises
    ------
    OutdatedRowsError
        Naming the sessions, and the command that computes them anew.
    """
    for store in stores:
        found = _compared(lake, underlying, store)
        if found is None:
            continue
        outdated, lacking, cause = found
        if outdated:
            remedy = f"run {_command(lake.root, underlying, store)}"
            if lake.version is not None:
                remedy = (
                    f"at version {lake.version} they had not been rebuilt; name another one "
                    f"(gexlab versions --lake {shlex.quote(str(lake.root))} lists them)"
                )
            raise OutdatedRowsError(
                f"{lake.root}: {_days(outdated)} of {underlying} (definition {store.label}) "
                f"{_have(outdated)} {cause}: {remedy}"
            )
        if lacking and lake.version is None:
            _log.warning(
                "%s: %s of %s (definition %s) %s no row yet: run %s",
                lake.root,
                _days(lacking),
                underlying,
                store.label,
                _have(lacking),
                _command(lake.root, underlying, store),
            )


def _compared(
    lake: Lake, underlying: str, store: DerivedStore
) -> tuple[list[str], list[str], str] | None:
    """Return the sessions whose rows are of something else, those that lack a row, and of what.

    None where that cannot be told: what the rows were computed with is no longer there.
    """
    side_tables = WITHOUT_SIDE_TABLES not in store.inputs
    try:
        plan = plan_of(lake, _spec_of(store, underlying), side_tables=side_tables)
    except GexlabError as error:
        if underlying not in lake.underlyings():
            raise OutdatedRowsError(
                f"{lake.root}: all rows of {underlying} are of chains that the lake no longer "
                "holds: ingest its chains again, or name another underlying"
            ) from error
        _log.warning(
            "%s: whether the rows of %s (definition %s) are up to date cannot be told (%s)",
            lake.root,
            underlying,
            store.label,
            error,
        )
        return None
    rows = store.rows
    outdated = {day for _, day, mark in rows if plan.marks.get(day) != mark}
    have: dict[str, set[str]] = {}
    for book, day, _ in rows:
        have.setdefault(book, set()).add(day)
    lacking = {day for days in have.values() for day in plan.marks if day not in days}
    return sorted(outdated), sorted(lacking), _cause(plan, rows, outdated) if outdated else ""


def _spec_of(store: DerivedStore, underlying: str) -> RegimeSpec:
    """Return what a store's rows were computed with, a peer's rule included."""
    if store.definition.get("kind") != "peer rule":
        return spec_of_store(store, underlying)
    rule = PEER_RULES.get(store.definition["name"])
    if rule is None or rule.definition_id != store.definition_id:
        raise DefinitionError(
            f"the peer rule {store.definition['name']!r} is that of another version of gexlab"
        )
    return RegimeSpec(underlying, rule)


def _cause(plan: Plan, rows: Collection[tuple[str, str, str]], outdated: Collection[str]) -> str:
    """Return why rows are outdated: what they were computed from, or by, is no longer the same."""
    marks = {(day, mark) for _, day, mark in rows}
    others = {
        day for given in marks_of_other_versions(plan) for day in outdated
        if (day, given.get(day)) in marks
    }  # fmt: skip
    changed = "of former chains, or of a calendar, positions or rates that have changed since"
    version = "that another version of gexlab computed (CHANGELOG.md says what changed)"
    if not others:
        return f"rows {changed}"
    if len(others) == len(outdated):
        return f"rows {version}"
    return f"outdated rows, {len(outdated) - len(others)} {changed}, {len(others)} {version}"


def _days(days: Sequence[str]) -> str:
    if len(days) == 1:
        return f"the session {days[0]}"
    return f"{len(days)} sessions from {days[0]} to {days[-1]}"


def _have(days: Sequence[str]) -> str:
    return "has" if len(days) == 1 else "have"


def _command(root: Path, underlying: str, store: DerivedStore) -> str:
    """Return the command that computes a store's rows, as far as options say it."""
    words = ["gexlab", "rebuild", "--lake", str(root), "--underlying", underlying]
    if store.dealer_model != "naive":
        words += ["--dealer", store.dealer_model]
    if store.definition.get("kind") == "peer rule":
        return shlex.join([*words, "--definition", store.definition["name"]])
    if "positions" in store.inputs:
        words += ["--positions", store.inputs["positions"]]
    return " ".join([shlex.join(words), *_options(store)])


def _options(store: DerivedStore) -> Iterable[str]:
    usual = {name: getattr(DEFAULT, name) for name in DEFAULT.__dataclass_fields__}
    changed = {k: v for k, v in store.definition.items() if k in usual and v != usual[k]}
    if changed.keys() <= _OPTIONS.keys():
        return [f"{_OPTIONS[name]} {value}" for name, value in changed.items()]
    return ["--definition FILE.toml (the file that it was rebuilt by)"]
