"""axe-core at work in a page: WCAG 2.2 AA and what its authors hold for good practice."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.async_api import Page

SOURCE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ([tags, within]) => {
  const passing = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(passing.map(({ finished }) => finished));
  const { violations } = await axe.run(within ?? document, { runOnly: tags, resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id} ${target.join(' ')}: ${failureSummary.split('\\n').slice(1).join(' ').trim()}`));
}"""


@cache
def source() -> str:
    return SOURCE.read_text(encoding="utf-8")


async def findings(page: Page, within: str | None = None) -> list[str]:
    """What axe finds in the page, or `within` elements of it, once transitions are over: rule, element, what to do."""
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(source())
    found: list[str] = await page.evaluate(RUN, [TAGS, within])
    return found
