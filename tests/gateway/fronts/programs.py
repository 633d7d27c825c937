"""Reverse proxies in front of a gateway, as tests run them: with the files that `infra/fronts/` ships."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.waiting import eventually

SHIPPED = Path(__file__).parents[3] / "infra/fronts"
NAME = "sonde.example.org"
"""Under which the shipped files have it."""


def program(name: str, package: str) -> str:
    """Path of an installed program. Without it the test is skipped, in CI it fails."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path:
        return path
    reason = f"{name} is not installed; on Debian: apt-get install {package}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def shipped(name: str, **changes: str) -> str:
    """The text of a shipped file, with places that it has to have changed."""
    return changed((SHIPPED / name).read_text(), changes)


def changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the configuration has no {old!r}"
        text = text.replace(old, new)
    return text


@asynccontextmanager
async def running(port: int, *command: str, **environment: str) -> AsyncIterator[None]:
    """A program that listens on `port` of loopback; its output is shown when it does not begin to."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # so that its children end with it
    )
    assert process.stdout is not None
    said = bytearray()
    reading = asyncio.create_task(_read(process.stdout, said))
    try:

        async def listens() -> bool:
            if process.returncode is not None:
                raise RuntimeError(f"{command[0]} ended: {said.decode(errors='replace')[-2000:]}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        await eventually(listens)
        yield
    finally:
        _tell(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(reading, 15)  # ends when the last one that could write has ended
        except TimeoutError:
            _tell(process.pid, signal.SIGKILL)
        await process.wait()


def _tell(group: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, what)


async def _read(stream: asyncio.StreamReader, said: bytearray) -> None:
    while data := await stream.read(4096):
        said += data
        del said[:-20_000]
