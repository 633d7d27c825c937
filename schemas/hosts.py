"""What people say of hosts, and how REST takes and answers it: labels, tags, notes, muting; many at once.

Times are Unix milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.api import AlertCounts, HostDetail, HostState
from schemas.commands import Verb
from schemas.enrolment import EnrolmentToken, Tag
from schemas.subjects import HostId

MOST_TAGS = 20
MOST_HOSTS = 1000
"""Changed by one request."""
LATEST_MS = 253_402_300_799_000
"""The end of the year 9999."""
TENDED_KEY = "tended"
"""What `settings.changed` names when people changed what is said of hosts; its version means nothing."""

Tags = Annotated[list[Tag], Meta(max_length=MOST_TAGS)]
HostLabel = Annotated[
    str, Meta(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*\Z", description="text without control characters")
]
Note = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*\Z", description="text without NUL characters")]
MuteSeconds = Annotated[int, Meta(ge=60, le=366 * 86400)] | Literal["forever"]


class HostChange(Struct, forbid_unknown_fields=True):
    """Body of PATCH /hosts/{host}: what is left out stays. `muted_until`: a time, `forever`, or null for not at all."""

    label: HostLabel | UnsetType = UNSET
    """What people call it; empty: its id."""
    tags: Tags | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    muted_until: Annotated[int, Meta(ge=0, le=LATEST_MS)] | Literal["forever"] | UnsetType | None = UNSET


class NewHost(Struct, forbid_unknown_fields=True):
    """Body of POST /hosts: a host that waits for its machine, and how long the token for that machine is good."""

    name: HostId
    """Its id, which stays."""
    label: HostLabel = ""
    tags: Tags = []
    expires_s: Annotated[int, Meta(ge=60, le=31_536_000)] = 86_400


class MadeHost(Struct):
    """The host, and what its machine needs to become it: the secret is shown once."""

    host: HostDetail
    token: EnrolmentToken
    secret: str
    line: str
    """The line to paste on the machine; empty where the gateway cannot be reached by other machines: see `obstacle`."""
    obstacle: str


class Group(Struct):
    """GET /tags item: the hosts that have a tag."""

    tag: str
    hosts: int
    up: int
    late: int
    offline: int
    archived: int
    muted: int
    alerts: AlertCounts


class Groups(Struct):
    groups: list[Group]
    """By tag."""


class HostFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Hosts that fit everything that is given; as the parameters of GET /hosts."""

    q: str = ""
    state: Annotated[list[HostState], Meta(max_length=4)] = []
    """Any of these; none: whatever it is."""
    tags: Tags = []
    """All of these."""


class Bulk(Struct, forbid_unknown_fields=True):
    """Body of POST /hosts/bulk: one change of many hosts, named or found, at most 1000."""

    change: Literal["tag", "mute", "unmute", "archive", "remove", "command"]
    hosts: Annotated[list[HostId], Meta(min_length=1, max_length=MOST_HOSTS)] | UnsetType = UNSET
    filter: HostFilter | UnsetType = UNSET
    add_tags: Tags = []
    """With `tag`."""
    remove_tags: Tags = []
    mute_s: MuteSeconds | UnsetType = UNSET
    """With `mute`: for how long from now."""
    command: Verb | UnsetType = UNSET
    arguments: dict[str, Any] = {}
    """With `command`."""
    dry_run: bool = False
    """Only say whom it would concern."""


class BulkResult(Struct):
    """What came of it for one host: `error` is empty where it was done."""

    host: str
    done: bool
    error: str = ""
    reply: Any = None
    """What the agent answered, where it was a command."""


class BulkResults(Struct):
    results: list[BulkResult]
    done: int
    failed: int
