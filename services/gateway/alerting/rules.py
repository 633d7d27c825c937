"""`/rules` and `/rules/{rule}`: alert rules, with a version each against lost updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from infra.storage.database import Pool
from schemas.alerting import RuleCheck
from schemas.api import FieldError, Rules, StoredRule, UnreadableRule
from schemas.catalogue import Family
from schemas.rulechecks import check_change, check_rule
from schemas.rules import InvalidField, InvalidFields, Rule, RuleId
from services.gateway.alerting import sql
from services.gateway.alerting.bodies import read
from services.gateway.alerting.rulenames import check_names
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, conflict, invalid, unknown
from services.gateway.settings.announce import RULES_KEY, Announce


def rule_operations(pool: Pool, announce: Announce, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def list_rules(_: Call[Nothing, None]) -> Rules:
        async with connected(pool) as database:
            rows = await database.fetch(sql.RULES)
        return _listed(rows, catalogue)

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

    async def check(call: Call[Nothing, Rule]) -> RuleCheck:
        return await _check(pool, call.body, catalogue)

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
            "POST",
            "/rules/check",
            check,
            tag="alerting",
            summary="Whether a rule makes sense, with a reason for each field that does not",
            role="operator",
            answers={200: RuleCheck},
            body=Rule,
            audited=False,
            description="It is asked as if it took the place of the stored rule of its id.",
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


async def _check(pool: Pool, rule: Rule, catalogue: tuple[Family, ...]) -> RuleCheck:
    """What is wrong with `rule` in the place of the stored one of its id."""
    faults: Sequence[InvalidField] = []
    async with connected(pool) as database:
        row = await database.fetchrow(sql.RULE, rule.id)
        before = None if row is None else _readable(row["body"])
        try:
            check_change(before, rule, catalogue)
            await check_names(database, before, rule)
        except InvalidFields as wrong:
            faults = wrong.faults
    return RuleCheck(not faults, [FieldError(fault.field, fault.value, fault.remedy) for fault in faults])


def _listed(rows: list[Any], catalogue: tuple[Family, ...]) -> Rules:
    """The rules in `rows`; those that this version does not understand apart, with the reason."""
    rules, unreadable, not_judged = [], [], []
    for row in rows:
        rule, reason = read(row["body"], Rule)
        if rule is None:
            unreadable.append(UnreadableRule(row["id"], row["version"], reason))
            continue
        rules.append(StoredRule(rule, row["version"]))
        try:
            check_rule(rule, catalogue, in_force=True)
        except InvalidFields as wrong:
            if rule.enabled:
                not_judged.append(UnreadableRule(row["id"], row["version"], str(wrong)))
    return Rules(rules, unreadable, not_judged)


def _readable(body: str) -> Rule | None:
    """A stored rule; None for one that this version does not understand."""
    return read(body, Rule)[0]


def _unreadable(name: str, version: int) -> ProblemError:
    detail = (
        f"rule {name!r} is stored in a form that this version does not understand, so it is not judged; "
        f"PUT /api/v1/rules/{name} replaces it, DELETE removes it"
    )
    return ProblemError(409, detail, type="/problems/unreadable-rule", headers={"ETag": f'"{version}"'})


async def _insert(pool: Pool, call: Call[Nothing, Rule]) -> int:
    """Version of the new rule. Raises ProblemError 409 when its id is taken, and InvalidFields."""
    rule = call.body
    async with connected(pool) as database, database.transaction():
        await check_names(database, None, rule)
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
            await check_names(database, _readable(before["body"]), rule)
        await record(database, call, name, msgspec.json.decode(before["body"]), rule)
    return version


def _answer(rule: Rule, version: int, status: int = 200) -> Reply:
    return Reply.versioned(StoredRule(rule, version), version, status)
