"""`/preferences`: how somebody wants the dashboard, in every browser of theirs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from infra.storage.database import Connection
from schemas.views import Preferences, StoredPreferences
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import conflict
from services.gateway.people import sql_views
from services.gateway.people.admit import no_account, some_account
from services.gateway.people.people import People


def preference_operations(people: People) -> list[Operation]:
    async def get_preferences(call: Call[Nothing, None]) -> Reply:
        if call.person.user_id is None:
            return _reply(Preferences(), 0)
        async with connected(people.pool) as database:
            return _reply(*await _stored(database, call.person.user_id))

    async def put_preferences(call: Call[Nothing, Preferences]) -> Reply:
        user_id, wanted = some_account(call.person), call.body
        async with connected(people.pool) as database, database.transaction():
            if not await database.fetchval(sql_views.LOCK_OWNER, user_id):
                raise no_account()
            before, version = await _stored(database, user_id)
            body = msgspec.json.encode(wanted).decode()
            new = await database.fetchval(sql_views.PUT_PREFERENCES, user_id, body, call.expected)
            if new is None:
                raise conflict("the set of preferences of", call.person.name, version)
            await record(database, call, call.person.name, before, wanted)
        return _reply(wanted, new)

    return [
        Operation(
            "GET",
            "/preferences",
            get_preferences,
            "people",
            "How one wants the dashboard: start page, time zone, units",
            "viewer",
            {200: StoredPreferences},
        ),
        Operation(
            "PUT",
            "/preferences",
            put_preferences,
            "people",
            "Change how one wants the dashboard",
            "viewer",
            {200: StoredPreferences},
            body=Preferences,
            match="optional",
        ),
    ]


def _reply(preferences: Preferences, version: int) -> Reply:
    return Reply.versioned(StoredPreferences(**msgspec.structs.asdict(preferences), version=version), version)


async def _stored(database: Connection, user_id: int) -> tuple[Preferences, int]:
    """What a user prefers, and its version: 0 while nothing is stored."""
    row = await database.fetchrow(sql_views.PREFERENCES, user_id)
    return (Preferences(), 0) if row is None else (readable(row["body"]), row["version"])


def readable(body: str) -> Preferences:
    """Stored preferences. Each that another version stored and this one cannot read is the default."""
    stored = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Preferences):
        if field.encode_name in stored:
            with suppress(msgspec.DecodeError):
                found[field.name] = msgspec.json.decode(stored[field.encode_name], type=field.type)
    return Preferences(**found)
