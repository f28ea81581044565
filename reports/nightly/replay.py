"""A night of the past, made again from what it read."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...data import BOOKS, InputFileError, UnknownNameError, published, silent
from .contents import Counted, Written, live_scores, write_night
from .laid_out import laid_out
from .live_record import FOLDER, Record, forecast_digest, read_record
from .nights import Difference
from .result import NightlyResult, Replay, said_of, stated_in
from .run_log import EXIT_CODES, RUN_FILE, RunLog, Status, write_run
from .standing import NOTE_FILE, depends_on, folder_name, stands
from .stored import StoredInputError, keep_night, named_inputs, stored_nights
from .turn import one_night

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backtest import Config
    from ...data import Progress
    from .stored import StoredNight

__all__ = ["Again", "again", "replay"]

_EXACT = "nothing was ingested, and the live record and other nights stay as they are"


@dataclass(frozen=True, slots=True)
class Again:
    """A catalogued run that was made again, and what it is compared with.

    Attributes
    ----------
    night : str
    lake_version : int or None
    gexlab : str
        The version that it was made with.
    files : int
        Files that were compared.
    equal : bool
    differences : tuple of Difference
    """

    night: str
    lake_version: int | None
    gexlab: str
    files: int
    equal: bool
    differences: tuple[Difference, ...]


def again(out: Path, name: str, progress: Progress = silent) -> Again:
    """Make an archived night again, aside, and compare it with what was written then.

    Parameters
    ----------
    out : Path
        Folder of the nights, to which nothing is written.
    name : str
        Its folder, digest, content id or session (then the newest of it).
    progress : Progress

    Raises
    ------
    UnknownNameError
        If no such night was stored.
    StoredInputError, LakeError
        If something that it read is gone or was changed.
    """
    nights = stored_nights(out, name)
    stored = _named(nights, name)
    if stored is None:
        raise UnknownNameError("night with stored inputs", name, tuple(s.night for s in nights))
    with _reproduced(out, stored, progress) as (made, _):
        found = _differences(out, stored, made)
    return Again(
        stored.night, stored.lake_version, stored.gexlab, len(stored.files), not found, found
    )


def replay(
    config: Path, settings: Config, out: Path, as_of: str | date, progress: Progress = silent
) -> NightlyResult:
    """Make the night of a date again; see `nightly`."""
    asked = as_of.isoformat() if isinstance(as_of, date) else as_of.strip()
    with one_night(out):
        log = RunLog()
        for name in ("snapshot", "ingest"):
            log.skipped(name)
        stored = _asked_for(config, out, asked)
        if stored is None:
            return _afresh(config, settings, out, _day(asked, out), log, progress)
        return _replayed(out, stored, asked, log, progress)


def _asked_for(config: Path, out: Path, asked: str) -> StoredNight | None:
    """Return the night that a configuration made: another's nights may lie in the same folder.

    The configuration may have changed since; the night is replayed with its text of then.

    Raises
    ------
    InputFileError
        If another configuration's night is named.
    """
    nights = stored_nights(out, asked)
    own = tuple(stored for stored in nights if _made_by(config, out, stored))
    found = _named(own, asked)
    other = _named(nights, asked) if found is None else None
    if other is not None and other.session != asked:
        path = _configuration_of(out, other)
        raise InputFileError(
            f"night {other.night} was made by {path}, not by {config}: "
            f"gexlab nightly {path} --as-of {asked} replays it"
        )
    return found


def _made_by(config: Path, out: Path, stored: StoredNight) -> bool:
    if os.path.normpath(config.absolute()) == _configuration_of(out, stored):
        return True
    return hashlib.sha256(config.read_bytes()).hexdigest() == stored.configuration.sha256


def _configuration_of(out: Path, stored: StoredNight) -> str:
    return os.path.normpath(out.absolute() / stored.folder / stored.configuration.path)


def _named(nights: tuple[StoredNight, ...], name: str) -> StoredNight | None:
    for stored in reversed(nights):
        digest = stored.night.rpartition("-")[2]
        if name in (stored.night, digest, stored.content_id, stored.session):
            return stored
    return None


def _day(text: str, out: Path) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputFileError(
            f"--as-of {text!r}: expected a date (YYYY-MM-DD) or a night of {out}; "
            f"gexlab runs {out} lists them"
        ) from error


@contextmanager
def _reproduced(
    out: Path, stored: StoredNight, progress: Progress
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Write a stored night into a folder that lasts as long as the block; give its note too."""
    from ...backtest import open_run

    record = _record_of(out, stored)
    counted = Counted(stored.trials, stored.notices)
    with (
        laid_out(out, stored) as settings,
        TemporaryDirectory(prefix="gexlab-night-") as place,
        open_run(settings, books=BOOKS, as_of=stored.lake_version, progress=progress) as run,
    ):
        earlier = record.before(stored.session)
        key = depends_on(run.config, run.market, (*stored.alerts, forecast_digest(earlier)))
        scores = live_scores(earlier, run.market)
        made = Path(place) / stored.night
        written = Written(made, key, stored.alerts, earlier, scores, counted)
        write_night(run.config, run.market, written, progress)
        yield made, json.loads((made / NOTE_FILE).read_text(encoding="utf-8"))


