"""What Prometheus scrapes: Sonde's own metrics, and the fleet's."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from infra.clock import now_ms
from schemas.catalogue import CATALOGUE, family_named
from schemas.codec import Sample, build_batch, encode_batch
from schemas.health import Component, Delay, Health, Instance, Outward, Work
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.health.fleetpage import HOSTS_AT_ONCE, FleetPage, encoded
from services.gateway.health.meters import Told
from services.gateway.health.naming import exposition
from services.gateway.health.vitals import Vitals
from services.gateway.http.bus import Bus
from tests.faults.proxy import proxy
from tests.gateway.heard import becomes, heartbeat, running
from tests.gateway.running import TRUST, gateway, publish, publishing, ready, watching
from tests.people import add_token
from tests.waiting import eventually

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
FORMATS = [{}, OPEN_METRICS]


@asynccontextmanager
async def at_root(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The same, whose base is the root."""
    root = httpx.URL(client.base_url).copy_with(path="/")
    async with httpx.AsyncClient(base_url=root, headers=client.headers, verify=TRUST, timeout=30) as root_client:
        yield root_client


def parsed(response: httpx.Response) -> dict[str, Metric]:
    """Every metric of an exposition, which is a valid one."""
    assert response.status_code == 200, response.text
    open_metrics = "openmetrics" in response.headers["content-type"]
    families: Iterator[Metric] = (open_metrics_families if open_metrics else text_families)(response.text)
    found: dict[str, Metric] = {}
    for metric in families:
        assert metric.name not in found, f"{metric.name} comes twice"
        assert metric.documentation
        found[metric.name] = metric
    return found


def values(metric: Metric) -> dict[tuple[str, ...], float]:
    """Label values -> value."""
    return {tuple(sample.labels.values()): sample.value for sample in metric.samples}


def fleet_of(*hosts: str, at_ms: int | None = None) -> Fleet:
    """Hosts that sent one sample each just now."""
    fleet = Fleet(CATALOGUE)
    for host in hosts:
        send(fleet, host, at_ms or now_ms())
    return fleet


def send(fleet: Fleet, host: str, at_ms: int, total: int | None = 1234) -> None:
    sample = Sample(
        at_ms,
        {
            "cpu": {"": {"total": total, "user": None}},
            "filesystem": {"/": {"total": 50_000_000_000, "used_percent": 5000}, '/a"b': {"total": 1}},
            "agent": {"": {"dropped_total": 3, "publish": 250}},
        },
    )
    batch = build_batch(host, "e1", "metrics", 1, [sample])
    fleet.take(batch, encode_batch(batch), at_ms)


async def page(fleet: Fleet, open_metrics: bool = True, kept: FleetPage | None = None) -> dict[str, Metric]:
    pieces = [piece async for piece in (kept or FleetPage(fleet, now_ms)).page(open_metrics)]
    text = b"".join(pieces).decode()
    families = open_metrics_families(text) if open_metrics else text_families(text)
    return {metric.name: metric for metric in families}


@pytest.mark.parametrize("accept", FORMATS, ids=["text", "openmetrics"])
async def test_sondes_own_metrics_are_valid_and_tell_of_every_service(
    accept: Mapping[str, str], database_url: str, bus_url: str
) -> None:
    async with (
        gateway(database_url, bus_url) as client,
        running("ingest", database_url, bus_url),
        at_root(client) as root,
    ):
        await becomes(client, "ingest", "ok")
        await becomes(client, "gateway", "ok")
        await client.get("/hosts")
        await client.get("/hosts/nobody")

        async def heard() -> dict[str, Metric]:
            found = parsed(await root.get("/metrics", headers=accept))
            assert values(found["sonde_service_up"]) == {
                ("ingest",): 1, ("alerts",): 0, ("retention",): 0, ("gateway",): 1,
            }  # fmt: skip
            return found

        found = await eventually(heard)
    assert values(found["sonde_component_ok"])[("ingest",)] == 1
    memory = found["sonde_service_resident_memory_bytes"].samples
    assert {one.labels["service"] for one in memory} == {"ingest", "gateway"}
    assert values(found["sonde_viewers"]) == {(): 0}
    assert values(found["sonde_bus_connected"]) == {(): 1}
    requests = {
        (sample.labels["operation"], sample.labels["status"]): sample.value
        for sample in found["sonde_http_requests"].samples
        if sample.name.endswith("_total")
    }
    assert requests.get(("GET /api/v1/hosts", "200")) == 1, requests
    assert requests["GET /api/v1/hosts/{host}", "404"] == 1
    seconds = found["sonde_http_request_duration_seconds"]
    assert seconds.type == "histogram"
    counts = {one.labels["operation"]: one.value for one in seconds.samples if one.name.endswith("_count")}
    assert counts["GET /api/v1/hosts"] == 1


