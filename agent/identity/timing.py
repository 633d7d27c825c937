"""When to renew. Pure."""

from __future__ import annotations

from agent.identity.state import Identity
from schemas.enrolment import RENEW_AT_SHARE

JITTER_SHARE = 0.1
"""Of the life: over so long the renewals of a fleet that enrolled at once are spread."""


def due_s(identity: Identity, jitter: float) -> float:
    """When to renew, Unix seconds of the gateway's clock; `jitter`: from 0 to 1, how late in the time for it."""
    life_s = identity.expires - identity.issued
    return identity.issued + life_s * (RENEW_AT_SHARE + JITTER_SHARE * jitter)


def wait_s(identity: Identity, jitter: float, now_s: float) -> float:
    """How long to wait with the renewal at `now_s` of our clock; 0: it is due."""
    return max(0.0, due_s(identity, jitter) - (now_s + identity.ahead_s))
