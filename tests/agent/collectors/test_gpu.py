"""GPUs through pynvml and a stand-in for NVIDIA's library, which no test machine needs to have."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pynvml
import pytest

from agent.collectors.choice import Choice
from agent.collectors.gpu.gpu import HANGS_AFTER_S, Gpus, has_driver
from agent.collectors.readings import Reading
from schemas.families import GPU
from tests.agent.build import Clock
from tests.agent.nvml.library import Machine, compiled, load
from tests.waiting import eventually

SLOW_FIELDS = ("fan", "encoder", "decoder", "power_limit", "ecc_corrected", "ecc_uncorrected")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def machine(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Two boards, of which pynvml knows nothing yet."""
    of_test = Machine(tmp_path / "machine")
    monkeypatch.setenv("FAKE_NVML", str(of_test.path))
    library_now = load(library, monkeypatch)()
    yield of_test
    of_test.path.write_text("")
    while True:
        try:
            library_now.nvmlShutdown()
        except pynvml.NVMLError:
            return


def gpus(clock: Clock | None = None, deadline_s: float = 5, choice: Choice | None = None) -> Gpus:
    return Gpus(deadline_s, lambda: pynvml, lambda: True, (clock or Clock()).monotonic, choice)


def read(source: Gpus) -> Reading:
    reading = source.read()
    assert reading is not None
    return reading


def test_every_metric_of_the_catalogue_is_read(machine: Machine) -> None:
    machine.have("value 1 throttle_reasons 5", "value 1 utilisation 99")
    reading = read(gpus())
    assert list(reading.instances) == ["0", "1"]
    assert reading.instances["0"] == {
        "utilisation": 37,
        "memory_used": 2**33,
        "memory_total": 2**36,
        "memory_percent": pytest.approx(12.5),
        "temperature": 54,
        "power": pytest.approx(123.456),
        "memory_utilisation": 12,
        "fan": 30,
        "clock": 1980,
        "memory_clock": 2619,
        "power_limit": 700,
        "encoder": 7,
        "decoder": 8,
        "ecc_corrected": 5,
        "ecc_uncorrected": 1,
        "throttle_reasons": 0,
        "throttled": 0,
    }
    assert set(reading.instances["0"]) == {metric.name for metric in GPU.metrics}
    assert reading.instances["1"]["utilisation"] == 99
    assert reading.labels["1"] == {"name": "Fake GPU 1", "uuid": "GPU-fake-1"}


@pytest.mark.parametrize(("reasons", "throttled"), [(0, 0), (1, 0), (2, 0), (4, 1), (8, 1), (0x40, 1), (0x81, 1)])
def test_idle_and_chosen_clocks_are_no_throttling(machine: Machine, reasons: int, throttled: int) -> None:
    machine.have(f"value * throttle_reasons {reasons}")
    values = read(gpus()).instances["0"]
    assert (values["throttle_reasons"], values["throttled"]) == (reasons, throttled)


def test_a_field_that_is_not_supported_costs_only_itself_and_is_not_asked_again(machine: Machine) -> None:
    machine.have(f"fail 0 nvmlDeviceGetPowerUsage {pynvml.NVML_ERROR_NOT_SUPPORTED}")
    clock = Clock()
    source = gpus(clock)
    for _ in range(3):
        reading = read(source)
        clock.pass_time(1)
    assert set(reading.instances["1"]) - set(reading.instances["0"]) == {"power"}
    assert machine.calls("0 nvmlDeviceGetPowerUsage") == 1
    assert machine.calls("1 nvmlDeviceGetPowerUsage") == 3


def test_a_field_is_asked_for_again_after_an_hour(machine: Machine) -> None:
    directive = f"fail * nvmlDeviceGetUtilizationRates {pynvml.NVML_ERROR_NOT_SUPPORTED}"
    machine.have(directive)
    clock = Clock()
    source = gpus(clock)
    read(source)
    machine.end(directive)
    clock.pass_time(3601)
    assert read(source).instances["0"]["utilisation"] == 37


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_UNKNOWN, pynvml.NVML_ERROR_NO_PERMISSION, 4711])
def test_a_field_that_fails_for_any_reason_costs_only_itself_and_comes_back(machine: Machine, code: int) -> None:
    directive = f"fail 0 nvmlDeviceGetTemperature {code}"
    machine.have(directive)
    clock = Clock()
    source = gpus(clock)
    reading = read(source)
    assert set(reading.instances["1"]) - set(reading.instances["0"]) == {"temperature"}
    machine.end(directive)
    clock.pass_time(1)
    assert read(source).instances["0"]["temperature"] == 54


