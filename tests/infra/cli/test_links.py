"""`sonde doctor` beside real services: whole, with parts missing, and with nobody there."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from infra.cli import links as module
from infra.cli.doctor import doctor
from infra.cli.links import Broken, links
from infra.clock import now_ms
from infra.settings import ServerSettings
from infra.storage.database import connection
from schemas.channels import Channel, Slack
from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import HostFacts
from services.gateway.health import components
from tests.gateway.heard import SERVICES, becomes, component, running
from tests.gateway.incidents import message, store_channel
from tests.gateway.rows import execute
from tests.gateway.running import gateway, publishing, ready
from tests.waiting import eventually

CHART = "charts have points"


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    """Name of a link -> what came of it, and the rest of its line."""
    found = {}
    for line in capsys.readouterr().out.splitlines()[1:-1]:
        status, rest = line.split(maxsplit=1)
        name, _, text = rest.partition(": ")
        found[name] = (status, text)
    return found


def settings(client: httpx.AsyncClient, database_url: str, bus_url: str) -> ServerSettings:
    """Those of a command beside the gateway of `client`."""
    port = httpx.URL(client.base_url).port
    assert port
    return ServerSettings(nats_url=bus_url, database_url=database_url, port=port)


@asynccontextmanager
async def agent(bus_url: str) -> AsyncIterator[None]:
    """web-1, which sends a batch and live samples five times a second."""

    async def send() -> None:
        async with publishing(bus_url) as client:
            for seq in range(1, 100_000):
                sample = Sample(now_ms(), {"cpu": {"": {"total": seq % 5000}}})
                for lane in ("metrics", "live"):
                    await client.publish(
                        f"{lane}.web-1",
                        encode_batch(build_batch("web-1", "e1", lane, seq, [sample])),  # type: ignore[arg-type]
                    )
                await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        yield
        sending.cancel()


async def test_every_link_of_a_whole_installation_holds(
    database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(running(name, database_url, bus_url))
        await stack.enter_async_context(agent(bus_url))
        client = await stack.enter_async_context(gateway(database_url, bus_url))
        for name in ("ingest", "alerts", "retention", "agents"):
            await becomes(client, name, "ok")

        async def whole() -> bool:  # until rows are stored and the first roll-up is made
            status = await doctor(settings(client, database_url, bus_url))
            shown = lines(capsys)
            assert status == 0, shown
            assert {found for found, _ in shown.values()} == {"ok"}
            assert re.match(r"web-1: [1-9]\d* points of cpu.total,agent.cpu in the last 900 s", shown[CHART][1])
            assert shown["live stream delivers"][1].startswith("first frame after")
            return True

        await eventually(whole, within_s=60, every_s=0.5)


def checked(key: str, made: ServerSettings) -> Awaitable[str]:
    """What one link finds. Raises Broken."""
    return next(link.check for link in links(made) if link.key == key)()


SLOW = HostFacts(sample_interval_s=60, batch_interval_s=300)


async def known(database_url: str, facts: HostFacts, age_s: float) -> None:
    """web-1 with those facts, whose newest sample is so old."""
    await execute(
        database_url,
        "INSERT INTO hosts (name, facts, last_sample) VALUES ('web-1', $1, now() - make_interval(secs => $2))",
        msgspec.json.encode(facts).decode(),
        age_s,
    )


async def test_rows_may_be_as_old_as_their_agents_batches_are_apart(database_url: str, bus_url: str) -> None:
    await known(database_url, SLOW, 400)
    assert "from web-1" in await checked("rows", ServerSettings(nats_url=bus_url, database_url=database_url))


async def test_rows_older_than_their_agent_sends_are_broken(database_url: str, bus_url: str) -> None:
    await known(database_url, HostFacts(), 400)
    with pytest.raises(Broken, match="web-1"):
        await checked("rows", ServerSettings(nats_url=bus_url, database_url=database_url))


async def test_batches_may_be_as_old_as_their_agent_sends_seldom(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_S", -1.0)  # nothing is that young
    await known(database_url, SLOW, 0)
    async with publishing(bus_url) as client:
        batch = build_batch("web-1", "e1", "metrics", 1, [Sample(now_ms(), {"cpu": {"": {"total": 1}}})])
        await client.jetstream().publish("metrics.web-1", encode_batch(batch))
    assert "metrics.web-1" in await checked("agents", ServerSettings(nats_url=bus_url, database_url=database_url))
    await execute(database_url, """UPDATE hosts SET facts = '{"batch_interval_s": -1}'""")
    with pytest.raises(Broken, match="old"):
        await checked("agents", ServerSettings(nats_url=bus_url, database_url=database_url))


async def test_where_agents_sample_too_seldom_for_a_frame_a_snapshot_is_awaited(
    database_url: str, bus_url: str
) -> None:
    await known(database_url, SLOW, 0)
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        found = await checked("live", settings(client, database_url, bus_url))
    assert found.startswith("first snapshot after")


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly all of them start in this one process, no service counts as down or late for a minute."""
    monkeypatch.setattr(components, "MISSING_AFTER_S", 60.0)
    monkeypatch.setattr(module, "MISSING_AFTER_S", 60.0)
    monkeypatch.setitem(components.LAG_LIMIT_S, "gateway", 60.0)


