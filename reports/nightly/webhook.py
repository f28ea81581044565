"""A night as JSON to an address, signed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import ssl
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from ...data import encodable, shown
from ..terminal.output import plain
from .delivery import DeliveryError, Message

if TYPE_CHECKING:
    from datetime import datetime
    from urllib.parse import SplitResult

    from ...backtest import WebhookConfig

__all__ = ["body_of", "post", "secret_in", "signature"]

_OK: Final = range(200, 300)
_MOVED: Final = range(300, 400)


def secret_in(variable: str) -> str:
    """Return what an environment variable holds.

    Raises
    ------
    DeliveryError
        If it is not set, or empty.
    """
    found = os.environ.get(variable, "")
    if not found:
        raise DeliveryError(f"the environment variable {variable} is not set: set it for the timer")
    return found


def body_of(message: Message) -> bytes:
    """Return what is posted: one JSON document in ASCII, its texts free of control characters.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> body = body_of(Message("failed", 1, "disk full", (), "", {}, (), "", datetime.now(UTC)))
    >>> json.loads(body)["reason"]
    'disk full'
    """
    document = {
        **{k: v for k, v in message.facts.items() if k not in ("forecasts", "alerts")},
        "event": "night",
        "gexlab": version("gexlab"),
        "status": message.status,
        "exit_code": message.exit_code,
        "reason": message.reason,
        "alerts": list(message.alerts),
        "summary": message.summary,
        "targets": list(message.targets),
        "report": message.report,
        "created_at": message.began,
    }
    text = json.dumps(_printable(plain(document)), sort_keys=True, allow_nan=False)
    return encodable(text).encode("ascii")


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {shown(str(key)): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return shown(value) if isinstance(value, str) else value


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA-256 of ``TIMESTAMP.BODY`` under a secret, in hexadecimal digits.

    Examples
    --------
    >>> signature("key", "0", b"{}")[:12]
    '7314351dd949'
    """
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode("utf-8", "surrogatepass"), signed, hashlib.sha256).hexdigest()


def post(section: WebhookConfig, message: Message, now: datetime) -> None:
    """Post a night.

    Raises
    ------
    DeliveryError
        If it is not taken with a status of 200 to 299.
    """
    from ...backtest import checked_address

    try:
        address = section.url if section.url_env is None else secret_in(section.url_env)
        parts = checked_address(str(address))
    except ValueError as error:
        raise DeliveryError(f"{section.url_env}: {error}") from None
    body, stamp = body_of(message), str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"gexlab/{version('gexlab')}",
        "X-Gexlab-Delivery": message.digest,
        "X-Gexlab-Timestamp": stamp,
    }
    if section.secret_env is not None:
        headers["X-Gexlab-Signature"] = (
            f"sha256={signature(secret_in(section.secret_env), stamp, body)}"
        )
    status = _sent(parts, section.timeout, body, headers)
    if status in _MOVED:
        raise DeliveryError(
            f"{parts.hostname} answered {status}: redirections are not followed, name the address "
            "that it leads to"
        )
    if status not in _OK:
        raise DeliveryError(f"{parts.hostname} answered {status}; the next night tries again")


def _sent(parts: SplitResult, timeout: float, body: bytes, headers: dict[str, str]) -> int:
    host, path = str(parts.hostname), parts.path or "/"
    where = f"{path}?{parts.query}" if parts.query else path
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        trusted = ssl.create_default_context()
        line = http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=trusted)
    else:
        line = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    try:
        line.request("POST", where, body, headers)
        return line.getresponse().status
    except http.client.HTTPException as error:  # its text may repeat the address
        raise DeliveryError(f"{host}: {type(error).__name__}; the next night tries again") from None
    except OSError as error:
        raise DeliveryError(refusal(host, error)) from None
    finally:
        line.close()


def refusal(host: str, error: OSError) -> str:
    """Return why a connection failed, and what to do about it.

    Parameters
    ----------
    host : str
    error : OSError
        Of the socket or of TLS; a certificate that does not verify is one.

    Examples
    --------
    >>> refusal("example.org", ConnectionRefusedError(111, "Connection refused"))
    'example.org: Connection refused; the next night tries again'
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return (
            f"{host}: its certificate does not verify ({why}), nothing was sent: mend it there, or "
            "name the file of the authority that signed it in the environment variable "
            "SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"{host}: no TLS there ({error.reason or type(error).__name__}), nothing was sent: "
            "correct the address, port or kind of encryption"
        )
    said = error.strerror or str(error) or type(error).__name__
    return f"{host}: {said}; the next night tries again"
