"""Enrolment tokens: secrets that people give to machines, kept as hashes; and what a machine may do with one. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Container
from datetime import datetime
from typing import Any

from infra.clock import to_ms
from schemas.enrolment import TOKEN_PREFIX, EnrolmentToken, TokenState, matches

SECRET_BYTES = 24
LONGEST_NAME = 40


def make_secret() -> str:
    """A new token, of 192 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def token_hash(secret: str) -> bytes:
    """What is stored of a token. It is random through and through, so one round of a fast hash is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def token_state(uses: int, used: int, expires: datetime, withdrawn: datetime | None, now: datetime) -> TokenState:
    if withdrawn is not None:
        return "withdrawn"
    if used >= uses:
        return "used"
    return "expired" if expires <= now else "open"


def as_people_see(row: Any, hosts: list[str], now: datetime) -> EnrolmentToken:
    """A row of `enrolment_tokens` with the name of its host, without its secret."""
    return EnrolmentToken(
        id=row["id"],
        state=token_state(row["uses"], row["used"], row["expires"], row["withdrawn"], now),
        note=row["note"],
        uses=row["uses"],
        used=row["used"],
        made=to_ms(row["made"]),
        expires=to_ms(row["expires"]),
        tags=list(row["tags"]),
        name_pattern=row["name_pattern"],
        host=row["host"] or "",
        hosts=hosts,
    )


def wished_name(name: str, pattern: str) -> str:
    """The host id to try first for a machine that wishes `name`, or nothing in particular."""
    if name:
        return name
    return "host" if not pattern or set(pattern) & set("*?") else pattern


def free_name(wished: str, taken: Container[str], pattern: str) -> str:
    """`wished`, or with the first number behind it that nobody has; empty when no such name fits `pattern`."""
    if wished not in taken and matches(wished, pattern):
        return wished
    for number in range(2, 1_000_000):
        suffix = f"-{number}"
        name = wished[: LONGEST_NAME - len(suffix)].rstrip("-") + suffix
        if not matches(name, pattern):
            return ""
        if name not in taken:
            return name
    return ""
