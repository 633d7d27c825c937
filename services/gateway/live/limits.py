"""How many may watch: in all, of one person, and how many different selections one person may look at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from services.gateway.fleet.selection import Selection
from services.gateway.http.person import Person

Scope = Literal["viewers", "streams", "selections"]


class Limits(Struct, frozen=True):
    """Settings."""

    viewers: int = 100
    streams_per_person: int = 10
    selections_per_person: int = 5


class TooMany(Exception):
    """As many as allowed are there."""

    def __init__(self, scope: Scope, limit: int) -> None:
        super().__init__(f"{limit} {scope}")
        self.scope = scope
        self.limit = limit


def who(person: Person) -> str:
    """What tells people apart; those who need no login are told apart by address."""
    return f"@{person.address}" if person.by == "anonymous" else person.name


def check(limits: Limits, watching: Iterable[tuple[Person, Selection]], person: Person, selection: Selection) -> None:
    """Raise TooMany unless `person` may watch `selection` besides all who are `watching`."""
    everyone = list(watching)
    if len(everyone) >= limits.viewers:
        raise TooMany("viewers", limits.viewers)
    own = [theirs for other, theirs in everyone if who(other) == who(person)]
    if len(own) >= limits.streams_per_person:
        raise TooMany("streams", limits.streams_per_person)
    if len({*own, selection}) > limits.selections_per_person:
        raise TooMany("selections", limits.selections_per_person)