@pytest.mark.usefixtures("unhurried")
async def test_what_a_gateway_that_just_started_has_not_heard_yet_is_no_fault(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARD_WITHIN_S", 0.0)
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        found = await checked("health", settings(client, database_url, bus_url))
    assert "not known yet: ingest (" in found


@pytest.mark.usefixtures("unhurried")
async def test_a_gateway_that_just_started_is_given_time_to_hear_who_runs(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARD_WITHIN_S", 60.0)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(gateway(database_url, bus_url))
        await ready(client)
        checking = asyncio.ensure_future(checked("health", settings(client, database_url, bus_url)))
        for name in SERVICES:
            await stack.enter_async_context(running(name, database_url, bus_url))
        assert "not known yet" not in await checking


async def test_services_that_do_not_run_are_named_with_the_remedy(
    database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database_url, bus_url) as client:
        await becomes(client, "bus", "ok")
        assert await doctor(settings(client, database_url, bus_url)) == 1
    shown = lines(capsys)
    assert shown["ingest keeps up"] == ("BROKEN", "it does not run; start `sonde ingest`")
    assert shown["alerts keep up"] == ("BROKEN", "it does not run; start `sonde alerts`")
    assert shown["retention works"] == ("BROKEN", "it does not run; start `sonde retention`")
    assert shown["roll-ups and pruning are in time"][1] == "retention has never run; start `sonde retention`"
    assert shown["agents publish"][1] == "no batch was ever published; start an agent with `sonde agent`"
    assert shown["live stream delivers"] == ("--", "not checked, needed are: agents publish")
    assert shown["gateway answers"] == ("ok", "it runs")


async def test_a_host_that_sends_and_has_no_points_is_named(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, agent(bus_url):
        await becomes(client, "agents", "ok")
        await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")

        async def heard() -> bool:
            return bool((await client.get("/hosts", params={"state": "up,late"})).json()["hosts"])

        await eventually(heard)
        made = settings(client, database_url, bus_url)
        check = next(link.check for link in links(made) if link.key == "chart")
        with pytest.raises(Broken, match="web-1 has no value of"):
            await check()


async def test_a_service_without_its_database_is_named_with_its_error(
    database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    away = "postgresql://nobody@127.0.0.1:1/none"
    made = ServerSettings(nats_url=bus_url, database_url=database_url, port=1)
    async with running("ingest", away, bus_url):

        async def told() -> bool:
            await doctor(made)
            status, text = lines(capsys)["ingest keeps up"]
            return status == "BROKEN" and "failures within a minute; last error:" in text

        await eventually(told)


async def test_of_two_instances_one_may_stand_by(database_url: str, bus_url: str) -> None:
    made = ServerSettings(nats_url=bus_url, database_url=database_url, port=1)
    check = next(link.check for link in links(made) if link.key == "ingest")
    async with (
        gateway(database_url, bus_url) as client,
        running("ingest", database_url, bus_url),
        running("ingest", database_url, bus_url),
    ):

        async def both() -> bool:
            instances = (await component(client, "ingest")).instances
            return sorted(one.heartbeat.standby for one in instances) == [False, True]

        await eventually(both)
        said = [await check() for _ in range(6)]  # whichever answers
    assert set(said) == {"0 messages behind"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM schema_migrations WHERE name = '0002_agent_configs'", "0002_agent_configs"),
        ("ALTER TABLE cpu DROP COLUMN total CASCADE", "column cpu.total missing; run `sonde migrate`"),
        ("DROP TABLE schema_migrations", "is not migrated"),
    ],
)
async def test_tables_of_another_version_are_broken_rather_than_current(
    statement: str, said: str, database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await execute(database_url, statement)
    await doctor(ServerSettings(nats_url=bus_url, database_url=database_url, port=1))
    shown = lines(capsys)
    assert shown["tables are those of this version"][0] == "BROKEN"
    assert said in shown["tables are those of this version"][1]
    assert shown["rows are fresh"] == ("--", "not checked, needed are: tables are those of this version")


async def test_a_channel_that_refused_a_message_is_a_broken_link(
    database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack()))
        await message(database, "ops", "refused", "400 invalid_payload")
    await doctor(ServerSettings(nats_url=bus_url, database_url=database_url, port=1))
    status, text = lines(capsys)["notifications leave"]
    assert (status, "ops refused a message: 400 invalid_payload" in text) == ("BROKEN", True)


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A server that takes connections and never says a word: its port, and who came."""
    came: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        for writer in came:
            writer.transport.abort()
        server.close()


async def test_servers_that_say_nothing_are_asked_at_the_same_time(capsys: pytest.CaptureFixture[str]) -> None:
    async with silent() as (bus, at_bus), silent() as (database, at_database), silent() as (port, at_gateway):
        made = ServerSettings(
            nats_url=f"nats://127.0.0.1:{bus}", database_url=f"postgresql://x@127.0.0.1:{database}/x", port=port
        )
        async with asyncio.TaskGroup() as group:
            checking = group.create_task(doctor(made))
            await eventually(lambda: at_bus and at_database and at_gateway)
            assert not checking.done()
            assert len(capsys.readouterr().out.splitlines()) == 1, "none was given up before all were asked"
        assert checking.result() == 1
    shown = capsys.readouterr().out
    assert shown.count("BROKEN") == 3
    assert shown.count("no answer within") == 3
    assert "Timeout" not in shown
