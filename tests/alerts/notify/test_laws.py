"""Laws of telling people, over worlds in which everything changes at any time, with and without restarts.

Two worlds live through the same. In one of them the process begins anew now and then, when no message is under way:
what is told must not differ. A restart during a message happens to both.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.matching import Matcher
from schemas.routes import Escalation, Hours, Route, Silence, Span
from schemas.rules import default_rules
from services.alerts.notice import Outcome
from services.alerts.notify.news import Memo
from services.alerts.notify.plan import plan
from services.alerts.notify.world import Channel, Draft, Incident
from tests.alerts.builders import BUSY
from tests.alerts.builders import rule as built
from tests.alerts.notify.stage import NOON_S, SENT, Stage

MEMORY = built(id="memory", metric="memory.used_percent")
DOWN = next(it for it in default_rules() if it.id == "host-down")
BLIND = next(it for it in default_rules() if it.id == "blind")
HOSTS = ["web-1", "web-2", "db-1"]
CHANNELS = {"slack": "mail", "mail": "fax", "fax": ""}
"""With their fallbacks."""
EVENING = Hours([Span(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "22:00", "22:30")], "quiet")
ROUTES: list[list[Route]] = [
    [],
    [Route("all", "All", ["slack"])],
    [Route("all", "All", ["slack", "mail"], group_by="all", group_interval_s=5)],
    [Route("db", "Databases", ["mail"], 1, Matcher(hosts=["db-*"]), further=True), Route("all", "All", ["slack"])],
    [Route("all", "All", ["slack"], hours=EVENING, repeat_s=300)],
    [Route("all", "All", ["slack"], escalation=Escalation(60, ["mail"]), repeat_s=120)],
    [Route("all", "All", ["slack"], storm_hosts=1, group_wait_s=3)],
    [Route("critical", "Critical", ["mail"], 1, Matcher(severity="critical")), Route("all", "All", ["slack"])],
    [Route("nobody", "Nobody", [], 1, Matcher(hosts=["web-1"]))],
]
ANSWERS: dict[str, Outcome] = {
    "works": SENT,
    "fails": Outcome("again", "500"),
    "loses answers": Outcome("again", "no whole answer came", perhaps=True),
    "asks for time": Outcome("again", "429", 7),
    "is dead": Outcome("dead", "no_service"),
}
Key = tuple[int, str]
"""Incident and channel."""


class Ledger:
    """What channels have been sent, as they know it, and the laws that hold for every message."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.level: dict[Key, int] = {}
        self.unsure: set[Key] = set()
        """Of these nobody on our side knows whether the channel has heard."""
        self.modes = dict.fromkeys(CHANNELS, "works")
        stage.answer = self.answer

    def answer(self, draft: Draft, now_s: float) -> Outcome:
        outcome = ANSWERS[self.modes.get(draft.channel, "works")]
        numbers = [item.incident.id for item in draft.items]
        assert len(set(numbers)) == len(numbers) > 0
        for item in draft.items:
            key = item.incident.id, draft.channel
            known = self.level.get(key, 0)
            if item.kind in ("resolve", "gone"):
                assert known or key in self.unsure, "an end is told of what was never told"
            if item.kind == "repeat":
                assert known == item.incident.level, "a reminder of what was not told"
            elif key not in self.unsure:
                assert known != item.incident.level or item.incident.past, "the same is told twice"
            if outcome.verdict == "sent":
                self.level[key] = item.incident.level
                self.unsure.discard(key)
            elif outcome.perhaps:
                self._doubt(draft.channel, item.incident)
        return outcome

    def lose_answers(self) -> None:
        """The process ends during whatever is under way."""
        for draft in self.stage.world.under_way.values():
            for item in draft.items:
                self._doubt(draft.channel, item.incident)

    def _doubt(self, channel: str, incident: Incident) -> None:
        """Note that `channel` may have heard of `incident`. What is told as of the past has no end to be told."""
        if not incident.past:
            self.unsure.add((incident.id, channel))


