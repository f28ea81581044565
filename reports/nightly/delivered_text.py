"""What a night's message says, put together from what the night left."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import GexlabError
from .delivery import Message, is_due
from .run_log import EXIT_CODES

if TYPE_CHECKING:
    from ...backtest import Config, Market
    from .run_log import RunLog, Status

__all__ = ["failed_message", "message_of", "picture_for"]


def failed_message(reason: str, log: RunLog) -> Message:
    """Return the message of a night that failed."""
    return Message("failed", EXIT_CODES["failed"], reason, (), "", {}, (), "", log.began)


def message_of(
    folder: Path,
    facts: dict[str, Any],
    status: Status,
    alerts: tuple[str, ...],
    summary: str,
    log: RunLog,
    picture: bytes = b"",
) -> Message:
    """Return the message of a night that stands.

    Parameters
    ----------
    folder : Path
        Of the night, with its targets.
    facts : dict
        Of its last session.
    status : {"fresh", "unchanged", "degraded"}
    alerts : tuple of str
    summary : str
        One line.
    log : RunLog
    picture : bytes
    """
    targets = json.loads((folder / "targets.json").read_text(encoding="utf-8"))["targets"]
    report = f"{folder.name}/report.html"
    code = EXIT_CODES[status]
    return Message(status, code, "", alerts, summary, facts, targets, report, log.began, picture)


def picture_for(
    settings: Config,
    market: Market,
    out: Path,
    folder: Path,
    facts: dict[str, Any],
    alerts: tuple[str, ...],
    log: RunLog,
) -> bytes:
    """Return the picture of the last session where a mail is due that shows it.

    A picture that cannot be drawn is left out: the mail says everything in words.
    """
    section = settings.nightly.mail
    if section is None or not section.picture:
        return b""
    status: Status = "degraded" if alerts else "fresh"
    if not is_due(out, "mail", section, message_of(folder, facts, status, alerts, "", log)):
        return b""
    from ..page.picture_files import write_profile
    from ..page.report import last_picture

    picture = last_picture(settings, market)
    if picture is None:
        return b""
    try:
        with tempfile.TemporaryDirectory(prefix="gexlab-mail-") as name:
            path = write_profile(picture, Path(name) / "mail.png", simulated=market.simulated)
            return path.read_bytes()
    except (GexlabError, OSError, ImportError):
        return b""
