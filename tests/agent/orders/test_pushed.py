"""What pushed settings do to an agent at work: no restart, no sample lost, none twice."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from nats.aio.client import Client

from agent.selfreport.local import ask_locally
from infra.bus import connection as bus
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.codec import DecodedSeries, decoded_series, times_ms
from schemas.messages import HostEvent
from schemas.subjects import config_key
from tests.agent.build import all_times, stored
from tests.agent.test_service import running, settings
from tests.waiting import eventually


class Running:
    """An agent at work, and what it has sent."""

    def __init__(self, client: Client, data: Path) -> None:
        self.client = client
        self._data = data
        self._revision = 0

    async def push(self, **config: object) -> None:
        """Put settings and wait until they are in force."""
        self._revision += 1
        pushed = AgentConfig(self._revision, **config)  # type: ignore[arg-type]
        await self.client.jetstream().publish(config_key("web-1"), msgspec.json.encode(pushed))
        await eventually(self._in_force)

    async def push_bytes(self, data: bytes) -> None:
        await self.client.jetstream().publish(config_key("web-1"), data)

    async def _in_force(self) -> bool:
        return bool((await self.status())["config_revision"] == self._revision)

    async def status(self) -> dict[str, object]:
        return await ask_locally(str(self._data))

    async def since(self, time_ms: int) -> list[DecodedSeries]:
        """What was sampled after `time_ms`, once a whole batch of it has arrived."""

        async def sent() -> list[DecodedSeries]:
            later = [batch for _, batch in await stored(self.client, "METRICS") if times_ms(batch.times)[0] > time_ms]
            return [r for batch in later for r in decoded_series(batch)]

        return await eventually(sent)

    async def now(self) -> list[DecodedSeries]:
        """What is sampled from now on, but for the sample in which the settings of before may be."""
        return await self.since(round(time.time() * 1000) + 200)

    async def last_step(self, interval_s: float) -> bool:
        """Whether the last two samples are so far apart."""
        times = all_times(await stored(self.client, "METRICS"))
        return times[-1] - times[-2] == round(interval_s * 1000)

    async def has_told(self, errors: int) -> bool:
        return len(await self.errors()) >= errors

    async def errors(self) -> list[str]:
        """What was told of refused settings."""
        jetstream = self.client.jetstream()
        last = (await jetstream.stream_info("EVENTS")).state.last_seq
        events = [await jetstream.get_msg("EVENTS", seq) for seq in range(1, last + 1)]
        decoded = [msgspec.json.decode(event.data or b"", type=HostEvent) for event in events]
        return [str(event.config_error) for event in decoded if event.kind == "config"]


@asynccontextmanager
async def at_work(bus_url: str, data: Path, **changes: object) -> AsyncIterator[Running]:
    async with bus.connection(bus_url, "test") as client, running(settings(data, bus_url, **changes)):
        world = Running(client, data)

        async def begun() -> bool:
            return bool(await stored(client, "METRICS"))

        await eventually(begun)
        yield world


def instances(found: list[DecodedSeries], family: str) -> set[str]:
    return {r.instance for r in found if r.family.name == family}


def families(found: list[DecodedSeries]) -> set[str]:
    return {r.family.name for r in found}


async def test_a_family_is_switched_off_and_on(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        await agent.push(families={"memory": FamilyConfig(enabled=False)})
        without = families(await agent.now())
        await agent.push()
        again = families(await agent.now())
    assert "cpu" in without
    assert "memory" not in without
    assert "memory" in again


async def test_a_family_is_sampled_as_seldom_as_it_is_told(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        await agent.push(families={"memory": FamilyConfig(interval_s=0.5)})
        found = await agent.now()
    memory = [time_ms for r in found if r.family.name == "memory" for time_ms in r.times]
    cpu = [time_ms for r in found if r.family.name == "cpu" for time_ms in r.times]
    assert 0 < len(memory) < len(cpu)
    assert min((after - before for before, after in itertools.pairwise(memory)), default=500) >= 400


async def test_instances_are_chosen_anew(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        await agent.push(families={"network": FamilyConfig(include=["lo"])})
        chosen = instances(await agent.now(), "network")
        await agent.push(families={"network": FamilyConfig(include=["*"], exclude=["lo"])})
        others = instances(await agent.now(), "network")
    assert chosen == {"lo"}
    assert "lo" not in others


async def test_other_directories_are_measured(bus_url: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with at_work(bus_url, tmp_path / "data", directories=str(first)) as agent:
        await agent.push(directories=[str(second)])
        status = await agent.status()

        async def measured() -> bool:
            # Sent once until the next measurement, in whichever batch was being filled: look at all of them.
            return str(second) in instances(await agent.since(0), "directory")

        await eventually(measured)
    assert list(status["directories"]) == [str(second)]  # type: ignore[call-overload]


async def test_no_sample_is_lost_or_doubled_by_changes(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        for turn in range(8):
            await agent.push(
                batch_interval_s=0.5 + turn / 10,
                directories=[str(tmp_path)] if turn % 2 else [],
                families={"memory": FamilyConfig(enabled=bool(turn % 2)), "disk": FamilyConfig(exclude=[f"x{turn}"])},
            )
        await agent.now()
        times = all_times(await stored(agent.client, "METRICS"))
        late = (await agent.status())["late_ticks"]
    assert times == sorted(set(times))
    missing = (times[-1] - times[0]) // 100 + 1 - len(times)
    assert missing <= int(str(late))


async def test_another_interval_goes_on_where_the_last_one_ended(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        for interval_s in (0.2, 0.5, 0.1):
            await agent.push(sample_interval_s=interval_s)
            await eventually(lambda interval_s=interval_s: agent.last_step(interval_s))  # type: ignore[misc]
        times = all_times(await stored(agent.client, "METRICS"))
        late = int(str((await agent.status())["late_ticks"]))
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert min(steps) >= 100
    assert max(steps) < 1000 or late


async def test_settings_that_make_no_sense_are_told_once_and_change_nothing(bus_url: str, tmp_path: Path) -> None:
    async with at_work(bus_url, tmp_path) as agent:
        await agent.push(families={"memory": FamilyConfig(enabled=False)})
        wrong = (b"garbage", b'{"revision": 9, "sample_interval_s": "often"}')
        for told, data in enumerate(wrong, 1):
            await agent.push_bytes(data)
            await agent.push_bytes(data)
            await eventually(lambda told=told: agent.has_told(told))  # type: ignore[misc]
        found = families(await agent.now())
        await agent.push()
        errors = await agent.errors()
    assert "memory" not in found
    assert "sample_interval_s" in errors[1]
    assert len(errors) == 2
