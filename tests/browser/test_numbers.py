"""Numbers on the page agree with the API and with what `free`, `df` and `top` say of the same machine.

What does not move, such as how much memory there is, agrees to the last digit shown. What moves is read several times:
the page shows the last sample, and the commands what is so a moment later, so one pair of readings may differ by what
happened in between, and the next agrees.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page

from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import HOST, stack
from tests.waiting import eventually

pytestmark = pytest.mark.browser

UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
MOVES_BYTES = 512 * 2**20
"""By so much memory and files of a machine that runs tests change between a sample and the command after it: a browser
and a database begin and end."""
TILE = ".tile:has([data-metric='{}'])"


class Amount:
    """A size as the page shows it: `58.6 GiB` is anything that is rounded to that."""

    def __init__(self, shown: str) -> None:
        number, unit = shown.split()
        digits = len(number.partition(".")[2])
        self.bytes = float(number) * UNITS[unit]
        self.half_a_digit = 0.5 * 10**-digits * UNITS[unit]

    def agrees(self, exactly: float, moves: float = 0) -> bool:
        return abs(self.bytes - exactly) <= self.half_a_digit + moves


async def said(*command: str) -> str:
    """What a command prints, in the language that this test reads."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return output.decode()


async def tile(page: Page, metric: str) -> str:
    """All that the tile of a metric says."""
    text = await page.locator(TILE.format(metric)).first.inner_text()
    return re.sub(r"\s+", " ", text)


async def latest(api: httpx.AsyncClient, family: str, instance: str = "") -> dict[str, float]:
    values: dict[str, float] = (await api.get(f"/hosts/{HOST}")).json()["latest"][family][instance]
    return values


async def sampled_agrees(page: Page, api: httpx.AsyncClient) -> bool:
    """What is shown is a sample of the API's to the last digit: the one before or the one after the page was read."""
    before = {family: await latest(api, family) for family in ("cpu", "memory")}
    cpu, memory = await tile(page, "cpu.total"), await tile(page, "memory.used_percent")
    after = {family: await latest(api, family) for family in before}
    percent = re.search(r"([\d.]+) ?%", cpu)
    used = re.search(r"([\d.]+ \w+) of", memory)
    assert percent
    assert used
    samples = (before, after)
    assert any(abs(float(percent[1]) - one["cpu"]["total"]) <= 0.0501 for one in samples), (cpu, samples)
    assert any(Amount(used[1]).agrees(one["memory"]["used"]) for one in samples), (memory, samples)
    return True


async def memory_agrees(page: Page, api: httpx.AsyncClient) -> bool:
    total, used = (int(number) for number in (await said("free", "-b")).splitlines()[1].split()[1:3])
    sampled = await latest(api, "memory")
    shown = re.search(r"([\d.]+ \w+) of ([\d.]+ \w+)", await tile(page, "memory.used_percent"))
    assert shown
    assert sampled["total"] == total
    assert Amount(shown[2]).agrees(total)
    assert Amount(shown[1]).agrees(used, MOVES_BYTES), (shown[0], used)
    return True


async def file_system_agrees(page: Page, api: httpx.AsyncClient) -> bool:
    mount = await page.locator("[data-metric='filesystem.used_percent']").first.get_attribute("data-instance")
    assert mount
    output = await said("df", "--block-size=1", "--output=size,used,avail,pcent", mount)
    size, used, available, percent = (int(word.rstrip("%")) for word in output.splitlines()[1].split())
    sampled = await latest(api, "filesystem", mount)
    shown = re.search(r"([\d.]+) ?% ([\d.]+ \w+) free", await tile(page, "filesystem.used_percent"))
    assert shown, await tile(page, "filesystem.used_percent")
    assert sampled["total"] == size
    assert abs(sampled["used"] - used) <= MOVES_BYTES
    assert Amount(shown[2]).agrees(available, MOVES_BYTES), (shown[0], available)
    # `df` rounds shares up.
    moves = 100 * MOVES_BYTES / size
    assert percent - 1.05 - moves <= float(shown[1]) <= percent + 0.05 + moves, (shown[0], percent)
    return True


async def load_agrees(page: Page, _: httpx.AsyncClient) -> bool:
    """The kernel counts anew every 5 s: two readings between two counts are equal."""
    told = re.search(r"load average: ([\d.]+)", await said("top", "-b", "-n", "1"))
    shown = re.search(r"load 1 min ([\d.,]+)", await tile(page, "cpu.total"))
    assert told
    assert shown
    assert abs(float(shown[1].replace(",", "")) - float(told[1])) <= 0.06, (shown[0], told[0])
    return True


async def test_numbers_on_the_page_agree_with_the_api_free_df_and_top(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    missing = [name for name in ("free", "df", "top") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)}; on Debian and Ubuntu: apt-get install procps")
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}") as page,
        api_of(address) as api,
    ):
        for metric in ("cpu.total", "memory.used_percent", "filesystem.used_percent"):
            await page.locator(TILE.format(metric)).first.wait_for()
        for agrees in (sampled_agrees, memory_agrees, file_system_agrees, load_agrees):
            await eventually(partial(agrees, page, api), within_s=120, every_s=0.5)
