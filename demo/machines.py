"""Who is in the simulated fleet: roles, places, hardware, and to which of them something special happens. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from demo.noise import chance, key_of

GIB = 2**30
DAY_S = 86_400
Role = Literal["web", "db", "worker", "cache", "edge", "gpu"]
Story = Literal["", "leak", "full", "flapping", "silent", "hot", "rebooted", "spike", "updating"]

_ROLES: tuple[Role, ...] = ("web", "db", "web", "gpu", "worker", "cache", "web", "edge", "worker", "db")
_REGIONS = ("fra", "iad", "sin")
_STORIES: tuple[Story, ...] = ("", "full", "spike", "hot", "leak", "rebooted", "", "flapping", "silent", "", "updating")
"""By the place in the fleet, once: a fleet of eleven hosts has all of them, and the larger it is the calmer."""
_CORES: dict[Role, tuple[int, ...]] = {
    "web": (4, 8),
    "db": (16, 32),
    "worker": (8, 16),
    "cache": (4, 8),
    "edge": (2, 4),
    "gpu": (32, 64),
}
_GIB_PER_CORE: dict[Role, int] = {"web": 2, "db": 8, "worker": 4, "cache": 16, "edge": 2, "gpu": 8}
_CONTAINERS: dict[Role, tuple[str, ...]] = {
    "web": ("shop", "checkout", "nginx"),
    "db": (),
    "worker": ("mailer", "reports", "thumbnails"),
    "cache": (),
    "edge": ("envoy",),
    "gpu": ("trainer", "inference"),
}


class Mount(Struct, frozen=True):
    """A file system."""

    path: str
    bytes: int
    level: float
    """Share that is used on an ordinary day."""


class Machine(Struct, frozen=True):
    """One simulated host; with a time it says everything that the host measures."""

    name: str
    number: int
    seed: int
    role: Role
    region: str
    production: bool
    story: Story
    began_s: int
    """When the demonstration began, Unix seconds: stories are told around that moment."""
    cores: int
    memory: int
    """Bytes."""
    mounts: tuple[Mount, ...]
    disks: tuple[str, ...]
    interfaces: tuple[str, ...]
    gpus: tuple[str, ...]
    containers: tuple[str, ...]

    @property
    def tags(self) -> list[str]:
        return [self.role, "prod" if self.production else "staging", self.region]

    def key(self, *names: str) -> int:
        """The key of this host's randomness of that name."""
        return key_of(self.seed, self.name, *names)

    def chance(self, *names: str) -> float:
        """A number from 0 to 1 of this host's own, for good."""
        return chance(self.seed, self.name, *names)


def make_fleet(count: int, seed: int, began_s: int) -> list[Machine]:
    """`count` machines; the same ones for the same seed, whatever the count."""
    numbers: dict[tuple[Role, str], int] = {}
    machines = []
    for place in range(count):
        role, region = _ROLES[place % len(_ROLES)], _REGIONS[place % len(_REGIONS)]
        numbers[role, region] = numbers.get((role, region), 0) + 1
        name = f"{role}-{region}-{numbers[role, region]:02d}"
        machines.append(_machine(name, place, seed, began_s))
    return machines


def _machine(name: str, place: int, seed: int, began_s: int) -> Machine:
    role, region = _ROLES[place % len(_ROLES)], _REGIONS[place % len(_REGIONS)]
    few, many = min(_CORES[role]), max(_CORES[role])
    cores = many if chance(seed, name, "cores") > 0.5 else few
    mounts = [Mount("/", 60 * GIB, 0.35 + 0.3 * chance(seed, name, "/"))]
    if role in ("db", "worker", "gpu", "cache"):
        size = {"db": 1800, "gpu": 3600}.get(role, 400)
        mounts.append(Mount("/var/lib", size * GIB, 0.3 + 0.4 * chance(seed, name, "/var/lib")))
    if role != "edge":
        mounts.append(Mount("/boot", GIB, 0.2 + 0.2 * chance(seed, name, "/boot")))
    boards = (8 if chance(seed, name, "boards") > 0.7 else 4) if role == "gpu" else 0
    return Machine(
        name,
        place,
        seed,
        role,
        region,
        production=place % 6 != 5,
        story=_STORIES[place] if place < len(_STORIES) else "",
        began_s=began_s,
        cores=cores,
        memory=cores * _GIB_PER_CORE[role] * GIB,
        mounts=tuple(mounts),
        disks=("nvme0n1", "nvme1n1") if role in ("db", "gpu") else ("nvme0n1",),
        interfaces=("eth0", "eth1") if role in ("db", "edge", "gpu") else ("eth0",),
        gpus=("NVIDIA H100 80GB HBM3",) * boards,
        containers=_CONTAINERS[role],
    )
