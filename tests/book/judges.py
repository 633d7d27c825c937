"""The judging half of a timeline: samples of made-up hosts through the real machine, and incidents out of it.

Time is the timeline's own, in seconds that only go on. The clocks of the server and of each host may be off from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, field

from schemas.codec import Sample, build_batch, times_ms
from schemas.messages import AlertTransition, Batch, Lane
from schemas.rulechecks import measured
from schemas.rules import Rule
from schemas.virtual import CHANNEL_HELD, HOST_CLOCK, HOST_UPTIME, MONITORING_BLIND
from services.alerts.judge.axis import Axis, Judged
from services.alerts.judge.evaluate import Key, Looking, evaluate, feed
from services.alerts.judge.hostdown import Hearing, Probe, judge_hosts
from services.alerts.judge.incidents import IncidentRow, needed
from services.alerts.judge.incidents import advance as incidents_after
from services.alerts.judge.late import QUIET_S, ends_of
from services.alerts.judge.machine import State
from services.alerts.judge.memory import Memory, Part, RulesInForce, adopt_rules, orphans, remember
from services.alerts.judge.own import HEARD_WITHIN_S, evaluate_own
from services.alerts.judge.refill import join
from services.alerts.judge.ruleset import RuleSet

KEPT_BATCHES = 400
"""Of each host, in what stands for the stream: windows are filled from it after a restart."""


class Arrived(Struct):
    """A batch in the stream."""

    batch: Batch
    at_s: float


class Judges(Struct):
    """Everything that judges, as one process has it."""

    rules: RulesInForce
    hosts: Memory = field(default_factory=lambda: Memory(Part(), {}, {}))
    late: Memory = field(default_factory=lambda: Memory(Part(past=True), {}, {}))
    own: Memory = field(default_factory=lambda: Memory(Part(about_sonde=True), {}, {}))
    axis: Axis = field(default_factory=Axis)
    late_axis: Axis = field(default_factory=Axis)
    hearing: Hearing = field(default_factory=lambda: Hearing({}))
    heard_late_s: dict[str, float] = field(default_factory=dict)
    ahead_s: float = 0
    """How far the timeline's clock is ahead of the server's."""
    started_s: float = 0
    stream: dict[str, list[Arrived]] = field(default_factory=dict)
    """By host: what was judged lately."""
    rows: list[IncidentRow] = field(default_factory=list)
    """Incidents that changed and were not taken yet."""
    past_rows: list[IncidentRow] = field(default_factory=list)
    next_incident: int = 1
    seq: int = 0

    def take(self, arrived: Arrived) -> None:
        """Judge a batch of the present."""
        batch = arrived.batch
        self.seq += 1
        stream = self.stream.setdefault(batch.host, [])
        stream.append(arrived)
        del stream[:-KEPT_BATCHES]
        judged = self.axis.judge(batch.host, times_ms(batch.times), self._server_ms(arrived.at_s))
        self.hearing.hear(batch.host, arrived.at_s, judged.times)
        self._evaluate(self.hosts, batch, judged, self._known(batch, judged))

    def take_late(self, arrived: Arrived) -> None:
        """Judge a batch that comes late."""
        batch = arrived.batch
        self.heard_late_s[batch.host] = arrived.at_s
        judged = self.late_axis.judge(batch.host, times_ms(batch.times), self._server_ms(arrived.at_s))
        self._evaluate(self.late, batch, judged, {})

    def _known(self, batch: Batch, judged: Judged) -> Mapping[str, float]:
        known = {HOST_CLOCK: max(0.0, judged.ahead_ms / 1000)}
        booted_s = self.hosts.booted_s.get(batch.host)
        if booted_s:
            known[HOST_UPTIME] = max(0.0, (judged.times[-1] - judged.shift_ms) / 1000 - booted_s)
        return known

    def _evaluate(self, memory: Memory, batch: Batch, judged: Judged, known: Mapping[str, float]) -> None:
        looking = memory.looking.setdefault(batch.host, Looking())
        states = memory.states.get(batch.host, {})
        outcome = evaluate(self.rules.set.of(batch.host), batch, judged, states, looking, known)
        self._advance(memory, {batch.host: outcome.changed}, outcome.transitions)

    def listen(self, at_s: float, bus: bool, held_s: Mapping[str, float]) -> None:
        """Judge silence, what came late, and Sonde itself, as is done again and again."""
        reached_s = self.hearing.reached(self.seq, at_s)
        if reached_s is not None and self.rules.set.down:
            changed, transitions = judge_hosts(
                self.rules.set, self.hearing, self.hosts.states, reached_s, round(at_s * 1000), self._server_ms(at_s)
            )
            self._advance(self.hosts, changed, transitions)
        if bus and self.hearing.probe is None:
            self.hearing.probe = Probe(self.seq, at_s, False)
        over = [host for host, heard_s in self.heard_late_s.items() if at_s - heard_s > QUIET_S]
        ends = ends_of(self.late, over)
        self._advance(self.late, ends.changed, ends.transitions)
        for host in over:
            del self.heard_late_s[host]
            self.late.looking.pop(host, None)
            self.late_axis.forget(host)
        unheard_s = at_s - (self.started_s if self.hearing.reached_s is None else self.hearing.reached_s)
        values: dict[str, dict[str, float | None]] = {
            MONITORING_BLIND: {"": unheard_s if unheard_s > HEARD_WITHIN_S else 0.0},
            CHANNEL_HELD: dict(held_s),
        }
        checks = [check for check in self.rules.set.about_sonde if check.rule.metric in values]
        found = evaluate_own(checks, values, self.own.states.get("", {}), round(at_s * 1000), self._server_ms(at_s))
        self._advance(self.own, found.changed, found.transitions)

    def set_rules(self, rules: Iterable[Rule], at_s: float) -> None:
        """From now on other rules are in force."""
        self.rules = RulesInForce(RuleSet(rules), {}, frozenset())
        self.set_tags(self.hosts.tags, at_s)

    def set_tags(self, tags: Mapping[str, frozenset[str]], at_s: float) -> None:
        """From now on hosts have these tags."""
        self.hosts.tags = self.late.tags = dict(tags)
        self.rules.set.set_tags(tags)
        for memory in (self.hosts, self.late, self.own):
            ends = orphans(memory, self.rules, self._server_ms(at_s))
            self._advance(memory, ends.changed, ends.transitions)
            adopt_rules(memory, self.rules)

    def remove(self, host: str, at_s: float) -> None:
        """Somebody removes a host: its alerts end as gone, and the session begins anew without it."""
        self._remove_from(self.hosts, host, at_s)
        self._remove_from(self.late, host, at_s)
        self.hearing.keep({name: at_s for name, at_s in self.hearing.heard_s.items() if name != host})
        self.heard_late_s.pop(host, None)
        self.stream.pop(host, None)
        self.axis.forget(host)

    def _remove_from(self, memory: Memory, host: str, at_s: float) -> None:
        memory.states.pop(host, None)
        memory.looking.pop(host, None)
        for key in [key for key in memory.open if key[0] == host]:
            before = memory.open.pop(key)
            at = self._server_ms(at_s) / 1000
            facts = msgspec.structs.replace(before.facts, ending="gone", value=None, changed=at)
            row = IncidentRow(before.id, host, key[1], key[2], before.opened_s, at, 0, facts)
            (self.past_rows if memory.part.past else self.rows).append(row)

    def _advance(
        self,
        memory: Memory,
        changed: dict[str, dict[Key, State | None]],
        transitions: list[AlertTransition],
    ) -> None:
        """What one transaction makes true."""
        remember(memory, changed)
        if not transitions:
            return
        wanted = needed(transitions, memory.open)
        numbers = range(self.next_incident, self.next_incident + wanted)
        self.next_incident += wanted
        tags = {host: sorted(found) for host, found in self.hosts.tags.items()}
        rows, opened = incidents_after(transitions, memory.open, numbers, self.rules.set.rules, tags)
        (self.past_rows if memory.part.past else self.rows).extend(rows)
        for key, incident in opened.items():
            if incident is None:
                memory.open.pop(key, None)
            else:
                memory.open[key] = incident

    def restarted(self, at_s: float) -> Judges:
        """A process that begins now, with what the tables and the stream keep."""
        begun = Judges(
            self.rules,
            _kept(self.hosts),
            _kept(self.late),
            _kept(self.own),
            ahead_s=self.ahead_s,
            started_s=at_s,
            stream=self.stream,
            next_incident=self.next_incident,
            seq=self.seq,
        )
        newest = {host: max(state.last_ms for state in states.values()) for host, states in begun.hosts.states.items()}
        begun.axis = Axis({host: last_ms for host, last_ms in newest.items() if host})
        begun.hearing.heard_s = dict(self.hearing.heard_s)
        begun.hearing.agreed_s = self.hearing.agreed_s
        begun.hearing.since_s = math.inf
        past = Axis()
        for host, stream in self.stream.items():
            looking = begun.hosts.earlier.setdefault(host, Looking())
            for arrived in stream:
                times = past.judge(host, times_ms(arrived.batch.times), self._server_ms(arrived.at_s)).times
                feed(begun.rules.set.of(host), arrived.batch, times, looking)
        join(begun.hosts, begun.axis, past)
        begun.set_tags(begun.hosts.tags, at_s)
        return begun

    def lose_bus(self) -> None:
        """The connection is gone: from now on silence proves nothing."""
        self.hearing.probe = None
        self.hearing.since_s = math.inf

    def _server_ms(self, at_s: float) -> int:
        return round((at_s - self.ahead_s) * 1000)


def _kept(memory: Memory) -> Memory:
    """`memory` as it is read back."""
    states = {
        host: {key: msgspec.json.decode(msgspec.json.encode(state), type=State) for key, state in mine.items()}
        for host, mine in memory.states.items()
    }
    return Memory(
        memory.part, states, dict(memory.subjects), dict(memory.open), tags=memory.tags, booted_s=memory.booted_s
    )


Sampled = Mapping[tuple[str, str], float | None]
"""By metric and instance, in the metric's unit."""


def batch_of(host: str, seq: int, samples: Sequence[tuple[float, Sampled]], lane: Lane) -> Batch:
    """A batch of samples: times by the host's clock, and what was measured."""
    made = []
    for at_s, values in samples:
        families: dict[str, dict[str, dict[str, int | None]]] = {}
        for (path, instance), value in values.items():
            about = measured(path)
            assert about.family is not None
            assert about.metric is not None
            count = None if value is None else round(value / about.metric.resolution)
            families.setdefault(about.family.name, {}).setdefault(instance, {})[about.metric.name] = count
        made.append(Sample(round(at_s * 1000), families))
    return build_batch(host, "book", lane, seq, made)
