"""Reaching the bus and the database from a command: a fault is one line that names what, where, why and the remedy."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator

import asyncpg
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from infra.addresses import redact
from infra.bus.access import settings_access
from infra.bus.connection import BUS_TRANSIENT, introduction
from infra.bus.connection import connection as bus_connection
from infra.bus.patience import Access, is_refusal
from infra.bus.tls import UntrustedServer, client_for
from infra.cli.process import CommandError, OutputClosed
from infra.settings import ServerSettings
from infra.storage.database import DATABASE_TRANSIENT, UNMIGRATED, Connection
from infra.storage.database import connection as database_connection
from infra.storage.engine import SchemaError
from infra.storage.migrate import MigrationError

WITHIN_S = 5

_NO_JETSTREAM = "start nats-server with JetStream (--jetstream)"
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)
_DATABASE_FAULTS: tuple[type[Exception], ...] = (
    *DATABASE_TRANSIENT,
    *UNMIGRATED,
    *_REFUSED,
    asyncpg.InvalidCatalogNameError,
    SchemaError,
    MigrationError,
)


class Unreachable(CommandError):
    """A server that a command needs does not answer, or does not do what it was asked; `why` in a few words."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why


@contextlib.asynccontextmanager
async def bus(settings: ServerSettings, name: str) -> AsyncIterator[Client]:
    """A connection to the bus. Raises Unreachable at the first error, also for a fault of the bus within."""
    url = settings.nats_url
    try:
        access = settings_access(settings)
        await _probe(url, name, access)
        async with bus_connection(url, name, access) as client:
            yield client
    except OutputClosed:
        raise
    except BUS_TRANSIENT as error:
        raise Unreachable(bus_text(url, error), reason(error)) from None


async def _probe(url: str, name: str, access: Access) -> None:
    """Connect once and close. A client that re-connects for ever, as ours does, never says why it cannot."""
    seen: list[Exception] = []
    told = introduction(url, access)

    async def on_error(error: Exception) -> None:
        seen.append(error)

    client = client_for(url)
    try:
        await client.connect(
            url,
            name=name,
            error_cb=on_error,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=WITHIN_S,
            **told,
        )
    except nats.errors.NoServersError as error:
        first: Exception = seen[0] if seen else error
        raise first from None
    finally:
        with contextlib.suppress(*BUS_TRANSIENT):
            await client.close()


@contextlib.asynccontextmanager
async def database(url: str, name: str) -> AsyncIterator[Connection]:
    """A connection to the database. Raises Unreachable, also for a fault of the database within."""
    try:
        async with database_connection(url, name) as connection:
            yield connection
    except _DATABASE_FAULTS as error:
        raise Unreachable(database_text(url, error), reason(error)) from None


def bus_text(url: str, error: Exception) -> str:
    """Why the bus at `url` is of no use, and what to do."""
    where = redact(url)
    if isinstance(error, UntrustedServer):
        return f"bus at {where}: {error} (SONDE_NATS_CA)"
    if is_refusal(error):
        return f"bus at {where} refuses this user: {reason(error)}; set SONDE_NATS_CREDENTIALS to its .creds file"
    if isinstance(error, nats.js.errors.APIError):
        return f"bus at {where}: {error.description}; run `sonde migrate` or see the log of nats-server"
    if isinstance(error, nats.errors.NoRespondersError):
        return f"bus at {where} has no JetStream; {_NO_JETSTREAM}"
    return f"no bus at {where}: {reason(error)}; start nats-server, or set SONDE_NATS_URL"


def database_text(url: str, error: Exception) -> str:
    """Why the database at `url` is of no use, and what to do."""
    where = redact(url)
    if isinstance(error, UNMIGRATED):
        return f"database at {where} is not migrated: {reason(error)}; run `sonde migrate`"
    if isinstance(error, SchemaError | MigrationError):
        return f"database at {where}: {error}"
    if isinstance(error, _REFUSED):
        return f"database at {where} refuses this user: {reason(error)}; set SONDE_DATABASE_URL with a user that may"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return f"database at {where}: {reason(error)}; create it, or set SONDE_DATABASE_URL"
    if isinstance(error, asyncpg.DiskFullError):
        return f"database at {where}: its disk is full: {reason(error)}; free space on it"
    if isinstance(error, asyncpg.LockNotAvailableError):
        return f"database at {where}: {reason(error)}; another session holds the lock, try again later"
    return f"no database at {where}: {reason(error)}; start PostgreSQL, or set SONDE_DATABASE_URL"


def reason(error: BaseException) -> str:
    """Why, in a few words, on one line and without secrets."""
    if isinstance(error, socket.gaierror):
        return f"host name not found ({error.strerror})"
    if isinstance(error, TimeoutError):
        return f"no answer within {WITHIN_S} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    if isinstance(error, nats.errors.AuthorizationError) or "authorization violation" in str(error).lower():
        return "identity not accepted: none, or one that is revoked, expired or of another authority"
    lines = str(error).removeprefix("nats: ").splitlines()
    return redact(lines[0])[:300] if lines and lines[0] else type(error).__name__
