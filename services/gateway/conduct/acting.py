"""How agents behave on the bus, and what is done about it: floods are suspended, clones are named on both ends."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time

import msgspec

from infra.storage.database import Pool
from schemas.commands import CommandRequest
from schemas.subjects import command
from services.gateway.conduct.clones import Clones
from services.gateway.conduct.floods import Floods
from services.gateway.http.bus import Bus
from services.gateway.http.database import NOT_READY, borrowed
from services.gateway.identities import sql
from services.gateway.identities.refused import Refusals

logger = logging.getLogger(__name__)

SUSPENDED_S = 600
FORGET_EVERY_S = 60.0
MOST_PENDING = 100
"""Findings that wait for the database; of more, the rest is found again."""
ORDER_S = 30.0
RETRY_S = 1.0

Finding = tuple[str, list[str]]
"""A host, or the public key of a user, and its epochs; none: it floods the bus."""


class Conduct:
    """What was heard of whom, and what is to be done about it."""

    def __init__(self) -> None:
        self._clones = Clones()
        self._floods = Floods()
        self._forgot_s = 0.0
        self.findings: asyncio.Queue[Finding] = asyncio.Queue(MOST_PENDING)

    def heard(self, sender: str, size: int) -> None:
        """Note a message, or a refused one, of a host or of the owner of a public key."""
        now_s = time.monotonic()
        if self._floods.heard(sender, size, now_s):
            self._find(sender, [])
        if now_s - self._forgot_s > FORGET_EVERY_S:
            self._forgot_s = now_s
            self._clones.forget(now_s)
            self._floods.forget(now_s)

    def batch(self, host: str, epoch: str) -> None:
        """Note a batch of the present that makes sense."""
        epochs = self._clones.heard(host, epoch, time.monotonic())
        if epochs:
            self._find(host, epochs)

    def _find(self, sender: str, epochs: list[str]) -> None:
        if not self.findings.full():
            self.findings.put_nowait((sender, epochs))


async def act_on_conduct(conduct: Conduct, pool: Pool, bus: Bus, refusals: Refusals, revoked: asyncio.Event) -> None:
    """Suspend what floods, name what is cloned, until cancelled; `revoked` is set when servers are to be told."""
    while True:
        sender, epochs = await conduct.findings.get()
        try:
            if epochs:
                await name_clone(pool, bus, sender, epochs)
            elif await suspend(pool, sender):
                refusals.note(sender, "flood", f"suspended for {SUSPENDED_S} s")
                revoked.set()
        except NOT_READY as error:
            logger.warning("conduct of an agent not noted", extra={"host": sender, "error": str(error)[:300]})
            await asyncio.sleep(RETRY_S)


async def suspend(pool: Pool, sender: str) -> bool:
    """Let no JWT of this host, or key, count for a while; False when it has none. Raises what the database raises."""
    async with borrowed(pool) as database, database.transaction():
        row = await database.fetchrow(sql.SUSPEND, sender, SUSPENDED_S)
        if row is None:
            return False
        await database.execute(sql.REVOKE, [row["public_key"]], "flood")
    logger.warning("agent suspended, it floods the bus", extra={"host": row["host"], "for_s": SUSPENDED_S})
    return True


async def name_clone(pool: Pool, bus: Bus, host: str, epochs: list[str]) -> None:
    """Note that two agents use one identity, and tell both. Raises what the database raises."""
    logger.warning("two agents use one identity", extra={"host": host, "epochs": epochs})
    async with borrowed(pool) as database:
        await database.execute(sql.NOTE_CLONE, host)
    order = CommandRequest(secrets.token_hex(16), time.time() + ORDER_S, {"epochs": epochs})
    await bus.publish(command(host, "cloned"), msgspec.json.encode(order))
