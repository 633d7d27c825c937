"""A database of the version before people tagged hosts: what agents called themselves is not lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.storage.database import connection
from infra.storage.engine import detect
from infra.storage.migrate import MIGRATIONS, migrate
from tests.infra.families import HOUSE


@pytest.mark.parametrize(
    ("given", "facts", "after"),
    [
        ("{prod}", '{"tags": ["web", "prod", "eu"]}', ["prod", "eu", "web"]),
        ("{}", "{}", []),
        ("{}", '{"tags": "web"}', []),
        ("{}", '{"tags": ["two words", "a,b", "", "fine"]}', ["fine"]),
    ],
    ids=["both are kept, given ones first", "none", "facts that are no list", "tags that nobody may give"],
)
async def test_tags_that_agents_gave_themselves_become_tags_of_the_host(
    blank_database_url: str, tmp_path: Path, given: str, facts: str, after: list[str]
) -> None:
    for migration in MIGRATIONS.glob("000[1-5]_*.sql"):
        shutil.copy(migration, tmp_path)
    async with connection(blank_database_url, "test") as database:
        engine = await detect(database, HOUSE)
        await migrate(database, engine, HOUSE, tmp_path)
        await database.execute(
            f"INSERT INTO hosts (name, tags, facts) VALUES ('web-1', '{given}', '{facts}')"  # noqa: S608
        )
        await migrate(database, engine, HOUSE)
        assert await database.fetchval("SELECT tags FROM hosts") == after
