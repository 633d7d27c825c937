"""What this host is, and telling the bus so."""

from __future__ import annotations

import functools
import os
import platform
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from agent.collectors.linux import network
from agent.sampling.plan import Plan
from agent.selfreport.zone import time_zone
from infra.settings import AgentSettings
from schemas.messages import HostFacts
from schemas.version import VERSION

T = TypeVar("T")


def host_facts(settings: AgentSettings, plan: Plan, gpus: list[str], config_error: str = "") -> HostFacts:
    """The facts now; what cannot be found out is left empty."""
    proc = settings.proc_root
    return HostFacts(
        hostname=socket.gethostname(),
        os=operating_system(settings.host_root),
        kernel=platform.release(),
        architecture=platform.machine(),
        cpu_model=cpu_model(proc),
        cores=os.cpu_count() or 0,
        memory=_total_memory() or 0,
        boot_id=boot_id(proc),
        boot_time=_told(boot_time) or 0,
        addresses=addresses(),
        gpus=gpus,
        virtualisation=virtualisation(settings.host_root, proc),
        agent_version=VERSION,
        sample_interval_s=plan.sample_interval_s,
        batch_interval_s=plan.batch_interval_s,
        tags=[tag.strip() for tag in settings.tags.split(",") if tag.strip()],
        config_revision=plan.revision,
        config_error=config_error,
        time_zone=time_zone(settings.host_root, os.environ.get("TZ") if settings.host_root == "/" else None),
    )


def boot_id(proc: str) -> str:
    """What differs from boot to boot and from machine to machine; empty where the system has no such thing."""
    return _line(f"{proc}/sys/kernel/random/boot_id") if sys.platform == "linux" else ""


@functools.cache
def boot_time() -> float:
    """Unix seconds; read once, for it is derived from the wall clock and would wander with its steps."""
    return float(psutil.boot_time())


@functools.cache
def operating_system(root: str = "/") -> str:
    """What the system below `root` calls itself."""
    if sys.platform != "linux":
        return f"{platform.system()} {platform.version()}"
    for path in ("etc/os-release", "usr/lib/os-release"):
        for line in _text(str(Path(root, path))).splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip().strip("\"'") or "Linux"
    return "Linux"


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
def virtualisation(root: str = "/", proc: str = "/proc") -> str:
    """Container engine, hypervisor or product that this system runs in; empty on bare metal or when unknown."""
    if Path(root, ".dockerenv").exists():
        return "docker"
    container = _line(f"{root}/run/systemd/container")
    container = container or ("podman" if Path(root, "run/.containerenv").exists() else "")
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
    return "vm" if " hypervisor" in _text(f"{proc}/cpuinfo") else ""


def addresses() -> list[str]:
    """Addresses that other machines may reach this one at: not loopback, link-local or the containers' ones."""
    found = []
    for name, own in (_told(psutil.net_if_addrs) or {}).items():
        if not network.wanted(name):
            continue
        for address in own:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                text = address.address.partition("%")[0]
                if not text.startswith(("127.", "169.254.", "fe80:")) and text != "::1":
                    found.append(text)
    return sorted(found)


def _total_memory() -> int | None:
    told = _told(psutil.virtual_memory)
    return None if told is None else told.total


def _told(ask: Callable[[], T]) -> T | None:
    """What psutil answers, as far as this system and this user get an answer."""
    try:
        return ask()
    except (OSError, RuntimeError, ValueError, psutil.Error):
        return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _line(path: str) -> str:
    return _text(path).strip()
