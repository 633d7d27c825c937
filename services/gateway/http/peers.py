"""Who asks: somebody at this machine, or another machine; and what another machine may ask.

There are no logins yet. People therefore use the gateway at its machine, and what agents ask stands open to all: each
of those paths demands a token or a proof of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from infra.addresses import is_loopback
from schemas.enrolment import AGENT_PATHS, ENROL, RENEW
from services.gateway.http.forwarded import HEADERS as PROXY_HEADERS
from services.gateway.http.problems import ProblemError

OPEN_PATHS = (*AGENT_PATHS, "/health/live")
"""One that ends in / stands for all below it."""
_HEALTH_PATHS = ("/health/ready", "/api/v1/health/live", "/api/v1/health/ready")
_SECRET_PATHS = (ENROL, RENEW)


def is_here(scope: Mapping[str, Any], headers: Headers) -> bool:
    """Whether whoever asks is at this machine: on loopback, or with the same address at both ends of the connection.

    What comes through a proxy is not, whoever runs it: proxies say so in a header, and those that do not mostly speak
    HTTP/1.0, as no browser does.
    """
    client, server = scope.get("client"), scope.get("server")
    if not client or scope.get("http_version") == "1.0" or any(name in headers for name in PROXY_HEADERS):
        return False
    return is_loopback(client[0]) or bool(server and client[0] == server[0])


def stranger_refusal(scope: Mapping[str, Any], in_front: bool) -> ProblemError | None:
    """Why another machine's request goes no further; None when it does. `in_front`: something there encrypts."""
    path = scope["path"]
    if not is_open(path):
        return ProblemError(
            403,
            "there are no logins yet, so the dashboard and its API answer at this machine only: open the dashboard on "
            "the machine itself, or through `ssh -L`",
            type="/problems/not-yet-for-people",
        )
    if path in _SECRET_PATHS and scope["scheme"] != "https" and not in_front:
        return ProblemError(
            403,
            "this request carries secrets and came without TLS: set SONDE_TLS to own or files, or to in-front where "
            "something in front of the gateway encrypts",
            type="/problems/tls-required",
        )
    return None


def proxied_refusal(scope: Mapping[str, Any]) -> ProblemError | None:
    """Why a request that seems to come from this machine goes no further where something in front encrypts.

    That something is at this machine, too, and need not say for whom it asks: nobody can be told from a stranger.
    """
    if is_open(scope["path"]) or scope["path"] in _HEALTH_PATHS:
        return None
    return ProblemError(
        403,
        "there are no logins yet, and behind a proxy nobody can be told from a stranger: the dashboard and its API are "
        "closed while SONDE_TLS is in-front; set it to own or files to use them at this machine",
        type="/problems/not-yet-for-people",
    )


def is_open(path: str) -> bool:
    """Whether every machine may ask for it."""
    return any(path.startswith(open_) if open_.endswith("/") else path == open_ for open_ in OPEN_PATHS)
