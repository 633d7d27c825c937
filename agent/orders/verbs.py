"""What an agent does when told to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from agent.orders.commands import CommandFailed, Verb
from agent.sending.intake import Intake
from agent.sending.lanes import Lanes
from infra.bus.patience import Seldom
from schemas.commands import NOTICES, VERBS
from schemas.version import VERSION

logger = logging.getLogger(__name__)

FLUSH_WITHIN_S = 5.0
SPLIT = "sonde agent enrol --again --gateway URL --token-file FILE"
"""What splits a clone from the machine that it was made of."""


def agent_verbs(lanes: Lanes, samples: Intake, tell: Callable[[], dict[str, Any]]) -> dict[str, Verb]:
    """The commands; `tell` is what `status` answers."""
    said = Seldom()

    async def ping(_: dict[str, Any]) -> dict[str, Any]:
        return {"time": time.time(), "version": VERSION}

    async def status(_: dict[str, Any]) -> dict[str, Any]:
        return tell()

    async def rescan(arguments: dict[str, Any]) -> dict[str, Any]:
        """Walk the directories now, or the one named by `path`."""
        walks = lanes.status.walks
        path = arguments.get("path")
        if path is not None and path not in walks:
            raise CommandFailed(f"path: {path!r} is not measured; use one of {', '.join(walks) or 'none'}, or no path")
        chosen = list(walks) if path is None else [path]
        for name in chosen:
            walks[name].again.set()
        return {"directories": chosen}

    async def flush(_: dict[str, Any]) -> dict[str, Any]:
        """Send what is in hand; answers what is left when it is stored, or after a few seconds."""
        await samples.send(FLUSH_WITHIN_S)
        return {"left": lanes.spool.backlog.batches}

    async def cloned(arguments: dict[str, Any]) -> dict[str, Any]:
        """Take notice that another agent uses this identity; its `epochs` are those of both."""
        epochs = arguments.get("epochs")
        if not isinstance(epochs, list) or not all(isinstance(epoch, str) for epoch in epochs):
            raise CommandFailed("epochs: must be the epochs that alternate")
        lanes.status.cloned_at, lanes.status.cloned_epochs = time.time(), epochs
        if said.due("", time.monotonic()):
            logger.error(
                "another agent uses this identity, enrol one of the two again",
                extra={"host": lanes.host, "epoch": lanes.spool.epoch, "epochs": epochs, "command": SPLIT},
            )
        return {"epoch": lanes.spool.epoch}

    does = {verb.__name__: verb for verb in (ping, rescan, flush, status, cloned)}
    return {name: does[name] for name in (*VERBS, *NOTICES)}
