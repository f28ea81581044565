"""What a night read that no lake keeps, stored by content beside the archive.

``inputs/DIGEST`` is a file as it was, once whichever nights read it; ``inputs/nights/NIGHT.json``
names the files of a night, the version of the lake, its place in the live record, the numbers of
its trials and the digests of what it wrote: everything that a replay needs.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...data import GexlabError, file_fingerprint, published_file
from ..terminal.output import plain
from .standing import NOTE_FILE, code_digest, facts_digest, truth_beside

if TYPE_CHECKING:
    from datetime import date, datetime

    from ...backtest import Config, Market
    from .live_record import Record

__all__ = [
    "STORE",
    "StoredFile",
    "StoredInputError",
    "StoredNight",
    "keep_night",
    "named_inputs",
    "stored_copy",
    "stored_night",
    "stored_nights",
    "stored_place",
]

STORE: Final = "inputs"
_NIGHTS: Final = "nights"
_SEAL: Final = "sha256"
#: The notice of a run whose trials are in no ledger.
_UNCOUNTED: Final = "trials_not_recorded"


class StoredInputError(GexlabError):
    """What a night read is gone, or is not what it read."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a night read.

    Attributes
    ----------
    path : str
        As seen from the configuration's folder.
    sha256 : str
    """

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredNight:
    """Everything that a night can be replayed from.

    Attributes
    ----------
    night, session, key, content_id, created_at, gexlab : str
    folder : str
        Of the configuration, as seen from that of the nights.
    configuration : StoredFile
    end : str or None
        Last session that was read; None: whatever there was.
    lake : str or None
        As seen from the configuration's folder, or its address.
    lake_version : int or None
        None where the regime is a series.
    instrument : str or None
        As the lake or the configuration said.
    alerts : tuple of str
    record : int
        Number of the last file of the live record.
    record_sha256 : str
        Of that file; empty where there was none.
    trials : mapping of str to int
        Numbers in the ledger.
    notices : tuple of mapping
        What was said where they could not be recorded.
    lockbox : mapping or None
        ``first`` session and ``opened_at`` of a lockbox.
    inputs : tuple of StoredFile
    files : mapping of str to str
        Digests of what the night wrote.
    code : str
        Digest of gexlab's own files; empty where an earlier version noted none.
    """

    night: str
    session: str
    key: str
    content_id: str
    created_at: str
    gexlab: str
    folder: str
    configuration: StoredFile
    end: str | None
    lake: str | None
    lake_version: int | None
    instrument: str | None
    alerts: tuple[str, ...]
    record: int
    record_sha256: str
    trials: Mapping[str, int]
    notices: tuple[Mapping[str, Any], ...]
    lockbox: Mapping[str, Any] | None
    inputs: tuple[StoredFile, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


def keep_night(
    config_file: Path,
    settings: Config,
    market: Market,
    night: Path,
    record: Record,
    *,
    began: datetime,
    end: date | None = None,
) -> int:
    """Store what a night read; return how many files were added.

    Parameters
    ----------
    config_file : Path
    settings : Config
    market : Market
        Its inputs, loaded.
    night : Path
        Its folder, which stands.
    record : Record
        The live record as the night read it.
    began : datetime
    end : date, optional
        Last session that was read, where the night was cut.

    Raises
    ------
    StoredInputError
        If a file is no longer what the night has read.
    """
    out = night.parent
    place = stored_place(out, night.name)
    note = json.loads((night / NOTE_FILE).read_text(encoding="utf-8"))
    files, paths = dict(note["files"]), _outside_files(settings)
    before = _read(place)
    if before is not None and (before.key, before.files) == (note["key"], files):
        known = {file.sha256 for file in (before.configuration, *before.inputs)}
        there = (p for p in (config_file.absolute(), *paths) if file_fingerprint(p) in known)
        return sum(_kept(out, path, settings, {})[1] for path in there)  # one that was lost
    configuration = _kept_configuration(out, config_file, settings, end)
    told = _digests(market)
    kept = [_kept(out, path, settings, told) for path in paths]
    added = int(configuration[1]) + sum(new for _, new in kept)
    provenance, notices = _of_results(night)
    lake = settings.data.lake
    stored = StoredNight(
        night=night.name,
        session=note["facts"]["session"],
        key=note["key"],
        content_id=note["facts"]["content_id"],
        created_at=began.isoformat(),
        gexlab=version("gexlab"),
        folder=_seen_from(out, settings.folder),
        configuration=configuration[0],
        end=None if end is None else end.isoformat(),
        lake=lake if lake is None or "://" in lake else _seen_from(settings.folder, Path(lake)),
        lake_version=provenance.get("lake_version"),
        instrument=settings.data.instrument,
        alerts=tuple(note["facts"]["alerts"]),
        record=record.number,
        record_sha256=record.last,
        trials=provenance.get("trial_numbers") or {},
        notices=notices,
        lockbox=_lockbox(settings),
        inputs=tuple(file for file, _ in kept),
        files=files,
        code=code_digest(),
    )
    body = plain(asdict(stored))
    with published_file(place) as draft:
        text = json.dumps({**body, _SEAL: facts_digest(body)}, indent=1) + "\n"
        draft.write_text(text, encoding="utf-8")
    return added + 1


def stored_nights(out: Path, asked: str) -> tuple[StoredNight, ...]:
    """Return the nights that can be replayed, in the order in which they were made.

    Parameters
    ----------
    out : Path
    asked : str
        Folder, digest or session of the night that is looked for.

    Raises
    ------
    StoredInputError
        If what is noted of that night is not what was written; of others that is no matter.
    """
    found = []
    for path in sorted((out / STORE / _NIGHTS).glob("*.json")):
        stored = _read(path)
        session, _, digest = path.stem.rpartition("-")
        if stored is None and asked not in (path.stem, session, digest):
            continue
        if stored is None:
            raise StoredInputError(
                f"{path} is not what was written: restore it from a copy, or delete it; the night "
                "can then be read, but not replayed"
            )
        found.append(stored)
    return tuple(sorted(found, key=lambda s: (s.created_at, s.night)))


def stored_night(out: Path, name: str) -> StoredNight | None:
    """Return what is noted of a night; None where nothing is, or not what was written."""
    return _read(stored_place(out, name))


def named_inputs(night: Path) -> dict[str, Any]:
    """Return what ``run.json`` says of a night's inputs, which are stored."""
    stored = stored_night(night.parent, night.name)
    if stored is None:
        return {}
    return {
        "lake_version": stored.lake_version,
        "inputs": [asdict(file) for file in (stored.configuration, *stored.inputs)],
        "trials": dict(stored.trials),
        "record": stored.record,
    }


