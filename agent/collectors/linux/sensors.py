"""Temperature, fan and battery sensors: hwmon, thermal zones and power supplies of sysfs. Some chips answer slowly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.collectors.readings import Instances, Reading, Values

LOOK_EVERY_S = 60.0
"""How often new sensors are looked for."""
_INPUT = re.compile(r"(temp|fan)(\d+)_input\Z")


class Sensor(NamedTuple):
    """One sensor and the files of its values."""

    name: str
    files: dict[str, tuple[Path, float]]
    """Metric -> file, and the metric's units in one of the file's."""


def find(sys: str) -> list[Sensor]:
    """The sensors of this machine. Names are `chip/label`, made unique by a number where two are alike."""
    found = [*_hwmon(Path(sys, "class/hwmon"))]
    if not any("temperature" in sensor.files for sensor in found):
        found += _zones(Path(sys, "class/thermal"))
    found += _batteries(Path(sys, "class/power_supply"))
    seen: dict[str, int] = {}
    named = []
    for sensor in found:
        seen[sensor.name] = seen.get(sensor.name, 0) + 1
        again = seen[sensor.name]
        named.append(sensor if again == 1 else sensor._replace(name=f"{sensor.name} {again}"))
    return named


def _hwmon(root: Path) -> Iterator[Sensor]:
    for chip in _sorted(root, "hwmon"):
        # Old drivers keep their files one level below.
        directory = chip if (chip / "name").exists() else chip / "device"
        chip_name = _text(directory / "name") or chip.name
        for path in _sorted(directory, ""):
            match = _INPUT.match(path.name)
            if match is None:
                continue
            kind, prefix = match[1], f"{match[1]}{match[2]}"
            name = f"{chip_name}/{_text(directory / f'{prefix}_label') or prefix}"
            if kind == "fan":
                yield Sensor(name, {"fan": (path, 1)})
                continue
            files = {"temperature": (path, 0.001)}
            for metric, suffix in (("temperature_high", "max"), ("temperature_critical", "crit")):
                if (limit := directory / f"{prefix}_{suffix}").exists():
                    files[metric] = (limit, 0.001)
            yield Sensor(name, files)


def _zones(root: Path) -> Iterator[Sensor]:
    for zone in _sorted(root, "thermal_zone"):
        if (zone / "temp").exists():
            yield Sensor(_text(zone / "type") or zone.name, {"temperature": (zone / "temp", 0.001)})


def _batteries(root: Path) -> Iterator[Sensor]:
    supplies = _sorted(root, "")
    mains = [path / "online" for path in supplies if _text(path / "type") in {"Mains", "USB"}]
    for supply in supplies:
        # A mouse has a battery, too; its scope tells.
        if _text(supply / "type") == "Battery" and _text(supply / "scope") != "Device":
            files = {"battery": (supply / "capacity", 1.0)}
            if mains:
                files["plugged"] = (mains[0], 1.0)
            yield Sensor(supply.name, files)


def _sorted(directory: Path, prefix: str) -> list[Path]:
    """Entries of `directory` whose name begins with `prefix`, numbers within names in order of their size."""

    def key(path: Path) -> list[object]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]

    try:
        return sorted((path for path in directory.iterdir() if path.name.startswith(prefix)), key=key)
    except OSError:
        return []


def _text(path: Path) -> str:
    """A short text in one line: a driver that goes astray must not make endless names."""
    try:
        text = path.read_text(errors="replace")[:100]
    except OSError:
        return ""
    return "".join(letter for letter in text if letter.isprintable()).strip()


class Sensors:
    """Holds which sensors there are."""

    def __init__(self, sys: str, wanted: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._sys = sys
        self._wanted = wanted
        self._clock = clock
        self._sensors: list[Sensor] = []
        self._look_at_s = float("-inf")

    def read(self) -> Reading | None:
        """Every wanted sensor; None where there are none. What a sensor does not tell is null."""
        now_s = self._clock()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            self._sensors = find(self._sys)
        instances: Instances = {}
        for sensor in self._sensors:
            if self._wanted(sensor.name):
                values: Values = {metric: _value(path, unit) for metric, (path, unit) in sensor.files.items()}
                instances[sensor.name] = values
        return Reading(instances) if instances else None


def _value(path: Path, unit: float) -> float | None:
    try:
        return int(path.read_text()) * unit
    except (OSError, ValueError):  # asleep, or gone since it was found
        return None
