"""People who are logged in at a trusted proxy, which names them in a header of every request.

The guard removes that header from whatever comes from anybody else.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request

from infra.settings import ServerSettings, SettingError
from schemas.people import Role
from services.gateway.http.database import connected
from services.gateway.http.person import Person, address_of
from services.gateway.http.problems import ProblemError
from services.gateway.people.groups import listed, names_for, role_of
from services.gateway.people.vouched import Disabled, ensure_user

if TYPE_CHECKING:
    from services.gateway.people.people import People

ACTION = "proxy login"
MOST = 2000
KEEP_S = 5.0
"""How long a user is not looked up again; so late a disabled one is refused."""
MOST_CHARACTERS = 200

Key = tuple[str, Role]


class User(NamedTuple):
    number: int
    name: str
    role: Role
    """Which is not what the groups say where they would take it from the last administrator."""


class Vouched:
    """Who was named lately, with which role."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, tuple[User, float]] = OrderedDict()

    def find(self, key: Key, now_s: float) -> User | None:
        user, until_s = self._held.get(key, (None, 0.0))
        return user if until_s > now_s else None

    def put(self, key: Key, user: User, now_s: float) -> None:
        self._held[key] = (user, now_s + KEEP_S)
        self._held.move_to_end(key)
        if len(self._held) > MOST:
            self._held.popitem(last=False)

    def forget(self, numbers: Collection[int]) -> None:
        """Look those users up again."""
        for key in [key for key, (user, _) in self._held.items() if user.number in numbers]:
            del self._held[key]


async def by_proxy(people: People, request: Request) -> Person | None:
    """Whom the proxy names; None when nobody. Raises ProblemError 400, 403 and 503."""
    settings = people.settings
    header = settings.proxy_user_header
    given = [value.strip() for value in request.headers.getlist(header)] if header else []
    if not any(given):
        return None
    if len(given) > 1 or len(given[0]) > MOST_CHARACTERS or not given[0].isprintable():
        raise _several(header, "must name one user")
    role: Role | None = settings.proxy_role
    if settings.proxy_groups_header:
        told = request.headers.getlist(settings.proxy_groups_header)
        if len(told) > 1:
            raise _several(settings.proxy_groups_header, "must be there once")
        role = role_of(listed("".join(told)), settings)
    if role is None:
        raise _refused("none of your groups may use Sonde; SONDE_OIDC_VIEWER_GROUPS names those that may")
    key, now_s, address = (given[0], role), time.monotonic(), address_of(request)
    held = people.vouched.find(key, now_s)
    if held is None:
        subject = f"proxy {given[0]}"
        try:
            async with connected(people.pool) as database, database.transaction():
                names, last = names_for(given, subject), people.last_administrator
                row = await ensure_user(database, last, "proxy", subject, names, role, address, ACTION)
        except Disabled:
            raise _refused("this account is disabled; an administrator can enable it") from None
        held = User(row["id"], row["name"], row["role"])
        people.vouched.put(key, held, now_s)
    return Person(held.name, held.role, "proxy", address, held.number)


def require_vouchers(settings: ServerSettings) -> None:
    """Raise SettingError where a header is to name people and nobody is named who may set it."""
    header = settings.proxy_user_header
    if header and not settings.trusted_proxies:
        raise SettingError(
            f"SONDE_PROXY_USER_HEADER: {header!r}: nobody may set it; name the proxy in SONDE_TRUSTED_PROXIES, such as "
            "127.0.0.1 for one on this machine"
        )


def _several(header: str, what: str) -> ProblemError:
    detail = f"{header} {what}; let the proxy set it instead of adding to it"
    return ProblemError(400, detail, type="/problems/forwarded")


def _refused(detail: str) -> ProblemError:
    return ProblemError(403, detail, type="/problems/role")
