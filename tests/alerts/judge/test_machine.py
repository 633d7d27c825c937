import msgspec
from msgspec.structs import replace

from schemas.rules import Threshold
from services.alerts.judge.machine import GAP_MS, OK, State, gone, limits_of, miss, step
from tests.alerts.builders import NOON_MS, play, rule, steady, told


def test_a_condition_fires_once_it_has_held_long_enough() -> None:
    state, changes = play(rule(), steady(80, 0, 60))
    assert told(changes) == [("fire", "warning", 30)]
    assert state.phase == "firing"


def test_a_condition_that_breaks_before_its_time_never_fires() -> None:
    _, changes = play(rule(), steady(80, 0, 20) | {25: 74} | steady(80, 30, 50))
    assert changes == []


def test_until_it_fires_the_state_is_pending() -> None:
    state, _ = play(rule(), steady(80, 0, 20))
    assert state.phase == "pending"


def test_without_a_hold_the_first_value_fires() -> None:
    _, changes = play(rule(for_s=0), {0: 75})
    assert told(changes) == [("fire", "warning", 0)]


def test_a_critical_value_that_holds_fires_as_critical_at_once() -> None:
    _, changes = play(rule(), steady(95, 0, 30))
    assert told(changes) == [("fire", "critical", 30)]


def test_a_value_swinging_between_warning_and_critical_fires_as_warning() -> None:
    _, changes = play(rule(), {second: 95 if second % 20 else 80 for second in range(0, 61, 10)})
    assert told(changes) == [("fire", "warning", 30)]


def test_a_warning_that_grows_escalates_after_the_hold() -> None:
    _, changes = play(rule(), steady(80, 0, 30) | steady(95, 40, 70))
    assert told(changes) == [("fire", "warning", 30), ("escalate", "critical", 70)]


def test_a_critical_alert_stays_critical_above_its_clearing_threshold() -> None:
    _, changes = play(rule(), steady(95, 0, 30) | steady(81, 40, 200))
    assert told(changes) == [("fire", "critical", 30)]


def test_a_critical_alert_falls_back_to_warning_when_only_its_own_threshold_clears() -> None:
    _, changes = play(rule(), steady(95, 0, 30) | steady(70, 40, 200))
    assert told(changes) == [("fire", "critical", 30), ("deescalate", "warning", 60)]


def test_a_full_recovery_resolves_in_one_change() -> None:
    state, changes = play(rule(), steady(95, 0, 30) | steady(10, 40, 100))
    assert told(changes) == [("fire", "critical", 30), ("resolve", "critical", 60)]
    assert state.phase == "ok"


def test_a_value_between_the_thresholds_keeps_a_warning() -> None:
    _, changes = play(rule(), steady(80, 0, 30) | steady(66, 40, 400))
    assert told(changes) == [("fire", "warning", 30)]


def test_a_value_between_the_thresholds_does_not_keep_a_pending_clock() -> None:
    _, changes = play(rule(), steady(80, 0, 20) | {25: 70} | steady(80, 30, 50))
    assert changes == []


def test_the_clearing_threshold_itself_is_cleared() -> None:
    _, changes = play(rule(), steady(80, 0, 30) | steady(65, 40, 60))
    assert told(changes)[-1] == ("resolve", "warning", 60)


def test_a_recovery_that_breaks_does_not_resolve() -> None:
    state, changes = play(rule(), steady(80, 0, 30) | {40: 10, 50: 10, 55: 80, 60: 10, 70: 10})
    assert told(changes) == [("fire", "warning", 30)]
    assert state.phase == "recovering"


def test_below_rules_mirror_above_rules() -> None:
    low = rule(comparison="below", warning=Threshold(25, 35), critical=Threshold(10, 20))
    _, changes = play(low, steady(20, 0, 30) | steady(5, 40, 70) | steady(30, 80, 100) | steady(90, 110, 130))
    assert told(changes) == [
        ("fire", "warning", 30),
        ("escalate", "critical", 70),
        ("deescalate", "warning", 100),
        ("resolve", "warning", 130),
    ]


def test_a_rule_with_only_a_critical_level_never_warns() -> None:
    only = rule(warning=None)
    _, changes = play(only, steady(95, 0, 30) | steady(10, 40, 60))
    assert told(changes) == [("fire", "critical", 30), ("resolve", "critical", 60)]


def test_an_edit_that_removes_the_warning_level_leaves_no_half_way_stop() -> None:
    state, _ = play(rule(), {0: 80, 10: 95})
    _, changes = play(rule(warning=None), steady(95, 20, 60), state)
    assert told(changes) == [("fire", "critical", 40)]


def test_an_edit_that_removes_the_warning_level_resolves_a_warning() -> None:
    state, _ = play(rule(), steady(80, 0, 30))
    _, changes = play(rule(warning=None), steady(80, 40, 60), state)
    assert told(changes) == [("resolve", "warning", 60)]


def test_an_edited_threshold_keeps_a_pending_clock_while_it_still_holds() -> None:
    state, _ = play(rule(), steady(80, 0, 20))
    _, changes = play(rule(warning=Threshold(70, 60)), {30: 80}, state)
    assert told(changes) == [("fire", "warning", 30)]


