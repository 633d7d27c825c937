"""What both themes look like, as far as a machine can tell, and what a lost stream looks like."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.async_api import Page

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.stack import HOST, served, stack

pytestmark = pytest.mark.browser

BRIGHTNESS = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const data = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  let sum = 0;
  const colors = new Set();
  for (let i = 0; i < data.length; i += 4) {
    sum += (data[i] + data[i + 1] + data[i + 2]) / 3;
    colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  }
  return [sum / (data.length / 4), colors.size];
}"""

CONTRAST = """(pairs) => {
  const probe = document.body.appendChild(document.createElement('i'));
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const luminance = (name) => {
    probe.style.color = `var(${name})`;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = pairs.map(([a, b]) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  });
  probe.remove();
  return found;
}"""

READY = {
    "/": ".card .number",
    f"/hosts/{HOST}": "[data-chart=cpu] canvas",
    "/alerts": ".rule",
    "/settings": ".setting",
}
"""Every page, and what is on it once it is there."""
TEXTS = ("--text", "--muted", "--accent", "--up", "--warning", "--critical", "--offline")
GROUNDS = ("--panel", "--ground", "--raised")


async def brightness(page: Page) -> tuple[float, int]:
    """Mean brightness (0 to 255) of the page as a picture, and its number of colours."""
    picture = base64.b64encode(await page.screenshot()).decode()
    mean, colors = await page.evaluate(BRIGHTNESS, picture)
    return mean, colors


@pytest.mark.parametrize("path", READY)
async def test_both_themes_render(
    chromium: Chromium, path: str, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address:
        means = {}
        for scheme in ("light", "dark"):
            async with opened(chromium, address + path, scheme=scheme) as page:
                await page.locator(READY[path]).first.wait_for()
                means[scheme], colors = await brightness(page)
                assert colors > 100, "a page of hardly any colours shows nothing"
    assert means["light"] > 200
    assert means["dark"] < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_colour_can_be_read_on_every_ground(
    chromium: Chromium, scheme: str, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    async with served(settings) as address, opened(chromium, f"{address}/settings", scheme=scheme) as page:  # type: ignore[arg-type]
        await page.locator(".setting").first.wait_for()
        found = dict(zip(pairs, await page.evaluate(CONTRAST, pairs), strict=True))
    assert len(set(found.values())) > 10
    assert not {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 4.5}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_where_high_contrast_is_asked_for_every_text_has_it(
    chromium: Chromium, scheme: str, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    async with served(settings) as address, opened(chromium, f"{address}/settings", scheme=scheme) as page:  # type: ignore[arg-type]
        await page.locator(".setting").first.wait_for()
        await page.emulate_media(contrast="more")
        await page.locator(":root[data-contrast=more]").wait_for()
        found = dict(zip(pairs, await page.evaluate(CONTRAST, pairs), strict=True))
        assert not await findings(page)
    assert not {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 7}


async def test_nothing_overflows_a_phone(chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path) -> None:
    async with stack(bus_url, database_url, tmp_path) as address:
        for path, ready in READY.items():
            async with opened(chromium, address + path, width=375, height=740) as page:
                if path.startswith("/hosts/"):
                    await page.locator(".stats tbody tr").first.wait_for()
                    await page.locator("[data-chart=cpu]").scroll_into_view_if_needed()  # others are not drawn
                await page.locator(ready).first.wait_for()
                assert await page.evaluate("document.documentElement.scrollWidth") == 375, path


async def test_a_gateway_that_goes_away_is_told_and_taken_up_again(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with AsyncExitStack() as gateway:
        address = await gateway.enter_async_context(served(settings))
        async with opened(chromium, address, provoked=("net::ERR_",)) as page:
            await page.get_by_text("No host has reported yet").wait_for()
            assert not await page.locator(".banner").is_visible()
            await gateway.aclose()
            await page.get_by_text("Not live for").wait_for()
            async with served(msgspec.structs.replace(settings, port=urlsplit(address).port)):
                await page.locator(".connection.live").wait_for()
                await page.locator(".banner").wait_for(state="hidden")
