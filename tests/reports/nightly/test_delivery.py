"""Nights are told by webhook and mail: signed, once, as text, and without a secret anywhere."""

from __future__ import annotations

import email
import hashlib
import hmac
import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from gexlab.backtest import Config, parse_config
from gexlab.data import ConfigError
from gexlab.reports.nightly.delivery import DeliveryError, Message, deliver, is_due
from gexlab.reports.nightly.mail import _PORTS, mail_of, send_mail
from gexlab.reports.nightly.run_log import RunLog
from gexlab.reports.nightly.webhook import body_of, post

from .servers import mail_server, web_server

NOW = datetime(2026, 7, 2, 10, 30, tzinfo=UTC)
#: Markup, a formula, a terminal escape, a header, a bidirectional mark, a lone surrogate.
HOSTILE = "<img src=x>{{7*7}}[red]=cmd()\x1b[31m\r\nBcc: thief@example.org\u202eevil\udc80"
PNG = b"\x89PNG\r\n\x1a\nnot much of one"


def _message(**more: Any) -> Message:
    facts = {
        "underlying": "SPX",
        "session": "2026-07-01",
        "regime": "long",
        "content_id": "c0ffee",
        "spot": 6000.5,
        "flip": None,
    }
    target = {
        "strategy": "fade",
        "target": -0.5,
        "label": "short",
        "valid_until": "2026-07-02",
        "abstains": "",
    }
    made = Message(
        "fresh",
        0,
        "",
        (),
        "SPX 2026-07-01: long gamma; spot 6,000.5; no flip",
        facts,
        (target,),
        "2026-07-01-abc/report.html",
        NOW,
    )
    return replace(made, **more)


def _config(tmp_path: Path, text: str) -> Config:
    head = '[data]\nlake = "lake"\nunderlying = "SPX"\nbars = "bars.parquet"\n'
    return parse_config(tomllib.loads(head + text), tmp_path)


def _hook(tmp_path: Path, port: int, more: str = "") -> Config:
    return _config(tmp_path, f'[nightly.webhook]\nurl = "http://127.0.0.1:{port}/h"\n{more}')


def _mail(tmp_path: Path, port: int, more: str = "") -> Config:
    text = f"""
    [nightly.mail]
    host = "127.0.0.1"
    port = {port}
    security = "none"
    sender = "gexlab@example.org"
    to = ["desk@example.org", "risk@example.org"]
    {more}
    """
    return _config(tmp_path, text)


def test_a_webhook_is_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", "k3y")
    with web_server() as server:
        section = _hook(tmp_path, server.port, 'secret_env = "HOOK_KEY"').nightly.webhook
        assert section is not None
        post(section, _message(), NOW)
    (body,), (headers,) = server.bodies, server.headers
    stamp = headers["X-Gexlab-Timestamp"]
    assert stamp == str(int(NOW.timestamp()))
    wanted = hmac.new(b"k3y", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Gexlab-Signature"] == f"sha256={wanted}"
    said = json.loads(body)
    assert (said["status"], said["session"], said["flip"]) == ("fresh", "2026-07-01", None)
    assert said["targets"][0]["target"] == -0.5
    assert "k3y" not in body.decode()
    assert "k3y" not in str(headers)


def test_an_address_may_be_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as server:
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.port}/t0ken?key=1")
        config = _config(tmp_path, '[nightly.webhook]\nurl_env = "HOOK"\n')
        (told,) = deliver(config, tmp_path, _message(), RunLog(), now=NOW)
        assert (told.status, server.paths) == ("sent", ["/t0ken?key=1"])
        server.status = 500
        (told,) = deliver(config, tmp_path, _message(reason="x"), RunLog(), now=NOW)
    assert told.reason == "127.0.0.1 answered 500; the next night tries again"
    assert not any("t0ken" in f.read_text() for f in tmp_path.iterdir())
    monkeypatch.setenv("HOOK", "http://example.org/t0ken")
    (told,) = deliver(config, tmp_path, _message(reason="x"), RunLog(), now=NOW)
    assert told.reason.startswith("HOOK: expected https")
    assert "t0ken" not in told.reason
    monkeypatch.delenv("HOOK")
    (told,) = deliver(config, tmp_path, _message(reason="x"), RunLog(), now=NOW)
    assert told.reason.startswith("the environment variable HOOK is not set")


def test_what_is_not_taken_is_sent_again(tmp_path: Path) -> None:
    with web_server() as server:
        config = _hook(tmp_path, server.port)
        server.status = 302
        (told,) = deliver(config, tmp_path, _message(), RunLog(), now=NOW)
        assert "redirections are not followed" in told.reason
        assert len(server.paths) == 1
        server.status = 204
        log = RunLog()
        states = [deliver(config, tmp_path, _message(), log, now=NOW)[0].status for _ in (1, 2)]
        assert states == ["sent", "unchanged"]
        assert [s.status for s in log.steps if s.name == "webhook"] == ["done", "unchanged"]
        # an unchanged night says what the fresh one said; a degraded one does not
        assert not is_due(
            tmp_path, "webhook", config.nightly.webhook, _message(status="unchanged", exit_code=3)
        )
        worse = _message(status="degraded", alerts=("STALE",))
        assert is_due(tmp_path, "webhook", config.nightly.webhook, worse)
        assert is_due(tmp_path, "webhook", _hook(tmp_path, 1).nightly.webhook, _message())
    (told,) = deliver(config, tmp_path, worse, RunLog(), now=NOW)
    assert told.status == "failed"
    assert "Connection refused" in told.reason


