"""What the gateway counts of itself, and Sonde's own metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from schemas.api import HostState
from schemas.health import SERVICES, Disk, Health, Heartbeat
from services.gateway.health.vitals import Vitals
from services.gateway.http.bus import Bus

Families = Iterator[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
INSTANCE = ("service", "host", "process")


class Meters:
    """Requests, counted as they are answered."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "sonde_http_requests", "Requests answered.", ("operation", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "sonde_http_request_duration_seconds",
            "Time until an answer began.",
            ("operation",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )

    def answered(self, operation: str, status: int, seconds: float) -> None:
        self._requests.labels(operation, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)


@dataclass(frozen=True)
class Told(Collector):
    """One scrape's gauges: what was found of Sonde's health, and what the gateway holds."""

    health: Health
    states: Mapping[str, HostState]
    viewers: int
    sent: int
    """Events given to viewers."""
    dropped: int
    """Events that viewers were too slow for."""
    conflated: int
    """Samples left out of frames."""
    bus: Bus
    vitals: Vitals

    def collect(self) -> Families:
        yield InfoMetricFamily("sonde", "The version of this gateway.", {"version": self.health.version})
        yield from self._components()
        yield from self._services()
        yield from self._disks()
        yield from self._gateway()

    def _components(self) -> Families:
        well = GaugeMetricFamily(
            "sonde_component_ok", "Whether a part of Sonde is well, by /api/v1/health.", labels=("component",)
        )
        for component in self.health.components:
            if component.status != "unknown":
                well.add_metric((component.name,), int(component.status == "ok"))
        yield well

    def _services(self) -> Families:
        up = GaugeMetricFamily("sonde_service_up", "Instances of a service that are heard.", labels=("service",))
        said = [one.heartbeat for part in self.health.components for one in part.instances if one.status != "down"]
        if self.vitals.heartbeats.listening_s is not None:
            for service in SERVICES:
                up.add_metric((service,), sum(1 for beat in said if beat.service == service))
        yield up
        yield _gauge("sonde_service_start_time_seconds", "When it started.", said, lambda it: it.started / 1000)
        yield _gauge("sonde_service_standby", "1 while it waits for another to end.", said, lambda it: int(it.standby))
        yield _gauge("sonde_service_lag_seconds", "How far it is behind with its work.", said, lambda it: it.work.lag_s)
        yield _gauge(
            "sonde_service_last_success_timestamp_seconds",
            "When it last completed a turn of its work.",
            said,
            lambda it: None if it.last_success is None else it.last_success / 1000,
        )
        yield _gauge("sonde_service_resident_memory_bytes", "Of its process.", said, lambda it: it.rss_bytes)
        yield _gauge(
            "sonde_service_last_run_timestamp_seconds",
            "When retention last pruned.",
            said,
            lambda it: None if it.work.last_run is None else it.work.last_run / 1000,
        )
        yield _gauge(
            "sonde_dead_mans_switch_last_success_timestamp_seconds",
            "When the dead man's switch was last told.",
            said,
            lambda it: None if not (out := it.work.outward) or not out.last_success else out.last_success / 1000,
        )
        delays = GaugeMetricFamily(
            "sonde_alert_delay_seconds",
            "From what happened to the answer of whoever was told, of the last messages.",
            labels=(*INSTANCE, "quantile"),
        )
        for beat in said:
            if beat.work.told_s is not None:
                delays.add_metric((*_labels(beat), "0.5"), beat.work.told_s.median)
                delays.add_metric((*_labels(beat), "0.99"), beat.work.told_s.p99)
        yield delays
        failures = CounterMetricFamily("sonde_service_failures", "Failures of its work.", labels=INSTANCE)
        behind = GaugeMetricFamily(
            "sonde_service_behind_messages", "Messages not processed yet.", labels=(*INSTANCE, "stream")
        )
        for beat in said:
            failures.add_metric(_labels(beat), beat.errors)
            for stream, messages in beat.work.behind.items():
                behind.add_metric((*_labels(beat), stream), messages)
        yield failures
        yield behind

    def _disks(self) -> Families:
        free = GaugeMetricFamily("sonde_storage_free_bytes", "Left to Sonde's data.", labels=("what",))
        size = GaugeMetricFamily("sonde_storage_size_bytes", "Of the disk of Sonde's data.", labels=("what",))
        told = (one.heartbeat.work.disk for part in self.health.components for one in part.instances)
        disks: dict[str, Disk] = {disk.what: disk for disk in told if disk is not None}
        for disk in disks.values():
            free.add_metric((disk.what,), disk.free_bytes)
            size.add_metric((disk.what,), disk.size_bytes)
        yield free
        yield size

    def _gateway(self) -> Families:
        hosts = GaugeMetricFamily("sonde_hosts", "Hosts by state.", labels=("state",))
        for state in ("up", "late", "offline", "archived"):
            hosts.add_metric((state,), sum(1 for each in self.states.values() if each == state))
        yield hosts
        yield GaugeMetricFamily("sonde_viewers", "Open live streams.", self.viewers)
        yield CounterMetricFamily("sonde_viewer_events_sent", "Events given to viewers.", self.sent)
        yield CounterMetricFamily("sonde_viewer_events_dropped", "Events viewers were too slow for.", self.dropped)
        yield CounterMetricFamily(
            "sonde_live_samples_conflated",
            "Samples left out of frames, since more than 60 of one host came within an interval.",
            self.conflated,
        )
        yield GaugeMetricFamily(
            "sonde_event_loop_lag_seconds", "How late the loop was at most in 10 s.", self.vitals.lag.worst_s
        )
        yield GaugeMetricFamily("sonde_bus_connected", "Whether the gateway is on the bus.", int(self.bus.connected))
        yield CounterMetricFamily("sonde_bus_messages", "Messages that the gateway received.", self.bus.messages)
        yield CounterMetricFamily("sonde_bus_invalid_messages", "Those it ignored.", self.bus.unreadable)


@dataclass(frozen=True)
class Page(Collector):
    """What was counted and what was told."""

    meters: Meters
    told: Told

    def collect(self) -> Families:
        yield from self.meters.registry.collect()  # type: ignore[misc]
        yield from self.told.collect()


def _labels(beat: Heartbeat) -> tuple[str, str, str]:
    return (beat.service, beat.host, beat.instance)


def _gauge(
    name: str, help: str, said: list[Heartbeat], value: Callable[[Heartbeat], float | None]
) -> GaugeMetricFamily:
    """One value of each instance that has it."""
    family = GaugeMetricFamily(name, help, labels=INSTANCE)
    for beat in said:
        found = value(beat)
        if found is not None:
            family.add_metric(_labels(beat), found)
    return family
