"""The nightly job: whatever is new comes in, whatever changed is rebuilt, and a report comes out.

Every step can be repeated: files already in the lake are skipped, sessions up to date are not
rebuilt, and nothing is run again where no input changed. A job that was killed is simply started
again and goes on where the last complete step ended.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ConfigError, GexlabError, silent
from .alerts import alerts_of, late_night
from .contents import Written, keep_record, live_scores, write_night
from .delivered_text import failed_message, message_of, picture_for
from .delivery import deliver
from .inbox import PutAside, Taken, take_in
from .result import NightlyResult, said_of, stated_in
from .run_log import EXIT_CODES, RUN_FILE, RunLog, Status, write_run
from .side_work import SIDE_WORK, SideWork, side_work
from .standing import NOTE_FILE
from .stored import keep_night, named_inputs
from .turn import one_night

if TYPE_CHECKING:
    from datetime import date, datetime

    from ...backtest import Config
    from ...data import Progress, RebuildResult, SnapshotResult

__all__ = ["NightlyResult", "nightly"]


@dataclass(frozen=True, slots=True)
class _How:
    """What a night works with."""

    file: Path
    settings: Config
    out: Path
    now: datetime
    log: RunLog
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Night:
    """What the last session of a night is, by its folder."""

    ran: bool
    facts: dict[str, Any]
    folder: Path
    rebuilt: RebuildResult | None
    alerts: tuple[str, ...]
    beside: tuple[SideWork, ...]
    made_again: str = ""
    picture: bytes = b""


def nightly(
    config: str | Path,
    *,
    as_of: str | date | None = None,
    now: datetime | None = None,
    pdf: bool = False,
    png: bool = False,
    progress: Progress = silent,
) -> NightlyResult:
    """Ingest what is new, rebuild what changed, backtest, report, and publish the night.

    Parameters
    ----------
    config : str or Path
        A configuration; its section ``[nightly]`` says what is ingested and where nights go.
    as_of : str or date, optional
        The session of a night (or its name): that night is made again from the lake's version and
        the stored inputs that it read. Nothing is ingested, and the live record, newer nights and
        ``latest`` stay as they are. Where none was archived, the lake as it was at the end of that
        date is read.
    now : datetime, optional
        The moment, with its zone, that freshness is measured at; the machine's clock where left
        out.
    pdf, png : bool
        Print the report, and write its charts as pictures, where a Chromium is found.
    progress : Progress
        Called within each step.

    Returns
    -------
    NightlyResult

    Raises
    ------
    NightRunningError
        If another night is at work in the same folder.
    InputFileError
        If the folder cannot be written to, or prints are asked for without a Chromium.
    GexlabError
        Whatever a step raises; the steps before it stay done, and ``run.json`` says which failed.
    """
    from ...backtest import load_config

    if pdf or png:
        from ..page.browser import find_browser

        find_browser()  # before any work
    settings = load_config(config)
    out = settings.nightly.out or settings.folder / "out"
    if as_of is not None:
        from .replay import replay

        again = replay(Path(config), settings, out, as_of, progress)
        if pdf or png:
            _printed(again.folder, pdf, png)
        return again
    with one_night(out):
        log = RunLog()
        aside: list[PutAside] = []
        try:
            when = now or log.began
            how = _How(Path(config), settings, out, when, log, progress)
            return _night(how, aside, (pdf, png))
        except BaseException as error:
            _say_failed(settings, out, log, error, aside)
            raise


def _say_failed(
    settings: Config, out: Path, log: RunLog, error: BaseException, aside: list[PutAside]
) -> None:
    """Leave a ``run.json`` that calls no older report current, and tell it."""
    from contextlib import suppress

    reason = " ".join(str(error).split()) or type(error).__name__
    said = {
        "status": "failed",
        "exit_code": EXIT_CODES["failed"],
        "reason": reason,
        "session": None,
        "regime": None,
        "spot": None,
        "flip": None,
        "definition_id": None,
        "content_id": None,
        "put_aside": [asdict(file) for file in aside],
    }
    with suppress(GexlabError, OSError):
        write_run(out, log, said)
        if isinstance(error, Exception) and _is_told(settings):
            told = deliver(settings, out, failed_message(reason, log), log, now=log.began)
            write_run(out, log, said | {"deliveries": [asdict(way) for way in told]})


def _is_told(settings: Config) -> bool:
    return settings.nightly.webhook is not None or settings.nightly.mail is not None


def _night(how: _How, aside: list[PutAside], prints: tuple[bool, bool]) -> NightlyResult:
    from .archive import damage_alerts, point_to, write_index
    from .nights import nights_of
    from .summary import one_line

    settings, out, log = how.settings, how.out, how.log
    snapshot, alerts = _snapshot(settings, log)
    taken = _ingest(settings, log, how.progress)
    aside.extend(taken.put_aside)
    night = _run(how, (*alerts, *_of_files(taken)))
    if any(prints):
        with log.step("print") as step:
            step.counts = {"files": len(_printed(night.folder, *prints))}
    with log.step("publish") as step:
        moved = point_to(out, night.folder)
        nights = nights_of(out, verified=False)
        step.status = "done" if write_index(out, nights) or moved else "unchanged"
    fresh = any(s.status == "done" for s in log.steps if s.name in _MAKING)
    rejected = 0 if taken.result is None else taken.result.rows_rejected
    facts, report = night.facts, night.folder / "report.html"

    def state(alerts: tuple[str, ...]) -> Status:
        return "degraded" if alerts else "fresh" if fresh else "unchanged"

    alerts = (*night.alerts, *damage_alerts(nights, how.file))
    status, line = state(alerts), one_line(facts, alerts, rejected, len(aside))
    message = message_of(night.folder, facts, status, alerts, line, log, night.picture)
    told = deliver(settings, out, message, log, now=log.began)
    lost = (f"{way.name.upper()} FAILED: {way.reason}" for way in told if way.reason)
    alerts = (*alerts, *lost)
    status = state(alerts)
    result = NightlyResult(
        status=status,
        exit_code=EXIT_CODES[status],
        alerts=alerts,
        summary=one_line(facts, alerts, rejected, len(aside)),
        ran=night.ran,
        made_again=night.made_again,
        snapshot=snapshot,
        ingested=taken.result,
        rebuilt=night.rebuilt,
        put_aside=taken.put_aside,
        steps=tuple(log.steps),
        folder=night.folder,
        report=report,
        seconds=log.seconds,
        **stated_in(facts),
        beside=night.beside,
        deliveries=told,
    )
    said = said_of(result, facts, out) | named_inputs(night.folder)
    if night.ran or not (night.folder / RUN_FILE).is_file():
        write_run(night.folder, log, said)
    write_run(out, log, said)
    return result


def _printed(folder: Path, pdf: bool, png: bool) -> tuple[Path, ...]:
    """Print a night's report; what stands beside it from before is done again."""
    from ..page.browser import printed

    return printed(folder / "report.html", folder, pdf=pdf, png=png)