def test_trouble_is_told_until_it_ends(tmp_path: Path) -> None:
    with web_server() as server:
        config = _hook(tmp_path, server.port, 'when = "trouble"')
        said = []
        bad = _message(status="degraded", alerts=("STALE",))
        for message in (_message(), bad, bad, _message(), _message()):
            (told,) = deliver(config, tmp_path, message, RunLog(), now=NOW)
            said.append(told.status)
    assert said == ["unchanged", "sent", "unchanged", "sent", "unchanged"]


def test_a_mail_with_the_picture(tmp_path: Path) -> None:
    with mail_server() as server:
        section = _mail(tmp_path, server.port).nightly.mail
        assert section is not None
        send_mail(section, _message(picture=PNG), NOW)
    mail = email.message_from_bytes(server.bodies[0], policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == "SPX 2026-07-01: long gamma"
    assert mail["To"] == "desk@example.org, risk@example.org"
    text, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert "spot 6,000.5" in text.get_content()
    assert "fade  \u22120.5" in text.get_content()
    assert 'src="cid:last-session"' in page.get_content()
    (picture,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture.get_payload(decode=True) == PNG
    assert picture["Content-ID"] == "<last-session>"
    assert picture.get_content_disposition() == "inline"


def test_hostile_names_are_text_in_mail_and_json(tmp_path: Path) -> None:
    facts = {**_message().facts, "underlying": HOSTILE}
    target = {**_message().targets[0], "strategy": HOSTILE, "abstains": HOSTILE}
    message = _message(facts=facts, targets=(target,), summary=HOSTILE, alerts=(HOSTILE,))
    section = _mail(tmp_path, 25).nightly.mail
    assert section is not None
    mail = email.message_from_bytes(mail_of(section, message, NOW).as_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail["Bcc"] is None
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    said = [mail["Subject"], *(b.get_content() for b in bodies if b is not None)]
    for text in said:
        assert not re.search("[\x1b\u202e\ud800-\udfff]", text)
        assert "thief@example.org" in text  # it is there, as text
    assert "<img src=x>" not in said[2]
    assert "&lt;img src=x&gt;" in said[2]
    body = body_of(message)
    assert body.isascii()
    assert not re.search(
        "[\x1b\u202e\ud800-\udfff]", json.dumps(json.loads(body), ensure_ascii=False)
    )


def test_a_server_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as server:
        server.refuses = ("risk@",)
        (told,) = deliver(_mail(tmp_path, server.port), tmp_path, _message(), RunLog(), now=NOW)
        assert told.reason.startswith("127.0.0.1 refused 1 of 2 recipients")
        monkeypatch.setenv("PASSWORD", "hunter2-in-mail")
        more = 'user = "desk"\npassword_env = "PASSWORD"'
        config = _mail(tmp_path, server.port, more)
        (told,) = deliver(config, tmp_path, _message(), RunLog(), now=NOW)
    assert "answered 535 wrong password ***" in told.reason
    section = _mail(tmp_path, 25).nightly.mail
    assert section is not None
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1: .*the next night tries again"):
        send_mail(section.model_copy(update={"port": server.port}), _message(), NOW)


HOOK = '[nightly.webhook]\nurl = "https://example.org/h"\n'
POST = (
    '[nightly.mail]\nhost = "mail.example.org"\nsender = "a@example.org"\nto = ["b@example.org"]\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[nightly.webhook]\n", "expected either url or url_env"),
        (HOOK.replace("https", "http"), "expected https"),
        (HOOK.replace("https", "ftp"), "expected an address such as"),
        (HOOK.replace("example", "user:s3cret@example"), "url_env"),
        (HOOK + 'secret_env = "s3cret!"', "expected the name of an environment variable"),
        (HOOK + 'secret = "s3cret"', "unknown key 'nightly.webhook.secret'"),
        (HOOK + 'when = "sometimes"', "nightly.webhook.when: input should be 'news'"),
        (HOOK + "timeout = 0", "nightly.webhook.timeout"),
        ('[nightly]\nwebhook = "https://example.org/s3cret"', "expected a table of keys"),
        (POST + 'password = "s3cret"', "unknown key 'nightly.mail.password'"),
        (POST + 'password_env = "P"', "user and password_env belong together"),
        (POST + 'security = "none"', 'use "starttls" or "tls"'),
        (POST.replace("b@example", "Bob <b@example"), "expected an address such as desk@"),
        (POST.replace('"b@example.org"', ""), "nightly.mail.to"),
        (POST.replace("mail.example.org", "mail example"), "nightly.mail.host"),
    ],
)
def test_bad_configurations_say_what_is_right(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        _config(tmp_path, text)
    assert said in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_whom_a_night_is_told_changes_no_result(tmp_path: Path) -> None:
    assert _config(tmp_path, HOOK + POST).sha256 == _config(tmp_path, "").sha256


def test_ports_by_security() -> None:
    assert _PORTS == {"starttls": 587, "tls": 465, "none": 25}
