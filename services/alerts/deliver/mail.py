"""A message as an e-mail: text and HTML, in a thread with what was told before of the same incidents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Any

from schemas.channelchecks import is_mail_address
from schemas.channels import Email
from services.alerts.deliver.message import Message, plain
from services.alerts.deliver.reading import one_line
from services.alerts.deliver.smtp import deliver
from services.alerts.notice import Notice, Outcome

SUBJECT_CHARACTERS = 200
MOST_REFERENCES = 10


async def send(private: bool, target: Email, message: Message, notice: Notice | None) -> Outcome:
    """One attempt. Raises nothing."""
    wrong = [address for address in (target.sender, *target.recipients) if not is_mail_address(address)]
    if wrong:
        return Outcome("dead", f"{one_line(wrong[0], 100)} is not an e-mail address; change the channel")
    before = _before(notice)
    mail = mail_of(target, message, before)
    outcome = await deliver(private, target, mail)
    outcome.reference = {"message_id": before[0] if len(before) == 1 else mail["Message-ID"]}
    return outcome


def _before(notice: Notice | None) -> list[str]:
    """Ids of the first mails about the same incidents."""
    items = notice.items if notice is not None else []
    found = dict.fromkeys(str(said.reference.get("message_id", "")) for said in items)
    return [reference for reference in found if _is_id(reference)][:MOST_REFERENCES]


def _is_id(text: str) -> bool:
    return text.startswith("<") and text.endswith(">") and text.isascii() and text.isprintable() and " " not in text


def mail_of(target: Email, message: Message, before: list[str]) -> EmailMessage:
    """The mail to all recipients; `before`: ids of the mails that it follows."""
    mail = EmailMessage(SMTP)
    local, _, domain = target.sender.rpartition("@")
    mail["Subject"] = one_line(message.headline, SUBJECT_CHARACTERS)
    mail["From"] = Address("Sonde", local, domain)
    mail["To"] = [Address("", *recipient.rsplit("@", 1)) for recipient in target.recipients]
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.made, UTC))
    mail["Message-ID"] = f"<{_number_of(message, target.recipients)}@{domain}>"
    if before:
        mail["In-Reply-To"] = before[0]
        mail["References"] = " ".join(before)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Sonde-Notification"] = str(message.number)
    if message.headline.startswith("🔴"):
        mail["Importance"] = "high"
    mail.set_content(plain(message) + "\n", cte="quoted-printable")
    mail.add_alternative(html_of(message), subtype="html", cte="quoted-printable")
    return mail


def _number_of(message: Message, recipients: Iterable[str]) -> str:
    """The same when the same message is sent again; no other message, of no other Sonde, has it."""
    told: Any = (message.number, message.made, message.headline, *sorted(recipients))
    return f"sonde.{message.number}.{hashlib.sha256(repr(told).encode()).hexdigest()[:20]}"


def html_of(message: Message) -> str:
    """A page that mail programs show alike: tables and styles of its own, no picture, no script."""
    body = "margin:0;padding:16px;font-family:sans-serif;font-size:14px;color:#1c1c1c;background:#ffffff"
    title = f"margin:0 0 12px;padding-left:10px;border-left:6px solid {message.color};font-size:18px"
    parts = [
        f'<!doctype html><html><head><meta charset="utf-8"></head><body style="{body}">',
        f'<h1 style="{title}">{escape(message.headline)}</h1>',
    ]
    if message.facts:
        rows = "".join(
            f'<tr><th style="text-align:left;padding:2px 16px 2px 0;font-weight:normal;color:#666">{escape(fact.name)}'
            f'</th><td style="padding:2px 0">{escape(str(fact.value))}</td></tr>'
            for fact in message.facts
        )
        parts.append(f'<table style="border-collapse:collapse">{rows}</table>')
    for line in message.lines:
        subject = escape(line.subject)
        linked = f'<a href="{escape(line.url)}">{subject}</a>' if _is_web(line.url) else subject
        parts.append(f'<p style="margin:4px 0">{line.mark} <b>{linked}</b>: {escape(str(line.detail))}</p>')
    if not message.facts and not message.lines:
        parts.append(f"<p>{escape(message.summary)}</p>")
    if message.more:
        parts.append(f"<p>{escape(message.more)}</p>")
    parts += [f'<p style="margin:4px 0;color:#666">{escape(str(note))}</p>' for note in message.notes]
    links = [f'<a href="{escape(link.url)}">{escape(link.label)}</a>' for link in message.links if _is_web(link.url)]
    if links:
        parts.append(f"<p>{' · '.join(links)}</p>")
    return "".join(parts) + "</body></html>"


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))