#: Steps that make something anew where anything has changed.
_MAKING = ("ingest", "rebuild", "backtest", "store", "record", *SIDE_WORK, "publish")


def _lake(settings: Config) -> Path:
    if settings.data.lake is None:
        raise ConfigError("[nightly] ingests or rebuilds, but data.lake is missing: name a folder")
    return Path(settings.data.lake)


def _snapshot(settings: Config, log: RunLog) -> tuple[SnapshotResult | None, tuple[str, ...]]:
    """Download quotes; where that fails the night goes on with the files that are there."""
    if not settings.nightly.snapshot:
        log.skipped("snapshot")
        return None, ()
    from ...data import LakeError, open_lake, snapshot

    lake = open_lake(_lake(settings), create=True)
    try:
        with log.step("snapshot"):
            return snapshot(settings.data.underlying, lake), ()
    except LakeError:
        raise
    except GexlabError as error:
        return None, (f"SNAPSHOT FAILED: {' '.join(str(error).split())}",)


def _ingest(settings: Config, log: RunLog, progress: Progress) -> Taken:
    if not settings.nightly.paths:
        log.skipped("ingest")
        return Taken(None)
    lake = _lake(settings)
    with log.step("ingest") as step:
        taken = take_in(settings, lake, progress)
        done = taken.result
        step.counts = {"put_aside": len(taken.put_aside)}
        if done is not None:
            names = ("files", "files_unchanged", "rows_read", "rows_written", "rows_rejected")
            step.counts |= {name: getattr(done, name) for name in (*names, "sessions")}
        step.status = "done" if done is not None and done.rows_written else "unchanged"
    return taken


