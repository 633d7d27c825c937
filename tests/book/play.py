"""Plays a timeline: hosts send, people act, channels answer; what was told comes out as lines. Time is made up."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from schemas.incidents import Acknowledged
from schemas.messages import Batch
from schemas.routes import Route, Silence
from schemas.rules import Rule
from services.alerts.judge.incidents import IncidentRow
from services.alerts.judge.memory import RulesInForce
from services.alerts.judge.ruleset import RuleSet
from services.alerts.notice import Notice, Outcome, Said
from services.alerts.notify.news import Memo
from services.alerts.notify.outcomes import note_answer, note_sending, note_settled
from services.alerts.notify.plan import plan
from services.alerts.notify.world import Channel, Draft, Incident, World
from services.alerts.telling.load import About, Tables
from services.alerts.telling.notices import notice_of
from tests.alerts.notify.stage import after_restart
from tests.book.judges import Arrived, Judges, Sampled, batch_of

LISTEN_S = 5.0
"""Between two looks at who is silent."""
FLEET_LISTEN_S = 10.0
"""The same for thousands of hosts, as the tests have no hour for it."""
FLEET_HOSTS = 1000
ANSWER_S = 0.1
PACE_S = 1.0
SAMPLE_S = 10.0
BASELINE: Mapping[tuple[str, str], float | None] = {("memory.total", ""): 2.0**34}
"""What a host samples whatever happens."""


class Signal(Struct):
    """Values of one metric over some time; after it the metric is not sampled."""

    metric: str
    instance: str
    first: float | None
    last: float | None
    from_s: float
    until_s: float

    def at(self, at_s: float) -> float | None:
        if self.first is None or self.last is None or self.until_s == self.from_s:
            return self.first
        return self.first + (self.last - self.first) * (at_s - self.from_s) / (self.until_s - self.from_s)


class Host(Struct):
    """A machine that sends batches."""

    name: str
    interval_s: float = 10.0
    sends: bool = False
    signals: list[Signal] = field(default_factory=list)
    clock_s: float = 0
    """How far its clock is ahead of the timeline's."""
    seq: int = 0
    sampled_s: float = 0
    """Until when its samples are sent."""


