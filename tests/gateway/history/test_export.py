"""`/hosts/{id}/export`: what is stored comes out, whole or visibly not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pytest

from infra.storage import database
from infra.storage.engine import detect, tables_of
from schemas.catalogue import family_named
from services.gateway.history import export as export_module
from services.gateway.history.api_export import MOST_EXPORTS
from services.gateway.history.resolution import Reach
from tests.gateway.asking import asking, note_reach
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, put, utc
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
    await put(database_url, "cpu", cpu_rows(1))
    async with asking(database_url) as client:
        response = await client.head("/hosts/web-1/export", params=query(format="ndjson"))
    assert response.status_code == 200
    assert response.headers["content-disposition"].endswith('_raw.ndjson"')


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_host_that_nobody_knows_is_not_found(database_url: str, method: str) -> None:
    async with asking(database_url) as client:
        response = await client.request(method, "/hosts/web-9/export", params=query())
    assert response.status_code == 404


async def test_an_export_says_from_where_on_it_has_every_row(database_url: str) -> None:
    await put(database_url, "cpu", cpu_rows(10))
    async with asking(database_url, Reach(START_MS + 4000)) as client:
        response = await export(client)
        head = await client.head("/hosts/web-1/export", params=query())
        later = await export(client, **{"from": START_MS + 4000})
        minutes = await export(client, resolution="minute")
    assert response.headers["sonde-raw-from"] == head.headers["sonde-raw-from"] == "2026-11-21T00:00:04.000Z"
    assert response.text == later.text
    assert len(records(later)) == 6
    assert not [name for one in (later, minutes) for name in one.headers if name.startswith("sonde-")]


@pytest.mark.parametrize("portion_rows", [1, 2, 3, 7, 40])
async def test_rows_of_one_moment_at_the_border_of_two_portions_come_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, portion_rows: int
) -> None:
    twice = [row for row in disk_rows(30) for _ in range(1 + row[0] % 3000 // 2000)]
    await put(database_url, "disk", twice)
    async with asking(database_url) as client:
        whole = records(await export(client, metrics="disk.read"))
        monkeypatch.setattr(export_module, "PORTION_ROWS", portion_rows)
        assert records(await export(client, metrics="disk.read")) == whole
    assert len(whole) == len(twice)


async def much(database_url: str) -> None:
    """Rows of which an export as NDJSON, some 28 MB, does not fit into the buffers of a connection.

    And one 20 years later: an export that nobody ends goes on for minutes.
    """
    await put(database_url, "cpu", cpu_rows(80_000))
    await put(database_url, "cpu", [(FAR_MS - 1, "", {"total": 1})])


async def test_a_client_that_takes_its_time_holds_up_no_drop_and_sees_that_rows_are_missing(
    database_url: str, bus_url: str
) -> None:
    await much(database_url)
    async with (
        gateway(database_url, bus_url) as client,
        client.stream(
            "GET", "/hosts/web-1/export", params=query(metrics="cpu", format="ndjson", to=FAR_MS)
        ) as response,
        database.connection(database_url, "test") as connection,
    ):
        chunks = response.aiter_bytes(1000)  # held, for it closes the response when it is collected
        await anext(chunks)
        await note_reach(database_url, Reach(START_MS + DAY_MS))
        engine = await detect(connection)
        gone = await engine.drop_before(connection, tables_of([family_named("cpu")], "raw"), utc(START_MS + DAY_MS))
        assert [part.table for part in gone] == ["cpu"]
        with pytest.raises(httpx.TransportError):
            async for _ in chunks:
                pass


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
            await execute(database_url, "ALTER TABLE cpu RENAME TO lost")
            with pytest.raises(httpx.TransportError):
                async for _ in chunks:
                    pass
        await execute(database_url, "ALTER TABLE lost RENAME TO cpu")
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
