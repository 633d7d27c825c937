"""`sonde storage` and `sonde retention --once | --dry-run` as people start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from infra.storage.database import connection
from infra.storage.engine import detect
from schemas.families import CPU, DISK
from services.retention import sql
from tests.infra import families

CATALOGUE = (CPU, DISK)


def sonde(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sonde` with these arguments, on this database."""
    environment = os.environ | {"SONDE_DATABASE_URL": url}
    command = [sys.executable, "-m", "infra.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


async def fill(url: str) -> None:
    """Rows of one host, nine days ago and for half an hour until now, marked."""
    now = datetime.now(UTC)
    async with connection(url, "test") as database:
        engine = await detect(database)
        times = [now - timedelta(days=9), *(now - timedelta(seconds=second) for second in range(1800))]
        await families.put(database, engine, *times, catalogue=CATALOGUE)
        await database.execute("UPDATE hosts SET last_sample = $1, first_seen = $2", now, now - timedelta(days=9))
        await database.execute(
            "INSERT INTO dirty_minutes (host_id, slot) SELECT id, date_bin('10 min', $1, '1970-01-01Z') FROM hosts",
            times[0],
        )


async def test_storage_shows_families_with_rows_and_the_sum(database_url: str) -> None:
    await fill(database_url)
    shown = sonde(database_url, "storage")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:4] == ["FAMILY", "KIND", "ROWS", "(EST.)"]
    assert [line.split()[:2] for line in lines[1:7]] == [
        ["cpu", "raw"],
        ["disk", "raw"],
        ["all", "raw"],
        ["all", "minute"],
        ["all", "hour"],
        ["all", "all"],
    ]
    assert "kept: raw 7 days, minutes 30, hours 730" in lines
    assert any(line.startswith("need: ") and "at today's rate" in line for line in lines)


async def test_storage_by_day(database_url: str) -> None:
    await fill(database_url)
    shown = sonde(database_url, "storage", "--days")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("RAW DAY")
    assert f"\n{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d}  " in shown.stdout


async def test_storage_as_json_is_one_object(database_url: str) -> None:
    await fill(database_url)
    shown = json.loads(sonde(database_url, "storage", "--json").stdout)
    assert {each["family"] for each in shown["tables"] if each["rows"]} == {"cpu", "disk"}
    assert shown["kept"] == {"raw_days": 7, "minute_days": 30, "hour_days": 730}
    assert shown["need_bytes"] > 0
    assert shown["database_bytes"] > 0


async def test_storage_of_a_new_database_says_that_it_is_empty(database_url: str) -> None:
    shown = sonde(database_url, "storage")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("no rows yet\n")


def test_without_a_database_it_is_one_line() -> None:
    for arguments in (["storage"], ["retention", "--once"], ["retention", "--dry-run"]):
        shown = sonde("postgresql://postgres@127.0.0.1:1/sonde", *arguments)
        assert shown.returncode == 2
        assert len(shown.stderr.splitlines()) == 1


async def test_with_an_invalid_setting_each_is_one_line_that_names_it(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO settings (key, value) VALUES ('raw_days', '0')")
    for arguments in (["storage"], ["retention", "--once"], ["retention", "--dry-run"]):
        shown = sonde(database_url, *arguments)
        assert shown.returncode == 2
        [line] = shown.stderr.splitlines()
        assert "raw_days is stored as 0" in line


async def test_a_dry_run_tells_and_a_run_does(database_url: str) -> None:
    await fill(database_url)
    told = sonde(database_url, "retention", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "nothing was changed" in told.stdout
    done = sonde(database_url, "retention", "--once")
    assert done.returncode == 0, done.stderr
    day = f"{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d}"
    assert f"drop  cpu    {day}" in told.stdout.replace("  compress", "")
    assert "dropped" in done.stdout
    assert "rolled up 1 10-minute slots" in done.stdout
    async with connection(database_url, "test") as database:
        assert await database.fetchval("SELECT count(*) FROM cpu WHERE time < now() - interval '8 days'") == 0
        assert await database.fetchval("SELECT count(*) FROM cpu_1h") >= 1


async def test_beside_a_running_service_once_says_what_to_do(database_url: str) -> None:
    async with connection(database_url, "retention") as service:
        await service.fetchval(sql.TRY_LOCK)
        shown = sonde(database_url, "retention", "--once")
    assert shown.returncode == 2
    assert "the service is running and holds the lock: sonde retention from 127.0.0.1" in shown.stderr
    assert "no run yet" in shown.stderr


async def test_once_beside_a_service_advises_no_change_of_a_setting(database_url: str) -> None:
    async with connection(database_url, "retention") as service:
        await service.fetchval(sql.TRY_LOCK)
        shown = sonde(database_url, "retention", "--once")
    assert "raw_days" not in shown.stderr
    assert shown.stderr.endswith("wait for its next run, or restart it\n")


def test_once_and_dry_run_exclude_each_other() -> None:
    shown = sonde("postgresql://nobody@127.0.0.1:1/x", "retention", "--once", "--dry-run")
    assert shown.returncode == 2
    assert "not allowed with" in shown.stderr
