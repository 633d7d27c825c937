"""What is known of Sonde itself, and what its rules make of that."""

from __future__ import annotations

from collections.abc import Mapping

from infra.bus.heartbeat import Pulse
from schemas.rules import Rule, Threshold
from schemas.virtual import (
    CHANNEL_HELD,
    INGEST_REFUSED,
    MONITORING_BLIND,
    MONITORING_CLOCK,
    SERVICE_LAG,
    SERVICE_SILENT,
)
from services.alerts.judge.hostdown import Hearing
from services.alerts.judge.loop import Senses
from services.alerts.judge.machine import State
from services.alerts.judge.own import HEARD_WITHIN_S, Surroundings, begin_anew, evaluate_own, values_of
from services.alerts.judge.progress import Progress
from services.alerts.judge.ruleset import RuleSet
from tests.alerts.builders import NOON_MS


def senses(reached_s: float | None = None, ahead_s: Mapping[str, float] | None = None, at_s: float = 0) -> Senses:
    made = Senses(Progress(Pulse("alerts")), lambda: None, hearing=Hearing({}, reached_s=reached_s))
    made.ahead_s = {host: (at_s, ahead) for host, ahead in (ahead_s or {}).items()}
    return made


def test_while_the_bus_is_heard_we_are_not_blind() -> None:
    assert values_of(senses(reached_s=99), Surroundings(0), {}, 100)[MONITORING_BLIND] == {"": 0}


def test_without_the_bus_we_are_blind_since_we_last_heard_it() -> None:
    assert values_of(senses(reached_s=50), Surroundings(0), {}, 100)[MONITORING_BLIND] == {"": 50}


def test_a_bus_that_was_never_heard_blinds_since_the_start() -> None:
    assert values_of(senses(), Surroundings(10), {}, 100)[MONITORING_BLIND] == {"": 90}


def test_a_short_pause_of_the_bus_blinds_nobody() -> None:
    assert values_of(senses(reached_s=100 - HEARD_WITHIN_S), Surroundings(0), {}, 100)[MONITORING_BLIND] == {"": 0}


def test_while_blind_nothing_is_said_of_services() -> None:
    values = values_of(senses(reached_s=50), Surroundings(0), {}, 100)
    assert set(values[SERVICE_SILENT].values()) == {None}
    assert set(values[SERVICE_LAG].values()) == {None}
    assert values[INGEST_REFUSED] == {"": None}


def test_after_blindness_every_service_has_its_full_time_again() -> None:
    around = Surroundings(0, heard_s={"ingest": 10})
    values_of(senses(reached_s=10), around, {}, 500)
    assert values_of(senses(reached_s=502), around, {}, 502)[SERVICE_SILENT]["ingest"] == 2


def test_a_service_is_silent_since_its_last_heartbeat() -> None:
    around = Surroundings(0, heard_s={"ingest": 70, "gateway": 99}, lag_s={"ingest": 12})
    values = values_of(senses(reached_s=100), around, {}, 100)
    assert (values[SERVICE_SILENT]["ingest"], values[SERVICE_SILENT]["gateway"]) == (30, 1)
    assert values[SERVICE_LAG]["ingest"] == 12


def test_before_we_listen_no_service_is_silent_for_longer_than_we_run() -> None:
    values = values_of(senses(), Surroundings(started_s=43_000), {}, 43_002)
    assert values[SERVICE_SILENT]["ingest"] == 2


def test_refusals_of_the_last_minute_count() -> None:
    around = Surroundings(0)
    around.refused_s.extend((10, 39, 41, 100))
    assert values_of(senses(reached_s=100), around, {}, 100)[INGEST_REFUSED] == {"": 2}


def test_the_buss_clock_is_wrong_only_when_most_hosts_say_so() -> None:
    def apart(**ahead_s: float) -> object:
        return values_of(senses(100, ahead_s, 100), Surroundings(0), {}, 100)[MONITORING_CLOCK][""]

    assert apart(a=3600, b=3600, c=0) == 3600
    assert apart(a=-3600, b=-3600, c=0) == 3600
    assert apart(a=3600, b=0, c=0) == 0
    assert apart(a=3600, b=3600) == 0


def test_held_channels_are_told_by_name() -> None:
    assert values_of(senses(100), Surroundings(0), {"slack": 70}, 100)[CHANNEL_HELD] == {"slack": 70}


BLIND = Rule("blind", "Blind", MONITORING_BLIND, critical=Threshold(60, 0))
HELD = Rule("held", "Held", CHANNEL_HELD, warning=Threshold(1, 0))


def play(judged: Rule, *values: dict[str, float | None]) -> list[tuple[str, str, float]]:
    """Kind, instance and time after noon of each change, with a second between two values."""
    states: dict[tuple[str, str], State] = {}
    told: list[tuple[str, str, float]] = []
    for second, value in enumerate(values):
        at_ms = NOON_MS + 1000 * second
        advance = evaluate_own(RuleSet([judged]).about_sonde, {judged.metric: value}, states, at_ms, at_ms)
        for key, state in advance.changed.get("", {}).items():
            if state is None:
                states.pop(key)
            else:
                states[key] = state
        told += [(it.kind, it.instance, it.time - NOON_MS / 1000) for it in advance.transitions]
    return told


def test_an_alert_about_sonde_fires_and_resolves() -> None:
    assert play(BLIND, {"": 0}, {"": 59}, {"": 60}, {"": 61}, {"": 0}) == [("fire", "", 2), ("resolve", "", 4)]


def test_what_nobody_knows_changes_nothing() -> None:
    assert play(BLIND, {"": 60}, {"": None}, {"": 61}) == [("fire", "", 0)]


def test_each_instance_is_judged_by_itself() -> None:
    assert play(HELD, {"slack": 0, "mail": 5}, {"slack": 3, "mail": 6}) == [("fire", "mail", 0), ("fire", "slack", 1)]


def test_an_instance_that_is_deleted_is_gone() -> None:
    values: list[dict[str, float | None]] = [{"slack": 5}, *[{}] * 300]
    told = play(HELD, *values)
    assert [kind for kind, _, _ in told] == ["fire", "gone"]


def test_a_state_whose_value_merely_grows_is_written_now_and_then_only() -> None:
    states: dict[tuple[str, str], State] = {}
    written = 0
    for second in range(60, 120):
        at_ms = NOON_MS + 1000 * second
        advance = evaluate_own(
            RuleSet([BLIND]).about_sonde, {MONITORING_BLIND: {"": float(second)}}, states, at_ms, at_ms
        )
        for key, state in advance.changed.get("", {}).items():
            assert state is not None
            states[key] = state
            written += 1
    assert written == 2


def test_it_is_told_by_the_wall_clock() -> None:
    advance = evaluate_own(RuleSet([BLIND]).about_sonde, {MONITORING_BLIND: {"": 70}}, {}, NOON_MS + 3_600_000, NOON_MS)
    (fired,) = advance.transitions
    assert (fired.time, fired.since, fired.peak_time) == (NOON_MS / 1000, NOON_MS / 1000, NOON_MS / 1000)


def test_who_takes_over_after_an_hour_in_standby_is_not_blind() -> None:
    waited, around = senses(reached_s=10), Surroundings(0)
    begin_anew(waited, around, 3600)
    assert values_of(waited, around, {}, 3601)[MONITORING_BLIND] == {"": 0.0}
    assert values_of(waited, around, {}, 3601 + HEARD_WITHIN_S)[MONITORING_BLIND] == {"": 1 + HEARD_WITHIN_S}
