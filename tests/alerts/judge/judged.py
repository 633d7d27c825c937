"""Batches of one host held against rules, as the judging loop does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from schemas.codec import Sample, times_ms
from schemas.messages import AlertTransition, Batch
from schemas.rules import Rule
from services.alerts.judge.axis import Axis
from services.alerts.judge.evaluate import Key, Looking, Outcome, evaluate
from services.alerts.judge.machine import State
from services.alerts.judge.ruleset import RuleSet
from tests.alerts.builders import NOON_MS
from tests.batches import batch, instances, sample


class Judge(Struct):
    """What is remembered of a host from batch to batch."""

    rules: RuleSet
    states: dict[Key, State] = field(default_factory=dict)
    looking: Looking = field(default_factory=Looking)
    axis: Axis = field(default_factory=Axis)
    transitions: list[AlertTransition] = field(default_factory=list)

    def take(self, one: Batch, arrived_ms: int | None = None, known: Mapping[str, float] | None = None) -> Outcome:
        """Judge a batch; without `arrived_ms` it arrives as its last sample is taken."""
        times = times_ms(one.times)
        judged = self.axis.judge(one.host, times, times[-1] if arrived_ms is None else arrived_ms)
        outcome = evaluate(self.rules.of(one.host), one, judged, self.states, self.looking, known)
        for key, state in outcome.changed.items():
            if state is None:
                self.states.pop(key, None)
            else:
                self.states[key] = state
        self.transitions += outcome.transitions
        return outcome

    def restarted(self) -> Judge:
        """As a restart finds it: with the states, and without what filled from the stream."""
        newest = max((state.last_ms for state in self.states.values()), default=0)
        return Judge(self.rules, dict(self.states), Looking(), Axis({"web-1": newest}))


def judge_of(*rules: Rule, tags: Iterable[str] = ()) -> Judge:
    made = RuleSet(rules)
    made.set_tags({"web-1": frozenset(tags)})
    return Judge(made)


def judge(rules: Iterable[Rule], *batches: Batch) -> tuple[dict[Key, State], list[AlertTransition]]:
    """States and transitions after `batches` of one host."""
    judging = judge_of(*rules)
    for one in batches:
        judging.take(one)
    return judging.states, judging.transitions


def cpu(values: Iterable[int | None], start_ms: int = NOON_MS, host: str = "web-1") -> Batch:
    """A batch of cpu.total counts, one a second."""
    samples = [sample(start_ms + 1000 * second, total=value) for second, value in enumerate(values)]
    return batch(*samples, host=host)


def mounts(at_s: float, **percent: int | None) -> Batch:
    """A batch with one sample of used space per mount, named without its slash."""
    rows = {f"/{name}": {"used_percent": None if value is None else value * 100} for name, value in percent.items()}
    return batch(instances(NOON_MS + round(1000 * at_s), "filesystem", rows))


def gpus(at_s: float, **temperature: int | None) -> Batch:
    """A batch with one sample of °C per GPU, and one of the processor."""
    rows = {name: {"temperature": None if value is None else value * 10} for name, value in temperature.items()}
    at = instances(NOON_MS + round(1000 * at_s), "gpu", rows)
    return batch(Sample(at.time_ms, {**at.families, "cpu": {"": {"total": 1000}}}))


def kinds(transitions: Iterable[AlertTransition]) -> list[tuple[str, str]]:
    return [(transition.kind, transition.instance) for transition in transitions]


def timeline(transitions: Iterable[AlertTransition]) -> list[tuple[float, str]]:
    """Second after noon, and kind."""
    return [(round(transition.time - NOON_MS / 1000, 3), transition.kind) for transition in transitions]
