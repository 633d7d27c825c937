"""The past of simulated hosts in the tables: the curves themselves, rolled up as retention does it."""

from __future__ import annotations

import numpy as np
import pytest

from demo.curves import lines_of
from demo.history import SPARSE_S, STORED, Fleet, Span, Written, enter_instances, settle, spans, write_span
from demo.hosts import add_hosts
from demo.machines import DAY_S, Machine, make_fleet
from demo.stories import HOUR_S, reboot_s
from infra.clock import to_time
from infra.storage.database import Connection, connection
from infra.storage.engine import detect, tables_of
from schemas.catalogue import CATALOGUE
from schemas.families import CPU, FILESYSTEM
from services.retention.rollup import roll_up

NOON_S = 1_795_003_200 // HOUR_S * HOUR_S
UNTIL_S = NOON_S + 1500
FLEET = make_fleet(6, seed=1, began_s=UNTIL_S + 600)
DAYS = 0.2
HOURS = 5
"""Whole ones that begin at least so long ago."""


async def write(database: Connection, machines: list[Machine]) -> dict[str, int]:
    sparse, dense = spans(len(machines), DAYS, UNTIL_S)
    written = Written()
    engine, fleet = await detect(database), await entered(database, machines)
    for span in (sparse, dense):
        await write_span(database, engine, fleet, span, written)
    await settle(database, fleet, dense, written)
    return fleet.ids


async def entered(database: Connection, machines: list[Machine]) -> Fleet:
    ids = await add_hosts(database, machines, UNTIL_S - DAY_S)
    return await enter_instances(database, machines, ids, UNTIL_S - DAY_S)


