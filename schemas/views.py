"""What people keep of the dashboard: saved views, and preferences that follow them from one browser to another."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

MOST_VIEWS = 100
"""Of one user."""

ViewName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        description="1 to 80 characters, without control characters and without spaces at either end",
    ),
]
PagePath = Annotated[
    str,
    Meta(
        max_length=2000,
        pattern=r"^/(?![/\\])[^\x00-\x20\x7f\\]*\Z",
        description="the path of a page of the dashboard with its query, such as /?q=tag:prod; one / in front",
    ),
]
ViewNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class NewView(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /views and of PUT /views/{view}."""

    name: ViewName
    path: PagePath


class SavedView(Struct, frozen=True):
    """GET /views item: a page as somebody left it, under a name of theirs."""

    id: int
    name: str
    path: str
    version: int


class SavedViews(Struct):
    """In the order that their owner gave them; new ones come last."""

    views: list[SavedView]


class ViewOrder(Struct, forbid_unknown_fields=True):
    """Body of PUT /views: the numbers of all views of one's own, in the order that they are to have."""

    views: Annotated[list[ViewNumber], Meta(max_length=MOST_VIEWS)]


Zone = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^(local|utc|host|[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){1,2})\Z",
        description="local (the browser's), utc, host (that of the host in view) or one such as Europe/Berlin",
    ),
]


class Preferences(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of PUT /preferences: how somebody wants the dashboard, in every browser."""

    start: PagePath = "/"
    """The page that opens first."""
    zone: Zone = "local"
    """In which times are shown."""
    units: Literal["binary", "decimal"] = "binary"
    """Whether a kilobyte has 1024 or 1000 bytes."""
    theme: Literal["system", "light", "dark"] = "system"
    contrast: Literal["system", "more"] = "system"
    """`more`: texts of at least 7:1, whatever the system asks for."""
    density: Literal["comfortable", "compact"] = "comfortable"
    """How high the rows of the fleet's table are."""


class StoredPreferences(Preferences, frozen=True):
    """GET /preferences, and what PUT made of it."""

    version: int = 0
    """For If-Match; 0 while the account has stored none, and these are the defaults."""
