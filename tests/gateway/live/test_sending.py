"""Snapshots of many hosts for many viewers: others have turns meanwhile, and nothing is encoded twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from schemas.catalogue import CATALOGUE
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.live import fragments, sending
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Limits
from tests.gateway.live.test_hub import ALL
from tests.gateway.live.viewers import a_viewer, connected, give_all

HOSTS, VIEWERS = 1000, 200
LEAST_TURNS = 5
"""The work takes over 0.1 s of processor time, of which `sending.STEP_S` lets others have a turn every hundredth."""


def a_hub(hosts: int = HOSTS) -> Hub:
    fleet = Fleet(CATALOGUE)
    for number in range(hosts):
        fleet.learn(f"web-{number}", HostFacts(cores=4))
    hub = Hub(fleet)
    hub.limits = Limits(VIEWERS + 1, VIEWERS + 1, VIEWERS + 1)
    return hub


def join(hub: Hub, viewers: int) -> None:
    for _ in range(viewers):
        viewer = a_viewer()
        connected(viewer)
        hub.join(viewer, ALL, None)


async def turns_until_complete(hub: Hub) -> int:
    """How often another task ran, each time after more snapshots had been given than before, until all were."""
    turns, given = 0, 0
    while any(viewer.state != "live" for viewer in hub.viewers()):
        await asyncio.sleep(0)
        sent = hub.counts().sent
        turns, given = turns + (sent > given), sent
    return turns


async def test_others_have_turns_while_a_herd_gets_its_snapshots() -> None:
    hub = a_hub()
    join(hub, VIEWERS)
    task = asyncio.create_task(sending.send_snapshots(hub))
    try:
        async with asyncio.timeout(60):
            assert await turns_until_complete(hub) >= LEAST_TURNS
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_sender_that_never_pauses_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "STEP_S", 3600.0)
    hub = a_hub()
    join(hub, VIEWERS)
    task = asyncio.create_task(sending.send_snapshots(hub))
    try:
        async with asyncio.timeout(60):
            assert await turns_until_complete(hub) == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Counter[type]:
    """How many bodies of each type have been encoded for feeds."""
    counted: Counter[type] = Counter()
    encode = fragments._encode

    def counting(body: object) -> bytes:
        counted[type(body)] += 1
        return encode(body)

    monkeypatch.setattr(fragments, "_encode", counting)
    return counted


def test_each_host_is_encoded_once_for_all_who_come(encoded: Counter[type]) -> None:
    hub = a_hub()
    join(hub, VIEWERS)
    give_all(hub)
    assert sorted(encoded.values()) == [HOSTS, HOSTS]  # hosts, and their last minutes


def test_after_one_change_one_host_is_encoded_anew(encoded: Counter[type]) -> None:
    hub = a_hub()
    join(hub, 1)
    give_all(hub)
    encoded.clear()
    hub.fleet.learn("web-7", HostFacts(cores=8))
    hub.host("web-7")
    join(hub, VIEWERS)
    give_all(hub)
    for feed in hub.feeds():
        feed.flush(hub.clock(), 1000)
    assert sorted(encoded.values()) == [1, 1]
