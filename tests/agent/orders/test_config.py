"""Pushed settings at the agent's end, on a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from nats.aio.client import Client

from agent.orders.config import Pushed, follow_config, read_config
from agent.sampling.plan import Plans, make_plan
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.bus import connection as bus
from infra.settings import AgentSettings
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.subjects import CONFIG_STREAM, OPERATION, config_key
from schemas.watches import PushedConfig
from tests.agent.build import ended
from tests.waiting import eventually


class Agent:
    """What of an agent follows pushed settings."""

    def __init__(self, data: Path) -> None:
        (data / "agent").mkdir(parents=True, exist_ok=True)
        self.settings = AgentSettings(data=str(data))
        self.plans = Plans(make_plan(self.settings))
        self.status = AgentState()
        self.pushed = Pushed(self.settings, self.plans, self.status, Worker("test"))

    @property
    def interval_s(self) -> float:
        return self.plans.current.sample_interval_s


@asynccontextmanager
async def following(agent: Agent, url: str, ask_every_s: float = 300) -> AsyncIterator[None]:
    async with bus.connection(url, "agent") as client:
        task = asyncio.ensure_future(follow_config(client, "web-1", agent.pushed, ask_every_s))
        try:
            yield
        finally:
            await ended(task)


async def put(client: Client, config: AgentConfig, host: str = "web-1") -> None:
    await client.jetstream().publish(config_key(host), msgspec.json.encode(config))


async def test_what_the_bucket_holds_is_taken_on_connecting(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(3, sample_interval_s=2))
    agent = Agent(tmp_path)
    async with following(agent, bus_url):
        await eventually(lambda: agent.interval_s == 2)
    assert agent.plans.current.revision == 3


async def test_a_change_is_heard_without_asking(bus_url: str, tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    async with bus.connection(bus_url, "test") as client, following(agent, bus_url):
        for revision in (1, 2):
            await put(client, AgentConfig(revision, sample_interval_s=revision * 2))
            await eventually(lambda revision=revision: agent.interval_s == revision * 2)  # type: ignore[misc]


async def test_another_hosts_settings_are_not_taken(bus_url: str, tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    async with bus.connection(bus_url, "test") as client, following(agent, bus_url):
        await put(client, AgentConfig(9, sample_interval_s=9), host="web-2")
        await put(client, AgentConfig(1, sample_interval_s=2))
        await eventually(lambda: agent.interval_s == 2)
    assert agent.plans.current.revision == 1


async def test_what_was_missed_is_found_by_asking(bus_url: str, tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    async with following(agent, bus_url):
        pass
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(5, sample_interval_s=3))
    async with following(agent, bus_url):
        await eventually(lambda: agent.interval_s == 3)


async def test_news_that_come_late_are_no_news(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    await agent.pushed.take(msgspec.json.encode(AgentConfig(5, sample_interval_s=5)), asked=False)
    await agent.pushed.take(msgspec.json.encode(AgentConfig(4, sample_interval_s=4)), asked=False)
    assert agent.interval_s == 5


async def test_the_bucket_of_a_restored_database_wins(bus_url: str, tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    await agent.pushed.take(msgspec.json.encode(AgentConfig(50, sample_interval_s=5)), asked=False)
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(7, sample_interval_s=2))
    async with following(agent, bus_url):
        await eventually(lambda: agent.interval_s == 2)


async def test_a_deleted_entry_gives_the_process_settings_back(bus_url: str, tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(3, sample_interval_s=2))
        async with following(agent, bus_url, ask_every_s=0.2):
            await eventually(lambda: agent.interval_s == 2)
            await client.jetstream().publish(config_key("web-1"), b"", headers={"KV-Operation": "DEL"})
            await eventually(lambda: agent.interval_s == 1)


async def test_an_entry_that_is_removed_is_noticed_without_waiting_for_the_next_look(
    bus_url: str, tmp_path: Path
) -> None:
    agent = Agent(tmp_path)
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(3, sample_interval_s=2))
        async with following(agent, bus_url):
            await eventually(lambda: agent.interval_s == 2)
            await client.jetstream().publish(config_key("web-1"), b"", headers={OPERATION: "DEL"})
            await eventually(lambda: agent.interval_s == 1)


async def test_a_database_restored_meanwhile_is_noticed_without_waiting_for_the_next_look(
    bus_url: str, tmp_path: Path
) -> None:
    agent = Agent(tmp_path)
    async with bus.connection(bus_url, "test") as client:
        await put(client, AgentConfig(50, sample_interval_s=5))
        async with following(agent, bus_url):
            await eventually(lambda: agent.interval_s == 5)
            await put(client, AgentConfig(7, sample_interval_s=2))
            await eventually(lambda: agent.interval_s == 2)


async def test_a_bucket_that_cannot_be_read_is_said_once(
    bus_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bus.connection(bus_url, "test") as client:
        await client.jetstream().delete_stream(CONFIG_STREAM)
        asked = await client.subscribe(f"$JS.API.DIRECT.GET.{CONFIG_STREAM}.>")
        await client.flush()
        async with following(Agent(tmp_path), bus_url, ask_every_s=0.05):
            for _ in range(4):
                question = await asked.next_msg(5)
                await client.publish(question.reply, b"", headers={"Status": "500"})
    assert caplog.text.count("settings not read") == 1


async def test_settings_last_pushed_are_in_force_at_a_start_without_a_bus(tmp_path: Path) -> None:
    before = Agent(tmp_path)
    await before.pushed.take(msgspec.json.encode(AgentConfig(5, sample_interval_s=5)), asked=True)
    after = Agent(tmp_path)
    await after.pushed.restore()
    assert (after.interval_s, after.plans.current.revision) == (5, 5)


async def test_kept_settings_that_are_damaged_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent(tmp_path)
    (tmp_path / "agent" / "config.json").write_bytes(b'{"sample_inter')
    await agent.pushed.restore()
    assert agent.interval_s == 1
    assert "unreadable" in caplog.text


@pytest.mark.parametrize("data", [b"garbage", b'{"sample_interval_s": "often"}', b'{"sample_interval_s": 1e9}', b"[]"])
async def test_settings_that_make_no_sense_leave_the_ones_before_and_are_told(tmp_path: Path, data: bytes) -> None:
    agent = Agent(tmp_path)
    await agent.pushed.take(msgspec.json.encode(AgentConfig(5, sample_interval_s=5)), asked=True)
    await agent.pushed.take(data, asked=True)
    assert agent.interval_s == 5
    assert agent.status.config_error
    agent.status.news.clear()
    await agent.pushed.take(msgspec.json.encode(AgentConfig(6, sample_interval_s=6)), asked=True)
    assert (agent.interval_s, agent.status.config_error) == (6, "")
    assert agent.status.news.is_set()


def test_what_a_newer_gateway_says_more_is_passed_over() -> None:
    data = (
        b'{"revision": 1, "weather": 3, "families": {"aura": {"enabled": true}, "cpu": {"interval_s": 5, "mood": 1}}}'
    )
    assert read_config(data) == PushedConfig(1, families={"cpu": FamilyConfig(interval_s=5)})
