"""A real browser, and a page that notices every complaint it makes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from tests.browser.logins import log_in

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
"""The first is Chromium without the windows around its pages, which nobody sees here and which cost as much again."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
"""The last: containers have 64 MiB there, which is too little for the browsers of several workers."""
NO_WORKERS = "delete globalThis.SharedWorker"
"""A script to run before a page's own: the relay runs in the page then, where a test can come between."""
expect.set_options(timeout=30_000)
"""What a page is to say comes when the machine gets to it."""
WATCH = """addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
})"""


REMEMBERED = """localStorage.setItem('me', '{"name": "ada", "role": "admin"}')"""
"""A script to run before a page's own: this browser was logged in before, so the page does not wait to show itself."""


def executable() -> str:
    """Path of an installed Chromium or Chrome. Without one the test is skipped, in CI it fails."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    reason = "no Chromium or Chrome on PATH; on Debian and Ubuntu: apt-get install chromium"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Chromium(NamedTuple):
    """A browser, started once per worker, and the event loop that it belongs to."""

    runner: asyncio.Runner
    browser: Browser


@contextmanager
def started() -> Iterator[Chromium]:
    """A browser until the context is left."""

    async def launch() -> tuple[Playwright, Browser]:
        playwright = await async_playwright().start()
        return playwright, await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)

    async def end(playwright: Playwright, browser: Browser) -> None:
        await browser.close()
        await playwright.stop()

    with asyncio.Runner() as runner:
        playwright, browser = runner.run(launch())
        try:
            yield Chromium(runner, browser)
        finally:
            runner.run(end(playwright, browser))


@asynccontextmanager
async def opened(
    chromium: Chromium,
    address: str,
    *,
    scheme: Literal["light", "dark"] = "dark",
    width: int = 1400,
    height: int = 900,
    touch: bool = False,
    before: str = "",
    provoked: tuple[str, ...] = (),
    known: bool = True,
    session: str = "",
) -> AsyncIterator[Page]:
    """A page at `address`, in a profile of its own. When the context ends well, the page must not have complained.

    A complaint is an error on the console, an uncaught exception, a violation of the content security policy, or a
    request to anywhere but the gateway. `before` is a script that runs before the page's own. `provoked` are parts of
    the errors that the test brings about itself. `known`: logged in as an admin of the gateway served last, or with
    the secret of another `session`.
    """
    complaints: list[str] = []
    unanswered: list[str] = []
    ours = urlsplit(address).netloc

    def expected(text: str) -> bool:
        return any(part in text for part in provoked)

    context = await chromium.browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=touch,
        color_scheme=scheme,
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        if known:
            await log_in(context, address, session)
        page = await context.new_page()
        page.set_default_timeout(60_000)  # a first page after the installation waits for fonts and a cold disk
        await page.add_init_script(WATCH)
        await page.add_init_script(before)
        page.on(
            "console",
            lambda message: (
                complaints.append(f"console: {message.text}")
                if message.type == "error" and not expected(message.text)
                else None
            ),
        )
        page.on(
            "pageerror",
            lambda error: complaints.append(f"exception: {error}") if not expected(str(error)) else None,
        )
        page.on(
            "request",
            lambda request: (
                complaints.append(f"foreign request: {request.url}") if urlsplit(request.url).netloc != ours else None
            ),
        )
        page.on("request", lambda request: unanswered.append(request.url))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: unanswered.remove(request.url) if request.url in unanswered else None)
        await page.goto(address)
        yield page
    except BaseException as error:
        with contextlib.suppress(PlaywrightError):
            shown = await page.inner_text("body", timeout=1000)
            error.add_note(f"{page.url} showed: {shown[:1500]!r}")
        error.add_note(f"it complained: {complaints}; waited for: {unanswered}")
        raise
    finally:
        await context.close()
    assert not complaints, complaints
