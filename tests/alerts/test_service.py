from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.messages import MESSAGE_ID
from schemas.rules import Threshold
from schemas.subjects import metrics
from services.alerts.judge.memory import Memory, Part
from services.alerts.judge.store import forget_old
from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving, serving_until_killed
from tests.batches import encoded, sample
from tests.waiting import eventually

QUICK = rule(for_s=5, recover_for_s=5)


async def test_a_condition_that_holds_fires_and_resolves(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.cpu([80] * 10, at_s=0)
        await hosts.cpu([10] * 10, at_s=10)
        await hosts.until("fire", "resolve")
        fired, resolved = await hosts.transitions()
        assert (fired.time, fired.since) == (hosts.start_ms / 1000 + 5, hosts.start_ms / 1000)
        assert (resolved.time, resolved.peak) == (hosts.start_ms / 1000 + 15, 80)


async def test_transitions_are_published_in_order_under_their_number(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        for index in range(4):
            await hosts.cpu([80] * 10 + [10] * 10, at_s=20 * index, host=f"web-{index}")
        await hosts.until(*["fire", "resolve"] * 4)
        await hosts.published()
        assert await hosts.on_the_bus() == await hosts.transitions()
        first = await hosts.client.jetstream().get_msg("ALERTS", 1)
        assert first.subject == "alerts.web-0.busy"
        assert (first.headers or {})[MESSAGE_ID] == str((await hosts.transitions())[0].id)


async def test_a_quiet_fleet_leaves_no_states(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([20] * 10, at_s=0))
        assert await hosts.phases() == {}
        assert await hosts.transitions() == []


async def test_a_restart_does_not_forget_a_pending_clock(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [rule(for_s=15)]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
            assert await hosts.phases() == {"web-1": "pending"}
        async with serving(hosts.settings):
            await hosts.cpu([80] * 10, at_s=10)
            await hosts.until("fire")
        assert (await hosts.transitions())[0].time == hosts.start_ms / 1000 + 15


async def test_a_restart_does_not_fire_again(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([80] * 10, at_s=10))
        assert await hosts.kinds() == ["fire"]


async def test_what_arrived_while_the_service_was_down_is_judged_in_order(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        for index in range(50):
            await hosts.cpu([80] * 10 + [10] * 10, at_s=20 * index, host=f"web-{index % 20}")
            await hosts.cpu([5] * 20, at_s=20 * index, host="db-1")
        async with serving(hosts.settings):
            await hosts.until(*["fire", "resolve"] * 50)
        times = [transition.time for transition in await hosts.transitions()]
        assert times == sorted(times)


async def test_being_killed_again_and_again_changes_no_transition(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:

        async def come_and_go(index: int) -> int:
            # Each host seldom enough not to flap.
            return await hosts.cpu([80] * 10 + [10] * 10, at_s=20 * index, host=f"web-{index % 15}")

        index = 0
        for delay in range(5):
            async with serving_until_killed(hosts.settings):
                await hosts.processed(await come_and_go(index))
                for _ in range(delay * 3):  # more and more is under way when the blow falls
                    index += 1
                    await come_and_go(index)
            index += 1
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([10], at_s=20 * index))
            await hosts.published()
        expected = [hosts.start_ms / 1000 + 20 * (number // 2) + (5, 15)[number % 2] for number in range(2 * index)]
        assert await hosts.kinds() == ["fire", "resolve"] * index
        assert [transition.time for transition in await hosts.transitions()] == expected
        assert [transition.time for transition in await hosts.on_the_bus()] == expected


async def test_the_same_batch_sent_twice_counts_once(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [rule(for_s=0, recover_for_s=0)]) as hosts, serving(hosts.settings):
        twice = encoded(sample(hosts.start_ms, total=8000), sample(hosts.start_ms + 1000, total=1000))
        await hosts.send(metrics("web-1"), twice)
        await hosts.processed(await hosts.send(metrics("web-1"), twice))
        assert await hosts.kinds() == ["fire", "resolve"]


async def test_poison_is_passed_over_and_its_neighbours_judged(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        hot = [sample(hosts.start_ms + 1000 * second, total=9900) for second in range(10)]
        await hosts.send(metrics("web-2"), b"\xc1 garbage")
        await hosts.send(metrics("web-2"), encoded(*hot, host="web-1"))
        await hosts.send(metrics("web-3"), encoded(*hot, host="web-3", lane="live"))
        await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
        assert [transition.host for transition in await hosts.transitions()] == ["web-1"]


async def test_a_changed_rule_takes_effect_without_a_restart(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([50] * 10, at_s=0))
        await hosts.rules(rule(for_s=5, warning=Threshold(40, 30)))
        second = 0

        async def fired() -> bool:
            nonlocal second
            second += 10
            await hosts.processed(await hosts.cpu([50] * 10, at_s=second))
            return await hosts.kinds() == ["fire"]

        await eventually(fired)


async def test_a_batch_that_follows_the_announcement_of_a_rule_is_held_against_it(
    bus_url: str, database_url: str
) -> None:
    async with fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
        await hosts.rules(QUICK)
        await hosts.processed(await hosts.cpu([80] * 10, at_s=10))
        assert await hosts.kinds() == ["fire"]


async def test_a_deleted_rule_ends_its_alerts_as_gone(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK, rule(id="other")]) as hosts, serving(hosts.settings):
        await hosts.cpu([95] * 10, at_s=0)
        await hosts.until("fire")
        await hosts.rules(rule(id="other"))
        await hosts.until("fire", "gone")
        assert (await hosts.transitions())[1].rule == "busy"
        assert await hosts.phases() == {"web-1": "pending"}


async def test_a_rule_deleted_while_the_service_was_down_ends_its_alerts(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
        await hosts.rules()
        async with serving(hosts.settings):
            await hosts.until("fire", "gone")
        assert (await hosts.transitions())[1].rule_name == "CPU busy"


async def test_a_rule_that_can_be_read_and_makes_no_sense_ends_its_alerts_and_is_logged_once(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    senseless = replace(QUICK, warning=None, critical=Threshold(101, 90))
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([95] * 10, at_s=0))
        await hosts.rules(senseless)
        async with serving(hosts.settings):
            await hosts.until("fire", "gone")
            await hosts.rules(senseless, rule(id="other", for_s=5))
            await hosts.processed(await hosts.cpu([95] * 10, at_s=10))
            await hosts.until("fire", "gone", "fire")
    said = [record for record in caplog.records if record.message == "invalid rule skipped"]
    assert [vars(record)["rule"] for record in said] == ["busy"]


async def test_a_rule_that_cannot_be_read_disturbs_no_other(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        await hosts.database.execute("""INSERT INTO rules (id, body) VALUES ('odd', '{"id":"odd","colour":"blue"}')""")
        async with serving(hosts.settings):
            await hosts.cpu([80] * 10, at_s=0)
            await hosts.until("fire")


async def test_a_second_service_stands_by_until_the_first_ends(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            async with serving(hosts.settings):
                await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
            await hosts.processed(await hosts.cpu([10] * 10, at_s=10))
        assert await hosts.kinds() == ["fire", "resolve"]


async def test_a_host_deleted_meanwhile_is_not_brought_back_by_its_states(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([80] * 10, at_s=0))
        await hosts.database.execute("DELETE FROM hosts")
        await hosts.rules()
        await hosts.processed(await hosts.cpu([10] * 10, at_s=0, host="web-2"))
        assert await hosts.database.fetch("SELECT name FROM hosts") == [("web-2",)]


async def test_a_stored_state_that_cannot_be_read_is_skipped_and_the_rest_is_judged(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.cpu([80] * 10, at_s=0)
            await hosts.cpu([80] * 10, at_s=0, host="db-1")
            await hosts.until("fire", "fire")
        await hosts.database.execute(
            """UPDATE alert_states SET body = '{"machine": {"last_ms": "late"}}' WHERE host_id =
            (SELECT id FROM hosts WHERE name = 'web-1')"""
        )
        async with serving(hosts.settings):
            await hosts.cpu([10] * 10, at_s=10, host="db-1")
            await hosts.until("fire", "fire", "resolve")
            await hosts.cpu([80] * 10, at_s=20)
            await hosts.until("fire", "fire", "resolve", "fire")
    [said] = [record for record in caplog.records if record.message == "stored alert state invalid, skipped"]
    assert (said.levelname, vars(said)["host"], vars(said)["rule"]) == ("ERROR", "web-1", "busy")
    assert "last_ms" in vars(said)["error"]


async def test_a_stored_incident_that_cannot_be_read_is_over_and_the_next_is_another(
    bus_url: str, database_url: str
) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await hosts.cpu([80] * 10, at_s=0)
            await hosts.until("fire")
        await hosts.database.execute("UPDATE incidents SET body = '{}'")
        async with serving(hosts.settings):
            await hosts.cpu([99] * 10, at_s=10)
            await hosts.until("fire", "escalate")
            await hosts.cpu([10] * 10, at_s=20)
            await hosts.until("fire", "escalate", "resolve")
        assert [goes_on for _, _, goes_on in await hosts.incidents()] == [False, False]


@pytest.mark.parametrize("body", ["{}", '{"machine": {"last_ms": "late"}}', '{"machine": {"last_ms": 1e40}}'])
async def test_old_states_are_forgotten_beside_unreadable_ones(bus_url: str, database_url: str, body: str) -> None:
    async with fleet(bus_url, database_url) as hosts:
        await hosts.database.execute("INSERT INTO hosts (name) VALUES ('web-1')")
        for instance, stored in (("odd", body), ("old", '{"machine": {"last_ms": 1}}')):
            await hosts.database.execute(
                "INSERT INTO alert_states SELECT 'busy', id, $1, 'ok', $2 FROM hosts", instance, stored
            )
        await forget_old(hosts.database, Memory(Part(), {}, {}), 1000)
        left = await hosts.database.fetch("SELECT instance FROM alert_states")
        assert "old" not in {row["instance"] for row in left}
