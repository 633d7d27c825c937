"""Secrets that we make: of sessions, tokens, links and recovery codes; and what is stored of them. Pure.

They are random through and through, so one round of a fast hash is enough.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

SECRET_BYTES = 32
RECOVERY_BYTES = 10
RECOVERY_CODES = 10
TOKEN_PREFIX = "sonde_api_"  # noqa: S105  (how a token begins, so that people and scanners know one when they see it)


def make_secret() -> str:
    """256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def make_token() -> str:
    """256 random bits that can be told from other secrets."""
    return TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def make_recovery_codes() -> list[str]:
    """Each of 80 random bits, in groups that can be typed: `abcd-efgh-ijkl-mnop`."""
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def typed_code(code: str) -> str:
    """A code as it was made, however people type it: in upper case, with spaces or without hyphens."""
    bare = "".join(character for character in code.lower() if character.isalnum())
    return "-".join(bare[start : start + 4] for start in range(0, len(bare), 4))


def hashed(secret: str) -> bytes:
    """What is stored of a secret: SHA-256."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()
