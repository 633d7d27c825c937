"""The browser of `bench_browser`: a page that is looked at over the DevTools protocol, and the thread of its worker."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct
from playwright.async_api import Browser, CDPSession, Page, async_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
WORKER_THREAD = "SharedWorker"
"""What the thread of the worker that holds the stream is called."""
VIEW = {"width": 1440, "height": 900}
FIRST_CARD = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('.card .number')) return;
  requestAnimationFrame(() => { globalThis.firstCardMs ??= performance.now(); });
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""
SLOWEST_KEY = """
globalThis.slowestKeyMs = 0;
const note = (entries) => {
  for (const { name, duration } of entries)
    if (['keydown', 'keypress', 'beforeinput', 'input'].includes(name))
      globalThis.slowestKeyMs = Math.max(globalThis.slowestKeyMs, duration);
};
const keys = new PerformanceObserver((list) => note(list.getEntries()));
keys.observe({ type: 'event', durationThreshold: 16, buffered: true });
globalThis.typed = () => {
  note(keys.takeRecords());
  return [globalThis.slowestKeyMs, performance.eventCounts.get('keydown') ?? 0];
};
"""
"""Times of the browser's own, from a key to the frame that shows what came of it, in steps of 8 ms from 16 on."""
FIELD = "input[type=search]"
SHOWN = "#shown-count"
LISTED_S = 0.5
"""After the last key: until the list is that of the words, and the browser has told how long it took."""
SCROLL = """(seconds) => new Promise((done) => {
  const frames = [], end = performance.now() + 1000 * seconds;
  let step = 40;
  const frame = (now) => {
    frames.push(now);
    const before = scrollY;
    scrollBy(0, step);
    if (scrollY === before) step = -step;
    if (now < end) requestAnimationFrame(frame); else done(frames);
  };
  requestAnimationFrame(frame);
})"""
BLANKS = """async (jumps) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  let blank = 0;
  for (let jump = 1; jump <= jumps; jump++) {
    scrollTo(0, (jump * 0.618 % 1) * (document.documentElement.scrollHeight - innerHeight));
    await frame();
    await frame();
    const across = [0.2, 0.5, 0.8].map((share) => document.elementFromPoint(share * innerWidth, innerHeight / 2));
    if (!across.some((found) => found?.closest('.card'))) blank++;
  }
  scrollTo(0, 0);
  return blank;
}"""
"""How often no card is there in the second frame after a jump to somewhere else in the list."""
STILL = """(count) => {
  const rules = [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules].map(({ cssText }) => cssText));
  const cards = [...document.querySelectorAll('.card')].map((card) => {
    const copy = card.cloneNode(true);
    copy.removeAttribute('style');
    return copy.outerHTML;
  });
  const all = Array.from({ length: count }, (_, at) => cards[at % cards.length]).join('');
  const grid = 'display: grid; grid-template-columns: repeat(5, 1fr); grid-auto-rows: 150px; gap: 8px; padding: 16px';
  return `<!doctype html><title>still</title><style>${rules.join('\\n')}</style><ul style="${grid}">${all}</ul>`;
}"""
"""A document of so many of the page's cards, which run no script and never change."""
EMPTY = "<!doctype html><title>empty</title><div style='height: 60000px'></div>"


class Spent(Struct, frozen=True):
    """Seconds of processor time since the page was opened."""

    script: float
    layout: float
    """Styles included."""
    task: float
    """Whatever the page's main thread did."""
    worker: float
    """The thread that holds the stream, whatever it did."""


