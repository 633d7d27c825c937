"""One run on a real database: what goes, what stays, what it leaves behind."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import asyncpg
import pytest

from infra.storage.database import Connection, connection
from schemas.channels import Channel, Slack
from services.retention import sql
from services.retention.job import prune
from services.retention.report import Run
from services.retention.rollup import roll_up
from tests.gateway.incidents import end_incident, message, open_incident, store_channel, told
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, ago, now, put, set_, times_of


async def horizon(database: Connection) -> object:
    return await database.fetchval(sql.HORIZON)


async def test_days_older_than_the_setting_go_and_the_others_stay(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(8), ago(7, 0), now())
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert run.raw_days == 7
        assert {part.table for part in run.dropped} == {"room", "shelf"}
        assert await times_of(database, "room") == [ago(7, 0), now()]


async def test_what_goes_has_its_roll_up(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(9), now())
        await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [now()]
        assert await database.fetch("SELECT time, temperature_n FROM room_1m WHERE time < $1", ago(1)) == [(ago(9), 1)]
        assert await database.fetch("SELECT time, load_n FROM shelf_1h WHERE time < $1", ago(1)) == [(ago(9), 1)]


async def test_the_setting_decides(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(3), ago(2), ago(1), now())
        await set_(database, raw_days=2)
        await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [ago(2), ago(1), now()]


async def test_the_horizon_is_where_raw_rows_end(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await prune(database, HOUSE, now(), PLENTY)
        assert await horizon(database) == ago(7, 0)


async def test_roll_ups_have_horizons_of_their_own(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await prune(database, HOUSE, now(), PLENTY)
        rows = await database.fetch("SELECT name, before FROM horizons")
        assert dict(rows) == {"raw": ago(7, 0), "minute": ago(30, 0), "hour": ago(730, 0)}


async def test_the_horizon_never_goes_back(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await set_(database, raw_days=2)
        await prune(database, HOUSE, now(), PLENTY)
        await set_(database, raw_days=30)
        await prune(database, HOUSE, now(), PLENTY)
        assert await horizon(database) == ago(2, 0)


async def test_a_run_waits_for_the_flush_under_way(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as flushing:
        await put(database, engine, now())
        async with flushing.transaction():
            await flushing.fetchval(f"{sql.HORIZON} FOR SHARE")
            await database.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await prune(database, HOUSE, now(), PLENTY)
        await prune(database, HOUSE, now(), PLENTY)
        assert await horizon(database) == ago(7, 0)


async def test_minutes_go_after_their_days_and_hours_stay(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(40), now())
        await prune(database, HOUSE, now(), PLENTY)
        assert [time for time in await times_of(database, "room_1m") if time < ago(1)] == []
        assert [time for time in await times_of(database, "room_1h") if time < ago(1)] == [ago(40)]


async def test_hours_go_after_their_days(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(70), ago(29), now())
        await set_(database, hour_days=30)
        await prune(database, HOUSE, now(), PLENTY)
        assert [time for time in await times_of(database, "room_1h") if time < ago(36)] == []
        assert ago(29) in await times_of(database, "room_1h")


async def test_settings_at_odds_keep_the_roll_up_as_long_as_the_rows(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(40), now())
        await set_(database, raw_days=60)
        await prune(database, HOUSE, now(), PLENTY)
        assert ago(40) in await times_of(database, "room")
        assert ago(40) in await times_of(database, "room_1m")


async def test_a_failing_roll_up_keeps_the_rows(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(9), now())
        await database.execute("ALTER TABLE room_1m RENAME TO elsewhere")
        with pytest.raises(asyncpg.UndefinedTableError):
            await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [ago(9), now()]


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON room_1m FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


async def test_a_disk_too_full_to_roll_up_loses_the_days_that_need_none(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(10), ago(9))
        await roll_up(database, engine, HOUSE, now())
        await put(database, engine, ago(9, 13), now())
        await database.execute(FULL)
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert run.report.waiting_since == ago(9, 13)
        assert await times_of(database, "room") == [ago(9), ago(9, 13), now()]


async def test_what_takes_too_long_to_compress_does_not_end_the_run(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(blank_database_url) as (database, engine):
        if engine.name == "native":
            pytest.skip("no TimescaleDB: set SONDE_TEST_DATABASE_URL to a server that has it")
        monkeypatch.setattr("infra.storage.engines.timescale.COMPRESS_S", 1e-6)
        await put(database, engine, ago(15), now())
        await prune(database, HOUSE, now(), PLENTY)
        assert "compression failed" in caplog.messages
        assert await database.fetchval("SELECT count(*) FROM retention_runs") == 1


LATE = """
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.hour = '{hour}' THEN INSERT INTO dirty_minutes VALUES (OLD.host_id, OLD.hour); END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER late BEFORE DELETE ON dirty_hours FOR EACH ROW EXECUTE FUNCTION late();
"""
"""Marks a slot of that hour again when the hour has just been rolled up."""


async def test_a_day_that_waits_for_its_roll_up_stays_with_all_later_ones(
    blank_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(11), ago(10), ago(9), now())
        await database.execute(LATE.format(hour=ago(10).isoformat()))
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert run.report.waiting_since == ago(10)
        assert await times_of(database, "room") == [ago(10), ago(9), now()]
        assert [
            record.levelname
            for record in caplog.records
            if record.message == "raw rows not rolled up yet, their days are kept"
        ] == ["ERROR"]
        await database.execute("DROP TRIGGER late ON dirty_hours")
        await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [now()]


async def test_a_run_leaves_a_row_that_says_what_it_did(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(10))
        await put(database, engine, now())
        await prune(database, HOUSE, now(), PLENTY)
        row = await database.fetchrow("SELECT * FROM retention_runs")
    assert row is not None
    dropped, report = json.loads(row["dropped"]), json.loads(row["report"])
    assert [part["table"] for part in dropped] == ["room", "shelf"]
    assert row["bytes"] == sum(part["bytes"] for part in dropped) > 0
    assert row["started"] == now()
    gone = [done for done in report["done"] if done["what"] == "dropped"]
    assert [(done["family"], done["kind"], done["parts"]) for done in gone] == [("room", "raw", 1), ("shelf", "raw", 1)]
    assert report["raw_before"] == ago(7, 0).isoformat().replace("+00:00", "Z")


async def test_cold_days_become_columnar_and_again_after_late_rows(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        if engine.name == "native":
            pytest.skip("no TimescaleDB: set SONDE_TEST_DATABASE_URL to a server that has it")
        await put(database, engine, ago(3), ago(1), now())
        first = await prune(database, HOUSE, now(), PLENTY)
        second = await prune(database, HOUSE, now(), PLENTY)
        await put(database, engine, ago(3, 13))
        third = await prune(database, HOUSE, now(), PLENTY)

        def raw(run: Run | None) -> list[tuple[str, int]]:
            assert run is not None
            return [(each.family, each.parts) for each in run.report.done if each.kind == "raw"]

        assert [raw(first), raw(second), raw(third)] == [[("room", 1), ("shelf", 1)], [], [("room", 1), ("shelf", 1)]]
        assert await times_of(database, "room") == [ago(3), ago(3, 13), ago(1), now()]


async def test_a_run_is_one_log_line(blank_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with house(blank_database_url) as (database, _):
        with caplog.at_level(logging.INFO, "services.retention"):
            await prune(database, HOUSE, now(), PLENTY)
    assert [record.getMessage() for record in caplog.records] == ["pruned"]
    assert caplog.records[0].__dict__["before"] == f"{ago(7):%Y-%m-%d}"


async def test_there_is_room_for_rows_of_two_days_ahead(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        await prune(database, HOUSE, now(), PLENTY)
        times = [now(), now() + timedelta(days=1), now() + timedelta(days=2)]
        await database.executemany("INSERT INTO room (time, host_id) VALUES ($1, 1)", [(time,) for time in times])
        assert await times_of(database, "room") == times


async def test_one_process_prunes_at_a_time(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as other:
        await put(database, engine, ago(11), now())
        assert await other.fetchval(sql.TRY_LOCK)
        assert await prune(database, HOUSE, now(), PLENTY) is None
        assert await times_of(database, "room") == [ago(11), now()]
        await other.execute(sql.UNLOCK)
        assert await prune(database, HOUSE, now(), PLENTY) is not None


async def test_old_incidents_go_with_what_was_told_of_them(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await store_channel(database, Channel("ops", "Operators", Slack()))
        kept = []
        for number, days in enumerate((731, 729)):
            opened_s = ago(days).timestamp()
            incident = await open_incident(database, rule=f"rule-{number}", opened_s=opened_s)
            await end_incident(database, incident, opened_s + 60)
            await told(database, incident, "ops", 0)
            await message(database, "ops", incident=incident)
            kept.append(incident)
        await database.execute(
            "UPDATE notifications SET made = i.opened FROM incidents i, notification_items t "
            "WHERE t.notification_id = notifications.id AND i.id = t.incident_id"
        )
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert (run.report.transitions, run.report.incidents, run.report.notifications) == (2, 1, 1)
        for table in ("alert_transitions", "told", "notification_items"):
            left = await database.fetch(f"SELECT DISTINCT incident_id FROM {table}")  # noqa: S608
            assert [row["incident_id"] for row in left] == kept[1:], table


async def test_an_incident_that_goes_on_is_kept_however_old_it_is(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await open_incident(database, opened_s=ago(2000).timestamp())
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert run.report.incidents == 0
        assert await database.fetchval("SELECT count(*) FROM incidents") == 1


async def test_events_of_hosts_go_with_the_hours(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        host_id = await database.fetchval("INSERT INTO hosts (name) VALUES ('web-1') RETURNING id")
        for days in (800, 700):
            await database.execute(
                "INSERT INTO host_events (host_id, time, kind) VALUES ($1, $2, 'update')", host_id, ago(days)
            )
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert (run.report.events, await database.fetchval("SELECT count(*) FROM host_events")) == (1, 1)


async def test_silences_go_long_after_their_end(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        for days in (731, 729):
            await database.execute(
                "INSERT INTO silences (starts, ends, body, by) VALUES ($1, $1, '{}', 'root')", ago(days)
            )
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert (run.report.silences, await database.fetchval("SELECT count(*) FROM silences")) == (1, 1)


async def test_reports_of_runs_are_kept_for_ninety_days(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        await database.executemany(
            "INSERT INTO retention_runs (started, seconds, dropped, bytes) VALUES ($1, 1, '[]', 0)",
            [(now() - timedelta(days=91),), (now() - timedelta(days=89),)],
        )
        await prune(database, HOUSE, now(), PLENTY)
        assert await database.fetchval("SELECT min(started) FROM retention_runs") == now() - timedelta(days=89)
