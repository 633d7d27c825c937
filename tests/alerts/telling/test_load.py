"""What the chain reads: only what is different, and past what cannot be read."""

from __future__ import annotations

import time
from functools import partial

from schemas.matching import Matcher
from schemas.routes import DAYS, Hours, Route, Span
from services.alerts.notify.plan import plan
from services.alerts.telling.load import Tables, load, refresh
from tests.alerts.telling.desk import Desk, desk, telling
from tests.waiting import eventually


async def loaded(at: Desk) -> Tables:
    tables = Tables()
    await load(at.database, tables, time.time(), set())
    return tables


async def test_what_is_as_it_was_is_not_read_again(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        one, two = await at.fire("web-1"), await at.fire("web-2")
        tables = await loaded(at)
        before = dict(tables.world.incidents)
        await at.fire("web-2", level=1, number=two)
        await refresh(at.database, tables, time.time(), set())
        assert tables.world.incidents[one] is before[one]
        assert tables.world.incidents[two].level == 1


async def test_an_incident_that_is_deleted_is_forgotten(database_url: str) -> None:
    async with desk(database_url) as at:
        number = await at.fire()
        tables = await loaded(at)
        await at.database.execute("DELETE FROM incidents")
        await refresh(at.database, tables, time.time(), set())
        assert number not in tables.world.incidents
        assert not tables.about


async def test_other_tags_of_a_host_are_noticed(database_url: str) -> None:
    async with desk(database_url) as at:
        number = await at.fire()
        host_id = await at.database.fetchval("INSERT INTO hosts (name) VALUES ('web-1') RETURNING id")
        await at.database.execute("UPDATE incidents SET host_id = $1", host_id)
        tables = await loaded(at)
        await at.database.execute("UPDATE hosts SET tags = ARRAY['db']")
        await refresh(at.database, tables, time.time(), set())
        assert tables.world.incidents[number].tags == {"db"}


async def test_a_sample_of_the_host_is_no_reason_to_read_its_incident_again(database_url: str) -> None:
    async with desk(database_url) as at:
        number = await at.fire()
        host_id = await at.database.fetchval("INSERT INTO hosts (name, tags) VALUES ('web-1', '{db}') RETURNING id")
        await at.database.execute("UPDATE incidents SET host_id = $1", host_id)
        tables = await loaded(at)
        before = tables.world.incidents[number]
        await at.database.execute("UPDATE hosts SET last_sample = now()")
        await refresh(at.database, tables, time.time(), set())
        assert tables.world.incidents[number] is before


async def test_rows_that_cannot_be_read_are_passed_over(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.database.execute("INSERT INTO channels (id, body) VALUES ('odd', '{}')")
        await at.database.execute("INSERT INTO routes (id, body) VALUES ('odd', '[]')")
        await at.database.execute("INSERT INTO silences (starts, ends, body, by) VALUES (now(), 'infinity', '1', 'x')")
        await at.database.execute("INSERT INTO incidents (rule_id, opened, level, body) VALUES ('odd', now(), 1, '{}')")
        async with telling(at):
            await at.fire()
            await at.until_status("sent")


async def test_hours_of_an_unknown_zone_hold_nothing(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        always = Hours([Span(list(DAYS), "00:00", "24:00")], zone="Europe/Atlantis")
        await at.route(Route("all", "All", ["slack"], group_wait_s=0, hours=always))
        async with telling(at):
            await at.fire()
            await at.until_status("sent")


async def test_an_invalid_address_of_the_dashboard_stops_nobody(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.database.execute("INSERT INTO settings (key, value) VALUES ('dashboard_url', '7')")
        async with telling(at):
            await at.fire()
            await at.until_status("sent")


async def test_a_channel_that_is_removed_and_made_anew_is_told_anew(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        async with telling(at):
            await at.fire()
            await at.until_status("sent")
            async with at.database.transaction():
                await at.database.execute("DELETE FROM channels")
                await at.channel()
            at.wake.set()
            await at.until_status("sent", "sent")


async def test_a_channel_that_is_off_is_not_told_until_it_is_on(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel(enabled=False)
        async with telling(at):
            number = await at.fire()
            await eventually(partial(_is_decided, at, number))
            assert await at.statuses() == []
            await at.channel()
            await at.until_status("sent")


async def test_routes_are_read_without_a_restart(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.channel("mail")
        async with telling(at):
            await at.route(Route("all", "All", ["mail"]))
            await at.fire()
            await at.until_status("sent")
        assert await at.database.fetchval("SELECT channel FROM notifications") == "mail"


async def test_routes_are_tried_in_order_of_their_positions(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.route(Route("a", "A", ["slack"], 20))
        await at.route(Route("b", "B", ["slack"], 10, Matcher(hosts=["db-*"])))
        tables = await loaded(at)
        assert [route.id for route in tables.world.routes] == ["b", "a"]


async def test_times_that_are_still_to_come_do_not_hold_anything(database_url: str) -> None:
    """As after the clock of the machine was set back while nothing ran."""
    async with desk(database_url) as at:
        await at.channel()
        await at.fire()
        await at.database.execute("UPDATE incidents SET noticed = now() + interval '1 hour'")
        await at.database.execute(
            "INSERT INTO channel_states (channel, next_try, version) VALUES ('slack', now() + interval '1 hour', 1)"
        )
        tables = await loaded(at)
        assert len(plan(tables.world, time.time() + 61).drafts) == 1


async def _is_decided(at: Desk, number: int) -> bool:
    return bool(await at.steps(number))
