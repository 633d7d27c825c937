"""What people say of a host, changed: in the table and its audit log first, then in memory and for viewers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from infra.clock import now_ms, to_ms
from infra.storage.database import Connection
from schemas.api import HostDetail
from schemas.hosts import MOST_TAGS, HostChange, MuteSeconds
from schemas.rules import InvalidField
from services.gateway.agents import sql_hosts as sql
from services.gateway.fleet.given import FOREVER_MS, Given, given_of
from services.gateway.fleet.memory import Fleet
from services.gateway.http.audit import record
from services.gateway.http.operations import Call
from services.gateway.http.problems import conflict, unknown

Change = Callable[[Given], Given]


class Tended(Struct, frozen=True):
    """A host as its row is after a change."""

    host: str
    host_id: int
    archived: bool
    last_ms: int | None
    given: Given
    changed: bool
    """Whether it was otherwise before."""


async def tend(database: Connection, call: Call[Any, Any], host: str, change: Change) -> Tended:
    """Change what is said of `host`; run it inside a transaction.

    Raises ProblemError 404 and 412, InvalidField of `change`, and what the database raises.
    """
    row = await database.fetchrow(sql.LOCK_HOST, host)
    if row is None:
        raise unknown("host", host)
    before = given_of(row)
    if call.expected not in (None, before.version):
        raise conflict("host", host, before.version)
    after = change(before)
    if structs.replace(after, version=before.version) == before:
        return tended(host, row, changed=False)
    [row] = await database.fetch(sql.TEND, row["id"], after.label, list(after.tags), after.note, after.muted_ms)
    await record(database, call, host, audited(before), audited(given_of(row)))
    return tended(host, row, changed=True)


def tended(host: str, row: Mapping[str, Any], changed: bool) -> Tended:
    last_ms = None if row["last_sample"] is None else to_ms(row["last_sample"])
    return Tended(host, row["id"], row["archived"], last_ms, given_of(row), changed)


def take_in(fleet: Fleet, tell: Callable[[str], None], changed: Tended) -> None:
    """Let this gateway's memory and its viewers know, after the commit; other gateways read the table."""
    news = fleet.enter(changed.host, changed.host_id, changed.archived, changed.last_ms)
    if fleet.learn(changed.host, given=changed.given) or news:
        tell(changed.host)


def shown(fleet: Fleet, host: str) -> HostDetail:
    """The answer about a host. Raises ProblemError 404 when it was removed meanwhile."""
    try:
        return fleet.detail(host, now_ms())
    except KeyError:
        raise unknown("host", host) from None


def audited(given: Given) -> dict[str, Any]:
    """What the audit log keeps."""
    muted = given.muted_ms
    return {
        "label": given.label,
        "tags": list(given.tags),
        "note": given.note,
        "muted_until": "forever" if muted == FOREVER_MS else muted,
    }


def as_asked(asked: HostChange) -> Change:
    """What a PATCH asks for."""

    def change(given: Given) -> Given:
        tags = given.tags if asked.tags is UNSET else tuple(dict.fromkeys(asked.tags))
        muted = given.muted_ms if asked.muted_until is UNSET else _muted_ms(asked.muted_until)
        label = given.label if asked.label is UNSET else asked.label.strip()
        return structs.replace(
            given, label=label, tags=tags, note=given.note if asked.note is UNSET else asked.note, muted_ms=muted
        )

    return change


def _muted_ms(until: int | str | None) -> int | None:
    if isinstance(until, str):
        return FOREVER_MS
    return until if until is not None and until > now_ms() else None


def tagged(add: list[str], remove: list[str]) -> Change:
    """Tags added and taken away. Its change raises InvalidField where they are too many then."""

    def change(given: Given) -> Given:
        tags = [tag for tag in dict.fromkeys((*given.tags, *add)) if tag not in remove]
        if len(tags) > MOST_TAGS:
            raise InvalidField("add_tags", len(tags), f"must leave the host with at most {MOST_TAGS} tags")
        return structs.replace(given, tags=tuple(tags))

    return change


def muted(for_s: MuteSeconds | UnsetType | None) -> Change:
    """Muted for so long from now; None: not any more."""
    until = FOREVER_MS if for_s == "forever" else now_ms() + for_s * 1000 if isinstance(for_s, int) else None
    return lambda given: structs.replace(given, muted_ms=until)