def stored_copy(out: Path, file: StoredFile, night: str) -> Path:
    """Return the copy of a file that a night read.

    Raises
    ------
    StoredInputError
        If it is gone, or is not what was stored.
    """
    path = out / STORE / file.sha256
    try:
        found = file_fingerprint(path)
    except (OSError, GexlabError):
        found = ""
    if found != file.sha256:
        what = f"found {found}" if found else "it is gone"
        raise StoredInputError(
            f"{path}: the copy of {file.path} that night {night} read: expected SHA-256 "
            f"{file.sha256}, {what}: restore it from a copy; without it the night cannot be "
            "replayed"
        )
    return path


def stored_place(out: Path, night: str) -> Path:
    """Return where it is noted what a night was made from."""
    return out / STORE / _NIGHTS / f"{night}.json"


def _seen_from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _read(path: Path) -> StoredNight | None:
    """Return what is noted of a night; None where it is not what was written."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body.pop(_SEAL) != facts_digest(body):
            return None
        made = {
            "configuration": StoredFile(**body["configuration"]),
            "inputs": tuple(StoredFile(**file) for file in body["inputs"]),
            "alerts": tuple(body["alerts"]),
            "notices": tuple(body["notices"]),
        }
        return StoredNight(**{**body, **made})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _of_results(night: Path) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """Return the provenance that a night states, and what it says of trials in no ledger."""
    told = json.loads((night / "results.json").read_text(encoding="utf-8"))
    return told["provenance"], tuple(n for n in told["notices"] if n["code"] == _UNCOUNTED)


def _lockbox(settings: Config) -> dict[str, Any] | None:
    from ...backtest import box_of

    if settings.ledger_path is None:
        return None
    box = box_of(settings)
    return None if box is None else {"first": str(box.first), "opened_at": box.opened_at}


def _kept_configuration(
    out: Path, path: Path, settings: Config, end: date | None
) -> tuple[StoredFile, bool]:
    """Store the configuration's file, if it still says what the night was made with."""
    from ...backtest import load_config

    found, new = _kept(out, path.absolute(), settings, {})
    if load_config(path).until(end).sha256 != settings.sha256:
        raise StoredInputError(f"{path} was changed while the night ran: run it again")
    return found, new


def _kept(
    out: Path, path: Path, settings: Config, told: Mapping[str, set[str]]
) -> tuple[StoredFile, bool]:
    """Store a file by its content; say whether it was not there."""
    from ...backtest import written_path

    digest = file_fingerprint(path)
    expected = told.get(written_path(path, settings), {digest})
    place = out / STORE / digest
    new = not place.is_file() or file_fingerprint(place) != digest
    if new and digest in expected:
        with published_file(place) as draft:
            shutil.copyfile(path, draft)
            digest = file_fingerprint(draft)
            if digest not in expected or place.name != digest:
                raise _changed(path, expected, digest)
    if digest not in expected:
        raise _changed(path, expected, digest)
    return StoredFile(_seen_from(settings.folder, path), digest), new


def _changed(path: Path, expected: set[str], found: str) -> StoredInputError:
    return StoredInputError(
        f"{path} was changed while the night ran (expected SHA-256 {', '.join(sorted(expected))}, "
        f"found {found}): run it again"
    )


def _digests(market: Market) -> dict[str, set[str]]:
    """Return the digests of files as they were read, by the names that results give them."""
    found: dict[str, set[str]] = {}
    for file in market.inputs:
        found.setdefault(file.path, set()).add(file.sha256)
    return found


def _outside_files(settings: Config) -> tuple[Path, ...]:
    """Return the files beside the lake that a run of a configuration reads, each once."""
    return tuple(dict.fromkeys(path.absolute() for path in _files(settings)))


def _files(settings: Config) -> Iterator[Path]:
    from ...data import curve_paths

    data, regime = settings.data, settings.regime
    yield data.bars
    if data.intraday is not None:
        yield data.intraday
    series = [*settings.series.values(), *([regime.series] if regime.series else [])]
    yield from (each.path for each in series)
    if regime.source == "lake":
        if regime.positions is not None:
            yield regime.positions
        if isinstance(regime.definition, str) and regime.definition.endswith(".toml"):
            yield Path(regime.definition)
        yield from curve_paths(regime.definition, settings.folder)
    yield from truth_beside(settings)
    yield from _own_code(settings.model_dump(include={"strategies", "grid"}), settings.folder)


def _own_code(value: Any, folder: Path) -> Iterator[Path]:
    """Yield the files of users' own components (``file.py:Class``)."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _own_code(inner, folder)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _own_code(inner, folder)
    elif isinstance(value, str) and value.rpartition(":")[0].endswith(".py"):
        file = folder / value.rpartition(":")[0]
        if file.is_file():
            yield file
