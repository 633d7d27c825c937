"""Who watches, as an admin sees it, and ending one's stream."""

from __future__ import annotations

import httpx

from infra.clock import now_ms
from tests.gateway.live.slow import overflow, small_socket, stuck, the_stuck_one
from tests.gateway.running import FRESH, TRUST, gateway, publishing, ready, watching
from tests.people import add_session, in_browser
from tests.waiting import eventually


async def test_viewers_are_listed_while_they_watch(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        async with watching(client) as stream:
            await stream.until("complete")
            (viewer,) = (await client.get("/viewers")).json()["viewers"]
        assert viewer["state"] == "live"
        assert (viewer["address"], viewer["dropped"], viewer["lag_ms"]) == ("127.0.0.1", 0, 0)
        assert viewer["sent"] >= 2
        assert viewer["user_agent"].startswith("python-httpx")
        assert viewer["person"]
        assert abs(viewer["since"] - now_ms()) < 60_000

        async def left() -> bool:
            return not (await client.get("/viewers")).json()["viewers"]

        await eventually(left)


async def test_the_list_says_what_each_looks_at(database_url: str, bus_url: str) -> None:
    asked = "hosts=a,b&tags=eu&metrics=cpu.total&interval=3&detail=a"
    async with gateway(database_url, bus_url) as client, watching(client, asked) as stream:
        await stream.until("complete")
        (viewer,) = (await client.get("/viewers")).json()["viewers"]
    assert viewer["selection"] == {"hosts": 2, "tags": ["eu"], "metrics": 1, "interval": 2, "detail": ["a"]}


async def test_an_admin_ends_one_stream_in_good_order_and_no_other(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with watching(client, "interval=2") as one, watching(client) as other:
            await one.until("complete")
            await other.until("complete")
            first, second = (await client.get("/viewers")).json()["viewers"]
            victim = first if first["selection"]["interval"] == 2 else second
            assert (await client.delete(f"/viewers/{victim['id']}")).status_code == 204
            assert await one.in_good_order()
            left = (await client.get("/viewers")).json()["viewers"]
            await other.next()
    assert [viewer["selection"]["interval"] for viewer in left] == [1]


async def test_a_viewer_that_is_not_there_cannot_be_ended(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        refused = await client.delete("/viewers/nobody")
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/unknown-viewer")


async def test_even_a_stuck_viewer_is_cut_off_at_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client):
            await eventually(lambda: the_stuck_one(client))
            await overflow(client, agent)
            one = await the_stuck_one(client)
            assert (await client.delete(f"/viewers/{one['id']}")).status_code == 204

            async def gone() -> bool:
                return await the_stuck_one(client) is None

            await eventually(gone, within_s=10)


async def test_a_stream_ends_when_its_viewer_logs_out_and_no_other_does(database_url: str, bus_url: str) -> None:
    secret = await add_session(database_url)
    async with (
        gateway(database_url, bus_url) as client,
        httpx.AsyncClient(base_url=client.base_url, timeout=60, verify=TRUST, limits=FRESH) as browser,
    ):
        await ready(client)
        in_browser(browser, secret)
        async with watching(browser) as ending, watching(client) as other:
            await ending.until("complete")
            await other.until("complete")
            assert (await browser.delete("/session")).status_code == 204
            assert await ending.in_good_order()
            await other.next()


async def test_who_may_see_the_viewers_is_told_how_many_there_are(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, watching(client) as stream:
        await stream.until("viewers", lambda told: told == {"viewers": 1})
        async with watching(client, "metrics=cpu"):
            await stream.until("viewers", lambda told: told == {"viewers": 2})
        await stream.until("viewers", lambda told: told == {"viewers": 1})
