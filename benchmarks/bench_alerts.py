"""Rule evaluations per second, beside the same batches held against no rule, and how long people wait for an alert.

An evaluation is one sample of one instance held against one rule, from the message's bytes: decoding is part of it. One
host in a hundred fires, one in a hundred is silent. The waiting is measured on real servers with production's pacing
(benchmarks/alerts_way.py).
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Sequence

from benchmarks.alerts_fleet import INSTANCES, SAMPLES, TRIP, WITHOUT, make_batch
from benchmarks.alerts_way import measure, p99
from benchmarks.figures import Figure, figure, parser, show
from infra.cli import process
from schemas.catalogue import CATALOGUE, family_named
from schemas.codec import decode_batch, encode_batch, times_ms
from schemas.rules import Rule, Threshold
from schemas.virtual import HOST_DOWN
from services.alerts.judge.axis import Axis
from services.alerts.judge.evaluate import Key, Looking, evaluate
from services.alerts.judge.hostdown import Hearing, judge_hosts
from services.alerts.judge.machine import State
from services.alerts.judge.ruleset import RuleSet

FIGURES = (
    "alerts.evaluations_per_s",
    "alerts.batches_per_s",
    "alerts.state_bytes",
    "alerts.silence_ms",
    "alerts.post_p99_s",
    "alerts.burst_p99_s",
    "alerts.person_p99_s",
    "alerts.fleet_share",
)
"""Names of what it prints."""
TARGET_EVALUATIONS_PER_S = 1e6
TARGET_POST_S = 1.0
TARGET_BURST_S = 3.0
TARGET_PERSON_S = 2.0
TARGET_SHARE = 0.98
"""Less than that, and the fleet was smaller than it says."""
RULES = 20
WITH_INSTANCES = 4
"""Of them."""
SHARE = 0.01
"""Of hosts that fire, and of hosts that are silent."""
ROUNDS = 3

States = dict[str, dict[Key, State]]


def main(argv: Sequence[str]) -> int:
    arguments = parser((__doc__ or "").splitlines()[0])
    arguments.add_argument("--hosts", type=int, default=10_000)
    arguments.add_argument("--posts", type=int, default=100, help="alerts whose way to Slack is timed; 0: none")
    arguments.add_argument("--burst", type=int, default=500, help="alerts that come at once")
    arguments.add_argument("--steps", type=int, default=30, help="alerts that are timed from an agent's sample on")
    options = arguments.parse_args(argv)
    figures = measure_judging(options.hosts)
    if options.posts:
        with process.runner() as loop:
            ways = loop.run(measure(options.hosts, options.posts, options.burst, options.steps, make_rules()))
        figures.append(figure("alerts.post_p99_s", p99(ways.single_s), "s", TARGET_POST_S))
        figures.append(figure("alerts.burst_p99_s", p99(ways.burst_s), "s", TARGET_BURST_S))
        figures.append(figure("alerts.person_p99_s", p99(ways.person_s), "s", TARGET_PERSON_S))
        figures.append(figure("alerts.fleet_share", ways.fleet_share, "", TARGET_SHARE))
    show(figures, options.json, FIGURES)
    return 0


def make_rules() -> list[Rule]:
    """Twenty rules, each on a metric of its own, some of them of families with instances."""
    resolution = {f"{family.name}.{it.name}": it.resolution for family in CATALOGUE for it in family.metrics}
    plain = [f"{family.name}.{metric.name}" for family in WITHOUT for metric in family.metrics]
    several = [f"{name}.{metric.name}" for name in INSTANCES for metric in family_named(name).metrics]
    names = plain[: RULES - WITH_INSTANCES] + several[:: max(1, len(several) // WITH_INSTANCES)][:WITH_INSTANCES]
    return [
        Rule(
            f"rule-{number}",
            f"Rule {number}",
            name,
            warning=Threshold(TRIP * resolution[name], (TRIP - 1000) * resolution[name]),
            critical=Threshold(2 * TRIP * resolution[name], TRIP * resolution[name]),
            for_s=300,
            recover_for_s=60,
        )
        for number, name in enumerate(names)
    ]


def measure_judging(hosts: int) -> list[Figure]:
    """Rounds of the whole fleet, the last timed, so that states and pending clocks are there."""
    dice = random.Random(7)
    rules, nothing = RuleSet([*make_rules(), _down()]), RuleSet([])
    firing = [dice.random() < SHARE for _ in range(hosts)]
    start_ms = int(time.time()) * 1000 - ROUNDS * SAMPLES * 1000
    rounds = [
        [
            encode_batch(make_batch(f"host-{host}", number + 1, start_ms + number * SAMPLES * 1000, firing[host], dice))
            for host in range(hosts)
        ]
        for number in range(ROUNDS)
    ]
    states: States = {}
    axis, looking = Axis(), Looking()
    elapsed_s = 0.0
    for messages in rounds:
        elapsed_s = _judge(messages, rules, states, axis, looking)
    bare_s = _judge(rounds[-1], nothing, {}, Axis(), Looking())
    evaluations = _evaluations(rules)
    found = sum(len(mine) for mine in states.values())
    assert found == sum(firing) * _alerts(rules), f"{found} states"
    return [
        figure(
            "alerts.evaluations_per_s",
            hosts * evaluations / elapsed_s,
            "1/s",
            TARGET_EVALUATIONS_PER_S,
            hosts * evaluations / bare_s,
        ),
        figure("alerts.batches_per_s", hosts / elapsed_s, "1/s", None, hosts / bare_s),
        figure("alerts.state_bytes", _state_bytes(rules, dice), "B"),
        figure("alerts.silence_ms", _silence_ms(rules, hosts), "ms"),
    ]


def _down() -> Rule:
    return Rule("host-down", "Host down", HOST_DOWN, critical=Threshold(60, 60))


def _instances(rule: Rule) -> int:
    return len(INSTANCES.get(rule.metric.partition(".")[0], ("",)))


def _evaluations(rules: RuleSet) -> int:
    """Of one batch."""
    return SAMPLES * _alerts(rules)


def _alerts(rules: RuleSet) -> int:
    """Of one host: what there are states of when everything fires."""
    return sum(_instances(rule) for rule in rules.rules.values() if rule.metric != HOST_DOWN)


def _judge(messages: Sequence[bytes], rules: RuleSet, states: States, axis: Axis, looking: Looking) -> float:
    """Seconds for one batch of every host, from its bytes on."""
    started = time.perf_counter()
    for data in messages:
        batch = decode_batch(data)
        judged = axis.judge(batch.host, times_ms(batch.times), batch.times[0])
        outcome = evaluate(rules.of(batch.host), batch, judged, states.get(batch.host, {}), looking)
        for key, state in outcome.changed.items():
            if state is not None:
                states.setdefault(batch.host, {})[key] = state
    return time.perf_counter() - started


def _state_bytes(rules: RuleSet, dice: random.Random, hosts: int = 200) -> float:
    """Memory of one state, with its place in the tables."""
    start_ms = int(time.time()) * 1000
    messages = [encode_batch(make_batch(f"host-{host}", 1, start_ms, True, dice)) for host in range(hosts)]
    states: States = {}
    axis, looking = Axis(), Looking()
    for host in range(hosts):
        rules.of(f"host-{host}")
    tracemalloc.start()
    _judge(messages, rules, states, axis, looking)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / sum(len(mine) for mine in states.values())


def _silence_ms(rules: RuleSet, hosts: int) -> float:
    """Milliseconds to look at all hosts for those that are silent, as happens every half second."""
    names = [f"host-{host}" for host in range(hosts)]
    dice = random.Random(7)
    silent = {names[0], *(name for name in names if dice.random() < SHARE)}
    hearing = Hearing({name: 0.0 if name in silent else 95.0 for name in names}, since_s=0.0)
    states: States = {}
    at_ms = int(time.time()) * 1000
    for second in (100, 101):
        started = time.perf_counter()
        changed, _ = judge_hosts(rules, hearing, states, float(second), at_ms + 1000 * second, at_ms + 1000 * second)
        taken_ms = (time.perf_counter() - started) * 1000
        for host, mine in changed.items():
            states.setdefault(host, {}).update({key: state for key, state in mine.items() if state is not None})
    assert states, "nobody was called down"
    return taken_ms


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
