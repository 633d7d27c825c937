"""Host events: facts whichever version of the agent sent them, and what happened, stored once."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from infra.bus.ordered import StoredMessage
from infra.clock import to_ms
from infra.storage.database import Connection, connection
from schemas.messages import HostEvent, HostFacts
from services.gateway.live import facts as followed
from services.gateway.live.facts import read_events, store

AT_S = 1_795_219_200
OLD = HostFacts(boot_id="a", boot_time=AT_S - 9000, agent_version="1.0", kernel="6.1")
BOOTED = HostFacts(boot_id="b", boot_time=AT_S + 50, agent_version="1.0", kernel="6.1")


def message(event: object, host: str = "web-1", seq: int = 1) -> StoredMessage:
    """An event that was stored `seq` seconds after AT_S."""
    return StoredMessage(f"events.{host}", msgspec.json.encode(event), {}, seq, (AT_S + seq) * 10**9)


def told(seq: int, facts: HostFacts | None = None, kind: str = "facts") -> StoredMessage:
    event = HostEvent("web-1", AT_S + seq, kind)
    if facts is not None:
        event.facts = facts
    return message(event, seq=seq)


async def stored(database: Connection) -> list[tuple[str, int, int | None]]:
    """Kind, time and end of every event, in seconds after AT_S."""
    rows = await database.fetch("SELECT kind, time, ended FROM host_events ORDER BY time, id")
    seconds = [(row["kind"], row["time"], row["ended"]) for row in rows]
    return [(kind, _after(time), None if end is None else _after(end)) for kind, time, end in seconds]


def _after(moment: Any) -> int:
    return to_ms(moment) // 1000 - AT_S


async def take(database: Connection, *messages: StoredMessage) -> dict[str, HostFacts]:
    async with database.transaction():
        return await store(database, list(messages))


def test_an_event_of_a_kind_of_later_agents_is_passed_over_quietly(caplog: pytest.LogCaptureFixture) -> None:
    update = {"host": "web-1", "time": 3, "kind": "update", "update": {"to": "9.0"}}
    assert [event.facts for _, event in read_events([message(update)])] == [msgspec.UNSET]
    assert not caplog.records


def test_facts_in_the_name_of_another_host_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    assert read_events([message(HostEvent("web-2", 1, "facts", HostFacts(cores=1)))]) == []
    assert [record.getMessage() for record in caplog.records] == ["invalid host event ignored"]


@pytest.mark.parametrize("name", [b"\xff", b"\\ud800", b"\xed\xa0\x80"], ids=["no UTF-8", "half a pair", "coded half"])
def test_an_event_that_is_no_text_is_passed_over(name: bytes) -> None:
    data = told(1, HostFacts(hostname="db")).data.replace(b'"db"', b'"' + name + b'"')
    assert name in data
    assert read_events([StoredMessage("events.web-1", data, {}, 1, AT_S * 10**9)]) == []


def test_an_event_that_is_nested_too_deeply_is_passed_over() -> None:
    data = told(1).data[:-1] + b',"more":' + b"[" * 90_000 + b"]" * 90_000 + b"}"
    assert read_events([StoredMessage("events.web-1", data, {}, 1, AT_S * 10**9)]) == []


async def test_an_event_that_no_table_takes_holds_up_no_other(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        wild = HostFacts(boot_id="".join(map(chr, range(300, 9000))), agent_version="v" * 9000, kernel="k" * 9000)
        await take(database, told(1, HostFacts(hostname="a\x00b")), told(2, OLD), told(3, wild), told(4, BOOTED))
        kinds = [kind for kind, _, _ in await stored(database)]
        assert sorted(kinds) == ["reboot", "reboot", "update", "update"]
        assert msgspec.json.decode(await database.fetchval("SELECT facts FROM hosts"))["boot_id"] == "b"


async def test_a_revision_that_no_settings_have_holds_up_no_other(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        digits = "".join(str(random.Random(1).randrange(10**9)) for _ in range(440))  # which no index entry holds
        wild = told(2, OLD).data.replace(b'"config_revision":0', f'"config_revision":{digits}'.encode())
        assert digits.encode() in wild
        in_force = msgspec.structs.replace(OLD, config_revision=7)
        await take(database, told(1, OLD), StoredMessage("events.web-1", wild, {}, 2, (AT_S + 2) * 10**9))
        await take(database, told(3, in_force))
        assert await stored(database) == [("settings", 3, None)]


async def test_the_last_facts_of_a_host_count(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        assert await take(database, told(1, HostFacts(cores=1)), told(2, HostFacts(cores=2))) == {
            "web-1": HostFacts(cores=2)
        }
        assert msgspec.json.decode(await database.fetchval("SELECT facts FROM hosts"))["cores"] == 2


async def test_what_happens_between_two_facts_of_one_batch_is_kept(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        newer = msgspec.structs.replace(BOOTED, agent_version="1.1")
        await take(database, told(1, OLD), told(60, BOOTED), told(70, newer))
        assert await stored(database) == [("reboot", 50, None), ("update", 70, None)]


async def test_events_that_another_gateway_has_stored_are_not_stored_anew(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        events = [told(1, OLD), told(60, BOOTED), told(61, OLD), told(70, None, "left"), told(80, None, "joined")]
        await take(database, *events)
        before = await stored(database)
        await take(database, *events[1:4])
        assert await stored(database) == before == [("reboot", -9000, None), ("reboot", 50, None), ("away", 70, 80)]


async def test_a_stream_that_begins_anew_is_followed(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await take(database, told(500, OLD))
        await take(database, StoredMessage("events.web-1", told(600, BOOTED).data, {}, 1, (AT_S + 600) * 10**9))
        assert await stored(database) == [("reboot", 50, None)]


async def test_who_leaves_is_away_until_it_is_back_however_many_gateways_say_so(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        kinds = ["left", "left", "joined", "joined"]
        await take(database, *(told(100 + n, None, kind) for n, kind in enumerate(kinds)))
        assert await stored(database) == [("away", 100, 102)]
        await take(database, told(110, None, "left"))
        assert await stored(database) == [("away", 100, 102), ("away", 110, None)]


async def test_a_gateway_that_says_late_that_somebody_left_adds_nothing(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        said = [(100.0, "left"), (101.0, "joined"), (100.2, "left"), (101.2, "joined")]
        events = [HostEvent("web-1", AT_S + at_s, kind) for at_s, kind in said]
        await take(database, *(message(event, seq=200 + n) for n, event in enumerate(events)))
        assert await stored(database) == [("away", 100, 101)]


async def test_an_impossible_time_is_that_at_which_the_event_was_stored(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await take(database, told(1, OLD))
        wild = msgspec.structs.replace(OLD, agent_version="2.0", boot_id="c", boot_time=1e300)
        await take(database, message(HostEvent("web-1", 1e300, "facts", wild), seq=9))
        assert await stored(database) == [("reboot", 9, None), ("update", 9, None)]


async def test_of_one_host_only_the_newest_events_are_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "MOST_EVENTS", 3)
    async with connection(database_url, "test") as database:
        versions = [msgspec.structs.replace(OLD, agent_version=f"1.{n}") for n in range(9)]
        await take(database, *(told(n, facts) for n, facts in enumerate(versions)))
        assert await stored(database) == [("update", n, None) for n in (6, 7, 8)]
