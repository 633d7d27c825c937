"""The cookie that carries a session's secret. Pure."""

from __future__ import annotations

from starlette.requests import Request

from services.gateway.http.openapi import COOKIE


def name_of(secure: bool) -> str:
    """Behind TLS a browser takes no cookie of that name but from us alone, over TLS, for the whole site."""
    return f"__Host-{COOKIE}" if secure else COOKIE


def secret_in(request: Request, secure: bool) -> str:
    """What the request's cookie carries; empty without one."""
    return request.cookies.get(name_of(secure), "")


def cookie(secret: str, max_age_s: int, secure: bool) -> dict[str, str]:
    """The header that sets it, or with an empty `secret` removes it."""
    parts = [f"{name_of(secure)}={secret}", "Path=/", f"Max-Age={max_age_s if secret else 0}", "HttpOnly"]
    parts += ["SameSite=Strict", *(["Secure"] if secure else [])]
    return {"Set-Cookie": "; ".join(parts)}
