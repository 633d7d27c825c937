"""`POST /hosts/bulk`: one change of many hosts, with what came of it for each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from msgspec import UNSET

from infra.clock import now_ms
from infra.storage.database import Pool
from schemas.hosts import MOST_HOSTS, TENDED_KEY, Bulk, BulkResult, BulkResults, HostFilter
from schemas.rules import InvalidField
from services.gateway.agents.departing import Departing
from services.gateway.agents.orders import NewCommand, give, refuse_unless_there
from services.gateway.agents.tending import Change, Tended, muted, tagged, take_in, tend
from services.gateway.fleet.listing import matches
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import EVERYTHING
from services.gateway.http.audit import record
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError

ORDERS_AT_ONCE = 100
ORDER_S = 5.0
_UNKNOWN = "does not exist"

Asked = Call[Nothing, Bulk]


def bulk_operations(
    pool: Pool,
    bus: Bus,
    fleet: Fleet,
    departing: Departing,
    announce: Callable[[str, int], Awaitable[None]],
    tell: Callable[[str], None],
) -> list[Operation]:
    """`tell` spreads to viewers that something of a host is news."""

    async def change_hosts(call: Asked) -> BulkResults:
        asked = call.body
        _check(asked)
        leaves = asked.change in ("archive", "remove")
        if leaves and not call.person.may("admin"):
            raise ProblemError(403, f"to {asked.change} hosts takes the role admin", type="/problems/role")
        hosts = list(dict.fromkeys(asked.hosts)) if asked.hosts is not UNSET else found(fleet, asked.filter)
        if asked.dry_run:
            results = [BulkResult(host, False, "" if host in fleet else _UNKNOWN) for host in hosts]
        elif leaves:
            gone = await departing.depart(call, hosts, asked.change == "archive")
            results = [BulkResult(host, host in gone, "" if host in gone else _UNKNOWN) for host in hosts]
        elif asked.change == "command":
            results = await order_all(call, hosts)
        else:
            results = await tend_all(call, hosts, _change(asked))
        done = sum(result.done for result in results)
        return BulkResults(results, done, sum(bool(result.error) for result in results))

    async def tend_all(call: Asked, hosts: list[str], change: Change) -> list[BulkResult]:
        changed: dict[str, Tended] = {}
        errors: dict[str, str] = {}
        async with connected(pool) as database, database.transaction():
            for host in sorted(hosts):  # two requests at once wait for one another, not each for the other
                try:
                    changed[host] = await tend(database, call, host, change)
                except ProblemError:
                    errors[host] = _UNKNOWN
                except InvalidField as fault:
                    errors[host] = fault.remedy
        for tended in changed.values():
            take_in(fleet, tell, tended)
        if any(tended.changed for tended in changed.values()):
            await announce(TENDED_KEY, 0)
        return [BulkResult(host, host in changed, errors.get(host, "")) for host in hosts]

    async def order_all(call: Asked, hosts: list[str]) -> list[BulkResult]:
        asked = call.body
        assert asked.command is not UNSET  # noqa: S101 -- checked before
        verb, key = asked.command, secrets.token_hex(16)
        order = NewCommand(asked.arguments, ORDER_S)
        async with connected(pool) as database, database.transaction():
            for host in hosts:
                if host in fleet:
                    await record(database, call, host, None, {"command": verb, "arguments": asked.arguments})
        turns = asyncio.Semaphore(ORDERS_AT_ONCE)

        async def order_one(host: str) -> BulkResult:
            async with turns:
                try:
                    refuse_unless_there(fleet, host)
                    reply = await give(bus, host, verb, f"{key}:{host}", order)
                except ProblemError as problem:
                    return BulkResult(host, False, problem.detail)
                return BulkResult(host, reply.ok, reply.error, reply.result)

        async with asyncio.TaskGroup() as group:
            ordered = [group.create_task(order_one(host)) for host in hosts]
        return [task.result() for task in ordered]

    return [
        Operation(
            "POST",
            "/hosts/bulk",
            change_hosts,
            tag="hosts",
            summary="Change, order or remove many hosts at once, named or found, with what came of each",
            role="operator",
            answers={200: BulkResults},
            body=Bulk,
            description="Archiving and removing take the role admin.",
        )
    ]


def found(fleet: Fleet, wanted: HostFilter) -> list[str]:
    """The hosts that fit. Raises InvalidField when they are too many for one request."""
    names = [host.id for host in fleet.hosts(EVERYTHING, now_ms()) if matches(host, wanted)]
    if len(names) > MOST_HOSTS:
        raise InvalidField("filter", len(names), f"must fit at most {MOST_HOSTS} hosts; name them in several requests")
    return names


def _check(asked: Bulk) -> None:
    """Raise InvalidField unless a request names whom it concerns and says what it is about, in one way each."""
    if (asked.hosts is UNSET) == (asked.filter is UNSET):
        raise InvalidField("hosts", None, "must name hosts, unless filter says which; one of the two is required")
    if asked.filter is not UNSET and asked.filter == HostFilter():
        raise InvalidField("filter", None, "must say which hosts: q, state or tags")
    if asked.change == "tag" and not (asked.add_tags or asked.remove_tags):
        raise InvalidField("add_tags", [], "must name tags, unless remove_tags does")
    if asked.change == "mute" and asked.mute_s is UNSET:
        raise InvalidField("mute_s", None, "required with mute: seconds from now, or forever")
    if asked.change == "command" and asked.command is UNSET:
        raise InvalidField("command", None, "required with command: what agents are ordered")


def _change(asked: Bulk) -> Change:
    if asked.change == "tag":
        return tagged(asked.add_tags, asked.remove_tags)
    return muted(asked.mute_s if asked.change == "mute" else None)
