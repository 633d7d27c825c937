"""`/agents/config`, `/hosts/{id}/config`: what agents sample; `/hosts/{id}/commands/{verb}`: orders to one of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Annotated, Any

import msgspec
import nats.errors
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Connection, Pool
from schemas.agentconfig import AgentConfig, NewAgentConfig, check_agent_config, merged
from schemas.api import AgentConfigAnswer
from schemas.catalogue import Family
from schemas.commands import MOST_WAIT_S, VERBS, CommandReply, CommandRequest
from schemas.subjects import command
from services.gateway.agents import sql
from services.gateway.agents.configs import stored
from services.gateway.fleet.lookup import host_number
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError, conflict, invalid, unavailable, unknown
from services.gateway.http.requests import Resource, answer, has_body, if_match, read_json

OFFLINE = "/problems/agent-offline"
MOST_BYTES = 30_000
"""The bucket takes 64 KiB: the fleet's settings and a host's together."""
_EMPTY = AgentConfig()


class NewCommand(Struct, forbid_unknown_fields=True):
    """Body of a command; all of it is optional."""

    arguments: dict[str, Any] = {}
    timeout_s: Annotated[float, Meta(ge=0.1, le=MOST_WAIT_S)] = 10


def agent_routes(
    pool: Pool, bus: Bus, fleet: Fleet, changed: asyncio.Event, catalogue: tuple[Family, ...]
) -> list[BaseRoute]:
    """`changed` is set when settings are to be published."""

    async def get_config(request: Request) -> Response:
        async with connected(pool) as database:
            return await _show(database, fleet, _host(request))

    async def put_config(request: Request) -> Response:
        return await change(request, await _given(request, catalogue))

    async def delete_config(request: Request) -> Response:
        # What is stored instead is empty, not nothing: agents know news by their revision.
        return await change(request, "{}")

    async def change(request: Request, body: str) -> Response:
        host, expected = _host(request), if_match(request)
        async with connected(pool) as database:
            host_id = await _host_id(database, host)
            async with database.transaction():
                await database.execute(sql.LOCK)
                put = await database.fetchrow(sql.PUT, host_id, body, expected)
            if put is None:
                found = await database.fetchrow(sql.FIND, host_id)
                raise conflict("the agent configuration of", host or "all hosts", found["version"] if found else 0)
            changed.set()
            return await _show(database, fleet, host)

    async def give_order(request: Request) -> Response:
        host, verb = request.path_params["host"], request.path_params["verb"]
        if verb not in VERBS:
            raise invalid("verb", verb[:60], f"unknown command; use one of {', '.join(VERBS)}")
        _refuse_unless_there(fleet, host)
        order = await read_json(request, NewCommand) if has_body(request) else NewCommand()
        key = request.headers.get("idempotency-key", "") or secrets.token_hex(16)
        if len(key) > 100:
            raise invalid("Idempotency-Key", key[:100], "must be at most 100 characters long")
        return answer(await _order(bus, host, verb, key, order))

    config = {"GET": get_config, "PUT": put_config, "DELETE": delete_config}
    return [
        Resource("/agents/config", **config),
        Resource("/hosts/{host}/config", **config),
        Resource("/hosts/{host}/commands/{verb}", POST=give_order),
    ]


async def _given(request: Request, catalogue: tuple[Family, ...]) -> str:
    """The settings that people send, as they are stored. Raises InvalidFields and ProblemError."""
    config = await read_json(request, NewAgentConfig)
    check_agent_config(config, catalogue)
    body = msgspec.json.encode(config)
    if len(body) > MOST_BYTES:
        remedy = f"must be at most {MOST_BYTES} bytes of JSON; remove or shorten patterns"
        raise invalid("body", len(body), remedy)
    return body.decode()


def _host(request: Request) -> str:
    """The host in the path; empty for the fleet."""
    return str(request.path_params.get("host", ""))


async def _host_id(database: Connection, host: str) -> int | None:
    """The host's number, None for the fleet. Raises ProblemError 404."""
    return await host_number(database, host) if host else None


async def _show(database: Connection, fleet: Fleet, host: str) -> Response:
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
    return answer(body, headers={"ETag": f'"{version}"'})


def _refuse_unless_there(fleet: Fleet, host: str) -> None:
    """Raise ProblemError for a host whose agent cannot answer."""
    if host not in fleet:
        raise unknown("host", host)
    if fleet.members.is_archived(host):
        detail = f"host {host} is archived, no agent answers for it; make a token for it and enrol its machine again"
        raise ProblemError(409, detail, type="/problems/archived-host")


async def _order(bus: Bus, host: str, verb: str, key: str, order: NewCommand) -> CommandReply:
    """The agent's reply. Raises ProblemError: 503 when nobody listens, 504 when it does not answer in time."""
    client = bus.client
    if client is None or not bus.connected:
        raise unavailable(
            "the gateway is not connected to the bus (NATS); retry, and check that nats-server runs",
            "/problems/bus-away",
        )
    request = CommandRequest(key, time.time() + order.timeout_s, order.arguments)
    try:
        message = await client.request(command(host, verb), msgspec.json.encode(request), timeout=order.timeout_s)
        return msgspec.json.decode(message.data, type=CommandReply)
    except nats.errors.NoRespondersError:
        raise unavailable(
            f"the agent of {host} is not connected to the bus; check that it runs and reaches the bus", OFFLINE, 10
        ) from None
    except (TimeoutError, nats.errors.TimeoutError):
        detail = (
            f"the agent of {host} did not answer within {order.timeout_s:g} s; "
            f"a retry with the same Idempotency-Key does not run the command twice"
        )
        raise ProblemError(504, detail, type="/problems/agent-silent") from None
    except (nats.errors.Error, msgspec.DecodeError) as error:
        raise unavailable(f"the bus did not deliver the command to {host}: {error}", OFFLINE) from None
