"""A finger on the page."""

from __future__ import annotations

from playwright.async_api import Page

STEPS = 6


async def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Put a finger down at one place of the viewport, move it to another one, and lift it."""
    touch = await page.context.new_cdp_session(page)
    await touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    places = [
        (start[0] + (end[0] - start[0]) * step / STEPS, start[1] + (end[1] - start[1]) * step / STEPS)
        for step in range(STEPS + 1)
    ]
    for number, (x, y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await touch.detach()
