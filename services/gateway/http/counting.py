"""Counting requests: which operation, how answered, how long until the answer began."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REACHED = "sonde.reached"
"""Key of a request's scope: a list that takes the name of the operation that it reaches, in whichever copy."""
OTHER = "other"
"""What is no operation: files of the dashboard, paths that do not exist, what was refused before."""

Answered = Callable[[str, int, float], None]
"""Operation, status, seconds until the answer began."""


def note_operation(scope: Scope, name: str) -> None:
    """The request has reached the operation of that name."""
    scope.get(_REACHED, []).append(name)


class Counting:
    """ASGI middleware: tells `answered` of each request once, when its answer begins or it failed without one."""

    def __init__(self, app: ASGIApp, answered: Answered) -> None:
        self.app = app
        self.answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        reached: list[str] = []
        told = False

        def tell(status: int) -> None:
            nonlocal told
            if not told:
                told = True
                self.answered(reached[-1] if reached else OTHER, status, time.perf_counter() - began_s)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell(message["status"])
            await send(message)

        try:
            await self.app({**scope, _REACHED: reached}, receive, send_counted)
        except Exception:
            tell(500)
            raise
