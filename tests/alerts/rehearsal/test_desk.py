"""Rehearsals asked for over a real bus and performed on a real database, in a process of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import psutil

from schemas.rehearsals import (
    MOST_EPISODES,
    REHEARSAL_ASK,
    REHEARSAL_CANCEL,
    Outcome,
    Rehearsal,
    RehearsalOrder,
    rehearsal_told,
)
from schemas.rules import Override, Rule, Threshold, Window
from schemas.virtual import HOST_DOWN
from services.alerts.rehearsal.desk import GRACE_S, MODULE, MOST_S, STOPPED, rehearse
from services.alerts.rehearsal.minutes import MINUTE_MS
from tests.alerts.fleet import Fleet, fleet
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, put
from tests.waiting import eventually

BUSY = Rule("busy", "CPU busy", "cpu.total", critical=Threshold(90, 80), for_s=120, recover_for_s=60)
DOWN = Rule("down", "Down", HOST_DOWN, critical=Threshold(60, 60))


@asynccontextmanager
async def serving(
    bus_url: str, database_url: str, most_s: float = MOST_S, grace_s: float = GRACE_S
) -> AsyncIterator[Fleet]:
    async with fleet(bus_url, database_url) as made, asyncio.TaskGroup() as group:
        stop = asyncio.Event()
        group.create_task(rehearse(made.client, made.settings, stop, most_s, grace_s))
        try:
            await _listening(made)
            yield made
        finally:
            stop.set()


async def _listening(made: Fleet) -> None:
    """Wait until orders are heard: one that cannot be performed is answered at once."""
    asked = Asked(made, "ffffffffffffffff")

    async def answered() -> bool:
        await asked.ask(DOWN)
        return not asked.heard.empty()

    await eventually(answered)


class Asked:
    """One rehearsal as whoever asked for it hears it."""

    def __init__(self, made: Fleet, id: str) -> None:
        self.id = id
        self.heard: asyncio.Queue[Rehearsal] = asyncio.Queue()
        self._made = made

    async def ask(self, rule: Rule, days: float = 1) -> None:
        async def hear(message: object) -> None:
            self.heard.put_nowait(msgspec.json.decode(message.data, type=Rehearsal))  # type: ignore[attr-defined]

        await self._made.client.subscribe(rehearsal_told(self.id), cb=hear)
        order = msgspec.json.encode(RehearsalOrder(self.id, rule, days))
        await self._made.client.publish(REHEARSAL_ASK, order)
        await self._made.client.flush()

    async def cancel(self) -> None:
        await self._made.client.publish(REHEARSAL_CANCEL, self.id.encode())

    async def until(self, *states: str) -> Rehearsal:
        async with asyncio.timeout(90):
            while True:
                told = await self.heard.get()
                if told.state in states:
                    return told


async def rehearsed(made: Fleet, rule: Rule, days: float = 1) -> Outcome:
    asked = Asked(made, f"{time.time_ns():016x}")
    await asked.ask(rule, days)
    last = await asked.until("done", "failed")
    assert last.outcome is not None, last.reason
    return last.outcome


def start_ms(minutes_ago: int) -> int:
    """A whole minute, so long ago."""
    return (time.time_ns() // 1_000_000 // MINUTE_MS - minutes_ago) * MINUTE_MS


def seconds(from_ms: int, *stretches: tuple[int, int | None], instance: str = "", metric: str = "total") -> list[Row]:
    """Rows of a value each, second by second: how many seconds it lasts, and its per cent; null: nothing."""
    rows: list[Row] = []
    at_ms = from_ms
    for length_s, value in stretches:
        if value is not None:
            rows += [(at_ms + 1000 * second, instance, {metric: value * 100}) for second in range(length_s)]
        at_ms += 1000 * length_s
    return rows


async def test_it_says_when_the_rule_would_have_fired_how_long_and_on_whom(bus_url: str, database_url: str) -> None:
    first = start_ms(180)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (600, 20), (300, 95), (600, 20)), host="web-1")
        await put(database_url, "cpu", seconds(first, (1500, 30)), host="web-2")
        await roll_up(database_url, first + 120 * MINUTE_MS)
        outcome = await rehearsed(made, BUSY)
    (episode,) = outcome.episodes
    assert (outcome.fired, outcome.hosts_fired, outcome.hosts, outcome.hosts_played) == (1, 1, 2, 2)
    assert (episode.host, episode.severity, episode.ending, episode.peak) == ("web-1", "critical", "resolve", 95)
    assert (episode.fired - first / 1000, episode.duration_s) == (720, 240)
    assert outcome.complete


async def test_samples_that_cannot_matter_are_not_read(bus_url: str, database_url: str) -> None:
    first = start_ms(180)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (7000, 20), (300, 95), (600, 20)))
        await roll_up(database_url, first + 170 * MINUTE_MS)
        outcome = await rehearsed(made, BUSY)
    assert outcome.fired == 1
    assert 0 < outcome.samples_read < 3000


async def test_what_is_not_rolled_up_yet_counts_as_well(bus_url: str, database_url: str) -> None:
    first = start_ms(60)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (600, 20), (300, 95), (600, 20)))
        outcome = await rehearsed(made, BUSY)
    assert outcome.fired == 1


async def test_an_alert_that_still_fires_has_no_end(bus_url: str, database_url: str) -> None:
    first = start_ms(10)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (120, 20), (480, 95)))
        outcome = await rehearsed(made, BUSY)
    (episode,) = outcome.episodes
    assert (episode.ended, episode.ending) == (None, None)


async def test_an_override_makes_another_rule_of_it_for_its_hosts(bus_url: str, database_url: str) -> None:
    first = start_ms(120)
    rule = msgspec.structs.replace(BUSY, overrides=[Override(hosts=["db-*"], critical=Threshold(50, 40))])
    async with serving(bus_url, database_url) as made:
        for host in ("web-1", "db-1"):
            await put(database_url, "cpu", seconds(first, (600, 20), (300, 60), (600, 20)), host=host)
        outcome = await rehearsed(made, rule)
    assert [episode.host for episode in outcome.episodes] == ["db-1"]


async def test_a_tag_decides_which_hosts_it_looks_at(bus_url: str, database_url: str) -> None:
    first = start_ms(120)
    rule = msgspec.structs.replace(BUSY, tags=["prod"])
    async with serving(bus_url, database_url) as made:
        for host in ("web-1", "web-2"):
            await put(database_url, "cpu", seconds(first, (600, 20), (300, 95), (600, 20)), host=host)
        await made.database.execute("UPDATE hosts SET tags = '{prod}' WHERE name = 'web-2'")
        outcome = await rehearsed(made, rule)
    assert (outcome.hosts, [episode.host for episode in outcome.episodes]) == (1, ["web-2"])


async def test_each_instance_has_its_own(bus_url: str, database_url: str) -> None:
    first = start_ms(120)
    rule = Rule("full", "Full", "filesystem.used_percent", instance="/d*", warning=Threshold(90, 80))
    async with serving(bus_url, database_url) as made:
        for mount in ("/data", "/home"):
            rows = seconds(first, (60, 20), (60, 95), (60, 20), instance=mount, metric="used_percent")
            await put(database_url, "filesystem", rows)
        outcome = await rehearsed(made, rule)
    assert [episode.instance for episode in outcome.episodes] == ["/data"]
    assert outcome.series == 1


async def test_an_instance_that_vanishes_while_its_host_goes_on_is_gone(bus_url: str, database_url: str) -> None:
    first = start_ms(120)
    rule = Rule("hot", "Hot", "gpu.temperature", warning=Threshold(80, 70))
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (1200, 20)))
        rows: list[Row] = [(first + 1000 * second, "0", {"temperature": 900}) for second in range(300)]
        await put(database_url, "gpu", rows)
        await roll_up(database_url, first + 100 * MINUTE_MS)
        outcome = await rehearsed(made, rule)
    (episode,) = outcome.episodes
    assert episode.ending == "gone"
    assert episode.ended is not None
    assert 120 < episode.ended - (first / 1000 + 300) <= 140


async def test_a_window_is_rehearsed_like_it_is_judged(bus_url: str, database_url: str) -> None:
    first = start_ms(180)
    rule = Rule("mean", "Mean", "cpu.total", warning=Threshold(50, 40), window=Window("avg", 300))
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (1800, 20), (600, 80), (1800, 20)))
        await roll_up(database_url, first + 120 * MINUTE_MS)
        outcome = await rehearsed(made, rule)
    (episode,) = outcome.episodes
    assert (
        episode.fired == first / 1000 + 1800 + 149
    )  # half of the window's values are of the one kind, half of the other
    assert outcome.samples_read < 3600


async def test_where_raw_samples_are_gone_minutes_are_played_and_it_says_so(bus_url: str, database_url: str) -> None:
    first = start_ms(600)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (600, 20), (600, 95), (600, 20)))
        await roll_up(database_url, first + 500 * MINUTE_MS)
        await made.database.execute("DELETE FROM cpu")
        await made.database.execute(
            "UPDATE horizons SET before = to_timestamp($1) WHERE name = 'raw'", (first + 60 * MINUTE_MS) / 1000
        )
        outcome = await rehearsed(made, BUSY)
    (episode,) = outcome.episodes
    assert episode.resolution == "minute"
    assert outcome.exact_from == (first + 60 * MINUTE_MS) / 1000
    assert 480 <= episode.duration_s <= 720


async def test_what_is_not_stored_cannot_be_rehearsed(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url) as made:
        asked = Asked(made, "00000000000000aa")
        await asked.ask(DOWN)
        told = await asked.until("failed")
    assert "host.down" in told.reason
    assert "not stored" in told.reason


async def test_one_that_waits_can_be_called_off(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url) as made:
        orders = [Asked(made, f"{number:016x}") for number in range(4)]
        for asked in orders:
            await asked.ask(BUSY)
        await orders[-1].cancel()
        assert (await orders[-1].until("cancelled", "done")).state == "cancelled"
        assert (await orders[0].until("done", "failed")).state == "done"


async def test_one_that_runs_can_be_called_off_and_the_next_one_begins(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url) as made:
        # Whoever holds the table keeps the rehearsal from reading it.
        async with made.database.transaction():
            await made.database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
            asked = Asked(made, "00000000000000bb")
            await asked.ask(BUSY)
            await asked.until("running")
            await asked.cancel()
            await asked.until("cancelled")
        assert (await rehearsed(made, BUSY)).hosts == 0


async def test_more_than_a_few_are_refused(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url) as made, made.database.transaction():
        await made.database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        orders = [Asked(made, f"{number:016x}") for number in range(6)]
        for number, asked in enumerate(orders):
            await asked.ask(BUSY)
            await asked.until("waiting" if number < 5 else "failed")
            if number == 0:
                await asked.until("running")


async def test_one_whose_process_is_killed_has_failed_and_the_next_one_begins(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url) as made:
        async with made.database.transaction():
            await made.database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
            asked = Asked(made, "00000000000000cc")
            await asked.ask(BUSY)
            await asked.until("running")
            await eventually(_kill_child)
            told = await asked.until("failed")
        assert "killed" in told.reason
        assert (await rehearsed(made, BUSY)).hosts == 0


def _kill_child() -> bool:
    """Kill the process of the rehearsal that this one performs."""
    for child in psutil.Process().children():
        if MODULE in child.cmdline():
            child.kill()
            return True
    return False


async def test_one_that_takes_too_long_is_ended_and_says_so(bus_url: str, database_url: str) -> None:
    async with serving(bus_url, database_url, most_s=0.5, grace_s=0.5) as made, made.database.transaction():
        await made.database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        asked = Asked(made, "00000000000000dd")
        await asked.ask(BUSY)
        assert "took longer than 1 s" in (await asked.until("failed")).reason


async def test_a_database_that_does_not_answer_in_time_is_the_reason(bus_url: str, database_url: str) -> None:
    first = start_ms(60)
    async with serving(bus_url, database_url) as made:
        await put(database_url, "cpu", seconds(first, (60, 20)))
        async with made.database.transaction():
            await made.database.execute("LOCK TABLE cpu_1m IN ACCESS EXCLUSIVE MODE")
            asked = Asked(made, "00000000000000ee")
            await asked.ask(BUSY)
            assert "took longer than 20 s" in (await asked.until("failed")).reason


async def test_what_is_in_hand_when_the_service_stops_is_told_to_have_failed(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url) as made, made.database.transaction():
        await made.database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        async with asyncio.TaskGroup() as group:
            stop = asyncio.Event()
            group.create_task(rehearse(made.client, made.settings, stop))
            await _listening(made)
            orders = [Asked(made, f"{number:016x}") for number in range(2)]
            for asked, state in zip(orders, ("running", "waiting"), strict=True):
                await asked.ask(BUSY)
                await asked.until(state)
            stop.set()
        reasons = [(await asked.until("failed")).reason for asked in orders]
    assert reasons == [STOPPED, STOPPED]


async def test_an_answer_with_long_names_is_cut_to_what_the_bus_carries(bus_url: str, database_url: str) -> None:
    first = start_ms(60)
    rule = Rule("full", "Full", "filesystem.used_percent", warning=Threshold(90, 80))
    async with serving(bus_url, database_url) as made:
        rows: list[Row] = [(first, f"/{number:0500}", {"used_percent": 9500}) for number in range(MOST_EPISODES)]
        await put(database_url, "filesystem", rows)
        outcome = await rehearsed(made, rule)
    assert outcome.fired == MOST_EPISODES
    assert 300 < len(outcome.episodes) < MOST_EPISODES
