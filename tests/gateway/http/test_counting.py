"""Every request of somebody who is known is one line of the log."""

from __future__ import annotations

import logging

import pytest

from tests.gateway.asking import asking
from tests.gateway.rows import put

AT_MS = 1_795_219_200_000
FACTS = ("method", "route", "status", "person", "address")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[object, ...]]:
    found = [vars(record) for record in caplog.records if record.message == "request answered"]
    assert all(line["levelname"] == "DEBUG" and line["ms"] >= 0 for line in found)
    return [tuple(line[fact] for fact in FACTS) for line in found]


async def test_a_request_is_logged_with_its_route_its_status_and_who_made_it(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await put(database_url, "cpu", [(AT_MS, "", {"total": 1})])
    async with asking(database_url) as client:
        caplog.set_level(logging.DEBUG, "services.gateway.http.counting")
        await client.get("/hosts/web-1/series?metrics=cpu.total")
        await client.head("/hosts/nobody")
        me = (await client.get("/session")).json()["name"]
    assert lines(caplog)[:2] == [
        ("GET", "/api/v1/hosts/{host}/series", 200, me, "127.0.0.1"),
        ("HEAD", "/api/v1/hosts/{host}", 404, me, "127.0.0.1"),
    ]


@pytest.mark.parametrize("anybody_reads", [True, False])
async def test_whoever_is_not_logged_in_writes_no_line_of_the_log(
    anybody_reads: bool, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asking(database_url, token="", anonymous_viewer=anybody_reads) as client:
        caplog.set_level(logging.DEBUG, "services.gateway.http.counting")
        assert (await client.get("/hosts")).status_code == (200 if anybody_reads else 401)
        await client.get("/nothing")
        await client.get("/health/live")
        await client.get("/hosts", headers={"Authorization": "Bearer wrong"})
        await client.post("/session", json={"name": "nobody", "password": "wrong"})
    assert lines(caplog) == []


async def test_what_fails_is_logged_whoever_asked(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asking(database_url, token="") as client:
        caplog.set_level(logging.DEBUG, "services.gateway.http.counting")
        assert (await client.get("/health/ready")).status_code == 503  # no bus
    assert lines(caplog) == [("GET", "/api/v1/health/ready", 503, "", "127.0.0.1")]


async def test_nothing_that_a_request_says_is_in_its_line(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asking(database_url) as client:
        caplog.set_level(logging.DEBUG, "services.gateway.http.counting")
        await client.get("/hosts/s3cret/series?metrics=s3cret&s3cret=1")
        await client.get("/hosts?cursor=s3cret")
        await client.put("/settings/s3cret", json={"value": "s3cret"}, headers={"If-Match": "s3cret"})
    said = [record for record in caplog.records if record.message == "request answered"]
    assert len(said) == 3
    assert "s3cret" not in str([vars(record) for record in said])
