"""`python -m agent`: one agent in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys

from agent import service
from agent.spoolfiles import SpoolInUse
from infra.cli.process import describe, stop_on_signals
from infra.log import set_up_logging
from infra.settings import AgentSettings, SettingError, load_settings

logger = logging.getLogger(__name__)


async def _until_signal(settings: AgentSettings) -> None:
    stop = asyncio.Event()
    with stop_on_signals(stop):
        await service.run(settings, stop)


def main() -> int:
    """Run until a signal: the first ends it in order, the second at once. Returns the exit status."""
    try:
        settings = load_settings(AgentSettings)
    except SettingError as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    set_up_logging(settings.log_format)
    # What is there now stays for good: collecting garbage need not look at it again and again.
    gc.collect()
    gc.freeze()
    try:
        # asyncio's own loop, even where uvloop is installed: for one timer a second it needs 5 MiB less.
        asyncio.run(_until_signal(settings))
    except asyncio.CancelledError:
        return 130
    except SpoolInUse as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        logger.critical("crashed", exc_info=error)
        print(f"agent: {describe(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
