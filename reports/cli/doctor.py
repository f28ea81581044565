"""Is this machine fit to run gexlab: versions, engines, calendars, space."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...data import DEFAULT_CALENDAR, GexlabError, silent

if TYPE_CHECKING:
    from ...data import Progress

__all__ = ["Health", "HealthCheck", "doctor", "package_versions"]

Status = Literal["ok", "warning", "failed"]

#: Distributions without which some command cannot work.
REQUIRED = (
    "arch",
    "duckdb",
    "exchange-calendars",
    "jinja2",
    "numba",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "pydantic",
    "scipy",
    "statsmodels",
    "typer",
    "vectorbt",
)

_ENOUGH_SPACE_GB = 2.0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at.
    status : {"ok", "warning", "failed"}
        ``failed``: some command will not work.
    found : str
        What is there.
    remedy : str
        What to do about it; empty where nothing is to be done.
    """

    name: str
    status: Status
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """All that was looked at, and whether gexlab can work here.

    Attributes
    ----------
    healthy : bool
        No check failed; warnings do not count.
    checks : tuple of Check
        In the order in which they were made.
    """

    healthy: bool
    checks: tuple[HealthCheck, ...]


def doctor(lake: Path | None = None, *, progress: Progress = silent) -> Health:
    """Do the main job on a tiny market, and look at versions, engines, calendars and free space.

    Parameters
    ----------
    lake : Path, optional
        A lake to be looked at too; free space is measured where it lies, else in the current
        folder.
    progress : Progress
        Called at the beginning of each step of the main job.

    Returns
    -------
    Health
    """
    checks = [_python(), *(_package(name) for name in REQUIRED), _engine(), _calendar()]
    checks += [_time_zone(), _space(lake or Path.cwd())]
    if lake is not None:
        checks.append(_lake(lake))
    checks.append(_main_job(progress))
    return Health(all(c.status != "failed" for c in checks), tuple(checks))


def package_versions() -> dict[str, str]:
    """Return the versions of gexlab, Python and every required package that is installed."""
    found = {"gexlab": _version("gexlab"), "python": platform.python_version()}
    found |= {name: _version(name) for name in REQUIRED}
    return {name: version for name, version in found.items() if version is not None}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _python() -> HealthCheck:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    cores = f", {os.cpu_count()} cores"
    return HealthCheck("python", "ok", found + cores)


def _package(name: str) -> HealthCheck:
    version = _version(name)
    if version is None:
        return HealthCheck(name, "failed", "not installed", f"pip install {name}")
    return HealthCheck(name, "ok", version)


def _main_job(progress: Progress) -> HealthCheck:
    from .failures import reason_of
    from .main_job import main_job

    name = "main job"
    try:
        return HealthCheck(name, "ok", main_job(progress=progress))
    except Exception as error:  # whatever it is, it would stop the user's own job too
        remedy = (
            "mend what failed above, else install the versions that gexlab was tested with: "
            "pip install -c constraints.txt -e . in its sources"
        )
        return HealthCheck(name, "failed", reason_of(error), remedy)


def _engine() -> HealthCheck:
    """Return which kernel vectorbt really runs: it is imported and asked."""
    from ...backtest import engine_name

    name = "backtest engine"
    try:
        found = engine_name()
    except ImportError as error:
        return HealthCheck(name, "failed", f"cannot be imported: {error}", "pip install vectorbt")
    if "rust" in found:
        return HealthCheck(name, "ok", found)
    main, rust = _version("vectorbt"), _version("vectorbt-rust")
    if rust is None:
        return HealthCheck(
            name, "warning", found, 'pip install "vectorbt[rust]" for the compiled engine'
        )
    remedy = f"pip install vectorbt-rust=={main}: {rust} does not fit"
    return HealthCheck(name, "warning", found, remedy)


def _calendar() -> HealthCheck:
    from ...data import trading_calendar

    name = f"calendar {DEFAULT_CALENDAR}"
    try:
        calendar = trading_calendar(DEFAULT_CALENDAR)
    except GexlabError as error:
        return HealthCheck(name, "failed", str(error), "pip install -U exchange-calendars")
    found = f"{calendar.sessions[0]} to {calendar.sessions[-1]}"
    return HealthCheck(name, "ok", found)


def _time_zone() -> HealthCheck:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return HealthCheck("time zones", "failed", "no time-zone data", "pip install tzdata")
    return HealthCheck("time zones", "ok", "America/New_York found")


def _space(folder: Path) -> HealthCheck:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    found = f"{free:.1f} GB free in {there}"
    if free < _ENOUGH_SPACE_GB:
        remedy = f"free at least {_ENOUGH_SPACE_GB:.0f} GB or choose another folder"
        return HealthCheck("free space", "warning", found, remedy)
    return HealthCheck("free space", "ok", found)


def _lake(lake: Path) -> HealthCheck:
    from ...data import is_remote, open_lake, verify

    if not is_remote(lake) and not lake.is_dir():
        return HealthCheck("lake", "failed", f"no folder {lake}", "gexlab ingest makes one")
    try:
        opened, found = open_lake(lake), verify(lake, quick=True)
    except GexlabError as error:
        return HealthCheck("lake", "failed", str(error), "gexlab verify --lake says more")
    if found.damaged:
        first, more = found.damaged[0], len(found.damaged) - 1
        others = f", and {more} more" if more else ""
        remedy = "gexlab verify --lake lists all, with what to do"
        return HealthCheck("lake", "failed", f"{first.file}: {first.what}{others}", remedy)
    said = f"{opened}: {found.files} files and {found.sessions} sessions as written"
    if not opened.writable:
        remedy = "change its permissions to ingest or rebuild"
        return HealthCheck("lake", "warning", f"{said}; read-only", remedy)
    return HealthCheck("lake", "ok", said)
