"""`sonde up` as a person at a terminal sees it, and as a supervisor without one reads it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest

from infra.certificates.issue import certificate_text, key_text, make_authority, make_key, sign_server
from infra.log import FILE_BACKUPS, FILE_BYTES
from tests.gateway.running import TRUST
from tests.infra.cli.commands import SONDE, environment, sonde
from tests.waiting import eventually

LOG_MODE = 0o600
LINK = r"(?P<gateway>http://127\.0\.0\.1:\d+)/login#link=(?P<secret>\S+)"


class Session:
    """A process and what it has shown so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, directory: Path) -> None:
        self.process = process
        self.log = directory / "data" / "sonde.log"
        self._logged_before = self.log.stat().st_size if self.log.exists() else 0
        self._output = output
        self._shown = b""
        os.set_blocking(output, False)

    @property
    def shown(self) -> str:
        """Everything on its standard output and error until now."""
        try:
            while data := os.read(self._output, 65536):
                self._shown += data
        except OSError:  # nothing more by now, or the other end of the terminal is closed
            pass
        return self._shown.decode().replace("\r\n", "\n")

    @property
    def logged(self) -> str:
        """What its log file has got since it began."""
        return self.log.read_bytes()[self._logged_before :].decode()

    def child(self, name: str) -> psutil.Process:
        """The embedded server whose program is called `name`."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if name in child.name())

    async def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        await eventually(lambda: self.process.poll() is not None, 30)


@asynccontextmanager
async def up(directory: Path, terminal: bool, **settings: str) -> AsyncIterator[Session]:
    """`sonde up` that has written that it runs; killed on leaving."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [*SONDE, "up"],
        env=environment(directory, SONDE_PORT="0", **{"TERM": "xterm", "NO_COLOR": "", **settings}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    session = Session(process, ours, directory)
    try:
        await eventually(lambda: "://127.0.0.1:" in session.shown or process.poll() is not None, 60)
        yield session
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)


async def flushed(session: Session, times: int = 2) -> None:
    """Wait until the routine work of several batches is in the log."""
    await eventually(lambda: session.logged.count(" flush committed ") >= times, 60)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that is too small for two servers."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_person_sees_a_few_lines_and_no_routine_work(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, NO_COLOR="1", SONDE_BATCH_INTERVAL_S="1") as session:
        await flushed(session)
        await session.stop()
        lines = session.shown.splitlines()
    assert [re.sub(r":\d+", ":PORT", line).split("  (")[0].partition("#")[0].rstrip() for line in lines[1:]] == [
        "  started    nats-server at 127.0.0.1:PORT",
        "  started    PostgreSQL at 127.0.0.1:PORT",
        "  started    ingest, alerts, gateway, retention, agent",
        "  dashboard  http://127.0.0.1:PORT/",
        "  log in     http://127.0.0.1:PORT/login",
        "stopping",
        "stopped",
    ]
    assert re.fullmatch(rf"sonde \S+, data in {tmp_path}/data", lines[0])
    assert session.process.returncode == 0


async def test_the_first_start_shows_a_link_by_which_the_administrator_logs_in(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, NO_COLOR="1") as session:
        link = await eventually(lambda: re.search(LINK, session.shown), 30)
        async with httpx.AsyncClient(base_url=link["gateway"], verify=TRUST) as client:
            body = {"secret": link["secret"], "password": "correct horse battery"}
            answer = await client.post("/api/v1/session/link", json=body)
            assert (answer.json()["name"], answer.json()["role"]) == ("admin", "admin")
        await session.stop()
    assert link["secret"] not in session.logged
    async with up(tmp_path, terminal=True, NO_COLOR="1", SONDE_BATCH_INTERVAL_S="1") as session:
        await flushed(session)
        assert not re.search(LINK, session.shown), "somebody has logged in"


async def test_json_lines_say_how_to_get_the_link_without_showing_it(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=False) as session:
        await eventually(lambda: "sonde user link admin" in session.shown, 30)
        assert "#link=" not in session.shown
        printed = sonde(tmp_path, "user", "link", "admin").stdout
    assert re.search(LINK, printed)


