"""docs/http.md lists every event of the live stream, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from services.gateway.live.api import EVENTS

GUIDE = Path(__file__).parents[3] / "docs" / "http.md"
HEAD = "| event | when | body |\n|---|---|---|\n"


def documented() -> list[str]:
    """The names in the first column of the table."""
    table, _, _ = GUIDE.read_text(encoding="utf-8").partition(HEAD)[2].partition("\n\n")
    return [name for row in table.splitlines() for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])]


def test_every_event_of_the_live_stream_is_documented() -> None:
    assert sorted(documented()) == sorted(EVENTS)
