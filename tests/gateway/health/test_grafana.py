"""What is ready to use in infra/grafana and infra/prometheus speaks of metrics that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from infra.clock import now_ms
from schemas.catalogue import CATALOGUE
from services.gateway.fleet.memory import Fleet
from services.gateway.health.fleetpage import FleetPage
from services.gateway.health.naming import exposition, instance_label
from tests.gateway.health.test_metrics import at_root, send
from tests.gateway.running import gateway

INFRA = Path(__file__).parents[3] / "infra"
DASHBOARD: dict[str, Any] = json.loads((INFRA / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
SCRAPE: dict[str, Any] = yaml.safe_load((INFRA / "prometheus" / "scrape.yml").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


async def names(database_url: str, bus_url: str) -> set[str]:
    """Every name that a scrape may have: those of the real expositions, and of metrics that no host here has."""
    async with gateway(database_url, bus_url) as client, at_root(client) as root:
        text = (await root.get("/metrics")).text
    fleet = Fleet(CATALOGUE)
    send(fleet, "web-1", now_ms())
    text += b"".join([piece async for piece in FleetPage(fleet, now_ms).page(open_metrics=False)]).decode()
    found = {metric.name for metrics in exposition(CATALOGUE).values() for metric in metrics}
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        found |= {family.name + suffix for suffix in suffixes}
    return found


async def test_every_metric_of_the_dashboard_is_exposed(database_url: str, bus_url: str) -> None:
    there = await names(database_url, bus_url)
    asked = {name for query in QUERIES for name in re.findall(r"\bsonde_[a-z0-9_]+", query)}
    asked |= set(re.findall(r"\bsonde_[a-z0-9_]+", json.dumps(DASHBOARD["templating"])))
    assert len(asked) >= 25
    assert asked <= there, asked - there


async def test_what_the_page_on_operations_names_is_exposed_and_the_other_way_round(
    database_url: str, bus_url: str
) -> None:
    page = (INFRA.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(sonde_[a-z0-9_]+)`", page))
    async with gateway(database_url, bus_url) as client, at_root(client) as root:
        text = (await root.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    own = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    own = {name for name in own if not name.endswith("_created")}
    assert own <= named, own - named
    assert named <= own | await names(database_url, bus_url)


def test_labels_of_the_legends_are_labels_of_the_metrics() -> None:
    own = {"component", "service", "stream", "host", "process", "status", "operation", "instance"}
    instances = {instance_label(family) for family in CATALOGUE}
    legends = " ".join(target["legendFormat"] for panel in PANELS for target in panel["targets"])
    assert set(re.findall(r"{{(\w+)}}", legends)) <= own | instances


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


async def test_the_example_scrapes_paths_that_exist_with_a_token(database_url: str, bus_url: str) -> None:
    jobs = {job["metrics_path"]: job for job in SCRAPE["scrape_configs"]}
    assert set(jobs) == {"/metrics", "/metrics/fleet"}
    async with gateway(database_url, bus_url) as client, at_root(client) as root:
        for path, job in jobs.items():
            assert (await root.get(path)).status_code == 200
            assert job["authorization"] == {"credentials_file": "/etc/prometheus/sonde.token"}
