"""What the dashboard costs a browser: the fleet page with every host live at 1 Hz, its heap, frames, and typing.

On `sonde demo`. Processor time is that of the page's script and layout as the browser counts it, and of the worker that
holds the stream as the system counts its thread. Frames are compared with those of an empty page in the same browser,
in turn. Long figures need a machine with nothing else to do: the fleet takes most of a core.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import httpx
import msgspec
from playwright.async_api import Browser

from benchmarks.browser_page import EMPTY, VIEW, Looked, browser, frames_per_s, looked_at, slowest_key_ms
from benchmarks.figures import Figure, figure, parser, show
from benchmarks.processes import running
from infra.cli import process
from infra.cli.process import Running, running_file

FIGURES = (
    "browser.first_card_ms",
    "browser.script_layout_percent",
    "browser.worker_percent",
    "browser.main_thread_percent",
    "browser.heap_mib",
    "browser.heap_grown_mib",
    "browser.frames_lost_per_s",
    "browser.many_first_card_ms",
    "browser.many_key_ms",
)
"""Names of what it prints."""
FIRST_CARD_MS = 1000
PERCENT = 15
GROWN_MIB = 5
FRAMES_LOST = 1
MANY_FIRST_CARD_MS = 2000
KEY_MS = 100
STARTS_WITHIN_S = 900
SETTLES_S = 60.0
SCROLL_S = 5.0
ROUNDS = 3
TYPED = "web tag:prod cpu>20"


def main(argv: list[str]) -> int:
    options = parser(__doc__ or "")
    options.add_argument("--hosts", type=int, default=1000)
    options.add_argument("--many", type=int, default=5000, help="hosts of the second fleet; 0: leave that out")
    options.add_argument("--seconds", type=float, default=600)
    arguments = options.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(arguments)), arguments.json, FIGURES)
    return 0


async def measure(arguments: Namespace) -> list[Figure]:
    async with browser() as chromium:
        async with demonstration(arguments.hosts) as address:
            found = await _long(chromium, address, arguments.seconds)
        if arguments.many:
            async with demonstration(arguments.many) as address:
                found += await _many(chromium, address)
    return found


async def _long(chromium: Browser, address: str, seconds: float) -> list[Figure]:
    async with looked_at(chromium, address) as (looked, first_card_ms):
        settles_s = min(SETTLES_S, seconds / 3)
        await asyncio.sleep(settles_s)
        before, heap_mib, began_s = await looked.spent(), await looked.heap_mib(), time.monotonic()
        await asyncio.sleep(max(0.0, seconds - settles_s))
        after, elapsed_s = await looked.spent(), time.monotonic() - began_s
        grown_mib = await looked.heap_mib() - heap_mib
        lost = await _frames_lost(chromium, looked)

    def percent(part: str) -> float:
        return 100 * float(getattr(after, part) - getattr(before, part)) / elapsed_s

    return [
        figure("browser.first_card_ms", first_card_ms, "ms", FIRST_CARD_MS),
        figure("browser.script_layout_percent", percent("script") + percent("layout"), "% of one core", PERCENT),
        figure("browser.worker_percent", percent("worker"), "% of one core"),
        figure("browser.main_thread_percent", percent("task"), "% of one core"),
        figure("browser.heap_mib", heap_mib, f"MiB after {settles_s:.0f} s"),
        figure("browser.heap_grown_mib", grown_mib, f"MiB in the {elapsed_s:.0f} s after that", GROWN_MIB),
        figure("browser.frames_lost_per_s", lost, "1/s behind an empty page", FRAMES_LOST),
    ]


async def _frames_lost(chromium: Browser, looked: Looked) -> float:
    """By how many frames a second the page falls behind an empty one while both are scrolled, in turn."""
    empty = await chromium.new_page(viewport=VIEW)
    await empty.set_content(EMPTY)
    lost = []
    for _ in range(ROUNDS):
        limit = await frames_per_s(empty, SCROLL_S)
        lost.append(limit - await frames_per_s(looked.page, SCROLL_S))
    await empty.close()
    return median(lost)


async def _many(chromium: Browser, address: str) -> list[Figure]:
    async with looked_at(chromium, address) as (looked, first_card_ms):
        await asyncio.sleep(5)  # as somebody who begins to type once they have read what is there
        key_ms = await slowest_key_ms(looked.page, TYPED)
    return [
        figure("browser.many_first_card_ms", first_card_ms, "ms", MANY_FIRST_CARD_MS),
        figure("browser.many_key_ms", key_ms, "ms, the slowest key", KEY_MS),
    ]


@asynccontextmanager
async def demonstration(hosts: int, days: float = 0) -> AsyncIterator[str]:
    """A fleet of which every host is up that should be, with so much of a past; its address."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "demo"
        command = [sys.executable, "-m", "infra.cli.main", "demo", "--hosts", str(hosts), "--days", str(days)]
        log = {"SONDE_LOG_FORMAT": "json"}
        async with running([*command, "--port", "0", "--data", str(data)], log, talking=True) as child:
            draining = asyncio.ensure_future(asyncio.to_thread(child.stdout.read))  # type: ignore[union-attr]
            async with asyncio.timeout(STARTS_WITHIN_S):
                while not running_file(str(data)).exists():
                    if child.poll() is not None:
                        raise SystemExit(f"browser: the demonstration ended:\n{(await draining).decode()[-1000:]}")
                    await asyncio.sleep(0.2)
                port = msgspec.json.decode(running_file(str(data)).read_bytes(), type=Running).port
                address = f"http://127.0.0.1:{port}"
                await _all_up(address, hosts)
            yield address


async def _all_up(address: str, hosts: int) -> None:
    """Wait until all are, but for those of stories about hosts that are not."""
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as client:
        up = 0
        while up < hosts - 2:
            await asyncio.sleep(2)
            try:
                answer = await client.get("/hosts", params={"state": "up", "limit": 1})
            except httpx.TransportError:
                continue
            up = answer.json()["matched"] if answer.status_code == 200 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
