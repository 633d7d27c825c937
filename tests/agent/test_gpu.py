"""GPUs through a stand-in for NVIDIA's library, which no test machine needs to have."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from agent.collectors.gpu import Gpus
from schemas.families import GPU
from tests.agent.build import Clock


class Nvml:
    """Two boards. `broken` maps (board, function) to the error it raises."""

    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_GRAPHICS = 0
    NVML_CLOCK_MEM = 2
    nvmlMemory_v2 = 2  # noqa: N815

    class NVMLError(Exception):
        pass

    class NVMLError_NotSupported(NVMLError):  # noqa: N801
        pass

    class NVMLError_FunctionNotFound(NVMLError):  # noqa: N801
        pass

    class NVMLError_InvalidArgument(NVMLError):  # noqa: N801
        pass

    class NVMLError_GpuIsLost(NVMLError):  # noqa: N801
        pass

    class NVMLError_DriverNotLoaded(NVMLError):  # noqa: N801
        pass

    def __init__(self) -> None:
        self.broken: dict[tuple[int | None, str], type[Exception]] = {}
        self.calls: list[tuple[int | None, str]] = []
        self.hold: threading.Event | None = None

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlInit": None,
            "nvmlShutdown": None,
            "nvmlDeviceGetCount": 2,
            "nvmlDeviceGetName": "H100",
            "nvmlDeviceGetUUID": "GPU-1",
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=37, memory=12),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=2**33, total=2**36),
            "nvmlDeviceGetTemperature": 54,
            "nvmlDeviceGetPowerUsage": 123456,
            "nvmlDeviceGetFanSpeed": 30,
            "nvmlDeviceGetClockInfo": 1980,
            "nvmlDeviceGetEnforcedPowerLimit": 700000,
        }

        def call(*args: Any, **_: Any) -> Any:
            board = args[0] if args else None
            self.calls.append((board, name))
            if self.hold is not None:
                self.hold.wait(5)
            fault = self.broken.get((board, name))
            if fault is not None:
                raise fault("no")
            return board if name == "nvmlDeviceGetHandleByIndex" else answers[name]

        return call


@pytest.fixture
def nvml() -> Nvml:
    return Nvml()


def gpus(nvml: Nvml, clock: Clock | None = None) -> Gpus:
    return Gpus(0.05, lambda: nvml, lambda: True, (clock or Clock()).monotonic)


def test_every_metric_of_the_catalogue_is_read(nvml: Nvml) -> None:
    reading = gpus(nvml).read()
    assert reading is not None
    assert set(reading.instances["0"]) == {metric.name for metric in GPU.metrics}
    assert reading.instances["1"]["power"] == pytest.approx(123.456)
    assert reading.instances["1"]["memory_percent"] == pytest.approx(12.5)
    assert reading.labels["0"] == {"name": "H100", "uuid": "GPU-1"}


def test_a_field_that_is_not_supported_costs_only_itself_and_is_not_asked_again(nvml: Nvml) -> None:
    nvml.broken[0, "nvmlDeviceGetFanSpeed"] = nvml.NVMLError_NotSupported
    source = gpus(nvml)
    for _ in range(3):
        reading = source.read()
    assert reading is not None
    assert "fan" not in reading.instances["0"]
    assert reading.instances["0"]["clock"] == 1980
    assert reading.instances["1"]["fan"] == 30
    assert nvml.calls.count((0, "nvmlDeviceGetFanSpeed")) == 1


def test_a_lost_board_costs_only_itself_and_comes_back(nvml: Nvml) -> None:
    clock = Clock()
    source = gpus(nvml, clock)
    source.read()
    nvml.broken[1, "nvmlDeviceGetTemperature"] = nvml.NVMLError_GpuIsLost
    reading = source.read()
    assert reading is not None
    assert list(reading.instances) == ["0"]
    del nvml.broken[1, "nvmlDeviceGetTemperature"]
    clock.pass_time(10)
    reading = source.read()
    assert reading is not None
    assert list(reading.instances) == ["0", "1"]


def test_initialising_again_backs_off(nvml: Nvml) -> None:
    clock = Clock()
    source = gpus(nvml, clock)
    nvml.broken[None, "nvmlInit"] = nvml.NVMLError_DriverNotLoaded
    for _ in range(600):
        source.read()
        clock.pass_time(1)
    assert 5 <= nvml.calls.count((None, "nvmlInit")) <= 12
    del nvml.broken[None, "nvmlInit"]
    clock.pass_time(300)
    assert source.read() is not None


async def test_without_a_driver_the_family_is_absent_and_nothing_is_loaded() -> None:
    def load() -> Any:
        raise AssertionError("loaded")

    source = Gpus(0.05, load, lambda: False)
    assert source.start() is None


async def test_a_driver_that_hangs_costs_the_deadline_once(nvml: Nvml) -> None:
    nvml.hold = threading.Event()
    source = gpus(nvml)
    began = time.monotonic()
    assert await source.finish(source.start()) is None
    assert time.monotonic() - began < 2
    assert source.start() is None, "the hanging call is waited for, not joined by another"
    nvml.hold.set()
    source.close()
