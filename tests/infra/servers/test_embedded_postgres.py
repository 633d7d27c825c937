"""PostgreSQL as a child: the cluster on disk, ports, crashes."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.servers.cluster import traversable
from infra.servers.embedded import EmbeddedServerError, PortTakenError, postgres_server
from infra.storage import database
from tests.conftest import kept


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a cluster that was started once and is stopped."""
    directory = tmp_path_factory.mktemp("made") / "postgres"
    with kept(postgres_server(directory)):
        pass
    return directory


@pytest.fixture
def cluster(made_once: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it for the test to spoil."""
    directory = tmp_path / "postgres"
    shutil.copytree(made_once, directory)
    yield directory
    shutil.rmtree(directory)


async def value(url: str, query: str) -> object:
    async with database.connection(url, "test") as connection:
        return await connection.fetchval(query)


async def test_a_first_start_makes_the_database(data_dir: Path) -> None:
    async with postgres_server(data_dir) as server:
        assert await value(server.url, "SELECT current_database()") == "sonde"


async def test_an_interrupted_first_start_is_begun_anew(data_dir: Path) -> None:
    (data_dir / "data.new").mkdir(parents=True)
    (data_dir / "data.new" / "PG_VERSION").write_text("18\n")
    async with postgres_server(data_dir) as server:
        assert await value(server.url, "SELECT 1") == 1


async def test_a_restart_finds_the_same_port_and_the_rows(cluster: Path) -> None:
    async with postgres_server(cluster) as first:
        await value(first.url, "CREATE TABLE t AS SELECT 7 AS kept")
    async with postgres_server(cluster) as second:
        assert second.url == first.url
        assert await value(second.url, "SELECT kept FROM t") == 7


async def test_a_killed_server_restarts_with_everything_committed(cluster: Path) -> None:
    async with postgres_server(cluster) as server:
        await value(server.url, "CREATE TABLE t AS SELECT 7 AS kept")
        await server.kill()
        assert "PostgreSQL was killed by SIGKILL" in await server.exited()
        await server.restart()
        assert await value(server.url, "SELECT kept FROM t") == 7


async def test_nobody_comes_in_without_the_password(cluster: Path) -> None:
    async with postgres_server(cluster) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(f"postgresql://sonde:guess@127.0.0.1:{server.port}/sonde?sslmode=disable", "SELECT 1")
    assert stat.S_IMODE((cluster / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((cluster / "data").stat().st_mode) == 0o700


async def test_commits_wait_for_the_disk(cluster: Path) -> None:
    async with postgres_server(cluster) as server, database.connection(server.url, "test") as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval(f"SHOW {setting}") == "on"


async def test_settings_in_postgresql_conf_win(cluster: Path) -> None:
    with (cluster / "data" / "postgresql.conf").open("a") as file:
        file.write("work_mem = '11MB'\nshared_buffers = '32MB'\n")
    async with postgres_server(cluster) as server:
        assert await value(server.url, "SHOW work_mem") == "11MB"
        assert await value(server.url, "SHOW shared_buffers") == "32MB"


async def test_a_taken_port_is_named(cluster: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"PostgreSQL: port {port} is in use"):
            async with postgres_server(cluster, port):
                pass


async def test_a_second_server_on_the_same_directory_is_refused(cluster: Path) -> None:
    async with postgres_server(cluster):
        with pytest.raises(EmbeddedServerError, match=r"in use by another sonde .*SONDE_DATA"):
            async with postgres_server(cluster):
                pass


async def test_a_pid_file_whose_number_is_another_process_by_now_does_not_matter(cluster: Path) -> None:
    (cluster / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n{cluster / 'data'}\n1\n5432\n\n127.0.0.1\n")
    async with postgres_server(cluster) as server:
        assert await value(server.url, "SELECT 1") == 1


async def test_a_server_started_by_hand_on_the_cluster_is_left_alone(cluster: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=cluster / "data") as stranger:
        (cluster / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")
        with pytest.raises(EmbeddedServerError, match=f"did not start .process {stranger.pid}.; stop it"):
            async with postgres_server(cluster):
                pass
        assert stranger.poll() is None
        stranger.kill()


async def test_a_cluster_of_another_version_is_refused(cluster: Path) -> None:
    (cluster / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedServerError, match="created by PostgreSQL 14, but PostgreSQL"):
        async with postgres_server(cluster):
            pass


async def test_stopping_does_not_wait_for_clients_to_leave(cluster: Path) -> None:
    async with postgres_server(cluster) as server:
        connection = await database.connect(server.url, "test")
        await connection.execute("CREATE TABLE t AS SELECT generate_series(1, 100000) AS n")
        await server.stop()
        connection.terminate()
        assert server.process.returncode == 0


def test_traversable_asks_the_first_class_that_fits(tmp_path: Path) -> None:
    own = tmp_path.stat()
    tmp_path.chmod(0o701)
    closed_to_group = tmp_path.stat()
    assert traversable(closed_to_group, own.st_uid, 12345)
    assert not traversable(closed_to_group, 12345, own.st_gid)
    assert traversable(closed_to_group, 12345, 12345)
