"""The agent on macOS and Windows, as far as Linux can pretend to be one: what they give is read, the rest is absent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from schemas.codec import decoded_series
from tests.agent.build import all_times, stored
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
SYSTEMS = ("darwin", "win32")
GIVEN = {"cpu", "core", "memory", "filesystem", "disk", "network", "process", "agent"}
ABSENT = {"pressure", "sockets", "container", "unit", "gpu"}


def command(system: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "tests.agent.elsewhere", system, *words]


def environment(data: Path, **settings: str) -> dict[str, str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    return {**clean, "PYTHONPATH": str(ROOT), "SONDE_DATA": str(data), "SONDE_DIRECTORIES": str(data), **settings}


def check(system: str, data: Path) -> dict[str, Any]:
    """What `sonde agent check --json` tells there, by family."""
    words = command(system, "check", "--json")
    done = subprocess.run(words, env=environment(data), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    families: dict[str, Any] = json.loads(done.stdout)["families"]
    return families


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_module_can_be_imported(system: str, tmp_path: Path) -> None:
    words = command(system, "imports")
    done = subprocess.run(words, env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_the_system_gives_is_read_and_the_rest_is_absent(system: str, tmp_path: Path) -> None:
    families = check(system, tmp_path)
    states = {name: family["state"] for name, family in families.items()}
    assert {name for name, state in states.items() if state == "ok"} >= (GIVEN | {"directory"}) - {"disk"}
    assert "failed" not in states.values()
    assert not any(families[name]["instances"] for name in ABSENT)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_the_system_does_not_tell_is_null_and_not_zero(system: str, tmp_path: Path) -> None:
    families = check(system, tmp_path)
    cpu = families["cpu"]["instances"][""]
    assert cpu["total"] is not None
    assert (cpu["iowait"], cpu["steal"]) == (None, None)
    assert (cpu["nice"] is None) == (system == "win32")
    assert families["memory"]["instances"][""]["cached"] is None


def test_without_statvfs_there_is_space_but_no_inodes(tmp_path: Path) -> None:
    values = next(iter(check("win32", tmp_path)["filesystem"]["instances"].values()))
    assert values["total"] > values["used"] > 0
    assert "inodes_total" not in values


@pytest.mark.parametrize("system", SYSTEMS)
async def test_the_agent_samples_publishes_and_ends_in_order(system: str, bus_url: str, tmp_path: Path) -> None:
    settings = environment(
        tmp_path,
        SONDE_NATS_URL=bus_url,
        SONDE_SAMPLE_INTERVAL_S="0.1",
        SONDE_BATCH_INTERVAL_S="0.5",
        SONDE_HOST="web-1",
    )
    with subprocess.Popen(
        command(system), env=settings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as agent:
        try:
            async with bus.connection(bus_url, "test") as client:
                await eventually(lambda: published(client))
                agent.send_signal(signal.SIGTERM)
                output, _ = await asyncio.to_thread(agent.communicate, timeout=40)
                times = all_times(await stored(client, "METRICS"))
        finally:
            agent.kill()
    assert agent.returncode == 0, output
    assert "Traceback" not in output
    assert "collector failed" not in output
    assert times == sorted(set(times))


async def published(client: Client) -> bool:
    """Whether every family that the system gives is in the stream."""
    found = {reading.family.name for _, batch in await stored(client, "METRICS") for reading in decoded_series(batch)}
    assert found >= GIVEN - {"core", "disk"}
    return True
