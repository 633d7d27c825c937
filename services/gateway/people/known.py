"""Sessions and tokens in memory, so that requests need no database.

Only those that were seen before are here; they go on while the database is away. A bounded number is kept: of those
beyond, the one used longest ago is forgotten, and read again when it comes back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from schemas.people import Role, may
from services.gateway.http.person import Person

MOST = 10_000
Kind = Literal["session", "token"]
Key = tuple[Kind, int]
DAY_S = 86_400


class Lives(Struct, frozen=True):
    """How long a session lives."""

    idle_s: float = 7 * DAY_S
    max_s: float = 30 * DAY_S


class Held(Struct):
    """A session or a token."""

    kind: Kind
    id: int
    user_id: int | None
    name: str
    role: Role
    created_ms: int
    expires_ms: int | None
    seen_ms: int
    """When it was used last."""
    stored_ms: int = 0
    """What the database knows of that."""
    address: str = ""
    """Where it was used last."""
    scopes: tuple[str, ...] = ()
    """Of a token, as of `Person`."""

    @property
    def key(self) -> Key:
        return self.kind, self.id

    def ends_ms(self, lives: Lives) -> int | None:
        """When it ends unless it is used before; None: never."""
        if self.kind == "token":
            return self.expires_ms
        ends = [self.created_ms + round(lives.max_s * 1000), self.seen_ms + round(lives.idle_s * 1000)]
        return min([*ends, self.expires_ms] if self.expires_ms is not None else ends)

    def person(self, address: str) -> Person:
        """Whoever has it."""
        session, token = (self.id, None) if self.kind == "session" else (None, self.id)
        return Person(self.name, self.role, self.kind, address, self.user_id, session, token, self.scopes)


def key_of(person: Person) -> Key | None:
    """By what `person` is known; None when by neither a session nor a token."""
    if person.session_id is not None:
        return "session", person.session_id
    return ("token", person.token_id) if person.token_id is not None else None


class Known:
    """What is held, by the hash of its secret."""

    def __init__(self, on_end: Callable[[], None], most: int = MOST) -> None:
        """`on_end` is called whenever something ends, or may less than before."""
        self.lives = Lives()
        """A setting."""
        self._on_end = on_end
        self._most = most
        self._held: OrderedDict[bytes, Held] = OrderedDict()
        self._hashes: dict[Key, bytes] = {}

    def __len__(self) -> int:
        return len(self._held)

    def find(self, digest: bytes, now_ms: int) -> Held | None:
        """The one with that digest, used now; None when it is not known, or over."""
        held = self._held.get(digest)
        if held is None or self._is_over(held, now_ms):
            return None
        self._held.move_to_end(digest)
        held.seen_ms = max(held.seen_ms, now_ms)
        return held

    def put(self, digest: bytes, held: Held, now_ms: int) -> Held | None:
        """Hold what was read of the database, and use it now; None when it is over by the settings in force."""
        if self._is_over(held, now_ms):
            return None
        self._held[digest] = held
        self._hashes[held.key] = digest
        if len(self._held) > self._most:
            _, oldest = self._held.popitem(last=False)
            del self._hashes[oldest.key]
            self._on_end()  # nobody watches over its streams any more: whoever has it comes back
        return self.find(digest, now_ms)

    def has(self, person: Person) -> bool:
        """Whether the session or token by which `person` came goes on, with no less a role."""
        key = key_of(person)
        digest = self._hashes.get(key) if key else None
        return digest is not None and may(self._held[digest].role, person.role)

    def end(self, *keys: Key) -> None:
        """These are no more."""
        for key in keys:
            digest = self._hashes.pop(key, None)
            if digest is not None:
                del self._held[digest]
        if keys:
            self._on_end()

    def end_of_user(self, user_id: int) -> None:
        """All of that user are no more."""
        self.end(*[held.key for held in self._held.values() if held.user_id == user_id])

    def end_expired(self, now_ms: int) -> None:
        self.end(*[held.key for held in self._held.values() if self._is_over(held, now_ms)])

    def ids(self, kind: Kind) -> list[int]:
        return [held.id for held in self._held.values() if held.kind == kind]

    def refresh(self, kind: Kind, asked: Iterable[int], found: Iterable[Held]) -> None:
        """What the database says of those in `asked`: one that it does not have is over, others may be changed."""
        present = {held.id: held for held in found}
        over: list[Key] = []
        lowered = False
        for number in asked:
            digest = self._hashes.get((kind, number))
            if digest is None:
                continue
            if number not in present:
                over.append((kind, number))
                continue
            held, read = self._held[digest], present[number]
            lowered = lowered or not may(read.role, held.role)
            held.name, held.role, held.expires_ms = read.name, read.role, read.expires_ms
            held.seen_ms = max(held.seen_ms, read.seen_ms)
        self.end(*over)
        if lowered:
            self._on_end()

    def used(self, person: Person, now_ms: int) -> None:
        """`person` is here without asking anything, such as by an open stream."""
        key = key_of(person)
        digest = self._hashes.get(key) if key else None
        if digest is not None:
            self._held[digest].seen_ms = max(self._held[digest].seen_ms, now_ms)

    def unstored(self, kind: Kind, after_ms: int) -> list[Held]:
        """Those used for more than `after_ms` since the database was told."""
        return [held for held in self._held.values() if held.kind == kind and held.seen_ms > held.stored_ms + after_ms]

    def _is_over(self, held: Held, now_ms: int) -> bool:
        ends_ms = held.ends_ms(self.lives)
        return ends_ms is not None and ends_ms <= now_ms
