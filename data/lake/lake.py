"""The lake: a folder of Delta tables, read through the rows of its table `versions`."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..base.errors import LakeError, UnknownNameError
from ..base.printable import encodable
from .integrity import require_intact
from .manifest import Manifest, SessionEntry, check_underlying
from .mirror import address_of, folder_of_lake, looked_anew
from .naming import PREFIX
from .records import read_record, record_of, underlyings_at
from .storage import writable
from .versions import Version, is_lake, newest, readable, version_at, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime

    from ..calendar.market_facts import MarketFacts

__all__ = [
    "Lake",
    "SessionEntry",
    "check_underlying",
    "former_manifests",
    "open_lake",
    "retry_while_written",
]

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake of option chains.

    Attributes
    ----------
    root : Path
        Its folder, absolute.
    version : int or None
        Which version of it is read; the newest, each time anew, where None.
    states : mapping
        Underlying to what the lake held of it at one moment, and the mark of that state: read
        once and for all, see `as_of_now`. Others are read each time.
    """

    root: Path
    version: int | None = None
    states: Mapping[str, tuple[Manifest, str]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __str__(self) -> str:
        """Return the lake's folder, with the version where it is not the newest."""
        name = address_of(self.root)
        return name if self.version is None else f"{name} (version {self.version})"

    def at(self) -> Version:
        """Return the version that is read.

        Returns
        -------
        Version
            Of the number that was asked for, else the newest.

        Raises
        ------
        LakeError
            If there is no such version, or it has been vacuumed.
        """
        last = newest(self.root)
        if self.version is None or self.version == last.number:
            return last
        if not readable(self.root, last, [self.version]):
            raise LakeError(
                f"version {self.version} of the lake {self.root} has been vacuumed: the oldest one "
                f"that can be read is {last.oldest} (gexlab versions --lake lists them)"
            )
        return version_at(self.root, self.version)

    @property
    def writable(self) -> bool:
        """Whether it can be written to; of one in an object store the first write says so."""
        return writable(self.root)

    def underlyings(self) -> list[str]:
        """Return the underlyings that have sessions, sorted.

        Returns
        -------
        list of str
        """
        return underlyings_at(self.root, self.at())

    def manifest(self, underlying: str) -> Manifest:
        """Return what the lake holds of an underlying; empty where it holds nothing.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        Manifest
            Sessions ascending, and the files they were read from.
        """
        if underlying in self.states:
            return self.states[underlying][0]
        record = record_of(self.root, underlying, self.at())
        return (
            Manifest(underlying) if record is None else read_record(self.root, underlying, record)
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say what to do where a file of the lake cannot be read.

        No writer removes what a version names; `vacuum` does, of versions long gone.

        Yields
        ------
        None

        Raises
        ------
        LakeError
            If a file cannot be read all the same.
        """
        try:
            yield
        except Exception as error:
            import duckdb  # not needed by those who only look at what the log says

            if not isinstance(error, duckdb.IOException):
                raise
            raise LakeError(
                f"the lake {self.root} cannot be read ({str(error).splitlines()[0]}): restore it, "
                "or ingest those sessions again"
            ) from error

    def held_with_mark(self, underlying: str) -> tuple[Manifest, str]:
        """Return what the lake holds of an underlying, and the mark of that very state.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        Manifest
            Sessions ascending, and the files they were read from.
        str
            Changes whenever that state does; see `written`.

        Raises
        ------
        UnknownNameError
            If the lake holds nothing of that underlying.
        """
        now = self if underlying in self.states else self.as_of_now(underlying)
        return now.held(underlying), now.states[underlying][1]

    def held(self, underlying: str) -> Manifest:
        """Return what the lake holds of an underlying, which must be something.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        Manifest
            With at least one session.

        Raises
        ------
        UnknownNameError
            If the lake holds nothing of that underlying.
        """
        manifest = self.manifest(check_underlying(underlying))
        if not manifest.sessions:
            raise UnknownNameError("underlying", underlying, self.underlyings())
        return manifest

    def written(self, underlying: str) -> str:
        """Return a mark that changes whenever what the lake holds of an underlying does.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        str
            Digest of its record; compare for equality alone.
        """
        if underlying in self.states:
            return self.states[underlying][1]
        record = record_of(self.root, underlying, self.at())
        return "" if record is None else record.digest

    def as_of_now(self, underlying: str) -> Lake:
        """Return the lake with what it holds of an underlying now, whatever comes later.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        Lake
            Whose `manifest` of that underlying stays the same; itself where it has none.
        """
        record = record_of(self.root, check_underlying(underlying), self.at())
        if record is None:
            return self
        held = read_record(self.root, underlying, record)
        return replace(self, states={**self.states, underlying: (held, record.digest)})

    def changed_since(self, underlying: str, mark: str) -> Lake | None:
        """Return the lake without memory where an underlying has another mark (`written`) now.

        Parameters
        ----------
        underlying : str
        mark : str
            From `written`.

        Returns
        -------
        Lake or None
            None where nothing has changed.
        """
        now = self.as_it_is_now()
        return None if now.written(underlying) == mark else now

    def as_it_is_now(self) -> Lake:
        """Return the lake without memory: everything is read anew.

        Returns
        -------
        Lake
        """
        return Lake(self.root, self.version)

    def sessions(self, underlying: str) -> list[SessionEntry]:
        """Return the sessions of an underlying in ascending order, without scanning a file.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        list of SessionEntry
            With rows, fingerprint and file of each.

        Raises
        ------
        UnknownNameError
            If the lake holds nothing of that underlying.
        """
        return list(self.held(underlying).sessions)

    def calendar(self, underlying: str) -> str:
        """Return the exchange calendar of an underlying's sessions, the default where unknown.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        str
            A name of ``exchange_calendars``, perhaps with corrections.
        """
        return self.manifest(underlying).calendar

    def facts(self, underlying: str) -> MarketFacts:
        """Return calendar, monthly rule and currency of an underlying's market.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        MarketFacts

        Raises
        ------
        LakeError
            If the files that the lake was made from contradict each other.
        """
        return self.manifest(underlying).facts

    def settlement_sources(self, underlying: str) -> frozenset[str]:
        """Return the values of `source` whose rows carry official settlement prices in `last`.

        Parameters
        ----------
        underlying : str

        Returns
        -------
        frozenset of str
        """
        return self.manifest(underlying).settlement_sources

    def chain_files(
        self, underlying: str, first: date | None = None, last: date | None = None
    ) -> list[Path]:
        """Return the files that hold the sessions from `first` to `last`, both included.

        A file may hold further sessions. Every row in the files of an underlying is current.

        Parameters
        ----------
        underlying : str
        first, last : date, optional
            Bounds; all sessions where not given.

        Returns
        -------
        list of Path
            Sorted.

        Raises
        ------
        UnknownNameError
            If the lake holds nothing of that underlying.
        LakeError
            If one of the files is not what was written.
        """
        files = sorted(
            {
                entry.file
                for entry in self.sessions(underlying)
                if (first is None or entry.session >= first)
                and (last is None or entry.session <= last)
            }
        )
        require_intact(files, self.root)
        return files


def retry_while_written(function: F) -> F:
    """Let a function that reads a lake, its first argument, finish on the state it began with."""

    @wraps(function)
    def reading(lake: Lake | str | Path, *args: Any, **named: Any) -> Any:
        opened = open_lake(lake)
        with opened.reading():
            return function(opened, *args, **named)

    return cast("F", reading)


def open_lake(
    path: Lake | str | os.PathLike[str],
    *,
    create: bool = False,
    as_of: int | str | datetime | None = None,
) -> Lake:
    """Return the lake in a folder.

    Parameters
    ----------
    path : Lake, str or Path
        Its folder; a lake that is open already is returned as it is.
    create : bool
        Make the folder where it does not exist.
    as_of : int, str or datetime, optional
        A version of it, by its number or by a moment at which it was in force (UTC where no zone
        is stated, a date its end); it is then only read.

    Returns
    -------
    Lake

    Raises
    ------
    LakeError
        If the folder does not exist, is no lake, cannot be made, or has no such version.
    """
    if isinstance(path, Lake):
        return path if as_of is None else _as_of(path, as_of)
    root = folder_of_lake(path)
    if str(root) != encodable(str(root)):
        raise LakeError(
            f"the lake {encodable(str(root))}: its path holds bytes that are not UTF-8, which "
            "DuckDB and Arrow do not open: rename that folder, or choose another"
        )
    if former_manifests(root):
        raise LakeError(
            f"the lake {root} has the former layout: run gexlab migrate --lake "
            f"{shlex.quote(str(root))} once"
        )
    looked_anew(root)
    if create:
        _make(root)
    elif not is_lake(root):
        found = "holds no chains" if root.is_dir() else "does not exist"
        name = address_of(root)
        raise LakeError(f"the lake {name} {found}: fill it with gexlab ingest, or correct the path")
    return Lake(root) if as_of is None else _as_of(Lake(root), as_of)


def _as_of(lake: Lake, as_of: int | str | datetime) -> Lake:
    """Return a lake as it was at a version or a moment."""
    number = version_of(lake.root, as_of)
    pinned = Lake(lake.root, number)
    pinned.at()
    return pinned


def former_manifests(root: Path) -> list[Path]:
    """Return the records of a lake of the former layout that have not been migrated, sorted."""
    chains = os.path.join(root, "chains")
    try:
        names = sorted(name for name in os.listdir(chains) if name.startswith(PREFIX))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = (os.path.join(chains, name, "manifest.json") for name in names)
    return [Path(path) for path in found if os.path.exists(path)]


def _make(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"cannot make the lake {root}: {error.strerror}; choose a folder you may write to"
        ) from error
