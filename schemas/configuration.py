"""The configuration of an installation as one document, and how another one differs from it.

TOML of six tables: `settings`, `rules`, `routes`, `channels`, `agents` (for the fleet, and by host) and `hosts` (what
people say of them).
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

FORMAT = 1
"""The `version` of documents."""

Kind = Literal["setting", "rule", "route", "channel", "agent", "host"]
What = Literal["created", "changed", "unchanged", "deleted", "skipped"]

FLEET = "*"
"""What the agents' settings for the whole fleet are called among those of hosts."""


class Difference(Struct):
    """What comes of one thing in the document, or of one that it lacks."""

    kind: Kind
    name: str
    """Key of a setting, id of a rule, a route, a channel or a host; `*` for agents of the whole fleet."""
    what: What
    """Skipped: it cannot be had here; `reason` says why."""
    before: Any = None
    """As in the document; of a secret only whether it is set."""
    after: Any = None
    reason: str = ""


class Differences(Struct):
    """Answer of PUT /configuration: everything but what stays as it is, and how much that is."""

    applied: bool
    """False: it was only looked at."""
    differences: list[Difference]
    unchanged: int
