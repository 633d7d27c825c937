"""One change of many hosts, with what came of it for each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from infra.storage.database import Pool
from schemas.commands import Verb
from schemas.hosts import TENDED_KEY, BulkResult
from schemas.rules import InvalidField
from services.gateway.agents.departing import Departing
from services.gateway.agents.orders import NewCommand, give, refuse_unless_there
from services.gateway.agents.tending import Change, Tended, take_in, tend
from services.gateway.fleet.memory import Fleet
from services.gateway.http.audit import record
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call
from services.gateway.http.problems import ProblemError

ORDERS_AT_ONCE = 100
UNKNOWN = "does not exist"


@dataclass(frozen=True)
class Many:
    """What changing many hosts takes."""

    pool: Pool
    bus: Bus
    fleet: Fleet
    departing: Departing
    announce: Callable[[str, int], Awaitable[None]]
    tell: Callable[[str], None]
    """Spreads to viewers that something of a host is news."""

    async def leave(self, call: Call[Any, Any], hosts: list[str], keep_history: bool) -> list[BulkResult]:
        gone = await self.departing.depart(call, hosts, keep_history)
        return [BulkResult(host, host in gone, "" if host in gone else UNKNOWN) for host in hosts]

    async def tend(self, call: Call[Any, Any], hosts: list[str], change: Change) -> list[BulkResult]:
        """All of them in one transaction; one that cannot be changed so hinders no other."""
        changed: dict[str, Tended] = {}
        errors: dict[str, str] = {}
        async with connected(self.pool) as database, database.transaction():
            for host in sorted(hosts):  # two requests at once wait for one another, not each for the other
                try:
                    changed[host] = await tend(database, call, host, change)
                except ProblemError:
                    errors[host] = UNKNOWN
                except InvalidField as fault:
                    errors[host] = fault.remedy
        for tended in changed.values():
            take_in(self.fleet, self.tell, tended)
        if any(tended.changed for tended in changed.values()):
            await self.announce(TENDED_KEY, 0)
        return [BulkResult(host, host in changed, errors.get(host, "")) for host in hosts]

    async def order(
        self, call: Call[Any, Any], hosts: list[str], verb: Verb, arguments: dict[str, Any], timeout_s: float
    ) -> list[BulkResult]:
        key, order = secrets.token_hex(16), NewCommand(arguments, timeout_s)
        async with connected(self.pool) as database, database.transaction():
            for host in hosts:
                if host in self.fleet:
                    await record(database, call, host, None, {"command": verb, "arguments": arguments})
        turns = asyncio.Semaphore(ORDERS_AT_ONCE)

        async def order_one(host: str) -> BulkResult:
            async with turns:
                try:
                    refuse_unless_there(self.fleet, host)
                    reply = await give(self.bus, host, verb, f"{key}:{host}", order)
                except ProblemError as problem:
                    return BulkResult(host, False, problem.detail)
                return BulkResult(host, reply.ok, reply.error, reply.result)

        async with asyncio.TaskGroup() as group:
            ordered = [group.create_task(order_one(host)) for host in hosts]
        return [task.result() for task in ordered]
