"""What a night brought, and what ``run.json`` says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ...data import IngestResult, RebuildResult, SnapshotResult
    from .delivery import Delivery
    from .inbox import PutAside
    from .nights import Difference
    from .run_log import Status, Step
    from .side_work import SideWork

__all__ = ["NightlyResult", "Replay", "said_of"]


@dataclass(frozen=True, slots=True)
class Replay:
    """How a night of the past was made again.

    Attributes
    ----------
    night : str
        The archived night, or the one that was made because none was archived.
    asked : str
    archived : bool
        False: no night of that date was archived with its inputs.
    equal : bool or None
        Whether every file has the bytes that were written then; None where none was archived.
    lake_version : int or None
        The version of the lake that was read; None where the regime is a series.
    lake_at : str
        When that version was written, UTC.
    gexlab : str
        The version that the archived night was made with.
    differences : tuple of Difference
        Files, numbers and versions that are not those of then.
    told : str
        All of it in a sentence or two.
    """

    night: str
    asked: str
    archived: bool
    equal: bool | None
    lake_version: int | None
    lake_at: str
    gexlab: str
    differences: tuple[Difference, ...]
    told: str


@dataclass(frozen=True, slots=True)
class NightlyResult:
    """What the night brought.

    Attributes
    ----------
    status : {"fresh", "unchanged", "degraded"}
        Degraded: something must be read before the report, see `alerts`. A night that failed
        raises, and says so in ``run.json``.
    exit_code : int
        0, 3 or 4.
    alerts : tuple of str
        What must be known first: stale or refused data, files put aside, a record that was changed.
    summary : str
        One line.
    ran : bool
        False: no input had changed since the last complete run, whose report stands.
    made_again : str
        Why a session that had a night has another one; empty where it had none, or nothing was
        made.
    last_session, session : str
        Last session with a regime, YYYY-MM-DD.
    regime, quality : str
        Of that session; where the quality gate failed, the regime is ``abstain`` and `quality`
        says why.
    spot, flip : float or None
    definition_id : str or None
    content_id : str
        Of everything that the results depend on.
    carry : tuple of str
        What the last session's net GEX lacks of carry, in a sentence each; empty where nothing.
    snapshot : SnapshotResult or None
    ingested : IngestResult or None
        None where the configuration asks for none, or there was no file.
    rebuilt : RebuildResult or None
        None where the regime is a series.
    put_aside : tuple of PutAside
    steps : tuple of Step
    folder, report : Path
    seconds : float
    replay : Replay or None
        None but for a night of the past (`as_of`).
    beside : tuple of SideWork
        Grid, tournament and tests that the configuration asks for.
    deliveries : tuple of Delivery
        Webhook and mail that the configuration asks for.
    """

    status: Status
    exit_code: int
    alerts: tuple[str, ...]
    summary: str
    ran: bool
    last_session: str
    session: str
    regime: str
    quality: str
    spot: float | None
    flip: float | None
    definition_id: str | None
    content_id: str
    snapshot: SnapshotResult | None
    ingested: IngestResult | None
    rebuilt: RebuildResult | None
    put_aside: tuple[PutAside, ...]
    steps: tuple[Step, ...]
    folder: Path
    report: Path
    seconds: float
    carry: tuple[str, ...] = ()
    replay: Replay | None = None
    beside: tuple[SideWork, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    made_again: str = ""


_LEFT_OUT = {"snapshot", "rebuilt", "steps", "seconds", "ran", "last_session", "ingested", "replay"}


def stated_in(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a result that a night's facts state."""
    names = ("session", "regime", "quality", "spot", "flip", "definition_id", "content_id")
    last = {"last_session": facts["session"], "carry": tuple(facts["carry"])}
    return {name: facts[name] for name in names} | last


def said_of(result: NightlyResult, facts: dict[str, Any], out: Path) -> dict[str, Any]:
    """Return what ``run.json`` says of a night; paths as seen from its folder."""
    document = {k: getattr(result, k) for k in result.__slots__ if k not in _LEFT_OUT}
    told = {k: v for k, v in facts.items() if k != "forecasts"}
    return {
        **told,
        **document,
        "reason": "",
        "put_aside": [asdict(file) for file in result.put_aside],
        "beside": [asdict(work) for work in result.beside],
        "deliveries": [asdict(told) for told in result.deliveries],
        "folder": result.folder.relative_to(out).as_posix(),
        "report": result.report.relative_to(out).as_posix(),
    }
