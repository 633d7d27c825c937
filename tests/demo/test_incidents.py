"""What the rules said of the past: found by the alert service's own code, kept by its own transaction."""

from __future__ import annotations

import numpy as np

from demo.hosts import add_hosts
from demo.incidents import write_events, write_incidents
from demo.judged import judge, silences
from demo.machines import DAY_S, Machine, Story, make_fleet
from demo.stories import FLAP_AWAY_S, HOUR_S, REBOOT_S, SPIKE_BEFORE_S, SPIKE_S, is_up, reboot_s
from infra.storage.database import connection
from schemas.messages import AlertTransition
from schemas.rules import default_rules
from services.alerts.judge.memory import Part
from services.alerts.judge.ruleset import RuleSet
from services.alerts.judge.store import load_memory

BEGAN_S = 1_795_003_200
FROM_S = BEGAN_S - 2 * DAY_S
FLEET = make_fleet(30, seed=1, began_s=BEGAN_S)
RULES = RuleSet(default_rules())


def of_story(story: Story) -> Machine:
    [machine] = [machine for machine in FLEET if machine.story == story]
    return machine


def transitions(story: Story, rule: str) -> list[AlertTransition]:
    machine = of_story(story)
    past = judge(machine, RULES.of(machine.name), FROM_S, BEGAN_S)
    return [transition for transition in past.transitions if transition.rule == rule]


def test_yesterdays_spike_fired_and_was_over() -> None:
    [fire, *_, resolve] = transitions("spike", "cpu")
    begun_s = BEGAN_S - SPIKE_BEFORE_S
    assert (fire.kind, resolve.kind) == ("fire", "resolve")
    assert begun_s < fire.since < fire.time < resolve.time < begun_s + 2 * SPIKE_S


def test_the_leak_is_killed_and_fires_again() -> None:
    kinds = [transition.kind for transition in transitions("leak", "memory")]
    assert kinds[-1] == "fire"
    assert kinds.count("fire") >= 2
    assert kinds.count("resolve") == kinds.count("fire") - 1


def test_the_silent_host_is_down_since_it_fell_silent() -> None:
    machine = of_story("silent")
    [fire] = transitions("silent", "host-down")
    [(gone_s, back_s)] = silences(machine, FROM_S, BEGAN_S)
    assert back_s == BEGAN_S
    assert (fire.kind, fire.since) == ("fire", gone_s)


def test_a_flapping_host_went_down_and_came_back() -> None:
    kinds = {transition.kind for transition in transitions("flapping", "host-down")}
    assert kinds == {"fire", "resolve"}


def test_ordinary_hosts_give_no_alarm_about_silence() -> None:
    for machine in FLEET:
        if not machine.story:
            past = judge(machine, RULES.of(machine.name), FROM_S, BEGAN_S)
            assert not [one for one in past.transitions if one.rule == "host-down"]


def test_most_of_the_fleet_is_calm() -> None:
    fired = {
        machine.name
        for machine in FLEET
        if judge(machine, RULES.of(machine.name), FROM_S, BEGAN_S).transitions and not machine.story
    }
    assert len(fired) <= 5


def test_silences_begin_with_the_last_sample_and_end_with_the_next() -> None:
    for machine in FLEET:
        for gone_s, back_s in silences(machine, BEGAN_S - 4 * HOUR_S, BEGAN_S):
            up = is_up(machine, np.arange(gone_s, back_s + 1))
            assert up[0]
            assert not up[1:-1].any()
    [(gone_s, back_s)] = silences(of_story("rebooted"), FROM_S, BEGAN_S)
    assert (gone_s, back_s) == (reboot_s(of_story("rebooted")) - REBOOT_S - 1, reboot_s(of_story("rebooted")))
    lengths = {back_s - gone_s for gone_s, back_s in silences(of_story("flapping"), FROM_S, BEGAN_S)}
    assert FLAP_AWAY_S + 1 in lengths


async def test_what_was_found_is_open_or_over_for_the_alert_service_that_begins(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await add_hosts(database, FLEET, FROM_S)
        assert await write_incidents(database, FLEET, FROM_S, BEGAN_S) > 0
        memory = await load_memory(database, Part())
        assert (of_story("leak").name, "memory", "") in memory.open
        assert (of_story("silent").name, "host-down", "") in memory.open
        assert (of_story("spike").name, "cpu", "") not in memory.open
        stored = "SELECT closed IS NOT NULL AS over, noticed = coalesce(closed, opened) AS then FROM incidents"
        rows = await database.fetch(stored)
        assert {row["over"] for row in rows} == {True, False}
        assert all(row["then"] for row in rows)


async def test_reboots_updates_and_times_away_are_events(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        ids = await add_hosts(database, FLEET, FROM_S)
        await write_events(database, FLEET, ids, FROM_S, BEGAN_S)
        stored = "SELECT kind, extract(epoch FROM time)::bigint AS at, ended FROM host_events WHERE host_id = $1"
        rebooted = await database.fetch(stored, ids[of_story("rebooted").name])
        assert {row["kind"]: row["at"] for row in rebooted}["reboot"] == reboot_s(of_story("rebooted"))
        assert {row["kind"] for row in rebooted} == {"reboot", "update", "away"}
        [silent] = await database.fetch(stored, ids[of_story("silent").name])
        assert (silent["kind"], silent["ended"]) == ("away", None)
