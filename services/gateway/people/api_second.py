"""`/session/second-factor`: the own authenticator, offered, confirmed by a code, removed by a code; recovery codes."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from infra.addresses import neighbourhood
from infra.storage.database import Connection
from schemas.people import CodeGiven, RecoveryCodes, SecondFactorOffer
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, invalid
from services.gateway.people import sql
from services.gateway.people.admit import no_account, own_account
from services.gateway.people.credentials import hashed, make_recovery_codes
from services.gateway.people.login import begin, use_code
from services.gateway.people.people import People
from services.gateway.people.second import make_secret, qr_of, step_of, uri_of

PATH = "/session/second-factor"


def second_factor_operations(people: People) -> list[Operation]:
    def operation(method: Any, path: str, run: Any, summary: str, answer: Any, body: Any = None) -> Operation:
        status = 204 if answer is None else 200
        refuses = (409, 429)
        return Operation(method, path, run, "people", summary, "viewer", {status: answer}, body=body, refuses=refuses)

    return [
        operation(
            "POST",
            PATH,
            partial(_offer, people),
            "Offer a second factor, in force once it is confirmed",
            SecondFactorOffer,
        ),
        operation(
            "PUT", PATH, partial(_confirm, people), "Confirm the second factor by a code", RecoveryCodes, CodeGiven
        ),
        operation("DELETE", PATH, partial(_remove, people), "Remove the own second factor", None, CodeGiven),
        operation(
            "POST",
            f"{PATH}/recovery-codes",
            partial(_new_codes, people),
            "New recovery codes",
            RecoveryCodes,
            CodeGiven,
        ),
    ]


async def _offer(people: People, call: Call[Nothing, None]) -> SecondFactorOffer:
    user_id = own_account(call.person)
    async with connected(people.pool) as database, database.transaction():
        if (await _factor(database, user_id))["totp_secret"] is not None:
            raise there_is_one()
        secret = make_secret()
        await database.execute(sql.OFFER_FACTOR, user_id, secret)
        await record(database, call, call.person.name, None, {"second_factor": "offered"})
    uri = uri_of(secret, call.person.name)
    path, size = qr_of(uri)
    return SecondFactorOffer(secret, uri, path, size)


async def _confirm(people: People, call: Call[Nothing, CodeGiven]) -> RecoveryCodes:
    user_id = own_account(call.person)
    async with connected(people.pool) as database:
        row = await _factor(database, user_id)
    if row["totp_secret"] is not None:
        raise there_is_one()
    if row["totp_offered"] is None:
        raise ProblemError(409, f"ask for a new one first: POST {PATH}", type="/problems/no-second-factor")
    _begin(people, call)
    step = step_of(row["totp_offered"], call.body.code, time.time())
    if step is None:
        raise invalid("code", None, "is not the authenticator's present code; check the clock of the device")
    _forgive(people, call)
    async with connected(people.pool) as database, database.transaction():
        status = await database.execute(sql.CONFIRM_FACTOR, user_id, row["totp_offered"], step)
        if status != "UPDATE 1":
            raise there_is_one()
        codes = await _replace_codes(database, user_id)
        await record(database, call, call.person.name, {"second_factor": False}, {"second_factor": True})
    return RecoveryCodes(codes)


async def _remove(people: People, call: Call[Nothing, CodeGiven]) -> Reply:
    user_id = own_account(call.person)
    await _demand_code(people, call, user_id)
    async with connected(people.pool) as database, database.transaction():
        await database.execute(sql.REMOVE_FACTOR, user_id)
        await database.execute(sql.DROP_CODES, user_id)
        await record(database, call, call.person.name, {"second_factor": True}, {"second_factor": False})
    return Reply(None)


async def _new_codes(people: People, call: Call[Nothing, CodeGiven]) -> RecoveryCodes:
    user_id = own_account(call.person)
    await _demand_code(people, call, user_id)
    async with connected(people.pool) as database, database.transaction():
        codes = await _replace_codes(database, user_id)
        await record(database, call, call.person.name, None, {"recovery_codes": len(codes)})
    return RecoveryCodes(codes)


async def _factor(database: Connection, user_id: int) -> Any:
    """Raises ProblemError 409 when the user was deleted a moment ago."""
    row = await database.fetchrow(sql.FACTOR, user_id)
    if row is None:
        raise no_account()
    return row


async def _demand_code(people: People, call: Call[Nothing, CodeGiven], user_id: int) -> None:
    """Raises ProblemError 400, 409 or 429 unless the body has a code that is good now, which is used up by this."""
    async with connected(people.pool) as database:
        secret = (await _factor(database, user_id))["totp_secret"]
    if secret is None:
        raise ProblemError(409, "this account has no second factor", type="/problems/no-second-factor")
    _begin(people, call)
    who = call.person
    if not await use_code(people, call, user_id, who.name, who.by, secret, call.body.code):
        raise invalid("code", None, "is neither the authenticator's present code nor a recovery code")
    _forgive(people, call)


def _begin(people: People, call: Call[Any, Any]) -> None:
    begin(people, call.person.name, neighbourhood(call.person.address))


def _forgive(people: People, call: Call[Any, Any]) -> None:
    people.logins.forgive(call.person.name, neighbourhood(call.person.address))


async def _replace_codes(database: Connection, user_id: int) -> list[str]:
    """Raises ProblemError 409 when the user was deleted a moment ago."""
    if not await database.fetchval(sql.STAYS, user_id):
        raise no_account()
    codes = make_recovery_codes()
    await database.execute(sql.DROP_CODES, user_id)
    await database.execute(sql.ADD_CODES, user_id, [hashed(code) for code in codes])
    return codes


def there_is_one() -> ProblemError:
    return ProblemError(
        409, f"this account has a second factor; remove it first: DELETE {PATH}", type="/problems/second-factor-there"
    )
