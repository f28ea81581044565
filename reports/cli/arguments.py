"""From words on the command line to the values that functions take."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import (
    BOOKS,
    Book,
    CalendarError,
    ConfigError,
    DefinitionError,
    LakeError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...data import (
        Calibration,
        CurveFile,
        Definition,
        Lake,
        PeerRule,
        RegimeSpec,
        Thresholds,
        Unit,
    )
    from ..session.picture import SessionPicture
    from ..session.run_facts import RunFacts
    from ..session.story import SessionStory

__all__ = [
    "SessionRequest",
    "book_named",
    "calibration_named",
    "definition_from",
    "is_simulated",
    "names_and_config",
    "parameters_from",
    "picture_for",
    "session_named",
    "story_for",
    "thresholds_from",
    "underlying_in",
    "unit_named",
    "wanted_of_run",
    "wanted_session",
]


def book_named(name: str) -> Book:
    """Return the book of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    for book in BOOKS:
        if book == name:
            return book
    raise UnknownNameError("book", name, BOOKS)


def unit_named(name: str) -> Unit:
    """Return the unit of exposure of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    from ...data import UNITS

    for unit in UNITS:
        if unit == name:
            return unit
    raise UnknownNameError("unit", name, UNITS)


def calibration_named(name: str) -> Calibration:
    """Return the calibration of a simulated world of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name == "visible":
        return "visible"
    if name == "realistic":
        return "realistic"
    raise UnknownNameError("calibration", name, ("visible", "realistic"))


def parameters_from(words: Sequence[str]) -> dict[str, float | str]:
    """Return parameters of a simulated world from ``NAME=VALUE``.

    Raises
    ------
    ConfigError
        If a word has no ``=``.

    Examples
    --------
    >>> parameters_from(["impact=1e-13", "dynamics=gjr"])
    {'impact': 1e-13, 'dynamics': 'gjr'}
    """
    found: dict[str, float | str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"--set {word}: expected NAME=VALUE, as in --set impact=1e-13")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found


def thresholds_from(path: Path | None) -> Thresholds | None:
    """Return thresholds from a TOML file whose keys are the fields of `Thresholds`.

    Raises
    ------
    ConfigError
        If the file cannot be read or a value is no number.
    UnknownNameError
        If a key is unknown; the message names the nearest.
    """
    if path is None:
        return None
    from ...data import Thresholds

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not a readable TOML file: {error}; correct it") from error
    known = [field.name for field in fields(Thresholds)]
    for key, value in values.items():
        if key not in known:
            raise UnknownNameError(f"threshold in {path}", key, known)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(f"{path}: {key} must be a number, found {value!r}: correct it")
    return Thresholds(**values)


