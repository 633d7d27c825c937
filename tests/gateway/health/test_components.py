"""What is said of each part of Sonde."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.health import Component, Delay, Disk, Outward, StreamFill, Work
from schemas.settings import StoredSettings
from services.gateway.health.components import (
    Delivering,
    Silence,
    agents,
    disk,
    notifications,
    overall,
    retention,
    service,
    settings,
)
from services.gateway.health.heartbeats import Heard
from tests.gateway.heard import heartbeat

GIB = 2**30
HEARD = Silence(1.0, True)


def heard(name: str = "ingest", silent_s: float = 1.0, **said: Any) -> Heard:
    return Heard(heartbeat(name, **said), silent_s)


def found(name: str, *instances: Heard, silence: Silence = HEARD) -> tuple[str, str]:
    component = service(name, instances, silence)
    return component.status, component.detail


def test_a_service_without_a_heartbeat_is_down_and_named_with_the_remedy() -> None:
    said = found("alerts", silence=Silence(42.4, True))
    assert said == ("down", "no heartbeat for 42 s; check that `sonde alerts` runs")


def test_a_service_is_unknown_while_we_are_away_from_the_bus() -> None:
    component = service("ingest", [heard(silent_s=100)], Silence(None, True))
    assert (component.status, component.instances[0].status) == ("unknown", "unknown")


def test_a_service_is_unknown_while_we_have_not_listened_for_long() -> None:
    assert found("ingest", silence=Silence(3, False)) == ("unknown", "listening for 3 s, not heard yet")
    assert found("ingest", silence=Silence(16, False))[0] == "down"


@pytest.mark.parametrize(
    ("name", "work", "said"),
    [
        ("ingest", Work(lag_s=75, behind={"METRICS": 1200}), "1200 messages behind, 75 s"),
        ("alerts", Work(lag_s=61, behind={"METRICS": 5}), "5 messages behind, 61 s"),
        ("retention", Work(lag_s=7200), "roll-ups are 2 h behind"),
        ("gateway", Work(lag_s=1.5), "event loop was 1.5 s late"),
    ],
)
def test_a_service_that_lags_is_degraded(name: str, work: Work, said: str) -> None:
    status, detail = found(name, heard(name, work=work, last_error="TimeoutError: database"))
    assert status == "degraded"
    assert said in detail
    assert detail.endswith(f"; last error: TimeoutError: database; see the log of `sonde {name}`")


def test_a_dead_mans_switch_that_is_not_told_is_named_with_the_reason() -> None:
    work = Work(lag_s=0.1, outward=Outward(None, "no whole answer within 10 s"))
    status, detail = found("alerts", heard("alerts", work=work))
    assert status == "degraded"
    assert "dead man's switch is not told: no whole answer within 10 s" in detail


def test_alerts_say_how_soon_people_are_told_and_when_the_dead_mans_switch_was() -> None:
    beat = heartbeat("alerts")
    work = Work(lag_s=0.1, told_s=Delay(0.8, 1.9), outward=Outward(beat.time - 20_000, ""))
    _, detail = found("alerts", heard("alerts", work=work, time=beat.time))
    assert "people told after 0.8 s, 99 of 100 within 1.9 s; dead man's switch told 20 s ago" in detail


def test_a_service_that_fails_again_and_again_is_degraded() -> None:
    status, detail = found("ingest", heard(errors_last_minute=3, last_error="OSError: refused"))
    assert (status, "3 failures within a minute; last error: OSError: refused" in detail) == ("degraded", True)


def test_a_service_that_never_did_anything_is_degraded() -> None:
    status, detail = found("ingest", heard(last_success=None, uptime_s=300.0))
    assert (status, "nothing done since it started 5 min ago" in detail) == ("degraded", True)


def test_an_instance_that_stands_by_may_do_nothing() -> None:
    both = (heard(), heard(instance="b", standby=True, last_success=None, uptime_s=300.0))
    assert found("ingest", *both)[0] == "ok"


def test_a_service_of_which_every_instance_stands_by_is_degraded() -> None:
    status, detail = found("ingest", heard(standby=True))
    assert (status, "every instance stands by" in detail) == ("degraded", True)


def test_one_of_two_instances_that_is_missing_is_named() -> None:
    status, detail = found("gateway", heard("gateway"), heard("gateway", 40.0, host="monitor-2", pid=9))
    assert (status, detail) == ("degraded", "monitor-2 (pid 9): no heartbeat for 40 s; check that process")


@pytest.mark.parametrize(
    ("pruned_s", "due_slots", "said"),
    [(4 * 3600, 0, "last pruned 4 h ago, expected hourly"), (60, 1100, "1100 ten-minute slots wait for their roll-up")],
)
def test_retention_that_beats_but_does_not_work_is_degraded(pruned_s: float, due_slots: int, said: str) -> None:
    component = retention(Component("retention", "ok", "fine"), pruned_s, due_slots, hosts=8)
    assert (component.status, said in component.detail) == ("degraded", True)


def test_retention_may_have_as_much_to_do_as_its_hosts_make() -> None:
    assert retention(Component("retention", "ok", "fine"), 60, 1090, hosts=8).status == "ok"


def test_a_channel_that_is_held_is_named_with_the_reason() -> None:
    component = notifications([Delivering("ops", held="404 no_service", refused="404 no_service", lost=3)])
    assert component.status == "degraded"
    assert component.detail == (
        "ops is held, nothing is sent there: 404 no_service; 3 lost within a day; test the channel in the settings"
    )


def test_a_channel_that_fails_for_long_is_named() -> None:
    assert notifications([Delivering("ops", failing_s=119, answer="no answer")]).status == "ok"
    failing = notifications([Delivering("ops", failing_s=300, answer="no answer")])
    assert failing.detail.startswith("ops has failed for 5 min: no answer; 0 lost")


def test_without_any_channel_it_says_that_nobody_is_told() -> None:
    assert (notifications([]).status, "nobody is told" in notifications([]).detail) == ("ok", True)


def test_one_host_that_is_offline_is_no_fault_of_sondes() -> None:
    component = agents({"a": "up", "b": "offline", "c": "late", "old": "archived"})
    assert (component.status, component.detail) == ("ok", "1 up, 1 late, 1 offline (b)")


def test_a_fleet_of_which_nobody_sends_is_down() -> None:
    assert agents({"a": "offline", "b": "offline", "old": "archived"}).status == "down"
    assert agents({"old": "archived"}).status == "ok"


@pytest.mark.parametrize(
    ("free", "status"), [(10 * 2**20, "down"), (1 * GIB, "degraded"), (3 * GIB, "ok"), (100 * GIB, "ok")]
)
def test_a_disk_without_space_is_named(free: int, status: str) -> None:
    component = disk([Disk("database", free, 500 * GIB)], [], "")
    assert component.status == status
    assert "database" in component.detail


def test_a_small_disk_may_have_little_space() -> None:
    assert disk([Disk("database", GIB, 8 * GIB)], [], "").status == "ok"


def test_a_stream_that_fills_up_and_days_that_went_early_are_named() -> None:
    component = disk(
        [Disk("database", 100 * GIB, 500 * GIB)],
        [StreamFill("METRICS", 7, 95, 100), StreamFill("EVENTS", 7, 100, 100)],
        "6 % free",
    )
    assert component.status == "degraded"
    assert "stream METRICS is 95 % full" in component.detail
    assert "EVENTS" not in component.detail, "its oldest messages make room"
    assert "retention drops raw days early: 6 % free" in component.detail


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ({"database": "ok", "bus": "ok", "alerts": "ok"}, "ok"),
        ({"database": "ok", "bus": "ok", "alerts": "down"}, "degraded"),
        ({"database": "ok", "bus": "down", "alerts": "unknown"}, "down"),
        ({"database": "degraded", "bus": "ok", "alerts": "ok"}, "degraded"),
    ],
)
def test_the_whole_is_down_without_database_or_bus_only(statuses: dict[str, Any], whole: str) -> None:
    assert overall([Component(name, status, "") for name, status in statuses.items()]) == whole


def test_settings_that_cannot_be_used_are_named_with_the_remedy() -> None:
    stored = StoredSettings()
    assert settings(stored.invalid).status == "ok"
    stored.take({"raw_days": "0", "heartbeat_url": '"hooks/SECRET"'})
    said = settings(stored.invalid)
    assert said.status == "degraded"
    assert "raw_days must be a whole number from 1 to 3650" in said.detail
    assert "heartbeat_url must be empty" in said.detail
    assert "SECRET" not in said.detail
