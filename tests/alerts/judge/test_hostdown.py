from __future__ import annotations

import math

from schemas.messages import AlertTransition
from schemas.rules import Rule, Threshold
from services.alerts.judge.hostdown import LAG_S, LEFT_S, Hearing, Probe, judge_host, judge_hosts
from services.alerts.judge.machine import OK, State
from services.alerts.judge.ruleset import CompiledRule, RuleSet, compile_rule
from tests.alerts.builders import NOON_MS

DOWN = compile_rule(Rule("down", "Host down", "host.down", critical=Threshold(60, 60)))
BOTH = compile_rule(
    Rule("down", "Host down", "host.down", warning=Threshold(60, 60), critical=Threshold(300, 300)),
)


def hearing(since_s: float = 0, **heard_s: float) -> Hearing:
    return Hearing({host.replace("_", "-"): at_s for host, at_s in heard_s.items()}, since_s=since_s)


def at(
    second: float, heard: Hearing, state: State = OK, check: CompiledRule = DOWN
) -> tuple[State, AlertTransition | None]:
    """web-1 judged at `second`, with both clocks starting together."""
    at_ms = NOON_MS + round(second * 1000)
    return judge_host(check, heard, state, "web-1", second, at_ms, at_ms)


def fired(second: float, heard: Hearing, check: CompiledRule = DOWN) -> State:
    state, change = at(second, heard, check=check)
    assert change is not None
    return state


def test_a_host_silent_for_longer_than_the_threshold_is_down() -> None:
    assert at(69, hearing(web_1=10))[1] is None
    _, change = at(70, hearing(web_1=10))
    assert change is not None
    assert (change.kind, change.severity, change.host, change.value) == ("fire", "critical", "web-1", 60)


def test_a_down_host_is_so_since_it_was_last_heard() -> None:
    _, change = at(75, hearing(web_1=10))
    assert change is not None
    assert change.since == NOON_MS / 1000 + 10


def test_a_host_that_speaks_again_is_resolved() -> None:
    state = fired(70, hearing(web_1=10))
    after, change = at(90, hearing(web_1=89.5), state)
    assert change is not None
    assert (change.kind, after.phase) == ("resolve", "ok")


def test_nobody_is_down_while_we_are_deaf() -> None:
    assert at(10_000, hearing(since_s=math.inf, web_1=10)) == (OK, None)


def test_every_host_has_its_full_period_after_we_began_to_hear() -> None:
    assert at(559, hearing(since_s=500, web_1=10))[1] is None
    assert at(560, hearing(since_s=500, web_1=10))[1] is not None


def test_a_host_that_was_down_before_a_restart_is_neither_resolved_nor_called_again() -> None:
    state = fired(70, hearing(web_1=10))
    assert at(510, hearing(since_s=500, web_1=10), state) == (state, None)
    after, change = at(600, hearing(since_s=500, web_1=10), state)
    assert change is None
    assert after.phase == "firing"


def test_a_critical_silence_is_not_taken_back_by_a_restart() -> None:
    state = fired(310, hearing(web_1=10), BOTH)
    for second in (510, 570, 799, 800, 900):
        state, change = at(second, hearing(since_s=500, web_1=10), state, BOTH)
        assert change is None
        assert state.level == 2


def test_a_longer_silence_escalates() -> None:
    state = fired(70, hearing(web_1=10), BOTH)
    _, change = at(310, hearing(web_1=10), state, BOTH)
    assert change is not None
    assert (change.kind, change.severity) == ("escalate", "critical")


def test_a_host_that_just_stays_down_is_written_now_and_then_only() -> None:
    state = fired(70, hearing(web_1=10))
    assert at(71, hearing(web_1=10), state)[0] is state
    assert at(101, hearing(web_1=10), state)[0] is not state


def test_a_rule_for_one_host_judges_that_host_only() -> None:
    only = RuleSet([Rule("down", "Host down", "host.down", host="db-1", critical=Threshold(60, 60))])
    changed, transitions = judge_hosts(only, hearing(web_1=10, db_1=10), {}, 100, NOON_MS, NOON_MS)
    assert list(changed) == ["db-1"]
    assert [transition.host for transition in transitions] == ["db-1"]


def test_hearing_begins_when_the_end_of_the_stream_is_reached() -> None:
    heard = Hearing({}, probe=Probe(last_seq=50, at_s=100, full=False))
    assert heard.reached(49, 101) is None
    assert math.isinf(heard.since_s)
    assert heard.reached(50, 102) == 100
    assert heard.since_s == 102


def test_catching_up_quickly_keeps_the_hearing() -> None:
    heard = Hearing({}, since_s=5, probe=Probe(50, 100, full=False))
    heard.reached(50, 100 + LAG_S)
    assert heard.since_s == 5


def test_a_backlog_begins_the_hearing_anew() -> None:
    heard = Hearing({}, since_s=5, probe=Probe(50, 100, full=False))
    heard.reached(50, 101 + LAG_S)
    assert heard.since_s == 101 + LAG_S