class Telling(RuleBasedStateMachine):
    """Everything that can happen, to two worlds alike."""

    @initialize()
    def begin(self) -> None:
        self.stages = [Stage(*(Channel(name, fallback=CHANNELS[name]) for name in CHANNELS)) for _ in range(2)]
        for stage in self.stages:
            stage.now_s = NOON_S + 9.9 * 3600
        self.ledgers = [Ledger(stage) for stage in self.stages]
        self.removed: set[str] = set()

    def both(self, act: Callable[[Stage], Any]) -> None:
        for stage in self.stages:
            act(stage)

    def some(self, seed: int, fits: Callable[[Incident], bool]) -> int | None:
        """One of the incidents that fit."""
        numbers = [number for number, incident in self.stages[0].world.incidents.items() if fits(incident)]
        return random.Random(seed).choice(numbers) if numbers else None

    @rule(host=st.sampled_from(HOSTS), level=st.integers(1, 2), of=st.sampled_from([BUSY, MEMORY]))
    def fires(self, host: str, level: int, of: Any) -> None:
        open_ones = {(it.host, it.rule) for it in self.stages[0].world.incidents.values() if it.level}
        if (host, of.id) not in open_ones:
            self.both(lambda stage: stage.fire(host, level, of))

    @rule(host=st.sampled_from(HOSTS))
    def goes_down(self, host: str) -> None:
        if self.some(0, lambda it: (it.host, it.rule) == (host, DOWN.id) and it.level > 0) is None:
            self.both(lambda stage: stage.fire(host, 2, DOWN))

    @rule()
    def goes_blind(self) -> None:
        if self.some(0, lambda it: it.rule == BLIND.id and it.level > 0) is None:
            self.both(lambda stage: stage.fire("", 2, BLIND))

    @rule(host=st.sampled_from(HOSTS))
    def was_in_the_past(self, host: str) -> None:
        self.both(lambda stage: stage.end(stage.fire(host, past=True)))

    @rule(seed=st.integers(0, 99))
    def rises_or_falls(self, seed: int) -> None:
        number = self.some(seed, lambda it: it.level > 0 and it.rule in (BUSY.id, MEMORY.id))
        if number is not None:
            level = 3 - self.stages[0].world.incidents[number].level
            self.both(lambda stage: stage.become(number, level))

    @rule(seed=st.integers(0, 99), ending=st.sampled_from(["resolve", "gone"]))
    def ends(self, seed: int, ending: Any) -> None:
        number = self.some(seed, lambda it: it.level > 0)
        if number is not None:
            self.both(lambda stage: stage.end(number, ending=ending))

    @rule(seed=st.integers(0, 99), for_s=st.sampled_from([None, 30.0, 600.0]))
    def is_acknowledged(self, seed: int, for_s: float | None) -> None:
        number = self.some(seed, lambda it: it.level > 0)
        if number is not None:
            self.both(lambda stage: stage.acknowledge(number, stage.world.incidents[number].level, for_s))

    @rule(host=st.sampled_from([*HOSTS, "*"]), after_s=st.sampled_from([0, 60]), for_s=st.sampled_from([20, 900]))
    def is_silenced(self, host: str, after_s: float, for_s: float) -> None:
        begins_s = self.stages[0].now_s - self.stages[0].world.ahead_s + after_s
        silence = Silence(Matcher(hosts=[host]), begins_s, begins_s + for_s)
        self.both(lambda stage: stage.silence(silence))

    @rule()
    def silences_are_ended(self) -> None:
        self.both(lambda stage: stage.world.silences.clear())

    @rule(host=st.sampled_from(HOSTS), for_s=st.sampled_from([0.0, 60.0, float("inf")]))
    def is_muted(self, host: str, for_s: float) -> None:
        until_s = self.stages[0].now_s - self.stages[0].world.ahead_s + for_s
        self.both(lambda stage: stage.world.muted_until.__setitem__(host, until_s))

    @rule(routes=st.sampled_from(ROUTES))
    def routes_are_others(self, routes: list[Route]) -> None:
        self.both(lambda stage: setattr(stage.world, "routes", routes))

    @rule(name=st.sampled_from(list(CHANNELS)), mode=st.sampled_from(list(ANSWERS)))
    def answers_differently(self, name: str, mode: str) -> None:
        for ledger in self.ledgers:
            ledger.modes[name] = mode

    @rule(name=st.sampled_from(list(CHANNELS)))
    def is_mended(self, name: str) -> None:
        for ledger in self.ledgers:
            ledger.modes[name] = "works"
            if name in ledger.stage.world.channels:
                ledger.stage.mend(name)

    @rule(name=st.sampled_from(["mail", "fax"]))
    def is_switched_off_or_on(self, name: str) -> None:
        self.removed.add(name)
        for stage in self.stages:
            if stage.world.channels.pop(name, None) is None:
                stage.world.channels[name] = Channel(name, fallback=CHANNELS[name])

    @rule(by_s=st.sampled_from([3600.0, -3600.0]))
    def clock_is_set(self, by_s: float) -> None:
        for stage in self.stages:
            stage.world.ahead_s = 0.0 if stage.world.ahead_s else by_s

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.35, 1.0]))
    def a_moment_passes(self, seconds: float) -> None:
        self.both(lambda stage: stage.run(seconds))

    @rule(seconds=st.sampled_from([5.0, 61.0]))
    def a_minute_passes(self, seconds: float) -> None:
        self.both(lambda stage: stage.run(seconds))

    @rule(seconds=st.sampled_from([300.0, 1200.0]))
    def time_passes(self, seconds: float) -> None:
        self.both(lambda stage: stage.run(seconds))

    @rule(host=st.sampled_from(HOSTS), level=st.integers(1, 2), seconds=st.sampled_from([0.3, 0.35, 0.5, 60.0]))
    def fires_and_time_passes(self, host: str, level: int, seconds: float) -> None:
        self.fires(host, level, BUSY)
        self.both(lambda stage: stage.run(seconds))

    @rule(seed=st.integers(0, 99), seconds=st.sampled_from([0.3, 0.35, 60.0]))
    def ends_and_time_passes(self, seed: int, seconds: float) -> None:
        self.ends(seed, "resolve")
        self.both(lambda stage: stage.run(seconds))

    @rule()
    def begins_anew_between_messages(self) -> None:
        if not self.stages[1].world.under_way:
            self.stages[1].restart()

    @rule()
    def begins_anew_whatever_goes_on(self) -> None:
        for ledger in self.ledgers:
            ledger.lose_answers()
            ledger.stage.restart()

    @invariant()
    def a_restart_makes_no_difference(self) -> None:
        if hasattr(self, "stages"):
            assert self.stages[0].sent == self.stages[1].sent

    @invariant()
    def looking_again_sends_nothing(self) -> None:
        for stage in getattr(self, "stages", ()):
            stage.run(0)
            assert plan(stage.world, stage.now_s, stage.memo).drafts == []

    @invariant()
    def what_was_found_out_before_makes_no_difference(self) -> None:
        for stage in getattr(self, "stages", ()):
            anew = Memo()
            known, made = plan(stage.world, stage.now_s, stage.memo), plan(stage.world, stage.now_s, anew)
            assert (known.drafts, known.wake_s) == (made.drafts, made.wake_s)
            assert stage.memo == anew

    def teardown(self) -> None:
        for ledger in getattr(self, "ledgers", ()):
            self._nothing_is_forgotten(ledger)

    def _nothing_is_forgotten(self, ledger: Ledger) -> None:
        """Once nothing holds anything back, everybody knows what is true."""
        stage = ledger.stage
        world = stage.world
        ledger.modes.clear()
        world.silences.clear()
        world.muted_until.clear()
        world.routes = []
        for name in CHANNELS:
            world.channels[name] = Channel(name, fallback=CHANNELS[name])
        stage.end(*(number for number, it in world.incidents.items() if it.rule in (DOWN.id, BLIND.id) and it.level))
        stage.run(2 * 3600)
        for number, incident in stage.world.incidents.items():
            assert incident.level, "an end is never settled"
            for name in CHANNELS:
                assert ledger.level.get((number, name)) == incident.level, f"{name} does not know of {incident}"
        for number, name in {key for key, level in ledger.level.items() if level} | ledger.unsure:
            if name not in self.removed:
                assert number in stage.world.incidents, f"{name} was never told that {number} is over"


Telling.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestTelling = Telling.TestCase
