"""nats-py's client, mended where it stops reading."""

from __future__ import annotations

import asyncio

from nats.aio.client import Client


class BusClient(Client):
    """The client that all parts use; `infra.bus.connection.connect` makes it."""

    async def _process_pong(self) -> None:
        """Take an answer to a PING, whose sender may have given up waiting.

        nats-py 2.16 takes that for an error of its own, and reads nothing more until the connection counts as stale.
        """
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()
