"""Metrics that no agent samples: what the alert service itself finds out about hosts, and about Sonde."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class VirtualMetric(Struct, frozen=True):
    """Something that rules can be about although it is in no table."""

    path: str
    unit: str
    meaning: str
    about: Literal["host", "sonde"]
    """Whether there is one for each host, or it has no host at all."""
    instance: str = ""
    """What there are several of (service, channel); empty: only one."""
    most: float = 1e12
    """It is never negative."""


HOST_DOWN = "host.down"
HOST_UPTIME = "host.uptime"
HOST_CLOCK = "host.clock"
MONITORING_BLIND = "monitoring.blind"
MONITORING_CLOCK = "monitoring.clock"
SERVICE_SILENT = "service.silent"
SERVICE_LAG = "service.lag"
INGEST_REFUSED = "ingest.refused"
CHANNEL_HELD = "channel.held"

VIRTUAL: tuple[VirtualMetric, ...] = (
    VirtualMetric(HOST_DOWN, "s", "How long nothing was heard of a host that should send.", "host"),
    VirtualMetric(HOST_UPTIME, "s", "How long ago the host booted.", "host"),
    VirtualMetric(HOST_CLOCK, "s", "How far the host's clock is ahead of the bus's.", "host"),
    VirtualMetric(MONITORING_BLIND, "s", "How long Sonde has not been able to tell which hosts are silent.", "sonde"),
    VirtualMetric(MONITORING_CLOCK, "s", "How far the bus's clock is from those of most hosts.", "sonde"),
    VirtualMetric(SERVICE_SILENT, "s", "How long a service of Sonde was not heard.", "sonde", "service"),
    VirtualMetric(SERVICE_LAG, "s", "How far a service of Sonde is behind with its work.", "sonde", "service"),
    VirtualMetric(INGEST_REFUSED, "1/min", "Messages that could not be stored, set aside in the last minute.", "sonde"),
    VirtualMetric(CHANNEL_HELD, "s", "How long nothing could be sent on a channel.", "sonde", "channel"),
)
"""Every one there is."""

_BY_PATH = {metric.path: metric for metric in VIRTUAL}


def virtual_metric(path: str) -> VirtualMetric | None:
    """The virtual metric called `path`; None when that is none."""
    return _BY_PATH.get(path)
