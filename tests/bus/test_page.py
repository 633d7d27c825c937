"""docs/bus.md names everything that is on the bus, and its examples are what our code reads and writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from schemas import commands, messages, subjects
from schemas.agentconfig import AgentConfig
from schemas.codec import MAX_ROWS, MOST_NAME, Sample, build_batch, encode_batch
from schemas.health import Delay, Disk, Heartbeat, Work
from schemas.settings import SettingChanged
from schemas.watches import PushedConfig
from services.gateway.http.catalogue import Catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "bus.md").read_text(encoding="utf-8")
EXAMPLES: list[tuple[str, str]] = re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.DOTALL)
TYPES: dict[str, type[Struct]] = {
    kind.__name__: kind
    for kind in (
        AgentConfig,
        Catalogue,
        PushedConfig,
        SettingChanged,
        commands.CommandReply,
        commands.CommandRequest,
        Heartbeat,
        messages.AlertTransition,
        messages.HostEvent,
        messages.LiveInterest,
    )
}


def known_part(given: Any, decoded: Any) -> Any:
    """What of `decoded`, as plain data, stands in `given` too: all of `given`, unless it has a key that is unknown."""
    if isinstance(given, dict) and isinstance(decoded, dict):
        return {key: known_part(value, decoded[key]) for key, value in given.items() if key in decoded}
    if isinstance(given, list) and isinstance(decoded, list) and len(given) == len(decoded):
        return [known_part(*pair) for pair in zip(given, decoded, strict=True)]
    return decoded


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_an_example_is_a_message_of_its_type(kind: str, text: str) -> None:
    given = json.loads(text)
    read = msgspec.json.decode(text, type=TYPES[kind])
    assert known_part(given, json.loads(msgspec.json.encode(read))) == given


def test_every_json_message_has_an_example() -> None:
    assert {kind for kind, _ in EXAMPLES} == set(TYPES)


@pytest.mark.parametrize("kind", [name for name in TYPES if name != "Catalogue"])
def test_every_field_stands_in_an_example(kind: str) -> None:
    texts = [json.loads(text) for name, text in EXAMPLES if name == kind]
    assert {key for text in texts for key in text} >= set(TYPES[kind].__annotations__)


def test_every_kind_of_event_has_an_example() -> None:
    kinds = {json.loads(text)["kind"] for name, text in EXAMPLES if name == "HostEvent"}
    assert kinds == {"facts", "dropped", "processes", "config", "left", "joined"}


def test_every_fact_of_a_host_stands_in_the_example() -> None:
    facts = next(json.loads(text)["facts"] for name, text in EXAMPLES if '"facts": {' in text)
    assert set(facts) == set(messages.HostFacts.__struct_fields__)


def test_every_field_of_work_stands_in_the_example() -> None:
    work = next(json.loads(text)["work"] for name, text in EXAMPLES if name == "Heartbeat")
    assert set(work) == set(Work.__struct_fields__)
    assert set(work["disk"]) == set(Disk.__struct_fields__)
    assert set(work["told_s"]) == set(Delay.__struct_fields__)


def test_the_bytes_of_the_example_are_the_codecs() -> None:
    listing = re.search(r"```hex\n(.*?)```", PAGE, re.DOTALL)
    assert listing is not None
    data = bytes.fromhex("".join(re.split(r"\s{3,}", line.strip())[0] for line in listing[1].splitlines()))
    root = {"/": {"total": 50_000_000_000, "used": None}}
    cpu = [{"total": total, "user": 200} for total in (1234, 1236, None, 1100)]
    samples = [Sample(1_800_000_000_000 + 1000 * i, {"cpu": {"": row}}) for i, row in enumerate(cpu)]
    samples[0].families["filesystem"] = root
    samples[0].labels = {"filesystem": {"/": {"fstype": "ext4"}}}
    samples[0].periods_ms = {"filesystem": 30_000}
    assert encode_batch(build_batch("web-1", "k3J9", "metrics", 7, samples)) == data


@pytest.mark.parametrize("stream", subjects.STREAMS, ids=lambda stream: stream.name)
def test_every_stream_stands_with_what_it_keeps(stream: subjects.Stream) -> None:
    age = f"{stream.max_age_s / 3600:g} h" if stream.max_age_s < 7 * 86400 else f"{stream.max_age_s / 86400:g} days"
    size = f"{stream.max_bytes >> 30} GiB" if stream.max_bytes >= 2**30 else f"{stream.max_bytes >> 20} MiB"
    assert f"stream {stream.name}, {age}, {size}" in PAGE


@pytest.mark.parametrize(
    "word",
    [
        subjects.metrics("<host>"),
        subjects.backfill("<host>"),
        subjects.live("<host>"),
        subjects.events("<host>"),
        subjects.alerts("<host>", "<rule>"),
        subjects.config("<host>"),
        subjects.command("<host>", "<verb>"),
        subjects.deadletter("<service>"),
        subjects.health("<service>"),
        subjects.ask_health("<service>"),
        subjects.LIVE_INTEREST,
        subjects.SETTINGS_CHANGED,
        subjects.TELLING_CHANGED,
        messages.CONTENT_TYPE,
        messages.SCHEMA_VERSION,
        messages.MESSAGE_ID,
        messages.BATCH_TYPE,
        messages.BATCH_VERSION,
        messages.JSON_TYPE,
        subjects.OPERATION,
        *commands.VERBS,
        *commands.NOTICES,
        *messages.Batch.__struct_fields__,
        *messages.Block.__struct_fields__,
        *messages.Series.__struct_fields__,
        *Work.__struct_fields__,
    ],
)
def test_every_word_of_the_bus_is_on_the_page(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("bound", [f"1 to {MAX_ROWS:,}", f"at most {MOST_NAME} characters"])
def test_the_bounds_of_a_batch_are_on_the_page(bound: str) -> None:
    assert bound in PAGE
