"""What this host is, and telling the bus so."""

from __future__ import annotations

import functools
import os
import platform
import socket
import sys
from pathlib import Path

import psutil

from agent.plan import Plan
from infra.settings import AgentSettings
from schemas.messages import HostFacts
from schemas.version import VERSION


def host_facts(settings: AgentSettings, plan: Plan, gpus: list[str]) -> HostFacts:
    """The facts now; what cannot be found out is left empty."""
    proc = settings.proc_root
    return HostFacts(
        hostname=socket.gethostname(),
        os=operating_system(),
        kernel=platform.release(),
        architecture=platform.machine(),
        cpu_model=cpu_model(proc),
        cores=os.cpu_count() or 0,
        memory=psutil.virtual_memory().total,
        boot_id=_line(f"{proc}/sys/kernel/random/boot_id"),
        boot_time=boot_time(),
        addresses=addresses(),
        gpus=gpus,
        virtualisation=virtualisation(),
        agent_version=VERSION,
        sample_interval_s=plan.sample_interval_s,
        batch_interval_s=plan.batch_interval_s,
        tags=[tag.strip() for tag in settings.tags.split(",") if tag.strip()],
        config_revision=plan.revision,
    )


@functools.cache
def boot_time() -> float:
    """Unix seconds; read once, for it is derived from the wall clock and would wander with its steps."""
    return float(psutil.boot_time())


@functools.cache
def operating_system() -> str:
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
        except OSError:
            return "Linux"
    return f"{platform.system()} {platform.version()}"


@functools.cache
def cpu_model(proc: str) -> str:
    if sys.platform != "linux":
        return platform.processor()
    for line in _text(f"{proc}/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in {"model name", "Model", "cpu model"}:
            return " ".join(value.split())
    return ""


@functools.cache
def virtualisation() -> str:
    """Container engine, hypervisor or product that this system runs in; empty on bare metal or when unknown."""
    if Path("/.dockerenv").exists():
        return "docker"
    container = _line("/run/systemd/container") or ("podman" if Path("/run/.containerenv").exists() else "")
    if container or sys.platform != "linux":
        return container
    names = " ".join(_line(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")).lower()
    known = {
        "amazon": "amazon",
        "google": "google",
        "microsoft": "microsoft",
        "vmware": "vmware",
        "virtualbox": "virtualbox",
        "xen": "xen",
        "openstack": "openstack",
        "qemu": "kvm",
        "kvm": "kvm",
    }
    for sign, name in known.items():
        if sign in names:
            return name
    return "vm" if " hypervisor" in _text("/proc/cpuinfo") else ""


def addresses() -> list[str]:
    """Addresses that other machines may reach this one at: not loopback, link-local or the containers' ones."""
    found = []
    for name, own in psutil.net_if_addrs().items():
        if name.startswith(("lo", "veth", "br-", "docker")):
            continue
        for address in own:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                text = address.address.partition("%")[0]
                if not text.startswith(("127.", "169.254.", "fe80:")) and text != "::1":
                    found.append(text)
    return sorted(found)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _line(path: str) -> str:
    return _text(path).strip()
