"""The JWTs of NATS: operator -> account -> user. Pure.

Shapes as nats-server 2.15.1 accepts them. A user signed by a scoped key has what that key's template in the account's
JWT allows, and nothing of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infra.authority.keys import Key, verifies

_HEADER = b'{"typ":"JWT","alg":"ed25519-nkey"}'
_UNLIMITED = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)


class Permissions(Struct, frozen=True):
    """What users of one scoped key may do. `{{name()}}` stands for the user's name."""

    publish: tuple[str, ...] = ()
    """Subjects; empty: none at all."""
    subscribe: tuple[str, ...] = ()
    answers: bool = False
    """Whether they may answer requests that reach them."""
    subscriptions: int = -1
    payload: int = -1
    """Most bytes of one message."""


class Scope(Struct, frozen=True):
    """A scoped signing key of the account."""

    public: str
    role: str
    permissions: Permissions


class BadToken(Exception):
    """Text that is no JWT of ours."""


def operator_claims(system_account: str, signing_keys: Sequence[str]) -> dict[str, Any]:
    return {"type": "operator", "system_account": system_account, "signing_keys": list(signing_keys)}


class Crossing(Struct, frozen=True):
    """Subjects that one account offers to another: requests go from the other to it, streams from it to the other."""

    subject: str
    kind: Literal["service", "stream"]


def account_claims(
    scopes: Sequence[Scope],
    revocations: Mapping[str, int],
    *,
    streams: bool,
    offers: Sequence[Crossing] = (),
    takes: Sequence[tuple[str, Crossing]] = (),
) -> dict[str, Any]:
    """An account. `revocations`: public key -> Unix seconds; JWTs of that key issued until then are not taken.

    `streams`: whether it may have any. `offers` are its exports, `takes` its imports, each with its account.
    """
    limits: dict[str, Any] = {**_UNLIMITED, "wildcards": True}
    if streams:
        limits |= {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1, "max_bytes_required": True}
    claims: dict[str, Any] = {"type": "account", "limits": limits, "signing_keys": [_scope(scope) for scope in scopes]}
    if offers:
        claims["exports"] = [{"name": it.subject, "subject": it.subject, "type": it.kind} for it in offers]
    if takes:
        claims["imports"] = [
            {"name": it.subject, "subject": it.subject, "account": account, "type": it.kind} for account, it in takes
        ]
    if revocations:
        claims["revocations"] = dict(sorted(revocations.items()))
    return claims


def system_account_claims() -> dict[str, Any]:
    return {"type": "account", "limits": {**_UNLIMITED, "wildcards": True}}


def user_claims(issuer_account: str) -> dict[str, Any]:
    """A user by a scoped key: everything that it may do stands in the account."""
    return {"type": "user", "issuer_account": issuer_account}


def system_user_claims() -> dict[str, Any]:
    return {"type": "user", "subs": -1, "data": -1, "payload": -1}


def _scope(scope: Scope) -> dict[str, Any]:
    may = scope.permissions
    template: dict[str, Any] = {
        # An empty list would allow everything.
        "pub": {"allow": list(may.publish)} if may.publish else {"deny": [">"]},
        "sub": {"allow": list(may.subscribe)} if may.subscribe else {"deny": [">"]},
        "subs": may.subscriptions,
        "data": -1,
        "payload": may.payload,
        "allowed_connection_types": ["STANDARD"],
    }
    if may.answers:
        # With a maximum of 1, replies are lost when fast requests share an inbox.
        template["resp"] = {"max": -1, "ttl": 10_000_000_000}
    return {"kind": "user_scope", "key": scope.public, "role": scope.role, "template": template}


def encode(signer: Key, subject: str, name: str, claims: Mapping[str, Any], issued_s: int, expires_s: int = 0) -> str:
    """A JWT about the public key `subject`, signed by `signer`; `expires_s` 0: never."""
    body: dict[str, Any] = {"iat": issued_s, "iss": signer.public, "name": name, "sub": subject}
    if expires_s:
        body["exp"] = expires_s
    body["nats"] = {"version": 2, **claims}
    digest = hashlib.new("sha512_256", msgspec.json.encode(body)).digest()
    body["jti"] = base64.b32encode(digest).decode().rstrip("=")
    text = f"{_url64(_HEADER)}.{_url64(msgspec.json.encode(body))}"
    return f"{text}.{_url64(signer.sign(text.encode()))}"


def decode(token: str) -> dict[str, Any]:
    """The claims of a JWT, once its signature fits the key that it names. Whose key that is, is the caller's to judge.

    Raises BadToken.
    """
    try:
        text, _, signature = token.strip().rpartition(".")
        body: dict[str, Any] = msgspec.json.decode(_raw(text.split(".")[1]), type=dict)
        signer = str(body["iss"])
        if not verifies(signer, _raw(signature), text.encode()):
            raise BadToken("its signature does not fit")
    except (IndexError, KeyError, ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise BadToken(f"not a JWT ({type(error).__name__})") from None
    return body


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
