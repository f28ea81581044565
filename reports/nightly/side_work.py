"""Grid, tournament and tests as steps of a night: when they are due, and where they stand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...data import file_fingerprint, published
from ..terminal.output import plain
from .standing import folder_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...backtest import Config, Market
    from ...data import Progress
    from .run_log import RunLog

__all__ = ["SIDE_WORK", "SideWork", "is_due", "latest_side_work", "side_work"]

#: Steps in their order, and the page of each.
SIDE_WORK: Final[Mapping[str, str]] = {
    "grid": "grid.html",
    "tournament": "tournament.html",
    "test": "hypotheses.html",
}
#: What each depends on beyond a run's content id.
_SECTIONS: Final = {"grid": ("grid",), "tournament": ("grid", "tournament"), "test": ()}
_NOTE: Final = "made.json"


@dataclass(frozen=True, slots=True)
class SideWork:
    """What stands of a grid, a tournament or tests.

    Attributes
    ----------
    name : {"grid", "tournament", "test"}
    session : str
        Last session of the night that made it.
    content_id : str
        Of everything that it depends on.
    folder, page : str
        As seen from the folder of nights.
    status : {"done", "unchanged", "failed"}
        Of this night's step.
    reason : str
        Why it failed; empty where it did not.
    """

    name: str
    session: str
    content_id: str
    folder: str
    page: str
    status: str = "unchanged"
    reason: str = ""


def side_work(
    settings: Config, market: Market, out: Path, log: RunLog, progress: Progress
) -> tuple[SideWork, ...]:
    """Make what is due of grid, tournament and tests, each as a step of its own.

    One that fails does so for itself: it is tried again by the next night.

    Parameters
    ----------
    settings : Config
    market : Market
        Its inputs, loaded.
    out : Path
        Folder of the nights.
    log : RunLog
    progress : Progress

    Returns
    -------
    tuple of SideWork
        Those that the configuration asks for.
    """
    session = f"{market.regime.table.index[-1]:%Y-%m-%d}"
    found = []
    for name, page in SIDE_WORK.items():
        when = getattr(settings.nightly, name)
        if when == "never":
            log.skipped(name)
            continue
        content = _content(name, settings, market)
        with log.step(name) as step:
            standing = _standing(out, name)
            there = next((w for w in standing if not is_due(when, session, content, w)), None)
            if there is not None:
                step.status = "unchanged"
                found.append(there)
                continue
            folder = out / name / folder_name(session, content)
            step.status, reason = "done", ""
            try:
                _make(name, settings, folder, session, content, progress)
            except Exception as error:  # whatever it is, the night itself stands
                step.status = "failed"
                reason = " ".join(str(error).split()) or type(error).__name__
            place = folder.relative_to(out).as_posix()
            link = "" if reason else f"{place}/{page}"
            found.append(SideWork(name, session, content, place, link, step.status, reason))
    return tuple(found)


def is_due(when: str, session: str, content: str, there: SideWork) -> bool:
    """Return whether something must be made although something stands.

    Parameters
    ----------
    when : {"daily", "weekly", "on_change"}
    session : str
        Last session of this night.
    content : str
        Of everything that it would depend on now.
    there : SideWork

    Examples
    --------
    >>> stands = SideWork("grid", "2026-06-29", "a", "", "")
    >>> [is_due("weekly", day, "b", stands) for day in ("2026-07-05", "2026-07-06")]
    [False, True]
    """
    if when == "on_change":
        return there.content_id != content
    if when == "daily":
        return there.session != session
    weeks = (date.fromisoformat(day).isocalendar()[:2] for day in (session, there.session))
    return len(set(weeks)) > 1


def latest_side_work(out: Path) -> tuple[SideWork, ...]:
    """Return the last of each kind that stands in a folder of nights."""
    found = (next(iter(_standing(out, name)), None) for name in SIDE_WORK)
    return tuple(work for work in found if work is not None)


def _content(name: str, settings: Config, market: Market) -> str:
    from ...backtest import content_id

    sections = settings.model_dump(mode="json", include=set(_SECTIONS[name]))
    text = json.dumps([name, content_id(settings, market), sections], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _standing(out: Path, name: str) -> list[SideWork]:
    """Return what stands as it was written, the last session first."""
    folders = (out / name).iterdir() if (out / name).is_dir() else ()
    found = [work for folder in folders for work in _read(out, name, folder)]
    return sorted(found, key=lambda w: (w.session, w.folder), reverse=True)


def _read(out: Path, name: str, folder: Path) -> Iterator[SideWork]:
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        files: dict[str, str] = note["files"]
        whole = all(file_fingerprint(folder / file) == sha for file, sha in files.items())
        if whole and SIDE_WORK[name] in files:
            date.fromisoformat(note["session"])
            place = folder.relative_to(out).as_posix()
            page = f"{place}/{SIDE_WORK[name]}"
            yield SideWork(name, note["session"], str(note["content_id"]), place, page)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # made again


def _make(
    name: str, settings: Config, folder: Path, session: str, content: str, progress: Progress
) -> None:
    make = {"grid": _grid, "tournament": _tournament, "test": _test}[name]
    with published(folder) as stage:
        done = make(settings, folder, stage, progress)
        files = {f.name: file_fingerprint(f) for f in sorted(stage.iterdir()) if f.is_file()}
        note = {"session": session, "content_id": content, "files": files}
        (stage / _NOTE).write_text(json.dumps(plain(note), indent=1) + "\n", encoding="utf-8")
    done()


def _grid(settings: Config, folder: Path, stage: Path, progress: Progress) -> Any:
    from ...backtest import Store, run_grid, write_grid
    from ..page.grid_page import write_grid_page

    store = Store(folder)
    result = run_grid(settings, store, progress=progress)
    write_grid(result, stage)
    write_grid_page(result, stage / SIDE_WORK["grid"])
    return store.clear


def _tournament(settings: Config, folder: Path, stage: Path, progress: Progress) -> Any:
    from ...backtest import clear_kept, run_tournament, write_tournament
    from ..page.tournament_page import write_tournament_page

    result = run_tournament(settings, folder, progress=progress)
    write_tournament(result, stage)
    write_tournament_page(result, stage / SIDE_WORK["tournament"])
    return lambda: clear_kept(folder)


def _test(settings: Config, folder: Path, stage: Path, progress: Progress) -> Any:
    from ...backtest import test, write_hypotheses
    from ..page.html import write_page
    from ..page.sections.hypotheses import hypotheses_page

    result = test(None, settings, progress=progress)
    write_hypotheses(result, stage)
    write_page(hypotheses_page(result), stage / SIDE_WORK["test"])
    return lambda: None
