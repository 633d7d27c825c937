"""`/hosts/{id}/export`: what is stored comes out, whole or visibly not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pytest

from infra import database
from services.gateway.routes_export import MOST_EXPORTS
from tests.gateway.asking import asking
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, put, utc
from tests.gateway.running import gateway
from tests.waiting import eventually

START_MS = 1_795_219_200_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FAR_MS = START_MS + 20 * 365 * DAY_MS


def cpu_rows(count: int, every_ms: int = 1000) -> list[Row]:
    return [
        (START_MS + every_ms * k, "", {"total": None if k % 7 == 3 else k % 10_000, "load1": -k}) for k in range(count)
    ]


def disk_rows(count: int) -> list[Row]:
    return [
        (START_MS + 1000 * k, name, {"read": 10 * k + number, "busy": 5})
        for k in range(count)
        for number, name in enumerate(("sda", 'odd, "name"'))
    ]


def query(**more: object) -> dict[str, str]:
    asked = {"metrics": "cpu.total,cpu.load1", "from": START_MS, "to": START_MS + DAY_MS, **more}
    return {name: str(value) for name, value in asked.items()}


async def export(client: httpx.AsyncClient, **more: object) -> httpx.Response:
    response = await client.get("/hosts/web-1/export", params=query(**more))
    assert response.status_code == 200, response.text
    return response


def records(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


async def test_csv_has_every_stored_row_in_units(database_url: str) -> None:
    rows = cpu_rows(5000)
    await put(database_url, "cpu", rows)
    async with asking(database_url) as client:
        response = await export(client)
    assert response.headers["content-type"].startswith("text/csv")
    name = "web-1_20261121T000000Z-20261122T000000Z_raw.csv"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    found = records(response)
    assert len(found) == len(rows)
    for record, (time_ms, _, values) in zip(found, rows, strict=True):
        total = values["total"]
        assert record == {
            "time": f"{utc(time_ms):%Y-%m-%dT%H:%M:%S}.000Z",
            "host": "web-1",
            "instance": "",
            "cpu.total": "" if total is None else str(total / 100),
            "cpu.load1": str((values["load1"] or 0) / 100),
        }


async def test_ndjson_has_the_same_rows(database_url: str) -> None:
    await put(database_url, "cpu", cpu_rows(2500))
    async with asking(database_url) as client:
        as_csv = records(await export(client))
        response = await export(client, format="ndjson")
    assert response.headers["content-type"] == "application/x-ndjson"
    as_json: list[Any] = [json.loads(line) for line in response.text.splitlines()]
    assert [{name: "" if value is None else str(value) for name, value in one.items()} for one in as_json] == as_csv


async def test_families_follow_one_another_and_instances_come_by_time(database_url: str) -> None:
    await put(database_url, "cpu", cpu_rows(2))
    await put(database_url, "disk", disk_rows(2))
    async with asking(database_url) as client:
        found = records(await export(client, metrics="cpu.total,disk.read,disk.busy"))
        one = records(await export(client, metrics="disk.read", instance='odd, "name"'))
    cells = [(r["time"][17:19], r["instance"], r["cpu.total"], r["disk.read"], r["disk.busy"]) for r in found]
    assert sorted(cells[2:]) == [
        ("00", 'odd, "name"', "", "1", "0.05"),
        ("00", "sda", "", "0", "0.05"),
        ("01", 'odd, "name"', "", "11", "0.05"),
        ("01", "sda", "", "10", "0.05"),
    ]
    assert cells[:2] == [("00", "", "0.0", "", ""), ("01", "", "0.01", "", "")]
    assert [cell[0] for cell in cells[2:]] == ["00", "00", "01", "01"]
    assert [record["disk.read"] for record in one] == ["1", "11"]


@pytest.mark.parametrize(("resolution", "length_ms"), [("minute", 60_000), ("hour", HOUR_MS)])
@pytest.mark.parametrize("rolled_until_h", [0, 2, 6])
async def test_summed_rows_are_the_same_however_much_is_rolled_up(
    database_url: str, resolution: str, length_ms: int, rolled_until_h: int
) -> None:
    rows = cpu_rows(4 * 360, every_ms=10_000)
    await put(database_url, "cpu", rows)
    await roll_up(database_url, START_MS + rolled_until_h * HOUR_MS)
    async with asking(database_url) as client:
        found = records(await export(client, resolution=resolution, metrics="cpu.total"))
    assert len(found) == 4 * HOUR_MS // length_ms
    for k, record in enumerate(found):
        begin = START_MS + k * length_ms
        values = [
            v for time, _, row in rows if begin <= time < begin + length_ms for v in [row["total"]] if v is not None
        ]
        assert int(record["cpu.total.count"]) == len(values)
        assert float(record["cpu.total.min"]) == min(values) / 100
        assert float(record["cpu.total.max"]) == max(values) / 100
        assert float(record["cpu.total.avg"]) == pytest.approx(sum(values) / len(values) / 100, abs=0.0001)


async def test_a_range_without_rows_is_a_header(database_url: str) -> None:
    await put(database_url, "cpu", cpu_rows(1))
    async with asking(database_url) as client:
        response = await export(client, **{"from": START_MS + DAY_MS, "to": START_MS + 2 * DAY_MS})
    assert response.text == "time,host,instance,cpu.total,cpu.load1\r\n"


async def test_head_tells_the_name_of_the_file_without_reading_a_row(database_url: str) -> None:
    async with asking(database_url) as client:
        response = await client.head("/hosts/web-1/export", params=query(format="ndjson"))
    assert response.status_code == 200
    assert response.headers["content-disposition"].endswith('_raw.ndjson"')


async def queries(database_url: str) -> int:
    """How many exports the database is at work for, or holds a snapshot for."""
    async with database.connection(database_url, "test") as connection:
        count: int = await connection.fetchval(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'sonde gateway' AND datname = current_database() AND xact_start IS NOT NULL
              AND query LIKE '%FROM "cpu"%'
            """
        )
    return count


