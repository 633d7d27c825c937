"""Who asks: somebody at this machine, or another machine; and what another machine may not send without encryption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from infra.addresses import is_loopback
from schemas.enrolment import ENROL, RENEW
from services.gateway.http.forwarded import HEADERS as PROXY_HEADERS
from services.gateway.http.problems import ProblemError

_SECRET_PATHS = (ENROL, RENEW, "/api/v1/session")
"""Whatever is sent there, or below, has secrets in it."""
_SECRET_HEADERS = ("authorization", "cookie")


def is_here(scope: Mapping[str, Any], headers: Headers) -> bool:
    """Whether whoever asks is at this machine: on loopback, or with the same address at both ends of the connection.

    What comes through a proxy is not, whoever runs it: proxies say so in a header, and those that do not mostly speak
    HTTP/1.0, as no browser does.
    """
    client, server = scope.get("client"), scope.get("server")
    if not client or scope.get("http_version") == "1.0" or any(name in headers for name in PROXY_HEADERS):
        return False
    return is_loopback(client[0]) or bool(server and client[0] == server[0])


def open_secret_refusal(scope: Mapping[str, Any], headers: Headers, in_front: bool) -> ProblemError | None:
    """Why another machine's request goes no further; None when it does. `in_front`: something there encrypts."""
    if scope["scheme"] == "https" or in_front:
        return None
    sends = scope["method"] not in ("GET", "HEAD", "OPTIONS") and _is_secret(scope["path"])
    if not sends and not any(name in headers for name in _SECRET_HEADERS):
        return None
    return ProblemError(
        403,
        "this request carries secrets and came without TLS: set SONDE_TLS to own or files, or to in-front where "
        "something in front of the gateway encrypts",
        type="/problems/tls-required",
    )


def _is_secret(path: str) -> bool:
    return any(path == secret or path.startswith(secret + "/") for secret in _SECRET_PATHS)
