"""Plan an ingest: new, unchanged and superseded files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError
from ..calendar.corrections import base_calendar
from ..calendar.market_facts import market_facts
from ..lake.manifest import SourceEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ..vendors.vendor_preset import InputFile, Preset

__all__ = ["Plan", "plan_sources", "recipe_of", "source_of", "with_spots"]

#: Raised whenever the pipeline reads the same file differently, so that it is read again.
_PIPELINE: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ingest has to do.

    Attributes
    ----------
    fresh : tuple of InputFile
        Files to read.
    unchanged : int
        Files whose content the lake holds, read the same way.
    replaced : frozenset of str
        Sources whose rows leave the lake: their file has changed, or is read differently now.
    sources : tuple of SourceEntry
        The record after the ingest.
    """

    fresh: tuple[InputFile, ...]
    unchanged: int
    replaced: frozenset[str]
    sources: tuple[SourceEntry, ...]


def source_of(preset: Preset, file: InputFile) -> str:
    """Return what the column `source` says: the preset and the file's fingerprint."""
    return f"{preset.name}:{file.fingerprint[:16]}"


def recipe_of(preset: Preset) -> str:
    """Return a fingerprint of how a preset reads a file."""
    reader = f"{preset.reader.__module__}.{preset.reader.__qualname__}"
    said = (
        _PIPELINE,
        sorted((k, repr(v)) for k, v in preset.columns.items()),
        sorted(preset.scale.items()),
        sorted((k, repr(v)) for k, v in preset.constants.items()),
        sorted(preset.optional),
        repr(preset.timing),
        reader,
        repr(preset.dialect),
        repr([(j.name, j.keys, j.given, j.absent, j.take, j.fingerprint) for j in preset.joins]),
        [recipe_of(join.preset) for join in preset.joins],
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def plan_sources(
    preset: Preset,
    files: Sequence[InputFile],
    named: Iterable[Path],
    known: Sequence[SourceEntry],
    lost: Collection[str] = (),
) -> Plan:
    """Compare files with what the lake was made from.

    Parameters
    ----------
    preset : Preset
        How the files are read.
    files : sequence of InputFile
        Everything that was found, members of archives each.
    named : iterable of Path
        The files and archives themselves.
    known : sequence of SourceEntry
        The lake's record.
    lost : collection of str
        Sources some of whose rows are no longer in the lake: they are read again.

    Raises
    ------
    LakeError
        If the lake's sessions have another calendar, monthly rule, currency or kind of underlying.
    """
    _check_calendar(preset, known)
    recipe = recipe_of(preset)
    wanted: dict[str, list[InputFile]] = {}
    for file in files:
        wanted.setdefault(source_of(preset, file), []).append(file)
    stored = {e.source: e for e in known if e.recipe == recipe and e.source not in lost}
    fresh = tuple(group[0] for source, group in wanted.items() if source not in stored)
    left = [_without(entry, wanted, named) for entry in known]
    gone = {entry.source for entry in left if not entry.paths}
    reread = {source_of(preset, file) for file in fresh}
    after = {entry.source: entry for entry in left if entry.paths}
    for source, group in wanted.items():
        paths = {file.label for file in group}
        if source in stored and source in after:
            paths |= set(after[source].paths)
        spot = stored[source].spot if source in stored else None
        after[source] = SourceEntry(
            source,
            recipe,
            tuple(sorted(paths)),
            preset.timing.calendar,
            preset.timing.last_is_settlement,
            preset.timing.monthly,
            preset.timing.currency,
            preset.timing.instrument,
            spot,
        )
    _check_rules(preset, after.values())
    replaced = frozenset((gone - set(wanted)) | (reread & {entry.source for entry in known}))
    return Plan(fresh, len(files) - len(fresh), replaced, tuple(after.values()))


def with_spots(sources: Iterable[SourceEntry], implied: Collection[str]) -> tuple[SourceEntry, ...]:
    """Return the record, with what was read just now marked where parity implied its spot."""
    return tuple(replace(e, spot="parity") if e.source in implied else e for e in sources)


def _without(
    entry: SourceEntry, wanted: dict[str, list[InputFile]], named: Iterable[Path]
) -> SourceEntry:
    """Take from an entry the paths that now hold something else, or nothing any more."""
    here = {file.label for file in wanted.get(entry.source, [])}
    archives = {str(path) for path in named}
    kept = [path for path in entry.paths if path in here or not _named(path, archives)]
    return replace(entry, paths=tuple(kept))


def _named(path: str, files: set[str]) -> bool:
    """Return whether a path is one of the files, or a member of an archive that is.

    An exclamation mark before a member may also stand in the name of a file or folder.
    """
    ends = [i for i, letter in enumerate(path) if letter == "!"]
    return path in files or any(path[:end] in files for end in ends)


def _check_calendar(preset: Preset, known: Sequence[SourceEntry]) -> None:
    for entry in known:
        if base_calendar(entry.calendar) != base_calendar(preset.timing.calendar):
            raise LakeError(
                f"the sessions in the lake are of {entry.calendar}, those of vendor {preset.name} "
                f"of {preset.timing.calendar}: one underlying has one calendar, use another name "
                "for the underlying or another lake"
            )


def _check_rules(preset: Preset, after: Iterable[SourceEntry]) -> None:
    """Refuse what would leave one underlying with two currencies, rules or kinds."""
    timing = preset.timing
    mine = market_facts(base_calendar(timing.calendar), monthly=timing.monthly,
                        currency=timing.currency)  # fmt: skip
    for entry in after:
        held = market_facts(base_calendar(entry.calendar), monthly=entry.monthly,
                            currency=entry.currency)  # fmt: skip
        for key, one, other in (
            ("monthly", held.monthly.name, mine.monthly.name),
            ("currency", held.currency, mine.currency),
            ("instrument", entry.instrument or timing.instrument, timing.instrument),
        ):
            if one != other and other is not None:
                raise LakeError(
                    f"the sessions in the lake have {key} {one!r}, those of vendor {preset.name} "
                    f"{other!r} ({entry.source}): correct [timing] {key} in the column map; where "
                    "the lake's is wrong, ingest all files again with one map; or use another name "
                    "for the underlying"
                )
