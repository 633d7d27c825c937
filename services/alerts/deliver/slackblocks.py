"""Messages as Slack's Block Kit. Pure.

Slack's published limits: 50 blocks, a header of 150 characters, a section's text of 3,000, ten fields of 2,000, ten
elements of a context; `&`, `<` and `>` are escaped and nothing else. Characters are counted as UTF-16 has them, the
strictest way. Texts are `verbatim`: what people named a host or an instance becomes neither link nor mention.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from services.alerts.deliver.formats import utc
from services.alerts.deliver.message import Line, Link, Message, Timed, plain

HEADER_CHARACTERS = 150
FIELD_CHARACTERS = 2000
TEXT_CHARACTERS = 3000
MOST_FIELDS = 10
MOST_ELEMENTS = 10
SUBJECT_CHARACTERS = 300
DETAIL_CHARACTERS = 450
URL_CHARACTERS = 1000
"""A longer address is left out."""
PLAIN_CHARACTERS = 4000

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def blocks_of(message: Message) -> dict[str, Any]:
    """The message in blocks, with the text that notifications and screen readers show."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escape(message.headline, HEADER_CHARACTERS)}}
    ]
    if message.facts:
        fields = [_mrkdwn(f"*{fact.name}*\n{_timed(fact.value, FIELD_CHARACTERS - 200)}") for fact in message.facts]
        blocks.append({"type": "section", "fields": fields[:MOST_FIELDS]})
    lines = [_line(line) for line in message.lines] + ([escape(message.more)] if message.more else [])
    if not message.facts and not lines:
        lines = [escape(message.summary)]
    blocks += [{"type": "section", "text": _mrkdwn(text)} for text in _packed(lines)]
    if message.notes:
        texts = [_mrkdwn(_timed(note, TEXT_CHARACTERS - 200)) for note in message.notes]
        blocks.append({"type": "context", "elements": texts[:MOST_ELEMENTS]})
    if links := [text for link in message.links if (text := _link(link))]:
        blocks.append({"type": "context", "elements": [_mrkdwn(text) for text in links[:MOST_ELEMENTS]]})
    return {"text": escape(message.summary), "blocks": blocks, **_QUIET}


def text_of(message: Message) -> dict[str, Any]:
    """The same as text only, for when the blocks were refused."""
    return {"text": escape(f"{message.headline}\n{plain(message)}", PLAIN_CHARACTERS), **_QUIET}


_QUIET = {"unfurl_links": False, "unfurl_media": False}


def escape(text: str, most: int = TEXT_CHARACTERS) -> str:
    """`text` with Slack's control characters escaped, cut so that at most `most` characters come out."""
    pieces: list[str] = []
    length = 0
    for character in text:
        piece = _ESCAPES.get(character, character)
        if length + _length(piece) > most:
            while pieces and length + 1 > most:
                length -= _length(pieces.pop())
            return "".join(pieces) + "…"
        pieces.append(piece)
        length += _length(piece)
    return "".join(pieces)


def _length(piece: str) -> int:
    return 2 if ord(piece[0]) > 0xFFFF else len(piece)


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _timed(timed: Timed, most: int) -> str:
    """A moment is shown in each reader's zone."""
    words = escape(timed.words, most)
    if timed.at is None:
        return words
    text = utc(timed.at)
    return f"{words} <!date^{max(1, int(timed.at))}^{{date_short_pretty}} {{time_secs}}|{text}>".lstrip()


def _line(line: Line) -> str:
    subject = escape(line.subject, SUBJECT_CHARACTERS)
    url = _url(line.url)
    title = f"<{url}|{subject.replace('|', '¦')}>" if url else subject
    return f"{line.mark} *{title}*: {_timed(line.detail, DETAIL_CHARACTERS)}"


def _link(link: Link) -> str:
    url = _url(link.url)
    return f"<{url}|{escape(link.label, SUBJECT_CHARACTERS).replace('|', '¦')}>" if url else ""


def _url(url: str) -> str:
    """Without what would end the address or the link in Slack's own syntax; empty when it is too long."""
    quoted = escape(quote(url, safe="!#$%&'()*+,/:;=?@[]~"), 10 * URL_CHARACTERS)
    return quoted if len(quoted) <= URL_CHARACTERS else ""


def _packed(lines: Iterable[str]) -> list[str]:
    """`lines` in as few texts as they fit into."""
    texts: list[str] = []
    room = 0
    for line in lines:
        length = sum(_length(character) for character in line) + 1
        if texts and length <= room:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
            room = TEXT_CHARACTERS
        room -= length
    return texts
