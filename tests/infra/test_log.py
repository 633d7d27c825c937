"""Log lines of processes that do without structlog."""

from __future__ import annotations

import json
import logging
import sys

from infra.log import JsonFormatter, KeyValueFormatter


def record(message: str = "flushed", fault: BaseException | None = None, **facts: object) -> logging.LogRecord:
    exc_info = (type(fault), fault, fault.__traceback__) if fault else None
    made = logging.LogRecord("agent.service", logging.INFO, __file__, 1, message, None, exc_info)  # type: ignore[arg-type]
    made.__dict__.update(facts)
    return made


def test_a_json_line_has_the_event_its_facts_and_its_time() -> None:
    line = json.loads(JsonFormatter().format(record(host="web-1", rows=3)))
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "flushed", "level": "info", "logger": "agent.service", "host": "web-1", "rows": 3}


def test_a_fact_that_json_does_not_know_is_told_as_text() -> None:
    line = json.loads(JsonFormatter().format(record(path=sys, place={1, 2})))
    assert line["path"].startswith("<module")


def test_a_json_line_holds_the_traceback_of_an_exception() -> None:
    line = JsonFormatter().format(record(fault=ValueError("broken\nhere")))
    assert "\n" not in line
    assert "ValueError: broken" in json.loads(line)["exception"]


def test_a_line_for_people_names_level_logger_and_facts() -> None:
    line = KeyValueFormatter().format(record(host="web-1"))
    assert line.endswith("info    agent.service flushed host=web-1")
