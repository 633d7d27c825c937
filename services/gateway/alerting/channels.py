"""`/channels`: where people are told. Secrets go in and never out; a test message shows what came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infra.storage.database import Connection, Pool
from schemas.alerting import Channels, StoredChannel
from schemas.channelchecks import check_channel
from schemas.channels import Channel, keeping_secrets, secrets_set, without_secrets
from schemas.routes import ChannelId, Route
from schemas.rules import InvalidField
from services.gateway.alerting import sql_telling as sql
from services.gateway.alerting.bodies import Stored, written
from services.gateway.alerting.channel_states import channel_state
from services.gateway.alerting.routes import unreadable
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, unknown
from services.gateway.settings.announce import Announce

CHANNELS_KEY = "channels"
MOST_CHANNELS = 200
PATH = "/channels/{channel}"


class DeleteQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query of DELETE /channels/{channel}."""

    force: bool = False
    """Also take it out of the routes and fallbacks that name it."""


def channel_operations(pool: Pool, announce: Announce) -> list[Operation]:
    async def list_channels(_: Call[Nothing, None]) -> Channels:
        async with connected(pool) as database:
            rows = await database.fetch(sql.CHANNELS, None)
        stored = Stored(rows, Channel)
        return Channels(
            [_shown(stored.items[row["id"]], row) for row in rows if row["id"] in stored.items], stored.unreadable
        )

    async def get_channel(call: Call[Nothing, None]) -> Reply:
        async with connected(pool) as database:
            return await _answer(database, call.path["channel"])

    async def add_channel(call: Call[Nothing, Channel]) -> Reply:
        reply = await _add(pool, call)
        await announce(CHANNELS_KEY, 1)
        return reply

    async def put_channel(call: Call[Nothing, Channel]) -> Reply:
        reply = await _put(pool, call)
        await announce(CHANNELS_KEY, 0)
        return reply

    async def release(call: Call[Nothing, None]) -> Reply:
        reply = await _release(pool, call)
        await announce(CHANNELS_KEY, 0)
        return reply

    async def delete_channel(call: Call[DeleteQuery, None]) -> None:
        await _delete(pool, call)
        await announce(CHANNELS_KEY, 0)

    return [
        Operation(
            "GET",
            "/channels",
            list_channels,
            tag="alerting",
            summary="Every channel, without its secrets, and how it does",
            role="viewer",
            answers={200: Channels},
        ),
        Operation(
            "POST",
            "/channels",
            add_channel,
            tag="alerting",
            summary="Add a channel",
            role="admin",
            answers={201: StoredChannel},
            body=Channel,
            refuses=(409,),
        ),
        Operation(
            "GET",
            PATH,
            get_channel,
            tag="alerting",
            summary="One channel, without its secrets",
            role="viewer",
            answers={200: StoredChannel},
            path_types={"channel": ChannelId},
            refuses=(409,),
        ),
        Operation(
            "PUT",
            PATH,
            put_channel,
            tag="alerting",
            summary="Replace a channel; if it was held, it is tried again",
            role="admin",
            answers={200: StoredChannel},
            body=Channel,
            path_types={"channel": ChannelId},
            match="required",
            description="A secret that is empty stays as it is, as long as it goes to the same place as before.",
        ),
        Operation(
            "POST",
            f"{PATH}/release",
            release,
            tag="alerting",
            summary="Try a channel again that is held",
            role="operator",
            answers={200: StoredChannel},
            path_types={"channel": ChannelId},
            refuses=(409,),
        ),
        Operation(
            "DELETE",
            PATH,
            delete_channel,
            tag="alerting",
            summary="Remove a channel that nothing names, or with `force` any",
            role="admin",
            answers={204: None},
            query=DeleteQuery,
            path_types={"channel": ChannelId},
            match="optional",
            refuses=(409,),
        ),
    ]


async def _add(pool: Pool, call: Call[Nothing, Channel]) -> Reply:
    """Raises InvalidField and InvalidFields, and ProblemError 409."""
    channel = call.body
    check_channel(channel)
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        check_fallback(channel, stored.versions)
        if len(stored.versions) >= MOST_CHANNELS:
            raise ProblemError(409, f"there are {MOST_CHANNELS} channels, which is the most", type="/problems/too-many")
        if await database.fetchval(sql.INSERT_CHANNEL, channel.id, written(channel)) is None:
            detail = f"channel {channel.id!r} already exists; PUT /api/v1/channels/{channel.id} replaces it"
            raise ProblemError(409, detail, type="/problems/exists")
        await record(database, call, channel.id, None, audited(channel))
        return await _answer(database, channel.id, 201)


