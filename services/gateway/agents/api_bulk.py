"""`POST /hosts/bulk`: one change of many hosts, named or found."""

from __future__ import annotations

from msgspec import UNSET

from infra.clock import now_ms
from schemas.hosts import MOST_HOSTS, Bulk, BulkResult, BulkResults, HostFilter
from schemas.rules import InvalidField
from services.gateway.agents.many import UNKNOWN, Many
from services.gateway.agents.tending import Change, muted, tagged
from services.gateway.fleet.listing import matches
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import EVERYTHING
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError
from services.gateway.http.scopes import demand_scope

ORDER_S = 5.0
"""How long one agent may take to answer."""

Asked = Call[Nothing, Bulk]


def bulk_operations(many: Many) -> list[Operation]:
    async def change_hosts(call: Asked) -> BulkResults:
        results = await _results(many, call, _hosts(many.fleet, call.body))
        done = sum(result.done for result in results)
        return BulkResults(results, done, sum(bool(result.error) for result in results))

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
            description="Archiving and removing take the role admin. A token restricted to scopes needs identities for "
            "them, too, and agents for commands.",
        )
    ]


async def _results(many: Many, call: Asked, hosts: list[str]) -> list[BulkResult]:
    asked = call.body
    leaves = asked.change in ("archive", "remove")
    if leaves and not call.person.may("admin"):
        raise ProblemError(403, f"to {asked.change} hosts takes the role admin", type="/problems/role")
    if leaves:
        demand_scope(call.person, "identities")
    if asked.change == "command":
        demand_scope(call.person, "agents")
    command = asked.command
    if asked.change == "command" and command is UNSET:
        raise InvalidField("command", None, "required with command: what agents are ordered")
    change = _change(asked)
    if asked.dry_run:
        return [BulkResult(host, False, "" if host in many.fleet else UNKNOWN) for host in hosts]
    if leaves:
        return await many.leave(call, hosts, asked.change == "archive")
    if asked.change == "command" and command is not UNSET:
        return await many.order(call, hosts, command, asked.arguments, ORDER_S)
    return await many.tend(call, hosts, change)


def _change(asked: Bulk) -> Change:
    """What is said of hosts from now on. Raises InvalidField."""
    if asked.change == "tag" and not (asked.add_tags or asked.remove_tags):
        raise InvalidField("add_tags", [], "must name tags, unless remove_tags does")
    if asked.change == "mute" and asked.mute_s is UNSET:
        raise InvalidField("mute_s", None, "required with mute: seconds from now, or forever")
    if asked.change == "tag":
        return tagged(asked.add_tags, asked.remove_tags)
    return muted(asked.mute_s if asked.change == "mute" else None)


def _hosts(fleet: Fleet, asked: Bulk) -> list[str]:
    """Whom a request concerns. Raises InvalidField."""
    named, wanted = asked.hosts, asked.filter
    if named is not UNSET and wanted is UNSET:
        return list(dict.fromkeys(named))
    if named is not UNSET or wanted is UNSET:
        raise InvalidField("hosts", None, "must name hosts, unless filter says which; one of the two is required")
    if wanted == HostFilter():
        raise InvalidField("filter", None, "must say which hosts: q, state or tags")
    names = [host.id for host in fleet.hosts(EVERYTHING, now_ms()) if matches(host, wanted)]
    if len(names) > MOST_HOSTS:
        raise InvalidField("filter", len(names), f"must fit at most {MOST_HOSTS} hosts; name them in several requests")
    return names
