"""People: who may what, and what REST takes and answers of users, sessions, tokens and the audit log.

Times are Unix milliseconds. Secrets (passwords, tokens, codes) go in, or come out once when they are made.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.validation import SECRET

Role = Literal["viewer", "operator", "admin"]
"""Each may all that the one before it may: read; tend hosts and alerts; manage people, settings and identities."""

Scope = Literal[
    "hosts",
    "history",
    "live",
    "agents",
    "identities",
    "alerting",
    "settings",
    "people",
    "health",
    "metrics",
    "catalogue",
]
"""A part of the API, as its operations are sorted (their tags): what a token may be restricted to."""

RANKS: dict[Role, int] = {"viewer": 1, "operator": 2, "admin": 3}

RESERVED_NAMES = ("command", "anybody")
"""What people who are no users are called."""
UserName = Annotated[
    str,
    Meta(
        pattern=rf"^(?!({'|'.join(RESERVED_NAMES)})\Z)[a-z0-9][a-z0-9._@+-]{{0,63}}\Z",
        description=(
            "1 to 64 characters, each a-z, 0-9 or one of . _ @ + -, the first a letter or digit; neither "
            + " nor ".join(RESERVED_NAMES)
        ),
    ),
]
GivenName = Annotated[
    str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z", description="text without control characters")
]
"""What somebody types who logs in."""
Password = Annotated[
    str,
    Meta(
        min_length=12,
        max_length=256,
        pattern=r"^[^\x00]*\Z",
        description="text without NUL characters",
        extra={SECRET: True},
    ),
]
GivenPassword = Annotated[str, Meta(max_length=1024, extra={SECRET: True})]
"""What somebody types who logs in: any text, since only the right one fits."""
Label = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00]*\Z", description="text without NUL characters")]
Code = Annotated[str, Meta(max_length=64, extra={SECRET: True})]
"""Six digits of an authenticator, or a recovery code."""
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""Of a user, a session or a token."""
Secret = Annotated[str, Meta(max_length=200, extra={SECRET: True})]


def may(role: Role, wanted: Role) -> bool:
    """Whether somebody of `role` may what `wanted` may."""
    return RANKS[role] >= RANKS[wanted]


class Login(Struct, forbid_unknown_fields=True):
    """Body of POST /session: `code` where the account has a second factor."""

    name: GivenName
    password: GivenPassword
    code: Code = ""


class LinkLogin(Struct, forbid_unknown_fields=True):
    """Body of POST /session/link: the secret of a one-time link, and the password that the account is to have."""

    secret: Secret
    password: Password


class Me(Struct):
    """GET /session: who is logged in. Without a login `name` is empty; `role` is null, or viewer where all may read."""

    name: str
    role: Role | None
    by: Literal["session", "token", "proxy", "anonymous", "nobody"]
    session: int | None = None
    """Number of this session, where there is one."""
    second_factor: bool = False
    has_password: bool = False
    oidc: str = ""
    """What to call the way in by OpenID Connect; empty: there is none. It begins at GET /session/oidc."""
    demonstration: bool = False
    """Whether everything here is simulated, which every page has to say."""


class User(Struct):
    """GET /users item."""

    id: int
    name: str
    role: Role
    disabled: bool
    second_factor: bool
    source: Literal["local", "oidc", "proxy"]
    created: int
    last_login: int | None


class Users(Struct):
    users: list[User]


class NewUser(Struct, forbid_unknown_fields=True):
    """Body of POST /users."""

    name: UserName
    role: Role = "viewer"


class UserChange(Struct, forbid_unknown_fields=True):
    """Body of PATCH /users/{user}: what is left out stays."""

    role: Role | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class LoginLink(Struct):
    """A one-time link by which its user sets a password: shown once, to whoever made it."""

    user: User
    secret: str
    url: str
    """`.../login#link=SECRET`: what follows # no browser sends, so no log of a server has it."""
    expires: int


class PasswordChange(Struct, forbid_unknown_fields=True):
    """Body of PUT /session/password: for accounts that have one."""

    old: GivenPassword
    new: Password


class Session(Struct):
    """GET /sessions item."""

    id: int
    user: str
    address: str
    user_agent: str
    created: int
    seen: int
    expires: int
    this: bool
    """Whether it is the one that asks."""


class Sessions(Struct):
    sessions: list[Session]


class NewApiToken(Struct, forbid_unknown_fields=True):
    """Body of POST /tokens. `role`: the most it may, never more than its maker may. `expires_s`: 0 for never.

    `scopes`: the parts of the API that it may use; empty for all of them.
    """

    note: Label
    role: Role = "viewer"
    expires_s: Annotated[int, Meta(ge=0, le=10 * 366 * 86400)] = 90 * 86400
    scopes: Annotated[list[Scope], Meta(max_length=20)] = []


class ApiToken(Struct):
    """GET /tokens item."""

    id: int
    user: str
    note: str
    role: Role
    scopes: list[str]
    """The parts of the API that it may use; empty: all of them."""
    created: int
    expires: int | None
    last_used: int | None
    last_address: str


class ApiTokens(Struct):
    tokens: list[ApiToken]


class MadeApiToken(Struct):
    """The token whole: its `secret` goes after `Authorization: Bearer`, and is never shown again."""

    token: ApiToken
    secret: str


class SecondFactorOffer(Struct):
    """POST /session/second-factor: what an authenticator is to be told; in force once a code has confirmed it."""

    secret: str
    uri: str
    """otpauth://, as a QR code carries it."""
    qr: str
    """That code as the path of an SVG with a `viewBox` of `size` by `size` modules."""
    size: int


class CodeGiven(Struct, forbid_unknown_fields=True):
    """Body of PUT and DELETE /session/second-factor: a code of the authenticator."""

    code: Code


class RecoveryCodes(Struct):
    """Each good for one login; shown once."""

    codes: list[str]


AuditBy = Literal["session", "token", "proxy", "anonymous", "command", "nobody"]
"""By what somebody made a change: `command`: at the machine, such as `sonde user add`; `nobody`: a login."""


class AuditEntry(Struct):
    """GET /audit item: one change. `before` and `after` are what was and is, secrets left out; null for nothing."""

    id: int
    time: int
    who: str
    by: AuditBy
    address: str
    action: str
    """The operation, such as `PATCH /hosts/{host}`, or a word such as `login`."""
    target: str
    """What was changed, such as `web-1`."""
    before: Any
    after: Any


class AuditEntries(Struct):
    entries: list[AuditEntry]
    next: str | None
    """Cursor of the next page; null on the last."""
