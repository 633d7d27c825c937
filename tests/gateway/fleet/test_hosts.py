"""`GET /hosts`."""

from __future__ import annotations

from infra.clock import now_ms
from schemas.catalogue import CATALOGUE
from schemas.codec import encode_batch
from services.gateway.fleet.memory import Fleet
from tests.batches import batch, sample
from tests.gateway.asking import asking, get


def fleet() -> Fleet:
    """One host with two values."""
    known = Fleet(CATALOGUE)
    sent = batch(sample(now_ms(), total=100, user=200))
    known.take(sent, encode_batch(sent), now_ms())
    return known


async def test_hosts_are_listed_with_all_their_latest_values(database_url: str) -> None:
    async with asking(database_url, fleet=fleet()) as client:
        hosts = (await get(client, "/hosts"))["hosts"]
    assert [(host["id"], host["latest"]) for host in hosts] == [("web-1", {"cpu": {"": {"total": 1, "user": 2}}})]


async def test_hosts_are_listed_with_the_metrics_asked_for(database_url: str) -> None:
    async with asking(database_url, fleet=fleet()) as client:
        hosts = (await get(client, "/hosts", metrics="cpu.total,memory"))["hosts"]
    assert [(host["id"], host["latest"]) for host in hosts] == [("web-1", {"cpu": {"": {"total": 1}}})]
