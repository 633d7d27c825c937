"""Orders to one agent, as JSON request and reply on `command.<host>.<verb>`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

Verb = Literal["ping", "rescan", "flush", "status"]
"""What an agent can be told to do."""
VERBS: tuple[Verb, ...] = get_args(Verb)
NOTICES = ("cloned",)
"""What the gateway tells an agent by itself, in the same way."""
MOST_WAIT_S = 30.0
"""Longest time to wait for a reply."""
CLOCKS_APART_S = 60.0
"""An agent takes a request until so long after its expiry, for its clock may be ahead of the sender's."""


class CommandRequest(Struct):
    """One order."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    """The same id again gets the same reply; nothing is done twice."""
    expires: float
    """Unix seconds; later it is refused."""
    arguments: dict[str, Any] = {}


class CommandReply(Struct):
    """What came of it."""

    id: str
    ok: bool
    result: Any = None
    error: str = ""
    """Why not, for people; empty when `ok`."""
