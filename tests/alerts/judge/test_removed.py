"""Hosts that are removed while they are judged."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest

from infra.storage import database
from infra.storage.positions import EPOCHS_KEPT
from infra.storage.removed import Removed, load_removed
from schemas.health import Heartbeat
from schemas.rules import Rule, Threshold, Window
from schemas.subjects import METRICS, ask_health, metrics
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving
from tests.batches import encoded, sample
from tests.removing import enrol_again, remove
from tests.waiting import eventually

DOWN = Rule("down", "Host down", "host.down", critical=Threshold(1, 1))
QUICK = rule(for_s=0)


async def judged_up_to(hosts: Fleet, host: str) -> None:
    """Publish for `host` and wait until that was judged."""
    await hosts.processed(await hosts.cpu([10], at_s=0, host=host))


async def told_of(hosts: Fleet, host: str) -> list[str]:
    return [transition.kind for transition in await hosts.transitions() if transition.host == host]


async def test_a_firing_alert_ends_with_its_host(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.cpu([80], at_s=0)
        await hosts.until("fire")
        await remove(hosts.client, hosts.database, "web-1")
        await hosts.published()
        fired, gone = await hosts.on_the_bus()
        assert (fired.kind, gone.kind, gone.host, gone.rule_name) == ("fire", "gone", "web-1", fired.rule_name)
        assert (gone.since, gone.peak, gone.severity) == (fired.time, 80, "warning")
        assert gone.id > fired.id


async def test_it_is_not_judged_when_it_sends_on(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await remove(hosts.client, hosts.database, "web-1")
        await hosts.cpu([99], at_s=5)
        await judged_up_to(hosts, "db-1")
        assert await hosts.transitions() == []
        assert await hosts.database.fetchval("SELECT count(*) FROM hosts WHERE name = 'web-1'") == 0


async def test_a_removed_host_is_not_called_down(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await judged_up_to(hosts, "db-1")
        await remove(hosts.client, hosts.database, "web-1")
        await hosts.until("fire")
        assert await told_of(hosts, "db-1") == ["fire"]


async def test_an_archived_host_is_not_called_down(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await judged_up_to(hosts, "db-1")
        await remove(hosts.client, hosts.database, "web-1", keep_history=True)
        await hosts.until("fire")
        assert await told_of(hosts, "db-1") == ["fire"]


async def test_enrolled_again_it_begins_without_a_past(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await hosts.until("fire")
        await remove(hosts.client, hosts.database, "web-1")
        await hosts.until("fire", "gone")
        await enrol_again(hosts.database, "web-1")
        await judged_up_to(hosts, "web-1")
        await hosts.until("fire", "gone", "fire")


async def test_a_host_that_waits_for_its_first_sample_after_being_enrolled_again_is_not_down(
    bus_url: str, database_url: str
) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await remove(hosts.client, hosts.database, "web-1")
        await enrol_again(hosts.database, "web-1")
        await judged_up_to(hosts, "db-1")
        await hosts.until("fire")
        assert await told_of(hosts, "db-1") == ["fire"]


async def test_a_host_deleted_by_hand_is_not_judged_any_more(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-1")
        await hosts.until("fire")
        await hosts.database.execute("DELETE FROM hosts WHERE name = 'web-1'")
        await judged_up_to(hosts, "web-1")
        await hosts.until("fire")  # of its second life: the first one's went with it
        assert await hosts.phases() == {"web-1": "firing"}
        endings = await hosts.database.fetch("SELECT body ->> 'ending' AS ending FROM incidents ORDER BY id")
        assert [row["ending"] for row in endings] == ["gone", None]


async def test_removals_time_and_again_do_not_keep_others_from_being_called_down(
    bus_url: str, database_url: str
) -> None:
    slow = Rule("down", "Host down", "host.down", critical=Threshold(3, 3))
    async with (
        fleet(bus_url, database_url, [slow]) as hosts,
        serving(hosts.settings),
        database.connection(database_url, "watching") as connection,
    ):
        watching = Fleet(hosts.client, connection, hosts.settings)
        await judged_up_to(hosts, "db-1")

        async def come_and_go() -> None:
            for number in range(1000):
                await judged_up_to(hosts, f"web-{number}")
                await remove(hosts.client, hosts.database, f"web-{number}")
                await asyncio.sleep(0.2)

        coming = asyncio.create_task(come_and_go())
        try:
            await eventually(lambda: told_of(watching, "db-1"))
        finally:
            coming.cancel()
            await asyncio.wait([coming])


async def test_removals_are_no_failures(bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        for number in range(3):
            await judged_up_to(hosts, f"web-{number}")
            await remove(hosts.client, hosts.database, f"web-{number}")
            await judged_up_to(hosts, "db-1")
        assert caplog.messages.count("judging started") == 4
        answer = await hosts.client.request(ask_health("alerts"), timeout=40)
        assert msgspec.json.decode(answer.data, type=Heartbeat).errors == 0


async def test_a_host_removed_while_the_loop_begins_makes_it_begin_anew_at_once(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.cpu([80], at_s=0)
            await hosts.until("fire")
        await hosts.rules()  # so that what fires is to be ended

        async def removing_meanwhile(connection: database.Connection) -> Removed:
            monkeypatch.undo()
            removed = await load_removed(connection)
            async with database.connection(database_url, "removing") as another:
                await remove(hosts.client, another, "web-1")
            return removed

        monkeypatch.setattr("services.alerts.judge.loop.load_removed", removing_meanwhile)
        async with serving(hosts.settings):
            await judged_up_to(hosts, "db-1")
        assert "session restarted" in caplog.messages
        assert "bus session interrupted, will retry" not in caplog.messages


async def test_an_epoch_for_every_batch_grows_no_table(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        for number in range(3 * EPOCHS_KEPT):
            at = sample(hosts.start_ms + 1000 * number, total=1000)
            last = await hosts.send(metrics("web-1"), encoded(at, epoch=f"e{number}"))
            if number % EPOCHS_KEPT == 0:
                await hosts.processed(last)
        await hosts.processed(last)
        assert await hosts.database.fetchval("SELECT count(*) FROM marks WHERE consumer = 'alerts'") == EPOCHS_KEPT


async def test_the_windows_of_other_hosts_go_on(bus_url: str, database_url: str) -> None:
    mean = rule(for_s=0, recover_for_s=0, window=Window("avg", 20))
    async with fleet(bus_url, database_url, [mean]) as hosts, serving(hosts.settings):
        await judged_up_to(hosts, "web-2")
        await hosts.processed(await hosts.cpu([90] * 15, at_s=0))
        await judged_up_to(hosts, "db-1")
        await hosts.client.jetstream().purge_stream(METRICS.name, subject=metrics("web-1"))
        await remove(hosts.client, hosts.database, "web-2")
        await judged_up_to(hosts, "db-1")
        await hosts.processed(await hosts.cpu([90] * 10, at_s=15))
        await hosts.until("fire")
