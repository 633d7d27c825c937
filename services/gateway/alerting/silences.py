"""`/silences`: for some time nobody is told of the alerts that fit; with a preview, and early ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infra.storage.database import Connection, Pool
from schemas.alerting import (
    NewSilence,
    Silenced,
    SilenceId,
    SilencePreview,
    Silences,
    SilenceState,
    StoredSilence,
)
from schemas.matching import Matcher, Subject, matches
from schemas.routes import Silence, check_silence, matcher_faults
from schemas.rules import InvalidField, InvalidFields
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as incidents_sql
from services.gateway.alerting import sql_telling as sql
from services.gateway.alerting.bodies import read, written
from services.gateway.alerting.why import subject_of
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.paging import Number, Page
from services.gateway.http.problems import ProblemError, conflict, unknown
from services.gateway.settings.announce import Announce

SILENCES_KEY = "silences"
MOST_SILENCES = 1000
"""That are not over."""
MOST_LOOKED_AT = 10_000
"""Open incidents that a preview holds against the matcher."""
MOST_SHOWN = 100
_PATH = "/silences/{silence}"


Make = Callable[[Silence | None], Silence | None]
"""What becomes of a silence; None of one that cannot be read."""


class SilencesQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one that ends last comes first."""

    state: Literal["active", "pending", "expired", "all"] = "all"


