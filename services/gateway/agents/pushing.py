"""Revocations from the table to the servers of the bus, and back into the table what it lacks.

The table is the outbox: what is in it waits for a bus that is away, and is pushed again to a server that was down. As
the system user of the bus, the only one who may. Several gateways take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import Authority, AuthorityError, is_outdated
from infra.authority.resolver import Pushed, count_servers, held_accounts, push_account
from infra.bus.patience import Seldom
from infra.storage.database import Connection, Pool
from services.gateway.agents import sql_revocations as sql
from services.gateway.agents.accounts import Known, Plan, all_revocations, plan
from services.gateway.http.database import borrowed

logger = logging.getLogger(__name__)

EVERY_S = 30.0
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
    servers: set[str] = set()

    async def on_statistics(message: Msg) -> None:
        server = message.subject.split(".")[2]
        if server not in servers and len(servers) < MOST_SERVERS:
            servers.add(server)
            wake.set()  # it may have been down while others were told

    await client.subscribe(STATISTICS, cb=on_statistics)
    while True:
        wake.clear()
        reconnects = client.stats["reconnects"]
        try:
            async with borrowed(pool) as database:
                await level_servers(client, database, Authority(directory), identity_days, seldom)
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
    client: Client, database: Connection, authority: Authority, identity_days: float, seldom: Seldom
) -> Pushed | None:
    """One round; what came of the push, None when there was nothing to push. Raises what bus and database raise."""
    async with database.transaction():
        await database.execute(sql.TAKE_TURN)
        held = await held_accounts(client, authority.account())
        table = {row["public_key"]: row["at_s"] for row in await database.fetch(sql.REVOCATIONS)}
        known = Known(held, authority.saved_account(), table)
        aged = await _aged(database, known, identity_days)
        wanted = plan(known, aged, lambda token: is_outdated(authority, token))
        await _note_missing(database, wanted)
        if aged:
            await database.execute(sql.FORGET, aged)
        if not held and not await count_servers(client):
            if seldom.due("no servers", asyncio.get_running_loop().time()):
                logger.warning("bus does not know the system account of this authority, revocations wait")
            return None
        if wanted.level and await count_servers(client) <= len(held):
            if wanted.token and wanted.token != known.saved:
                _save(authority, wanted.token)
            await _note_pushed(database, wanted)
            return None
        pushed = await _push(client, authority, wanted)
        if pushed.everywhere:
            await _note_pushed(database, wanted)
        return pushed


async def _aged(database: Connection, known: Known, identity_days: float) -> list[str]:
    """Keys whose JWTs have all expired. Those of services and people, which never do, are in no table of ours."""
    found = all_revocations(known)
    rows = await database.fetch(sql.AGED, list(found), list(found.values()), identity_days)
    return [row["public_key"] for row in rows]


async def _note_missing(database: Connection, wanted: Plan) -> None:
    """Write down what servers or the saved account know and the table does not, as after a restore."""
    if not wanted.missing:
        return
    keys, times = list(wanted.missing), list(wanted.missing.values())
    await database.execute(sql.ADD_MISSING, keys, times)
    revoked = await database.fetch(sql.MARK_MISSING, keys, times)
    facts = {"revocations": len(keys), "hosts": [row["host"] for row in revoked][:20]}
    logger.warning("revocations unknown to the database taken over from the bus", extra=facts)


async def _push(client: Client, authority: Authority, wanted: Plan) -> Pushed:
    token = wanted.token or authority.sign_account(wanted.wanted, wanted.after_s)
    _save(authority, token)
    pushed = await push_account(client, token)
    facts = {"revocations": len(wanted.wanted), "servers": pushed.servers, "took": pushed.took}
    if pushed.everywhere:
        logger.info("account pushed", extra=facts)
    else:
        logger.warning("account not taken by every server, will retry", extra={**facts, "error": pushed.refusals[:3]})
    return pushed


def _save(authority: Authority, token: str) -> None:
    try:
        authority.save_account(token)
    except OSError as error:  # servers keep it all the same
        logger.error("account not saved", extra={"path": str(authority.directory), "error": str(error.strerror)})


async def _note_pushed(database: Connection, wanted: Plan) -> None:
    if wanted.wanted:
        await database.execute(sql.NOTE_PUSHED, list(wanted.wanted), list(wanted.wanted.values()))
