"""Settings and orders for an agent that was away, and that may do nothing but what agents may."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from schemas.agentconfig import AgentConfig
from schemas.commands import CommandReply, CommandRequest
from schemas.subjects import command, config_key
from tests.faults.agents import agent, assert_complete, count, settings, times
from tests.guarded import ADMIN, guarded_server
from tests.waiting import eventually


async def revision(admin: Client) -> int:
    """Of the settings in force, as the agent says when asked."""
    request = CommandRequest(f"at {time.time()}", time.time() + 5)
    message = await admin.request(command("web-1", "status"), msgspec.json.encode(request), timeout=5)
    reply = msgspec.json.decode(message.data, type=CommandReply)
    assert reply.ok, reply.error
    return int(reply.result["config_revision"])


async def put(admin: Client, config: AgentConfig) -> None:
    await admin.jetstream().publish(config_key("web-1"), msgspec.json.encode(config))


@pytest.mark.fault
async def test_settings_that_changed_while_an_agent_was_refused_are_in_force_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    async with (
        guarded_server(tmp_path / "nats", "web-1") as guarded,
        bus.connection(guarded.url(ADMIN), "admin") as admin,
    ):
        await ensure_streams(admin)
        await put(admin, AgentConfig(1, batch_interval_s=0.6))
        async with agent(settings(tmp_path / "data", guarded.url("web-1"))):
            await eventually(lambda: count(admin, 5))
            assert await revision(admin) == 1
            guarded.admit()
            await guarded.reload()
            await eventually(lambda: guarded.refusals() >= 1, 20)
            await put(admin, AgentConfig(2, batch_interval_s=0.7))
            before = len(await times(admin))
            guarded.admit("web-1")
            await guarded.reload()
            await eventually(lambda: count(admin, before + 20), 30)

            async def in_force() -> bool:
                return await revision(admin) == 2

            await eventually(in_force)
        assert_complete(await times(admin), taken)
    assert "permissions violation" not in caplog.text.lower()
