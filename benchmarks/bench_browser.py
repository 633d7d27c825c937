"""What the dashboard costs a browser: the fleet page with every host live at 1 Hz, its heap, frames, and typing.

On `sonde demo`. Processor time is that of the page's script and layout as the browser counts it, and of the worker that
holds the stream as the system counts its thread. Frames are compared, in turn, with those of an empty page in the same
browser and of one whose cards stand still. Figures of a fleet that lags would flatter the page: what a viewer gets is
counted, and too little is an error. Long figures need a machine with nothing else to do; how much of it was left is
printed, too.
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
import psutil
from playwright.async_api import Browser

from benchmarks.browser_page import (
    EMPTY,
    VIEW,
    Looked,
    blank_jumps,
    browser,
    frames_per_s,
    looked_at,
    slowest_key_ms,
    still,
)
from benchmarks.figures import Figure, figure, parser, show
from benchmarks.live_rate import samples_per_s
from benchmarks.processes import running
from infra.cli import process
from infra.cli.process import Running, running_file

FIGURES = (
    "browser.first_card_ms",
    "browser.samples_per_s",
    "browser.cores_idle_percent",
    "browser.page_and_worker_percent",
    "browser.script_layout_percent",
    "browser.worker_percent",
    "browser.main_thread_percent",
    "browser.heap_mib",
    "browser.heap_grown_half_mib",
    "browser.heap_grown_mib",
    "browser.frames_lost_per_s",
    "browser.still_frames_lost_per_s",
    "browser.blank_jumps",
    "browser.many_first_card_ms",
    "browser.many_samples_per_s",
    "browser.many_cores_idle_percent",
    "browser.many_frames_lost_per_s",
    "browser.many_still_frames_lost_per_s",
    "browser.many_key_ms",
)
"""Names of what it prints."""
FIRST_CARD_MS = 1000
PERCENT = 15
GROWN_MIB = 5
FRAMES_LOST = 1
MANY_FIRST_CARD_MS = 2000
KEY_MS = 100
LIVE = 0.95
"""Of the samples that all hosts together should send, so many have to be there."""
AWAY = 2
"""Hosts of stories that may be away."""
MANY_EVERY_S = 30
"""Seconds between samples of the second fleet, which leave the browser some of a small machine."""
STARTS_WITHIN_S = 900
STOPS_WITHIN_S = 60
IDLE_PERCENT = 35
"""Of all cores; so much is free once a fleet has come in."""
IDLE_WITHIN_S = 300
SETTLES_S = 60.0
COUNTED_S = 15.0
SCROLL_S = 5.0
STILL_CARDS = 1000
ROUNDS = 3
JUMPS = 20
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
        async with demonstration(arguments.hosts, every_s=1) as address:
            found = await _long(chromium, address, arguments.hosts, arguments.seconds)
        if arguments.many:
            if not arguments.json:
                show(found, as_json=False, declared=FIGURES)  # whatever comes of the second fleet
                found = []
            async with demonstration(arguments.many, every_s=MANY_EVERY_S) as address:
                found += await _many(chromium, address, arguments.many)
    return found


async def _long(chromium: Browser, address: str, hosts: int, seconds: float) -> list[Figure]:
    first_card_ms = await _first_card_ms(chromium, address)
    async with looked_at(chromium, address) as (looked, _):
        settles_s = min(SETTLES_S, seconds / 3)
        await asyncio.sleep(settles_s)
        before, heap_mib, began_s = await looked.spent(), await looked.heap_mib(), time.monotonic()
        psutil.cpu_times_percent()
        live = [await _live(address, hosts)]
        left_s = max(0.0, seconds - settles_s)
        await asyncio.sleep(max(0.0, left_s / 2 - COUNTED_S))
        half_mib = await looked.heap_mib()
        await asyncio.sleep(max(0.0, left_s / 2 - COUNTED_S))
        live.append(await _live(address, hosts))
        after, elapsed_s, idle = await looked.spent(), time.monotonic() - began_s, psutil.cpu_times_percent().idle
        grown_mib = await looked.heap_mib() - heap_mib
        lost, still_lost = await _frames_lost(chromium, looked)
        blank = await blank_jumps(looked.page, JUMPS)

    def percent(*parts: str) -> float:
        return 100 * sum(float(getattr(after, part) - getattr(before, part)) for part in parts) / elapsed_s

    one = "% of one core"
    return [
        figure("browser.first_card_ms", first_card_ms, "ms", FIRST_CARD_MS),
        figure("browser.samples_per_s", min(live), "1/s that a viewer gets", LIVE * hosts),
        figure("browser.cores_idle_percent", idle, "% of all cores"),
        figure("browser.page_and_worker_percent", percent("script", "layout", "worker"), one, PERCENT),
        figure("browser.script_layout_percent", percent("script", "layout"), one),
        figure("browser.worker_percent", percent("worker"), one),
        figure("browser.main_thread_percent", percent("task"), one),
        figure("browser.heap_mib", heap_mib, f"MiB after {settles_s:.0f} s"),
        figure("browser.heap_grown_half_mib", half_mib - heap_mib, "MiB in the first half of the time after that"),
        figure("browser.heap_grown_mib", grown_mib, f"MiB in the {elapsed_s:.0f} s after that", GROWN_MIB),
        figure("browser.frames_lost_per_s", lost, "1/s behind an empty page", FRAMES_LOST),
        figure("browser.still_frames_lost_per_s", still_lost, f"1/s by {STILL_CARDS} of its cards that stand still"),
        figure("browser.blank_jumps", blank, f"of {JUMPS} jumps, after which there is no card in the second frame"),
    ]


async def _live(address: str, hosts: int, every_s: int = 1) -> float:
    """Samples a second that a viewer gets. Raises SystemExit where that is not what so many hosts should send."""
    wanted = LIVE * (hosts - AWAY) / every_s
    found = await samples_per_s(address, COUNTED_S)
    if found < wanted:
        raise SystemExit(
            f"browser: {found:.0f} samples/s of {hosts / every_s:.0f}: this machine is too slow or too busy"
        )
    return found


async def _first_card_ms(chromium: Browser, address: str) -> float:
    """In a browser that has never seen the page, but on a machine that has its files at hand."""
    found = []
    for _ in range(ROUNDS + 1):
        async with looked_at(chromium, address) as (_, first_card_ms):
            found.append(first_card_ms)
    return median(found[1:])


async def _frames_lost(chromium: Browser, looked: Looked) -> tuple[float, float]:
    """By how many frames a second the page falls behind an empty one while both are scrolled, in turn; and by how many
    a page does whose cards stand still, which is what drawing them takes.
    """
    empty, still_page = [await chromium.new_page(viewport=VIEW) for _ in range(2)]
    await empty.set_content(EMPTY)
    await still_page.set_content(await still(looked.page, STILL_CARDS))
    lost, still_lost = [], []
    for _ in range(ROUNDS):
        limit = await frames_per_s(empty, SCROLL_S)
        still_lost.append(limit - await frames_per_s(still_page, SCROLL_S))
        lost.append(limit - await frames_per_s(looked.page, SCROLL_S))
    await empty.close()
    await still_page.close()
    return median(lost), median(still_lost)


async def _many(chromium: Browser, address: str, hosts: int) -> list[Figure]:
    first_card_ms = await _first_card_ms(chromium, address)
    async with looked_at(chromium, address) as (looked, _):
        psutil.cpu_times_percent()
        live = await _live(address, hosts, MANY_EVERY_S)
        idle = psutil.cpu_times_percent().idle
        key_ms = await slowest_key_ms(looked.page, TYPED)
        lost, still_lost = await _frames_lost(chromium, looked)
    return [
        figure("browser.many_first_card_ms", first_card_ms, "ms", MANY_FIRST_CARD_MS),
        figure("browser.many_samples_per_s", live, "1/s that a viewer gets", LIVE * hosts / MANY_EVERY_S),
        figure("browser.many_cores_idle_percent", idle, "% of all cores"),
        figure("browser.many_frames_lost_per_s", lost, "1/s behind an empty page", FRAMES_LOST),
        figure("browser.many_still_frames_lost_per_s", still_lost, f"1/s by {STILL_CARDS} cards that stand still"),
        figure("browser.many_key_ms", key_ms, "ms, the slowest key", KEY_MS),
    ]


@asynccontextmanager
async def demonstration(hosts: int, days: float = 0, every_s: int = 1) -> AsyncIterator[str]:
    """A fleet of which every host is up that should be, with so much of a past; its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        data = Path(directory) / "demo"
        command = [sys.executable, "-m", "infra.cli.main", "demo", "--hosts", str(hosts), "--days", str(days)]
        command += ["--every", str(every_s)]
        log = {"SONDE_LOG_FORMAT": "json"}
        async with running(
            [*command, "--port", "0", "--data", str(data)], log, talking=True, stop_within_s=STOPS_WITHIN_S
        ) as child:
            draining = asyncio.ensure_future(asyncio.to_thread(child.stdout.read))  # type: ignore[union-attr]
            async with asyncio.timeout(STARTS_WITHIN_S):
                while not running_file(str(data)).exists():
                    if child.poll() is not None:
                        raise SystemExit(f"browser: the demonstration ended:\n{(await draining).decode()[-1000:]}")
                    await asyncio.sleep(0.2)
                port = msgspec.json.decode(running_file(str(data)).read_bytes(), type=Running).port
                address = f"http://127.0.0.1:{port}"
                await _all_up(address, hosts)
            await _come_in()
            yield address


async def _all_up(address: str, hosts: int) -> None:
    """Wait until all are, but for those of stories about hosts that are not, as far as the fleet has them."""
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as client:
        up = 0
        while up < hosts - AWAY:
            await asyncio.sleep(2)
            try:
                answer = await client.get("/hosts", params={"state": "up", "limit": 1})
            except httpx.TransportError:
                continue
            up = answer.json()["matched"] if answer.status_code == 200 else 0


async def _come_in() -> None:
    """Wait until the machine is done with all who come at once; if it never is, how idle it was is printed."""
    began_s = time.monotonic()
    psutil.cpu_times_percent()
    while time.monotonic() - began_s < IDLE_WITHIN_S:
        await asyncio.sleep(5)
        if psutil.cpu_times_percent().idle >= IDLE_PERCENT:
            break


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
