"""A tick gathers what is due, and no failure spreads."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agent.collectors.gpu.gpu import Gpus
from agent.collectors.linux.filesystem import Filesystems, Mount
from agent.collectors.readings import Instances, Reading
from agent.sampling.background import read_slowly
from agent.sampling.plan import Plans
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Collect
from agent.sampling.ticker import Tick
from agent.system.state import AgentState
from schemas.codec import build_batch, decode_batch, encode_batch
from tests.agent.build import START_MS, default_plans, ended
from tests.waiting import eventually


def no_gpus() -> Gpus:
    return Gpus(0.1, lambda: None, lambda: False)


def sampler(collectors: dict[str, Collect], plans: Plans | None = None) -> Sampler:
    return Sampler(collectors, no_gpus(), plans or default_plans(), AgentState())


def tick(second: int = 0) -> Tick:
    return Tick(START_MS + second * 1000, 1000.0 + second, 0)


def cpu(now_s: float) -> Instances:
    return {"": {"total": 12.34}}


def broken(now_s: float) -> Instances:
    raise RuntimeError("no such counter")


async def test_a_sample_holds_catalogue_counts() -> None:
    sample = await sampler({"cpu": cpu}).sample(tick())
    assert sample is not None
    assert sample.time_ms == START_MS
    assert sample.families == {"cpu": {"": {"total": 1234}}}


async def test_a_failing_collector_costs_only_its_family(caplog: pytest.LogCaptureFixture) -> None:
    source = sampler({"memory": broken, "cpu": cpu})
    with caplog.at_level(logging.INFO):
        for second in range(5):
            sample = await source.sample(tick(second))
            assert sample is not None
            assert list(sample.families) == ["cpu"]
    assert caplog.messages == ["gpu state changed", "collector failed"]


async def test_a_value_that_is_no_number_costs_only_its_family() -> None:
    sample = await sampler({"memory": lambda _: {"": {"total": "much"}}, "cpu": cpu}).sample(tick())  # type: ignore[dict-item]
    assert sample is not None
    assert list(sample.families) == ["cpu"]


async def test_file_systems_that_cannot_be_listed_cost_only_their_family() -> None:
    def fail() -> list[Mount]:
        raise PermissionError("mountinfo")

    source = sampler({"cpu": cpu})
    task = asyncio.ensure_future(read_slowly("filesystem", 10, lambda: Filesystems(fail), source))
    await eventually(lambda: "filesystem" in source.failing)
    assert not task.done()
    await ended(task)


async def test_what_is_read_off_the_tick_is_in_one_sample_only() -> None:
    source = sampler({"cpu": cpu})
    source.post("filesystem", Reading({"/": {"total": 10}}, {"/": {"fstype": "ext4"}}))
    first = await source.sample(tick(0))
    second = await source.sample(tick(1))
    assert first is not None
    assert second is not None
    assert first.families["filesystem"] == {"/": {"total": 10}}
    assert first.labels["filesystem"] == {"/": {"fstype": "ext4"}}
    assert "filesystem" not in second.families


async def test_the_last_known_values_of_slow_families_are_kept() -> None:
    source = sampler({"cpu": cpu, "agent": lambda _: {"": {"reconnects": 3}}})
    source.post("filesystem", Reading({"/": {"total": 10}}))
    source.post("directory", Reading({"/a": {"size": 1}}), partial=True)
    await source.sample(tick(0))
    source.post("directory", Reading({"/b": {"size": 2}}), partial=True)
    source.post("filesystem", Reading({"/new": {"total": 11}}))
    await source.sample(tick(1))
    assert source.last_known(START_MS).families == {
        "filesystem": {"/new": {"total": 11}},
        "directory": {"/a": {"size": 1}, "/b": {"size": 2}},
        "agent": {"": {"reconnects": 3}},
    }


async def test_periodic_families_are_read_when_their_period_begins() -> None:
    read = []
    source = sampler({"agent": lambda now_s: {"": {"reconnects": 0}}})
    for second in range(25):
        sample = await source.sample(tick(second))
        assert sample is not None
        if "agent" in sample.families:
            read.append(second)
    assert read == [0, 10, 20]


async def test_the_first_reading_after_a_pause_is_not_a_sample() -> None:
    """Its rates would be means over the whole pause; `core` is read while somebody looks only."""
    source = sampler({"core": lambda now_s: {"0": {"total": 1}}, "cpu": cpu})
    watched = [True, True, False, False, True, True]
    sampled = []
    for second, looks in enumerate(watched):
        sample = await source.sample(tick(second), looks)
        assert sample is not None
        sampled.append("core" in sample.families)
    assert sampled == [True, True, False, False, False, True]


async def test_a_clock_before_2000_gives_no_samples() -> None:
    assert await sampler({"cpu": cpu}).sample(Tick(86_400_000, 1000, 0)) is None


async def test_a_name_that_no_batch_may_have_costs_only_its_instance() -> None:
    source = sampler({"cpu": cpu})
    long, nul = "/" + "x" * 600, "a\0b"
    source.post(
        "filesystem", Reading({long: {"total": 1}, nul: {"total": 2}, "/": {"total": 3}}, {"/": {"device": "a\0b"}})
    )
    sample = await source.sample(tick())
    assert sample is not None
    assert sample.families["filesystem"] == {"/": {"total": 3}}
    assert sample.labels["filesystem"] == {"/": {"device": "ab"}}
    decode_batch(encode_batch(build_batch("web-1", "e1", "metrics", 1, [sample])))


async def test_what_a_family_was_before_it_failed_is_not_told_to_new_viewers() -> None:
    source = sampler({"cpu": cpu})
    source.post("filesystem", Reading({"/": {"total": 3}}))
    await source.sample(tick())
    source.fail("filesystem", "gone")
    assert source.last_known(START_MS).families == {}
