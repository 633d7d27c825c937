"""Rows of the tables as the API shows them, without secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.clock import to_ms
from schemas.people import ApiToken, Session, User


def user_of(row: Mapping[str, Any]) -> User:
    return User(
        row["id"],
        row["name"],
        row["role"],
        row["disabled"],
        row["second_factor"],
        row["source"],
        to_ms(row["created"]),
        _ms(row["last_login"]),
    )


def session_of(row: Mapping[str, Any], this: int | None) -> Session:
    """`this`: the number of the session that asks."""
    return Session(
        row["id"],
        row["name"],
        row["address"],
        row["user_agent"],
        to_ms(row["created"]),
        to_ms(row["seen"]),
        to_ms(row["expires"]),
        row["id"] == this,
    )


def token_of(row: Mapping[str, Any]) -> ApiToken:
    return ApiToken(
        row["id"],
        row["name"],
        row["note"],
        row["role"],
        list(row["scopes"]),
        to_ms(row["created"]),
        _ms(row["expires"]),
        _ms(row["last_used"]),
        row["last_address"],
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)
