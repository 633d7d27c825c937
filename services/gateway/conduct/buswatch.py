"""Counting whom the bus refuses: from the events of the system account, and from the log of a server beside us."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import ACCOUNTS, Authority, AuthorityError
from services.gateway.conduct.busevents import (
    AUTH_ERRORS,
    DISCONNECTS,
    Refusal,
    forced_end,
    refused_connection,
    violation,
)
from services.gateway.identities.refused import Refusals

logger = logging.getLogger(__name__)

QUEUE = "sonde-gateway"
"""Of several gateways one counts each event."""
PENDING_BYTES = 8 * 2**20
READ_EVERY_S = 1.0
ISSUERS_S = 5.0
MOST_BYTES = 2**20
"""Read at a time of the log; of what is more than that in a second, the older part is passed over."""


async def watch_events(client: Client, directory: Path, refusals: Refusals) -> None:
    """Count from the events of the system account, as long as the connection lives. Returns once it has subscribed."""

    issuers = Issuers(directory)

    async def on_auth_error(message: Msg) -> None:
        _note(refusals, refused_connection(_event(message), issuers.now, time.time()))

    async def on_disconnect(message: Msg) -> None:
        _note(refusals, forced_end(_event(message)))

    await client.subscribe(AUTH_ERRORS, QUEUE, on_auth_error, pending_bytes_limit=PENDING_BYTES)
    await client.subscribe(DISCONNECTS, QUEUE, on_disconnect, pending_bytes_limit=PENDING_BYTES)


def _event(message: Msg) -> object:
    try:
        return msgspec.json.decode(message.data)
    except msgspec.DecodeError:
        return None


class Issuers:
    """Keys whose users the bus takes, read anew every few seconds: whoever is refused must not make us read files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read_s = -math.inf
        self._keys: frozenset[str] = frozenset()

    def now(self) -> frozenset[str]:
        """Those of late; none while the authority cannot be read."""
        if time.monotonic() - self._read_s > ISSUERS_S:
            self._read_s = time.monotonic()
            try:
                authority = Authority(self._directory)
                scopes = (scope for of in ACCOUNTS for scope in authority.scopes(time.time(), of))
                self._keys = frozenset(scope.public for scope in scopes)
            except AuthorityError:
                self._keys = frozenset()
        return self._keys


def _note(refusals: Refusals, refusal: Refusal | None) -> None:
    if refusal is not None:
        refusals.note(refusal.name, refusal.what, refusal.reason)


async def follow_log(path: Path, refusals: Refusals, heard: Callable[[str, int], None]) -> None:
    """Count the violations that a server writes to its log from now on, also when the log begins anew; until cancelled.

    A missing log is waited for. `heard` is told each time who tried, and how many bytes that was.
    """
    log = Tail(path)
    log.skip()
    while True:
        for line in log.lines():
            refusal = violation(line)
            if refusal is not None:
                _note(refusals, refusal)
                heard(refusal.name, len(line))
        await asyncio.sleep(READ_EVERY_S)


class Tail:
    """New lines of a file that others write, truncate and replace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0
        self._rest = b""

    def skip(self) -> None:
        """Pass over what is there."""
        try:
            found = self._path.stat()
        except OSError:
            return
        self._inode, self._offset = found.st_ino, found.st_size

    def lines(self) -> list[str]:
        """Whole lines since the last time, of at most `MOST_BYTES`: of more, the newest."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._offset:
                    self._inode, self._offset, self._rest = found.st_ino, 0, b""
                if found.st_size - self._offset > MOST_BYTES:
                    self._offset, self._rest = found.st_size - MOST_BYTES, b""
                file.seek(self._offset)
                data = self._rest + file.read(MOST_BYTES)
                self._offset = file.tell()
        except OSError:
            return []
        *lines, self._rest = data.split(b"\n")
        return [line.decode(errors="replace") for line in lines]