def session_named(text: str) -> date:
    """Return a session from YYYY-MM-DD.

    Raises
    ------
    CalendarError
        If the text is no date.

    Examples
    --------
    >>> session_named("2026-07-01")
    datetime.date(2026, 7, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CalendarError(f"session {text!r} is no date: write it as YYYY-MM-DD") from error


def definition_from(name: str | None, changes: Mapping[str, Any]) -> Definition | PeerRule:
    """Return a definition by name or from a file, with single settings changed.

    Parameters
    ----------
    name : str or None
        ``default``, the name of a peer's rule, or the path of a TOML file; None: the default.
    changes : mapping
        Field of `Definition` to its value, that of a curve to its file; None leaves the field as
        it is.

    Raises
    ------
    DefinitionError
        If single settings are given for a peer's rule, or the file is not valid.
    UnknownNameError
        If it is neither a rule nor a TOML file.
    """
    from ...data import DEFAULT, Definition, definition_named

    given = {key: value for key, value in changes.items() if value is not None}
    base = DEFAULT if name is None else definition_named(name)
    if isinstance(base, Definition):
        return replace(base, **given | _curves_among(given))
    if given:
        raise DefinitionError(
            f"the definition {name!r} states all of its settings, found also {', '.join(given)}: "
            "leave those out, or write a definition file"
        )
    return base


def _curves_among(given: Mapping[str, Any]) -> dict[str, CurveFile]:
    """Return the curves whose files are named."""
    named = {key: value for key, value in given.items() if isinstance(value, Path)}
    if not named:
        return {}
    from ...data import curve_file

    return {key: curve_file(path) for key, path in named.items()}


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """One session as asked for on the command line, every choice made."""

    lake: Lake
    spec: RegimeSpec
    session: date
    book: Book


def underlying_in(lake: Path | Lake, name: str | None) -> str:
    """Return the underlying that is meant: the one named, else the only one in the lake.

    Raises
    ------
    LakeError
        If none is named and the lake does not hold exactly one.
    """
    from ...data import open_lake

    if name is not None:
        return name
    held = open_lake(lake).underlyings()
    if len(held) != 1:
        found = ", ".join(held) or "no chains"
        raise LakeError(f"the lake {lake} holds {found}: name one underlying (--underlying)")
    return held[0]


def wanted_session(
    lake: Path | Lake,
    underlying: str | None,
    session: str | None,
    book: str,
    dealer: str | None,
    definition: str | None,
    positions: Path | None = None,
) -> SessionRequest:
    """Return what is meant.

    Unless named: the only underlying, its last session, the only definition and dealer model that
    were rebuilt (the default and naive dealers where none was).

    Raises
    ------
    DefinitionError
        If several were rebuilt and the one that is meant is not named.
    """
    from ...data import open_lake, spec_chosen

    opened, name = open_lake(lake), underlying_in(lake, underlying)
    spec = spec_chosen(opened, name, definition=definition, dealer=dealer, positions=positions)
    return SessionRequest(opened, spec, _session_meant(opened, name, session), book_named(book))


def wanted_of_run(
    lake: Path | Lake,
    run: RunFacts,
    underlying: str | None,
    session: str | None,
    book: str | None,
    dealer: str | None,
    definition: str | None,
    positions: Path | None = None,
) -> tuple[SessionRequest, bool]:
    """Return what a run traded on, and whether the lake's rows still are those that it read.

    Underlying, definition, dealer model and book are the run's; the session its last, unless named.

    Raises
    ------
    DefinitionError
        If one of them is named otherwise, or the lake is not the run's.
    """
    from ...data import dealer_name, open_lake
    from ..session.run_facts import regimes_of_run

    run.require(
        underlying=underlying,
        book=book,
        dealer_model=None if dealer is None else dealer_name(dealer),
        definition_id=definition,
    )
    opened = open_lake(lake)
    found = regimes_of_run(run, opened, positions)
    day = session_named(run.last_session if session is None else session)
    return SessionRequest(opened, found.spec, day, run.book), found.same_rows


def _session_meant(lake: Lake, underlying: str, session: str | None) -> date:
    return lake.sessions(underlying)[-1].session if session is None else session_named(session)


def picture_for(wanted: SessionRequest) -> SessionPicture:
    """Return what is drawn of a session."""
    from ...data import explain
    from ..session.picture import picture_of

    explanation = explain(wanted.lake, wanted.spec, wanted.session, book=wanted.book, most=_ALL)
    return picture_of(explanation, sign=wanted.lake.facts(wanted.spec.underlying).sign)


def story_for(wanted: SessionRequest) -> SessionStory:
    """Return where a session's gamma came from and where it goes."""
    from ..session.story import session_story

    return session_story(wanted.lake, wanted.spec, wanted.session, book=wanted.book)


def is_simulated(lake: Path) -> bool:
    """Return whether a lake holds a simulated market: it then lies beside its truth."""
    return (lake / "truth.json").is_file()


_ALL = 1_000_000


def names_and_config(words: Sequence[str], *, every: bool) -> tuple[list[str] | None, Path]:
    """Return the names and the one configuration among words of the command line.

    Parameters
    ----------
    words : sequence of str
        Names, and one word that ends in ``.toml``.
    every : bool
        All names are meant: None is returned for them.

    Raises
    ------
    ConfigError
        If there is not exactly one configuration, or names are given where all are meant.
    """
    configs = [word for word in words if word.endswith(".toml")]
    names = [word for word in words if not word.endswith(".toml")]
    if len(configs) != 1:
        found = ", ".join(configs) or "none"
        raise ConfigError(f"expected one configuration (.toml), found {found}: name one file")
    if every and names:
        raise ConfigError(f"--all means every hypothesis, found also {', '.join(names)}: choose")
    if not every and not names:
        raise ConfigError("no hypothesis named: give names before the configuration, or --all")
    return (None if every else names), Path(configs[0])
