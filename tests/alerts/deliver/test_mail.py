"""E-mail, against a real SMTP server."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.outbound import outbound
from schemas.channels import Channel, Email
from services.alerts.deliver import mail, smtp
from services.alerts.deliver.mail import mail_of
from services.alerts.deliver.sending import sender
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Notice, Outcome
from tests.alerts.deliver.mailserver import PASSWORD, USER, mailserver
from tests.alerts.deliver.notices import notice, said
from tests.certificates import given


def target(port: int, **changes: Any) -> Email:
    fields = {
        "server": "127.0.0.1",
        "sender": "sonde@example.org",
        "recipients": ["ops@example.org", "night@example.org"],
        "port": port,
        "security": "none",
    }
    return Email(**{**fields, **changes})


async def sent(port: int, told: Notice | None = None, private: bool = True, **changes: Any) -> Outcome:
    async with outbound(private) as http:
        return await sender(http)(Channel("mail", "Mail", target(port, **changes)), told or notice())


async def test_a_mail_arrives_at_all_recipients(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        outcome = await sent(post.port)
    assert outcome.verdict == "sent"
    assert post.recipients == [["ops@example.org", "night@example.org"]]
    assert post.mails[0]["Subject"] == "🔴 Critical: CPU busy on web-1"
    assert post.mails[0]["From"] == "Sonde <sonde@example.org>"


async def test_a_mail_has_text_and_a_page(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        await sent(post.port, notice(said(label="<b>Shop & more")))
    text, page = (post.mails[0].get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert "Value: 97.2 %" in text.get_content()
    assert "&lt;b&gt;Shop &amp; more" in page.get_content()


async def test_what_follows_answers_the_first_mail(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        first = await sent(post.port, notice(said(7)))
        second = await sent(post.port, notice(said(7, "resolve", reference=first.reference), number=42))
    assert first.reference == {"message_id": post.mails[0]["Message-ID"]}
    assert post.mails[1]["In-Reply-To"] == post.mails[0]["Message-ID"]
    assert post.mails[1]["References"] == post.mails[0]["Message-ID"]
    assert post.mails[1]["Message-ID"] != post.mails[0]["Message-ID"]
    assert second.reference == first.reference


async def test_a_mail_sent_again_has_the_same_id(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        await sent(post.port)
        await sent(post.port)
    assert post.mails[0]["Message-ID"] == post.mails[1]["Message-ID"]


async def test_no_name_makes_headers(tmp_path: Path) -> None:
    nasty = "x\r\nBcc: all@example.org\r\n\r\n<script>"
    told = notice(said(label=nasty, rule_name=nasty, instance=nasty, tags=[nasty], reference={"message_id": nasty}))
    async with mailserver(tmp_path) as post:
        assert (await sent(post.port, told)).verdict == "sent"
    assert post.mails[0]["Bcc"] is None
    assert post.mails[0]["In-Reply-To"] is None
    assert "<script>" not in str(post.mails[0].get_body(("html",)))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_is_encrypted_and_its_sender_logs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", given(tmp_path).ca)
    async with mailserver(tmp_path, security, login=security == "starttls") as post:
        login: dict[str, Any] = {"user": USER, "password": PASSWORD} if security == "starttls" else {}
        outcome = await sent(post.port, security=security, **login)
    assert outcome.verdict == "sent", outcome
    assert post.encrypted == [True]
    assert post.users == ([USER] if login else [])


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async with mailserver(tmp_path, "tls") as post:
        outcome = await sent(post.port, security="tls")
    assert outcome.verdict == "again"
    assert "certificate" in outcome.answer
    assert post.mails == []


async def test_a_server_without_starttls_gets_neither_password_nor_mail(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        outcome = await sent(post.port, security="starttls", user=USER, password=PASSWORD)
    assert outcome.verdict == "dead"
    assert (post.users, post.mails) == ([], [])


async def test_a_wrong_password_is_dead_and_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", given(tmp_path).ca)
    async with mailserver(tmp_path, "starttls", login=True) as post:
        outcome = await sent(post.port, security="starttls", user=USER, password="wrong SECRET")  # noqa: S106
    assert outcome.verdict == "dead"
    assert "SECRET" not in outcome.answer


@pytest.mark.parametrize(
    ("command", "reply", "verdict"),
    [
        ("RCPT", "550 no such user", "dead"),
        ("RCPT", "450 mailbox busy", "again"),
        ("MAIL", "553 not your address", "dead"),
        ("MAIL", "451 later", "again"),
        ("DATA", "554 this is spam", "refused"),
        ("DATA", "452 disk full", "again"),
    ],
)
async def test_each_reply_has_its_class(tmp_path: Path, command: str, reply: str, verdict: str) -> None:
    async with mailserver(tmp_path) as post:
        post.refusals[command] = reply
        outcome = await sent(post.port)
    assert outcome.verdict == verdict
    assert reply in outcome.answer
    assert not outcome.perhaps


async def test_one_wrong_recipient_does_not_keep_the_mail_from_the_others(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        post.refusals["night@example.org"] = "550 no such user"
        outcome = await sent(post.port)
    assert outcome.verdict == "sent"
    assert "night@example.org" in outcome.answer


async def test_a_server_of_this_machine_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        outcome = await sent(post.port, private=False)
    assert outcome.verdict == "dead"
    assert "SONDE_OUTBOUND_PRIVATE=1" in outcome.answer
    assert post.mails == []


@pytest.mark.parametrize("address", ["ops@example.org\r\nBcc: x@example.org", "ops", "a@b c", "<ops@example.org>"])
async def test_what_is_no_address_is_refused_here(address: str) -> None:
    assert (await sent(1, recipients=[address])).verdict == "dead"


@asynccontextmanager
async def talking(
    saying: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port of a server that says what it wants."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await saying(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_server_that_trickles_is_left_when_time_is_up() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-wait\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with talking(trickle) as port:
        made = mail_of(target(port), message_of(notice()), [])
        outcome = await smtp.deliver(True, target(port), made, total_s=0.5)
    assert (outcome.verdict, outcome.perhaps) == ("again", False)


async def test_a_server_that_never_stops_talking_is_left() -> None:
    said_bytes = 0
    done = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said_bytes
        try:
            while True:
                writer.write(b"220-" + b"x" * 1000 + b"\r\n")
                await writer.drain()
                said_bytes += 1006
        finally:
            done.set()

    async with talking(flood) as port:
        outcome = await sent(port)
        async with asyncio.timeout(60):
            await done.wait()
    assert (outcome.verdict, outcome.perhaps) == ("again", False)
    assert "says too much" in outcome.answer
    assert said_bytes < 32 * 2**20  # what the kernel keeps between two ends, and no more


async def test_a_login_that_the_server_repeats_is_not_shown(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            known = line.upper().startswith(b"EHLO")
            writer.write(b"250-hello\r\n250 AUTH PLAIN\r\n" if known else b"535 you said " + line)

    async with talking(echo) as port:
        outcome = await sent(port, user="sonde", password=PASSWORD)
    login = base64.b64encode(f"\0sonde\0{PASSWORD}".encode()).decode()
    assert outcome.answer.startswith("the login was refused: 535")
    assert login[:12] not in outcome.answer


async def test_a_server_that_is_lost_after_the_mail_may_have_taken_it() -> None:
    async def lose(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                return
            writer.write(b"250 fine\r\n")

    async with talking(lose) as port:
        outcome = await sent(port)
    assert (outcome.verdict, outcome.perhaps) == ("again", True)


async def test_a_server_that_is_no_mail_server_is_said() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with talking(web) as port:
        outcome = await sent(port)
    assert outcome.verdict == "again"


async def test_a_port_without_a_server_has_certainly_not_taken_it(tmp_path: Path) -> None:
    async with mailserver(tmp_path) as post:
        pass
    outcome = await sent(post.port)
    assert (outcome.verdict, outcome.perhaps) == ("again", False)


def test_a_mail_is_marked_as_written_by_a_machine() -> None:
    made = mail.mail_of(target(25), message_of(notice()), [])
    assert (made["Auto-Submitted"], made["Importance"], made["X-Sonde-Notification"]) == (
        "auto-generated",
        "high",
        "41",
    )
