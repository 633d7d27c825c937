"""Too much at once: storms, and more messages than people read."""

from __future__ import annotations

from services.alerts.notify.drafts import BUDGET, BUDGET_S
from tests.alerts.notify.stage import Stage, told


def test_many_hosts_at_once_are_one_message() -> None:
    stage = Stage()
    for number in range(10_000):
        stage.fire(f"web-{number}")
    sent = stage.run(60)
    assert [(it.form, len(it.said)) for it in sent] == [("storm", 10_000)]


def test_news_of_a_storm_is_told_once_a_minute_and_then_less_often() -> None:
    stage = Stage()
    for turn in range(30):
        for number in range(12):
            stage.fire(f"web-{turn}-{number}")
        stage.run(20)
    assert [it.second for it in stage.sent] == [0.3, 60.3, 180.3, 420.3]


def test_a_storm_is_over_when_its_next_message_has_nothing_to_tell() -> None:
    stage = Stage()
    for number in range(20):
        stage.fire(f"web-{number}")
    stage.run(100)
    stage.fire("web-99")
    assert told(stage.run(100)) == [(100.3, "slack", "fire web-99")]


def test_the_ends_of_a_storm_are_one_message() -> None:
    stage = Stage()
    numbers = [stage.fire(f"web-{number}") for number in range(500)]
    stage.run(100)
    stage.end(*numbers)
    assert [(it.form, len(it.said)) for it in stage.run(100)] == [("storm", 500)]


def test_more_messages_than_the_budget_are_told_in_one() -> None:
    stage = Stage()
    for number in range(60):
        stage.fire(f"web-{number}")
        stage.run(5)
    stage.run(BUDGET_S)
    assert len(stage.sent) < BUDGET + 6
    assert sum(len(it.said) for it in stage.sent) == 60


def test_a_storm_goes_on_over_a_restart() -> None:
    stage = Stage()
    for number in range(20):
        stage.fire(f"web-{number}")
    stage.run(5)
    stage.restart()
    stage.fire("web-99")
    assert [it.second for it in stage.run(100)] == [60.3]


def test_what_is_graver_than_a_storm_does_not_wait_for_its_next_message() -> None:
    stage = Stage()
    for number in range(20):
        stage.fire(f"web-{number}", level=1)
    stage.run(5)
    stage.fire("db-1", level=2)
    stage.fire("db-2", level=1)
    assert told(stage.run(100)) == [(5.3, "slack", "fire db-1"), (60.3, "slack", "fire db-2")]


def test_many_that_are_graver_than_a_storm_are_one_message() -> None:
    stage = Stage()
    for number in range(20):
        stage.fire(f"web-{number}", level=1)
    stage.run(5)
    for number in range(20):
        stage.fire(f"db-{number}", level=2)
    stage.run(5)
    for number in range(20):
        stage.fire(f"app-{number}", level=2)
    assert [(it.second, it.form, len(it.said)) for it in stage.run(100)] == [(60.3, "storm", 20)]
    assert [(it.second, it.form, len(it.said)) for it in stage.sent][1] == (5.3, "storm", 20)


def test_what_is_graver_is_told_in_one_message_once_the_budget_is_spent() -> None:
    stage = Stage()
    for number in range(BUDGET):
        stage.fire(f"web-{number}", level=1)
        stage.run(3)
    stage.fire("web-99", level=1)
    stage.run(3)
    before = len(stage.sent)
    for number in range(10):
        stage.fire(f"db-{number}", level=2)
        stage.run(3)
    assert len(stage.sent) == before + 1
    stage.run(BUDGET_S)
    assert sum(len(it.said) for it in stage.sent) == BUDGET + 11
