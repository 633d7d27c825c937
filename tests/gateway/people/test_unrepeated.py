"""No answer repeats a secret that a request has."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from infra.generate.declared import declared
from schemas.settings import SECRETS, RuntimeSettings
from schemas.validation import is_secret
from services.gateway.http.operations import Operation
from tests.gateway.asking import asking

SHORT = "hunter2"
NAMES = {"password", "secret", "code", "token", "old", "new", "signature"}
"""What fields with secrets are called."""
BODIES: list[tuple[str, Any]] = [
    ("/session/link", {"secret": "s" * 43, "password": SHORT}),
    ("/session/link", {"secret": SHORT * 100, "password": "a longer password"}),
    ("/session", {"name": "ada", "password": SHORT * 200}),
    ("/session", {"name": "ada", "password": "x", "code": SHORT * 20}),
    ("/session", SHORT),
    ("/session/link", SHORT),
    ("/enrol", SHORT),
]


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_a_fault_says_what_is_allowed_and_not_what_was_given(path: str, body: Any, database_url: str) -> None:
    async with asking(database_url, token="") as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["value"] is None
    assert "must be" in answer.json()["detail"]
    assert SHORT not in answer.text


def with_secrets(operation: Operation) -> list[str]:
    """Fields of its body that are called as secrets are."""
    is_struct = isinstance(operation.body, type) and issubclass(operation.body, Struct)
    fields = msgspec.structs.fields(operation.body) if is_struct else ()
    return [field.name for field in fields if field.name in NAMES and not is_secret(field.type)]


async def test_every_secret_of_a_body_is_marked() -> None:
    operations = await asyncio.to_thread(declared)
    assert {one.name: with_secrets(one) for one in operations if with_secrets(one)} == {}


def test_every_secret_setting_is_marked() -> None:
    marked = {field.name for field in msgspec.structs.fields(RuntimeSettings) if is_secret(field.type)}
    assert marked == SECRETS