def test_an_edited_threshold_that_no_longer_holds_stops_the_clock() -> None:
    state, _ = play(rule(), steady(80, 0, 20))
    state, changes = play(rule(warning=Threshold(85, 60)), {30: 80}, state)
    assert (state.phase, changes) == ("ok", [])


def test_a_null_changes_nothing() -> None:
    before, _ = play(rule(), steady(80, 0, 20))
    after, changes = play(rule(), steady(None, 30, 90), before)
    assert (after, changes) == (before, [])


def test_clocks_run_on_through_nulls() -> None:
    _, changes = play(rule(), {0: 80, 10: None, 20: None, 30: 80})
    assert told(changes) == [("fire", "warning", 30)]


def test_a_gap_beyond_the_bound_restarts_the_pending_clock() -> None:
    gap_s = GAP_MS / 1000
    _, changes = play(rule(), {0: 80, gap_s + 1: 80} | steady(80, 130, 160))
    assert told(changes) == [("fire", "warning", 160)]


def test_a_gap_at_the_bound_keeps_the_pending_clock() -> None:
    gap_s = GAP_MS / 1000
    _, changes = play(rule(), {0: 80, gap_s: 80})
    assert told(changes) == [("fire", "warning", gap_s)]


def test_a_gap_beyond_the_bound_restarts_the_recovery() -> None:
    state, changes = play(rule(), steady(80, 0, 30) | {40: 10, 400: 10, 410: 10})
    assert told(changes) == [("fire", "warning", 30)]
    assert state.phase == "recovering"


def test_an_active_alert_survives_any_gap() -> None:
    state, changes = play(rule(), steady(80, 0, 30) | {90_000: 80})
    assert told(changes) == [("fire", "warning", 30)]
    assert state.phase == "firing"


def test_a_slow_family_has_a_longer_bound() -> None:
    assert limits_of(rule(), period_s=300).gap_ms == 900_000


def test_an_older_sample_changes_nothing() -> None:
    before, _ = play(rule(), steady(80, 0, 30))
    assert step(limits_of(rule()), before, 10, NOON_MS + 30_000) == (before, None)
    assert step(limits_of(rule()), before, 10, NOON_MS) == (before, None)


def test_a_quiet_value_leaves_a_quiet_state_untouched() -> None:
    state, change = step(limits_of(rule()), OK, 74.9, NOON_MS)
    assert state is OK
    assert change is None


def test_firing_tells_when_the_condition_began() -> None:
    _, changes = play(rule(), steady(80, 0, 30))
    assert changes[0].since_ms == NOON_MS


def test_later_changes_tell_when_it_first_fired() -> None:
    _, changes = play(rule(), steady(80, 0, 30) | steady(95, 40, 70) | steady(10, 80, 100))
    assert [change.since_ms - NOON_MS for change in changes[1:]] == [30_000, 30_000]


def test_the_peak_is_the_worst_value_while_it_fired() -> None:
    values = {0: 99.0, 10: 80, 20: 80, 30: 80, 40: 88, 50: 85} | steady(10, 60, 80)
    _, changes = play(rule(), values)
    assert (changes[-1].peak, changes[-1].peak_ms) == (88, NOON_MS + 40_000)


def test_the_peak_of_a_below_rule_is_its_lowest_value() -> None:
    low = rule(comparison="below", warning=Threshold(25, 35), critical=None, for_s=0)
    _, changes = play(low, {0: 20, 10: 12, 20: 18} | steady(50, 30, 50))
    assert changes[-1].peak == 12


def test_a_resolved_alert_starts_its_next_peak_anew() -> None:
    quick = rule(for_s=0, recover_for_s=0)
    _, changes = play(quick, {0: 99, 10: 10, 20: 80, 30: 10})
    assert [change.peak for change in changes] == [99, 99, 80, 80]


def test_changes_name_the_threshold_they_crossed() -> None:
    _, changes = play(rule(), steady(80, 0, 30) | steady(95, 40, 70) | steady(70, 80, 100) | steady(10, 110, 130))
    assert [change.threshold for change in changes] == [75, 90, 80, 65]


def test_a_missing_instance_is_gone_after_the_bound() -> None:
    limits = limits_of(rule())
    state, _ = play(rule(), steady(80, 0, 30))
    first, change = miss(limits, state, NOON_MS + 40_000)
    assert first is not None
    assert change is None
    last, change = miss(limits, first, NOON_MS + 40_000 + GAP_MS + 1)
    assert last is None
    assert change is not None
    assert change.kind == "gone"


def test_a_missing_pending_instance_is_forgotten_in_silence() -> None:
    state, _ = play(rule(), {0: 80})
    assert miss(limits_of(rule()), replace(state, absent_ms=NOON_MS + 1), NOON_MS + 10 * GAP_MS) == (None, None)


def test_a_replayed_absence_changes_nothing() -> None:
    state, _ = play(rule(), steady(80, 0, 30))
    assert miss(limits_of(rule()), state, NOON_MS + 30_000) == (state, None)


def test_a_gone_alert_keeps_its_severity_threshold_and_peak() -> None:
    state, _ = play(rule(), steady(95, 0, 30))
    change = gone(state, NOON_MS + 99_000)
    assert change is not None
    assert (change.severity, change.threshold, change.peak, change.value) == ("critical", 90, 95, None)


def test_states_survive_their_json() -> None:
    state, _ = play(rule(), steady(80, 0, 30) | {40: 20})
    assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
