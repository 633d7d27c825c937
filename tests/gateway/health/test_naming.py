"""What metrics are called where Prometheus scrapes."""

from __future__ import annotations

import re

import pytest

from schemas.catalogue import CATALOGUE, Family, Metric, family_named, metric_named
from services.gateway.health.naming import COUNTERS, UNITS, exposed, exposition, instance_label, quoted

EVERY = [metric for metrics in exposition(CATALOGUE).values() for metric in metrics]
RESERVED = ("_total", "_count", "_sum", "_bucket", "_created", "_info")


def test_every_name_is_one_metrics_only() -> None:
    names = [metric.name for metric in EVERY]
    assert len(names) == len(set(names)) == sum(len(family.metrics) for family in CATALOGUE)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_a_name_is_valid_and_its_suffix_says_nothing_false(metric: object) -> None:
    name, kind = metric.name, metric.kind  # type: ignore[attr-defined]
    assert re.fullmatch(r"sonde_[a-z0-9_]+", name)
    assert name.endswith("_total") == (kind == "counter")
    assert kind == "counter" or not name.endswith(RESERVED)


def test_every_unit_has_a_suffix_and_every_counter_exists() -> None:
    assert {metric.unit for family in CATALOGUE for metric in family.metrics} == set(UNITS)
    for path in COUNTERS:
        metric_named(path)


@pytest.mark.parametrize(
    ("path", "name", "factor"),
    [
        ("cpu.total", "sonde_cpu_usage_ratio", 0.01),
        ("cpu.load1", "sonde_cpu_load1", 1),
        ("cpu.frequency", "sonde_cpu_frequency_hertz", 1_000_000),
        ("memory.used", "sonde_memory_used_bytes", 1),
        ("memory.used_percent", "sonde_memory_used_ratio", 0.01),
        ("filesystem.total", "sonde_filesystem_size_bytes", 1),
        ("filesystem.inodes_total", "sonde_filesystem_inodes", 1),
        ("disk.read_wait", "sonde_disk_read_wait_seconds", 0.001),
        ("network.received", "sonde_network_received_bytes_per_second", 1),
        ("network.speed", "sonde_network_speed_bytes_per_second", 125_000),
        ("gpu.temperature", "sonde_gpu_temperature_celsius", 1),
        ("directory.scan_seconds", "sonde_directory_scan_seconds", 1),
        ("agent.dropped_total", "sonde_agent_dropped_total", 1),
        ("memory.oom_kills", "sonde_memory_oom_kills_total", 1),
        ("process.total", "sonde_process_all", 1),
    ],
)
def test_names_and_units_are_those_that_prometheus_users_expect(path: str, name: str, factor: float) -> None:
    made = exposed(*metric_named(path))
    assert (made.name, made.factor) == (name, factor)


def test_a_unit_that_is_new_is_its_own_suffix() -> None:
    made = exposed(Family("radar", "", 1, ()), Metric(1, "speed", "km/h", 1, "int4", "How fast."))
    assert (made.name, made.factor) == ("sonde_radar_speed_km_h", 1)


@pytest.mark.parametrize(
    ("family", "label"), [("filesystem", "mountpoint"), ("disk", "device"), ("gpu", "gpu"), ("cpu", "")]
)
def test_instances_are_told_apart_by_a_usual_label(family: str, label: str) -> None:
    assert instance_label(family_named(family)) == label


def test_text_in_labels_is_escaped() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'
