"""Connecting to NATS and staying connected.

nats-py re-connects after a broken socket but closes for good on most errors that the server sends. `keep_connected` is
the supervisor around it: it connects, runs the work, and starts both again with back-off whenever either ends by a
fault of the outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import nats.errors
from nats.aio.client import Client

from infra.bus.backoff import Backoff
from infra.bus.credentials import identity
from infra.bus.patience import ANYBODY, Access, Patience
from infra.bus.tls import client_for, is_encrypted, trust
from infra.bus.wait_for import mend_wait_for

mend_wait_for()
logger = logging.getLogger(__name__)
T = TypeVar("T")

_CLOSED = "handler is closed"
"""uvloop's RuntimeError for writing to a socket that has just gone."""
GRACE_S = 3.0
"""How long work at hand may go on after the stop."""

BUS_TRANSIENT: tuple[type[Exception], ...] = (nats.errors.Error, OSError, TimeoutError, asyncio.TimeoutError)
"""What a bus that is away or being restarted raises: try again, holding the position."""


class ConnectionLost(nats.errors.Error):
    """The client closed for good; a new connection is needed."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "connection lost"


async def connect(
    url: str,
    name: str,
    *,
    closed: asyncio.Event | None = None,
    access: Access = ANYBODY,
    patience: Patience | None = None,
) -> Client:
    """A connection that re-connects for ever; sets `closed` when the client gives up all the same.

    While the bus refuses us, this waits as it does while there is no bus. `url` may be several addresses, separated by
    commas. User and password can stand in them.
    `patience`: of earlier connections, so that what went wrong with them is not said again.
    """
    patience = patience or Patience(name, access)

    async def on_error(error: Exception) -> None:
        # The client awaits this between two tries to connect, and has no back-off of its own: without one, a fleet that
        # lost its server would knock four times a second each. On a connection that works it is called, too.
        if not client.is_connected and client._transport is not None:
            client._transport.close()  # of a try that was refused, which it would leave to the garbage collector
        await patience.after(error, client.is_connected)

    async def on_disconnect() -> None:
        if not client.is_closed:  # closing is no news to whoever closes
            logger.warning("bus disconnected", extra={"client": name})

    async def on_reconnect() -> None:
        patience.reset()
        logger.info("bus reconnected", extra={"client": name})

    async def on_close() -> None:
        if closed is not None:
            closed.set()

    urls = url.split(",")
    client = client_for(url)
    connecting = client.connect(
        urls,
        name=name,
        error_cb=on_error,
        disconnected_cb=on_disconnect,
        reconnected_cb=on_reconnect,
        closed_cb=on_close,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.25,  # type: ignore[arg-type]  # it is slept, so fractions work
        connect_timeout=5,
        ping_interval=20,
        max_outstanding_pings=2,
        inbox_prefix=access.inbox_prefix.encode(),
        pending_size=8 * 2**20,
        **introduction(url, access),
    )
    try:
        await connecting
    except BaseException:
        await _close(client)
        raise
    return client


def introduction(url: str, access: Access) -> dict[str, Any]:
    """The arguments of `Client.connect` that say who we are, and whose word is taken for the server."""
    sign, jwt = identity(access.credentials) if access.credentials else (None, None)
    encrypted = is_encrypted(url)
    return {
        "signature_cb": sign,
        "user_jwt_cb": jwt,
        "tls": trust(access.ca) if encrypted else None,
        "tls_hostname": access.server_name or None,
        "tls_handshake_first": encrypted,
    }


@contextlib.asynccontextmanager
async def connection(url: str, name: str, access: Access = ANYBODY) -> AsyncIterator[Client]:
    """A connection for tools and tests, closed on leaving. Raises when there is none within 10 s."""
    async with asyncio.timeout(10):
        client = await connect(url, name, access=access)
    try:
        yield client
    finally:
        await _close(client)


async def keep_connected(
    url: str,
    name: str,
    work: Callable[[Client], Awaitable[None]],
    *,
    stop: asyncio.Event | None = None,
    transient: tuple[type[Exception], ...] = BUS_TRANSIENT,
    backoff: Backoff | None = None,
    access: Access = ANYBODY,
) -> None:
    """Run `work(client)` until it returns, on a fresh connection after each transient fault.

    Once `stop` is set nothing is tried again, and work at hand has `GRACE_S` to return. Cancelling ends it too. An
    exception outside `transient` is a bug and passes through, alone rather than in a group.
    """
    ended = asyncio.Event() if stop is None else stop
    again = backoff or Backoff(0.25, 15)
    given_up = asyncio.Event()
    trying = asyncio.ensure_future(_try_for_ever(url, name, work, ended, given_up, transient, again, access))
    told = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait({trying, told}, return_when=asyncio.FIRST_COMPLETED)
        if not trying.done():
            await asyncio.wait({trying}, timeout=GRACE_S)
    finally:
        told.cancel()
        # TaskGroup before Python 3.13 forgets that it was cancelled when it is just ending by an error of its own.
        given_up.set()
        if not trying.done():
            trying.cancel()
            await asyncio.wait({trying})
        fault = None if trying.cancelled() else trying.exception()
    if fault is not None:
        raise fault


async def _try_for_ever(
    url: str,
    name: str,
    work: Callable[[Client], Awaitable[None]],
    ended: asyncio.Event,
    given_up: asyncio.Event,
    transient: tuple[type[Exception], ...],
    backoff: Backoff,
    access: Access,
) -> None:
    loop = asyncio.get_running_loop()
    patience = Patience(name, access)
    while not ended.is_set():
        closed = asyncio.Event()
        client: Client | None = None
        started = loop.time()
        try:
            connecting = connect(url, name, closed=closed, access=access, patience=patience)
            client = await _unless(ended, connecting, _close)
            started = loop.time()
            if client is not None:
                await _until_closed(client, closed, work)
            return
        except Exception as error:
            gone = isinstance(error, RuntimeError) and _CLOSED in str(error)
            if not gone and not isinstance(error, transient):
                raise
            if loop.time() - started > 30:
                backoff.reset()
                patience.reset()
            wait_s = backoff.next_s()
            text = f"{type(error).__name__}: {error}"[:300]
            if patience.news(text):
                facts = {"client": name, "error": text, "wait_s": round(wait_s, 2)}
                logger.warning("bus session interrupted, will retry", extra=facts)
        finally:
            if client is not None:
                await _close(client)
        if given_up.is_set():
            return
        await _unless(ended, asyncio.sleep(wait_s))


async def _unless(
    ended: asyncio.Event, waiting: Coroutine[Any, Any, T], release: Callable[[T], Awaitable[None]] | None = None
) -> T | None:
    """What `waiting` returns; None when `ended` is set first. `release`: for a result that came too late."""
    task, told = asyncio.ensure_future(waiting), asyncio.ensure_future(ended.wait())
    in_time = False
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        in_time = task.done()
        return task.result() if in_time else None
    finally:
        told.cancel()
        if not in_time:
            task.cancel()
            await asyncio.wait({task})
            if release is not None and not task.cancelled() and task.exception() is None:
                await release(task.result())


async def _until_closed(client: Client, closed: asyncio.Event, work: Callable[[Client], Awaitable[None]]) -> None:
    """Run `work`, ended by ConnectionLost when `closed` is set. The first exception passes through bare."""

    async def watch() -> None:
        await closed.wait()
        raise ConnectionLost(*([str(client.last_error)] if client.last_error else []))

    try:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(watch())
            await work(client)
            watcher.cancel()
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None


def first_fault(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception that best explains a failed group: a bug before an expected fault, else the first one."""
    flat: list[BaseException] = []
    stack: list[BaseException] = [faults]
    while stack:
        fault = stack.pop(0)
        if isinstance(fault, BaseExceptionGroup):
            stack[:0] = fault.exceptions
        else:
            flat.append(fault)
    return next((fault for fault in flat if not isinstance(fault, BUS_TRANSIENT)), flat[0])


async def _close(client: Client) -> None:
    """Close within two seconds, whatever state the connection is in."""
    receiving: list[Any] = [sub._wait_for_msgs_task for sub in client._subs.values() if sub._wait_for_msgs_task]
    try:
        with contextlib.suppress(*BUS_TRANSIENT):
            async with asyncio.timeout(2):
                try:
                    await client.close()
                except RuntimeError as error:
                    if _CLOSED not in str(error):
                        raise
                    # It stopped half-way, at what was left to send: once more, without that.
                    client._pending, client._pending_data_size, client._status = [], 0, Client.DISCONNECTED
                    await client.close()
    finally:
        for task in receiving:  # a socket that breaks under the closing leaves them waiting for ever
            task.cancel()
