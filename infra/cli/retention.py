"""`sonde retention --once` and `--dry-run`: one run now, or a preview of one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from asyncpg import Record

from infra.cli import reach
from infra.cli.process import CommandError
from infra.cli.tables import count, size, table
from infra.settings import ServerSettings
from infra.storage.database import Connection
from schemas.catalogue import CATALOGUE
from services.retention import sql
from services.retention.job import prune
from services.retention.policy import InvalidSetting
from services.retention.preview import Preview, preview, worker
from services.retention.report import Run

WAIT_S = 60.0
SERVICE = "sonde retention"
"""What the service's connections are called; it keeps the lock for as long as it runs."""


async def once(settings: ServerSettings, wait_s: float = WAIT_S) -> int:
    """Run once and print a report; waits up to `wait_s` for another process that holds the lock."""
    try:
        async with reach.database(settings.database_url, "retention --once") as database:
            run = await _prune_in_turn(database, wait_s)
    except InvalidSetting as error:
        raise CommandError(f"retention: {error}") from None
    print(told(run))
    return 0 if run.report.waiting_since is None else 1


async def dry_run(settings: ServerSettings) -> int:
    """Print what a run would do now; changes nothing."""
    try:
        async with reach.database(settings.database_url, "retention --dry-run") as database:
            would = await preview(database, CATALOGUE, datetime.now(UTC))
    except InvalidSetting as error:
        raise CommandError(f"retention: {error}") from None
    print(foretold(would))
    return 0


async def _prune_in_turn(database: Connection, wait_s: float) -> Run:
    deadline = asyncio.get_running_loop().time() + wait_s
    known: list[str] = []
    while (run := await prune(database, CATALOGUE, datetime.now(UTC))) is None:
        others = await database.fetch(sql.AT_WORK)
        if any(row["name"] == SERVICE for row in others):
            raise CommandError(await _service_at_work(database, others))
        names = [worker(row) for row in others]
        if names and names != known:
            print(f"lock held by {', '.join(names)}; waiting up to {wait_s:g} s", flush=True)
            known = names
        if asyncio.get_running_loop().time() > deadline:
            held = ", ".join(names)
            raise CommandError(f"retention: lock not acquired within {wait_s:g} s, held by {held}; try again later")
        await asyncio.sleep(0.2)
    return run


async def _service_at_work(database: Connection, others: Sequence[Record]) -> str:
    last = await database.fetchval(sql.LAST_RUN)
    ran = "no run yet" if last is None else f"last run {last:%Y-%m-%d %H:%M:%S} UTC"
    names = ", ".join(worker(row) for row in others)
    return (
        f"retention: the service is running and holds the lock: {names}; {ran}; it runs once an hour and when it "
        f"starts; wait for its next run, or restart it"
    )


def told(run: Run) -> str:
    """What a run did, as a table and a line."""
    report = run.report
    rows = [
        (
            *(each.what, each.family, each.kind, str(each.parts)),
            *(f"about {count(each.rows_estimate)}" if each.what == "dropped" else "-", size(each.bytes)),
            f"{each.seconds:.2f}",
        )
        for each in report.done
    ]
    lines = [table(["WHAT", "FAMILY", "KIND", " PARTITIONS", " ROWS", " FREED", " SECONDS"], rows)] if rows else []
    rolled = report.rolled_up
    lines.append(
        f"raw rows before {report.raw_before:%Y-%m-%d} are dropped, and refused if they arrive late; rolled up "
        f"{rolled['slots']} 10-minute slots and {rolled['hours']} hours; freed {size(run.freed_bytes)}"
    )
    if report.guard:
        lines.append(report.guard)
    if report.waiting_since is not None:
        since = f"{report.waiting_since:%Y-%m-%d %H:%M}"
        lines.append(f"rows since {since} are not rolled up yet; that day and later days were not dropped")
    return "\n".join(lines)


def foretold(would: Preview) -> str:
    """What a run would do, as a table and some lines."""
    lines = [f"dry run at {would.now:%Y-%m-%d %H:%M} UTC: nothing was changed"]
    lines += [f"lock held by {other}" for other in would.at_work]
    if would.shortage:
        lines.append(f"low disk space: {would.shortage}")
    limits = ", ".join(f"{kind} {before:%Y-%m-%d}" for kind, before in would.before.items())
    lines.append(f"partitions are dropped when all their rows are older than: {limits}")
    lines.append(f"to roll up: {would.slots} 10-minute slots and {would.hours} hours, summed over all hosts")
    if not would.actions:
        lines.append("nothing to drop or compress")
        return "\n".join(lines)
    rows = [
        (
            *(action.what, part.table, f"{part.first:%Y-%m-%d}", f"{part.last:%Y-%m-%d}"),
            *(f"about {count(part.rows_estimate)}", size(part.bytes), action.why),
        )
        for action in would.actions
        for part in [action.part]
    ]
    lines.append(table(["WHAT", "TABLE", "FROM", "TO", " ROWS", " SIZE", "WHY"], rows))
    for what in ("drop", "compress"):
        some = [action.part.bytes for action in would.actions if action.what == what]
        if some:
            lines.append(f"to {what}: {len(some)} partitions, {size(sum(some))}")
    return "\n".join(lines)
