"""Which moments divide what is dropped, compressed and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.retention.policy import cold_before, cutoff, room_until

NOW = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)

moments = st.integers(1_600_000_000, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def test_seven_days_keep_seven_whole_days_and_today() -> None:
    assert cutoff(NOW, 7) == datetime(2026, 11, 14, tzinfo=UTC)


def test_the_day_is_utcs_and_not_the_clocks_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert cutoff(datetime(2026, 11, 22, 3, tzinfo=tokyo), 1) == datetime(2026, 11, 20, tzinfo=UTC)


def test_yesterday_is_not_cold_yet() -> None:
    assert cold_before(NOW) == datetime(2026, 11, 20, tzinfo=UTC)


def test_there_is_room_for_two_days_ahead() -> None:
    assert room_until(NOW) == NOW + timedelta(days=2)


@given(moments, st.integers(1, 3650))
def test_nothing_younger_than_the_setting_is_dropped(now: datetime, raw_days: int) -> None:
    assert now - cutoff(now, raw_days) >= timedelta(days=raw_days)


@given(moments, st.integers(1, 3650))
def test_nothing_lives_a_day_longer_than_the_setting(now: datetime, raw_days: int) -> None:
    assert now - cutoff(now, raw_days) < timedelta(days=raw_days + 1)


@given(moments, st.integers(1, 3650))
def test_the_cutoff_is_a_midnight(now: datetime, raw_days: int) -> None:
    assert cutoff(now, raw_days).time() == datetime.min.time()


@given(moments, st.timedeltas(timedelta(0), timedelta(days=400)), st.integers(1, 3650))
def test_time_never_brings_a_dropped_day_back(now: datetime, later: timedelta, raw_days: int) -> None:
    assert cutoff(now + later, raw_days) >= cutoff(now, raw_days)
