"""Challenges that an agent signs to prove that it has its key. Pure; nothing is kept: each carries its own proof.

Every gateway with the same authority takes those of the others.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from schemas.enrolment import CHALLENGE_S

AHEAD_S = 5
"""How far ahead of ours the clock of another gateway may be."""
LONGEST = 200


def challenge_secret(seed: str) -> bytes:
    """The secret behind challenges, made from a seed of the authority such that it says nothing about the seed."""
    return hashlib.sha256(b"sonde identity challenge\n" + seed.encode()).digest()


def make_challenge(secret: bytes, now_s: float) -> str:
    text = f"{int(now_s)}.{secrets.token_urlsafe(16)}"
    return f"{text}.{_mark(secret, text)}"


def is_good(secret: bytes, challenge: str, now_s: float) -> bool:
    """Whether `challenge` was made with `secret` within the last `CHALLENGE_S`."""
    text, _, mark = challenge.rpartition(".")
    if len(challenge) > LONGEST or not challenge.isascii() or not hmac.compare_digest(mark, _mark(secret, text)):
        return False
    age_s = now_s - int(text.partition(".")[0])
    return -AHEAD_S <= age_s <= CHALLENGE_S


def _mark(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
