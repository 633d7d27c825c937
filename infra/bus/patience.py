"""How long to wait, and what to say, between tries to connect to a bus that is away or does not want us."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable

import nats.errors
from msgspec import Struct

from infra.bus.backoff import Backoff
from infra.bus.credentials import BadCredentials, stamp, user_name
from infra.bus.tls import UntrustedServer

logger = logging.getLogger(__name__)

SAY_EVERY_S = 3600.0
_MOST_TEXTS = 64
_LOOK_EVERY_S = 1.0
_REFUSAL = re.compile("authorization (violation|failed)|authentication (expired|revoked)", re.IGNORECASE)
"""How the server says that it does not know us, or knows us and does not want us."""


class Access(Struct, frozen=True):
    """As whom to connect, and whose word to take for the server."""

    credentials: str = ""
    """Path of a .creds file; empty: none is asked for, or user and password stand in the address."""
    inbox_prefix: str = "_INBOX"
    """Begin of the subjects on which answers arrive; permissions may allow only one of our own."""
    ca: str = ""
    """Path of certificates (PEM) that vouch for a server with TLS; empty: those that the system trusts."""
    server_name: str = ""
    """Name that the server's certificate is for; empty: the host of the address."""
    refused_wait_s: tuple[float, float] = (1.0, 900.0)
    """First and longest wait after a refusal, which only an operator ends."""
    refused: Callable[[], None] | None = None
    """Called at each refusal: there may be somebody who can get other credentials."""


ANYBODY = Access()


def access_of(credentials: str, ca: str = "", server_name: str = "") -> Access:
    """The access of a service or tool: its inbox is the one that its user may have. Raises BadCredentials."""
    prefix = f"_INBOX_{user_name(credentials)}" if credentials else "_INBOX"
    return Access(credentials, prefix, ca, server_name)


class Seldom:
    """Lets a text through once in `every_s`, and remembers a bounded number of them."""

    def __init__(self, every_s: float = SAY_EVERY_S) -> None:
        self._every_s = every_s
        self._said_s: dict[str, float] = {}

    def due(self, text: str, now_s: float) -> bool:
        """True when `text` is to be said at `now_s`."""
        said_s = self._said_s.get(text)
        if said_s is not None and now_s - said_s < self._every_s:
            return False
        self._said_s.pop(text, None)
        if len(self._said_s) >= _MOST_TEXTS:
            del self._said_s[next(iter(self._said_s))]
        self._said_s[text] = now_s
        return True

    def forget(self) -> None:
        """Things work again: what goes wrong from now on is news."""
        self._said_s.clear()


class Patience:
    """Of one program, over all its tries to be connected."""

    def __init__(self, name: str, access: Access) -> None:
        self._name = name
        self._access = access
        self._seldom = Seldom()
        self._away = Backoff(0.05, 4)
        self._refused = Backoff(*access.refused_wait_s)

    def reset(self) -> None:
        """It is connected again, or was for a while."""
        self._seldom.forget()
        self._away.reset()
        self._refused.reset()

    def news(self, text: str) -> bool:
        """True when `text` was not said within the last hour, or things worked since. It counts as said then."""
        return self._seldom.due(text, time.monotonic())

    async def after(self, error: Exception, connected: bool) -> None:
        """Say what is new, and wait before the next try where there is to be one."""
        text = str(error) or type(error).__name__
        refusal = not connected and is_refusal(error)
        if self.news(text):  # a server that is away fails every try in the same way
            facts = {"client": self._name, "error": text}
            if refusal:
                logger.error("bus refuses this program, will retry", extra=facts)
            elif isinstance(error, UntrustedServer):
                logger.error("bus not trusted, will retry", extra=facts)
            else:
                logger.warning("bus error", extra=facts)
        if refusal:
            if self._access.refused is not None:
                self._access.refused()
            await self._sleep_unless_replaced(self._refused.next_s())
        elif isinstance(error, OSError) or not connected:
            await asyncio.sleep(self._away.next_s())

    async def _sleep_unless_replaced(self, wait_s: float) -> None:
        """Sleep, but not on once the credentials file has changed: it may be the remedy."""
        path = self._access.credentials
        before = stamp(path)
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0 and stamp(path) == before:  # noqa: ASYNC110 - files call nobody
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))


def is_refusal(error: Exception) -> bool:
    """True when trying again soon is of no use: the bus does not accept who we are."""
    return isinstance(error, BadCredentials | nats.errors.AuthorizationError) or bool(_REFUSAL.search(str(error)))
