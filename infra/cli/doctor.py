"""`sonde doctor`: check each link from agent to browser, name the broken ones and what to do.

What does not depend on each other is checked at the same time, and told in the order of the data's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeAlias

import asyncpg
import httpx

from infra.addresses import redact
from infra.certificates.listening import local_gateway
from infra.cli.links import Broken, Link, links
from infra.cli.process import say
from infra.cli.reach import Unreachable, reason
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT

WITHIN_S = 15
"""What a check may take; most are told after milliseconds."""
FAULTS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError, httpx.HTTPError)
Found: TypeAlias = str | Broken | list[str]
Checking: TypeAlias = asyncio.Task[Found]


async def doctor(settings: ServerSettings) -> int:
    """Print one line per link; returns 1 when any is broken."""
    servers = f"bus {redact(settings.nats_url)}, database {redact(settings.database_url)}"
    say(f"{servers}, gateway {local_gateway(settings)}")
    every = links(settings)
    names = {link.key: link.name for link in every}
    broken = 0
    async with asyncio.TaskGroup() as group:
        checks: dict[str, Checking] = {}
        for link in every:
            checks[link.key] = group.create_task(_checked(link, {key: checks[key] for key in link.needs}))
        for link in every:
            found = await checks[link.key]
            if isinstance(found, str):
                say(f"  ok      {link.name}: {found}")
            elif isinstance(found, Broken):
                broken += 1
                say(f"  BROKEN  {link.name}: {found}")
            else:
                say(f"  --      {link.name}: not checked, needed are: {', '.join(names[key] for key in found)}")
    say("every link holds" if not broken else f"{broken} of {len(every)} links broken; repair the first one first")
    return 1 if broken else 0


async def _checked(link: Link, needs: Mapping[str, Checking]) -> Found:
    """What was found; the links that it needs and that do not hold, if any, instead."""
    missing = [key for key, need in needs.items() if not isinstance(await need, str)]
    if missing:
        return missing
    try:
        async with asyncio.timeout(WITHIN_S):
            return await link.check()
    except Broken as broken:
        return broken
    except Unreachable as error:
        return Broken(str(error))
    except TimeoutError:
        return Broken(f"no answer within {WITHIN_S} s")
    except FAULTS as error:
        return Broken(reason(error))
