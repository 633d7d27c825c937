"""`sonde agent status`: a running agent tells about itself on a UNIX socket in its data directory, to its user only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

WITHIN_S = 5.0
_MOST_PATH_BYTES = 100
"""A UNIX address holds 108 bytes on Linux, 104 elsewhere."""


class NoAnswer(Exception):
    """No agent answers on this data directory; the text says so."""


def socket_path(data: str) -> Path:
    return Path(data).absolute() / "agent" / "status.sock"


@contextlib.asynccontextmanager
async def told_locally(data: str, report: Callable[[], dict[str, Any]]) -> AsyncIterator[None]:
    """While within, whoever connects gets `report()` as JSON. Where no socket can be had, only that is missing."""
    path = socket_path(data)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(json.dumps(report(), ensure_ascii=False).encode())
            async with asyncio.timeout(WITHIN_S):
                await writer.drain()
        except (OSError, TimeoutError):
            logger.debug("status was not taken")
        finally:
            writer.close()

    try:
        if not hasattr(socket, "AF_UNIX") or len(os.fsencode(path)) > _MOST_PATH_BYTES:
            raise OSError("no UNIX sockets here, or the path of the data directory is too long for one")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(answer, path)
        path.chmod(0o600)
    except OSError as error:
        logger.warning("status socket not available", extra={"path": str(path), "error": str(error)})
        yield
        return
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def ask_locally(data: str) -> dict[str, Any]:
    """What the agent on this data directory tells. Raises NoAnswer."""
    path = socket_path(data)
    try:
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                told: dict[str, Any] = json.loads(await reader.read())
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise NoAnswer(f"no agent answers at {path} ({type(error).__name__}: {error}); is it running?") from None
    return told


def as_lines(told: dict[str, Any], indent: str = "") -> list[str]:
    """A report for people: a line per fact, nested ones below their name."""
    lines = []
    for name, value in told.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{name}", *as_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{name}")
            for item in value:
                lines += [*as_lines(item, indent + "  "), ""]
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else "-" if value in (None, {}) else str(value)
            lines.append(f"{indent}{name:<24} {text}")
    return lines
