"""Revocations from the table to the servers of the bus, and back into the table what it lacks.

The table is the outbox: what is in it waits for a bus that is away, and is pushed again to a server that was down. As
the system user of the bus, the only one who may. Several gateways take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import ACCOUNTS, Account, Authority, AuthorityError, is_outdated, only_one
from infra.authority.resolver import count_servers, held_accounts, push_account
from infra.bus.patience import Seldom
from infra.storage.database import Connection, Pool
from services.gateway.http.database import borrowed
from services.gateway.identities import sql_revocations as sql
from services.gateway.identities.accounts import Known, Plan, all_revocations, plan

logger = logging.getLogger(__name__)

T = TypeVar("T")

EVERY_S = 30.0
SENT_S = 0.05
"""A push is sent within so long."""
LOOK_EVERY_S = 1.0
STATISTICS = "$SYS.SERVER.*.STATSZ"
"""What every server says of itself, soon after its start and every few seconds."""
MOST_SERVERS = 1000


async def push_revocations(
    client: Client, pool: Pool, directory: Path, identity_days: float, wake: asyncio.Event
) -> None:
    """Keep every server level as long as the connection lives: now, when `wake` is set, when a server starts, in turn.

    `client` is the system user's.
    """
    seldom = Seldom()
    known: set[str] = set()

    async def on_statistics(message: Msg) -> None:
        server = message.subject.split(".")[2]
        if server not in known and len(known) < MOST_SERVERS:
            known.add(server)
            wake.set()  # it may have been down while others were told

    await client.subscribe(STATISTICS, cb=on_statistics)
    while True:
        wake.clear()
        reconnects = client.stats["reconnects"]
        try:
            async with borrowed(pool) as database:
                servers = await level_servers(client, database, Authority(directory), identity_days, wake)
            if not servers and not wake.is_set() and seldom.due("", asyncio.get_running_loop().time()):
                logger.warning("bus does not know the system account of this authority, revocations wait")
        except AuthorityError as error:
            if seldom.due(str(error), asyncio.get_running_loop().time()):
                logger.error("authority not usable, revocations wait", extra={"error": str(error)})
        await _until_due(client, wake, reconnects)


async def _until_due(client: Client, wake: asyncio.Event, reconnects: int) -> None:
    """Wait for `wake`, a reconnect, or the next turn."""
    loop = asyncio.get_running_loop()
    due_s = loop.time() + EVERY_S
    while loop.time() < due_s and client.stats["reconnects"] == reconnects:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await wake.wait()
                return


async def level_servers(
    client: Client, database: Connection, authority: Authority, identity_days: float, wake: asyncio.Event
) -> int:
    """One round; how many servers answered. Raises what bus and database raise.

    `wake`: news that a push, once it is sent, waits for no answers any more: the next round pushes again.
    """
    await database.execute(sql.TAKE_TURN)
    try:
        return await _level(client, database, authority, identity_days, wake)
    finally:
        if not database.is_closed():
            await database.execute(sql.END_TURN)


async def _level(
    client: Client, database: Connection, authority: Authority, identity_days: float, wake: asyncio.Event
) -> int:
    servers = 0
    held = await asyncio.gather(*(held_accounts(client, authority.account(of)) for of in ACCOUNTS))
    rounds = [
        await _look(database, authority, of, tokens, identity_days) for of, tokens in zip(ACCOUNTS, held, strict=True)
    ]
    for one in rounds:
        if one.known.held and not one.plan.level:
            servers = max(servers, await _push(client, database, authority, one, wake))
    servers = servers or await _unless_woken(wake, count_servers(client)) or 0
    for one in rounds:
        if len(one.known.held) < servers and (one.plan.level or not one.known.held):
            await _push(client, database, authority, one, wake)
        elif servers and one.plan.level:
            await _settle(database, authority, one)
    return servers


async def _unless_woken(wake: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns; None when it is given up, having had the time to send what it sends, as `wake` is set."""
    task, woken = asyncio.ensure_future(work), asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait({task}, timeout=SENT_S)
        await asyncio.wait({task, woken}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        woken.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


class _Round(Struct, frozen=True):
    """One account in one round."""

    of: Account
    known: Known
    plan: Plan


async def _look(
    database: Connection, authority: Authority, of: Account, held: list[str], identity_days: float
) -> _Round:
    """What is to be done about one account. What the table lacks is in it afterwards, and what is aged is not."""
    table = {row["public_key"]: row["at_s"] for row in await database.fetch(sql.REVOCATIONS, of)}
    known = Known(held, authority.saved_account(of), table)
    found = all_revocations(known)
    # Those of services and people, who have no row there, are kept for ever: their JWTs need not expire.
    rows = await database.fetch(sql.AGED, list(found), list(found.values()), identity_days)
    aged = [row["public_key"] for row in rows]
    todo = plan(known, aged, lambda token: is_outdated(authority, token, of))
    if todo.missing:
        keys, times = list(todo.missing), list(todo.missing.values())
        async with database.transaction():
            await database.execute(sql.ADD_MISSING, keys, times, of)
            revoked = await database.fetch(sql.MARK_MISSING, keys, times)
        facts = {"account": of, "revocations": len(keys), "hosts": [row["host"] for row in revoked][:20]}
        logger.warning("revocations unknown to the database taken over from the bus", extra=facts)
    if aged:
        await database.execute(sql.FORGET, aged)
    return _Round(of, known, todo)


async def _push(client: Client, database: Connection, authority: Authority, one: _Round, wake: asyncio.Event) -> int:
    """Give one account to the servers; how many answered."""
    token = one.plan.token or authority.sign_account(one.plan.wanted, one.plan.after_s, one.of)
    if len(token) > client.max_payload:
        size = {"bytes": len(token), "most_bytes": client.max_payload, "revocations": len(one.plan.wanted)}
        logger.error("account too large for one message, not pushed", extra={"account": one.of, **size})
        return 0
    if not await asyncio.to_thread(_save, authority, one, token):
        wake.set()
        return 0
    pushed = await _unless_woken(wake, push_account(client, token))
    if pushed is None:
        return 0
    facts = {
        "account": one.of,
        "revocations": len(one.plan.wanted),
        "servers": pushed.servers,
        "took": pushed.took,
    }
    if pushed.everywhere:
        logger.info("account pushed", extra=facts)
        await _note_pushed(database, one)
    else:
        logger.warning("account not taken by every server, will retry", extra={**facts, "error": pushed.refusals[:3]})
    return pushed.servers


async def _settle(database: Connection, authority: Authority, one: _Round) -> None:
    """Every server has it: the saved account follows, and the table says so."""
    if one.plan.token and one.plan.token != one.known.saved:
        await asyncio.to_thread(_save, authority, one, one.plan.token)
    await _note_pushed(database, one)


def _save(authority: Authority, one: _Round, token: str) -> bool:
    """Save the account; False when the command line replaced it, or a key, since we looked: it may know of more."""
    try:
        with only_one(authority.directory):
            changed = Authority(authority.directory).facts != authority.facts
            if changed or authority.saved_account(one.of) != one.known.saved:
                return False
            authority.save_account(token, one.of)
    except OSError as error:  # servers keep it all the same
        logger.error("account not saved", extra={"path": str(authority.directory), "error": str(error.strerror)})
    return True


async def _note_pushed(database: Connection, one: _Round) -> None:
    if one.plan.wanted:
        await database.execute(sql.NOTE_PUSHED, list(one.plan.wanted), list(one.plan.wanted.values()))
