"""Why somebody was told, or was not: each incident's decisions, kept whenever they change."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from infra.storage.database import Connection
from schemas.incidents import Step
from services.alerts.notice import Outcome
from services.alerts.notify.world import Decision, Draft, Plan
from services.alerts.telling import sql

TEXT_CHARACTERS = 500


class Steps:
    """What was last written down of each incident that is not settled."""

    def __init__(self) -> None:
        self._last: dict[int, str] = {}

    async def recall(self, database: Connection) -> None:
        """Learn what was written before a restart."""
        self._last = {row["incident_id"]: row["text"] for row in await database.fetch(sql.LAST_DECISIONS)}

    async def write(self, database: Connection, made: Plan, now_s: float) -> None:
        """Write down the decisions that changed, and what became of those who need not be told."""
        news: list[tuple[int, Step]] = []
        for number, decision in made.decisions.items():
            text = worded(decision)
            before = self._last.get(number)
            if text == before:
                continue
            held = decision.hold is not None or any(it.hold is not None for it in decision.destinations.values())
            was_held = before is not None and "held" in before
            news.append((number, Step(now_s, "held" if held else "released" if was_held else "routed", text)))
            self._last[number] = text
        for number, channel, why in made.settled:
            news.append((number, Step(now_s, "dropped", f"{channel} is not told that it is over: {why}", channel)))
        await save(database, news)

    async def sent(self, database: Connection, draft: Draft, outcome: Outcome, at_s: float) -> None:
        """Write down what came of a message, for each incident in it."""
        kind = "sent" if outcome.verdict == "sent" else "failed"
        news = []
        for item in draft.items:
            text = f"{item.kind} to {draft.channel} ({draft.form}, {len(draft.items)} in it): {outcome.answer}"
            news.append((item.incident.id, Step(at_s, kind, text[:TEXT_CHARACTERS], draft.channel)))
        await save(database, news)

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._last.pop(number, None)


def worded(decision: Decision) -> str:
    """A decision in one line."""
    parts = list(decision.steps)
    if decision.destinations:
        parts.append("tells " + ", ".join(sorted(decision.destinations)))
    return "; ".join(parts)[: 4 * TEXT_CHARACTERS] or "nobody has to be told"


async def save(database: Connection, news: list[tuple[int, Step]]) -> None:
    """Add `news` to the incidents that are still there."""
    if news:
        await database.execute(
            sql.ADD_STEPS,
            [number for number, _ in news],
            [step.at for _, step in news],
            [step.kind for _, step in news],
            [msgspec.json.encode(step).decode() for _, step in news],
        )
