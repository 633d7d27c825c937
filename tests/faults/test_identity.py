"""An agent whose identity the bus does not accept keeps everything, knocks ever more seldom, and says so once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.bus.patience import Access
from infra.bus.streams import ensure_streams
from tests.faults.agents import agent, assert_complete, count, said, settings, spooled, times
from tests.guarded import ADMIN, Authority, Guarded, guarded_server, running
from tests.waiting import eventually

REFUSED = "bus refuses this program, will retry"


@pytest.mark.fault
async def test_a_revoked_agent_keeps_its_samples_says_so_once_and_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    async with (
        guarded_server(tmp_path / "nats", "web-1") as guarded,
        bus.connection(guarded.url(ADMIN), "admin") as admin,
    ):
        await ensure_streams(admin)
        data = tmp_path / "data"
        async with agent(settings(data, guarded.url("web-1"))):
            await eventually(lambda: count(admin, 5))
            lines = len(caplog.records)
            guarded.admit()
            await guarded.reload()
            await eventually(lambda: guarded.refusals() >= 3, 20)
            assert len(caplog.records) - lines <= 5, "a line per try"
            revoked_at = spooled(data)
            await eventually(lambda: spooled(data) > revoked_at, 5)
            assert said(caplog, REFUSED) == 1
            before = len(await times(admin))
            guarded.admit("web-1")
            await guarded.reload()
            await eventually(lambda: count(admin, before + 30), 30)
        assert_complete(await times(admin), taken)


@pytest.mark.fault
async def test_an_agent_that_was_never_admitted_stops_in_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with guarded_server(tmp_path / "nats") as guarded:
        async with agent(settings(tmp_path / "data", guarded.url("web-1"))):
            await eventually(lambda: guarded.refusals() >= 2 and spooled(tmp_path / "data") > 2000)
        assert said(caplog, REFUSED) == 1
        assert "secret" not in caplog.text


@pytest.mark.fault
async def test_an_agent_needs_no_more_than_the_permissions_of_agents(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        guarded_server(tmp_path / "nats", "web-1") as guarded,
        bus.connection(guarded.url(ADMIN), "admin") as admin,
    ):
        await ensure_streams(admin)
        async with agent(settings(tmp_path / "data", guarded.url("web-1"))):
            await eventually(lambda: count(admin, 15))
    assert "permissions violation" not in caplog.text.lower()


@asynccontextmanager
async def by_jwt(directory: Path) -> AsyncIterator[tuple[Guarded, Authority]]:
    directory.mkdir()
    authority, guarded = Authority(), Guarded(directory)
    guarded.write(authority.access())
    async with running(guarded):
        guarded.server.url = f"nats://127.0.0.1:{guarded.server.port}"
        yield guarded, authority


@pytest.mark.fault
async def test_an_agent_connects_with_a_credentials_file(tmp_path: Path) -> None:
    async with by_jwt(tmp_path / "nats") as (guarded, authority):
        mine, theirs = tmp_path / "mine.creds", tmp_path / "theirs.creds"
        mine.write_text(authority.credentials("web-1"))
        theirs.write_text(authority.credentials("admin"))
        admin = await bus.connect(guarded.server.url, "admin", access=Access(str(theirs)))
        await ensure_streams(admin)
        async with agent(settings(tmp_path / "data", guarded.server.url, nats_credentials=str(mine))):
            await eventually(lambda: count(admin, 10))
        await admin.close()


@pytest.mark.fault
async def test_a_missing_or_wrong_credentials_file_is_named_and_its_replacement_used_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with by_jwt(tmp_path / "nats") as (guarded, authority):
        path, theirs = tmp_path / "web-1.creds", tmp_path / "theirs.creds"
        theirs.write_text(authority.credentials("admin"))
        admin = await bus.connect(guarded.server.url, "admin", access=Access(str(theirs)))
        await ensure_streams(admin)
        async with agent(settings(tmp_path / "data", guarded.server.url, nats_credentials=str(path))):
            await eventually(lambda: said(caplog, REFUSED) == 1)
            assert f"credentials file {path}: No such file" in str(caplog.records[-1].__dict__)
            path.write_text(Authority().credentials("web-1"))  # of another operator
            await eventually(lambda: said(caplog, REFUSED) == 2)
            path.write_text("gibberish")
            await eventually(lambda: said(caplog, REFUSED) == 3)
            path.write_text(authority.credentials("web-1"))
            await eventually(lambda: count(admin, 10), 20)
        await admin.close()
