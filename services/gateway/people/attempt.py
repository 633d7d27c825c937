"""One attempt to log in by OpenID Connect, as its cookie carries it: sealed, so that only what we began comes back.

The seal keeps strangers from making us ask the provider; nothing in it is a secret of ours. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

LASTS_S = 600
"""How long somebody may take at the provider."""
MOST_COOKIE = 4000


class Attempt(Struct, frozen=True):
    state: str
    nonce: str
    verifier: str
    to: str
    """Path of the page to come back to."""
    redirect_uri: str
    began_s: int
    former: str = ""
    """SHA-256 of the secret of the session that the browser had then, in hexadecimal; empty: it had none."""


def seal_key(client_secret: str, salt: str) -> bytes:
    """The key of seals: the same at every gateway with that client secret, and until it ends where there is none.

    A sealed cookie must not make a client secret that people thought up easy to find, so the key is slow to make.
    """
    if not client_secret:
        return secrets.token_bytes(32)
    return hashlib.scrypt(client_secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32)


def sealed(attempt: Attempt, key: bytes) -> str:
    body = msgspec.json.encode(attempt)
    return f"{_text(body)}.{_text(_seal(body, key))}"


def unsealed(text: str, key: bytes, now_s: float) -> Attempt | None:
    """The attempt in the text of a cookie; None for what we did not write, or too long ago."""
    body, _, seal = (_bytes(part) for part in text[:MOST_COOKIE].partition("."))
    if not hmac.compare_digest(seal, _seal(body, key)):
        return None
    try:
        found = msgspec.json.decode(body, type=Attempt)
    except (ValueError, RecursionError):  # of another version
        return None
    return found if 0 <= now_s - found.began_s <= LASTS_S else None


def cookie_name(secure: bool) -> str:
    return "__Host-sonde_oidc" if secure else "sonde_oidc"


def carried(request: Request, secure: bool) -> str:
    """The text of the request's cookie; empty without one."""
    return request.cookies.get(cookie_name(secure), "")


def carry(answer: Response, secure: bool, text: str) -> None:
    """Have a browser carry `text` until it comes back from the provider; an empty one removes the cookie."""
    age_s = LASTS_S if text else 0
    answer.set_cookie(cookie_name(secure), text, age_s, path="/", secure=secure, httponly=True, samesite="lax")


def _seal(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"sonde login attempt\0" + body, "sha256")


def _text(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Empty for what is no base64."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
