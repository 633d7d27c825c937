"""`sonde agent enrol` and `wait`, as processes, against a real gateway, bus and database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from agent.identity.state import credentials_path, directory_of, load
from agent.spool.spool import Limits, open_spool
from infra.bus import connection as bus
from infra.bus.patience import access_of
from infra.settings import ServerSettings
from infra.storage import database
from services.ingest import service as ingest
from tests.agent.build import samples, spool_samples
from tests.agent.identity.world import Ended, World, sonde, world
from tests.authority import user
from tests.faults.agents import agent

KILLED = """
import os, signal, sys
from agent.__main__ import main

left, fsync = int(sys.argv.pop(1)), os.fsync

def counted(fd):
    global left
    fsync(fd)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

os.fsync = counted
sys.exit(main(sys.argv[1:]))
"""
"""Killed right after the n-th time that something is on the disk: before and after each file gets its name."""


async def enrol(world: World, data: Path, token: Path, *words: str, killed_after: int = 0) -> Ended:
    command = ("enrol", "--gateway", world.address, "--token-file", str(token), *words)
    if killed_after:
        return await sonde(data, str(killed_after), *command, script=KILLED)
    return await sonde(data, *command)


async def identities(database_url: str) -> list[tuple[str, bool]]:
    """Host of each identity, and whether it was revoked, oldest first."""
    async with database.connection(database_url, "test") as connection:
        rows = await connection.fetch("SELECT host, revoked IS NOT NULL AS revoked FROM identities ORDER BY enrolled")
    return [(row["host"], row["revoked"]) for row in rows]


async def hosts(database_url: str) -> list[str]:
    async with database.connection(database_url, "test") as connection:
        return [row["name"] for row in await connection.fetch("SELECT name FROM hosts ORDER BY id")]


async def test_a_machine_that_enrolled_is_a_user_of_the_bus(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        done = await enrol(joined, tmp_path / "data", await joined.token_file(tmp_path), "--name", "web-1")
        assert (done.status, done.out) == (0, f"enrolled as web-1; {joined.address}/hosts/web-1\n"), done.err
        identity = load(str(tmp_path / "data"))
        assert identity is not None
        assert (identity.host, identity.bus) == ("web-1", [joined.server.url])
        access = access_of(str(credentials_path(str(tmp_path / "data"))))
        async with bus.connection(joined.server.url, "web-1", access) as client:
            await client.publish("metrics.web-1", b"")
            await client.flush()


async def test_the_token_may_come_on_standard_input(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        secret = (await joined.token_file(tmp_path)).read_text()
        words = ("enrol", "--gateway", joined.address, "--token-file", "-", "--name", "web-1")
        assert (await sonde(tmp_path / "data", *words, stdin=secret)).status == 0


async def test_a_machine_that_is_enrolled_says_so_and_changes_nothing(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        before = {path.name: path.read_bytes() for path in directory_of(str(data)).iterdir()}
        done = await enrol(joined, data, tmp_path / "nowhere", "--name", "web-2")
        assert done.status == 0
        assert done.out.startswith(f"already enrolled as web-1 at {joined.address}; --again makes a new identity")
        assert {path.name: path.read_bytes() for path in directory_of(str(data)).iterdir()} == before


async def test_killed_anywhere_the_same_command_ends_as_one_host(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        killed = 0
        for point in range(1, 20):
            data, name = tmp_path / f"data{point}", f"web-{point}"
            token = await joined.token_file(tmp_path)
            done = await enrol(joined, data, token, "--name", name, killed_after=point)
            if not done.killed:
                assert done.status == 0, done.err
                break
            killed += 1
            again = await enrol(joined, data, token, "--name", name)
            assert again.status == 0, again.err
            assert credentials_path(str(data)).exists()
        assert killed >= 6, "the seed, the identity and the credentials, each before and after it has its name"
        expected = [f"web-{point}" for point in range(1, killed + 2)]
        assert sorted(await hosts(database_url)) == sorted(expected)
        assert sorted(await identities(database_url)) == sorted((name, False) for name in expected)


async def test_killed_anywhere_enrolling_again_ends_as_one_new_host(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        killed = 0
        for point in range(1, 30):
            data = tmp_path / f"data{point}"
            await enrol(joined, data, await joined.token_file(tmp_path), "--name", f"old-{point}")
            token = await joined.token_file(tmp_path)
            words = ("--again", "--name", f"new-{point}")
            done = await enrol(joined, data, token, *words, killed_after=point)
            if done.killed:
                killed += 1
                again = await enrol(joined, data, token, *words)
                assert again.status == 0, again.err
            identity = load(str(data))
            assert identity is not None
            assert identity.host == f"new-{point}"
            if not done.killed:
                break
        assert killed >= 8
        assert len(await hosts(database_url)) == 2 * (killed + 1)


async def test_after_a_lost_answer_another_token_does_as_well(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        lost = await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1", killed_after=3)
        assert lost.killed
        assert load(str(data)) is None
        done = await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        assert (done.status, done.out.split(";")[0]) == (0, "enrolled as web-1"), done.err
        assert await identities(database_url) == [("web-1", False)]


async def test_a_revoked_machine_enrols_again(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        assert (await joined.client.post("/hosts/web-1/revoke")).status_code == 200
        token = await joined.token_file(tmp_path, host="web-1")
        done = await enrol(joined, data, token, "--again")
        assert (done.status, done.out.split(";")[0]) == (0, "enrolled as web-1"), done.err
        assert await identities(database_url) == [("web-1", True), ("web-1", False)]


async def test_a_token_that_was_used_is_refused_with_the_remedy(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        token = await joined.token_file(tmp_path)
        await enrol(joined, tmp_path / "one", token, "--name", "web-1")
        done = await enrol(joined, tmp_path / "two", token, "--name", "web-2")
        assert done.status == 1
        assert "the token was used already; ask whoever runs Sonde for a new one" in done.err
        assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--token-file", "/nowhere"], "--gateway is needed, or SONDE_GATEWAY"),
        (["--gateway", "https://x"], "--token-file is needed, or SONDE_TOKEN_FILE"),
        (["--gateway", "https://x", "--token-file", "/nowhere"], "/nowhere: no such file or directory; write"),
        (["--gateway", "https://x", "--token-file", "/dev/null"], "/dev/null: 0 words; it must hold one enrolment"),
        (["--gateway", "http://gw.example", "--token-file", "TOKEN"], "do not cross a network unencrypted"),
        (["--gateway", "x", "--token-file", "TOKEN"], "write https://HOST:8080"),
        (["--gateway", "https://x", "--token-file", "TOKEN", "--name", "fleet"], "'fleet' is reserved; use"),
        (["--gateway", "https://x", "--token-file", "TOKEN", "--name", "a.b"], "'a.b' must be 1 to 40 characters"),
        (["--gateway", "https://x", "--token-file", "TOKEN", "--ca-fingerprint", "12"], "64 hexadecimal digits"),
        (["--again", "--dance"], "unrecognized arguments: --dance; see `sonde agent enrol --help`"),
    ],
)
async def test_a_refusal_is_one_line(tmp_path: Path, words: list[str], line: str) -> None:
    (tmp_path / "token").write_text("sonde_x\n")
    done = await sonde(tmp_path, "enrol", *(str(tmp_path / "token") if word == "TOKEN" else word for word in words))
    assert done.status in (1, 2)
    assert line in done.err
    assert len(done.err.splitlines()) == 1


def backlog(data: Path, host: str) -> Callable[[], int]:
    """Batches of `host` wait in the spool of this data directory; returns what counts them."""
    spool = open_spool(data / "agent" / "spool", Limits())
    spool_samples(spool, samples(30), host)
    spool.close()

    def count() -> int:
        again = open_spool(data / "agent" / "spool", Limits())
        try:
            return again.backlog.batches
        finally:
            again.close()

    return count


async def test_a_clone_that_enrols_again_does_not_send_what_it_has_of_the_other(
    database_url: str, tmp_path: Path
) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        waiting = backlog(data, "web-1")
        assert waiting() == 3
        done = await enrol(joined, data, await joined.token_file(tmp_path), "--again", "--name", "web-1")
        assert done.status == 0, done.err
        aside = data / "agent" / "spool.web-1"
        assert done.out.splitlines()[0] == f"what waited in the spool was sampled as another host, set aside in {aside}"
        assert list(aside.glob("*.spool"))
        assert waiting() == 0
        assert sorted(await identities(database_url)) == [("web-1", False), ("web-1-2", False)]


async def test_what_waits_of_the_same_host_is_kept(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        waiting = backlog(data, "web-1")
        done = await enrol(joined, data, await joined.token_file(tmp_path, host="web-1"), "--again")
        assert done.status == 0, done.err
        assert waiting() == 3


async def test_enrolling_again_under_a_running_agent_is_refused(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        async with agent(await joined.settings(data)):
            assert (await sonde(data, "wait", "--timeout", "20")).err.startswith("agent: the bus has samples")
            done = await enrol(joined, data, await joined.token_file(tmp_path), "--again")
        assert done.status == 1
        assert "stop it first" in done.err


@asynccontextmanager
async def storing(joined: World, database_url: str) -> AsyncIterator[None]:
    """Ingest at work."""
    import asyncio

    stop = asyncio.Event()
    credentials = str(joined.authority.credentials_path("ingest"))
    settings = ServerSettings(nats_url=joined.server.url, database_url=database_url, nats_credentials=credentials)
    assert user(joined.authority, "ingest").credentials == credentials
    async with asyncio.TaskGroup() as group:
        group.create_task(ingest.run(settings, stop))
        try:
            yield
        finally:
            stop.set()


async def test_waiting_ends_when_a_sample_is_in_the_database(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined, storing(joined, database_url):
        data = tmp_path / "data"
        async with agent(await joined.settings(data)):
            done = await sonde(data, "wait", "--timeout", "60")
        assert (done.status, done.out) == (
            0,
            f"web-1: samples are being stored; {joined.address}/hosts/web-1\n",
        ), done.err
        assert "web-1" in await hosts(database_url)


async def test_waiting_says_what_is_missing(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        done = await sonde(data, "wait", "--timeout", "0.1")
        assert (done.status, "not enrolled; run sonde agent enrol" in done.err) == (1, True)
        await enrol(joined, data, await joined.token_file(tmp_path), "--name", "web-1")
        done = await sonde(data, "wait", "--timeout", "0.1")
        assert (done.status, "no agent runs on this data directory; start it" in done.err) == (1, True)


async def test_status_shows_who_the_agent_is(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined:
        data = tmp_path / "data"
        async with agent(await joined.settings(data)):
            await sonde(data, "wait", "--timeout", "20")
            told = msgspec.json.decode((await sonde(data, "status", "--json")).out)
        identity = load(str(data))
        assert identity is not None
        assert told["host"] == "web-1"
        assert told["identity"]["gateway"] == joined.address
        assert told["identity"]["renewal"].startswith("due ")
        assert told["bus"]["stored_at"] > identity.issued - 5
