"""The agent's unit, what stands for it without systemd, and the script that installs both: they agree.

That systemd takes the unit and runs it is in `tests/faults/test_second_machine.py`.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from infra.settings import AgentSettings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "infra" / "systemd" / "sonde-agent.service"
LOOP = ROOT / "infra" / "systemd" / "run-agent"
SCRIPT = ROOT / "services" / "gateway" / "enrolment" / "install.sh"


@pytest.fixture(scope="module")
def service() -> dict[str, str]:
    """Name -> value in the section of the service; the last one of several."""
    section = UNIT.read_text(encoding="utf-8").partition("[Service]")[2].partition("[Install]")[0]
    return dict(re.findall(r"^(\w+)=(.*)$", section, re.MULTILINE))


def constant(name: str) -> str:
    """What install.sh gives a variable."""
    found = re.search(rf"^{name}=(\S+)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def test_the_unit_starts_the_version_that_the_script_made_current(service: dict[str, str]) -> None:
    assert service["ExecStart"] == "/opt/sonde/current/bin/python -m agent"
    assert "prefix=/opt/sonde" in SCRIPT.read_text(encoding="utf-8")


def test_unit_script_and_loop_agree_on_user_and_places(service: dict[str, str]) -> None:
    loop = LOOP.read_text(encoding="utf-8")
    assert service["User"] == service["Group"] == constant("USER_NAME") == "sonde"
    assert f"/var/lib/{service['StateDirectory']}" == constant("DATA")
    assert service["EnvironmentFile"] == f"-{constant('CONFIGURATION')}/agent.env"
    assert f"SONDE_DATA={constant('DATA')}" in service["Environment"]
    for place in (constant("DATA"), constant("LOG"), f"{constant('CONFIGURATION')}/agent.env"):
        assert place in loop


def test_the_identity_is_for_the_agent_alone(service: dict[str, str]) -> None:
    assert (service["StateDirectoryMode"], service["UMask"]) == ("0700", "0077")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("PrivateTmp", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("CapabilityBoundingSet", "CAP_DAC_READ_SEARCH"),
        ("AmbientCapabilities", "CAP_DAC_READ_SEARCH"),
        ("SystemCallFilter", "@system-service adjtimex clock_adjtime clock_adjtime64"),
        ("MemoryMax", "128M"),
        ("CPUQuota", "20%"),
        ("Restart", "always"),
        ("WatchdogSec", "60"),
    ],
)
def test_the_unit_is_hardened_and_bounded(service: dict[str, str], name: str, value: str) -> None:
    assert service[name] == value


def test_the_unit_sets_only_what_is_a_setting(service: dict[str, str]) -> None:
    known = {f"SONDE_{name.upper()}" for name in AgentSettings.__struct_fields__}
    assert set(re.findall(r"SONDE_[A-Z_]+", service["Environment"])) <= known


@pytest.mark.parametrize("script", [LOOP, SCRIPT], ids=lambda path: path.name)
def test_the_scripts_are_shell(script: Path) -> None:
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_loop_says_how_it_is_used() -> None:
    done = subprocess.run(["sh", LOOP], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"usage: {LOOP} start | stop | status | run\n")
