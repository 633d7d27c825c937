"""`sonde demo`: everything that `sonde up` runs, with a simulated fleet, its past, and a directory of its own."""

from __future__ import annotations

import functools
from pathlib import Path

from demo import service
from demo.directory import NotOurs, own_directory
from demo.service import Demonstration
from infra.authority.authority import Authority, authority_directory
from infra.cli.localbus import LocalBus
from infra.cli.process import CommandError
from infra.cli.up import Part, run_everything
from infra.settings import ServerSettings

MOST_HOSTS = 10_000
MOST_DAYS = 30
MOST_EVERY_S = 60


def demo(server: ServerSettings, hosts: int, days: float | None, seed: int, every_s: int | None) -> int:
    """Run until a signal; returns the exit status. Raises CommandError for what makes no sense."""
    if not 1 <= hosts <= MOST_HOSTS:
        raise CommandError(f"demo: --hosts {hosts}: give a number from 1 to {MOST_HOSTS}")
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise CommandError(f"demo: --days {days:g}: give a number from 0 to {MOST_DAYS}, as long as minutes are kept")
    if every_s is not None and not 1 <= every_s <= MOST_EVERY_S:
        raise CommandError(f"demo: --every {every_s}: give a number of seconds from 1 to {MOST_EVERY_S}")
    wanted = Demonstration(
        hosts,
        service.days_for(hosts) if days is None else days,
        seed,
        service.interval_for(hosts, service.cores()) if every_s is None else every_s,
    )

    async def fleet_of(_: LocalBus, server: ServerSettings) -> Part:
        directory = await service.prepare(wanted, server, Authority(authority_directory(server)))
        return functools.partial(service.run, directory, hosts)

    try:
        with own_directory(Path(server.data).absolute()):
            return run_everything(server, "demo", "fleet", fleet_of, "choose another directory with --data")
    except (NotOurs, OSError) as error:
        raise CommandError(f"demo: {error}") from None
