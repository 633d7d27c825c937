"""What is read of one NVIDIA GPU: one call of NVML per field, so that a field which a board lacks costs only itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from agent.collectors.rates import share_percent
from agent.collectors.readings import Values

_HELD_DOWN = 0x04 | 0x08 | 0x20 | 0x40 | 0x80
"""Bits of power cap, hardware slowdown, software and hardware thermal slowdown, and power brake. The others are an idle
board and clocks that somebody chose."""


class Field(NamedTuple):
    """One call, or two where an older driver needs another."""

    read: Callable[[Any, Any], Values]
    """Takes the library and the board's handle."""
    every_s: float = 0
    """Read this often and held in between; 0: at every tick."""


def _absent(nvml: Any) -> tuple[type[Exception], ...]:
    """What a driver says that is too old for a call."""
    return nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_InvalidArgument


def _utilisation(nvml: Any, handle: Any) -> Values:
    rates = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"utilisation": rates.gpu, "memory_utilisation": rates.memory}


def _memory(nvml: Any, handle: Any) -> Values:
    """Version 2 of the answer leaves the driver's reserve out of `used`, as nvidia-smi does."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except _absent(nvml):
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    used, total = int(memory.used), int(memory.total)
    return {"memory_used": used, "memory_total": total, "memory_percent": share_percent(used, total)}


def _temperature(nvml: Any, handle: Any) -> Values:
    return {"temperature": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)}


def _throttling(nvml: Any, handle: Any) -> Values:
    try:
        reasons = nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
    except _absent(nvml):  # the name before driver 535
        reasons = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
    return {"throttle_reasons": reasons, "throttled": 1 if reasons & _HELD_DOWN else 0}


def _clock(metric: str, kind: str) -> Callable[[Any, Any], Values]:
    return lambda nvml, handle: {metric: nvml.nvmlDeviceGetClockInfo(handle, getattr(nvml, kind))}


def _ecc(metric: str, kind: str) -> Callable[[Any, Any], Values]:
    def read(nvml: Any, handle: Any) -> Values:
        counted = nvml.nvmlDeviceGetTotalEccErrors(handle, getattr(nvml, kind), nvml.NVML_VOLATILE_ECC)
        return {metric: counted}

    return read


FIELDS: dict[str, Field] = {
    "utilisation": Field(_utilisation),
    "memory": Field(_memory),
    "temperature": Field(_temperature),
    "power": Field(lambda nvml, handle: {"power": nvml.nvmlDeviceGetPowerUsage(handle) / 1000}),
    "clock": Field(_clock("clock", "NVML_CLOCK_GRAPHICS")),
    "memory_clock": Field(_clock("memory_clock", "NVML_CLOCK_MEM")),
    "throttling": Field(_throttling),
    "fan": Field(lambda nvml, handle: {"fan": nvml.nvmlDeviceGetFanSpeed(handle)}, 5),
    "encoder": Field(lambda nvml, handle: {"encoder": nvml.nvmlDeviceGetEncoderUtilization(handle)[0]}, 5),
    "decoder": Field(lambda nvml, handle: {"decoder": nvml.nvmlDeviceGetDecoderUtilization(handle)[0]}, 5),
    "power_limit": Field(lambda nvml, handle: {"power_limit": nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000}, 10),
    "ecc_corrected": Field(_ecc("ecc_corrected", "NVML_MEMORY_ERROR_TYPE_CORRECTED"), 10),
    "ecc_uncorrected": Field(_ecc("ecc_uncorrected", "NVML_MEMORY_ERROR_TYPE_UNCORRECTED"), 10),
}
"""Must-have fields first: what a slow driver gives within one tick is taken in this order."""
