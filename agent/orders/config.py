"""Settings that the gateway pushes: taken from the bus, put in force without a restart, kept for the next start.

The host's entry in the bucket CONFIG is read when the connection is made and every few minutes; in between the server
repeats its changes on `config.<host>`. No consumer is needed, and nothing is ever written to the bucket from here.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
from pathlib import Path

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from agent.sampling.plan import Plans, make_plan
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.files import sync_directory
from infra.settings import AgentSettings
from schemas import subjects
from schemas.agentconfig import check_agent_config
from schemas.catalogue import CATALOGUE
from schemas.rules import InvalidFields
from schemas.watches import PushedConfig

logger = logging.getLogger(__name__)

ASK_EVERY_S = 300.0
ASK_WITHIN_S = 5.0
SOON_S = 1.0
"""After settings were heard that are not newer than those in force, the bucket is asked about as soon."""
LOOK_EVERY_S = 5.0
"""How soon a reconnect is noticed, after which the bucket is asked."""
ASK_AGAIN_S = 2.0
"""An answer older than what is in force may come from a replica that lags: it is asked for once more."""
_NOT_FOUND = "404"
_ENTRY = "Nats-Subject"
"""Header by which the server says of which entry it repeats a change."""

_decoder = msgspec.json.Decoder(PushedConfig)


class NoAnswer(Exception):
    """The bucket could not be read now."""


class Pushed:
    """The pushed settings in force."""

    def __init__(self, settings: AgentSettings, plans: Plans, status: AgentState, disk: Worker) -> None:
        self._settings = settings
        self._plans = plans
        self._status = status
        self._disk = disk
        self._path = Path(settings.data) / "agent" / "config.json"
        self.config = PushedConfig()
        self._kept = self.config
        """What the file holds, as far as is known."""

    async def restore(self) -> None:
        """Put in force what was pushed before the last stop, if anything was."""
        try:
            data = await self._disk.run(self._path.read_bytes)
            config = read_config(data)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            logger.warning("saved settings unreadable, ignored", extra={"path": str(self._path), "error": str(error)})
            return
        self._use(config)
        self._kept = config

    async def take(self, data: bytes | None, asked: bool) -> bool:
        """Put `data` in force; None: nothing is set for this host. False when other settings stay in force.

        What was `asked` for is the truth even when its revision is lower, as after a database was restored; what was
        merely heard counts only when it is newer.
        """
        try:
            config = PushedConfig() if data is None else read_config(data)
        except ValueError as error:
            if self._status.config_error != str(error):
                logger.error("pushed settings rejected, previous settings kept", extra={"error": str(error)})
            self._status.config_error = str(error)
            self._status.news.set()
            return False
        if config == self.config:
            self._accept()
            await self._keep()
            return True
        if not asked and config.revision <= self.config.revision:
            return False
        self._accept()
        self._use(config)
        logger.info("settings applied", extra={"revision": config.revision})
        await self._keep()
        return True

    async def _keep(self) -> None:
        """Write what is in force for the next start, unless it is written."""
        config = self.config
        if config == self._kept:
            return
        try:
            await self._disk.run(_write, self._path, msgspec.json.encode(config))
        except OSError as error:
            logger.warning("settings not saved", extra={"path": str(self._path), "error": str(error)})
        else:
            self._kept = config

    def _accept(self) -> None:
        if self._status.config_error:
            self._status.config_error = ""
            self._status.news.set()

    def _use(self, config: PushedConfig) -> None:
        self.config = config
        self._plans.replace(make_plan(self._settings, config))
        self._status.news.set()


def read_config(data: bytes) -> PushedConfig:
    """The settings in `data`; families that this version does not know are left out. Raises ValueError."""
    config = _decoder.decode(data)
    known = {family.name for family in CATALOGUE}
    families = {name: of_family for name, of_family in config.families.items() if name in known}
    try:
        check_agent_config(msgspec.structs.replace(config, families=families, revision=0))
    except InvalidFields as error:
        raise ValueError(str(error)) from None
    return msgspec.structs.replace(config, families=families)


def _write(path: Path, data: bytes) -> None:
    """Replace the file, whole or not at all."""
    fresh = path.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if os.write(fd, data) != len(data):
            raise OSError(errno.ENOSPC, "written in part only", str(fresh))
        os.fsync(fd)
    finally:
        os.close(fd)
    fresh.replace(path)
    sync_directory(path.parent)


async def follow_config(client: Client, host: str, pushed: Pushed, ask_every_s: float = ASK_EVERY_S) -> None:
    """Keep `pushed` as the bucket has it, as long as the connection lives."""
    heard: asyncio.Queue[bytes | None] = asyncio.Queue(100)

    async def hear(message: Msg) -> None:
        # Other agents can have the server's answers to them sent here; none of those is of our entry.
        if (message.headers or {}).get(_ENTRY) != subjects.config_key(host):
            logger.debug("message that is not of this host's settings ignored", extra={"subject": message.subject})
            return
        if heard.full():  # only the newest matters
            heard.get_nowait()
        heard.put_nowait(_value(message))

    await client.subscribe(subjects.config(host), cb=hear)
    await client.flush()  # from here on nothing is missed
    reconnects = -1
    ask_at_s = 0.0
    silent = False
    loop = asyncio.get_running_loop()
    while True:
        if loop.time() >= ask_at_s or client.stats["reconnects"] != reconnects:
            reconnects = client.stats["reconnects"]
            ask_at_s = loop.time() + ask_every_s * random.uniform(0.8, 1.2)
            try:
                await _ask(client, host, pushed, heard)
                silent = False
            except NoAnswer as error:
                ask_at_s = loop.time() + min(ask_every_s, 30 * random.uniform(0.8, 1.2))
                if not silent:
                    logger.warning("settings not read, will retry", extra={"error": str(error)})
                silent = True
        try:
            async with asyncio.timeout(min(LOOK_EVERY_S, max(0.0, ask_at_s - loop.time()))):
                data = await heard.get()
        except TimeoutError:
            continue
        if not await pushed.take(data, asked=False):
            # A restored database, or an entry that is gone, looks like old news. The bucket knows.
            ask_at_s = min(ask_at_s, loop.time() + SOON_S * random.uniform(0.5, 1.5))


async def _ask(client: Client, host: str, pushed: Pushed, heard: asyncio.Queue[bytes | None]) -> None:
    """Take what the bucket holds, unless something newer is heard meanwhile."""
    data = await _get(client, host)
    if heard.empty() and _is_older(data, pushed.config):
        await asyncio.sleep(ASK_AGAIN_S)
        data = await _get(client, host)
    if heard.empty():
        await pushed.take(data, asked=True)


def _is_older(data: bytes | None, config: PushedConfig) -> bool:
    try:
        return (0 if data is None else _decoder.decode(data).revision) < config.revision
    except msgspec.DecodeError:
        return False


async def _get(client: Client, host: str) -> bytes | None:
    """The host's entry; None when there is none. Raises NoAnswer."""
    subject = f"$JS.API.DIRECT.GET.{subjects.CONFIG_STREAM}.{subjects.config_key(host)}"
    try:
        answer = await client.request(subject, b"", timeout=ASK_WITHIN_S)
    except (nats.errors.Error, TimeoutError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from None
    status = (answer.headers or {}).get("Status")
    if status == _NOT_FOUND:
        return None
    if status is not None:
        raise NoAnswer(f"status {status}: {(answer.headers or {}).get('Description', '')}")
    return _value(answer)


def _value(message: Msg) -> bytes | None:
    """The entry in a message of the bucket; None when the entry was deleted."""
    return None if subjects.OPERATION in (message.headers or {}) else message.data
