"""What the tables say of removed and archived hosts, and what of their messages counts."""

from __future__ import annotations

import pytest

from infra.bus.ordered import StoredMessage
from infra.storage.database import DATABASE_TRANSIENT, StaleIds, connection, ensure_hosts
from infra.storage.removed import Removed, load_removed, outdated_hosts, read_again

REMOVED = Removed(until_ns={"web-1": 100})
BACK = Removed(until_ns={"web-1": 100}, again={"web-1"})
ARCHIVED = Removed(archived_ns={"web-1": 100})


def message(host: str, time_ns: int) -> StoredMessage:
    return StoredMessage(f"metrics.{host}", b"", {}, 1, time_ns)


@pytest.mark.parametrize("removed", [REMOVED, BACK])
def test_what_the_bus_stored_until_the_removal_never_counts_again(removed: Removed) -> None:
    assert removed.drops("web-1", 99)
    assert removed.drops("web-1", 100)


def test_what_comes_later_counts_once_the_host_has_enrolled_again() -> None:
    assert REMOVED.drops("web-1", 101)
    assert not BACK.drops("web-1", 101)


def test_of_an_archived_host_what_came_before_still_counts() -> None:
    assert not ARCHIVED.drops("web-1", 100)
    assert ARCHIVED.drops("web-1", 101)


def test_others_are_not_concerned() -> None:
    assert not any(removed.drops("web-2", 50) for removed in (REMOVED, BACK, ARCHIVED))


def test_the_tables_are_asked_again_only_about_hosts_that_may_have_come_back() -> None:
    messages = [message("web-1", 90), message("web-2", 200)]
    assert outdated_hosts(REMOVED, messages) == []
    assert outdated_hosts(REMOVED, [*messages, message("web-1", 101)]) == ["web-1"]
    assert outdated_hosts(BACK, [message("web-1", 101)]) == []
    assert outdated_hosts(ARCHIVED, [message("web-1", 101)]) == ["web-1"]


async def test_a_removed_host_is_not_made_anew(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO removed_hosts VALUES ('web-1', 100)")
        with pytest.raises(StaleIds, match="web-1"):
            await ensure_hosts(database, ["web-1", "web-2"])
        assert await database.fetchval("SELECT count(*) FROM hosts") == 0
    assert issubclass(StaleIds, DATABASE_TRANSIENT)


async def test_one_that_has_enrolled_again_is_found(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO removed_hosts VALUES ('web-1', 100)")
        removed = await load_removed(database)
        assert removed.drops("web-1", 101)
        number = await database.fetchval("INSERT INTO hosts (name) VALUES ('web-1') RETURNING id")
        await read_again(database, removed, [message("web-1", 101)])
        assert not removed.drops("web-1", 101)
        assert removed.drops("web-1", 100)
        assert await ensure_hosts(database, ["web-1"]) == {"web-1": number}


async def test_an_archived_host_that_is_active_again_is_taken(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO hosts (name, state, archived_ns) VALUES ('web-1', 'archived', 100)")
        removed = await load_removed(database)
        assert removed.drops("web-1", 101)
        await database.execute("UPDATE hosts SET state = 'active'")
        await read_again(database, removed, [message("web-1", 101)])
        assert not removed.drops("web-1", 101)