@pytest.mark.parametrize("path", ["/metrics", "/metrics/fleet", "/api/v1/health"])
async def test_whoever_has_no_token_is_refused_and_a_viewers_suffices(
    path: str, database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url, token="") as client, at_root(client) as root:
        assert (await root.get(path)).status_code == 401
        assert (await root.get(path, headers={"Authorization": "Bearer wrong"})).status_code == 401
        secret = await add_token(database_url, "viewer")
        assert (await root.get(path, headers={"Authorization": f"Bearer {secret}"})).status_code == 200


async def test_what_reaches_no_operation_is_counted_together(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, at_root(client) as root:
        for number in range(5):
            await client.get(f"/nothing/{number}")
        found = parsed(await root.get("/metrics"))
    other = [one for one in found["sonde_http_requests"].samples if one.labels["operation"] == "other"]
    assert sum(one.value for one in other if one.labels["status"] == "404" and one.name.endswith("_total")) == 5


async def test_viewers_and_what_they_were_given_are_counted_after_they_left(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, at_root(client) as root:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("snapshot")
            assert values(parsed(await root.get("/metrics"))["sonde_viewers"]) == {(): 1}

        async def left() -> bool:
            found = parsed(await root.get("/metrics"))
            return values(found["sonde_viewers"]) == {(): 0} and values(found["sonde_viewer_events_sent"])[()] >= 1

        await eventually(left)


async def test_a_gateway_away_from_bus_and_database_can_be_scraped(database_url: str) -> None:
    async with (
        proxy(database_url) as (between, through),
        gateway(through, "nats://127.0.0.1:1") as client,
        at_root(client) as root,
    ):
        assert values(parsed(await root.get("/metrics"))["sonde_component_ok"])[("database",)] == 1
        between.cut()
        found = parsed(await root.get("/metrics"))
        fleet = await root.get("/metrics/fleet")
    assert values(found["sonde_component_ok"])[("database",)] == 0
    assert values(found["sonde_bus_connected"]) == {(): 0}
    assert found["sonde_service_up"].samples == []
    assert (fleet.status_code, fleet.text) == (200, "")


@pytest.mark.parametrize("accept", FORMATS, ids=["text", "openmetrics"])
async def test_the_fleets_latest_values_are_scraped_in_base_units(
    accept: Mapping[str, str], database_url: str, bus_url: str
) -> None:
    sample = Sample(now_ms(), {"cpu": {"": {"total": 1234}}, "filesystem": {"/": {"total": 50_000_000_000}}})
    async with gateway(database_url, bus_url) as client, at_root(client) as root, publishing(bus_url) as agent:
        await ready(client)
        await publish(agent, sample)

        async def scraped() -> dict[str, Metric]:
            found = parsed(await root.get("/metrics/fleet", headers=accept))
            assert "sonde_cpu_usage_ratio" in found
            return found

        found = await eventually(scraped)
        again = await root.get("/metrics/fleet", headers={"Accept-Encoding": "gzip"})
        assert again.headers["content-encoding"] == "gzip"
        assert again.headers["cache-control"] == "no-store"
    assert values(found["sonde_cpu_usage_ratio"]) == {("web-1",): 0.1234}
    assert [one.labels for one in found["sonde_filesystem_size_bytes"].samples] == [
        {"host": "web-1", "mountpoint": "/"}
    ]
    assert values(found["sonde_host_up"]) == {("web-1",): 1}


async def test_values_that_are_unknown_are_left_out() -> None:
    found = await page(fleet_of("web-1"))
    assert "sonde_cpu_user_ratio" not in found
    assert "sonde_memory_used_bytes" not in found
    assert values(found["sonde_agent_publish_seconds"]) == {("web-1",): 0.0025}
    assert found["sonde_agent_dropped"].type == "counter"


async def test_instances_of_any_name_are_valid_labels() -> None:
    found = await page(fleet_of("web-1"))
    assert {one.labels["mountpoint"] for one in found["sonde_filesystem_size_bytes"].samples} == {"/", '/a"b'}


@pytest.mark.parametrize("open_metrics", [True, False])
async def test_a_host_that_is_offline_has_no_values_but_is_told(open_metrics: bool) -> None:
    fleet = fleet_of("web-1")
    send(fleet, "old", now_ms() - 3_600_000)
    found = await page(fleet, open_metrics)
    assert values(found["sonde_host_up"]) == {("old",): 0, ("web-1",): 1}
    assert values(found["sonde_cpu_usage_ratio"]) == {("web-1",): 0.1234}
    assert values(found["sonde_host_last_sample_timestamp_seconds"])[("old",)] > 0


async def test_facts_of_a_host_are_labels() -> None:
    fleet = fleet_of("web-1")
    fleet.learn("web-1", HostFacts(os='Debian "13"', kernel="6.12", architecture="x86_64", agent_version="1.0"))
    info = (await page(fleet, open_metrics=False))["sonde_host_info"].samples[0]
    assert info.labels["os"] == 'Debian "13"'


async def test_a_host_that_was_forgotten_is_gone_from_the_page() -> None:
    fleet = fleet_of("web-1", "web-2")
    kept = FleetPage(fleet, now_ms)
    assert len((await page(fleet, kept=kept))["sonde_host_up"].samples) == 2
    fleet.forget("web-2")
    found = await page(fleet, kept=kept)
    assert list(values(found["sonde_host_up"])) == list(values(found["sonde_cpu_usage_ratio"])) == [("web-1",)]


async def test_what_a_host_says_is_encoded_once_per_sample() -> None:
    fleet = fleet_of("web-1")
    kept = FleetPage(fleet, now_ms)
    await page(fleet, kept=kept)
    before = kept._kept["web-1"]["cpu"].lines
    await page(fleet, kept=kept)
    assert kept._kept["web-1"]["cpu"].lines is before
    send(fleet, "web-1", now_ms() + 1, total=10_000)
    assert values((await page(fleet, kept=kept))["sonde_cpu_usage_ratio"]) == {("web-1",): 1.0}


async def test_a_thousand_hosts_let_others_have_their_turn() -> None:
    hosts = 300
    fleet = fleet_of(*(f"web-{number}" for number in range(hosts)))
    turns = 0
    done = asyncio.Event()

    async def other() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        await asyncio.sleep(0)
        found = await page(fleet)
        done.set()
    assert len(found["sonde_cpu_usage_ratio"].samples) == hosts
    assert turns >= hosts / HOSTS_AT_ONCE


def test_every_metric_of_the_catalogue_has_its_line() -> None:
    exposed = exposition(CATALOGUE)
    family = family_named("custom")
    lines = encoded("web-1", family, exposed["custom"], {'jobs{queue="mail"}': {"value": 12.5}})
    assert lines == [b'sonde_custom_value{host="web-1",metric="jobs{queue=\\"mail\\"}"} 12.5\n']


async def test_the_page_can_be_unpacked(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, at_root(client) as root, publishing(bus_url) as agent:
        await ready(client)
        await publish(agent, Sample(now_ms(), {"cpu": {"": {"total": 1234}}}))

        async def packed() -> bytes:
            async with root.stream("GET", "/metrics/fleet", headers={"Accept-Encoding": "gzip"}) as answer:
                return b"".join([piece async for piece in answer.aiter_raw()])

        async def there() -> bool:
            return b"sonde_cpu_usage_ratio" in gzip.decompress(await packed())

        await eventually(there)


def test_how_long_people_wait_and_when_the_dead_mans_switch_was_told_are_scraped() -> None:
    work = Work(lag_s=0.1, told_s=Delay(0.8, 1.9), outward=Outward(1_800_000_080_000, ""))
    beat = heartbeat("alerts", work=work)
    health = Health("ok", "1.0.0", beat.time, [Component("alerts", "ok", "", [Instance("ok", 1.0, beat)])])
    found = {family.name: family for family in Told(health, {}, 0, 0, 0, 0, Bus(), Vitals()).collect()}
    delays = {one.labels["quantile"]: one.value for one in found["sonde_alert_delay_seconds"].samples}
    assert delays == {"0.5": 0.8, "0.99": 1.9}
    [told] = found["sonde_dead_mans_switch_last_success_timestamp_seconds"].samples
    assert told.value == 1_800_000_080
