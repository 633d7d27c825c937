"""What the agent does on a connection to the bus, as long as that lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from agent.orders.commands import Orders, answer_commands
from agent.orders.config import Pushed, follow_config
from agent.sending.events import publish_events, publish_top
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed, publish_live
from agent.sending.publisher import send_backfill, send_present
from schemas.messages import HostFacts


def session_of(
    lanes: Lanes, feed: LiveFeed, pushed: Pushed, orders: Orders, facts: Callable[[], HostFacts]
) -> Callable[[Client], Awaitable[None]]:
    """The work for `keep_connected`: both lanes, samples for viewers, events, settings and orders."""
    host, spool, status = lanes.host, lanes.spool, lanes.status

    async def session(client: Client) -> None:
        status.begin_session()
        lanes.client = client
        async with asyncio.TaskGroup() as group:
            group.create_task(send_present(client, lanes))
            group.create_task(send_backfill(client, lanes))
            group.create_task(publish_live(client, feed, host, spool.epoch))
            group.create_task(publish_events(client, host, spool, status, facts))
            group.create_task(publish_top(client, host, spool, status, feed))
            group.create_task(follow_config(client, host, pushed))
            group.create_task(answer_commands(client, host, orders))

    return session
