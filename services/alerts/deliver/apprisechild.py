"""The process in which Apprise runs: one address and one message in on stdin, what came of it out on stdout, as JSON.

It bounds itself before it loads anything: memory, processor time, files (none may grow). From then on it may start no
process, open no file for writing, read none outside of Python's own, and connect only to addresses that the settings
allow. These bounds hold whatever the address makes Apprise do.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import ssl
import sys
from pathlib import Path
from typing import Any

from infra.addresses import is_public

MEMORY_BYTES = 2**30
PROCESSOR_S = 15
OPEN_FILES = 64
LOG_CHARACTERS = 2000

_SYSTEM = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services")
_TRUST = (
    "/etc/ssl/",
    "/etc/pki/",
    "/usr/share/ca-certificates/",
    "/usr/share/zoneinfo/",
    "/etc/localtime",
    "/usr/lib/",
)
_FORBIDDEN = frozenset(
    {
        "ctypes.dlopen",
        "os.chdir",
        "os.chmod",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.link",
        "os.mkdir",
        "os.posix_spawn",
        "os.putenv",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.spawn",
        "os.symlink",
        "os.system",
        "os.truncate",
        "pty.spawn",
        "shutil.copyfile",
        "socket.bind",
        "subprocess.Popen",
    }
)


class Forbidden(PermissionError):
    """Something that this process may not do; libraries take it for a file or an address that they may not use."""


def bound() -> None:
    """Limit what this process may use, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(name)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (least, least))


def guard(private: bool, noted: list[str]) -> None:
    """From now on raise `Forbidden` for what this process may not do; refused addresses are kept in `noted`."""
    readable = tuple(f"{Path(path).resolve()}{os.sep}" for path in {*sys.path, sys.prefix, sys.base_prefix} if path)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            _may_open(arguments[0], arguments[1], arguments[2], readable)
        elif event in ("socket.connect", "socket.sendto"):
            _may_reach(arguments[1], private, noted)
        elif event in _FORBIDDEN:
            raise Forbidden(event)

    sys.addaudithook(hook)


def _may_open(path: Any, mode: Any, flags: Any, readable: tuple[str, ...]) -> None:
    """Python's own files, those of its packages, and those that say whom to trust and how names are resolved."""
    writes = (isinstance(mode, str) and any(letter in mode for letter in "wax+")) or (
        isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )
    if writes:
        raise Forbidden("open")
    if isinstance(path, int):
        return
    text = str(os.path.realpath(os.fsdecode(path)))
    paths = ssl.get_default_verify_paths()
    trusted = tuple(
        found for found in (paths.cafile, paths.capath, paths.openssl_cafile, paths.openssl_capath) if found
    )
    if not (text.startswith((*readable, *_TRUST, *trusted)) or text in _SYSTEM):
        raise Forbidden("open")


def _may_reach(address: Any, private: bool, noted: list[str]) -> None:
    """Only what the name resolves to is seen here, at the moment of connecting."""
    if not isinstance(address, tuple) or len(address) < 2:
        raise Forbidden("socket of this machine")
    host = str(address[0])
    if private:
        return
    try:
        allowed = is_public(host)
    except ValueError:
        allowed = False
    if not allowed:
        noted.append(host)
        raise OSError("address not allowed")


def tell(asked: dict[str, Any], noted: list[str]) -> dict[str, str]:
    """Send one message by one address."""
    try:
        import apprise
    except ImportError:
        return {"result": "missing", "log": ""}
    log = io.StringIO()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.addHandler(logging.StreamHandler(log))
    logger.propagate = False
    asset = apprise.AppriseAsset(
        app_id="Sonde",
        app_desc="Sonde",
        app_url="",
        async_mode=False,
        secure_logging=True,
        plugin_paths=[],
        storage_path="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    result = "failed"
    try:
        service = apprise.Apprise.instantiate(asked["url"], asset=asset, suppress_exceptions=True)
        if service is None:
            result = "address"
        else:
            told = apprise.Apprise(asset=asset)
            told.add(service)
            done = told.notify(asked["body"], asked["title"], body_format=apprise.NotifyFormat.TEXT)
            result = "sent" if done else "failed"
    except Exception as error:
        log.write(type(error).__name__)
    if noted and result != "sent":
        result = "forbidden"
    return {"result": result, "log": log.getvalue()[:LOG_CHARACTERS]}


def main() -> None:
    asked = json.loads(sys.stdin.buffer.read())
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    bound()
    noted: list[str] = []
    with contextlib.suppress(ImportError):
        import apprise  # noqa: F401  -- before files are guarded: loading looks at many
    guard(asked["private"], noted)
    answer.write(json.dumps(tell(asked, noted)).encode())
    answer.flush()


if __name__ == "__main__":
    main()
