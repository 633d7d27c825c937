"""What people say of a host, edited on its page: label, tags, note, and whether it notifies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.rows import execute

pytestmark = pytest.mark.browser


@asynccontextmanager
async def host_page(
    chromium: Chromium, bus_url: str, database_url: str, *, provoked: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Page, httpx.AsyncClient]]:
    """The page of a host whose agent proposes the tag `gpu`, and the gateway's API."""
    sql = """INSERT INTO hosts (name, tags, facts) VALUES ('web-1', '{prod}', '{"tags": ["gpu"]}')"""
    await execute(database_url, sql)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        api_of(address) as api,
        opened(chromium, f"{address}/hosts/web-1", provoked=provoked) as page,
    ):
        await page.get_by_role("heading", name="web-1").wait_for()
        yield page, api


async def edit(page: Page) -> None:
    await page.get_by_role("button", name="Edit label").click()
    await page.get_by_role("dialog").wait_for()


async def test_a_host_is_labelled_tagged_and_muted(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with host_page(chromium, bus_url, database_url) as (page, api):
        await edit(page)
        assert await findings(page) == []
        await page.get_by_label("Label").fill("Shop front")
        await page.get_by_role("textbox", name="Tags").fill("prod, eu")
        await page.get_by_role("button", name="+ gpu").click()
        await page.get_by_label("Notifications").select_option("forever")
        await page.get_by_label("Note").fill("Ask ada.")
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_role("heading", name="Shop front").wait_for()
        await page.locator("[data-muted]").wait_for()
        assert await page.get_by_role("list", name="Tags").get_by_role("link").all_inner_texts() == [
            "prod",
            "eu",
            "gpu",
        ]
        await expect(page.get_by_role("button", name="Edit label")).to_be_focused()
        host = (await api.get("/hosts/web-1")).json()
        assert (host["label"], host["tags"], host["note"], host["muted_until"]) == (
            "Shop front",
            ["prod", "eu", "gpu"],
            "Ask ada.",
            "forever",
        )
        await page.get_by_role("link", name="eu", exact=True).click()
        await page.get_by_role("link", name="Shop front").wait_for()


async def test_what_somebody_else_saved_meanwhile_is_not_lost(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with host_page(chromium, bus_url, database_url, provoked=("412",)) as (page, api):
        await edit(page)
        await page.get_by_label("Label").fill("mine")
        await api.patch("/hosts/web-1", json={"label": "theirs", "tags": ["db"], "muted_until": "forever"})
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_text("the label is “theirs”, the tags are db, it is muted.").wait_for()
        await page.get_by_role("button", name="Save mine over it").click()
        await page.get_by_role("heading", name="mine").wait_for()
        host = (await api.get("/hosts/web-1")).json()
        assert (host["tags"], host["muted_until"]) == (["db"], "forever"), "only what was typed here is overwritten"


async def test_what_was_typed_is_not_discarded_unasked(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with host_page(chromium, bus_url, database_url) as (page, api):
        await edit(page)
        await page.get_by_label("Label").fill("mine")
        await page.keyboard.press("Escape")
        await page.get_by_text("Discard what you typed?").wait_for()
        await page.get_by_role("button", name="Discard", exact=True).click()
        await page.get_by_role("dialog").wait_for(state="detached")
        assert (await api.get("/hosts/web-1")).json()["label"] == ""
