"""The documents say what the program does."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, inspect

from infra.generate import metricdocs
from infra.settings import AgentSettings, ServerSettings
from schemas.settings import RuntimeSettings

ROOT = Path(__file__).parents[1]
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
UNITS = {"_s": " s", "_bytes": " B", "_days": " days", "_percent": " %", "_gib": " GiB"}


def settings() -> dict[str, tuple[type[Struct], str]]:
    """Every setting as the page names it -> where it is declared."""
    process = {
        f"SONDE_{name.upper()}": (kind, name)
        for kind in (AgentSettings, ServerSettings)
        for name in kind.__struct_fields__
    }
    return process | {name: (RuntimeSettings, name) for name in RuntimeSettings.__struct_fields__}


def cells(name: str) -> list[str]:
    """The page's row of one setting: name, default, what is allowed, and the rest."""
    row = re.search(rf"^\| (`{name}` \|.*) \|$", SETTINGS_PAGE, re.MULTILINE)
    assert row, f"docs/settings.md has no row for {name}"
    return [cell.strip() for cell in row[1].split(" | ")]


def number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def bounds(name: str, kind: Any) -> list[str]:
    """How the page has to state what the type of a setting allows."""
    if isinstance(kind, inspect.LiteralType):
        return [f"`{value}`" for value in kind.values]
    if isinstance(kind, inspect.StrType):
        return [] if kind.max_length is None else [f"at most {kind.max_length} characters"]
    assert isinstance(kind, inspect.IntType | inspect.FloatType), f"{name}: how is {kind} to be stated?"
    assert kind.ge is not None
    unit = next((unit for suffix, unit in UNITS.items() if name.lower().endswith(suffix)), "")
    return [(f"at least {number(kind.ge)}" if kind.le is None else f"{number(kind.ge)} to {number(kind.le)}") + unit]


def test_the_metrics_page_is_current() -> None:
    assert metricdocs.PAGE.read_text(encoding="utf-8") == metricdocs.page(), "run: python -m infra.generate.metricdocs"


@pytest.mark.parametrize("name", settings())
def test_the_settings_page_states_the_bounds_of(name: str) -> None:
    kind, field = settings()[name]
    for bound in bounds(
        name, inspect.type_info(msgspec.structs.fields(kind)[kind.__struct_fields__.index(field)].type)
    ):
        assert bound in cells(name)[2].split(", ")


@pytest.mark.parametrize("name", settings())
def test_the_settings_page_states_the_default_of(name: str) -> None:
    kind, field = settings()[name]
    default = getattr(kind(), field)
    text = number(default) if isinstance(default, int | float) else default
    assert cells(name)[1] == (f"`{text}`" if text else "empty")
