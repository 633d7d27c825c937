"""The dashboard as a program of its own: installable, there while the gateway is away, and telling of alerts."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.async_api import Browser, Page, async_playwright

from infra.settings import ServerSettings
from services.gateway import app
from services.gateway.http.dashboard import STATIC, dashboard_routes
from tests.browser.browser import ARGUMENTS, Chromium, opened
from tests.browser.logins import api_of, log_in
from tests.browser.stack import HOST, served, stack
from tests.waiting import eventually

pytestmark = pytest.mark.browser

KEPT = """async () => {
  const names = await caches.keys();
  const requests = (await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))).flat();
  return requests.map(({ url }) => new URL(url).pathname);
}"""
ACTIVE = "async () => (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated'"
TOLD = """async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications())
  .map(({ title, body, tag }) => ({ title, body, tag }))"""
COUNTED = """
  globalThis.told = 0;
  const show = ServiceWorkerRegistration.prototype.showNotification;
  ServiceWorkerRegistration.prototype.showNotification = function (...words) {
    globalThis.told += 1;
    return show.apply(this, words);
  };
"""
"""A script to run before a page's own: counts what this tab tells."""
HOT = {
    "id": "hot",
    "name": "Any use at all",
    "metric": "memory.used_percent",
    "warning": None,
    "critical": {"raise_at": 0.5, "clear_at": 0.1},
}


async def test_the_shell_is_kept_until_an_upgrade_and_data_never_are(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with AsyncExitStack() as gateway:
        address = await gateway.enter_async_context(served(settings))
        async with opened(chromium, address, provoked=("net::ERR_",)) as page:
            await page.get_by_text("No host has reported yet").wait_for()
            manifest = await page.request.get(f"{address}/manifest.webmanifest")
            assert manifest.headers["content-type"].startswith("application/manifest+json")
            for icon in (await manifest.json())["icons"]:
                answer = await page.request.get(address + icon["src"])
                assert (answer.status, answer.headers["content-type"]) == (200, "image/png"), icon
            await eventually(lambda: page.evaluate(ACTIVE))
            kept = await page.evaluate(KEPT)
            assert "/" in kept
            assert any(path.startswith("/assets/index-") for path in kept)
            await page.reload()
            await page.locator(".connection.live").wait_for()
            await gateway.aclose()
            await page.keyboard.press("Control+k")
            await page.keyboard.type("log out")
            await page.locator(".palette .first").get_by_text("Log out").wait_for()
            await page.keyboard.press("Enter")
            await page.get_by_role("dialog", name="You are still logged in").wait_for()
            await page.goto(f"{address}/system")
            await page.get_by_role("heading", name="System").wait_for()
            await page.get_by_text("The state of Sonde could not be loaded").wait_for()
            assert not [path for path in await page.evaluate(KEPT) if path.startswith(("/api", "/health", "/metrics"))]

            monkeypatch.setattr(app, "dashboard_routes", partial(dashboard_routes, another_build(tmp_path)))
            async with served(msgspec.structs.replace(settings, port=urlsplit(address).port)):
                await page.get_by_text("Sonde was upgraded").wait_for()
                await page.get_by_role("button", name="Reload").click()
                await page.wait_for_function("() => document.querySelector('script').src.includes('index-another')")
                await page.locator(".connection.live").wait_for()


def another_build(directory: Path) -> Path:
    """The dashboard as built, but for the name of the file that it begins with."""
    [begin] = [path.name for path in (STATIC / "assets").glob("index-*.js")]
    for path in STATIC.rglob("*"):
        made = directory / path.relative_to(STATIC).as_posix().replace(begin, "index-another.js")
        if path.is_dir():
            made.mkdir(parents=True, exist_ok=True)
        elif path.suffix in (".js", ".html"):
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(path.read_text(encoding="utf-8").replace(begin, "index-another.js"), encoding="utf-8")
        elif path.suffix not in (".gz", ".br"):
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(path.read_bytes())
    return directory


@asynccontextmanager
async def whole_browser() -> AsyncIterator[Browser]:
    """A Chromium that has notifications: the one without windows has none. Skips the test where there is none."""
    path = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium with windows on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def test_one_of_all_tabs_tells_of_a_new_alert_unless_it_is_silenced(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        whole_browser() as browser,
        api_of(address) as api,
    ):
        context = await browser.new_context(locale="en-GB")
        await context.grant_permissions(["notifications"], origin=address)
        await context.add_init_script(COUNTED)
        await log_in(context, address)
        tabs = [await context.new_page() for _ in range(2)]
        await tabs[0].goto(f"{address}/settings")
        await tabs[0].get_by_label("Notifications of this browser").select_option("all")
        await eventually(lambda: tabs[0].evaluate(ACTIVE))
        await tabs[1].goto(f"{address}/alerts")
        await tabs[1].get_by_text("Nothing fires").wait_for()  # what fires when the first tab looks is no news
        await tabs[1].locator(".connection.live").wait_for()

        (await api.post("/rules", json=HOT)).raise_for_status()
        first = await told(tabs[0], 1)
        assert first[0]["title"] == f"Critical: {HOST}"
        assert first[0]["body"].startswith("Any use at all: ")

        silence = {"match": {"hosts": [HOST]}, "for_s": 3600}
        (await api.post("/silences", json=silence)).raise_for_status()
        async with context.expect_event("response", lambda answer: answer.url.endswith("/why")):
            (await api.post("/rules", json={**HOT, "id": "hot2", "name": "Silenced"})).raise_for_status()
        (await api.delete("/rules/hot")).raise_for_status()  # what is over is taken away
        await told(tabs[0], 0)
        assert sum([await tab.evaluate("globalThis.told") for tab in tabs]) == 1

        await tabs[0].get_by_label("Notifications of this browser").select_option("off")
        elsewhere = {**HOT, "id": "hot3", "name": "Unwanted", "metric": "cpu.total"}
        (await api.post("/silences/1/expire")).raise_for_status()
        (await api.post("/rules", json=elsewhere)).raise_for_status()
        await tabs[1].locator(".alert").get_by_text("Unwanted").first.wait_for()
        await tabs[0].get_by_label("Notifications of this browser").select_option("all")
        (await api.post("/rules", json={**HOT, "id": "hot4", "name": "Wanted"})).raise_for_status()
        [notification] = await told(tabs[0], 1)
        assert notification["body"].startswith("Wanted: ")


async def told(page: Page, count: int) -> list[dict[str, str]]:
    """The notifications that are shown, once there are so many."""
    found: list[dict[str, str]] = []

    async def enough() -> bool:
        found[:] = await page.evaluate(TOLD)
        return len(found) == count

    await eventually(enough)
    return found
