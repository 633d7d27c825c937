"""`sonde demo` as people start it: a fleet that lives, with a past, marked as simulated wherever one looks."""

from __future__ import annotations

import asyncio
import functools
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest
from playwright.async_api import Page

from demo.machines import make_fleet
from infra.cli.process import Running, running_file
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.infra.cli.commands import SONDE, environment
from tests.waiting import eventually

pytestmark = pytest.mark.browser

HOSTS = 30
WIDE, NARROW = 1440, 390
PAGES = (
    *("/", "/?wall", "/alerts", "/hosts/web-fra-01", "/compare", "/settings"),
    *("/system", "/audit", "/people", "/viewers", "/account", "/login", "/api"),
)
LONG = ("/", "/api")
"""Pages that are longer than a phone is high, whatever is on them."""
TITLED = set(PAGES) - {"/api", "/?wall"}
"""Pages that name themselves in the browser's tab."""
STRIP = ".demonstration"


class Demo:
    """A demonstration that serves."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    def family(self) -> list[psutil.Process]:
        """Its process and all that it has started."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def agents(self) -> list[psutil.Process]:
        """The processes of its agents."""
        return [each for each in self.family() if "demo.agents" in each.cmdline()]

    async def ask(self, path: str) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.address}/api/v1") as client:
            answer = await client.get(path)
            answer.raise_for_status()
            return answer.json()


@contextmanager
def started(directory: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`sonde demo`, killed with all its processes on leaving."""
    command = [*SONDE, "demo", "--data", str(directory / "demo"), "--port", "0", *options]
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(directory), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            left = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            psutil.wait_procs(left, 30)
        process.wait()


@asynccontextmanager
async def demonstration(directory: Path, *options: str) -> AsyncIterator[Demo]:
    """`sonde demo` whose fleet is on its way."""
    running = running_file(str(directory / "demo"))
    with started(directory, *options) as process:

        def begun() -> bool:
            assert process.poll() is None, (directory / "output").read_text()[-2000:]
            return running.exists()

        await eventually(begun, 240)
        yield Demo(process, msgspec.json.decode(running.read_bytes(), type=Running).port)


async def test_a_fleet_of_thirty_lives_has_a_past_and_is_marked(chromium: Chromium, tmp_path: Path) -> None:
    fleet = make_fleet(HOSTS, seed=1, began_s=0)
    silent = [machine.name for machine in fleet if machine.story == "silent"]
    away = {machine.name for machine in fleet if machine.story in ("silent", "flapping")}
    async with demonstration(tmp_path, "--hosts", str(HOSTS), "--days", "0.1") as demo:

        async def all_up() -> bool:
            hosts = (await demo.ask(f"/hosts?limit={HOSTS}"))["hosts"]
            up = {host["id"] for host in hosts if host["state"] == "up"}
            return len(hosts) == HOSTS and up >= {machine.name for machine in fleet} - away

        await eventually(all_up, 120, every_s=0.5)
        [offline] = [host for host in (await demo.ask(f"/hosts?limit={HOSTS}"))["hosts"] if host["id"] in silent]
        assert offline["state"] == "offline"

        async def fires() -> bool:
            active = (await demo.ask("/alerts"))["active"]
            return {"memory", "filesystem", "gpu-temperature"} <= {alert["rule"] for alert in active}

        await eventually(fires, 120, every_s=0.5)
        series = await demo.ask("/hosts/web-fra-01/series?metrics=cpu.total,container.memory&from=-2h&points=60")
        assert all(value is not None for column in series["series"] for value in column["avg"][:40])
        assert (await demo.ask("/session"))["demonstration"] is True
        await look(chromium, demo)
        family = demo.family()
        demo.process.send_signal(signal.SIGINT)
        await eventually(lambda: demo.process.poll() is not None, 60)
        assert demo.process.returncode == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 30)
        assert not alive


async def look(chromium: Chromium, demo: Demo) -> None:
    """Every page has the strip, which stays in view and is in the tab's title, and axe finds nothing against it."""
    for path, width in [("/", WIDE), *((path, NARROW) for path in PAGES)]:
        async with opened(chromium, f"{demo.address}{path}", width=width, known=False) as page:
            strip = page.locator(STRIP)
            await strip.wait_for()
            assert "simulated" in await strip.inner_text()
            if path in LONG and width == NARROW:
                await eventually(functools.partial(scrolled, page), 30)
            assert await strip.evaluate("strip => strip.getBoundingClientRect().top") == 0
            assert await findings(page, within=STRIP) == []
            if path in TITLED:
                await eventually(functools.partial(says_so, page), 30)


async def says_so(page: Page) -> bool:
    return "Demonstration" in await page.title()


async def scrolled(page: Page) -> bool:
    """Whether the page could be scrolled away from its top."""
    await page.mouse.wheel(0, 5000)
    return bool(await page.evaluate("scrollY > 0"))


async def test_a_demonstration_that_is_stopped_while_it_makes_history_ends_at_once(tmp_path: Path) -> None:
    with started(tmp_path, "--hosts", "100", "--days", "30") as process:
        log = tmp_path / "demo" / "sonde.log"
        await eventually(lambda: log.exists() and "writing history" in log.read_text(), 120)
        process.send_signal(signal.SIGINT)
        await eventually(lambda: process.poll() is not None, 60)
        assert process.returncode == 0
        assert "history written" not in log.read_text()
        assert '"event":"stopped"' in (tmp_path / "output").read_text().replace(": ", ":")


async def test_a_demonstration_whose_agents_crash_ends_and_says_so_in_one_line(tmp_path: Path) -> None:
    async with demonstration(tmp_path, "--hosts", "1", "--days", "0") as demo:
        [fleet] = await eventually(demo.agents, 60)
        fleet.kill()
        await eventually(lambda: demo.process.poll() is not None, 60)
        assert demo.process.returncode == 1
        last = (tmp_path / "output").read_text().splitlines()[-1]
        assert "the simulated agents ended with status -9" in last


async def test_the_agents_of_a_demonstration_that_is_killed_end_with_it(tmp_path: Path) -> None:
    async with demonstration(tmp_path, "--hosts", "2", "--days", "0") as demo:
        [fleet] = await eventually(demo.agents, 60)
        demo.process.kill()
        demo.process.wait()
        await eventually(lambda: not fleet.is_running() or fleet.status() == psutil.STATUS_ZOMBIE, 60)
