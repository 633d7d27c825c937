"""`/session/oidc`: the way in by an OpenID Connect provider, and the way back from it.

What belongs to one try (state, nonce, the proof key) travels in a cookie of its own, which browsers also send when
another site leads back to us. The session's cookie they would not send then: so the way back ends with a page of ours,
which goes on to where the way began.
"""

from __future__ import annotations

import base64
import html
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.person import address_of
from services.gateway.people.api_session import enter, welcome
from services.gateway.people.groups import groups_in, names_for, role_of
from services.gateway.people.people import People
from services.gateway.people.provider import Provider, ProviderError
from services.gateway.people.vouched import Disabled, ensure_user

logger = logging.getLogger(__name__)

BEGIN, BACK = "/session/oidc", "/session/oidc/callback"
TRY_S = 600
"""How long somebody may take at the provider."""
AGAIN = "log in again"
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url={to}">
<title>Sonde</title>
<a href="{to}">Go on</a>
</html>
"""


class Begin(Struct, frozen=True):
    to: str = "/"
    """Path of the page to come back to."""


class Back(Struct, frozen=True):
    """What the provider says in the address to which it leads back."""

    code: str = ""
    state: str = ""
    iss: str = ""
    error: str = ""
    error_description: str = ""
    session_state: str = ""
    scope: str = ""
    error_uri: str = ""


class Try(Struct, frozen=True):
    """One try to log in, as its cookie has it."""

    state: str
    nonce: str
    verifier: str
    to: str
    redirect_uri: str
    began_s: int


class Failed(Exception):
    """The text says why, for people; `reason` is for the log."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason or text


def oidc_operations(people: People, provider: Provider | None, public_url: Callable[[], str]) -> list[Operation]:
    """`provider` is None where the settings name none; `public_url` as of users."""

    async def begin(call: Call[Begin, None]) -> Response:
        try:
            if provider is None:
                raise Failed("there is no single sign-on here: SONDE_OIDC_ISSUER is not set")
            base = public_url() or f"{call.request.url.scheme}://{call.request.url.netloc}"
            return await _begin(people, provider, call, base.rstrip("/"))
        except (Failed, ProviderError) as error:
            return _failed(people, call, error)

    async def back(call: Call[Back, None]) -> Response:
        try:
            if provider is None:
                raise Failed("there is no single sign-on here: SONDE_OIDC_ISSUER is not set")
            return await _back(people, provider, call)
        except (Failed, ProviderError) as error:
            return _failed(people, call, error)

    led = {303: None}
    return [
        Operation(
            "GET",
            BEGIN,
            begin,
            "people",
            "Log in by OpenID Connect: leads a browser to the provider",
            None,
            led,
            query=Begin,
        ),
        Operation(
            "GET",
            BACK,
            back,
            "people",
            "Where the provider leads a browser back to",
            None,
            {200: Media(("text/html",), "Logged in; the page leads on to where the way began."), **led},
            query=Back,
            refuses=(503,),
        ),
    ]


async def _begin(people: People, provider: Provider, call: Call[Begin, None], base: str) -> Response:
    known = await provider.configuration()
    it = Try(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        own_path(call.query.to),
        f"{base}/api/v1{BACK}",
        int(time.time()),
    )
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": it.redirect_uri,
        "scope": people.settings.oidc_scopes,
        "state": it.state,
        "nonce": it.nonce,
        "code_challenge": create_s256_code_challenge(it.verifier),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in known.authorization_endpoint else "?"
    answer = RedirectResponse(f"{known.authorization_endpoint}{joint}{urlencode(asked)}", 303)
    packed = base64.urlsafe_b64encode(msgspec.json.encode(it)).decode().rstrip("=")
    _set_cookie(answer, people.secure, packed, TRY_S)
    return answer


async def _back(people: People, provider: Provider, call: Call[Back, None]) -> Response:
    given, it, address = call.query, _try_of(call.request, people.secure), address_of(call.request)
    if it is None or time.time() - it.began_s > TRY_S:
        raise Failed(f"the login took too long, or began in another browser: {AGAIN}", "no cookie of a try")
    if not secrets.compare_digest(it.state.encode(), given.state.encode()):
        raise Failed(f"this answer belongs to another login: {AGAIN}", "wrong state")
    known = await provider.configuration()
    if given.iss != provider.issuer and (given.iss or known.authorization_response_iss_parameter_supported):
        raise Failed(f"this answer is of another provider: {AGAIN}", "wrong issuer in the answer")
    if given.error or not given.code:
        raise Failed(f"the provider did not let you in: {AGAIN}", f"error {given.error[:60]!r}")
    tokens = await provider.exchange(given.code, it.verifier, it.redirect_uri)
    claims = await provider.claims(tokens, it.nonce)
    subject = claims["sub"]
    groups = groups_in(claims, people.settings.oidc_groups_claim)
    if groups is None or not any(claims.get(name) for name in ("preferred_username", "email")):
        claims = {**await provider.userinfo(tokens, subject), **claims}
        groups = groups_in(claims, people.settings.oidc_groups_claim) or []
    role = role_of(groups, people.settings)
    if role is None:
        text = "none of your groups may use Sonde: ask an administrator, who names them in SONDE_OIDC_VIEWER_GROUPS"
        raise Failed(text, f"no group with a role, of {len(groups)}")
    whole = f"{provider.issuer} {subject}"
    names = names_for((claims.get("preferred_username"), claims.get("email")), whole)
    try:
        async with connected(people.pool) as database, database.transaction():
            user = await ensure_user(database, "oidc", whole, names, role, address, call.operation.name)
            entry = await enter(people, call, database, user)
    except Disabled:
        raise Failed("this account is disabled: ask an administrator", "disabled") from None
    entered = await welcome(people, call, entry)
    answer = HTMLResponse(PAGE.format(to=html.escape(it.to, quote=True)), headers=dict(entered.headers))
    _set_cookie(answer, people.secure, "", 0)
    return answer


def own_path(to: str) -> str:
    """`to`, if it is a path here that no browser takes for another site's; else the first page."""
    plain = to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable() and len(to) <= 500
    return to if plain else "/"


def cookie_name(secure: bool) -> str:
    return "__Host-sonde_oidc" if secure else "sonde_oidc"


def _set_cookie(answer: Response, secure: bool, value: str, max_age_s: int) -> None:
    answer.set_cookie(
        cookie_name(secure), value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _try_of(request: Request, secure: bool) -> Try | None:
    packed = request.cookies.get(cookie_name(secure), "")[:4000]
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), type=Try)
    except (ValueError, msgspec.DecodeError):
        return None


def _failed(people: People, call: Call[Any, Any], error: Failed | ProviderError) -> Response:
    """Back to the page of the login, which shows the words; the log has what only administrators should know."""
    if isinstance(error, Failed):
        words, reason = str(error), error.reason
    else:
        words, reason = (
            "the identity provider does not work as it should: try later, or ask an administrator",
            str(error),
        )
    address = address_of(call.request)
    logger.warning("login by the identity provider failed", extra={"reason": reason[:300], "address": address})
    people.refusals.note(address, "login", "identity provider")
    answer = RedirectResponse(f"/login#failed={quote(words)}", 303)
    _set_cookie(answer, people.secure, "", 0)
    return answer
