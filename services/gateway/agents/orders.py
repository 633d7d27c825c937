"""Orders to agents: given over the bus, with the agent's reply or why there is none."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import nats.errors
from msgspec import Meta, Struct

from schemas.commands import MOST_WAIT_S, CommandReply, CommandRequest
from schemas.subjects import command
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.http.problems import ProblemError, unavailable, unknown

OFFLINE = "/problems/agent-offline"


class NewCommand(Struct, forbid_unknown_fields=True):
    """Body of a command; all of it is optional."""

    arguments: dict[str, Any] = {}
    timeout_s: Annotated[float, Meta(ge=0.1, le=MOST_WAIT_S)] = 10


def refuse_unless_there(fleet: Fleet, host: str) -> None:
    """Raise ProblemError for a host whose agent cannot answer."""
    if host not in fleet:
        raise unknown("host", host)
    if fleet.members.is_archived(host):
        detail = f"host {host} is archived, no agent answers for it; make a token for it and enrol its machine again"
        raise ProblemError(409, detail, type="/problems/archived-host")


async def give(bus: Bus, host: str, verb: str, key: str, order: NewCommand) -> CommandReply:
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
    except nats.errors.Error as error:
        raise unavailable(f"the bus did not deliver the command to {host}: {error}", OFFLINE) from None
    try:
        return msgspec.json.decode(message.data, type=CommandReply)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unavailable(
            f"the answer of {host} cannot be read: {error}; check that an agent runs there", OFFLINE
        ) from None
