"""Agents' settings from the table into the bucket CONFIG, whose server repeats each change to the agent it concerns.

What the table says is put again whenever it may not be there: after a change, a reconnect, a new host, and every few
minutes; what it does not say is removed then, as after a database was restored. Several gateways may do so at once;
they put the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from infra.storage.database import Connection, Pool
from schemas.agentconfig import AgentConfig, merged
from schemas.rules import Rule
from schemas.subjects import CONFIG_STREAM, OPERATION, config_key
from schemas.watches import PushedConfig, watches_of
from services.gateway.agents import sql
from services.gateway.http.database import borrowed

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
VERIFY_EVERY_S = 300.0
AT_ONCE = 32
"""Entries read or put at a time."""
BREATH_HOSTS = 200
REMOVED = {OPERATION: "DEL"}


async def publish_configs(
    client: Client, pool: Pool, changed: asyncio.Event, look_every_s: float = LOOK_EVERY_S
) -> None:
    """Keep the bucket as the table has it, as long as the connection lives; `changed` asks for it at once."""
    loop = asyncio.get_running_loop()
    stamp: tuple[object, ...] | None = None
    verified_s = loop.time()
    while True:
        changed.clear()
        wanted = None
        async with snapshot(pool) as database:
            now = (client.stats["reconnects"], *(await database.fetch(sql.STAMP)))
            if now != stamp or loop.time() - verified_s > VERIFY_EVERY_S:
                wanted = await wanted_entries(database)
        if wanted is not None:
            await put_entries(client, wanted)
            stamp, verified_s = now, loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_every_s):
                await changed.wait()


@contextlib.asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """A connection to which the tables stay as they are: entries made of rows that are newer than their stamp would
    look right again once those rows are gone."""
    async with borrowed(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
        yield database


async def wanted_entries(database: Connection) -> dict[str, bytes]:
    """Host -> its entry; hosts for which nothing was ever set, and that no rule is about, have none."""
    row = await database.fetchrow(sql.FIND, None)
    fleet = stored(row["body"], row["revision"]) if row else None
    rules = [rule for row in await database.fetch(sql.RULES) if (rule := _readable(row["body"])) is not None]
    entries = {}
    for number, host in enumerate(await database.fetch(sql.ALL)):
        if number % BREATH_HOSTS == 0:
            await asyncio.sleep(0)  # for ten thousand hosts it takes a while
        own = stored(host["body"], host["revision"]) if host["body"] else None
        watches = watches_of(rules, host["name"], frozenset(host["tags"]))
        if fleet is not None or own is not None or watches:
            config = merged(fleet or AgentConfig(), own or AgentConfig())
            told = {name: getattr(config, name) for name in config.__struct_fields__}
            entries[host["name"]] = msgspec.json.encode(PushedConfig(**told, watches=watches))
    return entries


def _readable(body: str) -> Rule | None:
    """A rule as it is stored; None for one that this version cannot read: the judge says so, agents do without."""
    try:
        return msgspec.json.decode(body, type=Rule)
    except msgspec.MsgspecError:
        return None


def stored(body: str, revision: int) -> AgentConfig:
    """Settings as a row holds them; nothing at all where this version cannot read them."""
    try:
        config = msgspec.json.decode(body, type=AgentConfig)
    except msgspec.DecodeError as error:
        logger.error("stored agent settings invalid, ignored", extra={"body": body[:200], "error": str(error)})
        config = AgentConfig()
    return msgspec.structs.replace(config, revision=revision)


async def put_entries(client: Client, wanted: Mapping[str, bytes]) -> None:
    """Put or remove every entry that the bucket holds otherwise. Raises what the bus raises."""
    limit = asyncio.Semaphore(AT_ONCE)
    jetstream = client.jetstream()
    put = removed = 0

    async def put_one(host: str) -> None:
        nonlocal put, removed
        async with limit:
            data = wanted.get(host)
            if await held(client, host) == data:
                return
            await jetstream.publish(config_key(host), data or b"", headers=None if data else REMOVED)
            put, removed = (put + 1, removed) if data else (put, removed + 1)

    async with asyncio.TaskGroup() as group:
        for host in wanted.keys() | await holders(client):
            group.create_task(put_one(host))
    if put or removed:
        logger.info("agent settings published", extra={"hosts": put, "of": len(wanted), "removed": removed})


async def holders(client: Client) -> set[str]:
    """Hosts that the bucket has, or had, an entry for; none as long as nobody has made it."""
    every = config_key("*")
    try:
        info = await client.jetstream().stream_info(CONFIG_STREAM, subjects_filter=every)
    except nats.js.errors.NotFoundError:
        return set()
    return {subject.removeprefix(every[:-1]) for subject in info.state.subjects or {}}


async def held(client: Client, host: str) -> bytes | None:
    """What the bucket holds for `host`; None for nothing."""
    try:
        message = await client.jetstream().get_msg(CONFIG_STREAM, subject=config_key(host), direct=True)
    except nats.js.errors.NotFoundError:
        return None
    return None if OPERATION in (message.headers or {}) else message.data
