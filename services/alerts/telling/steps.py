"""Why somebody was told, or was not: each incident's decisions, kept whenever they change."""

from __future__ import annotations

from typing import Literal

import msgspec

from infra.storage.database import Connection
from schemas.incidents import Step
from services.alerts.notice import Outcome
from services.alerts.notify.world import Decision, Draft, Plan
from services.alerts.telling import sql

TEXT_CHARACTERS = 500

StepKind = Literal["held", "released", "routed"]
News = list[tuple[int, Step]]
"""Steps, each with its incident."""


class Steps:
    """What was last written down of each incident that is not settled."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[StepKind, str]] = {}
        self._held: set[int] = set()
        """Incidents of which people had to be kept from hearing, if only for a time."""

    async def recall(self, database: Connection) -> None:
        """Learn what was written before a restart."""
        rows = await database.fetch(sql.LAST_DECISIONS)
        self._last = {row["incident_id"]: (row["kind"], row["text"]) for row in rows}
        self._held = {number for number, (kind, _) in self._last.items() if kind != "routed"}

    def news(self, made: Plan, unix_s: float) -> News:
        """The decisions that changed, and what became of those who need not be told."""
        news: News = []
        for number, decision in made.decisions.items():
            text = worded(decision)
            before, said = self._last.get(number, ("routed", ""))
            if text == said:
                continue
            kind: StepKind = "held" if is_held(decision) else "routed" if before == "routed" else "released"
            if kind == "held":
                self._held.add(number)
            self._last[number] = kind, text
            news.append((number, Step(unix_s, kind, text)))
        for number, channel, why in made.settled:
            news.append((number, Step(unix_s, "dropped", f"{channel} is not told that it is over: {why}", channel)))
        return news

    async def write(self, database: Connection, news: News) -> None:
        """Add `news` to the incidents that are still there."""
        if news:
            await database.execute(
                sql.ADD_STEPS,
                [number for number, _ in news],
                [step.at for _, step in news],
                [step.kind for _, step in news],
                [msgspec.json.encode(step).decode() for _, step in news],
            )

    async def write_sent(self, database: Connection, draft: Draft, outcome: Outcome, unix_s: float) -> None:
        """Write down what came of a message, for each incident in it."""
        kind: Literal["sent", "failed"] = "sent" if outcome.verdict == "sent" else "failed"
        news: News = []
        for item in draft.items:
            text = f"{item.kind} to {draft.channel} ({draft.form}, {len(draft.items)} in it): {outcome.answer}"
            step = Step(unix_s, kind, text[:TEXT_CHARACTERS], draft.channel)
            news.append((item.incident.id, step))
        await self.write(database, news)

    def delay_s(self, draft: Draft, unix_s: float) -> float | None:
        """From the newest change that `draft` tells of to `unix_s`; None where it says what had to wait, or repeats."""
        changed_s = [
            item.incident.facts.changed
            for item in draft.items
            if item.kind not in ("repeat", "past") and item.incident.id not in self._held
        ]
        return round(max(0.0, unix_s - max(changed_s)), 3) if changed_s else None

    def forget(self, number: int) -> None:
        self._last.pop(number, None)
        self._held.discard(number)


def is_held(decision: Decision) -> bool:
    """Whether anything keeps somebody from being told."""
    return decision.hold is not None or any(
        it.hold is not None and it.hold.reason != "waiting" for it in decision.destinations.values()
    )


def worded(decision: Decision) -> str:
    """A decision in one line."""
    parts = list(decision.steps)
    if decision.destinations:
        parts.append("tells " + ", ".join(sorted(decision.destinations)))
    return "; ".join(parts)[: 4 * TEXT_CHARACTERS] or "nobody has to be told"
