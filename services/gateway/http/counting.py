"""Counting requests, and one log line each: which operation, by whom, how answered, how long until the answer began.

Of those without a login only failures have a line: who may do nothing else may not fill the log either. Neither has
anything of the path or the query but the operation's own template: those may hold secrets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.person import address_in

logger = logging.getLogger(__name__)

_REACHED = "sonde.reached"
"""Key of a request's scope: what is found out of it on its way, in whichever copy of the scope."""
OTHER = "other"
"""What is no operation: files of the dashboard, paths that do not exist, what was refused before."""

Answered = Callable[[str, int, float], None]
"""Operation, status, seconds until the answer began."""


class _Reached(Struct):
    operation: str
    address: str
    """As trusted proxies tell it, once an operation was reached."""
    person: str = ""


def note_operation(scope: Scope, name: str) -> None:
    """The request has reached the operation of that name."""
    reached = scope.get(_REACHED)
    if reached is not None:
        reached.operation, reached.address = name, address_in(scope)


def note_person(scope: Scope, name: str) -> None:
    """The request is made by the person of that name, who is known by a login or a token."""
    reached = scope.get(_REACHED)
    if reached is not None:
        reached.person = name


class Counting:
    """ASGI middleware: tells `answered` and the log of each request once, when its answer begins or it fails."""

    def __init__(self, app: ASGIApp, answered: Answered) -> None:
        self.app = app
        self.answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        reached = _Reached(OTHER, address_in(scope))
        told = False

        def tell(status: int) -> None:
            nonlocal told
            if not told:
                told = True
                took_s = time.perf_counter() - began_s
                self.answered(reached.operation, status, took_s)
                if (reached.person or status >= 500) and logger.isEnabledFor(logging.DEBUG):
                    logger.debug("request answered", extra=_facts(scope["method"], reached, status, took_s))

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell(message["status"])
            await send(message)

        try:
            await self.app({**scope, _REACHED: reached}, receive, send_counted)
        except Exception:
            tell(500)
            raise


def _facts(method: str, reached: _Reached, status: int, took_s: float) -> dict[str, str | float]:
    _, _, route = reached.operation.rpartition(" ")
    return {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(took_s * 1000, 1),
        "person": reached.person,
        "address": reached.address,
    }
