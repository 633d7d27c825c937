"""When a disk counts as full, and what of the log a person sees."""

from __future__ import annotations

import io
import logging

import pytest

from infra.cli.terminal import Terminal
from infra.cli.watch import FULL_BYTES, ROOM_BYTES, is_full


def test_a_disk_with_little_space_is_full() -> None:
    assert is_full(False, FULL_BYTES - 1)
    assert not is_full(False, FULL_BYTES)


def test_a_full_disk_needs_more_than_a_little_to_count_as_not() -> None:
    assert is_full(True, FULL_BYTES)
    assert not is_full(True, ROOM_BYTES)


def shown(*records: logging.LogRecord, colour: bool = False) -> str:
    stream = io.StringIO()
    terminal = Terminal(stream, colour)
    for record in records:
        terminal.handle(record)
    return stream.getvalue()


def record(
    event: str, level: int = logging.ERROR, logger: str = "services.ingest.line", **facts: object
) -> logging.LogRecord:
    made = logging.LogRecord(logger, level, __file__, 1, event, None, None)
    made.__dict__.update(facts)
    return made


def test_an_error_is_a_line_with_its_facts() -> None:
    assert shown(record("collector failed", family="disk", error="gone"))[9:] == (
        "PROBLEM  collector failed (error gone, family disk)\n"
    )


def test_an_error_that_repeats_is_shown_once() -> None:
    assert shown(*[record("collector failed")] * 3).count("PROBLEM") == 1


def test_a_retry_is_for_the_file_only() -> None:
    assert shown(record("not stored", logging.WARNING, error="timeout")) == ""


@pytest.mark.parametrize(
    "text", ["[Errno 28] wrote 54 of 476 bytes", "No space left on device", "DiskFullError: could not extend file"]
)
def test_what_follows_from_a_full_disk_is_for_the_file_only(text: str) -> None:
    assert shown(record("spool cannot be written to", error=text)) == ""


def test_a_server_that_fails_twice_is_shown_twice() -> None:
    away = record("server not available", logger="infra.cli.watch", server="bus", error="connection refused")
    assert shown(away, away).count("PROBLEM  bus not available: connection refused") == 2


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in shown(record("collector failed", error="\x1b[2J"))
