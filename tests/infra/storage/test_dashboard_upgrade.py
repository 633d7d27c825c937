"""A database of the version before marks: the boots and settings that it knows of are events of its hosts."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.storage.database import connection
from infra.storage.engine import detect
from infra.storage.migrate import MIGRATIONS, migrate
from tests.infra.families import HOUSE

SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def after(hours: float) -> float:
    """Unix seconds, so long after the host was first seen."""
    return (SEEN + timedelta(hours=hours)).timestamp()


async def upgraded(url: str, directory: Path, facts: dict[str, Any]) -> list[tuple[str, str, datetime]]:
    """Kind, key and time of the events of a host with those facts, whose settings are of revision 1."""
    for migration in MIGRATIONS.glob("000[1-7]_*.sql"):
        shutil.copy(migration, directory)
    async with connection(url, "test") as database:
        engine = await detect(database, HOUSE)
        await migrate(database, engine, HOUSE, directory)
        await database.execute(
            "INSERT INTO hosts (name, first_seen, facts) VALUES ('web-1', $1, $2)", SEEN, json.dumps(facts)
        )
        await database.execute("INSERT INTO agent_configs (body, changed) VALUES ('{}', $1)", SEEN)
        await migrate(database, engine, HOUSE)
        rows = await database.fetch("SELECT kind, key, time FROM host_events ORDER BY kind")
        return [(row["kind"], row["key"], row["time"]) for row in rows]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"boot_id": "b", "boot_time": after(2)}, [("reboot", "b", SEEN + timedelta(hours=2))]),
        ({"boot_time": after(2)}, [("reboot", str(round(after(2))), SEEN + timedelta(hours=2))]),
        ({"boot_id": "b", "boot_time": after(-2)}, []),
        ({"boot_id": "b", "boot_time": 1e300}, []),
        ({"boot_id": "b", "boot_time": "yesterday"}, []),
        ({"config_revision": 1}, [("settings", "1", SEEN)]),
        ({"config_revision": 7}, []),
        ({}, []),
    ],
)
async def test_what_is_known_of_a_host_becomes_events(
    facts: dict[str, Any],
    expected: list[tuple[str, str, datetime]],
    blank_database_url: str,
    tmp_path: Path,
) -> None:
    assert await upgraded(blank_database_url, tmp_path, facts) == expected
