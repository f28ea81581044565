"""The section ``[nightly]``: what a night does, and whom it tells."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, model_validator

from .config_sections import AddressNearConfig, NearConfig
from .section_base import Section

__all__ = ["MailConfig", "NightlyConfig", "WebhookConfig", "When", "checked_address"]

#: How often a night does what is not needed for its report.
Often = Literal["never", "daily", "weekly", "on_change"]
#: Which nights are told.
When = Literal["news", "trouble", "always"]

_HERE: Final = ("localhost", "127.0.0.1", "::1")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAILBOX: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


def _variable(name: str) -> str:
    """Check the name of an environment variable; what it is given may be the secret itself."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            "expected the name of an environment variable (letters, digits, underscores) that "
            "holds the secret, not the secret itself"
        )
    return name


def _mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address) or not address.isprintable():
        raise ValueError(f"expected an address such as desk@example.org, found {address!r}")
    return address


Variable = Annotated[str, AfterValidator(_variable)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


def checked_address(url: str) -> SplitResult:
    """Return the parts of a webhook's address.

    Parameters
    ----------
    url : str
        The address: https, or http on this machine.

    Returns
    -------
    SplitResult

    Raises
    ------
    ValueError
        If it is not an address, carries a password, or would send a night in the clear to another
        machine. The message does not repeat the address, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("expected an address such as https://example.org/hook") from None
    plain = all(" " < c < "\x7f" for c in url)
    if parts.scheme not in ("http", "https") or not host or not plain:
        raise ValueError("expected an address such as https://example.org/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "an address with a user's name or password is refused: name a variable that holds "
            "the whole address in url_env, or sign with secret_env"
        )
    if parts.scheme == "http" and host not in _HERE:
        raise ValueError(
            "expected https: over http a night's targets would cross the network in the clear "
            "(http is for this machine alone)"
        )
    return parts


class WebhookConfig(Section):
    """Where a night is posted to as JSON.

    Attributes
    ----------
    url : str or None
        Address; it is archived with the configuration, so that it must hold no secret.
    url_env : str or None
        Environment variable that holds the address instead.
    secret_env : str or None
        Environment variable that holds the key of the signature; None: not signed.
    when : {"news", "trouble", "always"}
        Nights that say something new, those that are degraded or failed, or all.
    timeout : float
        Seconds.
    """

    url: str | None = None
    url_env: Variable | None = None
    secret_env: Variable | None = None
    when: When = "news"
    timeout: float = Field(default=10.0, gt=0.0, le=120.0)

    @model_validator(mode="after")
    def _one_address(self) -> WebhookConfig:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("expected either url or url_env, the variable that holds the address")
        if self.url is not None:
            checked_address(self.url)
        return self


class MailConfig(Section):
    """Whom a night is mailed to.

    Attributes
    ----------
    host : str
        SMTP server.
    port : int or None
        None: 587 with STARTTLS, 465 with TLS, 25 with neither.
    security : {"starttls", "tls", "none"}
        ``none`` is for a server on this machine alone.
    sender : str
    to : tuple of str
        At least one.
    user : str or None
    password_env : str or None
        Environment variable that holds the password of `user`.
    when : {"news", "trouble", "always"}
        As for `WebhookConfig`.
    picture : bool
        Draw the last session into the mail.
    timeout : float
        Seconds.
    """

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Mailbox
    to: Annotated[tuple[Mailbox, ...], Field(min_length=1)]
    user: str | None = None
    password_env: Variable | None = None
    when: When = "news"
    picture: bool = True
    timeout: float = Field(default=30.0, gt=0.0, le=120.0)

    @model_validator(mode="after")
    def _safe(self) -> MailConfig:
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user and password_env belong together: name both or neither")
        if self.security == "none" and self.host not in _HERE:
            raise ValueError(
                'security = "none" is for a server on this machine: use "starttls" or "tls"'
            )
        return self


class NightlyConfig(Section):
    """What ``gexlab nightly`` does before the backtest, and where its results go.

    Attributes
    ----------
    paths : tuple of str
        Files, folders or globs to look for new chains in; none: nothing is ingested.
    vendor : str
        Name of their format.
    map : Path or None
        Column map, for the vendor ``columns``.
    snapshot : bool
        Download Cboe's delayed quotes of the underlying first.
    out : Path
        Folder of the nights.
    stale_after : int
        Sessions that may close without a chain before the data count as stale.
    compact_after : int
        Once the underlying's chains of one year lie in more files than these, they are joined, and
        so are its rebuilt tables; 0: never.
    grid, tournament, test : {"never", "daily", "weekly", "on_change"}
        When the section [grid], a tournament, and all hypotheses run as steps of a night: once a
        session, once in an ISO week of sessions, or where something that they depend on changed.
    webhook, mail
        Whom a night is told to; None: nobody.
    """

    paths: tuple[AddressNearConfig, ...] = ()
    vendor: str = "canonical"
    map: NearConfig | None = None
    snapshot: bool = False
    out: NearConfig | None = None
    stale_after: int = Field(default=1, ge=0)
    compact_after: int = Field(default=20, ge=0)
    grid: Often = "never"
    tournament: Often = "never"
    test: Often = "never"
    webhook: WebhookConfig | None = None
    mail: MailConfig | None = None
