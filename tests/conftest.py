"""Real servers for the tests, and the running of `async def` tests.

One nats-server and one PostgreSQL per worker, made by the code that `sonde up` uses; per test a migrated database
cloned from a template, and streams without messages. `SONDE_TEST_DATABASE_URL` puts the databases of all workers on
another server, such as one with TimescaleDB.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from nats.js.errors import APIError

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import Server, nats_server, postgres_server
from infra.storage import database
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from tests.waiting import eventually
from tests.workers import files_in_memory, worker_count

T = TypeVar("T")

settings.register_profile("sonde", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no timed asserts
settings.load_profile("sonde")

GIVEN = os.environ.get("SONDE_TEST_DATABASE_URL")
STRATEGY = "wal_log" if GIVEN else "file_copy"
"""The latter takes half as long where checkpoints wait for no disk."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes when neither `-n` nor PYTEST_XDIST_AUTO_NUM_WORKERS gives a number."""
    given = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(given) if given else worker_count(config.args, config.option.keyword, os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: collecting garbage need not look at it again after every few tests."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: begun last they would keep one worker busy when the others have nothing left."""
    first = {"fault", "browser"}
    items.sort(key=lambda item: not any(marker.name in first for marker in item.iter_markers()))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test in a fresh event loop, with a browser in the browser's; fail it when it leaves tasks."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run() -> None:
        before = asyncio.all_tasks()
        await pyfuncitem.obj(**arguments)
        others = asyncio.all_tasks() - before
        if others:
            _, others = await asyncio.wait(others, timeout=0.5)  # those that were cancelled may need a turn to end
        assert not others, f"tasks left running: {others}"

    chromium = arguments.get("chromium")
    if chromium is None:
        asyncio.run(run(), debug=False)
    else:
        chromium.runner.run(run())
    return True


@contextmanager
def kept(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An async context manager held open between event loops, on a loop of its own."""
    with asyncio.Runner() as runner:
        value = runner.run(context.__aenter__())
        try:
            yield value
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The worker's nats-server."""
    with files_in_memory(tmp_path_factory.mktemp("nats")) as directory, kept(nats_server(directory)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Some database of the worker's PostgreSQL, for making others."""
    if GIVEN:
        yield GIVEN
        return
    with files_in_memory(tmp_path_factory.mktemp("postgres")) as directory, kept(postgres_server(directory)) as server:
        asyncio.run(forgo_durability(server.url))
        yield server.url


@pytest.fixture(scope="session")
def empty_template(postgres_url: str) -> Iterator[str]:
    """Name of a migrated database from which each test's is cloned."""
    name = f"sonde_test_{os.getpid()}"

    async def make() -> None:
        await command(postgres_url, f"CREATE DATABASE {name}")
        async with database.connection(named(postgres_url, name), "tests") as connection:
            await migrate(connection, await detect(connection))
        # Else Timescale's scheduler settles in it, and a database that somebody is in cannot be cloned.
        await command(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
        await command(postgres_url, others)

    asyncio.run(make())
    yield name
    asyncio.run(command(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def blank_database_url(postgres_url: str) -> Iterator[str]:
    """A database of the test's own with nothing in it."""
    with kept(fresh_database(postgres_url, "template0")) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str, empty_template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with kept(fresh_database(postgres_url, empty_template)) as url:
        yield url


@pytest.fixture
def bus_url(nats: Server) -> str:
    """The worker's nats-server with every stream there and empty."""
    asyncio.run(wipe(nats.url))
    return nats.url


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory for servers of the test's own."""
    return tmp_path / "data"


@asynccontextmanager
async def fresh_database(postgres_url: str, template: str) -> AsyncIterator[str]:
    """Address of a clone of `template`, dropped on leaving."""
    name = f"sonde_test_{secrets.token_hex(6)}"

    async def clone() -> bool:
        try:
            await command(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {STRATEGY}")
        except (
            asyncpg.ObjectInUseError
        ):  # the connection that made the template, or Timescale's scheduler, is still leaving
            return False
        return True

    await eventually(clone)
    yield named(postgres_url, name)
    await command(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


async def forgo_durability(postgres_url: str) -> None:
    """Let the disk write when it likes: no test cuts this server's power, and each makes and drops a database."""
    async with database.connection(postgres_url, "tests") as connection:
        for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '128MB'"):
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")


async def command(postgres_url: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    async with database.connection(postgres_url, "tests") as connection:
        await connection.execute(statement)


def named(postgres_url: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))


async def wipe(url: str) -> None:
    """Delete every stream with its consumers, and make ours again."""
    async with bus.connection(url, "tests") as client:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            if stream.config.name:
                await jetstream.delete_stream(stream.config.name)

        async def make() -> bool:
            try:
                await ensure_streams(client)
            except APIError:  # the server may still be removing the files of a stream of that name
                return False
            return True

        await eventually(make)
