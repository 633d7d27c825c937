"""NVIDIA GPUs, read through NVML in a worker thread, for a wedged driver can hold a call for seconds.

Every field is read by itself: what a board does not support is null and not asked for again. A device that is lost, or
a driver that restarts, leads to a fresh initialisation with back-off. Without a driver the family is absent.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.rates import share_percent
from agent.readings import Instances, Labels, Reading, Values
from agent.worker import Worker
from infra.backoff import Backoff

logger = logging.getLogger(__name__)

_DRIVER_SIGNS = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")
_LOST = (
    "GpuIsLost",
    "Uninitialized",
    "DriverNotLoaded",
    "Unknown",
    "ResetRequired",
    "LibRmVersionMismatch",
    "NotFound",
)


ABSENT_EVERY_S = 60.0
"""How often a missing driver is looked for again."""


def has_driver() -> bool:
    """Whether a driver shows itself. Importing the library only to find none would cost every host 2.4 MiB."""
    return sys.platform != "linux" or any(Path(path).exists() for path in _DRIVER_SIGNS)


def load_nvml() -> Any:
    return importlib.import_module("pynvml")


def _utilisation(nvml: Any, handle: Any) -> Values:
    rates = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"utilisation": rates.gpu, "memory_utilisation": rates.memory}


def _memory(nvml: Any, handle: Any) -> Values:
    """Version 2 of the answer leaves the driver's reserve out of `used`, as nvidia-smi does."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_InvalidArgument):
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    used, total = int(memory.used), int(memory.total)
    return {"memory_used": used, "memory_total": total, "memory_percent": share_percent(used, total)}


_FIELDS: dict[str, Callable[[Any, Any], Values]] = {
    "utilisation": _utilisation,
    "memory": _memory,
    "temperature": lambda nvml, handle: {
        "temperature": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
    },
    "power": lambda nvml, handle: {"power": nvml.nvmlDeviceGetPowerUsage(handle) / 1000},
    "fan": lambda nvml, handle: {"fan": nvml.nvmlDeviceGetFanSpeed(handle)},
    "clock": lambda nvml, handle: {"clock": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_GRAPHICS)},
    "memory_clock": lambda nvml, handle: {"memory_clock": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)},
    "power_limit": lambda nvml, handle: {"power_limit": nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000},
}


class Lost(Exception):
    """A device or the driver is gone; NVML must be initialised again."""


class Gpus:
    """Holds the library and the device handles. `start` and `finish` are for the loop, the rest runs in the worker."""

    def __init__(
        self,
        deadline_s: float,
        load: Callable[[], Any] = load_nvml,
        present: Callable[[], bool] = has_driver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline_s = deadline_s
        self._load = load
        self._present = present
        self._clock = clock
        self._worker = Worker("gpu")
        self._backoff = Backoff(1, 300)
        self._nvml: Any = None
        self._initialised = False
        self._complete = False
        """False while devices are missing, which calls for another initialisation at `_try_at_s`."""
        self._try_at_s = 0.0
        self._devices: dict[str, Any] = {}
        self._labels: Labels = {}
        self._unsupported: set[tuple[str, str]] = set()
        self._said = ""
        self.names: list[str] = []
        """Model names of the devices found."""

    def start(self) -> asyncio.Future[Reading | None] | None:
        """Begin to read every device; None when there is no driver or the previous reading has not come back."""
        if self._worker.busy:
            return None
        if not self._devices:
            if self._clock() < self._try_at_s:
                return None
            if not self._present():
                self._try_at_s = self._clock() + ABSENT_EVERY_S
                self._say("no nvidia driver, the gpu family is absent")
                return None
        return self._worker.submit(self.read)

    async def finish(self, started: asyncio.Future[Reading | None] | None) -> Reading | None:
        """The reading that `start` began; None when there is none within the deadline."""
        if started is None:
            return None
        try:
            async with asyncio.timeout(self._deadline_s):
                return await started
        except TimeoutError:
            return None

    def read(self) -> Reading | None:
        """Read every device, after initialising where that is due. None when there is not one."""
        if not self._complete and self._clock() >= self._try_at_s:
            self._initialise()
        instances: Instances = {}
        for name, handle in list(self._devices.items()):
            try:
                instances[name] = self._device(name, handle)
            except Lost as fault:
                logger.warning("gpu lost", extra={"gpu": name, "error": str(fault)})
                del self._devices[name]
                self._complete = False
                self._try_at_s = self._clock() + self._backoff.next_s()
        if self._complete:
            self._backoff.reset()
        return Reading(instances, {name: self._labels[name] for name in instances}) if instances else None

    def close(self) -> None:
        self._worker.close()

    def _device(self, name: str, handle: Any) -> Values:
        values: Values = {}
        for field, read in _FIELDS.items():
            if (name, field) not in self._unsupported:
                values.update(self._field(name, field, read, handle))
        return values

    def _field(self, name: str, field: str, read: Callable[[Any, Any], Values], handle: Any) -> Values:
        nvml = self._nvml
        try:
            return read(nvml, handle)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
            self._unsupported.add((name, field))
        except nvml.NVMLError as error:
            if type(error).__name__.removeprefix("NVMLError_") in _LOST:
                raise Lost(f"{field}: {error}") from None
            logger.debug("gpu field failed", extra={"gpu": name, "field": field, "error": str(error)})
        return {}

    def _initialise(self) -> None:
        """Find the devices afresh; where some or all do not answer, the next try waits longer."""
        self._try_at_s = self._clock() + self._backoff.next_s()
        self._devices, self._unsupported = {}, set()
        try:
            nvml = self._nvml = self._nvml or self._load()
        except ImportError as error:
            self._say("nvidia-ml-py is missing, the gpu family is absent", str(error))
            return
        try:
            if self._initialised:
                self._initialised = False
                nvml.nvmlShutdown()
            nvml.nvmlInit()
            self._initialised = True
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self._say("nvidia driver does not answer, the gpu family is absent", str(error))
            return
        names = [self._find(nvml, index) for index in range(count)]
        self.names = [name for name in names if name is not None]
        self._complete = count > 0 and len(self.names) == count
        self._say(f"{len(self.names)} of {count} gpus found", ", ".join(self.names))

    def _find(self, nvml: Any, index: int) -> str | None:
        """Remember the device's handle and labels; returns its model, None when it does not answer."""
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            model, uuid = str(nvml.nvmlDeviceGetName(handle)), str(nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError as error:
            self._say("gpu does not answer", f"{index}: {error}")
            return None
        self._devices[str(index)] = handle
        self._labels[str(index)] = {"name": model, "uuid": uuid}
        return model

    def _say(self, message: str, detail: str = "") -> None:
        """Log what is new; the same again is kept quiet."""
        if message + detail != self._said:
            self._said = message + detail
            logger.info(message, extra={"detail": detail} if detail else None)
