"""`/rules` and `/rules/{id}`: alert rules, with a version each against lost updates."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Pool
from schemas.api import Rules, StoredRule
from schemas.catalogue import Family
from schemas.rules import Rule, check_rule
from services.gateway.alerting import sql
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError, conflict, invalid, unknown
from services.gateway.http.requests import Resource, answer, if_match, read_json
from services.gateway.settings.announce import RULES_KEY, Announce

logger = logging.getLogger(__name__)


def rule_routes(pool: Pool, announce: Announce, catalogue: tuple[Family, ...]) -> list[BaseRoute]:
    async def list_rules(request: Request) -> Response:
        async with connected(pool) as database:
            rows = await database.fetch(sql.RULES)
        return answer(Rules(_stored(rows)))

    async def get_rule(request: Request) -> Response:
        name = request.path_params["rule"]
        async with connected(pool) as database:
            row = await database.fetchrow(sql.RULE, name)
        if row is None:
            raise unknown("rule", name)
        return _answer(msgspec.json.decode(row["body"], type=Rule), row["version"])

    async def add_rule(request: Request) -> Response:
        rule = await read_json(request, Rule)
        check_rule(rule, catalogue)
        version = await _insert(pool, rule)
        await announce(RULES_KEY, version)
        return _answer(rule, version, 201)

    async def put_rule(request: Request) -> Response:
        name, expected = request.path_params["rule"], if_match(request)
        rule = await read_json(request, Rule)
        check_rule(rule, catalogue)
        if rule.id != name:
            raise invalid("id", rule.id, f"must be {name!r}, the id in the path")
        version = await _change(pool, name, sql.UPDATE_RULE, _body(rule), expected)
        await announce(RULES_KEY, version)
        return _answer(rule, version)

    async def delete_rule(request: Request) -> Response:
        version = await _change(pool, request.path_params["rule"], sql.DELETE_RULE, if_match(request))
        await announce(RULES_KEY, version)
        return Response(status_code=204)

    return [
        Resource("/rules", GET=list_rules, POST=add_rule),
        Resource("/rules/{rule}", GET=get_rule, PUT=put_rule, DELETE=delete_rule),
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


async def _insert(pool: Pool, rule: Rule) -> int:
    """Version of the new rule. Raises ProblemError 409 when its id is taken."""
    async with connected(pool) as database:
        version: int | None = await database.fetchval(sql.INSERT_RULE, rule.id, _body(rule))
    if version is None:
        raise ProblemError(
            409, f"rule {rule.id!r} already exists; PUT /api/v1/rules/{rule.id} replaces it", type="/problems/exists"
        )
    return version


async def _change(pool: Pool, name: str, statement: str, *arguments: object) -> int:
    """Version after `statement`. Raises ProblemError: 404 without such a rule, 412 when it has another version."""
    async with connected(pool) as database:
        version: int | None = await database.fetchval(statement, name, *arguments)
        if version is not None:
            return version
        present = await database.fetchval(sql.RULE_VERSION, name)
    raise unknown("rule", name) if present is None else conflict("rule", name, present)


def _answer(rule: Rule, version: int, status: int = 200) -> Response:
    return answer(StoredRule(rule, version), status, {"ETag": f'"{version}"'})