def test_a_value_that_failed_is_unknown_and_not_the_one_before(machine: Machine) -> None:
    clock = Clock()
    source = gpus(clock)
    read(source)
    machine.have(f"fail * nvmlDeviceGetPowerUsage {pynvml.NVML_ERROR_UNKNOWN}")
    clock.pass_time(1)
    assert "power" not in read(source).instances["0"]


def test_slow_fields_are_held_and_read_every_few_seconds(machine: Machine) -> None:
    clock = Clock()
    source = gpus(clock)
    for _ in range(20):
        values = read(source).instances["0"]
        assert all(values[field] is not None for field in SLOW_FIELDS)
        clock.pass_time(1)
    assert machine.calls("0 nvmlDeviceGetUtilizationRates") == 20
    assert machine.calls("0 nvmlDeviceGetEncoderUtilization") == 4
    assert machine.calls("0 nvmlDeviceGetTotalEccErrors") == 2


def test_a_call_that_takes_long_is_made_less_often(machine: Machine) -> None:
    """Of 100 ms each, at most 2 % of the time: every five seconds."""
    machine.have("delay nvmlDeviceGetPowerUsage 100")
    clock = Clock()
    source = Gpus(5, lambda: pynvml, lambda: True, lambda: clock.monotonic() + time.monotonic())
    for _ in range(5):
        assert read(source).instances["0"]["power"] == pytest.approx(123.456)
        clock.pass_time(1)
    assert machine.calls("0 nvmlDeviceGetPowerUsage") == 1
    assert machine.calls("0 nvmlDeviceGetTemperature") == 5


def test_what_one_tick_has_no_time_for_is_read_at_the_next_ones(machine: Machine) -> None:
    machine.have("delay nvmlDeviceGetFanSpeed 30", "delay nvmlDeviceGetTemperature 30")
    source = Gpus(5, lambda: pynvml, lambda: True)
    first = source.read(0.02)
    assert first is not None
    assert "fan" not in first.instances["1"]
    for _ in range(6):
        last = source.read(0.02)
    assert last is not None
    assert set(last.instances["1"]) == {metric.name for metric in GPU.metrics}


def test_a_driver_without_the_newer_calls_is_asked_by_the_older_ones(machine: Machine) -> None:
    missing = pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
    machine.have(
        f"fail * nvmlDeviceGetMemoryInfo_v2 {missing}",
        f"fail * nvmlDeviceGetCurrentClocksEventReasons {missing}",
        "value * throttle_reasons 64",
    )
    values = read(gpus()).instances["0"]
    assert values["memory_used"] == 2**33 + 2**20, "the first version counts the driver's reserve"
    assert values["throttled"] == 1


