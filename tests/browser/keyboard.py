"""The focus, and a page that is used without a mouse."""

from __future__ import annotations

from playwright.async_api import Page

FOCUSED = """(() => {
  const element = document.activeElement;
  return element.labels?.[0]?.textContent || element.getAttribute('aria-label') || element.textContent;
})()"""


async def focused(page: Page) -> str:
    """What the element with the focus is called."""
    name: str = await page.evaluate(FOCUSED)
    return name.strip()


async def tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the focus is on what is called `name`."""
    seen = []
    for _ in range(80):
        await page.keyboard.press("Shift+Tab" if backwards else "Tab")
        seen.append(await focused(page))
        if seen[-1] == name:
            return
    raise AssertionError(f"no way to {name!r} by Tab, only to {seen}")