async def much(database_url: str) -> None:
    """Rows of which an export as NDJSON, some 28 MB, does not fit into the buffers of a connection.

    And one 20 years later: an export that nobody ends goes on for minutes.
    """
    await put(database_url, "cpu", cpu_rows(80_000))
    await put(database_url, "cpu", [(FAR_MS - 1, "", {"total": 1})])


async def test_a_client_that_goes_away_ends_the_query(database_url: str, bus_url: str) -> None:
    await much(database_url)
    async with gateway(database_url, bus_url) as client:
        async with client.stream(
            "GET", "/hosts/web-1/export", params=query(metrics="cpu", format="ndjson", to=FAR_MS)
        ) as response:
            chunks = response.aiter_bytes(1000)  # held, for it closes the response when it is collected
            await anext(chunks)
            assert await queries(database_url) == 1

        async def ended() -> bool:
            return await queries(database_url) == 0

        await eventually(ended)


async def test_more_exports_than_allowed_are_told_to_come_again(database_url: str, bus_url: str) -> None:
    await much(database_url)
    async with gateway(database_url, bus_url) as client, asyncio.TaskGroup() as group:
        opened: asyncio.Queue[None] = asyncio.Queue()
        leave = asyncio.Event()

        async def hold() -> None:
            async with client.stream(
                "GET", "/hosts/web-1/export", params=query(metrics="cpu", format="ndjson", to=FAR_MS)
            ) as response:
                chunks = response.aiter_bytes(1000)
                await anext(chunks)
                opened.put_nowait(None)
                await leave.wait()

        for _ in range(MOST_EXPORTS):
            group.create_task(hold())
        for _ in range(MOST_EXPORTS):
            await opened.get()
        refused = await client.get("/hosts/web-1/export", params=query())
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "10"
        assert refused.json()["type"] == "/problems/too-many-exports"
        leave.set()

        async def free() -> bool:
            return (await client.get("/hosts/web-1/export", params=query(to=START_MS + 1000))).status_code == 200

        await eventually(free)


async def test_a_failure_in_mid_stream_breaks_the_connection_off(database_url: str, bus_url: str) -> None:
    await much(database_url)
    async with gateway(database_url, bus_url) as client:
        async with client.stream(
            "GET", "/hosts/web-1/export", params=query(metrics="cpu", format="ndjson", to=FAR_MS)
        ) as response:
            chunks = response.aiter_bytes(1000)
            await anext(chunks)
            async with database.connection(database_url, "test") as connection:
                await connection.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'sonde gateway' AND datname = current_database()
                    """
                )
            with pytest.raises(httpx.TransportError):
                async for _ in chunks:
                    pass
        again = await client.get("/hosts/web-1/export", params=query(to=START_MS + 1000))
    assert again.status_code == 200


@pytest.mark.parametrize("resolution", ["raw", "minute", "hour"])
async def test_years_without_rows_are_passed_over(database_url: str, bus_url: str, resolution: str) -> None:
    await put(database_url, "cpu", cpu_rows(3600))
    await put(database_url, "disk", disk_rows(10))
    await roll_up(database_url, START_MS + DAY_MS)
    for name in ("cpu.total", "disk.read"):
        async with gateway(database_url, bus_url) as client:
            near = await export(client, metrics=name, resolution=resolution, to=START_MS + HOUR_MS)
            far = {"from": "2000-01-01T00:00:00Z", "to": "2099-12-31T00:00:00Z"}
            assert (await export(client, metrics=name, resolution=resolution, **far)).text == near.text
