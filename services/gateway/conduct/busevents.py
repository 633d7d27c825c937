"""Whom the bus turned away or cut off, from what its servers tell the system account and write to their log. Pure.

The client of a refused connection sends whatever it likes: a JWT counts for its owner only when one of our keys signed
it. Violations of permissions stand in the log only, as nats-server 2.15 has no event for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from msgspec import Struct

from infra.addresses import neighbourhood
from infra.authority.claims import BadToken, decode

AUTH_ERRORS = "$SYS.SERVER.*.CLIENT.AUTH.ERR"
DISCONNECTS = "$SYS.ACCOUNT.*.DISCONNECT"

_ORDINARY = frozenset(
    {
        "Client Closed",
        "Stale Connection",
        "Read Error",
        "Write Error",
        "Server Shutdown",
        "Connection Closed",
        "Kicked",
        "Authentication Failure",  # told by AUTH_ERRORS too
    }
)
"""Reasons for an end that are no refusal."""

_LINE = re.compile(
    r'^\[\d+\] \S+ \S+ \[ERR\] \S+ - cid:\d+ - "(?:[^"\\]|\\.)*" - "[^"/]*/[^"/]*/jwt:(?P<key>U[A-Z2-7]{55})" - '
    r"(?P<reason>(?P<what>Publish|Subscription) Violation - .*|maximum subscriptions exceeded)"
)


class Refusal(Struct, frozen=True):
    """Something that was refused."""

    name: str
    """Public key of a user of the bus, or an address."""
    what: str
    reason: str


def refused_connection(event: Any, issuers: Callable[[], Collection[str]], now_s: float) -> Refusal | None:
    """What an event on `AUTH_ERRORS` tells; None when it tells nothing. `issuers`: keys whose users the bus takes."""
    try:
        client = event["client"]
        address = neighbourhood(str(client.get("host") or "unknown address"))
        token = client.get("jwt") or ""
    except (KeyError, TypeError, AttributeError):
        return None
    if not token:
        return Refusal(address, "connect", "no identity")
    try:
        claims = decode(str(token))
        owner, expires_s, issuer = str(claims["sub"]), int(claims.get("exp") or 0), str(claims["iss"])
    except (BadToken, KeyError, TypeError, ValueError):
        return Refusal(address, "connect", "its JWT is damaged or not signed by whom it names")
    if issuer not in issuers():
        return Refusal(address, "connect", "its JWT is not of this authority")
    if 0 < expires_s <= now_s:
        return Refusal(owner, "connect", f"expired JWT, from {address}")
    return Refusal(owner, "connect", f"revoked, or without the key of the JWT, from {address}")


def forced_end(event: Any) -> Refusal | None:
    """What an event on `DISCONNECTS` tells; None when the connection ended in an ordinary way."""
    try:
        client, reason = event["client"], str(event["reason"])
        name = str(client.get("user") or client.get("host") or "")
    except (KeyError, TypeError, AttributeError):
        return None
    return Refusal(name, "disconnected", reason) if name and reason not in _ORDINARY else None


def violation(line: str) -> Refusal | None:
    """What a line of a server's log tells; None when it is of something else."""
    found = _LINE.match(line)
    if found is None:
        return None
    return Refusal(found["key"], "publish" if found["what"] == "Publish" else "subscribe", found["reason"])
