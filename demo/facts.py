"""What simulated hosts say of themselves, and which processes use most there. Pure."""

from __future__ import annotations

import uuid

import numpy as np

from demo.activity import activity
from demo.hostlines import memory_share
from demo.machines import Machine
from demo.stories import leaked, reboot_s
from schemas.messages import HostFacts, ProcessUse, TopProcesses
from schemas.version import VERSION

_PROGRAMS = {
    "web": ("gunicorn", "nginx", "redis-server", "node_exporter"),
    "db": ("postgres", "pgbouncer", "barman", "patroni"),
    "worker": ("celery", "ffmpeg", "python3", "rsync"),
    "cache": ("valkey-server", "twemproxy", "chronyd", "sshd"),
    "edge": ("envoy", "haproxy", "unbound", "sshd"),
    "gpu": ("python3", "nccl-server", "dcgm", "dockerd"),
}
_HOSTED = {"fra": "", "iad": "amazon", "sin": "kvm"}
_ZONES = {"fra": "Europe/Berlin", "iad": "America/New_York", "sin": "Asia/Singapore"}
BEFORE = "0.0.9"
"""Version of agents before they were updated; of the host that fell silent before that it still is."""
KERNELS = ("6.8.0-71-generic", "6.12.48")
"""Before and after a reboot."""


def batch_interval_s(every_s: int) -> float:
    """How often the agents send that sample every `every_s`."""
    return max(10.0, 3.0 * every_s)


def facts_of(
    machine: Machine,
    sample_interval_s: float = 1,
    batch_interval_s: float = 10,
    revision: int = 0,
    *,
    updated: bool = False,
) -> HostFacts:
    """The facts with the settings in force and their revision; `updated`: so is the last agent that was to be."""
    booted_s = reboot_s(machine)
    before = machine.story == "silent" or (machine.story == "updating" and not updated)
    return HostFacts(
        hostname=f"{machine.name}.example.net",
        os="Ubuntu 24.04.3 LTS" if machine.number % 3 else "Debian GNU/Linux 13 (trixie)",
        kernel=KERNELS[machine.story == "rebooted" or machine.number % 4 == 0],
        architecture="aarch64" if machine.role == "edge" else "x86_64",
        cpu_model="Neoverse-N2" if machine.role == "edge" else "AMD EPYC 9354 32-Core Processor",
        cores=machine.cores,
        memory=machine.memory,
        boot_id=str(uuid.UUID(int=machine.key(str(booted_s)) << 64)),
        boot_time=float(booted_s),
        addresses=[f"10.{20 + machine.number % 3}.{machine.number // 250}.{10 + machine.number % 240}"],
        gpus=list(machine.gpus),
        virtualisation=_HOSTED[machine.region],
        agent_version=BEFORE if before else VERSION,
        sample_interval_s=sample_interval_s,
        batch_interval_s=batch_interval_s,
        tags=machine.tags,
        config_revision=revision,
        time_zone=_ZONES[machine.region],
    )


def top_of(machine: Machine, time_s: int) -> TopProcesses:
    """The processes that use most at that moment."""
    at = np.array([time_s])
    busy, share = float(activity(machine, at)[0]), float(memory_share(machine, at)[0])
    leak = float(leaked(machine, at)[0])
    parts = (0.55, 0.25, 0.12, 0.04)
    uses = [
        ProcessUse(
            900 + 37 * number + machine.number,
            name,
            round(100 * machine.cores * busy * part, 1),
            int(machine.memory * ((share - leak) * part * 0.8 + (leak if number == 0 else 0))),
        )
        for number, (name, part) in enumerate(zip(_PROGRAMS[machine.role], parts, strict=True))
    ]
    return TopProcesses(uses, sorted(uses, key=lambda use: -use.memory))
