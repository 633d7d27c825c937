"""What the gateway reads from the database at its start, and viewers who were there before."""

from __future__ import annotations

from collections import Counter

import pytest

from infra.clock import now_ms
from infra.storage import database
from schemas.catalogue import CATALOGUE
from services.gateway.fleet import sql
from services.gateway.fleet.memory import Fleet
from services.gateway.live import refresh
from services.gateway.live.hub import Hub
from services.gateway.live.refresh import read_hosts, restore
from tests.gateway.live.test_hub import ALL
from tests.gateway.live.viewers import a_viewer, connected, events, give_all
from tests.gateway.rows import put


async def test_a_viewer_who_came_before_the_values_were_read_gets_them(database_url: str) -> None:
    away_since = now_ms() - 2_400_000
    await put(database_url, "cpu", [(away_since, "", {"total": 77})], host="lost-1")
    fleet = Fleet(CATALOGUE)
    hub, viewer = Hub(fleet), a_viewer()
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, hub)
        taken = connected(viewer)
        hub.join(viewer, ALL, None)
        give_all(hub)
        early = events(taken.read())
        await restore(connection, fleet, hub)
        give_all(hub)
        late = events(taken.read())[len(early) :]
    assert [host["last_sample"] for host in early[0][1]["hosts"]] == [None]
    assert [name for name, _ in late][-3:] == ["resync", "snapshot", "complete"]
    data = late[-2][1]
    assert [(host["last_sample"], host["latest"]) for host in data["hosts"]] == [
        (away_since, {"cpu": {"": {"total": 0.77}}})
    ]


async def test_the_last_minute_of_every_host_is_read_in_portions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "HOSTS_AT_ONCE", 2)
    at = now_ms() - 5000
    for number in range(5):
        await put(database_url, "cpu", [(at, "", {"total": number}), (at + 1000, "", {"total": 9})], f"web-{number}")
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, Hub(fleet))
        asked: Counter[str] = Counter()
        connection.add_query_logger(lambda query: asked.update([query.query]))
        await restore(connection, fleet, Hub(fleet))
    assert [asked[sql.recent(family)] for family in CATALOGUE] == [3] * len(CATALOGUE)  # 2, 2 and 1 host
    assert [asked[sql.latest(family)] for family in CATALOGUE] == [1] * len(CATALOGUE)
    pasts = {name: fleet.past(name, False, None)["cpu.total"][""] for name in fleet.names()}
    assert pasts == {f"web-{number}": [number / 100, 0.09] for number in range(5)}
