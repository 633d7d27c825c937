"""A second machine on this one: a clean Debian with an address, processes, mounts and a host name of its own.

`SONDE_TEST_ROOT` names its root directory, which is never written to: every machine has a layer of its own above it.
Its first process is one of ours, as in a container, or systemd.
`SONDE_TEST_WHEELS` names a folder with the wheels of `requirements/agent.txt`, as these machines reach no index. Both
are made as CONTRIBUTING.md says. Needs root and Linux.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = os.environ.get("SONDE_TEST_ROOT", "")
WHEELS = os.environ.get("SONDE_TEST_WHEELS", "")
_TOOLS = ("ip", "unshare", "nsenter", "mount", "chroot")

_ENTER = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir={root},upperdir={layer}/upper,workdir={layer}/work {layer}/root
cd {layer}/root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /proc/self/fd dev/fd
hostname {name}
{more}
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt && exec "$@"' - {first}
"""
_OURS = """python3 -c '
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries orphans
signal.pause()'"""
_SYSTEMD = "env -i container=lxc /lib/systemd/systemd"
_CGROUPS = {"systemd": "cgroup -o none,name=systemd cgroup", "unified": "cgroup2 cgroup2"} | {
    name: f"cgroup -o {name} cgroup" for name in ("cpu", "memory", "pids")
}
"""Hierarchies of control groups, version 1, that systemd is given: name -> type and options of their mount."""


_BOOTED = "until systemctl is-system-running --wait 2>/dev/null | grep -qE 'running|degraded'; do sleep 0.2; done"
_WITHIN_S = 60.0


def has_systemd() -> bool:
    return Path(ROOT, "lib/systemd/systemd").exists()


def obstacle() -> str:
    """Why there can be no second machine here; empty when there can."""
    if os.geteuid() != 0:
        return "a second machine needs root"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"a second machine needs {', '.join(missing)}"
    for name, value in (("SONDE_TEST_ROOT", ROOT), ("SONDE_TEST_WHEELS", WHEELS)):
        if not Path(value or "/nowhere").is_dir():
            return f"{name} names no directory: see CONTRIBUTING.md"
    return ""


