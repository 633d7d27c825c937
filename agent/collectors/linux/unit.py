"""State of the system's services: failed units, a reboot that is due, and whether the clock is kept."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.collectors.readings import Reading, Values

SYSTEMCTL_WITHIN_S = 10.0
WITHIN_S = 15.0
"""For everything."""

_STA_PLL = 0x0001
_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


class Clock(NamedTuple):
    """What the kernel knows of its clock."""

    synchronised: bool | None
    offset_ms: float | None
    """How far it is ahead, where the kernel steers it itself; other time services keep that to themselves."""


def failed_units(run: Callable[[], str]) -> list[str] | None:
    """Names of the failed units; None where systemd cannot be asked."""
    try:
        lines = run().splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return [line.split()[0] for line in lines if line.strip()]


def systemctl() -> str:
    """The failed units, one a line. Raises OSError or SubprocessError."""
    return subprocess.run(
        ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager", "--full"],  # noqa: S607
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SYSTEMCTL_WITHIN_S,
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
    ).stdout


def reboot_required(host: str) -> int | None:
    """1 when a package asked for a reboot; 0 on systems that would say so there, None on others."""
    run = Path(host, "run")
    if (run / "reboot-required").exists() or (run / "reboot-needed").exists():
        return 1
    return 0 if Path(host, "etc/debian_version").exists() else None


def kernel_clock() -> Clock:
    """As adjtimex(2) tells without changing anything; unknown where it cannot be called."""
    import ctypes  # 0.7 MiB that nothing else needs

    class Timeval(ctypes.Structure):
        _fields_ = (("sec", ctypes.c_long), ("usec", ctypes.c_long))

    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("constant", ctypes.c_long),
            ("precision", ctypes.c_long),
            ("tolerance", ctypes.c_long),
            ("time", Timeval),
            ("tick", ctypes.c_long),
            ("rest", ctypes.c_byte * 128),
        )

    timex = Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except AttributeError:
        return Clock(None, None)
    return clock_of(state, timex.status, timex.offset)


def clock_of(state: int, status: int, offset: int) -> Clock:
    """The meaning of adjtimex's answer: its return value, `status` and `offset`."""
    if state < 0:
        return Clock(None, None)
    synchronised = state != _TIME_ERROR and not status & _STA_UNSYNC
    if not (synchronised and status & _STA_PLL):
        return Clock(synchronised, None)
    # The offset is what is still to be added to the clock.
    return Clock(True, -offset / (1e6 if status & _STA_NANO else 1e3))


class Units:
    """Reads all of it; tells the offset of the clock and the failed units' names to whom they concern."""

    def __init__(
        self,
        host: str,
        tell: Callable[[float | None, list[str]], None],
        list_failed: Callable[[], str] = systemctl,
        read_clock: Callable[[], Clock] = kernel_clock,
    ) -> None:
        """`tell` gets offset in ms and names, in the thread that reads."""
        self._host = host
        self._tell = tell
        self._list_failed = list_failed
        self._read_clock = read_clock

    def read(self) -> Reading:
        clock = self._read_clock()
        # Below another root runs another system's systemd, which cannot be asked from here.
        failed = failed_units(self._list_failed) if self._host == "/" and _is_booted() else None
        self._tell(clock.offset_ms, failed or [])
        values: Values = {
            "failed": None if failed is None else len(failed),
            "reboot_required": reboot_required(self._host),
            "clock_synchronised": None if clock.synchronised is None else int(clock.synchronised),
        }
        return Reading({"": values})


def _is_booted() -> bool:
    """True where systemd is the init, as sd_booted(3) tells."""
    return Path("/run/systemd/system").is_dir()
