"""The dashboard's generated files follow the schemas, and its lock file names no host."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.generate.typescript import TARGET, expression, generated
from schemas.catalogue import CATALOGUE, Family, Metric

LOCK = Path(__file__).parents[2] / "web" / "package-lock.json"


@pytest.mark.parametrize("name", ["types.gen.ts", "catalogue.gen.ts"])
def test_generated_files_have_not_drifted(name: str) -> None:
    assert (TARGET / name).read_text(encoding="utf-8") == generated()[name], "run: python -m infra.generate.typescript"


def test_a_new_metric_reaches_the_dashboard() -> None:
    moon = Family("moon", "Tides.", 1, (Metric(1, "phase", "%", 0.01, "int2", "How full."),))
    made = generated((*CATALOGUE, moon))["catalogue.gen.ts"]
    assert '{ name: "phase", label: "phase", unit: "%", resolution: 0.01, meaning: "How full." }' in made


def test_the_metrics_of_a_card_reach_the_dashboard() -> None:
    assert 'export const SUMMARY: readonly string[] = [\n  "cpu.total",\n' in generated()["catalogue.gen.ts"]


def test_optional_and_renamed_fields_are_told() -> None:
    types = generated()["types.gen.ts"]
    assert "  from: number;\n  to: number;" in types
    assert "warning: Threshold | null;" in types


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(TypeError, match="no TypeScript type"):
        expression(complex)


def test_the_lock_file_pins_every_package_by_hash_and_names_no_host() -> None:
    assert not re.search(r"https?:", LOCK.read_text(encoding="utf-8"))
    assert all("integrity" in package for name, package in locked().items() if name)


def test_the_lock_file_holds_the_packages_of_every_platform() -> None:
    packages = locked()
    needed = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert needed
    assert not {name for name in needed if f"node_modules/{name}" not in packages}


def locked() -> dict[str, dict[str, Any]]:
    """The lock file's packages by path."""
    return msgspec.convert(json.loads(LOCK.read_text(encoding="utf-8"))["packages"], dict[str, dict[str, Any]])
