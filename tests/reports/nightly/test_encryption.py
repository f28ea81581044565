"""Webhook and mail over TLS: nothing leaves before the other side's certificate has verified."""

from __future__ import annotations

import ssl
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gexlab.backtest import parse_config
from gexlab.reports.nightly.delivery import Message, deliver
from gexlab.reports.nightly.run_log import RunLog

from .servers import Taken, mail_server, web_server

TLS = Path(__file__).parent / "tls"
NOW = datetime(2026, 7, 2, 10, 30, tzinfo=UTC)
FACTS = {"underlying": "SPX", "session": "2026-07-01", "regime": "long", "content_id": "c0ffee"}
HEAD = '[data]\nlake = "lake"\nunderlying = "SPX"\nbars = "bars.parquet"\n'


def _certificate(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{name}.pem")
    return context


def _told(tmp_path: Path, text: str) -> tuple[str, str]:
    message = Message("fresh", 0, "", (), "long gamma", FACTS, (), "", NOW)
    config = parse_config(tomllib.loads(HEAD + text), tmp_path)
    (told,) = deliver(config, tmp_path, replace(message), RunLog(), now=NOW)
    return told.status, told.reason


def _hook(server: Taken) -> str:
    return f'[nightly.webhook]\nurl = "https://127.0.0.1:{server.port}/h"\ntimeout = 5\n'


def _mail(server: Taken, security: str) -> str:
    return (
        f'[nightly.mail]\nhost = "localhost"\nport = {server.port}\nsecurity = "{security}"\n'
        'sender = "a@example.org"\nto = ["b@example.org"]\nuser = "desk"\npassword_env = "PASS"\n'
        "timeout = 5\n"
    )


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the tests' own authority, as a house trusts its own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "authority.pem"))
    monkeypatch.setenv("PASS", "hunter2")


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_verifies(tmp_path: Path) -> None:
    with web_server(_certificate("server")) as server:
        assert _told(tmp_path, _hook(server)) == ("sent", "")
    assert len(server.bodies) == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_encrypted(security: str, tmp_path: Path) -> None:
    """By either way; the password follows the handshake."""
    with mail_server(_certificate("server"), at_once=security == "tls") as server:
        server.welcome = True
        assert _told(tmp_path, _mail(server, security)) == ("sent", "")
    assert len(server.bodies) == 1
    if security == "starttls":
        assert server.paths.index("STAR") < server.paths.index("AUTH")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ("elsewhere", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("expired", "certificate has expired"),
    ],
)
def test_a_certificate_that_does_not_verify(certificate: str, why: str, tmp_path: Path) -> None:
    with web_server(_certificate(certificate)) as server:
        status, said = _told(tmp_path, _hook(server))
    assert status == "failed"
    assert said.startswith(f"127.0.0.1: its certificate does not verify ({why}), nothing was sent")
    assert server.bodies == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_authority_gets_no_password(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a mail, nor a webhook's body."""
    monkeypatch.setenv("PASS", "hunter2")
    with mail_server(_certificate("server"), at_once=security == "tls") as server:
        status, said = _told(tmp_path, _mail(server, security))
    assert status == "failed"
    assert "its certificate does not verify (unable to get local issuer certificate)" in said
    assert "SSL_CERT_FILE" in said
    assert "AUTH" not in server.paths
    assert server.bodies == []


@pytest.mark.usefixtures("trusted")
def test_no_tls_where_it_is_asked_for(tmp_path: Path) -> None:
    """A server without TLS, and one whose greeting offers none."""
    with web_server() as server:
        _, said = _told(tmp_path, _hook(server))
    assert said.startswith("127.0.0.1: no TLS there (")
    assert server.bodies == []
    with mail_server() as server:
        _, said = _told(tmp_path, _mail(server, "starttls"))
    assert "does not offer what nightly.mail asks for (STARTTLS or a login)" in said
    assert server.bodies == []
    assert "AUTH" not in server.paths