class Looked:
    """A page of the dashboard that is measured."""

    def __init__(self, page: Page, session: CDPSession, of_browser: CDPSession, browser_pid: int) -> None:
        self.page = page
        self._session, self._of_browser, self._browser_pid = session, of_browser, browser_pid

    async def spent(self) -> Spent:
        metrics = (await self._session.send("Performance.getMetrics"))["metrics"]
        found = {metric["name"]: metric["value"] for metric in metrics}
        layout_s = found["LayoutDuration"] + found["RecalcStyleDuration"]
        return Spent(found["ScriptDuration"], layout_s, found["TaskDuration"], self._worker_s())

    async def heap_mib(self) -> float:
        """What page and worker hold after their garbage was collected."""
        await self._session.send("HeapProfiler.collectGarbage")
        used: float = (await self._session.send("Runtime.getHeapUsage"))["usedSize"]
        targets = (await self._of_browser.send("Target.getTargets"))["targetInfos"]
        for target in targets:
            if target["type"] == "shared_worker":
                used += await self._worker_heap(target["targetId"])
        return used / 2**20

    async def _worker_heap(self, target: str) -> float:
        answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        def hear(event: dict[str, Any]) -> None:
            message = json.loads(event["message"])
            if "id" in message:
                answers.put_nowait(message)

        self._of_browser.on("Target.receivedMessageFromTarget", hear)
        attached = await self._of_browser.send("Target.attachToTarget", {"targetId": target, "flatten": False})
        try:
            for number, method in enumerate(("HeapProfiler.collectGarbage", "Runtime.getHeapUsage"), 1):
                message = json.dumps({"id": number, "method": method})
                sent = {"sessionId": attached["sessionId"], "message": message}
                await self._of_browser.send("Target.sendMessageToTarget", sent)
                answer = await asyncio.wait_for(answers.get(), 30)
        finally:
            await self._of_browser.send("Target.detachFromTarget", {"sessionId": attached["sessionId"]})
            self._of_browser.remove_listener("Target.receivedMessageFromTarget", hear)
        return float(answer["result"]["usedSize"])

    def _worker_s(self) -> float:
        """Raises LookupError where no thread has the name: its work would be counted as none."""
        spent_s, threads = 0.0, 0
        for process in psutil.Process(self._browser_pid).children(recursive=True):
            for thread in process.threads():
                name = Path(f"/proc/{process.pid}/task/{thread.id}/comm")
                if name.exists() and name.read_text().startswith(WORKER_THREAD):
                    spent_s += thread.user_time + thread.system_time
                    threads += 1
        if not threads:
            raise LookupError(f"no thread called {WORKER_THREAD} in the browser; benchmarks/browser_page.py names it")
        return spent_s


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium that is installed here. Raises SystemExit without one."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("browser: no Chromium or Chrome on PATH; on Debian and Ubuntu: apt-get install chromium")
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield found
        finally:
            await found.close()


@asynccontextmanager
async def looked_at(browser: Browser, address: str) -> AsyncIterator[tuple[Looked, float]]:
    """The page at `address`, and how many milliseconds it took until its first card was drawn."""
    of_browser = await browser.new_browser_cdp_session()
    processes = (await of_browser.send("SystemInfo.getProcessInfo"))["processInfo"]
    pid = next(each["id"] for each in processes if each["type"] == "browser")
    context = await browser.new_context(viewport=VIEW)
    try:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})  # not of others on the same cores
        await page.add_init_script(FIRST_CARD)
        await page.add_init_script(SLOWEST_KEY)
        await page.goto(address)
        yield Looked(page, session, of_browser, pid), await _first_card_ms(page)
    finally:
        await context.close()


async def _first_card_ms(page: Page) -> float:
    """Asked again and again: waiting in the page would evaluate text, which its content security policy forbids."""
    async with asyncio.timeout(60):
        while (found := await page.evaluate("globalThis.firstCardMs ?? null")) is None:
            await asyncio.sleep(0.1)
    return float(found)


async def frames_per_s(page: Page, seconds: float) -> float:
    """Frames while the page is scrolled to its end and back."""
    await page.bring_to_front()
    times: list[float] = await page.evaluate(SCROLL, seconds)
    return 1000 * (len(times) - 1) / (times[-1] - times[0])


async def still(page: Page, cards: int) -> str:
    """A document with so many of the page's cards."""
    return str(await page.evaluate(STILL, cards))


async def blank_jumps(page: Page, jumps: int) -> int:
    """After how many of so many jumps through the list there is nothing to see at first."""
    await page.bring_to_front()
    return int(await page.evaluate(BLANKS, jumps))


async def slowest_key_ms(page: Page, text: str) -> float:
    """Type `text` into the search and delete it again; the longest time from a key to the frame that shows what came of
    it, at least 16. Raises AssertionError where the keys did not do that.
    """
    await page.bring_to_front()
    await page.locator(FIELD).click()
    _, before = await page.evaluate("slowestKeyMs = 0, typed()")
    everybody = await page.locator(SHOWN).inner_text()
    await _press(page, list(text))
    assert await page.locator(FIELD).input_value() == text, "the search does not hold what was typed"
    assert await page.locator(SHOWN).inner_text() != everybody, "the list is not that of the words"
    await _press(page, ["Backspace"] * len(text))
    assert await page.locator(FIELD).input_value() == "", "the search holds more than was deleted"
    assert await page.locator(SHOWN).inner_text() == everybody, "the list is not that of all hosts again"
    slowest, after = await page.evaluate("typed()")
    assert after - before == 2 * len(text), f"{after - before} keys were counted of {2 * len(text)}"
    return max(16.0, float(slowest))


async def _press(page: Page, keys: list[str]) -> None:
    for key in keys:
        await page.keyboard.press("Space" if key == " " else key)
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await asyncio.sleep(LISTED_S)
