"""Telling the servers what the account is, as the system user: what they hold, what they took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import nats.errors
from msgspec import Struct
from nats.aio.client import Client

_UPDATE = "$SYS.REQ.CLAIMS.UPDATE"
_PING = "$SYS.REQ.SERVER.PING"
QUIET_S = 0.5
"""Nobody says how many servers will answer: when none has for so long, all have."""
SHORT_QUIET_S = 0.2
"""The same where a server that is missed is asked again soon, and somebody waits for what comes next."""
_OK = 200


class Pushed(Struct, frozen=True):
    """What came of a push."""

    servers: int
    """How many there are."""
    took: int
    """How many of them said that they took it."""
    refusals: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        return self.took >= self.servers > 0


async def held_account(client: Client, account: str) -> str:
    """The JWT of `account` as a server holds it; empty when it has none. Raises what the bus raises."""
    try:
        answer = await client.request(f"$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP", b"", timeout=2)
    except nats.errors.NoRespondersError:
        return ""
    return answer.data.decode(errors="replace").strip()


async def held_accounts(client: Client, account: str) -> list[str]:
    """The JWT of `account` as each server holds it that has one. Raises what the bus raises."""
    subject = f"$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP"
    return [data.decode(errors="replace").strip() async for data in _replies(client, subject, b"", SHORT_QUIET_S)]


async def push_account(client: Client, token: str) -> Pushed:
    """Give the account's JWT to every server that is there. Raises what the bus raises.

    It counts at each server from the moment that it answers; the rest of the time goes into waiting for others.
    """
    counting = asyncio.ensure_future(count_servers(client))
    took, refusals = 0, []
    try:
        async for answer in _answers(client, _UPDATE, token.encode()):
            data = answer.get("data") or {}
            if data.get("code") == _OK:
                took += 1
            else:
                fault = answer.get("error") or data
                refusals.append(str(fault.get("description") or fault)[:300])
        servers = await counting
    finally:
        counting.cancel()
    return Pushed(max(servers, took), took, tuple(refusals))


async def count_servers(client: Client) -> int:
    """How many servers the bus has now. Raises what the bus raises."""
    return len([answer async for answer in _answers(client, _PING, b"")])


async def _answers(client: Client, subject: str, data: bytes) -> AsyncIterator[dict[str, Any]]:
    """All answers to one request, until `QUIET_S` have passed without one."""
    async for reply in _replies(client, subject, data, QUIET_S):
        yield msgspec.json.decode(reply, type=dict)


async def _replies(client: Client, subject: str, data: bytes, quiet_s: float) -> AsyncIterator[bytes]:
    """The same, as they come, until `quiet_s` have passed without one."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        await client.publish(subject, data, reply=inbox)
        while True:
            try:
                message = await subscription.next_msg(quiet_s)
            except nats.errors.TimeoutError:
                return
            if message.data:  # without: nobody serves this subject
                yield message.data
    finally:
        await subscription.unsubscribe()