def test_a_library_that_lacks_a_symbol_costs_only_what_needs_it(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(compiled(tmp_path, "-DnvmlDeviceGetFanSpeed=somethingElse", "-DOLD_DRIVER"), monkeypatch)
    values = read(gpus()).instances["0"]
    assert {metric.name for metric in GPU.metrics} - set(values) == {"fan"}


def test_a_lost_board_costs_only_itself_and_comes_back(machine: Machine) -> None:
    clock = Clock()
    source = gpus(clock)
    read(source)
    directive = f"fail 1 * {pynvml.NVML_ERROR_GPU_IS_LOST}"
    machine.have(directive)
    for _ in range(120):
        clock.pass_time(1)
        assert list(read(source).instances) == ["0"]
    machine.end(directive)
    clock.pass_time(300)
    assert list(read(source).instances) == ["0", "1"]
    assert machine.calls("-1 nvmlInitWithFlags") <= 12


def test_a_board_on_which_every_call_fails_is_lost_whatever_the_reason(machine: Machine) -> None:
    """As in a container from which the device was taken away."""
    clock = Clock()
    source = gpus(clock)
    read(source)
    directive = f"fail 1 * {pynvml.NVML_ERROR_UNKNOWN}"
    machine.have(directive)
    for _ in range(15):
        clock.pass_time(1)
        last = read(source)
    assert list(last.instances) == ["0"]
    machine.end(directive)
    clock.pass_time(60)
    assert list(read(source).instances) == ["0", "1"]


@pytest.mark.parametrize(
    "code",
    [pynvml.NVML_ERROR_DRIVER_NOT_LOADED, pynvml.NVML_ERROR_UNINITIALIZED, pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH],
)
def test_a_driver_that_was_unloaded_is_found_again(
    machine: Machine, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    source = gpus(clock)
    read(source)
    directive = f"fail * * {code}"
    machine.have(directive)
    with caplog.at_level(logging.INFO):
        for _ in range(600):
            clock.pass_time(1)
            assert source.read() is None
    assert machine.calls("-1 nvmlInitWithFlags") <= 12, "it backs off"
    states = [record.__dict__.get("state") for record in caplog.records]
    assert states.count("nvidia driver does not answer, the gpu family is absent") == 1
    machine.end(directive)
    clock.pass_time(300)
    assert list(read(source).instances) == ["0", "1"]


def test_names_that_a_board_does_not_tell_are_left_out(machine: Machine) -> None:
    machine.have(f"fail 0 nvmlDeviceGetUUID {pynvml.NVML_ERROR_NOT_SUPPORTED}")
    reading = read(gpus())
    assert reading.labels["0"] == {"name": "Fake GPU 0"}
    assert reading.instances["0"]["utilisation"] == 37


@pytest.mark.parametrize(
    ("include", "exclude", "read_boards"),
    [
        ((), (), ["0", "1"]),
        (("1",), (), ["1"]),
        (("GPU-fake-0",), (), ["0"]),
        (("Fake GPU*",), ("GPU-*-1",), ["0"]),
        ((), ("*",), []),
    ],
)
def test_boards_are_chosen_by_index_uuid_or_model(
    machine: Machine, include: tuple[str, ...], exclude: tuple[str, ...], read_boards: list[str]
) -> None:
    choice = Choice()
    choice.use(include, exclude)
    source = gpus(choice=choice)
    reading = source.read()
    assert (list(reading.instances) if reading else []) == read_boards
    assert [name for name in ("0", "1") if machine.calls(f"{name} nvmlDeviceGetUtilizationRates")] == read_boards
    assert source.names == ["Fake GPU 0", "Fake GPU 1"], "the facts tell of all"


def test_a_choice_can_change_while_boards_are_read(machine: Machine) -> None:
    choice, clock = Choice(), Clock()
    source = gpus(clock, choice=choice)
    read(source)
    choice.use((), ("0",))
    clock.pass_time(1)
    assert list(read(source).instances) == ["1"]


def test_a_machine_without_boards_has_no_family(machine: Machine) -> None:
    machine.have("devices 0")
    assert gpus().read() is None


def test_without_the_library_the_family_is_absent_until_there_is_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, clock = pynvml.nvmlLib, Clock()

    def not_found(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", not_found)
    source = gpus(clock)
    assert source.read() is None
    monkeypatch.setattr(pynvml, "CDLL", lambda name: library)
    clock.pass_time(10)
    assert list(read(source).instances) == ["0", "1"]


async def test_without_a_driver_the_family_is_absent_and_nothing_is_loaded() -> None:
    def load_nothing() -> Any:
        raise AssertionError("loaded")

    source = Gpus(0.05, load_nothing, lambda: False)
    assert source.start() is None
    assert await source.finish(None) is None


def test_a_driver_shows_itself_in_the_hosts_proc(tmp_path: Path) -> None:
    (tmp_path / "driver/nvidia").mkdir(parents=True)
    (tmp_path / "driver/nvidia/version").touch()
    assert has_driver(str(tmp_path))


async def test_a_driver_that_hangs_costs_the_deadline_once_and_comes_back(machine: Machine) -> None:
    machine.have("hang nvmlDeviceGetPowerUsage")
    clock = Clock()
    source = gpus(clock, deadline_s=0.05)
    assert await source.finish(source.start()) is None
    await eventually(lambda: machine.calls("0 nvmlDeviceGetPowerUsage"))
    assert source.start() is None, "the hanging call is waited for, not joined by another"
    clock.pass_time(HANGS_AFTER_S)
    with pytest.raises(TimeoutError, match="has not answered for 10 s"):
        await source.finish(None)
    machine.end("hang nvmlDeviceGetPowerUsage")

    async def comes_back() -> Reading | None:
        with contextlib.suppress(TimeoutError):
            return await source.finish(source.start())
        return None

    reading = await eventually(comes_back)
    assert reading is not None
    assert "0" in reading.instances
    source.close()