def _record_of(out: Path, stored: StoredNight) -> Record:
    """Return the live record as a night read it.

    Raises
    ------
    StoredInputError
        If its last file of then is gone or was changed.
    """
    if not stored.record:
        return Record()
    files = sorted((out / FOLDER).glob(f"{stored.record:06d}-*.json"))
    found = hashlib.sha256(files[0].read_bytes()).hexdigest() if files else ""
    if found != stored.record_sha256:
        what = f"found {found}" if found else "it is gone"
        raise StoredInputError(
            f"{out / FOLDER}: file {stored.record:06d} of the live record, which night "
            f"{stored.night} read: expected SHA-256 {stored.record_sha256}, {what}: restore it "
            "from a copy"
        )
    record = read_record(out)
    return replace(record, entries=tuple(e for e in record.entries if e.number <= stored.record))


def _differences(out: Path, stored: StoredNight, made: Path) -> tuple[Difference, ...]:
    """Return the files that differ from those of then, and the numbers and versions in which."""
    note = json.loads((made / NOTE_FILE).read_text(encoding="utf-8"))
    now = note["files"]
    names = sorted({*stored.files, *now})
    files = [
        Difference("file", name, stored.files.get(name), now.get(name))
        for name in names
        if stored.files.get(name) != now.get(name)
    ]
    if not files and note["key"] == stored.key:
        return ()
    key = [Difference("key", "key", stored.key, note["key"])] if note["key"] != stored.key else []
    then = _results(out / stored.night / "results.json", stored.files.get("results.json", ""))
    if then is None:
        return (*key, *files)
    found = _results(made / "results.json", now["results.json"]) or {}
    numbers = [
        Difference("number", name, then.get(name), found.get(name))
        for name in dict.fromkeys([*then, *found])
        if then.get(name) != found.get(name)
    ]
    return (*key, *files, *numbers)