class Stage:
    """Everything in a timeline."""

    def __init__(self, rules: list[Rule], routes: list[Route], channels: list[Channel], start_s: float) -> None:
        self.now_s = start_s
        self.rules = {rule.id: rule for rule in rules}
        self.judges = Judges(RulesInForce(RuleSet(rules), {}, frozenset()), started_s=start_s)
        self.world = World()
        self.about: dict[int, About] = {}
        self.memo = Memo()
        self.hosts: dict[str, Host] = {}
        self.lines: list[tuple[float, str]] = []
        """When, and channel with words."""
        self.running = True
        self.bus = True
        self.backlog: list[Arrived] = []
        self.answers: dict[str, str] = {}
        """By channel: works, refuses, fails, or how long it asks to wait."""
        self.held_since_s: dict[str, float] = {}
        self._under_way: dict[str, tuple[float, Draft]] = {}
        self._sends: list[tuple[float, str]] = []
        self._tick_s = start_s
        self._numbers = 0
        self._alike: tuple[list[tuple[float, Sampled]], Batch] | None = None
        self.judges.set_rules(rules, start_s)
        for route in routes:
            self.set_route(route)
        for channel in channels:
            self.world.channels[channel.id] = channel

    # What people and machines do.

    def set_route(self, route: Route) -> None:
        others = [it for it in self.world.routes if it.id != route.id]
        self.world.routes = sorted([*others, route], key=lambda it: (it.position, it.id))

    def set_rule(self, rule: Rule | None, name: str = "") -> None:
        if rule is None:
            del self.rules[name]
        else:
            self.rules[rule.id] = rule
        self.judges.set_rules(self.rules.values(), self.now_s)

    def silence(self, number: int, silence: Silence) -> None:
        self.world.silences[number] = silence

    def acknowledge(self, by: str, host: str, rule: str, for_s: float | None) -> None:
        until = None if for_s is None else self.now_s - self.world.ahead_s + for_s
        for number, incident in self.world.incidents.items():
            if (incident.host, incident.rule) == (host, rule) and incident.level:
                seen = Acknowledged(by, self.now_s, incident.level, until)
                self.world.incidents[number] = msgspec.structs.replace(incident, acknowledged=seen)

    def mend(self, name: str) -> None:
        self.answers.pop(name, None)
        channel = self.world.channels[name]
        self.world.channels[name] = msgspec.structs.replace(channel, held="", next_s=0, failures=0)
        self.held_since_s.pop(name, None)

    def host(self, name: str) -> Host:
        if name not in self.hosts:
            self.hosts[name] = Host(name)
        return self.hosts[name]

    def start_sending(self, name: str) -> Host:
        host = self.host(name)
        if not host.sends:
            host.sends = True
            host.sampled_s = self.now_s - SAMPLE_S
            heapq.heappush(self._sends, (self.now_s, name))
        return host

    def send_late(self, name: str, signal: Signal) -> None:
        host = self.host(name)
        host.seq += 1
        times = _times(signal.from_s, signal.until_s)
        values = [(at_s, {(signal.metric, signal.instance): signal.at(at_s)}) for at_s in times]
        self.judges.take_late(Arrived(batch_of(name, host.seq, values, "backfill"), self.now_s))

    def remove_host(self, name: str) -> None:
        self.hosts.pop(name, None)
        self.backlog = [it for it in self.backlog if it.batch.host != name]
        self.judges.remove(name, self.now_s)

    def stop(self) -> None:
        """Alerting ends: what is under way stays without an answer that anybody saw."""
        self.running = False
        for _, draft in self._under_way.values():
            self._answer(draft)
        self._under_way.clear()

    def start(self) -> None:
        self.running = True
        self.judges = self.judges.restarted(self.now_s)
        self.world = after_restart(self.world)
        self.memo = Memo()
        backlog, self.backlog = self.backlog, []
        for arrived in backlog:
            self.judges.take(arrived)

    def set_server_clock(self, back_s: float) -> None:
        self.world.ahead_s += back_s
        self.judges.ahead_s += back_s

    # How time passes.

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while True:
            wake_s = self._look() if self.running else None
            coming = [self._tick_s, *(at_s for at_s, _ in self._under_way.values())]
            if self._sends:
                coming.append(self._sends[0][0])
            if wake_s is not None:
                coming.append(wake_s)
            next_s = min(coming)
            if next_s >= until_s:
                self.now_s = until_s
                return
            self.now_s = max(self.now_s, next_s)
            self._send_due()
            if self.now_s >= self._tick_s:
                self._tick_s += LISTEN_S if len(self.hosts) < FLEET_HOSTS else FLEET_LISTEN_S
                if self.running:
                    held = {name: self.now_s - self.held_since_s.get(name, self.now_s) for name in self.world.channels}
                    self.judges.listen(self.now_s, self.bus, held)
            for name, (at_s, draft) in list(self._under_way.items()):
                if at_s <= self.now_s:
                    del self._under_way[name]
                    self._answer(draft)

    def _send_due(self) -> None:
        while self._sends and self._sends[0][0] <= self.now_s:
            _, name = heapq.heappop(self._sends)
            host = self.hosts.get(name)
            if host is None or not host.sends:
                continue
            heapq.heappush(self._sends, (self.now_s + host.interval_s, name))
            samples = self._samples(host)
            host.signals = [it for it in host.signals if it.until_s > self.now_s]
            if not samples or not self.bus:
                continue  # without the bus the agent keeps them; the timelines say themselves what comes late
            host.sampled_s = self.now_s
            host.seq += 1
            arrived = Arrived(self._batch(host, samples), self.now_s)
            if self.running:
                self.judges.take(arrived)
            else:
                self.backlog.append(arrived)

    def _samples(self, host: Host) -> list[tuple[float, Sampled]]:
        samples: list[tuple[float, Sampled]] = []
        for at_s in _times(host.sampled_s + SAMPLE_S, self.now_s):
            on = {(it.metric, it.instance): it.at(at_s) for it in host.signals if it.from_s <= at_s < it.until_s}
            samples.append((at_s + host.clock_s, {**BASELINE, **on}))
        return samples

    def _batch(self, host: Host, samples: list[tuple[float, Sampled]]) -> Batch:
        """A batch of `host`; thousands that have measured the same are built once."""
        if self._alike is None or self._alike[0] != samples:
            self._alike = samples, batch_of(host.name, host.seq, samples, "metrics")
        return msgspec.structs.replace(self._alike[1], host=host.name, seq=host.seq)

    def _look(self) -> float | None:
        self._take_incidents()
        made = plan(self.world, self.now_s, self.memo)
        note_settled(self.world, made)
        for draft in made.drafts:
            self._numbers += 1
            note_sending(self.world, draft)
            self._under_way[draft.channel] = (self.now_s + ANSWER_S, draft)
            tables = Tables(self.world, self.about)
            self._say(notice_of(self._numbers, draft, tables, len(self.hosts), "", self.now_s), draft.channel)
        return made.wake_s

    def _take_incidents(self) -> None:
        for past, rows in ((False, self.judges.rows), (True, self.judges.past_rows)):
            for row in rows:
                self._take_incident(row, past)
            rows.clear()

    def _take_incident(self, row: IncidentRow, past: bool) -> None:
        before = self.world.incidents.get(row.id)
        if before is None and not row.level and row.id in self.about:
            return  # nobody has to hear of it any more
        self.about[row.id] = About("", row.host, row.opened_s, row.closed_s)
        tags = self.judges.hosts.tags.get(row.host, frozenset())
        seen = before.acknowledged if before is not None else None
        self.world.incidents[row.id] = Incident(
            row.id, row.rule, row.host, row.instance, row.level, self.now_s, row.facts, tags, past, seen
        )

    def _answer(self, draft: Draft) -> None:
        how = self.answers.get(draft.channel, "works")
        match how.split(" "):
            case ["works"]:
                outcome = Outcome("sent", "ok")
            case ["refuses"]:
                outcome = Outcome("dead", "no_service")
            case ["fails"]:
                outcome = Outcome("again", "500")
            case _:
                outcome = Outcome("again", "429", float(how.split(" ")[1]))
                del self.answers[draft.channel]
        if outcome.verdict != "sent":
            self.lines.pop(self._line_of(draft))
        note_answer(self.world, draft, outcome, self.now_s, PACE_S, 0.5)
        channel = self.world.channels.get(draft.channel)
        if channel is not None and channel.held:
            self.held_since_s.setdefault(channel.id, self.now_s)
        else:
            self.held_since_s.pop(draft.channel, None)

    def _line_of(self, draft: Draft) -> int:
        return max(at for at, (_, line) in enumerate(self.lines) if line.startswith(f"{draft.channel}: "))

    def _say(self, notice: Notice, channel: str) -> None:
        self.lines.append((self.now_s, f"{channel}: {worded(notice)}"))


