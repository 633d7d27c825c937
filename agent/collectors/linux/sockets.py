"""TCP sockets and connection tracking of the whole host, from the kernel's own sums: no socket is looked at."""

from __future__ import annotations

from typing import NamedTuple

from agent.collectors.rates import per_second, share_percent
from agent.collectors.readings import Instances, Values
from agent.system.procfs import ProcFile, number_after


class Tcp(NamedTuple):
    established: int | None
    retransmits: int | None
    """Segments sent again since boot."""


def parse_snmp(data: bytes) -> Tcp:
    """The Tcp lines of /proc/net/snmp: one of names, one of numbers."""
    lines = [line.split() for line in data.split(b"\n") if line.startswith(b"Tcp:")]
    if len(lines) != 2 or len(lines[0]) != len(lines[1]):
        return Tcp(None, None)
    columns = dict(zip(*lines, strict=True))
    return Tcp(_whole(columns.get(b"CurrEstab")), _whole(columns.get(b"RetransSegs")))


def _whole(word: bytes | None) -> int | None:
    digits = (word or b"").strip()
    return int(digits) if digits.isdigit() else None


def parse_time_wait(sockstat: bytes) -> int | None:
    """The `tw` of the TCP line of /proc/net/sockstat, which counts both IP versions."""
    at = sockstat.find(b"TCP:")
    return None if at < 0 else number_after(sockstat[at:].split(b"\n", 1)[0], b" tw ")


class Sockets:
    """Holds the files and the previous counter. What a kernel lacks (connection tracking, often) is null."""

    def __init__(self, net: str, proc: str) -> None:
        """`net`: the directory of the host's network counters."""
        self._snmp = ProcFile(f"{net}/snmp")
        self._sockstat = ProcFile(f"{net}/sockstat")
        self._used = ProcFile(f"{proc}/sys/net/netfilter/nf_conntrack_count")
        self._limit = ProcFile(f"{proc}/sys/net/netfilter/nf_conntrack_max")
        self._before: tuple[float, int | None] | None = None

    def collect(self, now_s: float) -> Instances:
        snmp, sockstat = _content(self._snmp), _content(self._sockstat)
        if snmp is None and sockstat is None:
            return {}
        tcp = parse_snmp(snmp or b"")
        before, self._before = self._before, (now_s, tcp.retransmits)
        used, limit = _whole(_content(self._used)), _whole(_content(self._limit))
        self._used.close()  # they come and go with a kernel module, which an open file would keep from going
        self._limit.close()
        values: Values = {
            "tcp_established": tcp.established,
            "tcp_time_wait": parse_time_wait(sockstat or b""),
            "tcp_retransmits": None,
            "conntrack_used": used,
            "conntrack_limit": limit,
            "conntrack_percent": share_percent(used, limit) if used is not None and limit else None,
        }
        if before is not None and before[1] is not None and tcp.retransmits is not None:
            values["tcp_retransmits"] = per_second(before[1], tcp.retransmits, now_s - before[0])
        return {"": values}


def _content(file: ProcFile) -> bytes | None:
    """What is in a file; None while there is no such file."""
    try:
        return file.read_records()
    except OSError:
        return None
