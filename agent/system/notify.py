"""Telling systemd that the agent is ready, alive and stopping, by its datagram protocol (sd_notify)."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Holds where to tell, and when the watchdog was last told. Without a service manager it does nothing."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads `NOTIFY_SOCKET`, and `WATCHDOG_USEC` when it is meant for this process."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._clock = clock
        self._ready = False
        self._alive_every_s = _watchdog_s(environment) / 2
        self._told_s = float("-inf")

    def ticked(self) -> None:
        """A tick is over: ready with the first one, alive with all."""
        if self._address and not self._ready:
            self._ready = self._tell("READY=1")
        self.alive()

    def alive(self) -> None:
        """The loop runs, if only to wait for a tick: told as often as the watchdog wants."""
        now = self._clock()
        if self._address and self._alive_every_s and now - self._told_s >= self._alive_every_s:
            self._told_s = now
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        if self._address:
            self._tell("STOPPING=1")

    def _tell(self, state: str) -> bool:
        """Send `state`; False when the manager does not take it now, which must not hold up a tick."""
        # A leading @ stands for the NUL of an abstract address.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(state.encode(), address)
            return True
        return False


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """Seconds within which the manager wants to hear of us; 0 when it does not."""
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not usec.isdigit() or (pid and pid != str(os.getpid())):
        return 0
    return int(usec) / 1_000_000