def _times(from_s: float, until_s: float) -> list[float]:
    count = int((until_s - from_s) / SAMPLE_S + 1e-6) + 1
    return [from_s + SAMPLE_S * number for number in range(count)]


FORMS = {"alert": "", "reminder": "", "storm": "[many] ", "digest": "[digest] ", "past": "[in the past] "}
MANY = 4
"""From so many incidents on that are alike they are counted."""


def worded(notice: Notice) -> str:
    """A notice as the book writes it."""
    alike: dict[tuple[str, str], list[Said]] = {}
    for said in notice.items:
        alike.setdefault((_verb(said), said.facts.rule_name), []).append(said)
    parts = []
    for (verb, rule), mine in alike.items():
        if len(mine) >= MANY:
            parts.append(f"{verb}: {rule} on {len({said.host for said in mine}):,} hosts")
        else:
            parts += [f"{verb}: {rule}{_where(said)}" for said in mine]
    return FORMS[notice.form] + "; ".join(parts)


def _verb(said: Said) -> str:
    match said.kind:
        case "fire":
            return said.facts.severity
        case "escalate":
            return "now critical"
        case "deescalate":
            return "now only warning"
        case "resolve":
            return "over"
        case "gone":
            return "gone"
        case "repeat":
            return f"still {said.facts.severity}"
        case "past":
            return f"was {said.facts.worst}"


def _where(said: Said) -> str:
    return " ".join(["", *([f"on {said.host}"] if said.host else []), *([said.instance] if said.instance else [])])
