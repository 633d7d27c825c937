"""NVIDIA GPUs, read through NVML in a worker thread, for a wedged driver can hold a call for seconds.

Every field is read by itself: what a board does not support is left out. What a tick has no time for is read at the
next ones. A device that is lost, or a driver that restarts, leads to a fresh initialisation with back-off. Without a
driver the family is absent.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.collectors.choice import Choice
from agent.collectors.gpu.board import Board, Lost, is_lost
from agent.collectors.gpu.fields import FIELDS
from agent.collectors.readings import Instances, Labels, Reading
from agent.system.worker import Worker
from infra.bus.backoff import Backoff

logger = logging.getLogger(__name__)

ABSENT_EVERY_S = 60.0
"""How often a missing driver is looked for again."""
HANGS_AFTER_S = 10.0
"""A driver that has not answered for this long has failed; before, it is slow, as when it first finds its boards."""


def has_driver(proc: str = "/proc") -> bool:
    """Whether a driver shows itself. Importing the library only to find none would cost every host 2.4 MiB."""
    if sys.platform != "linux":
        return sys.platform == "win32"
    signs = ("/dev/nvidiactl", f"{proc}/driver/nvidia/version", "/dev/dxg")
    return any(Path(path).exists() for path in signs)


def load_nvml() -> Any:
    return importlib.import_module("pynvml")


class Gpus:
    """Holds the library and the boards. `start` and `finish` are for the loop, the rest runs in the worker."""

    def __init__(
        self,
        deadline_s: float = 1.0,
        load: Callable[[], Any] = load_nvml,
        present: Callable[[], bool] = has_driver,
        clock: Callable[[], float] = time.monotonic,
        choice: Choice | None = None,
    ) -> None:
        """`deadline_s`: longest that `finish` waits. `choice` may go by index, UUID or model."""
        self._deadline_s = deadline_s
        self._load = load
        self._present = present
        self._clock = clock
        self._choice = choice or Choice()
        self._worker = Worker("gpu")
        self._began_s = 0.0
        self._backoff = Backoff(1, 300)
        self._nvml: Any = None
        self._initialised = False
        self._complete = False
        """False while devices are missing, which calls for another initialisation at `_try_at_s`."""
        self._try_at_s = 0.0
        self._boards: dict[str, Board] = {}
        self._said = ""
        self.names: list[str] = []
        """Model names of the devices found."""

    def start(self, within_s: float = float("inf")) -> asyncio.Future[Reading | None] | None:
        """Begin to read every device; None when there is no driver or the previous reading has not come back.

        `within_s`: how long the tick can wait, if that is shorter than the deadline.
        """
        if self._worker.busy:
            return None
        if not self._boards:
            if self._clock() < self._try_at_s:
                return None
            if not self._present():
                self._try_at_s = self._clock() + ABSENT_EVERY_S
                self._say("no nvidia driver, the gpu family is absent")
                return None
        self._began_s = self._clock()
        # Half of the deadline, because the call that uses it up may take a while itself.
        return self._worker.submit(self.read, min(within_s, self._deadline_s) / 2)

    async def finish(
        self, started: asyncio.Future[Reading | None] | None, within_s: float = float("inf")
    ) -> Reading | None:
        """The reading that `start` began; None when there is none in time. Raises TimeoutError for a hanging driver."""
        if started is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(within_s, self._deadline_s)):
                    return await started
        waited_s = self._clock() - self._began_s
        if self._worker.busy and waited_s >= HANGS_AFTER_S:
            raise TimeoutError(f"the driver has not answered for {waited_s:.0f} s")
        return None

    def read(self, budget_s: float = float("inf")) -> Reading | None:
        """Read what is due of every device, after initialising where that is due. None when there is not one.

        Once `budget_s` have passed no other call is begun; what was due longest comes first.
        """
        if not self._complete and self._clock() >= self._try_at_s:
            self._initialise()
        boards = {name: board for name, board in self._boards.items() if self._wants(name, board)}
        began = self._clock()
        due = [(board.due_s(field), field, name) for field in FIELDS for name, board in boards.items()]
        for at_s, field, name in sorted(due, key=lambda item: item[0]):
            now = self._clock()
            if at_s > now or now - began > budget_s:
                break
            if name in self._boards:
                try:
                    boards[name].read(field, self._clock)
                except Lost as fault:
                    self._lose(name, fault)
        return self._reading(boards)

    def _reading(self, boards: dict[str, Board]) -> Reading | None:
        instances: Instances = {}
        labels: Labels = {}
        for name, board in boards.items():
            if name in self._boards:
                try:
                    values = board.values()
                except Lost as fault:
                    self._lose(name, fault)
                    continue
                if values:
                    instances[name], labels[name] = values, board.labels
        if self._complete:
            self._backoff.reset()
        return Reading(instances, labels) if instances else None

    def close(self) -> None:
        self._worker.close()

    def _wants(self, name: str, board: Board) -> bool:
        return self._choice.any_of((name, *board.labels.values()))

    def _lose(self, name: str, fault: Lost) -> None:
        logger.warning("gpu lost", extra={"gpu": name, "error": str(fault)})
        del self._boards[name]
        self._complete = False
        self._try_at_s = self._clock() + self._backoff.next_s()

    def _initialise(self) -> None:
        """Find the devices afresh; where some or all do not answer, the next try waits longer."""
        self._try_at_s = self._clock() + self._backoff.next_s()
        self._boards = {}
        try:
            nvml = self._nvml = self._nvml or self._load()
        except ImportError as error:
            self._say("nvidia-ml-py is missing, the gpu family is absent", str(error))
            return
        try:
            if self._initialised:
                self._initialised = False
                with contextlib.suppress(nvml.NVMLError):  # what is gone cannot be shut down
                    nvml.nvmlShutdown()
            nvml.nvmlInit()
            self._initialised = True
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self._say("nvidia driver does not answer, the gpu family is absent", str(error))
            return
        for index in range(count):
            self._find(nvml, index)
        self.names = [board.labels.get("name", "") for board in self._boards.values()]
        self._complete = count > 0 and len(self._boards) == count
        self._say(f"{len(self._boards)} of {count} gpus found", ", ".join(self.names))

    def _find(self, nvml: Any, index: int) -> None:
        """Remember the device, if it answers."""
        labels = {}
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            for label, ask in (("name", nvml.nvmlDeviceGetName), ("uuid", nvml.nvmlDeviceGetUUID)):
                try:
                    labels[label] = str(ask(handle))
                except nvml.NVMLError as error:
                    if is_lost(error):
                        raise
        except nvml.NVMLError as error:
            self._say("gpu does not respond", f"{index}: {error}")
            return
        self._boards[str(index)] = Board(nvml, handle, labels)

    def _say(self, message: str, detail: str = "") -> None:
        """Log what is new; the same again is kept quiet."""
        if message + detail != self._said:
            self._said = message + detail
            logger.info("gpu state changed", extra={"state": message} | ({"detail": detail} if detail else {}))
