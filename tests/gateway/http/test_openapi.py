"""The OpenAPI document of what the gateway declares."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from starlette.routing import BaseRoute, Mount, Route

from infra.generate.declared import declared, declared_at_root
from infra.settings import ServerSettings
from infra.storage.database import pool
from schemas.catalogue import CATALOGUE
from services.gateway.app import create_app
from services.gateway.fleet.memory import Fleet
from services.gateway.held import Held
from services.gateway.http.bus import Bus
from services.gateway.http.dashboard import dashboard_routes
from services.gateway.http.jsonschemas import ecma_pattern
from services.gateway.http.openapi import document, refusals
from services.gateway.http.operations import Operation
from services.gateway.http.problemtypes import PROBLEM_TYPES
from services.gateway.live.hub import Hub
from services.gateway.settings.runtime import Runtime
from tests.gateway.asking import asking

OPEN = {
    "GET /openapi.json",
    "GET /health/live",
    "GET /health/ready",
    "POST /enrol",
    "GET /identity/challenge",
    "POST /identity/renew",
    "POST /identity/state",
    "GET /session",
    "POST /session",
    "DELETE /session",
    "POST /session/link",
    "GET /session/oidc",
    "GET /session/oidc/callback",
}
"""What needs no login."""
OWN = ("/session", "/sessions", "/tokens", "/views", "/preferences")
"""What everybody who is logged in changes of their own."""


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(declared())


@cache
def at_root() -> tuple[Operation, ...]:
    return tuple(declared_at_root())


@cache
def described() -> dict[str, Any]:
    return document(operations(), at_root())


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    if isinstance(value, list):
        for each in value:
            yield from nodes(each)


async def test_the_document_is_served_without_a_login(database_url: str) -> None:
    async with asking(database_url) as client:
        client.headers.pop("Authorization", None)
        answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == await asyncio.to_thread(described)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = Counter(one["operationId"] for methods in described()["paths"].values() for one in methods.values())
    assert [name for name, times in names.items() if times > 1] == []


def test_every_schema_is_a_json_schema() -> None:
    for name, schema in described()["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_every_reference_leads_to_a_schema() -> None:
    known = {f"#/components/schemas/{name}" for name in described()["components"]["schemas"]}
    assert {node["$ref"] for node in nodes(described()) if isinstance(node.get("$ref"), str)} <= known


def test_every_pattern_is_one_of_ecma_and_is_said_in_words() -> None:
    patterns = [node for node in nodes(described()) if isinstance(node.get("pattern"), str)]
    assert patterns
    for node in patterns:
        assert not re.search(r"\\[AZz]|\(\?P|\(\?[a-z]", node["pattern"]), node
    schemas = [node for node in nodes(described()["components"]["schemas"]) if isinstance(node.get("pattern"), str)]
    assert [node for node in schemas if not node.get("description")] == []


@pytest.mark.parametrize(("ours", "theirs"), [(r"^a\Z", "^a$"), (r"\Aa\Z", "^a$"), ("^[^,]*$", "^[^,]*$")])
def test_our_ends_of_a_text_are_those_of_ecma(ours: str, theirs: str) -> None:
    assert ecma_pattern(ours) == theirs


def test_every_parameter_in_a_path_has_a_type_and_may_name_nothing() -> None:
    for operation in (*operations(), *at_root()):
        for name in re.findall(r"{(\w+)}", operation.path):
            assert name in operation.path_types, operation.name
            assert f"/problems/unknown-{name.replace('_', '-')}" in PROBLEM_TYPES
            assert 404 in refusals(operation)


def test_only_what_machines_and_logins_need_is_open_to_everybody() -> None:
    assert {operation.name for operation in operations() if operation.role is None} == OPEN


def test_at_the_root_metrics_alone_need_a_login() -> None:
    assert {operation.name for operation in at_root() if operation.role} == {"GET /metrics", "GET /metrics/fleet"}


async def test_every_route_is_in_the_document_but_the_dashboard(database_url: str) -> None:
    async with pool(database_url, "test gateway", 2, least=0) as connections:
        app = create_app(
            Held(ServerSettings(), connections, Bus(), Hub(Fleet(CATALOGUE)), Runtime(), lambda client: None)
        )
    files = {route.path for route in dashboard_routes() if isinstance(route, Route)}
    found = set(paths_of(app.routes)) - files
    assert found == await asyncio.to_thread(lambda: described()["paths"].keys())


def paths_of(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route):
            yield prefix + route.path
        elif isinstance(route, Mount):
            yield from paths_of(route.routes, prefix + route.path)


def test_viewers_change_nothing_but_what_is_their_own() -> None:
    changes = [operation for operation in operations() if operation.changes and operation.role == "viewer"]
    assert [one.name for one in changes if not one.path.startswith(OWN)] == []


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("operator", "POST /hosts/{host}/commands/{verb}"),
        ("operator", "PUT /rules/{rule}"),
        ("operator", "POST /channels/{channel}/test"),
        ("operator", "POST /incidents/{incident}/acknowledge"),
        ("operator", "POST /silences"),
        ("operator", "PUT /routes/{route}"),
        ("admin", "PUT /channels/{channel}"),
        ("admin", "DELETE /channels/{channel}"),
        ("viewer", "GET /incidents/{incident}/why"),
        ("admin", "PUT /settings/{setting}"),
        ("admin", "POST /enrolment-tokens"),
        ("admin", "POST /hosts/{host}/revoke"),
        ("admin", "POST /hosts/{host}/rotate"),
        ("admin", "DELETE /hosts/{host}"),
        ("admin", "GET /refused"),
        ("admin", "GET /users"),
        ("admin", "GET /audit"),
        ("viewer", "GET /hosts"),
    ],
)
def test_an_operation_needs_its_role(role: str, name: str) -> None:
    assert [operation.role for operation in operations() if operation.name == name] == [role]


def test_a_change_of_what_has_a_version_names_it() -> None:
    puts = [
        operation
        for operation in operations()
        # A document of the configuration changes what it names, and has no version itself.
        if operation.method == "PUT" and not operation.path.startswith((*OWN, "/configuration"))
    ]
    assert {operation.match for operation in puts} == {"required"}
    for operation in puts:
        assert {412, 428} <= set(refusals(operation))
