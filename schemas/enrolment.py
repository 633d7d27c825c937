"""Becoming a host of the fleet: what machines, people and the gateway say to each other about identities.

An agent makes its own Ed25519 key; only the public key leaves the machine. It trades an enrolment token for a host id
and a JWT once, and renews the JWT by proving that it has the key.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.matching import NO_NUL, TEXT
from schemas.subjects import RESERVED_HOSTS, valid_host
from schemas.validation import SECRET

TOKEN_PREFIX = "sonde_"  # noqa: S105  (how a token begins, so that people and scanners know one when they see it)
CHALLENGE_S = 60.0
"""How long a challenge may be answered."""
RENEW_AT_SHARE = 2 / 3
"""Of its life, after which an agent renews its JWT."""

ENROL = "/api/v1/enrol"
CHALLENGE = "/api/v1/identity/challenge"
RENEW = "/api/v1/identity/renew"
STATE = "/api/v1/identity/state"
CA = "/ca.pem"
INSTALL_SCRIPT = "/install.sh"
INSTALL_FILES = "/install/"
AGENT_PATHS = (ENROL, CHALLENGE, RENEW, STATE, CA, INSTALL_SCRIPT, INSTALL_FILES)
"""What machines ask the gateway for; everything else is for people. One that ends in / stands for all below it."""


class EnrolRequest(Struct, forbid_unknown_fields=True):
    """Body of `POST /enrol`."""

    token: Annotated[str, Meta(extra={SECRET: True})]
    public_key: str
    """The agent's, as NATS writes it: U and 55 more characters."""
    name: str = ""
    """The host id that the machine would like, such as one made from its host name; empty: any."""


class Enrolment(Struct):
    """Answer of `/enrol` and of `/identity/renew`: everything an agent needs besides its seed."""

    host: str
    jwt: str
    """User JWT of the agent on the bus."""
    issued: int
    """Unix seconds, of the gateway's clock."""
    expires: int
    bus: list[str]
    """Addresses of the bus."""
    ca: str
    """Certificates (PEM) that vouch for bus and gateway; empty: those that the system trusts do."""
    page: str
    """Address of the host's page."""


class Challenge(Struct):
    """What to sign, to prove that one has the key."""

    challenge: str


class Proof(Struct, forbid_unknown_fields=True):
    """Body of `/identity/renew` and `/identity/state`."""

    public_key: str
    challenge: str
    signature: Annotated[str, Meta(extra={SECRET: True})]
    """Base64 of the key's signature of `proof_text(challenge)`."""


class IdentityState(Struct):
    """Answer of `/identity/state`."""

    host: str
    last_sample: int | None
    """Time of the newest stored sample, Unix milliseconds; null: none is stored yet."""
    page: str


def proof_text(challenge: str) -> bytes:
    """What an agent signs: never anything that could mean something elsewhere, such as the bus's challenge."""
    return f"sonde identity proof\n{challenge}".encode()


Tag = Annotated[
    str,
    Meta(pattern=r"^[^\s,\x00]{1,40}\Z", description="1 to 40 characters without spaces and commas"),
]
"""Of hosts."""
NamePattern = Annotated[
    str, Meta(pattern=r"^[a-z0-9*?-]{0,40}\Z", description="at most 40 characters, each a-z, 0-9, -, * or ?")
]


class NewToken(Struct, forbid_unknown_fields=True):
    """Body of `POST /enrolment-tokens`."""

    note: Annotated[str, Meta(max_length=200, pattern=NO_NUL, description=TEXT)] = ""
    uses: Annotated[int, Meta(ge=1, le=100_000)] = 1
    """How many machines may enrol with it."""
    expires_s: Annotated[int, Meta(ge=60, le=31_536_000)] = 86_400
    tags: Annotated[list[Tag], Meta(max_length=20)] = []
    """Tags of hosts that enrol with it."""
    name_pattern: NamePattern = ""
    """Which host ids it may give, with * and ?; empty: all."""
    host: Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,40}\Z", description="the id of a host, or empty")] = ""
    """The host whose identity it is to replace; empty: it makes new hosts."""


TokenState = Literal["open", "used", "expired", "withdrawn"]


class EnrolmentToken(Struct):
    """A token as people see it: its secret is shown once, when it is made."""

    id: int
    state: TokenState
    note: str
    uses: int
    used: int
    made: int
    """Unix milliseconds, as the other times."""
    expires: int
    tags: list[str]
    name_pattern: str
    host: str
    hosts: list[str]
    """Who enrolled with it, the first one first; at most 100."""


class EnrolmentTokens(Struct):
    tokens: list[EnrolmentToken]
    next: str | None = None


class MadeToken(Struct):
    """Answer of `POST /enrolment-tokens`."""

    token: EnrolmentToken
    secret: str
    line: str
    """The line to paste on the machine; empty where the gateway cannot be reached by other machines: see `obstacle`."""
    obstacle: str
    """Why other machines cannot enrol yet, and which setting changes that; empty when they can."""


class HostIdentity(Struct):
    """The present identity of a host."""

    public_key: str
    enrolled: int
    """Unix milliseconds, as the other times."""
    issued: int
    expires: int
    revoked: int | None
    cloned: int | None
    """When two agents were last seen using it in turns."""
    refused: int
    """How often it was refused something on the bus or at the gateway."""
    suspended: int | None = None
    """Until when it gets no JWT, because it flooded the bus; null: it is not suspended."""


class Refused(Struct):
    """What somebody was refused, counted."""

    name: str
    """A host, the public key of another user of the bus, or an address."""
    what: str
    """`enrol`, `renew`, `state`, `publish`, `subscribe`, `connect`, `disconnected` or `flood`."""
    reason: str
    """Of the last time."""
    times: int
    last: int
    """Unix milliseconds."""


class RefusedList(Struct):
    """Answer of `GET /refused`, the last one first."""

    refused: list[Refused]
    next: str | None = None
    """Cursor of the following page; null on the last, as in every list."""


def name_fault(name: str) -> str:
    """Why a machine may not be called `name`, with the remedy; empty when it may."""
    if not valid_host(name):
        return "must be 1 to 40 characters, each a-z, 0-9 or -"
    if name in RESERVED_HOSTS:
        return f"is reserved; use another one, such as {name}-1"
    return ""


def matches(name: str, pattern: str) -> bool:
    """Whether a token with this pattern may give the host id `name`."""
    return not pattern or re.match(fnmatch.translate(pattern), name) is not None