def test_a_full_stream_is_deafness() -> None:
    heard = Hearing({}, since_s=5, probe=Probe(50, 100, full=True))
    assert heard.reached(50, 101) is None
    assert math.isinf(heard.since_s)


def times(from_s: float, until_s: float) -> list[int]:
    """A sample a second."""
    return [NOON_MS + 1000 * second for second in range(round(from_s), round(until_s))]


def test_an_hour_of_batches_every_120_s_calls_nobody_down() -> None:
    heard, state = hearing(web_1=0), OK
    told: list[AlertTransition] = []
    for second in range(3600):
        if second % 120 == 0:
            heard.hear("web-1", second, times(second - 120, second))
        state, change = at(second, heard, state)
        told += [change] if change is not None else []
    assert told == []


def test_a_host_with_a_long_interval_is_down_after_three_of_them() -> None:
    heard = hearing()
    heard.hear("web-1", 0, times(-120, 0))
    assert at(359, heard)[1] is None
    _, change = at(360, heard)
    assert change is not None
    assert (change.kind, change.threshold) == ("fire", 360)


def test_the_interval_that_a_host_says_it_keeps_counts_before_its_first_batch() -> None:
    heard = hearing(since_s=0, web_1=0)
    heard.agreed_s["web-1"] = 120
    assert at(300, heard)[1] is None
    assert at(361, heard)[1] is not None


def test_no_host_can_put_off_being_called_down_for_ever() -> None:
    heard = hearing(web_1=0)
    heard.agreed_s["web-1"] = 1e12
    assert at(3 * 3600 + 1, heard)[1] is not None


def test_batches_sent_early_do_not_make_the_next_one_late() -> None:
    heard = hearing()
    heard.hear("web-1", 0, times(-120, 0))
    heard.hear("web-1", 3, times(0, 3))
    assert at(123, heard)[1] is None


def test_many_batches_sent_early_do_not_make_the_next_one_late() -> None:
    heard = hearing()
    heard.hear("web-1", 0, times(-120, 0))
    for second in range(2, 62, 2):
        heard.hear("web-1", second, times(second - 2, second))
    assert at(61 + 120, heard)[1] is None


def test_a_host_that_the_bus_saw_leave_is_down_sooner() -> None:
    heard = hearing(web_1=10)
    heard.left_s["web-1"] = 12
    assert at(31, heard)[1] is None
    _, change = at(12 + LEFT_S, heard)
    assert change is not None
    assert change.kind == "fire"


def test_only_the_lowest_level_comes_sooner_for_a_host_that_left() -> None:
    heard = hearing(web_1=10)
    heard.left_s["web-1"] = 12
    state, change = at(40, heard, check=BOTH)
    assert change is not None
    assert change.severity == "warning"
    assert at(100, heard, state, BOTH)[1] is None


def test_a_host_that_left_and_sends_again_is_not_down() -> None:
    heard = hearing(web_1=10)
    heard.left_s["web-1"] = 12
    heard.hear("web-1", 15, times(10, 15))
    assert at(50, heard)[1] is None


def test_a_step_of_our_wall_clock_changes_no_verdict() -> None:
    heard, state = hearing(web_1=10), OK
    told: list[tuple[float, str]] = []
    for second in range(300):
        if second >= 150:
            heard.heard_s["web-1"] = second
        wall_ms = NOON_MS + 1000 * (second if second < 100 else second - 3600)
        state, change = judge_host(DOWN, heard, state, "web-1", second, NOON_MS + 1000 * second, wall_ms)
        told += [(second, change.kind)] if change is not None else []
    assert told == [(70, "fire"), (150, "resolve")]


def test_what_people_read_is_the_wall_clock() -> None:
    later = NOON_MS + 70_000 - 3_600_000
    _, change = judge_host(DOWN, hearing(web_1=10), OK, "web-1", 70, NOON_MS + 70_000, later)
    assert change is not None
    assert (change.time, change.since) == (later / 1000, later / 1000 - 60)


def test_a_second_outage_after_the_clock_was_set_back_is_called_in_time() -> None:
    heard, state = hearing(web_1=0), OK
    told: list[tuple[float, str]] = []
    for second in range(400):
        if 80 <= second <= 200:
            heard.heard_s["web-1"] = second
        wall_ms = NOON_MS + 1000 * (second - 3600 if second > 70 else second)
        state, change = judge_host(DOWN, heard, state, "web-1", second, NOON_MS + 1000 * second, wall_ms)
        told += [(second, change.kind)] if change is not None else []
    assert told == [(60, "fire"), (80, "resolve"), (260, "fire")]


def test_of_hosts_that_are_no_more_nothing_is_kept() -> None:
    heard = hearing(web_1=10, db_1=10)
    for known in (heard.interval_s, heard.left_s):
        known.update({"web-1": 10.0, "db-1": 10.0})
    heard.keep({"db-1": 20})
    assert (heard.heard_s, heard.interval_s, heard.left_s) == ({"db-1": 20}, {"db-1": 10}, {"db-1": 10})