def _results(path: Path, digest: str) -> dict[str, Any] | None:
    """Return what results say, flat; None where they are not those of a digest."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(raw).hexdigest() != digest:
        return None
    return _flat(json.loads(raw))


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    inner: list[tuple[Any, Any]] = list(enumerate(value)) if isinstance(value, list) else []
    inner = list(value.items()) if isinstance(value, dict) else inner
    parts = [_flat(part, f"{name}.{key}" if name else str(key)) for key, part in inner]
    return {k: v for part in parts for k, v in part.items()} if parts else {name: value}


def _replayed(
    out: Path, stored: StoredNight, asked: str, log: RunLog, progress: Progress
) -> NightlyResult:
    """Make a stored night again and put it where it is missing."""
    with log.step("backtest"), _reproduced(out, stored, progress) as (made, note):
        found = _differences(out, stored, made)
        same_key = note["key"] == stored.key
        if found and same_key:
            raise StoredInputError(_unequal(stored, found))
        folder = out / folder_name(stored.session, note["key"])
        standing = stands(folder, note["key"])
        if not standing:
            with published(folder) as stage:
                for file in made.iterdir():
                    (stage / file.name).write_bytes(file.read_bytes())
    same = "the same bytes as then"
    if found:
        same = f"{len(found)} differences, as gexlab or a library is not that of then"
    lake, at = _of_lake(out, stored)
    told = f"replayed {stored.night} from {lake} and its stored inputs: {same}; {_EXACT}"
    about = Replay(
        stored.night, asked, True, not found, stored.lake_version, at, stored.gexlab, found, told
    )
    return _result(out, folder, note["facts"], about, log, stored.alerts, stored.created_at)


def _unequal(stored: StoredNight, found: tuple[Difference, ...]) -> str:
    first = "; ".join(f"{d.kind} {d.name}: {d.first} then, {d.second} now" for d in found[:3])
    return (
        f"the replay of {stored.night} differs from what was written, with the same inputs and "
        f"versions ({first}; {len(found)} in all): nothing was written; gexlab runs --again "
        f"{stored.night} lists them"
    )


def _of_lake(out: Path, stored: StoredNight) -> tuple[str, str]:
    """Return a version of the lake in words, and when it was written."""
    from ...data import open_lake

    if stored.lake_version is None or stored.lake is None:
        return "its series", ""
    lake = stored.lake
    if "://" not in lake:
        lake = os.path.normpath(out.absolute() / stored.folder / lake)
    at = open_lake(lake, as_of=stored.lake_version).at().at
    return f"version {stored.lake_version} of the lake ({at:%Y-%m-%d %H:%M} UTC)", at.isoformat()


def _afresh(
    config: Path, settings: Config, out: Path, day: date, log: RunLog, progress: Progress
) -> NightlyResult:
    """Make the night of a date that none was archived of, from the lake as it was at its end."""
    from ...backtest import as_of_version, open_run
    from ...data import archive_version, open_lake
    from .alerts import alerts_of

    end = datetime.combine(day + timedelta(days=1), time(), UTC) - timedelta(microseconds=1)
    lake = "no lake (a series has no versions)"
    version, at = None, ""
    if settings.regime.source == "lake":
        settings = as_of_version(settings, day.isoformat())
        version = settings.lake_version
        moment = open_lake(str(settings.data.lake), as_of=version).at().at
        lake, at = f"version {version} ({moment:%Y-%m-%d %H:%M} UTC)", moment.isoformat()
    settings = settings.until(day)
    notice = (
        f"REPLAY: no night of {day} was archived with its inputs: made from the lake's {lake}, "
        "the newest at that date's end, and from bars and series as they are now up to that date"
    )
    if version is None:
        notice = (
            f"REPLAY: no night of {day} was archived with its inputs: made from {lake} and from "
            "bars and series as they are now up to that date"
        )
    record = read_record(out)
    with open_run(settings, books=BOOKS, as_of=version, progress=progress) as run:
        session = f"{run.market.regime.table.index[-1]:%Y-%m-%d}"
        earlier = record.before(session)
        alerts = alerts_of(settings, run.market, record, end)
        told = (notice, *alerts)
        key = depends_on(settings, run.market, (*told, forecast_digest(earlier)))
        folder = out / folder_name(session, key)
        with log.step("backtest") as step:
            if stands(folder, key):
                step.status = "unchanged"
            else:
                scores = live_scores(earlier, run.market)
                write_night(
                    settings, run.market, Written(folder, key, told, earlier, scores), progress
                )
        with log.step("store") as step:
            added = keep_night(
                config, settings, run.market, folder, record, began=log.began, end=day
            )
            step.counts = {"added": added}
            step.status = "done" if added else "unchanged"
        made_from = run.market.regime.lake_version
    if made_from is not None and (held := open_lake(str(settings.data.lake))).writable:
        archive_version(held, made_from, folder.name)
    note = json.loads((folder / NOTE_FILE).read_text(encoding="utf-8"))
    said = f"{notice.removeprefix('REPLAY: ')}; {_EXACT}"
    about = Replay(folder.name, str(day), False, None, version, at, "", (), said)
    return _result(out, folder, note["facts"], about, log, alerts, log.began.isoformat())


def _result(
    out: Path,
    folder: Path,
    facts: dict[str, Any],
    about: Replay,
    log: RunLog,
    alerts: tuple[str, ...],
    created_at: str,
) -> NightlyResult:
    """Return what a replay brought; the folder's own ``run.json`` is written where it lacks."""
    from .archive import write_index
    from .summary import one_line

    log.skipped("record")
    with log.step("publish") as step:
        step.status = "done" if write_index(out) else "unchanged"
    real = tuple(alert for alert in alerts if not alert.startswith("REPLAY: "))
    status: Status = "degraded" if real else "fresh"
    result = NightlyResult(
        status=status,
        exit_code=EXIT_CODES[status],
        alerts=tuple(alerts),
        summary=one_line(facts, alerts, 0, 0),
        ran=True,
        snapshot=None,
        ingested=None,
        rebuilt=None,
        put_aside=(),
        steps=tuple(log.steps),
        folder=folder,
        report=folder / "report.html",
        seconds=log.seconds,
        **stated_in(facts),
        replay=about,
    )
    if not (folder / RUN_FILE).is_file():
        said = said_of(result, facts, out) | named_inputs(folder) | {"replayed_at": log.began}
        write_run(folder, replace(log, began=datetime.fromisoformat(created_at)), said)
    return result
