"""Bad arguments, bad settings and missing servers: each is one line that names what, where and what to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.cli.process import Running, read_running
from tests.guarded import guarded_server
from tests.infra.cli.commands import ROOT, SONDE, environment, sonde
from tests.waiting import eventually

NO_SERVERS = {
    "SONDE_NATS_URL": "nats://me:hush@127.0.0.1:1",
    "SONDE_DATABASE_URL": "postgresql://me:hush@127.0.0.1:1/sonde",
    "SONDE_PORT": "1",
}
NO_BUS = r"sonde: no bus at nats://me:\*\*\*@127\.0\.0\.1:1: connection refused; .*SONDE_NATS_URL"
NO_DATABASE = (
    r"sonde: no database at postgresql://me:\*\*\*@127\.0\.0\.1:1/sonde: connection refused; .*SONDE_DATABASE_URL"
)

MISSING = [
    ("tail", NO_BUS),
    ("hosts", NO_DATABASE),
    ("migrate", NO_DATABASE),
    ("storage", NO_DATABASE),
    ("retention --once", NO_DATABASE),
    ("retention --dry-run", NO_DATABASE),
]
ARGUMENTS = [
    ("tail metrics.>.x", "sonde: tail: 'metrics.>.x' is not a subject; examples: .*"),
    ("tail metrics..x", "sonde: tail: 'metrics..x' is not a subject; examples: .*"),
    ("tail --count -1", "sonde tail: argument --count: .*; see `sonde tail --help`"),
    ("hosts now", "sonde: unrecognized arguments: now; see `sonde --help`"),
    ("dance", "sonde: argument COMMAND: invalid choice: 'dance' .*; see `sonde --help`"),
    ("bench dance", "sonde: bench: 'dance': no such benchmark; known are .*"),
    ("agent dance", "sonde agent: argument action: invalid choice: 'dance' .*; see `sonde agent --help`"),
]
SETTINGS = [
    ("tail", "SONDE_NATS_URL", "", "''.*write nats://HOST:4222"),
    ("agent", "SONDE_NATS_URL", "http://x", "'http://x'.*write nats://HOST:4222"),
    ("tail", "SONDE_NATS_URL", "nats://x:99999", "'nats://x:99999'.*port 99999 .* 1 to 65535.*"),
    ("hosts", "SONDE_DATABASE_URL", "mysql://me:hush@x", r"'mysql://me:\*\*\*@x'.*write postgresql://.*"),
    ("migrate", "SONDE_DATABASE_URL", "postgresql://x:99999/s", "'postgresql://x:99999/s'.*port 99999 .*"),
    ("agent", "SONDE_DIRECTORIES", "relative", "'relative'.* not an absolute path; give .*"),
    ("agent", "SONDE_HOST_ROOT", "/nope", "'/nope': no such directory; give .*"),
    ("agent", "SONDE_TAGS", "a,,b, c,x y", "'a,,b, c,x y': .* is not a tag; give .*"),
    ("up", "SONDE_SAMPLE_INTERVAL_S", "often", "'often': must be a number from 0.1 to 60"),
    ("up", "SONDE_LOG_FORMAT", "xml", '\'xml\': must be one of "auto", "json" or "pretty"'),
    ("gateway", "SONDE_HTTP_HOST", "0.0.0.0", "'0.0.0.0': .* use 127.0.0.1"),  # noqa: S104 -- refused
    ("up", "SONDE_HTTP_HOST", "0.0.0.0", "'0.0.0.0': .* use 127.0.0.1"),  # noqa: S104 -- refused
    ("up", "SONDE_CONFIG", "/nope", ".*; give the path of a readable TOML file"),
]
DIRECTORIES = [
    ("up", "/proc/nope", "sonde: up: /proc/nope: no such file or directory; set SONDE_DATA to .*"),
    ("agent", "/proc/nope", "agent: /proc/nope.*: no such file or directory; set SONDE_DATA to .*"),
    ("up", __file__, "sonde: SONDE_DATA: '.*': not a directory; give .*"),
    ("agent", __file__, "agent: SONDE_DATA: '.*': not a directory; give .*"),
]
CASES = [
    *((command, NO_SERVERS, 2, line) for command, line in MISSING),
    *((command, NO_SERVERS, 2, line) for command, line in ARGUMENTS),
    *((command, {name: value}, None, f".*{name}: {rest}") for command, name, value, rest in SETTINGS),
    *((command, {"SONDE_DATA": path}, 2, line) for command, path, line in DIRECTORIES),
]


@pytest.mark.parametrize(("command", "settings", "status", "line"), CASES, ids=lambda part: str(part)[:40])
def test_a_refusal_is_one_line(
    tmp_path: Path, command: str, settings: dict[str, str], status: int | None, line: str
) -> None:
    ended = sonde(tmp_path, *command.split(), **settings)
    assert ended.returncode == status if status else ended.returncode in (1, 2)
    assert re.fullmatch(line + "\n", ended.stderr), ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "hush" not in ended.stdout + ended.stderr


def test_doctor_does_not_check_what_needs_a_missing_server(tmp_path: Path) -> None:
    ended = sonde(tmp_path, "doctor", **NO_SERVERS)
    lines = ended.stdout.splitlines()[1:-1]
    assert ended.returncode == 1
    assert [line.split()[0] for line in lines].count("BROKEN") == 3
    assert [line for line in lines if line.endswith("not checked, needed are: bus answers")] != []
    assert not re.search(r"hush|Timeout|Traceback", ended.stdout + ended.stderr)


def test_doctor_checks_the_servers_first(tmp_path: Path) -> None:
    ended = sonde(tmp_path, "doctor", **NO_SERVERS)
    assert [line.split()[1] for line in ended.stdout.splitlines()[1:3]] == ["bus", "database"]


async def test_a_bus_that_refuses_the_user_is_named_as_such(tmp_path: Path) -> None:
    async with guarded_server(tmp_path / "guarded") as guarded:
        url = guarded.url("stranger")
        ended = sonde(tmp_path, "tail", SONDE_NATS_URL=url)
    assert ended.returncode == 2
    assert re.fullmatch(r"sonde: bus at nats://stranger:\*\*\*@\S+ refuses this user: .*\n", ended.stderr)
    assert "set SONDE_NATS_CREDENTIALS to its .creds file" in ended.stderr


def test_a_database_that_nobody_migrated_is_named_as_such(tmp_path: Path, blank_database_url: str) -> None:
    ended = sonde(tmp_path, "hosts", SONDE_DATABASE_URL=blank_database_url)
    assert ended.returncode == 2
    assert re.fullmatch(r"sonde: database at \S+ is not migrated: .*; run `sonde migrate`\n", ended.stderr)


def test_a_command_without_its_packages_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['asyncpg'] = None; from infra.cli.main import main; sys.exit(main(['hosts']))"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert re.fullmatch(
        "sonde: this command needs the Python package asyncpg; install sonde\\[server\\].*\n", ended.stderr
    )


def running(directory: Path, pid: int) -> Path:
    """What a `sonde up` of this process id leaves in its data directory."""
    path = directory / "data" / "running.json"
    path.parent.mkdir()
    urls = {"nats_url": "nats://127.0.0.1:1", "database_url": "postgresql://a@127.0.0.1:1/b"}
    path.write_text(json.dumps({"pid": pid, **urls, "port": 1}))
    return path


def ended_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("command", ["tail", "hosts", "doctor", "storage", "migrate"])
def test_a_stale_running_file_is_named_as_such(tmp_path: Path, command: str) -> None:
    pid = ended_process()
    path = running(tmp_path, pid)
    ended = sonde(tmp_path, command)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"sonde: {path}: `sonde up` (process {pid}) is not running any more; start it again, or delete this file\n"
    )


def test_a_process_that_took_a_gone_ones_id_is_not_taken_for_it(tmp_path: Path) -> None:
    path = running(tmp_path, os.getpid())
    hours_ago = time.time() - 86400 * 365
    os.utime(path, (hours_ago, hours_ago))
    assert "is not running any more" in sonde(tmp_path, "hosts").stderr


def test_servers_of_a_running_sonde_up_are_found(tmp_path: Path) -> None:
    running(tmp_path, os.getpid())
    found = read_running(str(tmp_path / "data"))
    assert found == Running(os.getpid(), "nats://127.0.0.1:1", "postgresql://a@127.0.0.1:1/b", 1)


def test_servers_that_are_named_need_no_running_file(tmp_path: Path) -> None:
    running(tmp_path, ended_process())
    assert "no database at" in sonde(tmp_path, "hosts", **NO_SERVERS).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_running_file_of_another_user_is_permission_denied(tmp_path: Path) -> None:
    running(tmp_path, os.getpid()).chmod(0o600)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    imports = "import os, sys, infra.cli.main, infra.cli.hosts"  # before the user changes: ours may be closed to it
    code = f"{imports}; os.setgid(65534); os.setuid(65534); sys.exit(infra.cli.main.main(['hosts']))"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert re.fullmatch(
        r"sonde: .*running\.json: permission denied; run this command as the user of .*\n", ended.stderr
    )


async def test_tail_into_a_reader_that_leaves_ends_silently(tmp_path: Path, bus_url: str) -> None:
    from infra.bus.connection import connection

    process = subprocess.Popen(
        [*SONDE, "tail", "events.*"],
        env=environment(tmp_path, SONDE_NATS_URL=bus_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    async with connection(bus_url, "test") as client:

        async def has_ended() -> bool:
            await client.publish("events.web-1", b"{}")
            return process.poll() is not None

        await eventually(has_ended, 30)
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.returncode in (0, 141)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("SONDE_NATS_URL", "nats://192.0.2.9:4222", "set SONDE_BUS_HOST and SONDE_BUS_PORT"),
        ("SONDE_DATABASE_URL", "postgresql://ada:secret@192.0.2.9/sonde", "remove this setting"),
    ],
)
def test_up_does_not_pass_over_a_server_that_it_would_not_use(
    tmp_path: Path, name: str, value: str, remedy: str
) -> None:
    ended = sonde(tmp_path, "up", **{name: value})
    assert ended.returncode == 2
    assert remedy in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr
