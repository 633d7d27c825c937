"""The chain on a real database: what is begun, sent, kept and done again."""

from __future__ import annotations

import time
from functools import partial

from infra.storage import database
from schemas.matching import Matcher
from schemas.routes import Route, Silence
from tests.alerts.slack_server import Reply
from tests.alerts.telling.desk import Desk, desk, telling
from tests.waiting import eventually, lock_awaited


async def test_a_fire_and_its_end_are_told_and_then_the_incident_is_settled(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.route(Route("all", "All", ["slack"], group_interval_s=0))
        async with telling(at):
            number = await at.fire()
            await at.until_status("sent")
            await at.end(number)
            await at.until_status("sent", "sent")
            await at.settled(number)
        kinds = await at.database.fetch("SELECT kind FROM notification_items ORDER BY notification_id")
        assert [row["kind"] for row in kinds] == ["fire", "resolve"]


async def test_what_ended_before_anybody_was_told_is_told_to_nobody(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        number = await at.fire()
        await at.end(number)
        async with telling(at):
            await at.settled(number)
        assert await at.statuses() == []


async def test_a_message_that_failed_is_made_anew_out_of_what_is_true_then(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.append(Reply(500, "no"))
        async with telling(at):
            number = await at.fire(level=1)
            await at.until_status("failed")
            await at.fire(level=2, number=number)
            await at.until_status("failed", "sent")
        assert [it["level"] for it in await at.database.fetch("SELECT level FROM told")] == [2]


async def test_a_dead_channel_is_held_and_told_once_somebody_has_changed_it(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.append(Reply(404, "no_service"))
        async with telling(at):
            await at.fire()
            await at.until_status("dead")
            assert await at.database.fetchval("SELECT held_since IS NOT NULL FROM channel_states")
            await at.channel(name="Mended")
            await at.until_status("dead", "sent")
            assert await at.database.fetchval("SELECT held_since IS NULL FROM channel_states")


async def test_a_channel_that_somebody_has_tested_is_held_no_more(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.append(Reply(404, "no_service"))
        async with telling(at):
            await at.fire()
            await at.until_status("dead")
            await at.database.execute("UPDATE channel_states SET held_since = NULL, held_reason = '', next_try = now()")
            at.wake.set()
            await at.until_status("dead", "sent")


async def test_a_held_channel_stays_held_over_a_restart(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.append(Reply(404, "no_service"))
        async with telling(at):
            await at.fire()
            await at.until_status("dead")
        async with telling(at):
            number = await at.fire("web-2")
            await eventually(lambda: _decided(at, number))
        assert await at.statuses() == ["dead"]


async def _decided(at: Desk, number: int) -> bool:
    return any("held" in text for _, text in await at.steps(number))


async def test_the_fallback_is_told_in_place_of_a_dead_channel(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel("slack", fallback="spare")
        await at.channel("spare")
        await at.route(Route("all", "All", ["slack"]))
        at.sink.script.append(Reply(404, "no_service"))
        async with telling(at):
            await at.fire()
            await at.until_status("dead", "sent")
        assert await at.database.fetchval("SELECT channel FROM told") == "spare"


async def test_a_restart_tells_nothing_again(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        async with telling(at):
            await at.fire()
            await at.until_status("sent")
        async with telling(at):
            other = await at.fire("web-2", level=1)
            await at.until_status("sent", "sent")
        told = await at.database.fetch("SELECT incident_id, times FROM told ORDER BY incident_id")
        assert [tuple(row) for row in told] == [(other - 1, 1), (other, 1)]


async def test_a_message_that_nobody_saw_answered_is_told_anew(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        number = await at.fire()
        await at.database.execute(
            "WITH begun AS (INSERT INTO notifications (channel, route, form, status) "
            "VALUES ('slack', 'everything', 'alert', 'sending') RETURNING id) "
            "INSERT INTO notification_items SELECT id, $1, 'fire' FROM begun",
            number,
        )
        async with telling(at):
            await at.until_status("unknown", "sent")
        assert not await at.database.fetchval("SELECT unsure FROM told")


async def test_the_end_of_what_was_perhaps_told_is_told(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        number = await at.fire()
        await at.database.execute(
            "WITH begun AS (INSERT INTO notifications (channel, route, form, status) "
            "VALUES ('slack', 'everything', 'alert', 'sending') RETURNING id) "
            "INSERT INTO notification_items SELECT id, $1, 'fire' FROM begun",
            number,
        )
        await at.end(number)
        async with telling(at):
            await at.until_status("unknown", "sent")
            await at.settled(number)


async def test_an_end_during_the_message_about_its_fire_is_told_after_it(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.route(Route("all", "All", ["slack"], group_interval_s=0))
        at.sink.script.append(Reply(after_s=1))
        async with telling(at):
            number = await at.fire()
            await at.posts(1)
            await at.end(number)
            await at.until_status("sent", "sent")
            await at.settled(number)


async def test_a_silence_holds_and_says_so(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        now_s = time.time()
        await at.silence(Silence(Matcher(hosts=["web-*"]), now_s - 1, now_s + 3600, "moving house"))
        async with telling(at):
            number = await at.fire()
            await eventually(lambda: _decided(at, number))
            assert (await at.steps(number))[0][0] == "held"
            await at.database.execute("DELETE FROM silences")
            at.wake.set()
            await at.until_status("sent")
        assert [kind for kind, _ in await at.steps(number)] == ["held", "released", "sent"]


async def test_nothing_is_told_while_old_messages_are_judged(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.catching_up_s = 100
        async with telling(at):
            number = await at.fire()
            await eventually(lambda: _decided(at, number))
            at.catching_up_s = None
            at.wake.set()
            await at.until_status("sent")
        assert [kind for kind, _ in await at.steps(number)] == ["held", "released", "sent"]


async def test_the_delay_from_sample_to_answer_is_measured(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        async with telling(at):
            await at.fire(changed=time.time() - 100)
            await at.until_status("sent")
        assert at.delays_s[0] >= 100
        assert await at.database.fetchval("SELECT delay_s FROM notifications") >= 100


async def test_what_had_to_wait_is_no_measure_of_delay(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.catching_up_s = 100
        async with telling(at):
            number = await at.fire()
            await eventually(lambda: _decided(at, number))
            at.catching_up_s = None
            at.wake.set()
            await at.until_status("sent")
        assert not at.delays_s


async def test_a_message_that_fails_again_and_again_stays_one(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.extend([Reply(500, "no", {"Retry-After": "0"})] * 3)
        async with telling(at):
            number = await at.fire()
            await at.until_status("sent")
        assert len(at.sink.posts) == 4
        assert await at.database.fetchval("SELECT attempts FROM notifications") == 4
        assert [kind for kind, _ in await at.steps(number)] == ["routed", "failed", "sent"]


async def test_a_channel_that_stays_dead_fills_no_table(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        at.sink.script.extend([Reply(404, "no_service")] * 2)
        shift_s = 0.0
        async with telling(at, clock=lambda: time.time() + shift_s):
            number = await at.fire()
            await at.until_status("dead")
            made = await at.database.fetchval("SELECT made FROM notifications")
            shift_s = 1000.0
            at.wake.set()
            await at.posts(2)
            await eventually(partial(_has_tried, at, 2))
        assert await at.statuses() == ["dead"]
        assert await at.database.fetchval("SELECT made FROM notifications") == made
        assert [kind for kind, _ in await at.steps(number)].count("failed") == 1


async def _has_tried(at: Desk, times: int) -> bool:
    return bool(await at.database.fetchval("SELECT sum(attempts) FROM notifications") == times)


async def test_a_channel_that_is_removed_while_it_is_told_stops_nobody(database_url: str) -> None:
    async with desk(database_url) as at, database.connection(at.url, "removing") as other:
        await at.channel("slack")
        await at.channel("mail")
        async with telling(at):
            removal = other.transaction()
            await removal.start()
            await other.execute("DELETE FROM channels WHERE id = 'slack'")
            await at.fire()
            await eventually(partial(lock_awaited, at.url))
            await removal.commit()
            await eventually(partial(_is_sent, at, "mail"))
            await at.fire("web-2")
            await eventually(partial(_is_sent, at, "mail", 2))


async def _is_sent(at: Desk, channel: str, times: int = 1) -> bool:
    sent = "SELECT count(*) FROM notifications WHERE status = 'sent' AND channel = $1"
    return bool(await at.database.fetchval(sent, channel) == times)
