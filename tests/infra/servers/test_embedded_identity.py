"""PostgreSQL refuses root: whoever starts us, it must run, or a clear line must say why not."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.servers.cluster import find_programs, traversable
from infra.servers.launch import NO_IDENTITY
from infra.servers.process import launched

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can try other identities"
)

START = """
import asyncio, os, sys
import asyncpg
from infra.servers.embedded import EmbeddedServerError, postgres_server

async def main(directory):
    async with postgres_server(directory) as server:
        connection = await asyncpg.connect(server.url)
        print("runs as", os.stat(f"/proc/{server.process.pid}").st_uid, "for", os.geteuid(), flush=True)
        await connection.close()

try:
    asyncio.run(main(sys.argv[1]))
except EmbeddedServerError as error:
    print(error)
"""

WITHOUT_NAMESPACES = """
import ctypes, os, sys
ready, told = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000):
        os._exit(71)
    os.write(ready[1], b"x")
    os.read(told[0], 1)
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
os.close(ready[1])
if os.read(ready[0], 1):
    for kind in ("uid_map", "gid_map"):
        open(f"/proc/{child}/{kind}", "w").write("0 0 65536")
    os.write(told[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Runs Python as root of a user namespace in which every id is itself and no further namespace may be made."""


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that everybody may enter, unlike pytest's."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def output_of(command: list[str]) -> str:
    """What the command prints; skips the test when the system does not permit the identity."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    if done.returncode == NO_IDENTITY:
        pytest.skip(f"user namespaces are not permitted here: {done.stdout}")
    return done.stdout


def test_an_ordinary_user_runs_it_as_itself(data_dir: Path) -> None:
    """Ordinary as far as the process can tell: root, seen from a namespace as another user without privileges."""
    user = pwd.getpwnam("nobody")
    command = [sys.executable, "-c", START, str(data_dir)]
    said = output_of(launched(f"namespace:{user.pw_uid}:{user.pw_gid}", signal.SIGKILL, command))
    assert f"runs as {user.pw_uid} for {user.pw_uid}" in said


def test_a_user_without_a_name_runs_it(data_dir: Path) -> None:
    command = [sys.executable, "-c", START, str(data_dir)]
    assert "for 54321" in output_of(launched("namespace:54321:54321", signal.SIGKILL, command))


def test_root_runs_it_where_only_root_may_go(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    output_of(launched("namespace:1:1", signal.SIGKILL, ["/bin/true"]))
    assert "runs as 0 for 0" in output_of([sys.executable, "-c", START, str(data_dir / "postgres")])
    assert (data_dir / "postgres" / "data").stat().st_uid == 0


def test_root_without_namespaces_runs_it_as_an_unprivileged_user(open_dir: Path) -> None:
    if not all(traversable(parent.stat(), 65534, 65534) for parent in find_programs().parents):
        pytest.skip("the programs are installed where only root may go")
    said = output_of([sys.executable, "-c", WITHOUT_NAMESPACES, "-c", START, str(open_dir / "postgres")])
    owner = (open_dir / "postgres" / "data").stat().st_uid
    assert owner != 0
    assert f"runs as {owner} for 0" in said
    assert f"runs as {owner} for 0" in output_of([sys.executable, "-c", START, str(open_dir / "postgres")])


def test_root_without_namespaces_is_told_which_directory_is_closed(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o755)
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    said = output_of([sys.executable, "-c", WITHOUT_NAMESPACES, "-c", START, str(closed / "postgres")])
    assert "is closed to user" in said
    assert "SONDE_DATA" in said
