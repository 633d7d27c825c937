"""Slack's rules for a message, as it publishes them: which blocks there are, what they hold, how long that may be.

Only what Sonde uses is known; everything else is refused, so whoever uses more has to add its rules here. Characters
are counted as UTF-16 has them, the strictest reading of "characters". Beyond what Slack refuses, this refuses what
Slack would misread: control characters that are not escaped, mentions, links and dates that are not well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MOST_BLOCKS = 50
HEADER_CHARACTERS = 150
TEXT_CHARACTERS = 3000
FIELD_CHARACTERS = 2000
MOST_FIELDS = 10
MOST_ELEMENTS = 10
TOP_LEVEL_CHARACTERS = 4000
"""Of the text beside the blocks; Slack cuts longer ones."""

WEBHOOK_FIELDS = frozenset({"text", "blocks", "unfurl_links", "unfurl_media"})
POST_FIELDS = WEBHOOK_FIELDS | {"channel", "thread_ts", "reply_broadcast"}
UPDATE_FIELDS = frozenset({"channel", "ts", "text", "blocks"})

_SEQUENCE = re.compile(r"<(?:https?://[^\s|<>]+\|[^|<>\n]+|!date\^[1-9][0-9]*\^[^|<>^]*\{[a-z_]+\}[^|<>^]*\|[^|<>]+)>")
_ENTITY = re.compile(r"&(?:amp|lt|gt);")


class Refused(Exception):
    """What Slack would answer, and why."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(f"{error}: {why}")
        self.error = error


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check(payload: Any, fields: frozenset[str]) -> None:
    """Raise Refused unless Slack takes `payload`, which may have `fields`."""
    if not isinstance(payload, dict):
        raise Refused("invalid_payload", "not an object")
    if unknown := set(payload) - fields:
        raise Refused("invalid_payload", f"unknown: {sorted(unknown)}")
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused("no_text", "no text beside the blocks")
    _check_words(text, TOP_LEVEL_CHARACTERS, sequences=False)
    for name in ("unfurl_links", "unfurl_media", "reply_broadcast"):
        if not isinstance(payload.get(name, False), bool):
            raise Refused("invalid_payload", name)
    if "blocks" not in payload:
        return
    blocks = payload["blocks"]
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= MOST_BLOCKS:
        raise Refused("invalid_blocks", "not 1 to 50 blocks")
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") not in _BLOCKS:
            raise Refused("invalid_blocks", f"unknown block {block}")
        _BLOCKS[block["type"]](block)


def _header(block: dict[str, Any]) -> None:
    _only(block, {"type", "text"})
    _text_object(block.get("text"), HEADER_CHARACTERS, ("plain_text",))


def _section(block: dict[str, Any]) -> None:
    _only(block, {"type", "text", "fields"})
    if not ("text" in block or "fields" in block):
        raise Refused("invalid_blocks", "a section without text and fields")
    if "text" in block:
        _text_object(block["text"], TEXT_CHARACTERS, ("plain_text", "mrkdwn"))
    fields = block.get("fields", [{"type": "mrkdwn", "text": "none"}])
    if not isinstance(fields, list) or not 1 <= len(fields) <= MOST_FIELDS:
        raise Refused("invalid_blocks", "not 1 to 10 fields")
    for field in fields:
        _text_object(field, FIELD_CHARACTERS, ("plain_text", "mrkdwn"))


def _context(block: dict[str, Any]) -> None:
    _only(block, {"type", "elements"})
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= MOST_ELEMENTS:
        raise Refused("invalid_blocks", "not 1 to 10 elements")
    for element in elements:
        _text_object(element, TEXT_CHARACTERS, ("plain_text", "mrkdwn"))


_BLOCKS: dict[str, Callable[[dict[str, Any]], None]] = {"header": _header, "section": _section, "context": _context}


def _text_object(found: Any, most: int, types: tuple[str, ...]) -> None:
    if not isinstance(found, dict) or found.get("type") not in types:
        raise Refused("invalid_blocks", f"no text object of {types}: {found}")
    mrkdwn = found["type"] == "mrkdwn"
    _only(found, {"type", "text", "verbatim"} if mrkdwn else {"type", "text", "emoji"})
    if not isinstance(found.get("text"), str) or not found["text"].strip():
        raise Refused("invalid_blocks", "an empty text")
    _check_words(found["text"], most, sequences=mrkdwn)


def _check_words(text: str, most: int, sequences: bool) -> None:
    if length(text) > most:
        raise Refused("invalid_blocks", f"{length(text)} characters of {most}: {text[:80]}")
    left = _SEQUENCE.sub("", text) if sequences else text
    left = _ENTITY.sub("", left)
    if found := re.search(r"[&<>]", left):
        raise Refused("invalid_blocks", f"not escaped: {left[max(0, found.start() - 40) : found.start() + 40]}")


def _only(found: dict[str, Any], known: set[str]) -> None:
    if unknown := set(found) - known:
        raise Refused("invalid_blocks", f"unknown: {sorted(unknown)}")
