"""Tasks of docs/dashboard.md, counted in actions from the fleet page: a click or tap, or a line typed, is one."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from infra.bus.connection import connection as bus_connection
from infra.settings import ServerSettings
from infra.storage.database import connection
from services.alerts.rehearsal.desk import rehearse
from tests.browser.alerting import firing, page_of
from tests.browser.browser import Chromium, opened
from tests.browser.fleetmates import mates
from tests.browser.stack import sending
from tests.browser.test_adding import token_in
from tests.browser.test_rehearsing import BUSY
from tests.gateway.rows import put
from tests.waiting import eventually

pytestmark = pytest.mark.browser

HOUR_MS = 3_600_000
ROOT = Path(__file__).parents[2]
WRITTEN = dict(re.findall(r"^\| (.+?) \| (\d+) \|", (ROOT / "docs" / "dashboard.md").read_text("utf-8"), re.MULTILINE))
"""Task -> most actions."""


class Hand:
    """Presses what a person would press, and counts."""

    def __init__(self, task: str, finger: bool = False) -> None:
        self.most = int(WRITTEN[task])
        self.finger = finger
        self.actions = 0

    async def press(self, place: Locator) -> None:
        self.actions += 1
        assert self.actions <= self.most, f"more than {self.most} actions"
        await (place.tap() if self.finger else place.click())


async def past(database_url: str, host: str, *, busy_ms: tuple[int, int] = (0, 0)) -> None:
    """A value each half minute for 30 hours until now: 20 %, and 97 % between two times."""
    now_ms = time.time_ns() // 1_000_000
    times = range(now_ms - 30 * HOUR_MS, now_ms, 30_000)
    rows = [(at, "", {"total": 9700 if busy_ms[0] <= at < busy_ms[1] else 2000}) for at in times]
    await put(database_url, "cpu", rows, host=host)


async def first_card(page: Page, host: str) -> Locator:
    """The link on the first card, which is of `host`."""
    link = page.locator(".card").first.get_by_role("link", name=host)
    await link.wait_for()
    return link


async def test_yesterdays_spike_on_the_worst_host_is_found(chromium: Chromium, bus_url: str, database_url: str) -> None:
    hand = Hand("find yesterday's spike on the worst host")
    began_ms = time.time_ns() // 1_000_000 - 20 * HOUR_MS
    for host in ("web-1", "web-2", "web-3"):
        spike = (began_ms, began_ms + 600_000) if host == "web-2" else (0, 0)
        await past(database_url, host, busy_ms=spike)
    async with connection(database_url, "test") as database:
        await firing(database, "web-2")
    async with (
        sending(bus_url, "web-1", "web-2", "web-3"),
        page_of(chromium, bus_url, database_url, "/") as (page, _),
    ):
        await hand.press(await first_card(page, "web-2"))
        await hand.press(page.get_by_role("button", name="24h"))
        row = page.get_by_role("row", name="CPU total")
        await expect(row).to_contain_text("97.0")
        told = re.search(r"\d+ \w+ \d{4}, [\d:]+ UTC", await row.inner_text())
        assert told
        peak_ms = datetime.strptime(told[0], "%d %b %Y, %H:%M:%S %Z").replace(tzinfo=UTC).timestamp() * 1000
        assert began_ms - 30_000 <= peak_ms <= began_ms + 630_000


async def test_two_hosts_are_compared(chromium: Chromium, bus_url: str, database_url: str) -> None:
    hand = Hand("compare two hosts")
    for host in ("web-1", "web-2"):
        await past(database_url, host)
    async with page_of(chromium, bus_url, database_url, "/") as (page, _):
        for host in ("web-1", "web-2"):
            # Its box is there once the mouse is over a card.
            await page.locator(f".card[data-host={host}]").hover()
            await hand.press(page.get_by_role("checkbox", name=f"Select {host}"))
        await hand.press(page.get_by_role("link", name="Compare").and_(page.locator(".bulk-bar a")))
        lines = page.locator(".chart").first.locator(".legend li")
        await expect(lines).to_have_count(2)
        await expect(lines.nth(1)).to_contain_text("web-2")


async def test_a_line_that_is_too_high_becomes_a_rule_whose_rehearsal_was_seen(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    hand = Hand("make a rule of a line that is too high, its rehearsal seen")
    now_ms = time.time_ns() // 1_000_000
    await past(database_url, "web-1", busy_ms=(now_ms - HOUR_MS, now_ms - HOUR_MS // 2))
    settings, stop = ServerSettings(nats_url=bus_url, database_url=database_url), asyncio.Event()
    async with (
        page_of(chromium, bus_url, database_url, "/") as (page, api),
        bus_connection(bus_url, "rehearsals") as client,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(rehearse(client, settings, stop))

        async def listened() -> bool:
            return (await api.post("/rehearsals", json={"rule": BUSY, "days": 1})).status_code == 202

        try:
            await eventually(listened)
            await hand.press(await first_card(page, "web-1"))
            await hand.press(page.get_by_role("button", name="6h"))
            await expect(page.locator("[data-chart=cpu]")).to_have_attribute("data-pending", "0")
            await hand.press(page.get_by_role("link", name="Make a rule about CPU", exact=True))
            form = page.get_by_role("dialog", name="New rule")
            await form.get_by_role("region", name="Rehearsal").get_by_text("It would have fired once").wait_for()
            await hand.press(form.get_by_role("button", name="Create rule"))
            await page.get_by_role("heading", name="CPU total high on web-1").wait_for()
        finally:
            stop.set()


async def test_a_machine_is_added(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    hand = Hand("add a machine, its line in the clipboard")
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, here.address) as page:
            await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            await hand.press(page.get_by_role("button", name="Add a machine").first)
            token = await token_in(page)
            await hand.press(page.get_by_role("button", name="Copy the line"))
            await here.join(token, "web-3")
            await here.send("web-3")
            await page.get_by_role("dialog").get_by_text("web-3 is here").wait_for()


async def test_an_alert_is_acknowledged_on_a_phone(chromium: Chromium, bus_url: str, database_url: str) -> None:
    hand = Hand("acknowledge an alert on a phone", finger=True)
    async with connection(database_url, "test") as database:
        number = await firing(database)
    phone = {"width": 390, "height": 844, "touch": True}
    async with page_of(chromium, bus_url, database_url, "/", **phone) as (page, api):
        await hand.press(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts"))
        await hand.press(page.get_by_role("button", name="Acknowledge CPU busy web-1"))
        await page.locator(".alert").get_by_text("acknowledged").wait_for()
        assert (await api.get(f"/incidents/{number}")).json()["incident"]["acknowledged"]["by"] == "ada"
