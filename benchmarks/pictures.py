"""The README's pictures: pages of `sonde demo`, light and dark, as a browser shows them, into docs/pictures.

python -m benchmarks.pictures [DIRECTORY]
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.async_api import Browser, Page

from benchmarks.bench_browser import demonstration
from benchmarks.browser_page import browser
from benchmarks.processes import ROOT

DIRECTORY = ROOT / "docs" / "pictures"
MOST_BYTES = 200 * 1024
QUALITIES = (82, 70, 55, 40)
HOSTS = 30
DAYS = 1.5
LIVES_S = 75
"""By then cards have their sparklines, and what rules say of the present is known."""
DRAWN_WITHIN_S = 120
AT_REST = """() => document.fonts.status === 'loaded' && !document.querySelector('.waiting, [aria-busy=true]') &&
  [...document.querySelectorAll('canvas')].every(({ width, height }) => width > 0 && height > 0)"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Picture(Struct, frozen=True):
    """One page, and what is on it once it is there."""

    name: str
    path: str
    there: str
    width: int = 1280
    height: int = 800


PICTURES = (
    Picture("fleet", "/", ".card .number"),
    Picture("host", "/hosts/web-sin-01?range=24h", "canvas"),
    Picture("gpu", "/hosts/gpu-fra-01?range=15m", "canvas"),
    Picture("alerts", "/alerts", ".alert"),
    Picture("phone", "/", ".card .number", 390, 844),
)


def main(argv: Sequence[str]) -> int:
    directory = Path(argv[0]) if argv else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(directory))
    return 0


async def take(directory: Path) -> None:
    async with demonstration(HOSTS, DAYS) as address, browser() as chromium:
        await asyncio.sleep(LIVES_S)
        for picture in PICTURES:
            for scheme in SCHEMES:
                data = await _taken(chromium, address, picture, scheme)
                path = directory / f"{picture.name}-{scheme}.webp"
                await asyncio.to_thread(path.write_bytes, data)
                print(f"{path.name}: {len(data) / 1024:.0f} KiB", flush=True)


async def _taken(chromium: Browser, address: str, picture: Picture, scheme: Literal["light", "dark"]) -> bytes:
    """The picture, as good as it may be large. Raises ValueError when even the worst is too large."""
    context = await chromium.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2,
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        page = await context.new_page()
        await page.goto(address + picture.path)
        await page.locator(picture.there).first.wait_for()
        await page.locator(".connection.live").wait_for()
        await _drawn(page)
        session = await context.new_cdp_session(page)
        for quality in QUALITIES:
            asked = {"format": "webp", "quality": quality}
            data = base64.b64decode((await session.send("Page.captureScreenshot", asked))["data"])
            if len(data) <= MOST_BYTES:
                return data
    finally:
        await context.close()
    raise ValueError(f"{picture.name}: {len(data)} bytes at quality {QUALITIES[-1]}")


async def _drawn(page: Page) -> None:
    """Wait until nothing on the page is on its way, twice in a row: a stream never rests, so neither does the network.

    Asked again and again: waiting in the page would evaluate text, which its content security policy forbids.
    """
    at_rest = 0
    async with asyncio.timeout(DRAWN_WITHIN_S):
        while at_rest < 2:
            await asyncio.sleep(1)
            at_rest = at_rest + 1 if await page.evaluate(AT_REST) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
