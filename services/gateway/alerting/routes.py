"""`/routes`: which alerts go where, in the order in which routes are tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from infra.storage.database import Connection, Pool
from schemas.alerting import RouteOrder, Routes, StoredRoute
from schemas.routes import Route, RouteId, check_route
from schemas.rules import InvalidField, InvalidFields
from services.gateway.alerting import sql_telling as sql
from services.gateway.alerting.bodies import Stored, written
from services.gateway.alerting.routing import ordered
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, unknown
from services.gateway.settings.announce import Announce

ROUTES_KEY = "routes"
MOST_ROUTES = 500
STEP = 10
"""Between the positions of routes that were put in order."""
_PATH = "/routes/{route}"


def route_operations(pool: Pool, announce: Announce) -> list[Operation]:
    async def list_routes(_: Call[Nothing, None]) -> Routes:
        async with connected(pool) as database:
            return _listed(await _stored(database))

    async def get_route(call: Call[Nothing, None]) -> Reply:
        async with connected(pool) as database:
            stored = await _stored(database)
        return _answer(stored, _found(stored, call.path["route"]))

    async def add_route(call: Call[Nothing, Route]) -> Reply:
        version = await _add(pool, call)
        await announce(ROUTES_KEY, version)
        return Reply.versioned(StoredRoute(call.body, version), version, 201)

    async def put_route(call: Call[Nothing, Route]) -> Reply:
        version = await _put(pool, call)
        await announce(ROUTES_KEY, version)
        return Reply.versioned(StoredRoute(call.body, version), version)

    async def delete_route(call: Call[Nothing, None]) -> None:
        await announce(ROUTES_KEY, await _delete(pool, call))

    async def order(call: Call[Nothing, RouteOrder]) -> Routes:
        answer = await _put_in_order(pool, call)
        await announce(ROUTES_KEY, 0)
        return answer

    return [
        Operation(
            "GET",
            "/routes",
            list_routes,
            tag="alerting",
            summary="Every route with its version, in the order in which they are tried",
            role="viewer",
            answers={200: Routes},
        ),
        Operation(
            "POST",
            "/routes",
            add_route,
            tag="alerting",
            summary="Add a route",
            role="operator",
            answers={201: StoredRoute},
            body=Route,
            refuses=(409,),
        ),
        Operation(
            "POST",
            "/routes/order",
            order,
            tag="alerting",
            summary="Put the routes in order",
            role="operator",
            answers={200: Routes},
            body=RouteOrder,
        ),
        Operation(
            "GET",
            _PATH,
            get_route,
            tag="alerting",
            summary="One route",
            role="viewer",
            answers={200: StoredRoute},
            path_types={"route": RouteId},
            refuses=(409,),
        ),
        Operation(
            "PUT",
            _PATH,
            put_route,
            tag="alerting",
            summary="Replace a route",
            role="operator",
            answers={200: StoredRoute},
            body=Route,
            path_types={"route": RouteId},
            match="required",
        ),
        Operation(
            "DELETE",
            _PATH,
            delete_route,
            tag="alerting",
            summary="Remove a route",
            role="operator",
            answers={204: None},
            path_types={"route": RouteId},
            match="optional",
        ),
    ]


async def _add(pool: Pool, call: Call[Nothing, Route]) -> int:
    """Version of the new route. Raises InvalidFields, and ProblemError 409."""
    route = call.body
    check_route(route)
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        await check_channels(database, route)
        if await database.fetchval(sql.COUNT_ROUTES) >= MOST_ROUTES:
            raise ProblemError(409, f"there are {MOST_ROUTES} routes, which is the most", type="/problems/too-many")
        version: int | None = await database.fetchval(sql.INSERT_ROUTE, route.id, written(route))
        if version is None:
            detail = f"route {route.id!r} already exists; PUT /api/v1/routes/{route.id} replaces it"
            raise ProblemError(409, detail, type="/problems/exists")
        await record(database, call, route.id, None, route)
    return version


async def _put(pool: Pool, call: Call[Nothing, Route]) -> int:
    """Version of the route that took the place of another. Raises InvalidFields, and ProblemError 404 and 412."""
    name, route = call.path["route"], call.body
    if route.id != name:
        raise InvalidField("id", route.id, f"must be {name!r}, the id in the path")
    check_route(route)
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        _expect(call, stored, name)
        await check_channels(database, route)
        version: int = await database.fetchval(sql.UPDATE_ROUTE, name, written(route))
        await record(database, call, name, stored.items.get(name), route)
    return version


async def _delete(pool: Pool, call: Call[Nothing, None]) -> int:
    """Its last version. Raises ProblemError 404 and 412."""
    name = call.path["route"]
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        _expect(call, stored, name)
        await database.execute(sql.DELETE_ROUTE, name)
        await record(database, call, name, stored.items.get(name), None)
    return stored.versions[name]


async def _put_in_order(pool: Pool, call: Call[Nothing, RouteOrder]) -> Routes:
    """The routes as they are then. Raises InvalidField."""
    wanted = call.body.routes
    async with connected(pool) as database, database.transaction():
        await database.execute(sql.LOCK_CHANNELS)
        stored = await _stored(database)
        _check_order(wanted, stored)
        before = [route.id for route in ordered(stored.items.values())]
        for number, name in enumerate(wanted, 1):
            route = msgspec.structs.replace(stored.items[name], position=STEP * number)
            if route != stored.items[name]:
                await database.fetchval(sql.UPDATE_ROUTE, name, written(route))
        if before != wanted:
            await record(database, call, "routes", before, wanted)
        return _listed(await _stored(database))


async def _stored(database: Connection) -> Stored[Route]:
    return Stored(await database.fetch(sql.ROUTES), Route)


def _listed(stored: Stored[Route]) -> Routes:
    routes = [StoredRoute(route, stored.versions[route.id]) for route in ordered(stored.items.values())]
    return Routes(routes, stored.unreadable)


def _found(stored: Stored[Route], name: str) -> Route:
    """Raises ProblemError 404, and 409 for one that cannot be read."""
    if name not in stored.versions:
        raise unknown("route", name)
    if name not in stored.items:
        raise unreadable("route", name, stored.versions[name])
    return stored.items[name]


def unreadable(what: str, name: str, version: int) -> ProblemError:
    """409: what is stored under that name has no effect."""
    detail = (
        f"{what} {name!r} is stored in a form that this version does not understand, so it has no effect; "
        f"PUT /api/v1/{what}s/{name} replaces it, DELETE removes it"
    )
    return ProblemError(409, detail, type="/problems/unreadable", headers={"ETag": f'"{version}"'})


def _expect(call: Call[Any, Any], stored: Stored[Any], name: str) -> None:
    """Raises ProblemError 404 and 412."""
    version = stored.versions.get(name)
    if version is None:
        raise unknown("route", name)
    if call.expected not in (None, version):
        raise conflict("route", name, version)


def _answer(stored: Stored[Route], route: Route) -> Reply:
    version = stored.versions[route.id]
    return Reply.versioned(StoredRoute(route, version), version)


async def check_channels(database: Connection, route: Route) -> None:
    """Raise InvalidFields where `route` names a channel that is not there."""
    there = {row["id"] for row in await database.fetch(sql.CHANNEL_BODIES)}
    faults = list(channel_faults(route, there))
    if faults:
        raise InvalidFields(faults)


def channel_faults(route: Route, there: set[str]) -> Iterator[InvalidField]:
    """The channels that `route` names and that are not `there`."""
    named = [("channels", route.channels)]
    if route.escalation is not None:
        named.append(("escalation.channels", route.escalation.channels))
    for field, names in named:
        for index, name in enumerate(names):
            if name not in there:
                yield InvalidField(
                    f"{field}[{index}]", name, "there is no such channel; GET /api/v1/channels lists all"
                )


def _check_order(wanted: list[str], stored: Stored[Route]) -> None:
    """Raise InvalidField unless `wanted` names every route that can be read once."""
    if len(set(wanted)) != len(wanted):
        raise InvalidField("routes", None, "must name each route once")
    for index, name in enumerate(wanted):
        if name not in stored.items:
            raise InvalidField(f"routes[{index}]", name, "there is no such route; GET /api/v1/routes lists all")
    missing = sorted(stored.items.keys() - set(wanted))
    if missing:
        raise InvalidField("routes", None, f"must name all routes; {', '.join(missing[:10])} missing")