class Machine:
    """One that runs."""

    def __init__(self, name: str, address: str, init: int) -> None:
        self.name = name
        self.address = address
        self._init = init

    def start(self, script: str, **environment: str) -> subprocess.Popen[str]:
        """Begin a shell script on it, as root, with a group of processes of its own."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.Popen(
            ["nsenter", "--target", str(self._init), "--all", "--root", "sh", "-c", f"cd\n{script}"],
            env={"PATH": path, "HOME": "/root", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, script: str, within_s: float = 100, **environment: str) -> tuple[int, str]:
        """Exit status and output of a shell script."""
        process = self.start(script, **environment)
        try:
            output, _ = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, output

    def tell(self, script: str) -> str:
        """The output of a script that succeeds."""
        status, output = self.run(script)
        assert status == 0, output
        return output.strip()

    def files(self) -> set[str]:
        """Every file and directory of the machine, with kind, mode and owner; not what the kernel or /tmp has."""
        listed = "find / -xdev -path /tmp -prune -o -printf '%p %y %m %u:%g\\n'; find /run -printf '%p %y %m %u:%g\\n'"
        return set(self.tell(listed).splitlines())

    def cut(self) -> None:
        """Pull its network cable."""
        self.tell("ip link set eth0 down")

    def plug(self, gateway: str) -> None:
        self.tell(f"ip link set eth0 up && ip route replace {gateway} dev eth0")


class Network:
    """Where machines meet this one: `gateway` is its address there."""

    def __init__(self) -> None:
        self._number = os.getpid() % 250 + 1
        self.gateway = f"10.99.{self._number}.1"
        self._machines = 1

    @contextmanager
    def machine(self, name: str, systemd: bool = False) -> Iterator[Machine]:
        """A machine from nothing, until the end of the context; booted, where it has `systemd`."""
        self._machines += 1
        address = f"10.99.{self._number}.{self._machines}"
        space, link = f"sonde-{self._number}-{self._machines}", f"sonde{self._number}-{self._machines}"
        with contextlib.ExitStack() as stack:
            layer = Path(tempfile.mkdtemp(prefix="sonde-machine-", dir=_disk()))
            stack.callback(shutil.rmtree, layer, ignore_errors=True)
            for part in ("upper", "work", "root"):
                (layer / part).mkdir(mode=0o755)
            (layer / "upper" / "etc").mkdir(mode=0o755)
            (layer / "upper" / "etc" / "hostname").write_text(f"{name}\n")
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", link, "up")
            _ip("route", "add", f"{address}/32", "dev", link)
            for command in (
                ["link", "set", "lo", "up"],
                ["link", "set", "eth0", "up"],
                ["address", "add", f"{address}/32", "dev", "eth0"],
                ["route", "add", f"{self.gateway}/32", "dev", "eth0"],
            ):
                _ip("-n", space, *command)
            join = more = ""
            if systemd:
                stack.callback(_remove_groups, space)
                join, more = _join_groups(space), _mount_groups()
            enter = _ENTER.format(root=ROOT, layer=layer, name=name, more=more, first=_SYSTEMD if systemd else _OURS)
            spaces = "--mount --pid --uts --ipc --cgroup --fork --kill-child"
            script = f"{join}exec nsenter --net=/run/netns/{space} unshare {spaces} sh -c {shlex.quote(enter)}"
            holder = subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL)
            stack.callback(_end, holder)
            machine = Machine(name, address, _first_process(holder))
            machine.tell(_BOOTED if systemd else "true")
            yield machine


@contextmanager
def network() -> Iterator[Network]:
    """This machine's address in a network of its own."""
    found = Network()
    _ip("address", "add", f"{found.gateway}/32", "dev", "lo")
    try:
        yield found
    finally:
        _ip("address", "del", f"{found.gateway}/32", "dev", "lo")


def _disk() -> str:
    """Where machines keep what they write: memory, where there is enough of it."""
    shm = Path("/dev/shm")
    if shm.is_dir() and shutil.disk_usage(shm).free > 2 << 30:
        return str(shm)
    return tempfile.gettempdir()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _first_process(holder: subprocess.Popen[bytes]) -> int:
    """The first process of a machine, once it is in its own root."""
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() in ("python3", "systemd"):
                    return int(child)
        assert holder.poll() is None, "the machine did not start"
        time.sleep(0.02)
    raise AssertionError(f"the machine did not start within {_WITHIN_S:g} s")


def _join_groups(space: str) -> str:
    """Script that makes control groups for a machine and joins them: below them systemd makes its own."""
    made = [
        f"mkdir -p {place}/{space} && echo $$ >{place}/{space}/cgroup.procs\n" for place in _group_places().values()
    ]
    return "".join(made)


def _mount_groups() -> str:
    """Script that mounts what is below the groups that were joined."""
    places = _group_places()
    if "" in places:
        return "mount -t cgroup2 cgroup2 sys/fs/cgroup"
    made = [f"mkdir sys/fs/cgroup/{name} && mount -t {_CGROUPS[name]} sys/fs/cgroup/{name}\n" for name in places]
    return "mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup\n" + "".join(made)


def _group_places() -> dict[str, Path]:
    """Hierarchy -> where it is mounted here; "" is version 2, alone."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return {"": root}
    return {name: root / name for name in _CGROUPS if (root / name).is_dir()}


def _remove_groups(space: str) -> None:
    """Once the last process is gone, for which the kernel takes its time."""
    deadline = time.monotonic() + _WITHIN_S
    for place in _group_places().values():
        for directory in [*sorted((place / space).rglob("*/"), reverse=True), place / space]:
            while directory.is_dir() and time.monotonic() < deadline:
                try:
                    directory.rmdir()
                except OSError:
                    time.sleep(0.02)


def _end(holder: subprocess.Popen[bytes]) -> None:
    """Kill the machine; all its processes end with its first one."""
    holder.kill()
    holder.wait()
