"""Simulated hosts as the database knows them: facts, tags, and identities by which their agents may use the bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from demo import sql
from demo.facts import batch_interval_s, facts_of
from demo.machines import Machine, Story
from infra.authority.authority import Authority
from infra.authority.keys import make_key
from infra.bus.credentials import credentials_text
from infra.clock import to_time
from infra.storage.database import Connection, ensure_hosts

LIFE_S = 365 * 86_400
"""Nobody renews identities here, and a demonstration may stay on a wall."""
ROLE = "agent"
MUTED = 17
"""Number of the host that somebody has muted."""
NOTES: dict[Story, str] = {
    "silent": "Power supply failed, a new one is on its way.",
    "full": "Backups go to /var/lib until the new storage is there.",
    "leak": "Reports leak memory; restarted by the kernel until they are mended.",
}


async def add_hosts(
    database: Connection, fleet: Sequence[Machine], first_seen_s: int, every_s: int = 1
) -> dict[str, int]:
    """Enter the hosts, whose agents sample every `every_s`; their ids by name."""
    async with database.transaction():
        ids = await ensure_hosts(database, [machine.name for machine in fleet])
        await database.execute(
            sql.TENDED,
            [ids[machine.name] for machine in fleet],
            [NOTES.get(machine.story, "") for machine in fleet],
            [machine.number == MUTED for machine in fleet],
        )
        await database.execute(
            sql.ADD_HOSTS,
            [ids[machine.name] for machine in fleet],
            [msgspec.json.encode(facts_of(machine, every_s, batch_interval_s(every_s))).decode() for machine in fleet],
            [",".join(machine.tags) for machine in fleet],
            to_time(first_seen_s * 1000),
        )
    return ids


def credentials_of(directory: Path, host: str) -> Path:
    return directory / f"{host}.creds"


async def add_identities(database: Connection, authority: Authority, directory: Path, fleet: Sequence[Machine]) -> None:
    """An identity for each host as an enrolment makes it, and its credentials in `directory`, for its owner only."""
    issued_s = int(time.time())
    hosts = [machine.name for machine in fleet]
    public = await asyncio.to_thread(_write_credentials, authority, directory, hosts, issued_s)
    await database.execute(sql.ADD_IDENTITIES, public, hosts, float(issued_s), float(issued_s + LIFE_S))


def _write_credentials(authority: Authority, directory: Path, hosts: Sequence[str], issued_s: int) -> list[str]:
    """The public keys, in the order of `hosts`."""
    directory.mkdir(mode=0o700, parents=True)
    public = []
    for host in hosts:
        key = make_key("user")
        token = authority.sign_user(ROLE, key.public, host, issued_s, issued_s + LIFE_S)
        credentials_of(directory, host).write_text(credentials_text(token, key.seed))
        public.append(key.public)
    return public
