"""The families with instances: file systems, disks, network, GPUs, sensors, cores, containers, directories. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from demo.activity import activity, training, trend
from demo.hostlines import memory_share, waiting
from demo.lines import Line, line
from demo.machines import DAY_S, GIB, Machine, Mount
from demo.noise import Floats, Ints, flutter, held, uniform, wander, whole
from demo.stories import backing_up, deploying, filled
from schemas.families import CONTAINER, CORE, CUSTOM, DIRECTORY, DISK, FILESYSTEM, GPU, NETWORK, SENSORS

PAGE = 4096
GPU_MEMORY = 80 * GIB
GPU_LIMIT_W = 700


def _fullness(machine: Machine, mount: Mount, times_s: Ints) -> Floats:
    """Share of a file system that is used."""
    if machine.story == "full" and mount is machine.mounts[1 if len(machine.mounts) > 1 else 0]:
        return filled(machine, times_s)
    weekly = (times_s % (7 * DAY_S)) / (7 * DAY_S)
    key = machine.key("filesystem", mount.path)
    grown = 0.0 if mount.path == "/boot" else 0.05
    share: Floats = mount.level + grown * weekly + 0.2 * grown * wander(key, times_s, 9000)
    return share


def filesystems(machine: Machine, times_s: Ints) -> Iterator[Line]:
    for number, mount in enumerate(machine.mounts):
        share = _fullness(machine, mount, times_s)
        usable = 0.95 * mount.bytes
        used = np.floor(share * usable / PAGE) * PAGE
        inodes = mount.bytes / 16_384
        inodes_used = np.rint(inodes * (0.02 + 0.25 * share))
        yield line(
            FILESYSTEM,
            times_s,
            {
                "total": float(mount.bytes),
                "used": used,
                "available": usable - used,
                "used_percent": 100 * used / usable,
                "inodes_total": inodes,
                "inodes_used": inodes_used,
                "inodes_percent": 100 * inodes_used / inodes,
                "read_only": 0,
                "stuck": 0,
            },
            mount.path,
            {"device": f"/dev/{machine.disks[min(number, len(machine.disks) - 1)]}p{number + 1}", "fstype": "ext4"},
        )


def disks(machine: Machine, times_s: Ints) -> Iterator[Line]:
    busy = trend(machine, times_s)
    heavy = {"db": 1.0, "worker": 0.5, "gpu": 0.4}.get(machine.role, 0.12)
    for number, disk in enumerate(machine.disks):
        key, share = machine.key("disk", disk), heavy * (0.35 if number == 0 and len(machine.disks) > 1 else 1)
        backup = backing_up(machine, times_s) * (number == len(machine.disks) - 1)
        flushed = np.where(times_s % 5 == machine.number % 5, 1.5, 0.85)
        writes = whole((4 + 1400 * share * busy) * flushed, key, times_s)
        reads = whole(900 * share * busy * (1 + 0.6 * wander(key + 1, times_s, 40)) + 2600 * backup, key + 2, times_s)
        wait = 0.35 + 3 * waiting(machine, times_s) * (1 + uniform(key + 3, times_s))
        yield line(
            DISK,
            times_s,
            {
                "read": reads * PAGE * (4 + 12 * backup),
                "write": writes * PAGE * 3,
                "reads": reads,
                "writes": writes,
                "busy": 100 * np.minimum(1, (reads + writes) * wait / 9000),
                "read_wait": np.where(reads > 0, wait, 0),
                "write_wait": np.where(writes > 0, 0.6 * wait, 0),
                "queue": (reads + writes) * wait / 1000,
            },
            disk,
        )


def networks(machine: Machine, times_s: Ints) -> Iterator[Line]:
    busy = activity(machine, times_s)
    level = {"edge": 90e6, "web": 14e6, "cache": 22e6, "gpu": 30e6}.get(machine.role, 5e6)
    for number, interface in enumerate(machine.interfaces):
        key, share = machine.key("network", interface), (1.0, 0.3)[number]
        received = level * share * busy * (1 + 0.2 * wander(key, times_s, 15)) + 900
        sent = received * (2.6 if machine.role in ("web", "edge") else 0.8) * (1 + 0.1 * flutter(key + 1, times_s))
        sent = sent + 120e6 * backing_up(machine, times_s) * (number == 0)
        yield line(
            NETWORK,
            times_s,
            {
                "received": received,
                "sent": sent,
                "errors": 0,
                "drops": whole(0.02 + 3 * np.clip(busy - 0.9, 0, 1), key + 2, times_s),
                "packets_received": received / 900,
                "packets_sent": sent / 1100,
                "speed": 25_000 if machine.role in ("edge", "gpu") else 10_000,
                "up": 1,
            },
            interface,
        )


def gpus(machine: Machine, times_s: Ints) -> Iterator[Line]:
    hot = machine.story == "hot"
    for board, name in enumerate(machine.gpus):
        key, busy = machine.key("gpu", str(board)), training(machine, board, times_s)
        calm = (training(machine, board, times_s - 15) + training(machine, board, times_s - 40) + busy) / 3
        degrees = 36 + board % 4 + (50 if hot and board == 2 else 34) * calm + 0.5 * wander(key, times_s, 30)
        held_back = (degrees > 84) * 1.0
        power = 75 + (GPU_LIMIT_W - 110) * busy * (1 - 0.12 * held_back) + 8 * flutter(key + 1, times_s)
        used = np.where(calm > 0.3, 0.86 + 0.03 * wander(key + 2, times_s, 600), 0.012)
        yield line(
            GPU,
            times_s,
            {
                "utilisation": 100 * np.minimum(1, busy),
                "memory_used": np.floor(used * GPU_MEMORY),
                "memory_total": GPU_MEMORY,
                "memory_percent": 100 * used,
                "temperature": degrees,
                "power": power,
                "memory_utilisation": 62 * busy,
                "fan": None,
                "clock": 1980 - 250 * held_back - 1600 * (busy < 0.05),
                "memory_clock": 2619,
                "power_limit": GPU_LIMIT_W,
                "encoder": 0,
                "decoder": 0,
                "ecc_corrected": float(board % 3),
                "ecc_uncorrected": 0,
                "throttle_reasons": 64 * held_back + 1.0 * (busy < 0.05),
                "throttled": held_back,
            },
            str(board),
            {"name": name, "uuid": f"GPU-{machine.key('uuid', str(board)):016x}"},
        )


def sensors(machine: Machine, times_s: Ints) -> Iterator[Line]:
    if machine.region == "iad":  # rented machines show none
        return
    busy = trend(machine, times_s - 20)
    for name, base, reach in (("coretemp Package id 0", 38, 42), ("nvme Composite", 34, 12)):
        degrees = base + reach * busy + 0.4 * flutter(machine.key("sensor", name), times_s)
        limits = {"temperature_high": 84.0, "temperature_critical": 100.0}
        yield line(SENSORS, times_s, {"temperature": degrees, **limits}, name)


def cores(machine: Machine, times_s: Ints) -> Iterator[Line]:
    busy = activity(machine, times_s)
    for core in range(machine.cores):
        key = machine.key("core", str(core))
        own = busy * (1 + 0.5 * wander(key, times_s, 20)) + 0.06 * flutter(key + 1, times_s)
        yield line(CORE, times_s, {"total": 100 * np.clip(own, 0, 1)}, str(core))


def containers(machine: Machine, times_s: Ints) -> Iterator[Line]:
    busy, share = activity(machine, times_s), memory_share(machine, times_s)
    for number, name in enumerate(machine.containers):
        key, part = machine.key("container", name), (0.6, 0.25, 0.1)[number]
        limit = machine.memory * part
        used = limit * np.clip(share * (1 + 0.05 * wander(key, times_s, 300)), 0, 0.99)
        traffic = part * busy * (14e6 if machine.role in ("web", "edge") else 2e6)
        yield line(
            CONTAINER,
            times_s,
            {
                "cpu": 100 * machine.cores * busy * part * (1 + 0.1 * flutter(key + 1, times_s)),
                "memory": used,
                "memory_limit": limit,
                "memory_percent": 100 * used / limit,
                "received": traffic,
                "sent": traffic * 1.7,
                "read": whole(30 * busy, key + 2, times_s) * PAGE,
                "write": whole(80 * busy, key + 3, times_s) * PAGE,
                "pids": 14 + np.rint(8 * held(key + 4, times_s, 600)),
                "running": 1.0 - (deploying(machine, times_s) > 0.95),
                "restarts": 0,
            },
            name,
            {"image": f"registry.example/{name}:2.{machine.number % 7}"},
        )


def directories(machine: Machine, times_s: Ints) -> Iterator[Line]:
    if machine.containers:
        grown = 6 * GIB * (times_s % (3 * DAY_S)) / (3 * DAY_S)
        size = 18 * GIB + grown
        scan: dict[str, float] = {"scan_seconds": 4.2, "scan_age": 0, "unreadable": 0}
        yield line(DIRECTORY, times_s, {"size": size, "files": size / 52_000, **scan}, "/var/lib/docker")


def customs(machine: Machine, times_s: Ints) -> Iterator[Line]:
    if machine.role == "web":
        busy, key = activity(machine, times_s), machine.key("custom")
        yield line(CUSTOM, times_s, {"value": whole(900 * busy, key, times_s)}, "shop_orders_per_minute")
        late = 40 + 400 * np.clip(busy - 0.5, 0, 1) + 12 * uniform(key + 1, times_s)
        yield line(CUSTOM, times_s, {"value": late}, 'shop_request_seconds{quantile="0.95"}')