class Position(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    position: Number
    id: Number


def silence_operations(pool: Pool, announce: Announce) -> list[Operation]:
    async def list_silences(call: Call[SilencesQuery, None]) -> Silences:
        page, after = call.query, call.query.after(Position)
        state = None if page.state == "all" else page.state
        now_s = time.time()
        position = (after.position, after.id) if after else (None, None)
        async with connected(pool) as database:
            rows = await database.fetch(sql.SILENCES, now_s, state, *position, page.limit + 1)
        here, following = page.cut(rows, lambda row: Position(row["position"], row["id"]))
        return Silences([stored(row, now_s) for row in here], following)

    async def get_silence(call: Call[Nothing, None]) -> Reply:
        async with connected(pool) as database:
            row = await _row(database, sql.SILENCE, call.path["silence"])
        return _answer(row)

    async def add_silence(call: Call[Nothing, NewSilence]) -> Reply:
        row = await _add(pool, call)
        await announce(SILENCES_KEY, 1)
        return _answer(row, 201)

    async def put_silence(call: Call[Nothing, NewSilence]) -> Reply:
        return await changed(call, lambda before: _asked(call.body, time.time(), before))

    async def expire(call: Call[Nothing, None]) -> Reply:
        return await changed(call, lambda before: None if before is None else ended(before, time.time()))

    async def changed(call: Call[Nothing, Any], make: Make) -> Reply:
        row = await _change(pool, call, make)
        await announce(SILENCES_KEY, row["version"])
        return _answer(row)

    async def delete_silence(call: Call[Nothing, None]) -> None:
        await announce(SILENCES_KEY, await _delete(pool, call))

    async def preview(call: Call[Nothing, SilencePreview]) -> Silenced:
        matcher = call.body.match
        _check_matcher(matcher)
        async with connected(pool) as database:
            open_now = await database.fetch(incidents_sql.OPEN, MOST_LOOKED_AT)
            hosts = await database.fetch(sql.HOSTS)
        return await asyncio.to_thread(fitting, matcher, open_now, hosts)

    return [
        Operation(
            "GET",
            "/silences",
            list_silences,
            tag="alerting",
            summary="Silences, those that end last first",
            role="viewer",
            answers={200: Silences},
            query=SilencesQuery,
        ),
        Operation(
            "POST",
            "/silences",
            add_silence,
            tag="alerting",
            summary="Tell nobody of the alerts that fit, for some time",
            role="operator",
            answers={201: StoredSilence},
            body=NewSilence,
            refuses=(409,),
            description="They go on; what still fires afterwards is told then.",
        ),
        Operation(
            "POST",
            "/silences/preview",
            preview,
            tag="alerting",
            summary="Which open incidents a silence would fit, and which hosts it may be about",
            role="operator",
            answers={200: Silenced},
            body=SilencePreview,
            audited=False,
        ),
        Operation(
            "GET",
            _PATH,
            get_silence,
            tag="alerting",
            summary="One silence",
            role="viewer",
            answers={200: StoredSilence},
            path_types={"silence": SilenceId},
        ),
        Operation(
            "PUT",
            _PATH,
            put_silence,
            tag="alerting",
            summary="Replace a silence",
            role="operator",
            answers={200: StoredSilence},
            body=NewSilence,
            path_types={"silence": SilenceId},
            match="required",
            refuses=(409,),
        ),
        Operation(
            "POST",
            f"{_PATH}/expire",
            expire,
            tag="alerting",
            summary="End a silence now; what still fires is told then",
            role="operator",
            answers={200: StoredSilence},
            path_types={"silence": SilenceId},
            match="optional",
            refuses=(409,),
        ),
        Operation(
            "DELETE",
            _PATH,
            delete_silence,
            tag="alerting",
            summary="Remove a silence, also from the list of those that are over",
            role="operator",
            answers={204: None},
            path_types={"silence": SilenceId},
            match="optional",
        ),
    ]


async def _add(pool: Pool, call: Call[Nothing, NewSilence]) -> Any:
    """The row of the new silence. Raises InvalidField and InvalidFields, and ProblemError 409 for one too many."""
    silence = _asked(call.body, time.time())
    async with connected(pool) as database, database.transaction():
        if await database.fetchval(sql.COUNT_SILENCES) >= MOST_SILENCES:
            detail = f"there are {MOST_SILENCES} silences that are not over, which is the most; end some"
            raise ProblemError(409, detail, type="/problems/too-many")
        body = written(silence)
        number = await database.fetchval(sql.INSERT_SILENCE, silence.starts, silence.ends, body, call.person.name)
        await record(database, call, str(number), None, silence)
        return await _row(database, sql.SILENCE, number)


async def _change(pool: Pool, call: Call[Nothing, Any], make: Make) -> Any:
    """The row after `make` has made it another. Raises ProblemError: 404, 412, and 409 where that cannot be done."""
    number = call.path["silence"]
    async with connected(pool) as database, database.transaction():
        row = await _expected(database, call)
        before = read(row["body"], Silence)[0]
        after = make(before)
        if after is None:
            detail = f"silence {number} is stored in a form that this version does not understand; DELETE removes it"
            raise ProblemError(409, detail, type="/problems/unreadable")
        if after == before:
            return row
        await database.execute(sql.UPDATE_SILENCE, number, after.starts, after.ends, written(after))
        await record(database, call, str(number), before, after)
        return await _row(database, sql.SILENCE, number)


async def _delete(pool: Pool, call: Call[Nothing, None]) -> int:
    """Its last version. Raises ProblemError 404 and 412."""
    number = call.path["silence"]
    async with connected(pool) as database, database.transaction():
        row = await _expected(database, call)
        await database.execute(sql.DELETE_SILENCE, number)
        await record(database, call, str(number), msgspec.json.decode(row["body"]), None)
    version: int = row["version"]
    return version


async def _expected(database: Connection, call: Call[Any, Any]) -> Any:
    """The silence's row, locked. Raises ProblemError 404 and 412."""
    row = await _row(database, sql.LOCK_SILENCE, call.path["silence"])
    if call.expected not in (None, row["version"]):
        raise conflict("silence", str(row["id"]), row["version"])
    return row


def ended(silence: Silence, now_s: float) -> Silence:
    """`silence` as it is when it ends now; one that is over stays as it is."""
    if silence.ends <= now_s:
        return silence
    return msgspec.structs.replace(silence, starts=min(silence.starts, now_s), ends=now_s)


def _asked(asked: NewSilence, now_s: float, before: Silence | None = None) -> Silence:
    """Raises InvalidField and InvalidFields. In the place of `before` it begins when that did, unless it says when."""
    if (asked.ends is None) == (asked.for_s is None):
        remedy = "required, unless for_s is given" if asked.ends is None else "must be left out where for_s is given"
        raise InvalidField("ends", asked.ends, remedy)
    starts = asked.starts if asked.starts is not None else now_s if before is None else before.starts
    ends = asked.ends if asked.ends is not None else max(starts, now_s) + (asked.for_s or 0)
    silence = Silence(asked.match, starts, ends, asked.reason)
    check_silence(silence, now_s)
    return silence


def _check_matcher(matcher: Matcher) -> None:
    faults = list(matcher_faults(matcher, "match"))
    if faults:
        raise InvalidFields(faults)


def fitting(matcher: Matcher, incidents: list[Any], hosts: list[Any]) -> Silenced:
    """What `matcher` fits of open incidents and of hosts; of these whatever their alerts may be about. Pure."""
    found = [one for one in map(shown.incident, incidents) if matches(matcher, subject_of(one))]
    about = msgspec.structs.replace(matcher, rules=[], instances=[], severity="any")
    subjects = [(row["name"], Subject(row["name"], frozenset(row["tags"]), "", "", "warning")) for row in hosts]
    names = [name for name, subject in subjects if matches(about, subject)]
    return Silenced(found[:MOST_SHOWN], len(found), names[:MOST_SHOWN], len(names))


def stored(row: Mapping[str, Any], now_s: float) -> StoredSilence:
    silence, invalid = read(row["body"], Silence)
    starts, ends = row["starts_s"], row["ends_s"]
    state: SilenceState = "expired" if ends <= now_s else "pending" if starts > now_s else "active"
    match = Matcher() if silence is None else silence.match
    reason = "" if silence is None else silence.reason
    return StoredSilence(row["id"], match, starts, ends, reason, row["by"], state, row["version"], invalid)


async def _row(database: Connection, statement: str, number: int) -> Any:
    row = await database.fetchrow(statement, number)
    if row is None:
        raise unknown("silence", str(number))
    return row


def _answer(row: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply.versioned(stored(row, time.time()), row["version"], status)
