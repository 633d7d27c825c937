"""Viewers of the live stream, as REST shows them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ViewerState = Literal["connecting", "live", "draining", "closed"]


class Watched(Struct):
    """What a viewer looks at."""

    hosts: int | None
    """How many are named; null: all."""
    tags: list[str]
    metrics: int | None
    """How many are named; null: all."""
    interval: float
    """Seconds."""
    detail: list[str]
    """Hosts whose every metric it gets."""


class ViewerItem(Struct):
    """GET /viewers item: one open stream."""

    id: str
    person: str
    """Name of who watches."""
    address: str
    user_agent: str
    since: int
    """Unix milliseconds."""
    state: ViewerState
    sent: int
    """Events."""
    dropped: int
    lag_ms: int
    """Age of the oldest event that waits for it."""
    selection: Watched


class Viewers(Struct):
    viewers: list[ViewerItem]
