"""`/views`: pages of the dashboard that somebody saved. Everybody sees and changes their own alone."""

from __future__ import annotations

from typing import Any

from infra.storage.database import Connection
from schemas.rules import InvalidField
from schemas.views import MOST_VIEWS, NewView, SavedView, SavedViews, ViewNumber, ViewOrder
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, unknown
from services.gateway.people import sql_views as sql
from services.gateway.people.admit import no_account, some_account
from services.gateway.people.people import People

_PATH = "/views/{view}"


def view_operations(people: People) -> list[Operation]:
    async def list_views(call: Call[Nothing, None]) -> SavedViews:
        if call.person.user_id is None:  # whoever is nobody has saved nothing
            return SavedViews([])
        async with connected(people.pool) as database:
            return await _views(database, call.person.user_id)

    async def add_view(call: Call[Nothing, NewView]) -> Reply:
        user_id, wanted = some_account(call.person), call.body
        async with connected(people.pool) as database, database.transaction():
            await _lock_owner(database, user_id)
            if await database.fetchval(sql.COUNT_VIEWS, user_id) >= MOST_VIEWS:
                raise ProblemError(409, f"you have {MOST_VIEWS} views; delete some", type="/problems/too-many")
            row = await database.fetchrow(sql.ADD_VIEW, user_id, wanted.name, wanted.path)
            if row is None:
                raise _name_taken(wanted.name)
            await record(database, call, _target(call, wanted.name), None, wanted)
        return _answer(row, 201)

    async def put_view(call: Call[Nothing, NewView]) -> Reply:
        user_id, wanted = some_account(call.person), call.body
        async with connected(people.pool) as database, database.transaction():
            await _lock_owner(database, user_id)
            before = await _locked(database, call, user_id)
            if await database.fetchval(sql.NAMED, user_id, wanted.name, before.id):
                raise _name_taken(wanted.name)
            [row] = await database.fetch(sql.CHANGE_VIEW, before.id, wanted.name, wanted.path)
            await record(database, call, _target(call, wanted.name), NewView(before.name, before.path), wanted)
        return _answer(row)

    async def delete_view(call: Call[Nothing, None]) -> Reply:
        user_id = some_account(call.person)
        async with connected(people.pool) as database, database.transaction():
            await _lock_owner(database, user_id)
            before = await _locked(database, call, user_id)
            await database.execute(sql.DELETE_VIEW, before.id)
            await record(database, call, _target(call, before.name), NewView(before.name, before.path))
        return Reply(None)

    async def order_views(call: Call[Nothing, ViewOrder]) -> SavedViews:
        async with connected(people.pool) as database, database.transaction():
            return await _order(database, call, some_account(call.person))

    return [
        Operation(
            "GET", "/views", list_views, "people", "Pages of the dashboard that one saved", "viewer", {200: SavedViews}
        ),
        Operation(
            "POST",
            "/views",
            add_view,
            "people",
            "Save a page of the dashboard under a name",
            "viewer",
            {201: SavedView},
            body=NewView,
            refuses=(409,),
        ),
        Operation(
            "PUT",
            "/views",
            order_views,
            "people",
            "Put one's saved views in another order",
            "viewer",
            {200: SavedViews},
            body=ViewOrder,
        ),
        Operation(
            "PUT",
            _PATH,
            put_view,
            "people",
            "Rename a saved view, or save another page under its name",
            "viewer",
            {200: SavedView},
            body=NewView,
            path_types={"view": ViewNumber},
            match="optional",
            refuses=(409,),
        ),
        Operation(
            "DELETE",
            _PATH,
            delete_view,
            "people",
            "Delete a saved view",
            "viewer",
            {204: None},
            path_types={"view": ViewNumber},
            match="optional",
        ),
    ]


async def _views(database: Connection, user_id: int) -> SavedViews:
    return SavedViews([_view(row) for row in await database.fetch(sql.VIEWS, user_id)])


async def _order(database: Connection, call: Call[Nothing, ViewOrder], user_id: int) -> SavedViews:
    """Raises ProblemError 409, and InvalidField where a view is left out or is not theirs."""
    wanted = call.body.views
    await _lock_owner(database, user_id)
    before = await _views(database, user_id)
    if sorted(wanted) != sorted(view.id for view in before.views):
        raise InvalidField("views", wanted, "must name every view of yours once; GET /api/v1/views lists them")
    await database.execute(sql.ORDER_VIEWS, user_id, wanted)
    after = await _views(database, user_id)
    names = [[view.name for view in each.views] for each in (before, after)]
    await record(database, call, call.person.name, *names)
    return after


async def _lock_owner(database: Connection, user_id: int) -> None:
    """Raises ProblemError 409 when the account is gone."""
    if not await database.fetchval(sql.LOCK_OWNER, user_id):
        raise no_account()


async def _locked(database: Connection, call: Call[Any, Any], user_id: int) -> SavedView:
    """The view in the path, of that user and at the version that If-Match names. Raises ProblemError 404 and 412."""
    number = call.path["view"]
    row = await database.fetchrow(sql.LOCK_VIEW, user_id, number)
    if row is None:
        raise unknown("view", str(number))
    if call.expected not in (None, row["version"]):
        raise conflict("view", row["name"], row["version"])
    return _view(row)


def _view(row: Any) -> SavedView:
    return SavedView(row["id"], row["name"], row["path"], row["version"])


def _answer(row: Any, status: int = 200) -> Reply:
    return Reply.versioned(_view(row), row["version"], status)


def _target(call: Call[Any, Any], name: str) -> str:
    return f"{call.person.name}: {name}"


def _name_taken(name: str) -> ProblemError:
    detail = f"you have a view called {name!r} already; choose another name, or delete that view first"
    return ProblemError(409, detail, type="/problems/exists")