def _of_files(taken: Taken) -> tuple[str, ...]:
    if not taken.put_aside:
        return ()
    first, *others = taken.put_aside
    more = f" and {len(others)} more" if others else ""
    return (f"PUT ASIDE: {first.file}{more} cannot be read ({first.reason})",)


def _run(how: _How, alerts: tuple[str, ...]) -> _Night:
    """Rebuild what changed, then run and report, unless a complete night had these inputs."""
    from contextlib import ExitStack

    from ...backtest import open_run
    from ...data import BOOKS
    from .live_record import forecast_digest, read_record
    from .reasons import LOST, last_night, was_made, why_again
    from .standing import depends_on, folder_name, stands

    settings, out, now, log = how.settings, how.out, how.now, how.log
    progress = how.progress
    progress(0, None, "reading data")
    if settings.regime.source == "lake":
        _lake(settings)
    with ExitStack() as stack:
        with log.step("rebuild") as step:
            run = stack.enter_context(open_run(settings, books=BOOKS, progress=progress))
            rebuilt = run.market.regime.rebuilt
            done = None if rebuilt is None else rebuilt.done
            if done is not None:
                step.counts = {"sessions": done.sessions, "rebuilt": done.rebuilt}
            step.status = "done" if done is not None and done.rebuilt else "unchanged"
        record = read_record(out)
        session = f"{run.market.regime.table.index[-1]:%Y-%m-%d}"
        alerts = (*alerts, *alerts_of(settings, run.market, record, now))
        earlier = record.before(session)
        key = depends_on(settings, run.market, (*alerts, forecast_digest(earlier)))
        folder = out / folder_name(session, key)
        scores = live_scores(earlier, run.market)
        late = late_night(run.market, now)
        ran, before, lost = not stands(folder, key), last_night(out), was_made(out, folder.name)
        with log.step("backtest") as step:
            if ran:
                written = Written(folder, key, alerts, earlier, scores)
                write_night(settings, run.market, written, progress)
            step.status = "done" if ran else "unchanged"
        with log.step("store") as step:
            stored = keep_night(how.file, settings, run.market, folder, record, began=log.began)
            step.status = "done" if stored else "unchanged"
            step.counts = {"added": stored}
        again = (LOST if lost else why_again(out, before, folder.name)) if ran else ""
        facts = json.loads((folder / NOTE_FILE).read_text(encoding="utf-8"))["facts"]
        with log.step("record") as step:
            added = keep_record(out, record, facts, scores, late=late)
            step.status = "done" if added else "unchanged"
            step.counts = {"scores": len(scores)}
        beside = side_work(settings, run.market, out, log, progress)
        alerts = (*alerts, *(f"{w.name.upper()} FAILED: {w.reason}" for w in beside if w.reason))
        drawn = picture_for(settings, run.market, out, folder, facts, alerts, log)
    _keep_lake(settings, folder, log)
    return _Night(ran, facts, folder, done, alerts, beside, again, drawn)


def _keep_lake(settings: Config, night: Path, log: RunLog) -> None:
    """Note which version of the lake the night names, and join its files where they are many."""
    from ...data import archive_version, compact, open_lake

    told = json.loads((night / "results.json").read_text(encoding="utf-8"))
    version = told["provenance"].get("lake_version")  # nights of former versions state none
    if settings.regime.source != "lake":
        log.skipped("lake")
        return
    lake = open_lake(_lake(settings))
    with log.step("lake") as step:
        if not lake.writable:
            step.status = "skipped"
            return
        archived = version is not None and archive_version(lake, version, night.name)
        most, name = settings.nightly.compact_after, settings.data.underlying
        done = compact(lake, underlying=name, more_than=max(most, 1)) if most else None
        joined = 0 if done is None else done.files_before - done.files_after
        step.counts = {"archived": int(archived), "joined": joined}
        step.status = "done" if archived or joined else "unchanged"
