"""A night as a mail: text, the same as HTML, and the picture of the last session in it."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...data import shown
from ..page.formats import signed
from .delivery import DeliveryError, Message
from .webhook import refusal, secret_in

if TYPE_CHECKING:
    from datetime import datetime

    from ...backtest import MailConfig

__all__ = ["mail_of", "send_mail"]

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_PICTURE: Final = "last-session"
_STYLE: Final = "font-family:system-ui,sans-serif;font-size:15px;line-height:1.45;color:#1c1c1c"
_ALERT: Final = "border-left:4px solid #b3261e;padding:6px 10px;font-weight:600;color:#8c1d18"
_CELL: Final = "border-bottom:1px solid #d9d9d9;padding:3px 14px 3px 0;text-align:left"


def mail_of(section: MailConfig, message: Message, now: datetime) -> EmailMessage:
    """Return a night as a mail.

    Parameters
    ----------
    section : MailConfig
    message : Message
    now : datetime

    Returns
    -------
    EmailMessage
        Plain text and HTML that say the same; names in either are text, whatever they hold.
    """
    mail = EmailMessage(policy=SMTP)
    domain = section.sender.rpartition("@")[2]
    mail["Subject"] = message.subject
    mail["From"] = section.sender
    mail["To"] = ", ".join(section.to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.digest[:32]}.{int(now.timestamp())}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(message))
    mail.add_alternative(_html(message), subtype="html")
    if message.picture:
        page = mail.get_payload()[1]  # type: ignore[index]
        page.add_related(  # type: ignore[union-attr]
            message.picture,
            "image",
            "png",
            cid=f"<{_PICTURE}>",
            disposition="inline",
            filename="last-session.png",
        )
    return mail


def _lines(message: Message) -> list[str]:
    line = message.summary.removeprefix(". ".join(message.alerts)).removeprefix(". ")
    return [part for part in line.split("; ") if part]


def _rows(message: Message) -> list[tuple[str, str, str, str]]:
    return [_row(target) for target in message.targets]


def _row(target: dict[str, Any]) -> tuple[str, str, str, str]:
    wanted = target.get("target")
    size = signed(float(wanted)) if isinstance(wanted, int | float) else "none"
    why = target.get("abstains") or f"until {target.get('valid_until')}"
    return (shown(str(target.get("strategy"))), size, str(target.get("label")), shown(str(why)))


def _text(message: Message) -> str:
    said = [*message.alerts]
    if message.reason:
        said.append(f"The night failed: {message.reason}")
    said += ["", *_lines(message)] if said else _lines(message)
    if message.targets:
        said += ["", "Tomorrow's targets (strategy, share of equity, label)"]
        said += ["  ".join(row) for row in _rows(message)]
    if message.report:
        said += ["", f"report: {message.report}", f"content id: {message.facts['content_id']}"]
    return "\n".join(shown(line) for line in said) + "\n"


def _html(message: Message) -> str:
    def text(value: object) -> str:
        return escape(shown(str(value)))

    failed = [f"The night failed: {message.reason}"] if message.reason else []
    said = [f'<p style="{_ALERT}">{text(a)}</p>' for a in (*message.alerts, *failed)]
    said += [f"<h1 style='font-size:19px'>{text(message.subject)}</h1>"]
    said += [f"<p>{'<br>'.join(text(line) for line in _lines(message))}</p>"]
    if message.picture:
        said.append(
            f'<p><img src="cid:{_PICTURE}" width="720" style="max-width:100%;height:auto" '
            'alt="Gamma by strike, profile and expiry of the last session"></p>'
        )
    if message.targets:
        heads = ("Strategy", "Target", "Label", "Valid, or why none")
        head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in heads)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{text(cell)}</td>' for cell in row) + "</tr>"
            for row in _rows(message)
        )
        said.append(
            '<table style="border-collapse:collapse"><caption style="text-align:left">Tomorrow\'s '
            f"targets, share of equity</caption><tr>{head}</tr>{rows}</table>"
        )
    if message.report:
        about = f"report: {message.report}; content id: {message.facts['content_id']}"
        said.append(f'<p style="color:#595959">{text(about)}</p>')
    body = "\n".join(said)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>'
        f'{text(message.subject)}</title></head><body style="{_STYLE}">\n{body}\n</body></html>\n'
    )


def send_mail(section: MailConfig, message: Message, now: datetime) -> None:
    """Mail a night.

    Raises
    ------
    DeliveryError
        If the server does not take it for every recipient.
    """
    password = "" if section.password_env is None else secret_in(section.password_env)
    mail = mail_of(section, message, now)
    try:
        refused = _handed_over(section, mail, password)
    except smtplib.SMTPResponseException as error:
        raw = error.smtp_error
        said = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        said = said.replace(password, "***") if password else said
        raise DeliveryError(
            f"{section.host} answered {error.smtp_code} {shown(' '.join(said.split()))}; the next "
            "night tries again"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise DeliveryError(_refused(section, len(error.recipients))) from None
    except smtplib.SMTPNotSupportedError:
        raise DeliveryError(
            f"{section.host} does not offer what nightly.mail asks for (STARTTLS or a login), "
            'nothing was sent: set security = "tls" and its port, or leave out the user'
        ) from None
    except smtplib.SMTPException as error:
        raise DeliveryError(
            f"{section.host}: {type(error).__name__}; the next night tries again"
        ) from None
    except OSError as error:
        raise DeliveryError(refusal(section.host, error)) from None
    if refused:
        raise DeliveryError(_refused(section, refused))


def _refused(section: MailConfig, count: int) -> str:
    return (
        f"{section.host} refused {count} of {len(section.to)} recipients: correct nightly.mail.to"
    )


def _handed_over(section: MailConfig, mail: EmailMessage, password: str) -> int:
    """Hand a mail to the server; return how many recipients it refused."""
    port = _PORTS[section.security] if section.port is None else section.port
    timeout, trusted = section.timeout, ssl.create_default_context()
    line: smtplib.SMTP
    if section.security == "tls":
        line = smtplib.SMTP_SSL(section.host, port, timeout=timeout, context=trusted)
    else:
        line = smtplib.SMTP(section.host, port, timeout=timeout)
    with line:
        if section.security == "starttls":
            line.starttls(context=trusted)
        if section.user is not None:
            line.login(section.user, password)
        return len(line.send_message(mail))
