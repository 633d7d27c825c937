"""What came back from one attempt: shown to people without secrets, and judged."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from infra.outbound import ANSWER_BYTES, Answer, OutboundError
from services.alerts.notice import Outcome

ANSWER_CHARACTERS = 500
HIDDEN = "***"
SHORTEST_SECRET = 3
SHORTEST_PART = 6
"""Of an address: shorter ones are words such as `api`, and hiding them would garble every answer."""
_BROKEN_HERE = frozenset({"invalid_address", "forbidden_address"})
_PERHAPS = frozenset({"no_answer", "timeout"})
"""The server may have taken the message before it failed."""
DEAD_STATUS = frozenset({401, 403, 404, 405, 407, 410})
TRANSIENT_STATUS = frozenset({408, 421, 425, 429})


def shown(text: str, secrets: Iterable[str]) -> str:
    """The first characters of `text` in one line, with every secret, and each long part of an address, hidden.

    So they are however the server spells them. A text that was cut before may end with the beginning of one.
    """
    hide = sorted({part for secret in secrets for part in _spelled(secret)}, key=len, reverse=True)
    if hide:
        text = re.sub("|".join(map(re.escape, hide)), HIDDEN, text, flags=re.IGNORECASE)
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :ANSWER_CHARACTERS
    ]


def _spelled(secret: str) -> Iterator[str]:
    """What of `secret` may come back: all of it and its long parts, as they are, percent-encoded or in Base64."""
    login = re.match(r"[^/]+//([^/?#]*)@", secret)
    whole = [secret, *([unquote(login[1])] if login else [])]
    for text in whole:
        if len(text) >= SHORTEST_SECRET:
            yield from (text, b64encode(text.encode()).decode().rstrip("="))
    for part in re.split(r"[/?&=#@:]", secret):
        if len(part) >= SHORTEST_PART:
            yield from (part, quote(part, safe=""))
            if len(plain := unquote(part)) >= SHORTEST_PART:
                yield plain


def retry_after_s(answer: Answer) -> float | None:
    """How long the server asks to wait, in seconds or until a date, which is by its own clock if it tells that."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    until = _date(text)
    if until is None:
        return None
    now = _date(answer.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    """A date of HTTP; None for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def unanswered(error: OutboundError) -> Outcome:
    """What it means that no answer came: an address that is none stays none, anything else may mend."""
    if error.reason in _BROKEN_HERE:
        return Outcome("dead", str(error))
    return Outcome("again", str(error), perhaps=error.reason in _PERHAPS)


def by_status(answer: Answer, secrets: Iterable[str]) -> Outcome:
    """What an answer in plain HTTP means."""
    text = f"{answer.status} {shown(answer.text(ANSWER_BYTES), secrets)}".strip()
    if 200 <= answer.status < 300:
        return Outcome("sent", text)
    if answer.status in TRANSIENT_STATUS or answer.status >= 500:
        return Outcome("again", text, retry_after_s(answer))
    if answer.status in DEAD_STATUS:
        return Outcome("dead", text)
    if 300 <= answer.status < 400:
        return Outcome("dead", f"{text}; redirects are not followed, give the address that it leads to".strip())
    return Outcome("refused", text)
