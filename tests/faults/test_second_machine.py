"""The second machine for real: the dashboard's line, pasted on a clean Debian that reaches nothing but the gateway.

How long it took from the paste until a sample was stored is printed (`-rP` shows it).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.gateway.enrolment.wheels import own_wheel
from tests import secondmachine
from tests.infra.cli.commands import SONDE, environment, sonde
from tests.people import bearing
from tests.secondmachine import Machine, Network, network
from tests.waiting import eventually

OBSTACLE = secondmachine.obstacle()
ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE or "-"),
]
WITHIN_S = 300.0
"""Generous, as everywhere: what is promised is printed, not asserted."""
NO_STEPS = ("web-1:", "enrolled as", "already enrolled", "Sonde ", "the agent runs already", "let the start scripts")
"""How lines begin that tell what was done, not what is about to be."""
OF_THE_SYSTEM = ("/etc/passwd- ", "/etc/group- ", "/etc/shadow- ", "/etc/gshadow- ", "/run/systemd/", "/run/log/")
"""What useradd and userdel leave on every Debian, the files as they were before; and what systemd notes for itself."""


class Home:
    """Sonde on this machine, and the network on which others reach it."""

    def __init__(self, machines: Network, wheels: Path, client: httpx.AsyncClient) -> None:
        self.machines = machines
        self.wheels = wheels
        self.client = client

    async def line(self, **wanted: object) -> str:
        """What the dashboard shows under "Add a machine", for a machine without a package index."""
        answer = await self.client.post("/enrolment-tokens", json=wanted)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["line"], made["obstacle"]
        return f"{made['line']} --offline"

    async def script(self, arguments: str) -> str:
        """The line with other arguments instead of a token."""
        return (await self.line()).rpartition(" --token ")[0] + f" {arguments} --offline"

    async def hosts(self) -> dict[str, int | None]:
        """Host -> time of its newest stored sample, ms."""
        found = (await self.client.get("/hosts")).json()["hosts"]
        return {host["id"]: host["last_sample"] for host in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(directory.glob("*.whl"))


@pytest.fixture
def wheels(wheel: Path, tmp_path: Path) -> Path:
    """A folder with everything that an agent needs."""
    directory = tmp_path / "wheels"
    shutil.copytree(secondmachine.WHEELS, directory)
    shutil.copy(wheel, directory)
    return directory


@pytest.fixture
def machines() -> Iterator[Network]:
    with network() as found:
        yield found


@asynccontextmanager
async def home(directory: Path, machines: Network, wheels: Path) -> AsyncIterator[Home]:
    """`sonde up` with a certificate authority of its own, reachable by other machines."""
    with socket.socket() as free:
        free.bind((machines.gateway, 0))
        port = free.getsockname()[1]
    settings = {
        "SONDE_HTTP_HOST": machines.gateway,
        "SONDE_PORT": str(port),
        "SONDE_BUS_HOST": machines.gateway,
        "SONDE_TLS": "own",
        "SONDE_WHEELS": str(wheels),
        "SONDE_LOG_FORMAT": "json",
    }
    log = (directory / "up.log").open("wb")
    process = subprocess.Popen(
        [*SONDE, "up"], env=environment(directory, **settings), stdout=log, stderr=subprocess.STDOUT
    )
    ca = directory / "data" / "certificates" / "ca.pem"

    def has_ca() -> bool:
        if process.poll() is not None:
            raise RuntimeError((directory / "up.log").read_text())
        return ca.is_file()

    try:
        await eventually(has_ca, WITHIN_S)
        trust = ssl.create_default_context(cafile=str(ca))
        base = f"https://{machines.gateway}:{port}/api/v1"
        async with httpx.AsyncClient(base_url=base, verify=trust, timeout=30) as client:

            async def known() -> bool:
                words = ("token", "add", "tests", "--user", "admin", "--role", "admin")
                bearing(client, (await asyncio.to_thread(sonde, directory, *words)).stdout.strip())
                return has_ca() and "Authorization" in client.headers

            async def answers() -> bool:
                try:
                    return has_ca() and (await client.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(known, WITHIN_S, every_s=0.5)
            await eventually(answers, WITHIN_S)
            yield Home(machines, wheels, client)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            process.kill()
            log.close()


async def pasted(machine: Machine, line: str) -> tuple[int, str]:
    """Exit status and output of the line on the machine."""
    return await asyncio.to_thread(machine.run, line, WITHIN_S)


async def joins(machine: Machine, line: str) -> str:
    """The output of the line, which makes the machine a host; says how long that took."""
    began_s = time.monotonic()
    status, output = await pasted(machine, line)
    assert status == 0, output
    print(f"{machine.name}: paste to stored sample {time.monotonic() - began_s:.1f} s")
    return output


def changed_by_install(before: set[str], after: set[str]) -> set[str]:
    """What is there now, or not any more, that the installation is to answer for."""
    return {file for file in before ^ after if not file.startswith(OF_THE_SYSTEM)}


async def test_two_machines_join_at_the_same_time_and_leave_without_a_trace(
    tmp_path: Path, machines: Network, wheels: Path
) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as first, machines.machine("web-2") as second:
            before = first.files()
            lines = [await at.line(), await at.line()]
            outputs = await asyncio.gather(joins(first, lines[0]), joins(second, lines[1]))
            for machine, output in zip((first, second), outputs, strict=True):
                assert f"/hosts/{machine.name}" in output.splitlines()[-1]
            assert {"web-1", "web-2"} <= {host for host, last in (await at.hosts()).items() if last}
            assert first.tell("stat -c '%a %U' /var/lib/sonde /etc/sonde/agent.env") == "700 sonde\n640 root"
            assert first.tell("ps -o user= -C python") == "sonde"

            status, output = await pasted(first, await at.script("--uninstall"))
            assert status == 0, output
            assert first.tell("ps -eo user= | grep -c sonde || true") == "0"
            assert changed_by_install(before, first.files()) == set()


async def test_run_again_it_needs_no_token_and_changes_nothing(tmp_path: Path, machines: Network, wheels: Path) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            again = await at.script("")
            status, output = await pasted(machine, again)
            assert (status, output.count("\n")) == (1, 1)
            assert "not enrolled yet, and no --token given" in output
            await joins(machine, await at.line())
            agent = machine.tell("pgrep -u sonde")
            output = await joins(machine, again)
            assert "the agent runs already" in output
            assert machine.tell("pgrep -u sonde") == agent


async def test_a_newer_wheel_replaces_the_agent_and_the_older_version(
    tmp_path: Path, machines: Network, wheels: Path
) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            await joins(machine, await at.line())
            versions = "ls -d /opt/sonde/[0-9]*"
            old, agent = machine.tell(versions), machine.tell("pgrep -u sonde")
            sonde = own_wheel(wheels)
            assert sonde is not None
            with zipfile.ZipFile(sonde.path, "a") as files:
                files.writestr("infra/docker/news.txt", "another content")
            await joins(machine, await at.script(""))
            assert machine.tell(versions) != old
            assert "\n" not in machine.tell(versions)
            assert machine.tell("pgrep -u sonde") != agent
            assert list(await at.hosts()).count("web-1") == 1


async def test_an_agent_that_was_installed_by_hand_is_taken_over(
    tmp_path: Path, machines: Network, wheels: Path
) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            machine.tell(
                "useradd --system --home-dir /var/lib/sonde --shell /usr/sbin/nologin sonde\n"
                "python3 -m venv --without-pip /opt/sonde\n"
                "mkdir /etc/sonde\n"
                "printf 'SONDE_NATS_URL=nats://192.0.2.1:4222\\nSONDE_HOST=db-1\\n' >/etc/sonde/agent.env"
            )
            output = await joins(machine, await at.line())
            assert output.rstrip().endswith("/hosts/db-1")
            assert machine.tell("grep -c ^SONDE_NATS_URL /etc/sonde/agent.env || true") == "0"
            assert sorted(machine.tell("ls /opt/sonde").split())[1:] == ["current", "run-agent", "started"]


async def test_the_data_of_a_server_is_left_alone(tmp_path: Path, machines: Network, wheels: Path) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            machine.tell("mkdir -p /var/lib/sonde/postgres")
            before = machine.files()
            for line in (await at.line(), await at.script("--uninstall")):
                assert "holds the data of a Sonde server, not of an agent" in await complaint(machine, line)
            assert machine.files() == before


async def test_killed_at_every_step_it_goes_on_where_it_was(tmp_path: Path, machines: Network, wheels: Path) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            before = machine.files()
            line = await at.line()
            steps: list[str] = []
            while (step := await asyncio.to_thread(killed_at_new_step, machine, line, steps)) is not None:
                steps.append(step)
            print(f"killed at: {'; '.join(steps)}")
            assert len(steps) > 5
            assert (await at.hosts())["web-1"]
            assert len(await at.hosts()) == 2, "this machine and the second one, once"
            status, output = await pasted(machine, await at.script("--uninstall"))
            assert status == 0, output
            assert changed_by_install(before, machine.files()) == set()


def killed_at_new_step(machine: Machine, line: str, known: list[str]) -> str | None:
    """Paste the line and kill it at the first step that is not `known`; None when it came to its end."""
    said: list[str] = []
    with machine.start(line) as process:
        assert process.stdout is not None
        for text in process.stdout:
            said.append(text)
            step = text.strip()
            if step not in known and not step.startswith(NO_STEPS):
                os.killpg(process.pid, signal.SIGKILL)
                return step
    assert process.returncode == 0, "".join(said)
    return None


async def test_a_dry_run_tells_the_steps_and_changes_nothing(tmp_path: Path, machines: Network, wheels: Path) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            before = machine.files()
            for arguments in ("--dry-run", "--uninstall --dry-run"):
                status, output = await pasted(machine, await at.script(arguments))
                assert status == 0, output
                assert all(text.startswith("would ") for text in output.splitlines())
            assert machine.files() == before


async def test_what_fails_is_told_in_one_line_with_the_remedy(tmp_path: Path, machines: Network, wheels: Path) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            line = await at.line()
            as_nobody = line.replace("| sh -s", "| setpriv --reuid 65534 --clear-groups sh -s")
            assert await complaint(machine, as_nobody) == (
                "sonde: user nobody may not install; run the line as root: ... | sudo sh -s -- ..."
            )
            machine.tell("mv /usr/lib/python3.11/ensurepip /root/")
            assert await complaint(machine, line) == (
                "sonde: /usr/bin/python3 cannot make environments (venv, ensurepip): apt-get install -y python3-venv"
            )
            machine.tell("mv /root/ensurepip /usr/lib/python3.11/; mv /usr/bin/python3* /root/")
            told = await complaint(machine, line)
            assert told.startswith("sonde: Python 3.11 or later not found; install it: apt-get install -y python3")
            machine.tell("mv /root/python3* /usr/bin/; useradd --create-home sonde")
            told = await complaint(machine, line)
            assert told.startswith("sonde: the user sonde exists, with the home directory /home/sonde instead of")
            machine.tell("userdel --remove sonde")
            (missing,) = wheels.glob("msgspec-*")
            missing.rename(tmp_path / missing.name)
            told = await complaint(machine, line)
            assert "the gateway does not serve every package" in told
            assert "msgspec" in told
            (tmp_path / missing.name).rename(missing)
            token = line.split(" --token ")[1].split(" ")[0]
            told = await complaint(machine, line.replace(token, "sonde_wrong"))
            assert told.startswith("agent: ")
            assert machine.tell("ls /tmp") == ""
            await joins(machine, line)


async def complaint(machine: Machine, line: str) -> str:
    """The last line of what the pasted line says when it fails."""
    status, output = await pasted(machine, line)
    assert status != 0, output
    return output.splitlines()[-1]


async def test_wheels_that_changed_under_the_script_are_not_installed(
    tmp_path: Path, machines: Network, wheels: Path
) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1") as machine:
            line = await at.line()
            fetch, _, rest = line.partition(" | ")
            machine.tell(f"{fetch} > /tmp/install.sh")
            sonde = own_wheel(wheels)
            assert sonde is not None
            sonde.path.write_bytes(b"something else")
            told = await complaint(machine, f"cat /tmp/install.sh | {rest}")
            assert f"instead of {sonde.sha256}; the gateway has changed meanwhile" in told
            assert machine.tell("ls /opt/sonde") == ""


@pytest.mark.skipif(not secondmachine.has_systemd(), reason="SONDE_TEST_ROOT has no systemd: see CONTRIBUTING.md")
async def test_systemd_runs_the_hardened_unit_and_keeps_it_running(
    tmp_path: Path, machines: Network, wheels: Path
) -> None:
    async with home(tmp_path, machines, wheels) as at:
        with machines.machine("web-1", systemd=True) as machine:
            before = machine.files()
            await joins(machine, await at.line())
            show = "systemctl show --value sonde-agent"
            facts = machine.tell(f"{show} -p ActiveState,UnitFileState,User,MemoryMax,NRestarts").split()
            assert set(facts) == {"active", "enabled", "sonde", "134217728", "0"}
            assert machine.tell("systemd-analyze verify /etc/systemd/system/sonde-agent.service 2>&1") == ""
            agent = machine.tell(f"{show} -p MainPID")
            assert machine.tell(f"grep CapEff /proc/{agent}/status").split() == ["CapEff:", "0000000000000004"]

            output = await joins(machine, await at.script(""))
            assert "the agent runs already" in output
            assert machine.tell(f"{show} -p MainPID") == agent

            machine.tell(f"kill -KILL {agent}")
            await eventually(
                lambda: set(machine.tell(f"{show} -p NRestarts,ActiveState").split()) == {"1", "active"}, 60
            )
            output = await joins(machine, await at.script(""))
            assert "the agent runs already" in output

            status, output = await pasted(machine, await at.script("--uninstall"))
            assert status == 0, output
            assert machine.run("systemctl status sonde-agent")[0] == 4, "there is no such unit"
            assert changed_by_install(before, machine.files()) == set()
