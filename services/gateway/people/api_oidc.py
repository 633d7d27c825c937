"""`/session/oidc`: the way in by an OpenID Connect provider, and the way back from it.

What belongs to one attempt (state, nonce, the proof key) travels in a cookie of its own, which browsers also send when
another site leads back to us. The session's cookie they would not send then: so the way back ends with a page of ours,
which goes on to where the way began, and the attempt remembers the session that it is to end.
"""

from __future__ import annotations

import html
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from msgspec import Struct, structs
from starlette.responses import HTMLResponse, RedirectResponse, Response

from infra.addresses import neighbourhood
from services.gateway.http.database import connected
from services.gateway.http.names import origin_of
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.person import address_of
from services.gateway.http.problems import ProblemError
from services.gateway.people.api_session import end_of_hash, enter, welcome
from services.gateway.people.attempt import Attempt, carried, carry, sealed, unsealed
from services.gateway.people.cookies import secret_in
from services.gateway.people.credentials import hashed
from services.gateway.people.groups import groups_in, names_for, role_of
from services.gateway.people.people import People
from services.gateway.people.provider import Provider, ProviderError
from services.gateway.people.vouched import Disabled, ensure_user

logger = logging.getLogger(__name__)

BEGIN, BACK = "/session/oidc", "/session/oidc/callback"
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
    led: bool = False
    """Whether the browser was led here from another name of the gateway."""


class Back(Struct, frozen=True):
    """What counts of the address to which the provider leads back; many add further parameters of their own."""

    code: str = ""
    state: str = ""
    iss: str = ""
    error: str = ""


class Failed(Exception):
    """The text says why, for people; `reason` is for the log."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason or text


def oidc_operations(people: People, provider: Provider | None) -> list[Operation]:
    """`provider` is None where the settings name none."""

    async def begin(call: Call[Begin, None]) -> Response:
        async def beginning(provider: Provider) -> Response:
            asked = f"{call.request.url.scheme}://{call.request.url.netloc}"
            base = people.settings.public_url.rstrip("/") or asked
            if not call.query.led and origin_of(base) != origin_of(asked):
                return _elsewhere(call, base)
            return await _begin(people, provider, call, base)

        return await guarded(call, beginning)

    async def back(call: Call[Back, None]) -> Response:
        return await guarded(call, lambda provider: _back(people, provider, call))

    async def guarded(call: Call[Any, None], step: Callable[[Provider], Awaitable[Response]]) -> Response:
        """The answer of `step`; what fails is said in words and limited by address.

        A step counts as failed until it is known not to have: many at once are no more guesses than one by one.
        """
        peer, now_s = neighbourhood(address_of(call.request)), time.monotonic()
        wait_s = people.sign_ons.wait_s(peer, now_s)
        if wait_s:
            people.refusals.note(peer, "login", "too many tries")
            return _to_login(people, f"too many tries; come again in {wait_s} s")
        people.sign_ons.take(peer, now_s)
        try:
            if provider is None:
                raise Failed("there is no single sign-on here: SONDE_OIDC_ISSUER is not set")
            with provider.login(peer):
                answer = await step(provider)
        except (Failed, ProviderError) as error:
            people.refusals.note(peer, "login", "identity provider")
            return _failed(people, call, error)
        except ProblemError:  # we are busy, or the database is away
            people.sign_ons.give_back(peer)
            raise
        people.sign_ons.give_back(peer)
        return answer

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
            refuses=(503,),
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
            ignores_unknown=True,
            refuses=(503,),
            description="Parameters that the provider adds to these are passed over (RFC 6749, 4.1.2).",
        ),
    ]


def _elsewhere(call: Call[Begin, None], base: str) -> Response:
    """On to the name to which the provider leads back: the cookie of the attempt would not be sent to another one.

    Once: behind a proxy that does not pass its name on, every request looks like one to another name.
    """
    told = urlencode({"to": own_path(call.query.to), "led": "true"})
    return RedirectResponse(f"{base}/api/v1{BEGIN}?{told}", 303)


async def _begin(people: People, provider: Provider, call: Call[Begin, None], base: str) -> Response:
    known = await provider.configuration()
    former = secret_in(call.request, people.secure)
    it = Attempt(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        own_path(call.query.to),
        f"{base}/api/v1{BACK}",
        int(time.time()),
        hashed(former).hex() if former else "",
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
    carry(answer, people.secure, sealed(it, provider.seal_key))
    return answer


async def _back(people: People, provider: Provider, call: Call[Back, None]) -> Response:
    given, address = call.query, address_of(call.request)
    it = unsealed(carried(call.request, people.secure), provider.seal_key, time.time())
    if it is None:
        raise Failed(f"the login took too long, or began in another browser: {AGAIN}", "no cookie of an attempt")
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
            last, action = people.last_administrator, call.operation.name
            user = await ensure_user(database, last, "oidc", whole, names, role, address, action)
            entry = await enter(people, call, database, user)
            former = await end_of_hash(call, database, bytes.fromhex(it.former)) if it.former else []
    except Disabled:
        raise Failed("this account is disabled: ask an administrator", "disabled") from None
    entered = await welcome(people, call, structs.replace(entry, ended=[*former, *entry.ended]))
    answer = HTMLResponse(PAGE.format(to=html.escape(own_path(it.to), quote=True)), headers=dict(entered.headers))
    carry(answer, people.secure, "")
    return answer


def own_path(to: str) -> str:
    """`to`, if it is a path here that no browser takes for another site's; else the first page."""
    plain = to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable() and len(to) <= 500
    return to if plain else "/"


def _failed(people: People, call: Call[Any, Any], error: Failed | ProviderError) -> Response:
    """The words for people; the log has what only administrators should know."""
    if isinstance(error, Failed):
        words, reason = str(error), error.reason
    else:
        words, reason = (
            "the identity provider does not work as it should: try later, or ask an administrator",
            str(error),
        )
    told = {"reason": reason[:300], "address": address_of(call.request)}
    logger.warning("login by the identity provider failed", extra=told)
    return _to_login(people, words)


def _to_login(people: People, words: str) -> Response:
    """Back to the page of the login, which shows the words."""
    answer = RedirectResponse(f"/login#failed={quote(words)}", 303)
    carry(answer, people.secure, "")
    return answer
