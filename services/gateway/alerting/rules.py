"""`/rules` and `/rules/{rule}`: alert rules, with a version each against lost updates."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from infra.storage.database import Pool
from schemas.api import Rules, StoredRule
from schemas.catalogue import Family
from schemas.rulechecks import check_change, check_rule
from schemas.rules import Rule, RuleId
from services.gateway.alerting import sql
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, invalid, unknown
from services.gateway.settings.announce import RULES_KEY, Announce

logger = logging.getLogger(__name__)


def rule_operations(pool: Pool, announce: Announce, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def list_rules(_: Call[Nothing, None]) -> Rules:
        async with connected(pool) as database:
            rows = await database.fetch(sql.RULES)
        return Rules(_stored(rows))

    async def get_rule(call: Call[Nothing, None]) -> Reply:
        name = call.path["rule"]
        async with connected(pool) as database:
            row = await database.fetchrow(sql.RULE, name)
        if row is None:
            raise unknown("rule", name)
        rule = _readable(row["body"])
        if rule is None:
            raise _unreadable(name, row["version"])
        return _answer(rule, row["version"])

    async def add_rule(call: Call[Nothing, Rule]) -> Reply:
        rule = call.body
        check_rule(rule, catalogue)
        version = await _insert(pool, call)
        await announce(RULES_KEY, version)
        return _answer(rule, version, 201)

    async def put_rule(call: Call[Nothing, Rule]) -> Reply:
        name, rule = call.path["rule"], call.body
        if rule.id != name:
            raise invalid("id", rule.id, f"must be {name!r}, the id in the path")
        version = await _change(pool, call, sql.UPDATE_RULE, rule, catalogue)
        await announce(RULES_KEY, version)
        return _answer(rule, version)

    async def delete_rule(call: Call[Nothing, None]) -> None:
        version = await _change(pool, call, sql.DELETE_RULE, None, catalogue)
        await announce(RULES_KEY, version)

    return [
        Operation(
            "GET",
            "/rules",
            list_rules,
            tag="alerting",
            summary="Every alert rule with its version",
            role="viewer",
            answers={200: Rules},
        ),
        Operation(
            "POST",
            "/rules",
            add_rule,
            tag="alerting",
            summary="Add an alert rule",
            role="operator",
            answers={201: StoredRule},
            body=Rule,
            refuses=(409,),
        ),
        Operation(
            "GET",
            "/rules/{rule}",
            get_rule,
            tag="alerting",
            summary="One alert rule",
            role="viewer",
            answers={200: StoredRule},
            path_types={"rule": RuleId},
            refuses=(409,),
        ),
        Operation(
            "PUT",
            "/rules/{rule}",
            put_rule,
            tag="alerting",
            summary="Replace an alert rule",
            role="operator",
            answers={200: StoredRule},
            body=Rule,
            path_types={"rule": RuleId},
            match="required",
        ),
        Operation(
            "DELETE",
            "/rules/{rule}",
            delete_rule,
            tag="alerting",
            summary="Remove an alert rule",
            role="operator",
            answers={204: None},
            path_types={"rule": RuleId},
            match="optional",
        ),
    ]


def _body(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _stored(rows: list[Any]) -> list[StoredRule]:
    """The rules in `rows`; one that this version does not understand is left out and logged."""
    stored = []
    for row in rows:
        try:
            stored.append(StoredRule(msgspec.json.decode(row["body"], type=Rule), row["version"]))
        except msgspec.ValidationError as error:
            logger.error("stored rule invalid, skipped", extra={"body": row["body"][:200], "error": str(error)})
    return stored


def _readable(body: str) -> Rule | None:
    """A stored rule; None for one that this version does not understand."""
    try:
        return msgspec.json.decode(body, type=Rule)
    except msgspec.ValidationError:
        return None


def _unreadable(name: str, version: int) -> ProblemError:
    detail = (
        f"rule {name!r} is stored in a form that this version does not understand, so it is not judged; "
        f"PUT /api/v1/rules/{name} replaces it, DELETE removes it"
    )
    return ProblemError(409, detail, type="/problems/unreadable-rule", headers={"ETag": f'"{version}"'})


async def _insert(pool: Pool, call: Call[Nothing, Rule]) -> int:
    """Version of the new rule. Raises ProblemError 409 when its id is taken."""
    rule = call.body
    async with connected(pool) as database, database.transaction():
        version: int | None = await database.fetchval(sql.INSERT_RULE, rule.id, _body(rule))
        if version is not None:
            await record(database, call, rule.id, None, rule)
            return version
    detail = f"rule {rule.id!r} already exists; PUT /api/v1/rules/{rule.id} replaces it"
    raise ProblemError(409, detail, type="/problems/exists")


async def _change(
    pool: Pool, call: Call[Nothing, Any], statement: str, rule: Rule | None, catalogue: tuple[Family, ...]
) -> int:
    """Version after `statement` has made the rule in the path what `rule` is, None for nothing.

    Raises ProblemError: 404 without such a rule, 412 when it has another version; InvalidFields when `rule` makes no
    sense in its place.
    """
    name = call.path["rule"]
    arguments = (call.expected,) if rule is None else (_body(rule), call.expected)
    async with connected(pool) as database, database.transaction():
        before = await database.fetchrow(sql.LOCK_RULE, name)
        if before is None:
            raise unknown("rule", name)
        version: int | None = await database.fetchval(statement, name, *arguments)
        if version is None:
            raise conflict("rule", name, before["version"])
        if rule is not None:
            check_change(_readable(before["body"]), rule, catalogue)
        await record(database, call, name, msgspec.json.decode(before["body"]), rule)
    return version


def _answer(rule: Rule, version: int, status: int = 200) -> Reply:
    return Reply.versioned(StoredRule(rule, version), version, status)
