"""Watching the watcher: a dead man's switch outside is told again and again, as long as alerts are judged and told.

Whatever breaks here, be it this process, its machine or the network, the switch is told no more and raises the alarm.
So it is only told what is so: that judging goes on and is at the present, that the loop that tells people goes round,
and, by reading the address, that the database answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from msgspec import Struct

from infra.clock import now_ms
from infra.outbound import Outbound, OutboundError
from infra.storage.database import Connection, connection
from schemas.health import Outward
from schemas.settings import RuntimeSettings, StoredSettings
from services.alerts import sql
from services.alerts.judge.progress import Progress
from services.alerts.waiting import through_outages, wait_for_any

logger = logging.getLogger(__name__)

STALE_S = 60.0
"""A loop that has not gone round for so long stands still."""
LOOK_S = 5.0
"""How soon a changed address, or an end of what was wrong, is noticed."""
RETRY_S = 15.0
"""After a failure it is tried again sooner than usual."""
BODY = b"Sonde judges and tells alerts.\n"


class Watchdog(Struct):
    """What goes on, over all connections to the database."""

    http: Outbound
    progress: Progress
    turned_s: Callable[[], float | None]
    """When the loop that tells people last went round, monotonic; None: not yet."""
    look_s: float = LOOK_S
    retry_s: float = RETRY_S
    last_ms: int | None = None
    """When the switch was last told, Unix milliseconds."""
    failing: str = ""
    """Why it is not told now; empty when it is."""
    set: bool = False
    """Whether there is an address."""

    def outward(self) -> Outward | None:
        """What the heartbeat on the bus says of it; None where there is no switch."""
        return Outward(self.last_ms, self.failing) if self.set else None


async def watch_over(watchdog: Watchdog, database_url: str, stop: asyncio.Event) -> None:
    """Tell the switch until `stop` is set, through outages of the database."""

    async def work(works: Callable[[], None]) -> None:
        try:
            async with connection(database_url, "alerts watchdog") as database:
                works()
                await _tell(watchdog, database, stop)
        except Exception:
            _fails(watchdog, "the database does not answer")
            raise

    await through_outages(work, stop, "dead man's switch")


async def _tell(watchdog: Watchdog, database: Connection, stop: asyncio.Event) -> None:
    stored = StoredSettings()
    next_s = 0.0
    url = ""
    while not stop.is_set():
        settings = await _settings(database, stored)
        if settings.heartbeat_url != url:
            url, next_s = settings.heartbeat_url, 0.0
        watchdog.set = bool(url) and not watchdog.progress.pulse.standby
        if not watchdog.set:
            watchdog.failing = ""
        elif time.monotonic() >= next_s:
            fault = unhealthy(watchdog.progress, watchdog.turned_s(), time.monotonic()) or await _post(watchdog, url)
            if fault:
                _fails(watchdog, fault)
            else:
                _works(watchdog)
            every_s = settings.heartbeat_every_s
            next_s = time.monotonic() + (min(watchdog.retry_s, every_s) if fault else every_s)
        left_s = next_s - time.monotonic() if watchdog.set else watchdog.look_s
        await wait_for_any(min(watchdog.look_s, max(0.1, left_s)), stop)


async def _settings(database: Connection, stored: StoredSettings) -> RuntimeSettings:
    """Those in force. One that cannot be used is said by whoever uses all of them."""
    stored.take({row["key"]: row["value"] for row in await database.fetch(sql.HEARTBEAT)})
    return stored.settings


def unhealthy(progress: Progress, turned_s: float | None, now_s: float) -> str:
    """Why alerts are not judged or told now; empty when they are."""
    pulse = progress.pulse
    if pulse.failing_s > 0:
        return f"judging fails: {pulse.last_error}"[:200]
    if progress.lane is None or pulse.last_success_ms is None:
        return "judging has not begun yet"
    if now_ms() - pulse.last_success_ms > STALE_S * 1000:
        return "judging stands still"
    if progress.catching_up_s() is not None:
        return "what came meanwhile is still being judged"
    if turned_s is None or now_s - turned_s > STALE_S:
        return "telling people stands still"
    return ""


async def _post(watchdog: Watchdog, url: str) -> str:
    """Tell the switch; why it did not work, without the address. Empty: it did."""
    try:
        answer = await watchdog.http.post(url, BODY, {"Content-Type": "text/plain; charset=utf-8"})
    except OutboundError as error:
        return str(error)
    return "" if 200 <= answer.status < 300 else f"it answered with status {answer.status}; look at its address"


def _works(watchdog: Watchdog) -> None:
    watchdog.last_ms = now_ms()
    if watchdog.failing:
        watchdog.failing = ""
        logger.info("dead man's switch told again")


def _fails(watchdog: Watchdog, reason: str) -> None:
    if watchdog.set and not watchdog.failing:
        logger.warning("dead man's switch not told, will retry", extra={"reason": reason})
    watchdog.failing = reason
