"""Sensors of sysfs, from trees as the kernel makes them."""

from __future__ import annotations

from pathlib import Path

from agent.collectors.choice import Choice
from agent.collectors.linux.sensors import LOOK_EVERY_S, Sensors, find
from tests.agent.build import Clock


def chip(sys: Path, number: int, name: str, **files: str) -> Path:
    directory = sys / "class" / "hwmon" / f"hwmon{number}"
    directory.mkdir(parents=True)
    for file, text in {"name": name, **files}.items():
        (directory / file).write_text(text + "\n")
    return directory


def supply(sys: Path, name: str, **files: str) -> None:
    directory = sys / "class" / "power_supply" / name
    directory.mkdir(parents=True)
    for file, text in files.items():
        (directory / file).write_text(text + "\n")


def test_a_chip_tells_temperatures_with_their_limits_and_fans(tmp_path: Path) -> None:
    chip(
        tmp_path, 0, "coretemp", temp1_input="45500", temp1_label="Package id 0", temp1_max="80000", temp1_crit="100000"
    )
    chip(tmp_path, 1, "nct6775", fan2_input="1200")
    reading = Sensors(str(tmp_path), Choice()).read()
    assert reading is not None
    assert reading.instances == {
        "coretemp/Package id 0": {"temperature": 45.5, "temperature_high": 80, "temperature_critical": 100},
        "nct6775/fan2": {"fan": 1200},
    }


def test_sensors_of_the_same_name_are_told_apart_in_a_stable_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        chip(tmp_path, number, "nvme", temp1_input=str(number * 1000), temp1_label="Composite")
    reading = Sensors(str(tmp_path), Choice()).read()
    assert reading is not None
    assert {name: row["temperature"] for name, row in reading.instances.items()} == {
        "nvme/Composite": 1,
        "nvme/Composite 2": 2,
        "nvme/Composite 3": 10,
    }


def test_a_sensor_that_does_not_answer_is_null_and_the_others_are_told(tmp_path: Path) -> None:
    chip(tmp_path, 0, "acpi", temp1_input="garbage", temp2_input="30000")
    reading = Sensors(str(tmp_path), Choice()).read()
    assert reading is not None
    assert reading.instances == {"acpi/temp1": {"temperature": None}, "acpi/temp2": {"temperature": 30}}


def test_thermal_zones_stand_in_where_no_chip_tells_a_temperature(tmp_path: Path) -> None:
    zone = tmp_path / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("51000\n")
    assert [sensor.name for sensor in find(str(tmp_path))] == ["cpu-thermal"]
    chip(tmp_path, 0, "coretemp", temp1_input="45500")
    assert [sensor.name for sensor in find(str(tmp_path))] == ["coretemp/temp1"]


def test_the_battery_of_the_machine_is_told_and_not_that_of_a_mouse(tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", capacity="87")
    supply(tmp_path, "hidpp_0", type="Battery", scope="Device", capacity="10")
    supply(tmp_path, "AC", type="Mains", online="0")
    reading = Sensors(str(tmp_path), Choice()).read()
    assert reading is not None
    assert reading.instances == {"BAT0": {"battery": 87, "plugged": 0}}


def test_new_sensors_are_found_and_lost_ones_are_null_until_then(tmp_path: Path) -> None:
    clock = Clock()
    first = chip(tmp_path, 0, "drivetemp", temp1_input="40000")
    sensors = Sensors(str(tmp_path), Choice(), clock.monotonic)
    sensors.read()
    (first / "temp1_input").unlink()
    chip(tmp_path, 1, "coretemp", temp1_input="45000")
    reading = sensors.read()
    assert reading is not None
    assert reading.instances == {"drivetemp/temp1": {"temperature": None}}
    clock.pass_time(LOOK_EVERY_S)
    reading = sensors.read()
    assert reading is not None
    assert reading.instances == {"coretemp/temp1": {"temperature": 45}}


def test_sensors_can_be_chosen(tmp_path: Path) -> None:
    chip(tmp_path, 0, "coretemp", temp1_input="1000", temp2_input="2000")
    choice = Choice()
    choice.use((), ("*temp2",))
    reading = Sensors(str(tmp_path), choice).read()
    assert reading is not None
    assert list(reading.instances) == ["coretemp/temp1"]


def test_a_machine_without_sensors_lacks_the_family(tmp_path: Path) -> None:
    assert Sensors(str(tmp_path), Choice()).read() is None