@pytest.mark.parametrize(
    ("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
async def test_colours_are_for_terminals_that_want_them(
    tmp_path: Path, settings: dict[str, str], coloured: bool
) -> None:
    async with up(tmp_path, terminal=True, **settings) as session:
        assert ("\x1b[" in session.shown) == coloured


async def test_without_a_terminal_each_line_is_json(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=False, SONDE_BATCH_INTERVAL_S="1") as session:
        await flushed(session)
        await session.stop()
        events = [json.loads(line)["event"] for line in session.shown.splitlines()]
    assert (events[0], events[-1]) == ("starting", "stopped")
    assert "running" in events
    assert not {"flush committed", "batches judged", "host facts stored"} & set(events)


async def test_pretty_without_a_terminal_is_for_people_and_has_no_colour(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=False, SONDE_LOG_FORMAT="pretty") as session:
        assert "\n  dashboard  http://127.0.0.1:" in session.shown
        assert "\x1b[" not in session.shown


async def test_json_on_a_terminal_is_json(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, SONDE_LOG_FORMAT="json") as session:
        assert json.loads(session.shown.splitlines()[0])["event"] == "starting"


@pytest.mark.parametrize("terminal", [True, False])
async def test_the_log_file_has_everything_and_is_for_its_user_only(tmp_path: Path, terminal: bool) -> None:
    log = tmp_path / "data" / "sonde.log"
    log.parent.mkdir()
    for path in (log, log.with_name("sonde.log.1")):
        path.write_text("of a run before\n")
        path.chmod(0o644)
    async with up(tmp_path, terminal=terminal, SONDE_BATCH_INTERVAL_S="1") as session:
        await flushed(session)
    assert "of a run before" in log.read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in log.parent.glob("sonde.log*")} == {LOG_MODE}


async def test_the_log_file_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "data" / "sonde.log"
    log.parent.mkdir()
    for number, path in enumerate((log, *(log.with_name(f"sonde.log.{n}") for n in range(1, FILE_BACKUPS + 1)))):
        path.write_bytes(b"%d\n" % number + b"x" * FILE_BYTES)
    async with up(tmp_path, terminal=False):
        assert sorted(path.name for path in log.parent.glob("sonde.log*")) == [
            "sonde.log",
            "sonde.log.1",
            "sonde.log.2",
        ]
        assert log.stat().st_size < FILE_BYTES
        assert log.with_name("sonde.log.2").read_bytes().startswith(b"1\n")


async def test_a_bus_that_hangs_is_one_line_and_one_when_it_is_over(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, NO_COLOR="1") as session:
        server = session.child("nats-server")
        server.suspend()
        await eventually(lambda: "PROBLEM  bus not available: " in session.shown, 30)
        server.resume()
        await eventually(lambda: "OVER     bus available again after" in session.shown, 60)
        shown = session.shown
    assert troubles(shown) == [["PROBLEM", "bus"], ["OVER", "bus"]]


async def test_a_database_that_crashes_is_one_line_and_one_when_it_is_over(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, NO_COLOR="1", SONDE_BATCH_INTERVAL_S="1") as session:
        await flushed(session)
        sessions = [each for each in session.child("postgres").children() if "127.0.0.1(" in " ".join(each.cmdline())]
        sessions[0].kill()  # the server then ends all others, and recovers
        await eventually(lambda: "OVER     database available again after" in session.shown, 60)
        shown = session.shown
    assert troubles(shown) == [["PROBLEM", "database"], ["OVER", "database"]]


def troubles(shown: str) -> list[list[str]]:
    """The first two words of each line after the start but warnings, which a busy machine may have besides."""
    told = [line.split()[1:3] for line in shown.splitlines()[6:]]
    return [words for words in told if words[:1] != ["WARNING"]]


async def test_a_disk_that_is_too_small_is_one_line(small_disk: Path, tmp_path: Path) -> None:
    async with up(tmp_path, terminal=True, NO_COLOR="1", SONDE_DATA=str(small_disk)) as session:
        await eventually(lambda: session.process.poll() is not None, 60)
        errors = [line for line in session.shown.splitlines() if line.startswith("sonde: ")]
    assert session.process.returncode == 1
    assert len(errors) == 1
    assert re.search(r"no space left|disk full|could not extend", errors[0], re.IGNORECASE)
    assert "Traceback" not in session.shown


async def test_an_installation_that_begins_to_encrypt_keeps_its_agent(tmp_path: Path) -> None:
    async with up(tmp_path, terminal=False, SONDE_BATCH_INTERVAL_S="1") as plain:
        await flushed(plain)
        await plain.stop()
    async with up(tmp_path, terminal=False, SONDE_BATCH_INTERVAL_S="1", SONDE_TLS="own") as encrypted:
        await eventually(lambda: "https://127.0.0.1:" in encrypted.shown, 60)
        await flushed(encrypted)
        running = json.loads((tmp_path / "data" / "running.json").read_bytes())
        assert running["nats_url"].startswith("tls://")
        status = sonde(tmp_path, "agent", "status", "--json")
        assert json.loads(status.stdout)["bus"]["connected"], status.stdout
        await encrypted.stop()


async def test_given_certificates_for_one_name_serve_all_parts_and_commands(tmp_path: Path) -> None:
    now, key, server_key = datetime.now(UTC), make_key(), make_key()
    authority = make_authority(key, now)
    files = {
        "ca.pem": certificate_text(authority),
        "server.pem": certificate_text(sign_server(authority, key, server_key, ["localhost"], now)),
        "server.key": key_text(server_key),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    settings = {
        "SONDE_TLS": "files",
        "SONDE_TLS_CERTIFICATE": str(tmp_path / "server.pem"),
        "SONDE_TLS_KEY": str(tmp_path / "server.key"),
        "SONDE_NATS_CA": str(tmp_path / "ca.pem"),
    }
    async with up(tmp_path, terminal=False, **settings) as session:
        await flushed(session)
        done = sonde(tmp_path, "tail", "metrics.*", "--count", "1")
        assert (done.returncode, done.stderr) == (0, "")
        await session.stop()