async def _put(pool: Pool, call: Call[Nothing, Channel]) -> Reply:
    """Raises InvalidField and InvalidFields, and ProblemError 404 and 412."""
    name = call.path["channel"]
    if call.body.id != name:
        raise InvalidField("id", call.body.id, f"must be {name!r}, the id in the path")
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        _expect(call, stored)
        before = stored.items.get(name)
        after = keeping_secrets(before, call.body)
        check_channel(after)
        check_fallback(after, stored.versions)
        await database.fetchval(sql.UPDATE_CHANNEL, name, written(after))
        await database.execute(sql.RELEASE_CHANNEL, name)
        await record(database, call, name, before and audited(before), audited(after))
        return await _answer(database, name)


async def _release(pool: Pool, call: Call[Nothing, None]) -> Reply:
    """Raises ProblemError 404, and 409 for one that cannot be read."""
    name = call.path["channel"]
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        reply = await _answer(database, name)
        state = reply.body.state
        await database.execute(sql.RELEASE_CHANNEL, name)
        held = {"held": state.held_reason} if state.held_since is not None else None
        await record(database, call, name, held, {"held": ""})
        return await _answer(database, name)


async def _delete(pool: Pool, call: Call[DeleteQuery, None]) -> None:
    """Raises ProblemError 404 and 412, and 409 while routes or other channels name it."""
    name = call.path["channel"]
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        _expect(call, stored)
        routes = Stored(await database.fetch(sql.ROUTES), Route)
        naming = [route for route in routes.items.values() if without_channel(route, name) != route]
        falling = [channel for channel in stored.items.values() if channel.fallback == name and channel.id != name]
        if (naming or falling) and not call.query.force:
            raise in_use(name, naming, falling)
        for route in naming:
            left = without_channel(route, name)
            await database.fetchval(sql.UPDATE_ROUTE, route.id, written(left))
            await record(database, call, f"route {route.id}", route, left)
        for channel in falling:
            await database.fetchval(sql.UPDATE_CHANNEL, channel.id, written(replace(channel, fallback="")))
            after = audited(replace(channel, fallback=""))
            await record(database, call, f"channel {channel.id}", audited(channel), after)
        await database.execute(sql.DELETE_CHANNEL, name)
        before = stored.items.get(name)
        await record(database, call, name, {} if before is None else audited(before), None)


def without_channel(route: Route, name: str) -> Route:
    """`route` as it is without a channel; an escalation to nobody is none."""
    escalation = route.escalation
    if escalation is not None and name in escalation.channels:
        left = [each for each in escalation.channels if each != name]
        escalation = replace(escalation, channels=left) if left else None
    return replace(route, channels=[each for each in route.channels if each != name], escalation=escalation)


def in_use(name: str, routes: list[Route], channels: list[Channel]) -> ProblemError:
    by = [f"route {route.id}" for route in routes] + [f"fallback of {channel.id}" for channel in channels]
    named = ", ".join(by[:10]) + (f" and {len(by) - 10} more" if len(by) > 10 else "")
    detail = f"channel {name!r} is named by {named}; change those, or take it out of them with ?force=true"
    return ProblemError(409, detail, type="/problems/in-use")


def check_fallback(channel: Channel, there: Mapping[str, int]) -> None:
    if channel.fallback and channel.fallback not in there:
        remedy = "there is no such channel; GET /api/v1/channels lists all; empty: none"
        raise InvalidField("fallback", channel.fallback, remedy)


def audited(channel: Channel) -> dict[str, Any]:
    """What the audit log keeps: of secrets only which are set."""
    shown: dict[str, Any] = msgspec.to_builtins(without_secrets(channel))
    return {**shown, "secrets": secrets_set(channel)}


async def _stored(database: Connection) -> Stored[Channel]:
    return Stored(await database.fetch(sql.CHANNEL_BODIES), Channel)


def _expect(call: Call[Any, Any], stored: Stored[Channel]) -> None:
    """Raises ProblemError 404 and 412."""
    name = call.path["channel"]
    version = stored.versions.get(name)
    if version is None:
        raise unknown("channel", name)
    if call.expected not in (None, version):
        raise conflict("channel", name, version)


def _shown(channel: Channel, row: Mapping[str, Any]) -> StoredChannel:
    return StoredChannel(without_secrets(channel), row["version"], secrets_set(channel), channel_state(row))


async def _answer(database: Connection, name: str, status: int = 200) -> Reply:
    """Raises ProblemError 404, and 409 for one that cannot be read."""
    row = await database.fetchrow(sql.CHANNELS, name)
    if row is None:
        raise unknown("channel", name)
    stored = Stored([row], Channel)
    if name not in stored.items:
        raise unreadable("channel", name, row["version"])
    return Reply.versioned(_shown(stored.items[name], row), row["version"], status)
