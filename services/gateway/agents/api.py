"""`/agents/config`, `/hosts/{host}/config`: what agents sample; `/hosts/{host}/commands/{verb}`: orders."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec

from infra.storage.database import Connection, Pool
from schemas.agentconfig import AgentConfig, NewAgentConfig, check_agent_config, merged
from schemas.api import AgentConfigAnswer
from schemas.catalogue import Family
from schemas.commands import CommandReply, Verb
from schemas.subjects import HostId
from services.gateway.agents import sql
from services.gateway.agents.configs import stored
from services.gateway.agents.orders import NewCommand, give, refuse_unless_there
from services.gateway.fleet.lookup import host_number
from services.gateway.fleet.memory import Fleet
from services.gateway.http.audit import record
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, invalid

MOST_BYTES = 30_000
"""The bucket takes 64 KiB: the fleet's settings and a host's together."""
_EMPTY = AgentConfig()


def agent_operations(
    pool: Pool, bus: Bus, fleet: Fleet, changed: asyncio.Event, catalogue: tuple[Family, ...]
) -> list[Operation]:
    """`changed` is set when settings are to be published."""

    async def get_config(call: Call[Nothing, None]) -> Reply:
        async with connected(pool) as database:
            return await _show(database, fleet, _host(call))

    async def put_config(call: Call[Nothing, NewAgentConfig]) -> Reply:
        return await change(call, _checked(call.body, catalogue))

    async def delete_config(call: Call[Nothing, None]) -> Reply:
        # What is stored instead is empty, not nothing: agents know news by their revision.
        return await change(call, "{}")

    async def change(call: Call[Nothing, Any], body: str) -> Reply:
        host, expected = _host(call), call.expected
        async with connected(pool) as database:
            host_id = await _host_id(database, host)
            async with database.transaction():
                await database.execute(sql.LOCK)
                found = await database.fetchrow(sql.FIND, host_id)
                if await database.fetchrow(sql.PUT, host_id, body, expected) is None:
                    raise conflict("the agent configuration of", host or "all hosts", found["version"] if found else 0)
                before = msgspec.json.decode(found["body"]) if found else None
                await record(database, call, host or "all hosts", before, msgspec.json.decode(body))
            changed.set()
            return await _show(database, fleet, host)

    async def give_order(call: Call[Nothing, NewCommand | None]) -> CommandReply:
        host, verb = call.path["host"], call.path["verb"]
        refuse_unless_there(fleet, host)
        key = call.request.headers.get("idempotency-key", "") or secrets.token_hex(16)
        if len(key) > 100:
            raise invalid("Idempotency-Key", key[:100], "must be at most 100 characters long")
        order = call.body or NewCommand()
        async with connected(pool) as database:
            await record(database, call, host, None, {"command": verb, "arguments": order.arguments})
        reply = await give(bus, host, verb, key, order)
        if not reply.ok:
            detail = f"the agent of {host} refused {verb}: {reply.error[:1000]}"
            raise ProblemError(409, detail, type="/problems/refused-command")
        return reply

    def config_operations(path: str, whose: str) -> list[Operation]:
        path_types = {"host": HostId} if "{host}" in path else {}
        answers = {200: AgentConfigAnswer}
        return [
            Operation(
                "GET",
                path,
                get_config,
                tag="agents",
                summary=f"What {whose} to sample and send, and what comes of it",
                role="viewer",
                answers=answers,
                path_types=path_types,
            ),
            Operation(
                "PUT",
                path,
                put_config,
                tag="agents",
                summary=f"Set what {whose} to sample and send",
                role="admin",
                answers=answers,
                body=NewAgentConfig,
                path_types=path_types,
                match="required",
            ),
            Operation(
                "DELETE",
                path,
                delete_config,
                tag="agents",
                summary=f"Leave what {whose} to sample and send to the defaults",
                role="admin",
                answers=answers,
                path_types=path_types,
                match="optional",
            ),
        ]

    return [
        *config_operations("/agents/config", "all agents are"),
        *config_operations("/hosts/{host}/config", "the agent of one host is"),
        Operation(
            "POST",
            "/hosts/{host}/commands/{verb}",
            give_order,
            tag="agents",
            summary="Order something of the agent of a host, and wait for its reply",
            role="operator",
            answers={200: CommandReply},
            body=NewCommand,
            body_required=False,
            path_types={"host": HostId, "verb": Verb},
            refuses=(409, 504),
            headers={"Idempotency-Key": "At most 100 characters: the same once more is the same order, done once."},
        ),
    ]


def _checked(config: NewAgentConfig, catalogue: tuple[Family, ...]) -> str:
    """The settings that people send, as they are stored. Raises InvalidFields and ProblemError."""
    check_agent_config(config, catalogue)
    body = msgspec.json.encode(config)
    if len(body) > MOST_BYTES:
        remedy = f"must be at most {MOST_BYTES} bytes of JSON; remove or shorten patterns"
        raise invalid("body", len(body), remedy)
    return body.decode()


def _host(call: Call[Any, Any]) -> str:
    """The host in the path; empty for the fleet."""
    return str(call.path.get("host", ""))


async def _host_id(database: Connection, host: str) -> int | None:
    """The host's number, None for the fleet. Raises ProblemError 404."""
    return await host_number(database, host) if host else None


async def _show(database: Connection, fleet: Fleet, host: str) -> Reply:
    """Settings as they are stored, what comes of them with the fleet's, and what the agent says."""
    host_id = await _host_id(database, host)
    row = await database.fetchrow(sql.FIND, host_id)
    own = stored(row["body"], row["revision"]) if row else _EMPTY
    effective = own
    if host:
        of_fleet = await database.fetchrow(sql.FIND, None)
        effective = merged(stored(of_fleet["body"], of_fleet["revision"]) if of_fleet else _EMPTY, own)
    facts = fleet.facts(host)
    version = row["version"] if row else 0
    body = AgentConfigAnswer(
        config=msgspec.structs.replace(own, revision=0),
        version=version,
        effective=effective,
        in_force=facts.config_revision if host else None,
        error=facts.config_error,
    )
    return Reply.versioned(body, version)
