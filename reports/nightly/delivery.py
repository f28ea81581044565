"""Whom a night is told to: what is due, sent, and noted, so that nothing is told twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...data import encodable, published_file, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from ...backtest import Config, MailConfig, WebhookConfig
    from .run_log import RunLog

__all__ = ["Delivery", "DeliveryError", "Message", "deliver", "is_due"]

_NOTE: Final = "told.json"
_TROUBLE: Final = ("degraded", "failed")


class DeliveryError(Exception):
    """A message was not taken; the text holds neither addresses nor secrets."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How telling a night went.

    Attributes
    ----------
    name : {"webhook", "mail"}
    status : {"sent", "unchanged", "failed"}
        Unchanged: there was nothing new to tell.
    reason : str
        Why it failed; empty where it did not.
    """

    name: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told of a night.

    Attributes
    ----------
    status : {"fresh", "unchanged", "degraded", "failed"}
    exit_code : int
    reason : str
        Why it failed; else empty.
    alerts : tuple of str
    summary : str
        One line.
    facts : dict
        Of the last session, by the names of ``run.json``; empty where the night failed.
    targets : sequence of dict
        Of ``targets.json``.
    report : str
        As seen from the folder of nights; empty where the night failed.
    began : datetime
    picture : bytes
        PNG of the last session; empty where there is none.
    """

    status: str
    exit_code: int
    reason: str
    alerts: tuple[str, ...]
    summary: str
    facts: dict[str, Any]
    targets: Sequence[dict[str, Any]]
    report: str
    began: datetime
    picture: bytes = b""

    @property
    def trouble(self) -> bool:
        """Whether something must be read first."""
        return self.status in _TROUBLE

    @property
    def subject(self) -> str:
        """One line: what is wrong, else underlying, session and regime."""
        from ..page.sections import words

        if not self.facts:
            return shown(f"{self.status.upper()}: gexlab nightly")
        name = f"{self.facts['underlying']} {self.facts['session']}"
        said = f"{name}: {words.regime(self.facts['regime'])}"
        return shown(f"{self.status.upper()}: {said}" if self.trouble else said)

    @property
    def digest(self) -> str:
        """Of what is told, whoever is told: equal messages are told once."""
        state = self.status if self.trouble else "ok"
        of = (state, self.facts.get("session"), self.facts.get("content_id"))
        text = json.dumps([*of, *self.alerts, self.reason])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_due(
    out: Path, name: str, section: WebhookConfig | MailConfig | None, message: Message
) -> bool:
    """Return whether a night is told by a way, by what was told last.

    Parameters
    ----------
    out : Path
        Folder of the nights.
    name : {"webhook", "mail"}
    section : WebhookConfig or MailConfig, optional
        None: nobody is told.
    message : Message
    """
    if section is None:
        return False
    last = _notes(out).get(name, {})
    if section.when == "always":
        return True
    new = (last.get("to"), last.get("digest")) != (_to(section), message.digest)
    if section.when == "trouble":
        return new and (message.trouble or bool(last.get("trouble")))
    return new


def deliver(
    settings: Config, out: Path, message: Message, log: RunLog, *, now: datetime
) -> tuple[Delivery, ...]:
    """Tell a night to whom the configuration names, each as a step; a failure fails no night.

    What was taken is noted in the folder of nights. A message that was not, because the other side
    was down or the night was killed before, is sent by the next night.
    """
    from .mail import send_mail
    from .webhook import post

    found = []
    ways: tuple[tuple[str, Any, Callable[[Any, Message, datetime], None]], ...] = (
        ("webhook", settings.nightly.webhook, post),
        ("mail", settings.nightly.mail, send_mail),
    )
    for name, section, send in ways:
        if section is None:
            log.skipped(name)
            continue
        with log.step(name) as step:
            if not is_due(out, name, section, message):
                step.status = "unchanged"
                found.append(Delivery(name, "unchanged"))
                continue
            try:
                send(section, message, now)
            except DeliveryError as error:
                step.status = "failed"
                found.append(Delivery(name, "failed", str(error)))
            else:
                _note(out, name, _to(section), message)
                found.append(Delivery(name, "sent"))
    return tuple(found)


def _to(section: WebhookConfig | MailConfig) -> str:
    """Return a digest of where a message goes: another place has been told nothing yet."""
    told = section.model_dump(mode="json", exclude={"when", "timeout", "picture"})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _notes(out: Path) -> dict[str, Any]:
    try:
        found = json.loads((out / _NOTE).read_text(encoding="utf-8"))
        return {k: v for k, v in found.items() if isinstance(v, dict)}
    except (OSError, ValueError, AttributeError):
        return {}


def _note(out: Path, name: str, to: str, message: Message) -> None:
    told = {"to": to, "digest": message.digest, "trouble": message.trouble}
    text = json.dumps(_notes(out) | {name: told}, indent=1, sort_keys=True) + "\n"
    with published_file(out / _NOTE) as draft:
        draft.write_text(encodable(text), encoding="utf-8")
