"""Which metrics stand for a host where there is no room for all."""

from __future__ import annotations

SUMMARY = (
    "cpu.total",
    "cpu.load1",
    "memory.used_percent",
    "filesystem.used_percent",
    "filesystem.inodes_percent",
    "gpu.utilisation",
    "network.received",
    "network.sent",
)
"""What a card of the fleet shows, with the last minute of each."""

OVERVIEW = (
    "cpu.total",
    "cpu.load1",
    "memory.used_percent",
    "filesystem.used_percent",
    "filesystem.inodes_percent",
    "disk.busy",
    "disk.read",
    "disk.write",
    "network.received",
    "network.sent",
    "gpu.utilisation",
    "gpu.memory_percent",
    "gpu.temperature",
)
"""What the statistics of a host begin with, before a family is chosen."""
