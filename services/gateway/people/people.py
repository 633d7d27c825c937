"""What everything about people shares while the gateway runs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping

from infra.clock import now_ms
from infra.settings import ServerSettings
from infra.storage.database import Pool
from schemas.people import Role, may
from schemas.settings import RuntimeSettings
from services.gateway.http.person import Person
from services.gateway.identities.refused import Refusals
from services.gateway.identities.throttle import Throttle
from services.gateway.people.byproxy import Vouched, require_vouchers
from services.gateway.people.known import Key, Kind, Known
from services.gateway.people.passwords import Hashing
from services.gateway.people.provider import provider_of
from services.gateway.people.throttle import ADDRESS, LoginThrottle, Tries
from services.gateway.people.vouched import LastAdministrator

UNKNOWN_BURST = 100
UNKNOWN_REFILL_S = 1.0

EndStreams = Callable[[Callable[[Person], bool]], object]
"""Ends the streams of everyone of whom the argument holds."""


class People:
    """Made once by whoever wires the gateway, and closed by it."""

    def __init__(
        self,
        settings: ServerSettings,
        pool: Pool,
        runtime: Callable[[], RuntimeSettings],
        refusals: Refusals,
    ) -> None:
        """Raises SettingError."""
        require_vouchers(settings)
        self.pool = pool
        self.refusals = refusals
        self.settings = settings
        self.runtime = runtime
        """The runtime settings in force."""
        self.known = Known(self.end_streams)
        self.hashing = Hashing()
        self.logins = LoginThrottle()
        self.strangers = Strangers()
        self.sign_ons = Tries(ADDRESS)
        """Steps of single sign-on by address, but those that went well."""
        self.vouched = Vouched()
        self.last_administrator = LastAdministrator()
        self.changed = asyncio.Event()
        """Set when the tables have news of sessions and tokens."""
        self.end_streams_of: set[EndStreams] = set()
        """Whoever has streams that end with a session or a token."""
        self.announce: Callable[[], Awaitable[None]] = _nothing
        """Tells other gateways that a session or a token is over, or may less."""
        self.provider = provider_of(settings)
        """Who else vouches for people; None: nobody."""

    @property
    def oidc_name(self) -> str:
        """What to call the way in by OpenID Connect; empty: there is none."""
        return self.settings.oidc_name if self.provider else ""

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.settings.tls != "none"

    @property
    def anonymous(self) -> bool:
        """Whether everybody may read."""
        return self.settings.anonymous_viewer or self.runtime().anonymous_viewer

    async def over(self, *keys: Key) -> None:
        """These are no more, here at once and at other gateways soon; to be told when it is committed."""
        if keys:
            self.known.end(*keys)
            await self.announce()

    def end_streams(self) -> None:
        """End the streams of everyone who may not watch any more; all others count as being here."""
        for end in self.end_streams_of:
            end(self._is_over)

    def _is_over(self, person: Person) -> bool:
        if person.by == "anonymous":
            return not self.anonymous
        if person.session_id is None and person.token_id is None:
            return False
        self.known.used(person, now_ms())
        return not self.known.has(person)

    def watching_by_proxy(self) -> list[int]:
        """The users for whom a proxy vouches and who have streams: only the table tells whether those go on."""
        found: set[int] = set()

        def note(person: Person) -> bool:
            if person.by == "proxy" and person.user_id is not None:
                found.add(person.user_id)
            return False

        for each in self.end_streams_of:
            each(note)
        return sorted(found)

    def end_by_proxy(self, asked: Collection[int], roles: Mapping[int, Role]) -> None:
        """End the streams by proxy of those users in `asked` who have no role any more in `roles`, or a lower one; they
        are looked up again when they come back."""

        def is_over(person: Person) -> bool:
            if person.by != "proxy" or person.user_id is None or person.user_id not in asked:
                return False
            role = roles.get(person.user_id)
            return role is None or not may(role, person.role)

        self.vouched.forget([number for number in asked if number not in roles])
        for end in self.end_streams_of:
            end(is_over)

    def close(self) -> None:
        self.hashing.close()


async def _nothing() -> None:
    """There are no others to tell."""


class Strangers:
    """Secrets that nobody has: each is looked up once in a while, and each address may bring only so many."""

    FORGET_MS = 10_000
    MOST = 4096

    def __init__(self) -> None:
        self._throttle = Throttle(UNKNOWN_BURST, UNKNOWN_REFILL_S)
        self._until_ms: OrderedDict[tuple[Kind, bytes], int] = OrderedDict()

    def wait_s(self, peer: str, now_s: float) -> int:
        """Whole seconds until `peer` may bring another one; 0: now."""
        return self._throttle.wait_s(peer, now_s)

    def note(self, kind: Kind, digest: bytes, peer: str, now_s: float) -> None:
        """Nobody has a secret of that kind and hash, which `peer` brought."""
        self._throttle.failed(peer, now_s)
        self._until_ms[kind, digest] = round(now_s * 1000) + self.FORGET_MS
        if len(self._until_ms) > self.MOST:
            self._until_ms.popitem(last=False)

    def know(self, kind: Kind, digest: bytes, now_s: float) -> bool:
        """Whether it was found a moment ago that nobody has it."""
        return self._until_ms.get((kind, digest), 0) > now_s * 1000
