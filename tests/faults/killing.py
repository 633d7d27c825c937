"""Services and servers that are killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.servers.embedded import Server


class Service:
    """A service as its own process, which can be killed and is then started again."""

    def __init__(self, name: str, nats_url: str, database_url: str, log: Path, more: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", "infra.cli.main", name]
        known = {key: value for key, value in os.environ.items() if not key.startswith("SONDE_")}
        self._environment = {**known, "SONDE_NATS_URL": nats_url, "SONDE_DATABASE_URL": database_url, **more}
        self._log = log
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    async def kill(self) -> None:
        """SIGKILL, then a new process."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait)
        self.process = self._start()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def service(name: str, nats_url: str, database_url: str, directory: Path, **more: str) -> Iterator[Service]:
    """A running service, whose end on SIGTERM is a clean one; `more` is added to its environment."""
    log = directory / f"{name}.log"
    running = Service(name, nats_url, database_url, log, more)
    try:
        yield running
        assert running.end() == 0, log.read_text()[-3000:]
    finally:
        running.process.kill()
        running.process.wait()


async def kill_and_restart(server: Server) -> None:
    await server.kill()
    await server.restart()
