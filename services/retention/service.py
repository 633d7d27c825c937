"""The retention service: roll-ups all the time, and a pruning at start, every hour, and when a setting changes.

Rows of removed hosts are deleted in between, also when a removal is announced.

Beside that, on a connection of its own, cold parts are compressed after each pruning, one at a time: a large one takes
many minutes, in which roll-ups go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec
from nats.aio.client import Client

from infra.bus.access import service_access
from infra.bus.backoff import Backoff
from infra.bus.connection import ConnectionLost, first_fault, keep_connected
from infra.bus.heartbeat import Pulse, beating
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, Connection, become_the_one, connection
from infra.storage.engine import Engine, detect
from schemas.catalogue import CATALOGUE, Family
from schemas.settings import HOSTS_KEY, SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention import sql
from services.retention.compress import compress
from services.retention.erase import erase_removed
from services.retention.guard import read_space
from services.retention.job import moment, prune
from services.retention.measured import note_use
from services.retention.policy import OWN, InvalidSetting
from services.retention.progress import Progress
from services.retention.rollup import roll_up

logger = logging.getLogger(__name__)

PRUNE_EVERY_S = 3600.0
ROLL_UP_EVERY_S = 30.0
MEASURE_EVERY_S = 300.0
TRANSIENT_HERE: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
"""The last is of a host deleted under our feet."""


class Asked:
    """What others ask of the worker before it is due."""

    def __init__(self) -> None:
        self.prune = False
        """A setting that a pruning goes by has changed."""
        self.woken = asyncio.Event()

    def hear(self, key: str) -> None:
        """Note what `settings.changed` named: settings of ours, or that hosts were removed, whose rows are to go."""
        self.prune = self.prune or key in OWN
        if key in (*OWN, HOSTS_KEY):
            self.woken.set()


async def run(settings: ServerSettings, stop: asyncio.Event, catalogue: Sequence[Family] = CATALOGUE) -> None:
    """Roll up and prune until `stop` is set, which also cuts off what is under way; one process at a time does."""
    asked = Asked()
    progress = Progress(Pulse("retention"))
    access = service_access(settings)

    async def listen(client: Client) -> None:
        subscription = await client.subscribe(SETTINGS_CHANGED)
        async for message in subscription.messages:
            asked.hear(changed_key(message.data))
        raise ConnectionLost

    async with (
        beating(settings.nats_url, access, progress.pulse, progress.work),
        asyncio.TaskGroup() as group,
    ):
        listener = group.create_task(keep_connected(settings.nats_url, "retention", listen, access=access))
        worker = group.create_task(_work_for_ever(settings.database_url, catalogue, asked, progress, stop))
        await stop.wait()
        listener.cancel()
        worker.cancel()


async def _work_for_ever(
    database_url: str, catalogue: Sequence[Family], asked: Asked, progress: Progress, stop: asyncio.Event
) -> None:
    backoff = Backoff(0.5, 60)
    while True:
        try:
            async with connection(database_url, "retention") as database:
                progress.pulse.standby = True
                await become_the_one(database, sql.LOCK, stop)
                progress.pulse.standby = False
                engine = await detect(database, catalogue)
                pruned = asyncio.Event()
                async with asyncio.TaskGroup() as group:
                    group.create_task(_compress_for_ever(database_url, engine, catalogue, pruned, progress.pulse))
                    await _roll_up_for_ever(database, engine, catalogue, asked, pruned, progress, backoff)
        except* TRANSIENT_HERE as faults:
            error = first_fault(faults)
            progress.pulse.standby = False
            progress.pulse.failed(error)
            logger.warning("interrupted, will retry", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        await asyncio.sleep(backoff.next_s())


async def _roll_up_for_ever(
    database: Connection,
    engine: Engine,
    catalogue: Sequence[Family],
    asked: Asked,
    pruned: asyncio.Event,
    progress: Progress,
    backoff: Backoff,
) -> None:
    """Roll up, prune when it is time to, delete removed hosts; `pruned` says to who compresses that there was one."""
    due, rolled_up, measured = 0.0, -math.inf, -math.inf

    async def roll_up_in_time() -> None:
        nonlocal rolled_up
        if time.monotonic() >= rolled_up + ROLL_UP_EVERY_S:
            began_s = time.monotonic()
            await roll_up(database, engine, catalogue, datetime.now(UTC))
            progress.rolled_up(began_s)
            progress.seen(await read_space(database))
            rolled_up = time.monotonic()

    while True:
        asked.woken.clear()
        if asked.prune:
            asked.prune = False
            due = 0.0
        try:
            if time.monotonic() >= due:
                await _prune(database, catalogue, progress)
                due, measured = time.monotonic() + PRUNE_EVERY_S, -math.inf
                pruned.set()
            rolled_up = -math.inf
            await roll_up_in_time()
            if time.monotonic() >= measured + MEASURE_EVERY_S:
                await note_use(database, catalogue, datetime.now(UTC))
                measured = time.monotonic()
            await erase_removed(database, engine, catalogue, roll_up_in_time)
            backoff.reset()
        except asyncpg.LockNotAvailableError as error:  # such as of a part that is being compressed: let it end
            progress.pulse.failed(error)
            logger.warning("pruning waits for locked tables, will retry", extra={"error": str(error)})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROLL_UP_EVERY_S):
                await asked.woken.wait()


async def _prune(database: Connection, catalogue: Sequence[Family], progress: Progress) -> None:
    try:
        await prune(database, catalogue, datetime.now(UTC), columnar=False)
        progress.pruned()
    except InvalidSetting as error:
        progress.pulse.failed(error)
        logger.error("invalid setting, pruning paused", extra={"error": str(error)})


async def _compress_for_ever(
    database_url: str, engine: Engine, catalogue: Sequence[Family], pruned: asyncio.Event, pulse: Pulse
) -> None:
    """Compress what is cold after each pruning. What fails is tried again, and disturbs nobody."""
    backoff = Backoff(5, 600)
    while engine.name != "native":
        await pruned.wait()
        pruned.clear()
        try:
            async with connection(database_url, "retention compressing") as database:
                await compress(database, engine, catalogue, await moment(database, datetime.now(UTC)))
                backoff.reset()
        except TRANSIENT_HERE as error:
            pulse.failed(error)
            logger.warning("compression failed, will retry", extra={"error": f"{type(error).__name__}: {error}"[:300]})
            await asyncio.sleep(backoff.next_s())
            pruned.set()


def changed_key(data: bytes) -> str:
    """The key in a `settings.changed` message; empty when it is none."""
    try:
        return msgspec.json.decode(data, type=SettingChanged).key
    except msgspec.MsgspecError:
        logger.warning("invalid settings change ignored", extra={"data": data[:100]})
        return ""
