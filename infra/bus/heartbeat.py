"""How a service is: counted in its `Pulse`, said every 5 s on `health.<service>`, and told as a NATS micro service.

Over a connection of its own, so that a service whose work is interrupted goes on saying so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import psutil
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.micro.request import Request
from nats.micro.service import Service, ServiceConfig

from infra.addresses import redact
from infra.bus.connection import BUS_TRANSIENT, first_fault, keep_connected
from infra.bus.patience import ANYBODY, Access
from infra.clock import now_ms
from schemas import subjects
from schemas.health import HEARTBEAT_EVERY_S, Heartbeat, Work
from schemas.version import VERSION

MINUTE_S = 60.0
_MOST_RECENT = 10_000
"""Failures of the last minute that are told apart."""
_DESCRIPTIONS = {
    "ingest": "Writes samples from the bus into the database.",
    "alerts": "Evaluates alert rules and sends notifications.",
    "retention": "Makes roll-ups and drops what is old.",
    "gateway": "Serves REST, the live stream and the dashboard.",
}

Report = Callable[[], Work]
"""How far a service is with its work, now."""


class Pulse:
    """What one instance of a service counts of itself."""

    def __init__(self, service: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self.instance = secrets.token_hex(6)
        self.standby = False
        """Set while another instance has its work."""
        self.errors = 0
        self.last_error = ""
        self.last_success_ms: int | None = None
        self._clock = clock
        self._started_ms = now_ms()
        self._started_s = clock()
        self._recent_s: deque[float] = deque(maxlen=_MOST_RECENT)
        self._failing_since_s: float | None = None

    def succeeded(self) -> None:
        """A turn of its work was completed."""
        self.last_success_ms = now_ms()
        self._failing_since_s = None

    def failed(self, error: BaseException | str) -> None:
        """Its work failed, whether or not it is tried again."""
        now_s = self._clock()
        self.errors += 1
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.last_error = redact(text)[:300]
        self._recent_s.append(now_s)
        if self._failing_since_s is None:
            self._failing_since_s = now_s

    @property
    def failing_s(self) -> float:
        """Seconds since its work failed first without having succeeded again; 0 while it goes on."""
        return 0.0 if self._failing_since_s is None else self._clock() - self._failing_since_s

    @property
    def uptime_s(self) -> float:
        return self._clock() - self._started_s

    def heartbeat(self, work: Work, ended: bool = False) -> Heartbeat:
        """What is to be said now; `ended`: for the last time."""
        since_s = self._clock() - MINUTE_S
        while self._recent_s and self._recent_s[0] < since_s:
            self._recent_s.popleft()
        return Heartbeat(
            service=self.service,
            instance=self.instance,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            time=now_ms(),
            started=self._started_ms,
            uptime_s=round(self.uptime_s, 1),
            standby=self.standby,
            errors=self.errors,
            errors_last_minute=len(self._recent_s),
            last_error=self.last_error,
            last_success=self.last_success_ms,
            rss_bytes=psutil.Process().memory_info().rss,
            work=work,
            ended=ended,
        )


def watched(pulse: Pulse, work: Callable[[Client], Awaitable[None]]) -> Callable[[Client], Awaitable[None]]:
    """`work`, whose failures are counted."""

    async def counted(client: Client) -> None:
        try:
            await work(client)
        except Exception as error:
            pulse.failed(error)
            raise
        finally:
            pulse.standby = False

    return counted


@contextlib.asynccontextmanager
async def beating(url: str, access: Access, pulse: Pulse, report: Report) -> AsyncIterator[None]:
    """Within: say how the service is, through outages of the bus. A fault of what is within passes through alone."""

    async def say(client: Client, ended: bool = False) -> None:
        if client.is_connected:  # what is said late would be taken for the present
            said = msgspec.json.encode(pulse.heartbeat(report(), ended))
            await client.publish(subjects.health(pulse.service), said)

    async def beat(client: Client) -> None:
        await answer(client, access, pulse, report)
        try:
            while True:
                await say(client)
                await asyncio.sleep(HEARTBEAT_EVERY_S)
        except asyncio.CancelledError:
            with contextlib.suppress(*BUS_TRANSIENT):
                await say(client, ended=True)
            raise

    try:
        async with asyncio.TaskGroup() as group:
            saying = group.create_task(keep_connected(url, f"{pulse.service} health", beat, access=access))
            yield
            saying.cancel()
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None


class _Answering(Service):
    """A micro service that answers only into inboxes: elsewhere an answer of a service could be an order."""

    def __init__(self, client: Client, config: ServiceConfig, instance: str, inboxes: tuple[str, ...]) -> None:
        super().__init__(client, config)
        self._id = instance
        self._inboxes = inboxes

    def may_answer(self, reply: str) -> bool:
        return reply.startswith(self._inboxes)

    async def _handle_ping_request(self, msg: Msg) -> None:
        if self.may_answer(msg.reply):
            await super()._handle_ping_request(msg)

    async def _handle_info_request(self, msg: Msg) -> None:
        if self.may_answer(msg.reply):
            await super()._handle_info_request(msg)

    async def _handle_stats_request(self, msg: Msg) -> None:
        if self.may_answer(msg.reply):
            await super()._handle_stats_request(msg)


async def answer(client: Client, access: Access, pulse: Pulse, report: Report) -> None:
    """Let the service be found (`$SRV.PING`, `INFO`, `STATS`) and asked for its heartbeat, while `client` is open."""
    inboxes = ("_INBOX_tools.", f"{subjects.OPERATORS_INBOX}.") if access.credentials else (f"{ANYBODY.inbox_prefix}.",)
    config = ServiceConfig(
        name=subjects.micro_name(pulse.service),
        version=VERSION,
        description=_DESCRIPTIONS[pulse.service],
        stats_handler=lambda _: msgspec.to_builtins(pulse.heartbeat(report())),
    )
    service = _Answering(client, config, pulse.instance, inboxes)

    async def health(request: Request) -> None:
        if service.may_answer(request._msg.reply):
            await request.respond(msgspec.json.encode(pulse.heartbeat(report())))

    await service.start()
    await service.add_endpoint(name="health", subject=subjects.ask_health(pulse.service), handler=health)
    await client.flush()
