"""What people do to incidents: acknowledge them, take that back, and write notes; to one, or to many at once."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from infra.storage.database import Connection, Pool
from schemas.alerting import (
    Acknowledging,
    BulkIncidents,
    Incident,
    IncidentDetail,
    IncidentId,
    IncidentResult,
    IncidentResults,
    NewNote,
)
from schemas.incidents import Acknowledged, Step
from schemas.rules import InvalidField
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as sql
from services.gateway.alerting.incidents import read_detail, read_incident
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, unknown
from services.gateway.settings.announce import Announce

INCIDENTS_KEY = "incidents"
"""What `settings.changed` names when somebody did something to incidents."""
MOST_NOTES = 500
_PATH = "/incidents/{incident}/acknowledge"


def acknowledging_operations(pool: Pool, announce: Announce) -> list[Operation]:
    async def acknowledge(call: Call[Nothing, Acknowledging | None]) -> Reply:
        asked = call.body or Acknowledging()
        check_until(asked.until)
        return await one(call, lambda database, number: acknowledge_one(database, call, number, asked))

    async def unacknowledge(call: Call[Nothing, None]) -> Reply:
        return await one(call, lambda database, number: unacknowledge_one(database, call, number))

    async def one(call: Call[Any, Any], change: Any) -> Reply:
        number = call.path["incident"]
        async with connected(pool) as database, database.transaction():
            await change(database, number)
            after = shown.incident(await read_incident(database, number))
        await announce(INCIDENTS_KEY, 0)
        return Reply.versioned(after, after.version)

    async def add_note(call: Call[Nothing, NewNote]) -> IncidentDetail:
        number = call.path["incident"]
        async with connected(pool) as database, database.transaction():
            await note_one(database, call, number, call.body.text)
            detail = await read_detail(database, number)
        await announce(INCIDENTS_KEY, 0)
        return detail

    async def change_many(call: Call[Nothing, BulkIncidents]) -> IncidentResults:
        asked = call.body
        if asked.change == "note" and not asked.note:
            raise InvalidField("note", "", "required with note: what to write")
        check_until(asked.until)
        results = {}
        async with connected(pool) as database, database.transaction():
            for number in sorted(set(asked.incidents)):
                try:
                    await change_one(database, call, number)
                    results[number] = IncidentResult(number, True)
                except ProblemError as problem:
                    results[number] = IncidentResult(number, False, problem.detail)
        await announce(INCIDENTS_KEY, 0)
        ordered = [results[number] for number in dict.fromkeys(asked.incidents)]
        done = sum(result.done for result in ordered)
        return IncidentResults(ordered, done, len(ordered) - done)

    return [
        Operation(
            "POST",
            _PATH,
            acknowledge,
            tag="alerting",
            summary="Acknowledge an incident: no reminders and no escalation until it changes for the worse",
            role="operator",
            answers={200: Incident},
            body=Acknowledging,
            body_required=False,
            path_types={"incident": IncidentId},
            match="optional",
            refuses=(409,),
        ),
        Operation(
            "DELETE",
            _PATH,
            unacknowledge,
            tag="alerting",
            summary="Take an acknowledgement back",
            role="operator",
            answers={200: Incident},
            path_types={"incident": IncidentId},
            match="optional",
        ),
        Operation(
            "POST",
            "/incidents/{incident}/notes",
            add_note,
            tag="alerting",
            summary="Write a note on an incident",
            role="operator",
            answers={201: IncidentDetail},
            body=NewNote,
            path_types={"incident": IncidentId},
            refuses=(409,),
        ),
        Operation(
            "POST",
            "/incidents/bulk",
            change_many,
            tag="alerting",
            summary="Acknowledge many incidents, take that back, or write a note on them, with what came of each",
            role="operator",
            answers={200: IncidentResults},
            body=BulkIncidents,
        ),
    ]


def check_until(until_s: float | None) -> None:
    if until_s is not None and until_s <= time.time():
        raise InvalidField("until", until_s, "must be later than now, in Unix seconds")


async def change_one(database: Connection, call: Call[Any, BulkIncidents], number: int) -> None:
    asked = call.body
    if asked.change == "acknowledge":
        await acknowledge_one(database, call, number, Acknowledging(asked.until, asked.note))
    elif asked.change == "unacknowledge":
        await unacknowledge_one(database, call, number)
    else:
        await note_one(database, call, number, asked.note)


async def acknowledge_one(database: Connection, call: Call[Any, Any], number: int, asked: Acknowledging) -> None:
    """Raises ProblemError: 404, 409 for one that is over, 412 for another version."""
    row = await _locked(database, call, number)
    if row["over"]:
        detail = f"incident {number} is over; there is nothing to acknowledge"
        raise ProblemError(409, detail, type="/problems/incident-over")
    now_s = time.time()
    seen = Acknowledged(call.person.name, now_s, row["level"], asked.until, asked.note)
    until = "" if asked.until is None else f" until {_moment(asked.until)}"
    text = f"acknowledged{until}" + (f": {asked.note}" if asked.note else "")
    await _set(database, call, row, seen, Step(now_s, "acknowledged", text, by=call.person.name))


async def unacknowledge_one(database: Connection, call: Call[Any, Any], number: int) -> None:
    """Raises ProblemError 404 and 412. One that nobody acknowledged stays as it is."""
    row = await _locked(database, call, number)
    if row["acknowledged"] is not None:
        taken_back = Step(time.time(), "unacknowledged", "the acknowledgement was taken back", by=call.person.name)
        await _set(database, call, row, None, taken_back)


async def note_one(database: Connection, call: Call[Any, Any], number: int, text: str) -> None:
    """Raises ProblemError 404, and 409 where there are as many notes as may be."""
    await _locked(database, call, number)
    if await database.fetchval(sql.COUNT_NOTES, number) >= MOST_NOTES:
        detail = f"incident {number} has {MOST_NOTES} notes, which is the most"
        raise ProblemError(409, detail, type="/problems/too-many")
    await _add_step(database, number, Step(time.time(), "noted", text, by=call.person.name))
    await record(database, call, str(number), None, {"note": text})


async def _locked(database: Connection, call: Call[Any, Any], number: int) -> Any:
    row = await database.fetchrow(sql.LOCK, number)
    if row is None:
        raise unknown("incident", str(number))
    if call.expected not in (None, row["version"]):
        raise conflict("incident", str(number), row["version"])
    return row


async def _set(database: Connection, call: Call[Any, Any], row: Any, seen: Acknowledged | None, step: Step) -> None:
    body = None if seen is None else msgspec.json.encode(seen).decode()
    await database.fetchval(sql.ACKNOWLEDGE, row["id"], body)
    await _add_step(database, row["id"], step)
    await record(database, call, str(row["id"]), shown.acknowledged(row["acknowledged"]), seen)


async def _add_step(database: Connection, number: int, step: Step) -> None:
    await database.execute(sql.ADD_STEP, number, step.at, step.kind, msgspec.json.encode(step).decode())


def _moment(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at_s))
