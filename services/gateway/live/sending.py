"""Sending what is due, each until cancelled: frames in time, snapshots in portions, heartbeats in silence."""

from __future__ import annotations

import asyncio
import time

from infra.clock import now_ms
from schemas.api import Watching
from services.gateway.live.event import Event
from services.gateway.live.hub import LINGER_S, Hub

HEARTBEAT = Event(b": heartbeat\n\n")
HEARTBEAT_S = 2.0
"""Longest silence of a stream: the dashboard declares one stalled after 5 s without a byte."""
BEAT_EVERY = 4
"""How often in that time it is looked at who is silent."""
YIELD_EVERY = 48
"""Viewers served in a row before others have a turn."""
STEP_S = 0.008
"""So much processor time goes into portions before others have a turn: by the clock, a machine that is too busy would
give one portion a turn."""
WAIT_S = 0.02
"""Pause while all who lack a snapshot are busy with what they have got."""
COUNT_AFTER_S = 1.0
"""A herd that comes is one event."""


async def send_frames(hub: Hub) -> None:
    """Send frames when they are due."""
    while True:
        now_s = hub.clock()
        served = 0
        for feed in list(hub.feeds()):
            if feed.flush_at_s is not None and feed.flush_at_s <= now_s:
                feed.flush(now_s, now_ms())
                served += len(feed.viewers)
                if served >= YIELD_EVERY:
                    served = 0
                    await asyncio.sleep(0)
        hub.drop_idle()
        hub.due.clear()
        due = [feed.flush_at_s for feed in hub.feeds() if feed.flush_at_s is not None]
        try:
            async with asyncio.timeout(max(0.0, min(due) - hub.clock()) if due else LINGER_S):
                await hub.due.wait()
        except TimeoutError:
            pass


async def send_snapshots(hub: Hub) -> None:
    """Give portions of snapshots to those who lack them, in turns, for at most half of the time."""
    while True:
        await hub.wanted.wait()
        hub.wanted.clear()
        began_s = time.thread_time()
        while wanting := [feed for feed in hub.feeds() if feed.portions.wanted]:
            given = 0
            for feed in wanting:
                given += feed.give_portion(now_ms())
                took_s = time.thread_time() - began_s
                if took_s > STEP_S:
                    await asyncio.sleep(took_s)
                    began_s = time.thread_time()
            if not given:
                await asyncio.sleep(WAIT_S)
                began_s = time.thread_time()


async def send_count(hub: Hub) -> None:
    """Tell those who may see the viewers how many there are, a little after some came or went."""
    while True:
        await hub.counted.wait()
        await asyncio.sleep(COUNT_AFTER_S)
        hub.counted.clear()
        hub.tell("viewers", Watching(len(hub.viewers())), "operator")


async def send_heartbeats(hub: Hub) -> None:
    """Send a comment to whoever has heard nothing for a while."""
    while True:
        await asyncio.sleep(HEARTBEAT_S / BEAT_EVERY)
        for viewer in hub.viewers():
            viewer.beat(HEARTBEAT, HEARTBEAT_S)
