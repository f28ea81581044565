"""What a backtest's folder says of the regimes that it traded on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ...data import (
    ConfigError,
    DefinitionError,
    InputFileError,
    dealer_name,
    definition_named,
    spec_of_store,
    stores_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ...data import Book, DerivedStore, Lake, RegimeSpec

__all__ = ["RunFacts", "RunRegimes", "regimes_of_run", "run_facts", "series_session"]

RESULTS_FILE = "results.json"
_ENDS = ("first", "last")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The regimes that a backtest traded on, by its ``results.json``.

    Attributes
    ----------
    folder : Path
    underlying, dealer_model, definition_id : str
    book : {"as_of_close", "post_expiry"}
    band : float or None
        Neutral band of the configuration; None: the definition's.
    last_session : str
        YYYY-MM-DD.
    content_id : str
        Of the rows that it read.
    promoted : mapping of str to tuple of str
        Sessions, YYYY-MM-DD, that abstained because of promoted findings, with the checks.
    """

    folder: Path
    underlying: str
    dealer_model: str
    definition_id: str
    book: Book
    band: float | None
    last_session: str
    content_id: str
    promoted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def require(self, **stated: str | None) -> None:
        """Refuse what contradicts the run; None states nothing.

        Raises
        ------
        DefinitionError
        """
        for name, value in stated.items():
            held = str(getattr(self, name))
            if value is None or value == held:
                continue
            if name == "definition_id" and _id_of(value) == held:
                continue
            option = {"dealer_model": "dealer", "definition_id": "definition"}.get(name, name)
            raise DefinitionError(
                f"{self.folder}: that run is of {option} {held}, --{option} says {value}: leave "
                f"--{option} out, or give the folder of another run"
            )


def _id_of(definition: str) -> str:
    """Return the id of a definition given by id (with or without a key), name or file."""
    plain = definition.partition("@")[0]
    if len(plain) == 12 and all(c in "0123456789abcdef" for c in plain):
        return plain
    return definition_named(definition).definition_id


def run_facts(folder: Path) -> RunFacts:
    """Return what a backtest's folder says of its regimes.

    Raises
    ------
    InputFileError
        If the folder holds no readable results, or those of a run on a published series.
    """
    file = folder / RESULTS_FILE
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        regime, data = found["regime"], found["data"]
        series = regime["source"] == "series"
        facts = RunFacts(
            folder,
            str(data["underlying"]),
            dealer_name(str(regime["dealer_model"])),
            str(regime["definition_id"]),
            regime["book"],
            regime["band"],
            str(data["last_session"]),
            "" if series else str(found["provenance"]["inputs"][0]["sha256"]),
            {day: tuple(checks) for day, checks in regime.get("promoted", {}).items()},
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputFileError(
            f"{folder}: no readable {RESULTS_FILE} there: give the --out folder of gexlab backtest"
        ) from error
    if series:
        raise InputFileError(
            f"{folder}: that run traded on a published series ({regime['name']}), which no chains "
            "explain: give the folder of a run on a lake, or leave --lake out for its orders"
        )
    return facts


def series_session(folder: Path, session: str | None) -> date:
    """Return the session meant of a run on a published series; its last one unless named.

    Raises
    ------
    InputFileError
        If the folder holds no readable results, or those of a run on a lake.
    ConfigError
        If the session is no date, or lies outside of the run.
    """
    file = folder / RESULTS_FILE
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        series = found["regime"]["source"] == "series"
        first, last = (date.fromisoformat(found["data"][f"{end}_session"]) for end in _ENDS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFileError(
            f"{folder}: no readable {RESULTS_FILE} there: give the --out folder of gexlab backtest"
        ) from error
    if not series:
        raise InputFileError(f"{folder}: that run traded on a lake's regimes: name it by --lake")
    try:
        day = last if session is None else date.fromisoformat(session)
    except ValueError as error:
        raise ConfigError(f"--session: expected YYYY-MM-DD, found {session!r}") from error
    if not first <= day <= last:
        raise ConfigError(f"--session: that run is of {first} to {last}, found {day}")
    return day


@dataclass(frozen=True, slots=True)
class RunRegimes:
    """A run's regimes, found again in a lake.

    Attributes
    ----------
    spec : RegimeSpec
    same_rows : bool
        Whether the lake's rows still are the ones that the run read.
    """

    spec: RegimeSpec
    same_rows: bool


def regimes_of_run(run: RunFacts, lake: Lake, positions: Path | None = None) -> RunRegimes:
    """Return what a run's regimes were computed by, as the lake recorded it.

    Raises
    ------
    DefinitionError
        If the lake is not the run's, or nobody can tell which of several inputs it meant.
    """
    if run.underlying not in lake.underlyings():
        raise DefinitionError(
            f"{run.folder}: that run is of {run.underlying}, of which {lake.root} holds nothing "
            f"(it holds {', '.join(lake.underlyings()) or 'no chains'}): give the run's own lake"
        )
    stores = [
        s
        for s in stores_of(lake, run.underlying, [run.definition_id])
        if (s.definition_id, s.dealer_model) == (run.definition_id, run.dealer_model)
    ]
    same = [s for s in stores if _content(s, run.book) == run.content_id]
    chosen = same or stores
    if not chosen:
        raise DefinitionError(
            f"{lake.root}: nothing rebuilt of {run.underlying} for the definition of {run.folder} "
            f"({run.definition_id}, {run.dealer_model} dealers): give the run's own lake, or run "
            "its configuration again"
        )
    if not same and len({_content(s, run.book) for s in chosen}) > 1:
        raise DefinitionError(
            f"{lake.root}: {', '.join(s.label for s in chosen)} have the definition of "
            f"{run.folder}, and the rows of none are those that it read: run its configuration "
            "again"
        )
    spec = replace(spec_of_store(chosen[0], run.underlying), books=(run.book,))
    if positions is not None:
        spec = replace(spec, positions=positions)
    return RunRegimes(spec, bool(same))


def _content(store: DerivedStore, book: Book) -> str:
    return store.of_book(book).content
