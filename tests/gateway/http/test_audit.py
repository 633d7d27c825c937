"""The audit log keeps who turned what into what, in the transaction of the change."""

from __future__ import annotations

import json

import asyncpg
from starlette.requests import Request

from infra.storage.database import connection
from services.gateway.http.audit import MOST_BYTES, note, record
from services.gateway.http.operations import NOTHING, Call, Operation
from services.gateway.http.person import Person

PERSON = Person("ada", "operator", "session", "192.0.2.7", user_id=1)


async def rows(database_url: str) -> list[asyncpg.Record]:
    async with connection(database_url, "tests") as database:
        return list(await database.fetch("SELECT * FROM audit ORDER BY id"))


async def changing(call: Call) -> None:
    """What a changing operation does."""


OPERATION = Operation("PATCH", "/hosts/{host}", changing, "hosts", "Change a host", "operator", {200: Person})
CALL = Call(OPERATION, Request({"type": "http"}), PERSON, NOTHING, None, {}, None)


async def test_a_change_is_kept_with_who_made_it_from_where_and_what_was_and_is(database_url: str) -> None:
    async with connection(database_url, "tests") as database:
        await record(database, CALL, "web-1", {"tags": ["a"]}, PERSON)
    (row,) = await rows(database_url)
    said = (row["who"], row["by"], row["address"], row["action"], row["target"])
    assert said == ("ada", "session", "192.0.2.7", "PATCH /hosts/{host}", "web-1")
    assert json.loads(row["before"]) == {"tags": ["a"]}
    assert json.loads(row["after"])["role"] == "operator"


async def test_nothing_is_kept_of_a_change_that_is_rolled_back(database_url: str) -> None:
    async with connection(database_url, "tests") as database:
        transaction = database.transaction()
        await transaction.start()
        await record(database, CALL, "web-1")
        await transaction.rollback()
    assert await rows(database_url) == []


async def test_what_postgresql_does_not_store_is_left_out(database_url: str) -> None:
    async with connection(database_url, "tests") as database:
        await note(database, "a\x00da", "nobody", "", "login", "x\ud800", after={"a\x00": ["b\x00", 1]})
    (row,) = await rows(database_url)
    assert (row["who"], row["target"], json.loads(row["after"])) == ("ada", "x?", {"a": ["b", 1]})


async def test_of_what_is_too_large_only_the_size_is_kept(database_url: str) -> None:
    async with connection(database_url, "tests") as database:
        await note(database, "ada", "session", "", "import", "", after="x" * MOST_BYTES)
    (row,) = await rows(database_url)
    assert json.loads(row["after"]) == {"bytes": MOST_BYTES + 2}
