"""Working and quiet hours by the clock of a zone, changes of clocks included."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.routes import DAYS, Hours, Span
from services.alerts.notify.hours import telling

WEEK: list[Any] = list(DAYS)
BERLIN = "Europe/Berlin"
NIGHTS = Hours([Span(WEEK, "22:00", "07:00")], "quiet", BERLIN)
OFFICE = Hours([Span(WEEK[:5], "09:00", "17:00")], "working", BERLIN)


def at(text: str, zone: str = BERLIN, fold: int = 0) -> float:
    """Unix seconds of a moment such as `2026-06-01 08:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def test_quiet_hours_hold_within_their_spans() -> None:
    assert not telling(NIGHTS, at("2026-06-01 23:00")).open


def test_quiet_hours_let_through_outside_of_their_spans() -> None:
    assert telling(NIGHTS, at("2026-06-01 12:00")).open


def test_working_hours_let_through_within_their_spans_only() -> None:
    assert telling(OFFICE, at("2026-06-01 12:00")).open
    assert not telling(OFFICE, at("2026-06-01 20:00")).open


def test_working_hours_of_weekdays_hold_the_whole_weekend() -> None:
    said = telling(OFFICE, at("2026-06-06 12:00"))
    assert (said.since_s, said.until_s) == (at("2026-06-05 17:00"), at("2026-06-08 09:00"))


def test_a_span_over_midnight_ends_on_the_next_day() -> None:
    said = telling(NIGHTS, at("2026-06-02 03:00"))
    assert (said.since_s, said.until_s) == (at("2026-06-01 22:00"), at("2026-06-02 07:00"))


def test_a_span_begins_with_its_first_second_and_ends_before_its_last() -> None:
    assert not telling(NIGHTS, at("2026-06-01 22:00")).open
    assert telling(NIGHTS, at("2026-06-02 07:00")).open


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    sundays = Hours([Span(["sun"], "22:00", "07:00")], "quiet", BERLIN)
    assert not telling(sundays, at("2026-06-08 06:00")).open
    assert telling(sundays, at("2026-06-07 06:00")).open


def test_spans_that_touch_are_one() -> None:
    hours = Hours([Span(WEEK, "00:00", "12:00"), Span(WEEK, "12:00", "24:00")], "working", BERLIN)
    said = telling(hours, at("2026-06-03 15:00"))
    assert said.open
    assert said.until_s - said.since_s > 7 * 86400


def test_a_whole_day_is_from_midnight_to_midnight() -> None:
    saturdays = Hours([Span(["sat"], "00:00", "24:00")], "quiet", BERLIN)
    said = telling(saturdays, at("2026-06-06 12:00"))
    assert (said.since_s, said.until_s) == (at("2026-06-06 00:00"), at("2026-06-07 00:00"))


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    said = telling(NIGHTS, at("2026-03-29 01:00"))
    assert said.until_s - said.since_s == 8 * 3600


def test_the_night_in_which_clocks_go_back_is_an_hour_longer() -> None:
    said = telling(NIGHTS, at("2026-10-25 01:00"))
    assert said.until_s - said.since_s == 10 * 3600


def test_a_beginning_that_clocks_skip_counts_as_the_zone_has_it() -> None:
    early = Hours([Span(WEEK, "02:30", "06:00")], "quiet", BERLIN)
    said = telling(early, at("2026-03-29 05:00"))
    assert said.since_s == at("2026-03-29 03:30")


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    assert not telling(NIGHTS, at("2026-10-25 02:30")).open
    assert not telling(NIGHTS, at("2026-10-25 02:30", fold=1)).open


def test_the_zone_decides() -> None:
    tokyo = Hours([Span(WEEK, "22:00", "07:00")], "quiet", "Asia/Tokyo")
    assert not telling(tokyo, at("2026-06-01 23:00", "Asia/Tokyo")).open
    assert telling(tokyo, at("2026-06-01 01:00")).open


TIMES = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
SPANS = st.builds(Span, st.lists(st.sampled_from(WEEK), min_size=1, max_size=7, unique=True), TIMES, TIMES)
HOURS = st.builds(
    Hours,
    st.lists(SPANS, min_size=1, max_size=4),
    st.sampled_from(["working", "quiet"]),
    st.sampled_from([BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)


@given(HOURS, st.integers(1_700_000_000, 1_900_000_000))
def test_what_is_said_of_a_moment_holds_until_the_moment_it_names(hours: Hours, now_s: int) -> None:
    said = telling(hours, now_s)
    assert said.since_s <= now_s < said.until_s
    if said.until_s - now_s < 7 * 86400:
        assert telling(hours, said.until_s - 1).open == said.open
        assert telling(hours, said.until_s).open != said.open
