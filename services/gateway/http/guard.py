"""The guard in front of every route: who may ask, under which name, how much, and the headers of every answer.

A list of host names keeps web pages from reaching us under a name of their own (DNS rebinding), and nobody may change
anything, or use the API at all, on behalf of pages of other origins. Behind the guard a request looks as it did before
a trusted proxy had it: client, scheme and Host are those, and headers that only a proxy may set are gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.addresses import Network, networks_of, within
from infra.settings import ServerSettings
from services.gateway.http.forwarded import HEADERS as PROXY_HEADERS
from services.gateway.http.forwarded import Asker, Contradiction, asker_of
from services.gateway.http.names import Names, host_name, names_of_gateway, same_origin
from services.gateway.http.peers import is_here, open_secret_refusal
from services.gateway.http.problems import ProblemError, problem_response
from services.gateway.http.requests import MOST_BODY_BYTES, too_large

logger = logging.getLogger(__name__)

API = ("/api/", "/health/", "/metrics")
"""What programs ask: never kept by a cache, never asked by pages of other sites."""
FROM_OTHER_SITES = frozenset({"/api/v1/session/oidc", "/api/v1/session/oidc/callback"})
"""What a page of another site may lead a browser to below the API: an identity provider sends people back."""
LOOPBACK = networks_of("127.0.0.1,::1")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def trusted_proxies(settings: ServerSettings) -> tuple[Network, ...]:
    """Whose X-Forwarded-* count: those named, and with SONDE_TLS=in-front those of this machine."""
    here = LOOPBACK if settings.tls == "in-front" else ()
    return (*networks_of(settings.trusted_proxies), *here)


class Guard:
    """ASGI middleware: refuses what `refusal` refuses, adds the headers."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self._names = names_of_gateway(settings)
        self._proxies = trusted_proxies(settings)
        self._in_front = settings.tls == "in-front"
        self._vouchers = networks_of(settings.trusted_proxies)
        """Who may say who asks: whom the settings name, and nobody else on loopback, which every local user has."""
        told = (settings.proxy_user_header, settings.proxy_groups_header)
        self._vouching = tuple(name.lower() for name in told if name)
        """Headers in which they do."""
        self._ignored = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        api = scope["path"].startswith(API)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if api:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            scope = self._admitted(scope)
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)

    def _admitted(self, scope: Scope) -> Scope:
        """The scope as the application is to see it. Raises ProblemError."""
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        try:
            asker = asker_of(peer, scope["scheme"], headers, self._proxies, self._in_front)
        except Contradiction:
            raise ProblemError(
                400,
                "the headers Forwarded and X-Forwarded-* of this request disagree; let the proxy in front set one kind "
                "and remove the other",
                type="/problems/forwarded",
            ) from None
        unheeded = () if within(peer, self._vouchers) else self._vouching
        self._note_ignored(peer, headers, (*unheeded, *(() if within(peer, self._proxies) else PROXY_HEADERS)))
        here = is_here(scope, headers)
        scope = seen(scope, asker, unheeded)
        problem = refusal(scope, Headers(scope=scope), self._names, self._vouching)
        if problem is None and not here:
            problem = open_secret_refusal(scope, headers, self._in_front)
        if problem is not None:
            raise problem
        return scope

    def _note_ignored(self, peer: str, headers: Headers, unheeded: Iterable[str]) -> None:
        """Say once that somebody passes requests on whom nobody told us to trust."""
        if not self._ignored and any(name in headers for name in unheeded):
            self._ignored = True
            logger.warning(
                "forwarded headers ignored, SONDE_TRUSTED_PROXIES does not name their sender", extra={"address": peer}
            )


def seen(scope: Scope, asker: Asker, further: Iterable[str] = ()) -> Scope:
    """`scope` as if `asker` had asked us without any proxy between, and without `further` headers."""
    hidden = {name.encode() for name in (*PROXY_HEADERS, "host", *further)}
    headers = [(name, value) for name, value in scope["headers"] if name not in hidden]
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if asker.proxied and len(hosts) < 2:
        hosts = [asker.host.encode("latin-1", "replace")]
    port = scope["client"][1] if scope.get("client") and not asker.proxied else 0
    return {
        **scope,
        "client": (asker.address, port),
        "scheme": asker.scheme,
        "headers": [*((b"host", host) for host in hosts), *headers],
    }


def refusal(scope: Scope, headers: Headers, names: Names, vouching: Iterable[str] = ()) -> ProblemError | None:
    """Why a request goes no further; None when it does. `vouching`: headers by which a proxy says who asks."""
    hosts = headers.getlist("host")
    if len(hosts) > 1:
        return ProblemError(400, "the request has several Host headers")
    host = hosts[0] if hosts else ""
    if not names.allow(host_name(host)):
        return ProblemError(
            421,
            f"the host name {host[:100]!r} is not allowed; set SONDE_PUBLIC_URL to the address in use, or add the name "
            "to SONDE_ALLOWED_NAMES",
            type="/problems/host-name",
        )
    path, method = scope["path"], scope["method"]
    site = headers.get("sec-fetch-site", "none")
    if site == "cross-site" and path.startswith(API) and not (method == "GET" and path in FROM_OTHER_SITES):
        return _foreign("a page of another site")
    if method not in _SAFE_METHODS:
        origin = headers.get("origin")
        if site not in ("same-origin", "none"):
            return _foreign("a page of another origin")
        if origin is not None and not same_origin(origin, scope["scheme"], host, names):
            return _foreign(f"a page of {origin[:100]!r}")
        # A browser sends cookies, and logs in at a proxy, of itself; a token of ours it never does.
        ambient = any(name in headers for name in ("cookie", *vouching))
        bears = headers.get("authorization", "").lower().startswith("bearer ")
        if ambient and not bears and origin is None and "sec-fetch-site" not in headers:
            return ProblemError(
                403,
                "a change by a cookie, or through a proxy that says who asks, has to say from which page: send "
                "Origin or Sec-Fetch-Site, as every browser does, or an API token",
                type="/problems/origin-required",
            )
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= MOST_BODY_BYTES):
        return too_large(MOST_BODY_BYTES)
    return None


def _foreign(whose: str) -> ProblemError:
    return ProblemError(
        403,
        f"request from {whose} refused; use the dashboard itself, or a program outside a browser. If it was the "
        "dashboard behind a proxy, set SONDE_PUBLIC_URL to its address",
        type="/problems/cross-origin",
    )
