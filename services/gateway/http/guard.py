"""The guard in front of every route: who may ask, how much, and the headers that every answer carries.

What keeps strangers out, as long as nobody logs in: other machines get what agents need and nothing else; a list of
host names, so that no web page can reach us under a name of its own (DNS rebinding); and no changes, nor any use of the
API, on behalf of pages of other origins.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.peers import is_here, proxied_refusal, stranger_refusal
from services.gateway.http.problems import ProblemError, problem_response
from services.gateway.http.requests import MAX_BODY_BYTES, too_large

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
API = ("/api/", "/health/")
"""What programs ask: never kept by a cache, never asked by pages of other sites."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",  # charts place their parts by style attributes
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


class Names(Struct, frozen=True):
    """Under which names a gateway may be asked."""

    names: frozenset[str]
    addresses: bool = False
    """Whether under any IP address too: no name server can point one at us."""

    def allow(self, name: str) -> bool:
        return name in self.names or (self.addresses and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_name(host: str) -> str:
    """The name in a Host header or an address, without port and brackets, lower case; empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses what `refusal` refuses, adds the headers.

    `names` gives those under which the gateway may be asked at present; `in_front`: something there encrypts.
    """

    def __init__(self, app: ASGIApp, names: Callable[[], Names], in_front: bool = False) -> None:
        self.app = app
        self.names = names
        self.in_front = in_front

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

        headers = Headers(scope=scope)
        problem = refusal(scope["method"], headers, api, self.names())
        if problem is None and not is_here(scope, headers):
            problem = stranger_refusal(scope, self.in_front)
        elif problem is None and self.in_front:
            problem = proxied_refusal(scope)
        if problem is not None:
            await problem_response(problem)(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)


def refusal(method: str, headers: Headers, api: bool, names: Names) -> ProblemError | None:
    """Why a request goes no further; None when it does."""
    host = headers.get("host", "")
    if not names.allow(host_name(host)):
        return ProblemError(
            421,
            f"the host name {host[:100]!r} is not allowed; set SONDE_PUBLIC_URL to the address in use",
            type="/problems/host-name",
        )
    site = headers.get("sec-fetch-site", "none")
    if api and site == "cross-site":
        return _foreign("a page of another site")
    if method not in _SAFE_METHODS:
        origin = headers.get("origin")
        if site not in ("same-origin", "none"):
            return _foreign("a page of another origin")
        if origin is not None and origin_host(origin) != host.lower():
            return _foreign(f"a page of {origin[:100]!r}")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= MAX_BODY_BYTES):
        return too_large()
    return None


def _foreign(whose: str) -> ProblemError:
    return ProblemError(
        403,
        f"request from {whose} refused; use the dashboard itself, or a program outside a browser",
        type="/problems/cross-origin",
    )


def origin_host(origin: str) -> str:
    """Host and port of an Origin header as a Host header has them; empty for `null` and what is no origin."""
    scheme, separator, rest = origin.lower().partition("://")
    return rest if separator and scheme in ("http", "https") else ""
