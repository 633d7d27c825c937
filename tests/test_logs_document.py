"""docs/logs.md lists every log event of level info and above, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "logs.md"
LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error", "critical": "critical"}
REMEDY = "edit the table of docs/logs.md: one row per event text and level, the text as in the code"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Level and call of every `logger.info(...)` and above in what we ship, with its place as `call.place`."""
    for room in ("agent", "demo", "services", "infra"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "logger"
                    and node.func.attr in LEVELS
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def logged() -> dict[tuple[str, str], str]:
    """Event and level of every call whose message is a literal, with a place where it is logged."""
    found = {}
    for place, call in calls():
        message, level = call.args[0], LEVELS[call.func.attr]  # type: ignore[attr-defined]
        if isinstance(message, ast.Constant) and isinstance(message.value, str):
            found[message.value, level] = place
    return found


def documented() -> list[tuple[str, str]]:
    """Event and level of every row of the page's table."""
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [(row[1].strip().strip("`"), row[2].strip()) for row in rows]


def test_the_message_of_every_log_call_is_a_literal() -> None:
    others = [place for place, call in calls() if not (call.args and isinstance(call.args[0], ast.Constant))]
    assert not others, f"{others}: make the message a literal, and put what varies into `extra`"


def test_every_log_event_is_documented() -> None:
    page = set(documented())
    missing = [
        f"{place}: {level} {event!r}" for (event, level), place in logged().items() if (event, level) not in page
    ]
    assert not missing, f"not in docs/logs.md: {missing}; {REMEDY}"


def test_every_documented_log_event_exists() -> None:
    code = logged()
    gone = [f"{level} {event!r}" for event, level in documented() if (event, level) not in code]
    assert not gone, f"in docs/logs.md, but logged nowhere: {gone}; {REMEDY}"


def test_no_log_event_is_documented_twice() -> None:
    rows = documented()
    assert len(rows) == len(set(rows)), f"{sorted(row for row in set(rows) if rows.count(row) > 1)}; {REMEDY}"