async def contents(database: Connection) -> dict[str, list[tuple[object, ...]]]:
    """The minutes and hours, in order."""
    found = {}
    for table in tables_of(STORED, "minute", "hour"):
        keys = ", ".join(table.keys)
        rows = await database.fetch(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {keys}")  # noqa: S608
        found[table.name] = [tuple(row) for row in rows]
    return found


@pytest.mark.parametrize("step_s", [20, 60])
async def test_minutes_and_hours_are_what_retention_makes_of_the_raw_rows(database_url: str, step_s: int) -> None:
    machines = [machine for machine in FLEET if machine.role == "gpu" or machine.story == "rebooted"]
    from_s = NOON_S - 4 * HOUR_S
    async with connection(database_url, "test") as database:
        engine, fleet, written = await detect(database), await entered(database, machines), Written()
        await write_span(database, engine, fleet, Span(from_s, NOON_S, step_s), written)
        await settle(database, fleet, Span(from_s, NOON_S, step_s), written)
        await roll_up(database, engine, CATALOGUE, to_time(1000 * (NOON_S + DAY_S)))
        by_retention = await contents(database)
        await database.execute(f"TRUNCATE {', '.join(by_retention)}")
        await write_span(database, engine, fleet, Span(from_s, NOON_S, step_s, ("minute", "hour")), written)
        straight = await contents(database)
    for name, rows in by_retention.items():
        assert straight[name] == rows, name
    assert len(straight["gpu_1h"]) == 4 * sum(len(machine.gpus) for machine in machines)
    assert straight["cpu_1m"]


async def test_the_tables_hold_the_curves(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        ids = await write(database, FLEET[:2])
        raw = "SELECT extract(epoch FROM time)::bigint AS at, total FROM cpu WHERE host_id = $1 ORDER BY time"
        minutes = """
            SELECT extract(epoch FROM time)::bigint AS at, total_n, total_sum, total_min, total_max FROM cpu_1m
            WHERE host_id = $1 ORDER BY time
        """
        for machine in FLEET[:2]:
            rows = await database.fetch(raw, ids[machine.name])
            times = np.array([row["at"] for row in rows])
            assert times.tolist() == list(range(NOON_S, UNTIL_S))
            assert [row["total"] for row in rows] == lines_of(machine, CPU, times)[0].counts[0].tolist()
            rolled = await database.fetch(minutes, ids[machine.name])
            times = np.array([row["at"] for row in rolled])
            assert times.tolist() == list(range(NOON_S - HOURS * HOUR_S, NOON_S + 1200, SPARSE_S))
            expected = lines_of(machine, CPU, times[times < NOON_S])[0].counts[0].tolist()
            assert [tuple(row)[1:] for row in rolled[:-20]] == [(1, value, value, value) for value in expected]
            assert {row["total_n"] for row in rolled[-20:]} == {60}


async def test_every_instance_of_every_family_has_hours_with_percentiles(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        ids = await write(database, FLEET)
        for family in STORED:
            column = family.metrics[0].name
            sketched = f"""
                SELECT host_id, count(*) FILTER (WHERE {column}_n > 0 AND {column}_sketch IS NOT NULL) AS hours
                FROM {family.name}_1h GROUP BY host_id
            """  # noqa: S608 - names of the catalogue
            found = {row["host_id"]: row["hours"] for row in await database.fetch(sketched)}
            expected = {
                ids[machine.name]: HOURS * len(lines)
                for machine in FLEET
                if (lines := lines_of(machine, family, np.array([UNTIL_S])))
            }
            assert found == expected, family.name


async def test_what_was_rolled_up_is_not_to_be_done_again_and_what_is_recent_is(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await write(database, FLEET[:1])
        slots = await database.fetch("SELECT extract(epoch FROM slot)::bigint AS at FROM dirty_minutes ORDER BY slot")
        assert [row["at"] for row in slots] == [NOON_S + 1200]
        assert await database.fetchval("SELECT count(*) FROM dirty_hours") == 0
        assert await database.fetchval("SELECT extract(epoch FROM before)::bigint FROM horizons") == NOON_S


async def test_hosts_are_known_with_their_facts_tags_and_newest_sample(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await write(database, FLEET)
        known = """
            SELECT name, facts ->> 'cores' AS cores, tags, extract(epoch FROM last_sample)::bigint AS newest
            FROM hosts ORDER BY id
        """
        rows = {row["name"]: row for row in await database.fetch(known)}
        for machine in FLEET:
            row = rows[machine.name]
            assert (row["cores"], row["tags"], row["newest"]) == (str(machine.cores), machine.tags, UNTIL_S - 1)


async def test_a_reboot_is_a_gap(database_url: str) -> None:
    [rebooted] = [machine for machine in FLEET if machine.story == "rebooted"]
    async with connection(database_url, "test") as database:
        ids = await write(database, [rebooted])
        gap = """
            SELECT count(*) FROM cpu_1m WHERE host_id = $1 AND time >= to_timestamp($2::bigint - 90)
            AND time < to_timestamp($2::bigint)
        """
        assert await database.fetchval(gap, ids[rebooted.name], reboot_s(rebooted)) == 0


async def test_an_instance_keeps_its_labels(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        ids = await write(database, FLEET[:1])
        stored = "SELECT name, labels ->> 'fstype' AS fstype FROM instances WHERE host_id = $1 AND family = $2"
        rows = await database.fetch(stored, ids[FLEET[0].name], FILESYSTEM.name)
        assert {(row["name"], row["fstype"]) for row in rows} == {("/", "ext4"), ("/boot", "ext4")}


@pytest.mark.parametrize("hosts", [1, 30, 200, 1000, 5000])
@pytest.mark.parametrize("days", [0, 0.01, 3, 30])
def test_the_past_has_no_hole_between_its_two_parts(hosts: int, days: float) -> None:
    sparse, dense = spans(hosts, days, UNTIL_S)
    assert sparse.from_s <= sparse.until_s == dense.from_s < dense.until_s == UNTIL_S
    assert dense.from_s % HOUR_S == sparse.from_s % HOUR_S == 0
    assert days == 0 or sparse.from_s <= UNTIL_S - days * DAY_S or sparse.from_s == dense.from_s


def test_more_hosts_have_fewer_recent_samples_each() -> None:
    steps = [spans(hosts, 1, UNTIL_S)[1].step_s for hosts in (30, 300, 1000, 5000)]
    assert steps == sorted(steps)
    assert steps[0] == 1
    assert steps[-1] > 10
