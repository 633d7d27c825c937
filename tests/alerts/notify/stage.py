"""A world in virtual time: incidents come and go, and the planner's messages are sent and answered.

Every look is also made without what was remembered from the looks before, and must come to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from schemas.incidents import Acknowledged, Ending, Facts
from schemas.messages import Severity
from schemas.routes import Hours, Route, Silence, Span
from schemas.rules import Rule
from services.alerts.notice import Outcome
from services.alerts.notify.news import Memo
from services.alerts.notify.outcomes import note_answer, note_sending, note_settled, note_unanswered
from services.alerts.notify.plan import plan
from services.alerts.notify.world import Channel, Draft, Incident, Plan, Storm, Told, World
from tests.alerts.builders import BUSY

NOON_S = 1_790_000_000.0 - 1_790_000_000 % 86400 + 12 * 3600
"""Some noon in UTC, a Monday."""
ANSWER_S = 0.1
"""From a message to its answer."""
PACE_S = 1.0
SEVERITIES: tuple[Severity, Severity, Severity] = ("warning", "warning", "critical")
SENT = Outcome("sent", "ok")


class Message(Struct, frozen=True):
    """One that was sent."""

    second: float
    """After noon."""
    channel: str
    form: str
    said: tuple[str, ...]
    """Kind and host of each incident in it, in words; instances and other rules than `busy` named."""
    verdict: str = "sent"


class Stage:
    """The world and what was sent in it so far."""

    def __init__(self, *channels: str | Channel, routes: list[Route] | None = None) -> None:
        self.world = World()
        for channel in channels or ("slack",):
            made = Channel(channel) if isinstance(channel, str) else channel
            self.world.channels[made.id] = made
        self.world.routes = sorted(routes or [], key=lambda route: (route.position, route.id))
        self.now_s = NOON_S
        self.memo = Memo()
        self.sent: list[Message] = []
        self.answer: Callable[[Draft, float], Outcome] = lambda draft, now_s: SENT
        self.looks = 0
        self.last: Plan = Plan()
        self.decided: dict[int, str] = {}
        """Of each incident, the last decision in words."""
        self._next = 1
        self._answers: dict[str, tuple[float, Draft, Outcome]] = {}

    def fire(self, host: str = "web-1", level: int = 1, rule: Rule = BUSY, instance: str = "", **changes: Any) -> int:
        """An alert fires now; the number of its incident."""
        number, self._next = self._next, self._next + 1
        since_s = self.now_s - self.world.ahead_s
        severity = SEVERITIES[level]
        facts = Facts(rule.name, rule.metric, "%", severity, severity, 95.0, 90.0, since_s, since_s, rule=rule)
        self.world.incidents[number] = Incident(number, rule.id, host, instance, level, self.now_s, facts, **changes)
        return number

    def become(self, number: int, level: int, ending: Ending = "resolve") -> None:
        """An incident rises, falls or ends now. One that nobody needs to hear of is not there any more."""
        before = self.world.incidents.get(number)
        if before is None:
            return
        facts = msgspec.structs.replace(
            before.facts,
            severity=SEVERITIES[level] if level else before.facts.severity,
            changed=self.now_s - self.world.ahead_s,
            ending=None if level else ending,
        )
        self.change(number, level=level, noticed_s=self.now_s, facts=facts)

    def end(self, *numbers: int, ending: Ending = "resolve") -> None:
        for number in numbers:
            self.become(number, 0, ending)

    def change(self, number: int, **changes: Any) -> None:
        self.world.incidents[number] = msgspec.structs.replace(self.world.incidents[number], **changes)

    def acknowledge(self, number: int, level: int = 2, for_s: float | None = None) -> None:
        until = None if for_s is None else self.now_s + for_s
        self.change(number, acknowledged=Acknowledged("ann", self.now_s, level, until))

    def silence(self, silence: Silence) -> int:
        number, self._next = self._next, self._next + 1
        self.world.silences[number] = silence
        return number

    def hold(self, channel: str, why: str = "no_service") -> None:
        """Somebody has closed a channel."""
        self.channel(channel, held=why, next_s=self.now_s + 900)

    def mend(self, channel: str) -> None:
        self.channel(channel, held="", next_s=0, failures=0)

    def channel(self, name: str, **changes: Any) -> None:
        self.world.channels[name] = msgspec.structs.replace(self.world.channels[name], **changes)

    def run(self, seconds: float) -> list[Message]:
        """Let so much time pass; what was sent meanwhile."""
        until_s = self.now_s + seconds
        before = len(self.sent)
        while True:
            wake_s = self._look()
            coming = [at_s for at_s, _, _ in self._answers.values()]
            if wake_s is not None:
                coming.append(wake_s)
            next_s = min(coming, default=until_s)
            if next_s > until_s:
                break
            self.now_s = next_s
            if next_s == until_s and not any(at_s <= next_s for at_s, _, _ in self._answers.values()):
                self._look()
                break
        self.now_s = until_s
        return self.sent[before:]

    def _look(self) -> float | None:
        self.looks += 1
        assert self.looks < 100_000, "the planner wakes again and again for nothing"
        for name, (at_s, draft, outcome) in list(self._answers.items()):
            if at_s <= self.now_s:
                del self._answers[name]
                note_answer(self.world, draft, outcome, at_s, PACE_S, 0.5)
        self.last = made = plan(self.world, self.now_s, self.memo)
        fresh = plan(self.world, self.now_s)
        same = (made.drafts, made.settled, made.over, made.wake_s)
        assert same == (fresh.drafts, fresh.settled, fresh.over, fresh.wake_s)
        for number, decision in made.decisions.items():
            self.decided[number] = "; ".join(decision.steps)
        note_settled(self.world, made)
        for draft in made.drafts:
            assert draft.channel not in self._answers, "two messages on one channel at once"
            note_sending(self.world, draft)
            outcome = self.answer(draft, self.now_s)
            self._answers[draft.channel] = (self.now_s + ANSWER_S, draft, outcome)
            self.sent.append(
                Message(
                    round(self.now_s - NOON_S, 3),
                    draft.channel,
                    draft.form,
                    tuple(_worded(item.kind, item.incident) for item in draft.items),
                    outcome.verdict,
                )
            )
        if made.wake_s is not None:
            assert made.wake_s > self.now_s
        return made.wake_s

    def restart(self) -> None:
        """Begin anew with what the tables keep. Messages under way stay without an answer."""
        for _, draft, _ in self._answers.values():
            note_unanswered(self.world, draft, self.now_s)
        self._answers.clear()
        self.world = after_restart(self.world)
        self.memo = Memo()


def after_restart(world: World) -> World:
    """What the tables keep of `world`."""
    return World(
        incidents=dict(world.incidents),
        told=_kept(world.told, dict[int, dict[str, Told]]),
        routes=world.routes,
        silences=world.silences,
        muted_until=world.muted_until,
        channels=_kept(world.channels, dict[str, Channel]),
        storms={key: _kept(storm, Storm) for key, storm in world.storms.items()},
        sent_s={key: list(times) for key, times in world.sent_s.items()},
        ahead_s=world.ahead_s,
    )


def _kept(value: Any, type: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=type)


def _worded(kind: str, incident: Incident) -> str:
    rule = "" if incident.rule == BUSY.id else f" {incident.rule}"
    return f"{kind} {incident.host}{rule}{' ' + incident.instance if incident.instance else ''}"


def told(messages: list[Message]) -> list[tuple[float, str, str]]:
    """Second, channel and what was said, in one line each."""
    return [(it.second, it.channel, ", ".join(it.said)) for it in messages]


def nights(zone: str = "UTC", critical_passes: bool = False) -> Hours:
    """Quiet hours from ten in the evening to seven in the morning, each night."""
    days: list[Any] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return Hours([Span(days, "22:00", "07:00")], "quiet", zone, critical_passes)
