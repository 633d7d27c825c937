"""Viewers of the live stream, as REST shows them."""

from __future__ import annotations

from msgspec import Struct


class Viewer(Struct):
    """GET /viewers item: one open stream. Times are Unix milliseconds."""

    id: str
    person: str
    """Name of who watches."""
    address: str
    user_agent: str
    since: int
    state: str
    sent: int
    dropped: int
    lag_ms: int


class Viewers(Struct):
    viewers: list[Viewer]
