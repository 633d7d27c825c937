"""`sonde agent check` and `--once --json`: what people and scripts see before anything is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.selfreport.check import Checked, as_table
from schemas.catalogue import CATALOGUE

ROOT = Path(__file__).parents[3]


def agent(tmp_path: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    environment |= {
        "SONDE_DATA": str(tmp_path),
        "SONDE_DIRECTORIES": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("once")
    Path(directory, "file").write_bytes(b"x" * 5000)
    ended = agent(directory, "--once", "--json", SONDE_HOST="web-1")
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_every_family_is_told_in_catalogue_order(once: dict[str, Any]) -> None:
    assert list(once["families"]) == [family.name for family in CATALOGUE]


def test_values_are_in_units(once: dict[str, Any]) -> None:
    memory = once["families"]["memory"]["instances"][""]
    meminfo = Path("/proc/meminfo").read_text().splitlines()
    total_kib = next(int(line.split()[1]) for line in meminfo if line.startswith("MemTotal"))
    assert memory["total"] == total_kib * 1024
    assert 0 < memory["used_percent"] <= 100


def test_directories_are_walked(once: dict[str, Any]) -> None:
    (values,) = once["families"]["directory"]["instances"].values()
    assert values["files"] == 1


def test_a_family_that_is_off_says_so(once: dict[str, Any]) -> None:
    assert once["families"]["container"]["state"] == "off"


def test_the_time_and_source_of_each_reading_are_told(once: dict[str, Any]) -> None:
    assert once["families"]["cpu"]["ms"] > 0
    assert "/proc/stat" in once["families"]["cpu"]["source"]


def test_a_failing_collector_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "meminfo").write_bytes(Path("/proc/meminfo").read_bytes())
    (proc / "vmstat").write_bytes(Path("/proc/vmstat").read_bytes())
    ended = agent(tmp_path, "check", "--json", SONDE_PROC_ROOT=str(proc))
    assert ended.returncode == 1
    families = json.loads(ended.stdout)["families"]
    assert families["cpu"]["state"] == "failed"
    assert str(proc) in families["cpu"]["error"]
    assert families["memory"]["state"] == "ok"


def test_the_table_shows_value_unit_time_and_source() -> None:
    checked = Checked("network", "/proc/net/dev", 0.25, values={"eth0": {"received": 1500000, "errors": None}})
    lines = list(as_table([checked]))
    assert "0.250 ms" in lines[0]
    assert lines[0].endswith("/proc/net/dev")
    assert lines[1].strip() == "eth0"
    assert lines[2].split() == ["received", "1,500,000", "B/s"]
    assert lines[3].split() == ["errors", "unknown"]


def test_unknown_arguments_get_one_line_and_status_2(tmp_path: Path) -> None:
    ended = agent(tmp_path, "dance")
    assert ended.returncode == 2
    assert ended.stderr == "agent: 'dance': unknown arguments; see `sonde agent --help`\n"


def test_status_without_an_agent_says_that_none_answers(tmp_path: Path) -> None:
    ended = agent(tmp_path, "status")
    assert ended.returncode == 1
    assert "no agent answers" in ended.stderr
    assert "Traceback" not in ended.stderr
